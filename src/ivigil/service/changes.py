"""What a person changes about a record on a page: answers, results and orders, taken into the record and into its text."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from ivigil.basis.conversion import from_json
from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.library import Evidence
from ivigil.patient.form import form_of
from ivigil.patient.record import Order, Record

ORDER_KEYS = ("phase", "route", "dose", "each", "days", "every", "place", "rate_max")
"""What of an order can be changed beside the plan; indication, product and start are choices of the plan."""
_COUNT = re.compile(r"[0-9]{1,4}")


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Changes as texts. ``order`` holds an empty text for what is taken out; results and measures count on the day ``on``."""

    answers: dict[str, str] = {}
    order: dict[str, str] = {}
    results: dict[str, str] = {}
    weight: str = ""
    height: str = ""
    born: str = ""
    on: str = ""

    def __bool__(self) -> bool:
        return bool(self.answers or self.order or self.results or self.weight or self.height or self.born)

    def then(self, later: Changes) -> Changes:
        """Both, the later ones winning."""
        return Changes(
            self.answers | later.answers,
            self.order | later.order,
            self.results | later.results,
            later.weight or self.weight,
            later.height or self.height,
            later.born or self.born,
            later.on or self.on,
        )


def changes_in(text: str) -> Changes:
    """Changes as a page carries them from one request to the next.

    Raises:
        BadInput: the text was not written by :func:`carried`.
    """
    if not text.strip():
        return Changes()
    try:
        return from_json(text, Changes)
    except msgspec.DecodeError as error:
        raise BadInput([Problem("changes", 0, "", f"the changes carried by the page cannot be read: {error}", "plan the record again")]) from None


def carried(changes: Changes) -> str:
    """Changes as text for a hidden field; empty without any."""
    return msgspec.json.encode(changes).decode() if changes else ""


def is_fhir(text: str) -> bool:
    """True for FHIR, which cannot be edited here, so that changes stay beside it; false for the written form, which takes them in."""
    start = text.lstrip()
    return start.startswith(("{", "[")) and bool(re.search(r'"resourceType"\s*:', start))


def changed_text(text: str, changes: Changes, place: str = "record") -> str:
    """A record in the written form with the changes taken in, written out anew; the same text when nothing changes.

    Raises:
        BadInput: the text is not a record in the written form.
    """
    if not changes:
        return text
    value, _ = read_yaml(text, place)
    if not isinstance(value, dict):
        raise BadInput([Problem(place, 1, "", "not a patient record", "write keys with values, beginning with 'id:'")])
    document = dict(value)
    if changes.born:
        document.pop("age", None)
        document["born"] = changes.born
    for key, given in (("weight", changes.weight), ("height", changes.height)):
        if given:
            document[key] = [*_listed(document.get(key)), _dated(given, changes.on)]
    if changes.results:
        results = _mapping(document, "results", place)
        for test, given in changes.results.items():
            results[test] = [*_listed(results.get(test)), _dated(given, changes.on)]
        document["results"] = results
    order = {key: item for key, item in {**_mapping(document, "order", place), **_order(changes)}.items() if item != ""}
    if order or "order" in document:
        document["order"] = order
    if changes.answers:
        document["answers"] = {**_mapping(document, "answers", place), **changes.answers}
    return written_text(document)


def changed_record(record: Record, changes: Changes, evidence: Evidence) -> Record:
    """A record with changes that stay beside it, as for FHIR.

    Raises:
        BadInput: a change cannot be read; every problem is listed.
    """
    if not changes:
        return record
    document = {
        "id": record.id,
        "answers": changes.answers,
        "order": {key: item for key, item in _order(changes).items() if item != ""},
        "results": {test: [_dated(given, changes.on)] for test, given in changes.results.items()},
        "weight": [_dated(changes.weight, changes.on)] if changes.weight else [],
        "height": [_dated(changes.height, changes.on)] if changes.height else [],
        **({"born": changes.born} if changes.born else {}),
    }
    read = form_of(document, {}, "on this page", evidence.facts)
    fields = {key: getattr(read.order if changes.order[key] else Order(), key) for key in changes.order if key in ORDER_KEYS}
    return msgspec.structs.replace(
        record,
        answers={**record.answers, **read.answers},
        order=msgspec.structs.replace(record.order, **fields),
        results=(*record.results, *read.results),
        weights=(*record.weights, *read.weights),
        heights=(*record.heights, *read.heights),
        born=read.born or record.born,
        age=None if read.born else record.age,
    )


def change_for(fact: str, definition: FactDefinition | None, text: str) -> Changes:
    """The change that answers a question: a result, a measure, a part of the order, or an answer."""
    if fact in {"weight", "height"}:
        return Changes(weight=text) if fact == "weight" else Changes(height=text)
    if fact == "age":
        return Changes(born=text)
    if fact.startswith("order.") and fact.removeprefix("order.") in ORDER_KEYS:
        return Changes(order={fact.removeprefix("order."): text})
    if definition is not None and definition.source == "results" and definition.kind == "quantity":
        return Changes(results={fact: text})
    return Changes(answers={fact: text})


def written_text(document: dict[str, Any]) -> str:
    """A record as YAML: one key a line, lists with one entry a line, every text quoted."""
    out = []
    for key, value in document.items():
        if isinstance(value, list) and value:
            out.append(f"{_key(key)}:")
            out.extend(f"  - {_flow(item)}" for item in value)
        elif isinstance(value, dict) and value and key != "order":
            out.append(f"{_key(key)}:")
            out.extend(f"  {_key(name)}: {_flow(item)}" for name, item in value.items())
        else:
            out.append(f"{_key(key)}: {_flow(value)}")
    return "\n".join(out) + "\n"


def _order(changes: Changes) -> dict[str, Any]:
    return {key: int(text) if key == "days" and _COUNT.fullmatch(text) else text for key, text in changes.order.items()}


def _mapping(document: dict[str, Any], key: str, place: str) -> dict[str, Any]:
    found = document.get(key) or {}
    if not isinstance(found, dict):
        raise BadInput([Problem(place, 0, key, "not a list of keys with values", "write one 'key: value' a line below it")])
    return dict(found)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _dated(value: str, on: str) -> dict[str, str]:
    return {"value": value, "on": on} if on else {"value": value}


def _key(name: str) -> str:
    return name if re.fullmatch(r"[a-z][a-z0-9_.-]*", name) and name not in {"true", "false", "null"} else _flow(name)


_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _flow(value: Any) -> str:
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
