"""A plan as JSON (schema ``ivigil.plan/1``) and back. Quantities carry UCUM unit codes; keys keep one order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ivigil.basis.conversion import convert, json_schema
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UNITS
from ivigil.planning.line import Plan

SCHEMA = "ivigil.plan/1"
BATCH_SCHEMA = "ivigil.plans/1"

TO_UCUM = {name: unit.ucum for name, unit in UNITS.items()}
"""The UCUM code of every unit."""
_FROM_UCUM = {unit.ucum: name for name, unit in UNITS.items()}


def plan_json(plan: Plan) -> str:
    """One plan as indented JSON with a closing line break."""
    return _text(_with_units(msgspec.to_builtins(plan), TO_UCUM))


def plans_json(plans: Sequence[Plan], failed: Sequence[tuple[str, Sequence[Problem]]]) -> str:
    """Several plans in one document, with the records that could not be read and every problem of each."""
    document = {
        "schema": BATCH_SCHEMA,
        "plans": [_with_units(msgspec.to_builtins(plan), TO_UCUM) for plan in plans],
        "failed": [{"record": name, "problems": msgspec.to_builtins(list(problems))} for name, problems in failed],
    }
    return _text(document)


def read_plan(text: bytes | str, place: str) -> Plan:
    """A saved plan. :func:`plan_json` of the result is the same text again.

    Raises:
        BadInput: not JSON, not a plan of this schema, or a value of the wrong kind; ``place`` names the file in the message.
    """
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput([Problem(place, 0, "", f"not valid JSON: {error}", "save it again with 'ivigil plan --format json'")]) from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise BadInput([Problem(place, 0, "schema", f"expected '{SCHEMA}', found {schema!r}", "save the plan again with this version of ivigil")])
    try:
        return convert(_with_units(document, _FROM_UCUM), Plan)
    except (msgspec.ValidationError, KeyError, ValueError) as error:
        raise BadInput([Problem(place, 0, "", f"not a plan of {SCHEMA}: {error}", "save it again with 'ivigil plan --format json'")]) from None


def is_plan(text: bytes) -> bool:
    """True when the text looks like a saved plan rather than a patient record."""
    return b'"ivigil.plan/' in text[:200]


def plan_schema() -> dict[str, Any]:
    """The JSON Schema of one plan."""
    schema = json_schema(Plan)
    definitions = schema["$defs"]
    definitions["Quantity"]["properties"]["unit"] = {"type": "string", "enum": sorted(set(TO_UCUM.values())), "description": "UCUM unit code"}
    definitions["Plan"]["properties"]["schema"] = {"const": SCHEMA}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA.replace('/', ':').replace('.', ':')}", "title": SCHEMA, **schema}


def _text(document: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _with_units(node: Any, names: dict[str, str]) -> Any:
    """The same tree with the unit of every quantity (a mapping of exactly ``value`` and ``unit``) renamed."""
    if isinstance(node, dict):
        if node.keys() == {"value", "unit"}:
            return {"value": node["value"], "unit": names[node["unit"]]}
        return {key: _with_units(value, names) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_with_units(value, names) for value in node]
    return node
