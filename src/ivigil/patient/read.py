"""Reads patient records: the friendly YAML or JSON form, FHIR R4 bundles, lists and NDJSON, gzip of each, and standard input.

Every problem is reported at once with its line. Nothing is guessed: a number without a unit is refused with a suggestion.
"""

from __future__ import annotations

import difflib
import gzip
import json
import re
import sys
import zlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UNITS, Quantity, UnitProblem, parse_quantity
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.basis.strict_yaml import Path as KeyPath
from ivigil.patient import record as parts
from ivigil.patient.facts import answer_value, in_register_unit
from ivigil.patient.fhir import FhirReader, decode
from ivigil.patient.record import Answer, AntibodyKind, Code, Override, Reaction, Record, Route

LARGEST = 100 * 1024 * 1024
"""The most bytes one document may have, unpacked."""
DEEPEST = 40
"""The deepest nesting read."""

_QUANTITY_PATTERN = r"^[<>]?\s*[0-9]+([.,][0-9]+)?\s*\S.*$"
_ENDINGS = (".yaml", ".yml", ".json", ".ndjson", ".jsonl")
_CODE_KEYS = ("icd10", "snomed", "rxnorm", "ndc", "atc", "cvx", "loinc")
_NONE_WORDS = {"none", "nil", "no", "nka", "nkda", "none known", "no known allergies", "no known drug allergies", "no allergies", "nothing known", "n/a"}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of the parts of a written record: strict about unknown keys."""


class Measured(Entry, frozen=True, kw_only=True):
    """A measured value: ``value`` with its unit, ``on`` the day it was measured."""

    value: Quantity
    on: date | None = None
    estimated: bool = False


class Reading(msgspec.Struct, frozen=True, omit_defaults=True):
    """The value of a test: a quantity, perhaps with ``<`` or ``>`` before it, or a word such as ``positive``."""

    value: Quantity | None = None
    word: str = ""
    below: bool = False
    above: bool = False


class TestResult(Entry, frozen=True, kw_only=True):
    """A laboratory result or vital sign with its day and, where printed, the laboratory's upper limit."""

    value: Reading
    on: date | None = None
    upper_limit: Quantity | None = None


class ConditionEntry(Entry, frozen=True, kw_only=True):
    """A diagnosis: ``name`` in words, or codes, or both."""

    name: str = ""
    icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    status: Literal["active", "resolved"] = "active"
    since: date | None = None
    until: date | None = None
    verified: Literal["confirmed", "provisional", "differential", "refuted"] = "confirmed"


class MedicineEntry(Entry, frozen=True, kw_only=True):
    """A medicine: ``name`` in words, or codes, or both."""

    name: str = ""
    rxnorm: tuple[str, ...] = ()
    ndc: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()
    status: Literal["active", "stopped", "planned"] = "active"
    since: date | None = None
    until: date | None = None
    dose: str = ""


class AllergyEntry(Entry, frozen=True, kw_only=True):
    """An allergy or intolerance: what to, and what happened."""

    substance: str = ""
    snomed: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    reaction: str = ""
    severity: Literal["mild", "moderate", "severe", "unknown"] = "unknown"
    status: Literal["active", "resolved"] = "active"


class ReactionEntry(Entry, frozen=True, kw_only=True):
    """What happened at an infusion: grade 0 (nothing) to 4 (life-threatening)."""

    grade: Literal[0, 1, 2, 3, 4]
    kind: str = ""
    rate: Quantity | None = None
    note: str = ""


class InfusionEntry(Entry, frozen=True, kw_only=True):
    """An immunoglobulin infusion given before, or another antibody or blood product (``kind``)."""

    on: date
    kind: AntibodyKind = "immunoglobulin"
    product: str = ""
    lot: str = ""
    dose: Quantity | None = None
    route: Route = ""
    rate_max: Quantity | None = None
    reaction: ReactionEntry | None = None
    place: Literal["hospital", "clinic", "home", ""] = ""


class VaccinationEntry(Entry, frozen=True, kw_only=True):
    """A vaccine given, or planned when the day lies ahead."""

    vaccine: str
    cvx: tuple[str, ...] = ()
    on: date


class PregnancyEntry(Entry, frozen=True, kw_only=True):
    """Pregnancy state; ``weeks`` of gestation count on the day ``on``."""

    status: Literal["pregnant", "not-pregnant", "unknown"]
    weeks: int | None = None
    on: date | None = None
    due: date | None = None
    pre_pregnancy_weight: Quantity | None = None


class OrderEntry(Entry, frozen=True, kw_only=True):
    """What the prescriber asks for; every key is optional."""

    indication: str = ""
    phase: Literal["acute", "replacement", "induction", "maintenance", "second-dose", "switch", "extra", ""] = ""
    regimen: str = ""
    product: str = ""
    route: Literal["intravenous", "subcutaneous", "facilitated-subcutaneous", ""] = ""
    dose: Quantity | None = None
    each: Literal["course", "day", "interval", ""] = ""
    days: int | None = None
    every: Quantity | None = None
    rate_max: Quantity | None = None
    start: str = ""
    place: Literal["hospital", "clinic", "home", ""] = ""
    prescriber: str = ""
    weight_policy: str = ""
    ramp: str = ""
    pump_increment: Quantity | None = None
    pump_max: Quantity | None = None


class PatientFile(Entry, frozen=True, kw_only=True):
    """One patient as written in YAML or JSON. ``docs/patient-record.md`` explains every key."""

    id: str
    note: str = ""
    sex: Literal["male", "female", "other", "unknown"] = "unknown"
    born: date | None = None
    age: Quantity | None = None
    died: date | None = None
    weight: tuple[Measured, ...] = ()
    height: tuple[Measured, ...] = ()
    conditions: tuple[ConditionEntry, ...] = ()
    problem_list_reviewed: date | None = None
    medicines: tuple[MedicineEntry, ...] = ()
    medicines_reviewed: date | None = None
    allergies: tuple[AllergyEntry, ...] = ()
    allergies_reviewed: date | None = None
    results: dict[str, tuple[TestResult, ...]] = {}
    blood_group: Literal["A", "B", "AB", "O", ""] = ""
    pregnancy: PregnancyEntry | None = None
    breast_feeding: Answer = "unknown"
    infusions: tuple[InfusionEntry, ...] = ()
    infusions_complete: bool = False
    vaccinations: tuple[VaccinationEntry, ...] = ()
    measles_exposure: date | None = None
    varicella_exposure: date | None = None
    order: OrderEntry = OrderEntry()
    overrides: tuple[Override, ...] = ()
    answers: dict[str, str] = {}


def patient_schema() -> dict[str, Any]:
    """The JSON Schema of the written form, short forms included (``weight: 70 kg``, ``conditions: [asthma]``)."""
    schema: dict[str, Any] = msgspec.json.schema(PatientFile)
    defs: dict[str, Any] = schema["$defs"]
    quantity = {"type": "string", "pattern": _QUANTITY_PATTERN, "description": "A number with its unit, for example '70 kg' or '4.2 g/L'."}
    defs["Quantity"] = quantity
    defs["Reading"] = {"type": "string", "description": "A number with its unit, perhaps after '<' or '>', or a word such as 'positive'."}
    for name, key in (("ConditionEntry", "name"), ("MedicineEntry", "name"), ("AllergyEntry", "substance")):
        for code in _CODE_KEYS:
            if code in defs[name]["properties"]:
                defs[name]["properties"][code] = {"anyOf": [{"type": "string"}, defs[name]["properties"][code]]}
        defs[name] = {"anyOf": [{"type": "string", "description": f"Short for '{key}: ...'."}, defs[name]]}
    defs["VaccinationEntry"]["properties"]["cvx"] = {"anyOf": [{"type": "string"}, defs["VaccinationEntry"]["properties"]["cvx"]]}
    reaction = defs["InfusionEntry"]["properties"]["reaction"]
    defs["InfusionEntry"]["properties"]["reaction"] = {"anyOf": [{"const": "none"}, *reaction.get("anyOf", [reaction])], "default": None}
    patient = defs["PatientFile"]["properties"]
    for key in ("weight", "height"):
        measured = {"$ref": "#/$defs/Measured"}
        patient[key] = {"anyOf": [{"$ref": "#/$defs/Quantity"}, measured, {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/Quantity"}, measured]}}]}
    result = {"$ref": "#/$defs/TestResult"}
    patient["results"]["additionalProperties"] = {
        "anyOf": [{"$ref": "#/$defs/Reading"}, result, {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/Reading"}, result]}}]}
    patient["answers"]["additionalProperties"] = {"anyOf": [{"type": "string"}, {"type": "boolean"}]}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "ivigil patient record"
    return schema


def read_record(source: Path | str | bytes, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None, place: str = "") -> list[Record]:
    """All records of a file, folder, standard input (``-``) or of bytes already in hand.

    Raises:
        BadInput: the source cannot be read or holds no usable record; every problem is listed.
    """
    if isinstance(source, bytes):
        return list(_from_bytes(source, place or "input", facts, products))
    found = list(read_records(Path(source), facts, products))
    if not found:
        raise BadInput([Problem(str(source), 0, "", "no patient in it", "give a patient record, a Bundle with a Patient, or a folder of NDJSON files")])
    return found


def read_records(path: Path, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None) -> Iterator[Record]:
    """The records of a path, one after the other. A folder of NDJSON is read whole first, since one patient's resources lie in many files.

    Raises:
        BadInput: see :func:`read_record`.
    """
    if str(path) == "-":
        yield from _from_bytes(_bounded(sys.stdin.buffer.read(LARGEST + 1), "-"), "-", facts, products)
        return
    try:
        if path.is_dir():
            yield from _folder(path, facts, products)
            return
        if not path.is_file():
            raise BadInput([Problem(str(path), 0, "", "no such file", "check the name; '-' reads standard input")])
        if _is_ndjson(path):
            reader = FhirReader(facts, products, path.name)
            problems = _lines_into(reader, path)
            if problems:
                raise BadInput(problems)
            yield from reader.records()
            return
        yield from _from_bytes(_whole(path), path.name, facts, products)
    except OSError as error:
        raise BadInput([Problem(str(path), 0, "", f"cannot be read: {error.strerror or error}", "check the file and its permissions")]) from None


def read_form(text: str, place: str, facts: Mapping[str, FactDefinition] | None = None) -> Record:
    """One record from the written YAML (or JSON) form.

    Raises:
        BadInput: every problem with line, cause and remedy.
    """
    value, lines = read_yaml(text, place)
    return form_of(value, lines, place, facts or {})


def form_of(value: Any, lines: Lines, place: str, facts: Mapping[str, FactDefinition]) -> Record:
    """A record from the plain values of the written form; ``lines`` maps key paths to lines.

    Raises:
        BadInput: every problem with line, cause and remedy.
    """
    if not isinstance(value, dict):
        raise BadInput([Problem(place, 1, "", "not a patient record", "write keys with values, beginning with 'id:'")])
    form = _Form(place, dict(lines), facts)
    written = form.plain(value)
    file = Shaper({Reading: _reading}).read(written, PatientFile, place, form.lines, (), form.problems)
    if file is not None:
        form.check(file)
    if form.problems or file is None:
        raise BadInput(form.told())
    return form.record(file)


class _Form:
    """The written form on its way to a record: short forms made long, lines kept."""

    def __init__(self, place: str, lines: Lines, facts: Mapping[str, FactDefinition]) -> None:
        self.place, self.lines, self.facts = place, lines, facts
        self.problems: list[Problem] = []
        self.short: dict[str, str] = {}

    def told(self) -> list[Problem]:
        """The problems under the names the writer used, in reading order and each once."""
        out: list[Problem] = []
        for problem in self.problems:
            what = problem.what
            for long, written in self.short.items():
                if what == long or what.startswith((f"{long}.", f"{long}[")):
                    what = written + what[len(long):]
                    break
            named = msgspec.structs.replace(problem, what=what)
            if named not in out:
                out.append(named)
        return sorted(out, key=lambda item: item.line)

    def plain(self, value: dict[str, Any]) -> dict[str, Any]:
        out = dict(value)
        for key in ("weight", "height"):
            if key in out:
                out[key] = self.many(out[key], (key,), "value")
        for key, short in (("conditions", "name"), ("medicines", "name"), ("allergies", "substance"), ("vaccinations", "vaccine")):
            if isinstance(out.get(key), list):
                out[key] = [self.listed(item, (key, index), short) for index, item in enumerate(out[key])]
            elif isinstance(out.get(key), str):
                self.nothing(key, (key,), out[key])
        if isinstance(out.get("results"), dict):
            out["results"] = {test: self.many(item, ("results", test), "value") for test, item in out["results"].items()}
        if isinstance(out.get("infusions"), list):
            out["infusions"] = [self.infusion(item, ("infusions", index)) for index, item in enumerate(out["infusions"])]
        if isinstance(out.get("answers"), dict):
            out["answers"] = {key: ("yes" if item else "no") if isinstance(item, bool) else item for key, item in out["answers"].items()}
        if isinstance(out.get("breast_feeding"), bool):
            out["breast_feeding"] = "yes" if out["breast_feeding"] else "no"
        return out

    def many(self, value: Any, path: KeyPath, short: str) -> Any:
        """A value, a mapping or a list of either as a list of mappings."""
        if isinstance(value, list):
            return [self.one(item, (*path, index), short) for index, item in enumerate(value)]
        first = (*path, 0)
        for known, line in list(self.lines.items()):
            if known[:len(path)] == path:
                self.lines[(*first, *known[len(path):])] = line
        self.short[_dotted(first)] = _dotted(path)
        return [self.one(value, first, short)]

    def one(self, value: Any, path: KeyPath, short: str) -> Any:
        if isinstance(value, dict):
            if "unit" in value and "value" in value:
                value = {key: item for key, item in value.items() if key != "unit"} | {"value": f"{value['value']} {value['unit']}"}
            return value
        self.lines.setdefault((*path, short), self.line(path))
        self.short[_dotted((*path, short))] = self.short.get(_dotted(path), _dotted(path))
        return {short: value}

    def listed(self, item: Any, path: KeyPath, short: str) -> Any:
        if isinstance(item, str):
            if item.strip().casefold() in _NONE_WORDS:
                self.nothing(str(path[0]), path, item)
            self.lines.setdefault((*path, short), self.line(path))
            self.short[_dotted((*path, short))] = _dotted(path)
            return {short: item}
        if isinstance(item, dict):
            return {key: [str(part)] if key in _CODE_KEYS and isinstance(part, (str, int)) else part for key, part in item.items()}
        return item

    def infusion(self, item: Any, path: KeyPath) -> Any:
        if isinstance(item, dict) and item.get("reaction") in ("none", "no"):
            return {**item, "reaction": {"grade": 0}}
        return item

    def nothing(self, key: str, path: KeyPath, text: str) -> None:
        reviewed = {"conditions": "problem_list_reviewed"}.get(key, f"{key}_reviewed")
        self.problems.append(Problem(self.place, self.line(path), key, f"'{text}' is not an entry",
                                     f"for none write '{key}: []' and '{reviewed}:' with the day somebody checked"))

    def line(self, path: KeyPath) -> int:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def where(self, *path: str | int) -> str:
        """The origin text of a key: its dotted name with the line."""
        name = _dotted(path)
        line = self.line(path)
        return f"{self.short.get(name, name)} (line {line})" if line else self.short.get(name, name)

    # --- meaning that needs the register ------------------------------------------------------------------------------

    def refuse(self, path: KeyPath, why: str, remedy: str) -> None:
        self.problems.append(Problem(self.place, self.line(path), _dotted(path), why, remedy))

    def check(self, file: PatientFile) -> None:
        if not file.id.strip():
            self.refuse(("id",), "the id is empty", "write a name or number for the patient")
        for key, items, unit in (("weight", file.weight, "kg"), ("height", file.height, "cm")):
            for index, item in enumerate(items):
                if item.value.dimension != UNITS[unit].dimension:
                    self.refuse((key, index), f"'{item.value}' is not a {key}", f"write it in {unit}, or in {'lb' if unit == 'kg' else 'in'}")
        if file.age is not None and file.age.dimension != "time":
            self.refuse(("age",), f"'{file.age}' is not an age", "write for example '7 month' or '54 year'")
        self.dimension(("order", "dose"), file.order.dose, {"mass", "mass per body mass"}, "g, g/kg or mg/kg")
        self.dimension(("order", "rate_max"), file.order.rate_max, _RATES, "mL/h, mL/kg/h or mg/kg/min")
        self.dimension(("order", "pump_increment"), file.order.pump_increment, {"volume rate"}, "mL/h")
        self.dimension(("order", "pump_max"), file.order.pump_max, {"volume rate"}, "mL/h")
        self.dimension(("order", "every"), file.order.every, {"time"}, "days, weeks or months")
        if file.order.days is not None and file.order.days < 1:
            self.refuse(("order", "days"), f"{file.order.days} days are not possible", "write 1 or more")
        for index, given in enumerate(file.infusions):
            self.dimension(("infusions", index, "dose"), given.dose, {"mass", "mass per body mass"}, "g or g/kg")
            self.dimension(("infusions", index, "rate_max"), given.rate_max, _RATES, "mL/h, mL/kg/h or mg/kg/min")
        if file.pregnancy is not None:
            self.dimension(("pregnancy", "pre_pregnancy_weight"), file.pregnancy.pre_pregnancy_weight, {"mass"}, "kg")
        for key, entries in (("conditions", file.conditions), ("medicines", file.medicines), ("allergies", file.allergies)):
            for index, entry in enumerate(entries):
                texts = (getattr(entry, "name", ""), getattr(entry, "substance", ""), *(code for name in _CODE_KEYS for code in getattr(entry, name, ())))
                if not any(text.strip() for text in texts):
                    self.refuse((key, index), "it names nothing", "write the name, or a code")
        if self.facts:
            self.tests(file)
            self.answers(file)

    def dimension(self, path: KeyPath, value: Quantity | None, allowed: set[str], units: str) -> None:
        if value is not None and value.dimension not in allowed:
            self.refuse(path, f"'{value}' is a {value.dimension}", f"write it in {units}")

    def tests(self, file: PatientFile) -> None:
        known = [fact.id for fact in self.facts.values() if fact.source in {"results", "body"}]
        for test, items in file.results.items():
            definition = self.facts.get(test)
            if definition is None or definition.stage != "patient":
                near = difflib.get_close_matches(test, known, n=1, cutoff=0.5)
                self.refuse(("results", test), "this test is not known here", f"did you mean '{near[0]}'?" if near else f"known tests: {', '.join(known)}")
                continue
            if test in {"weight", "height", "age", "sex", "blood_group", "pre_pregnancy_weight", "gestation"}:
                inside = test in {"pre_pregnancy_weight", "gestation"}
                self.refuse(("results", test), "it has a key of its own", "write it under 'pregnancy:'" if inside else f"write '{test}:' at the left margin")
                continue
            for index, item in enumerate(items):
                path = ("results", test, index)
                reading = item.value
                if reading.value is not None and definition.kind == "quantity" and in_register_unit(reading.value, definition) is None:
                    self.refuse(path, f"'{reading.value}' is a {reading.value.dimension}, but {definition.label} is kept in {definition.unit}",
                                f"write it in {definition.unit}" + (f" or {definition.molar.per}" if definition.molar else ""))
                elif reading.value is None and definition.kind == "quantity":
                    self.refuse(path, f"'{reading.word}' is not a quantity", f"write the number with its unit, for example '1 {definition.unit}'")

    def answers(self, file: PatientFile) -> None:
        for key, text in file.answers.items():
            definition = self.facts.get(key)
            if definition is None:
                near = difflib.get_close_matches(key, self.facts, n=1, cutoff=0.75)
                if near or key.split(".")[0] in {"has", "takes", "allergy", "ig", "uses", "planned", "order"}:
                    remedy = f"did you mean '{near[0]}'?" if near else "see the facts register for the names"
                    self.refuse(("answers", key), "this fact is not known here", remedy)
                continue
            if text == "unknown":
                continue
            try:
                answer_value(definition, text)
            except UnitProblem as error:
                why, _, remedy = str(error).partition("; ")
                self.refuse(("answers", key), why, remedy)

    # --- the record ---------------------------------------------------------------------------------------------------

    def record(self, file: PatientFile) -> Record:
        where = self.where
        order = file.order
        pregnancy = file.pregnancy
        return Record(
            id=file.id, note=file.note, sex=file.sex, born=file.born, age=file.age, died=file.died, deceased=file.died is not None,
            weights=tuple(parts.Measurement(value=item.value, on=item.on, estimated=item.estimated, origin=where("weight", index))
                          for index, item in enumerate(file.weight)),
            heights=tuple(parts.Measurement(value=item.value, on=item.on, estimated=item.estimated, origin=where("height", index))
                          for index, item in enumerate(file.height)),
            conditions=tuple(parts.Condition(name=item.name, codes=_codes(item), status=item.status, since=item.since, until=item.until, verified=item.verified,
                                             origin=where("conditions", index)) for index, item in enumerate(file.conditions)),
            conditions_reviewed=file.problem_list_reviewed,
            medicines=tuple(parts.Medicine(name=item.name, codes=_codes(item), status=item.status, since=item.since, until=item.until, dose=item.dose,
                                           origin=where("medicines", index)) for index, item in enumerate(file.medicines)),
            medicines_reviewed=file.medicines_reviewed,
            allergies=tuple(parts.Allergy(substance=item.substance, codes=_codes(item), reaction=item.reaction, severity=item.severity, status=item.status,
                                          origin=where("allergies", index)) for index, item in enumerate(file.allergies)),
            allergies_reviewed=file.allergies_reviewed,
            results=tuple(parts.Result(test=test, value=item.value.value, word=item.value.word, below=item.value.below, above=item.value.above, on=item.on,
                                       upper_limit=item.upper_limit, origin=where("results", test, index))
                          for test, items in file.results.items() for index, item in enumerate(items)),
            blood_group=file.blood_group,
            pregnancy=None if pregnancy is None else parts.Pregnancy(
                status=pregnancy.status, weeks=pregnancy.weeks, on=pregnancy.on, due=pregnancy.due, pre_pregnancy_weight=pregnancy.pre_pregnancy_weight,
                origin=where("pregnancy")),
            breast_feeding=file.breast_feeding,
            infusions=tuple(sorted((_infusion(item, where("infusions", index)) for index, item in enumerate(file.infusions)), key=lambda item: item.on)),
            infusions_complete=file.infusions_complete,
            vaccinations=tuple(parts.Vaccination(vaccine=item.vaccine, codes=tuple(Code(system="cvx", code=code) for code in item.cvx), on=item.on,
                                                 origin=where("vaccinations", index)) for index, item in enumerate(file.vaccinations)),
            measles_exposure=file.measles_exposure, varicella_exposure=file.varicella_exposure,
            order=parts.Order(**{field: getattr(order, field) for field in order.__struct_fields__}, origin=where("order") if ("order",) in self.lines else ""),
            overrides=file.overrides, answers=file.answers, place=self.place,
            origins={key: where(key) for key in ("sex", "born", "age", "died", "blood_group", "pregnancy", "breast_feeding", "infusions_complete")
                     if (key,) in self.lines},
        )


_RATES = {"volume rate", "volume rate per body mass", "mass rate per body mass", "mass rate"}


def _infusion(item: InfusionEntry, origin: str) -> parts.PastInfusion:
    told = item.reaction
    reaction = Reaction(grade=told.grade, kind=told.kind, rate=told.rate, note=told.note) if told is not None and told.grade != 0 else None
    return parts.PastInfusion(on=item.on, kind=item.kind, product=item.product, lot=item.lot, dose=item.dose, route=item.route, rate_max=item.rate_max,
                              reaction=reaction, tolerated=told is not None and told.grade == 0, place=item.place, origin=origin)


def _codes(entry: ConditionEntry | MedicineEntry | AllergyEntry) -> tuple[Code, ...]:
    return tuple(Code(system=key, code=code, display=getattr(entry, "name", "") or getattr(entry, "substance", ""))
                 for key in _CODE_KEYS for code in getattr(entry, key, ()))


def _reading(value: Any) -> Any:
    """A test's value: ``4.2 g/L``, ``<0.07 g/L`` or a word."""
    if isinstance(value, bool):
        return {"word": "positive" if value else "negative"}
    if not isinstance(value, str):
        raise UnitProblem(f"{value!r} has no unit; write the number with its unit, for example '{value} g/L'")
    text = value.strip()
    limit = re.match(r"^(<=?|>=?|less than|below|more than|above)\s*(?=[0-9])", text)
    if limit is not None:
        text = text[limit.end():]
    if re.match(r"^[+-]?[0-9]", text):
        quantity = parse_quantity(text)
        sign = limit[1] if limit is not None else ""
        return {"value": {"value": quantity.value, "unit": quantity.unit}, "below": sign.startswith(("<", "less", "below")),
                "above": sign.startswith((">", "more", "above"))}
    if not text:
        raise UnitProblem("the value is empty; write the number with its unit, or take the line out")
    return {"word": text}


def _dotted(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


# --- bytes, files, folders ------------------------------------------------------------------------------------------------


def _from_bytes(data: bytes, place: str, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    data = _unpacked(data, place)
    text = _decoded(data, place)
    stripped = text.lstrip()
    if not stripped:
        raise BadInput([Problem(place, 0, "", "the file is empty", "give a patient record or a FHIR Bundle")])
    if not stripped.startswith(("{", "[")):
        yield read_form(text, place, facts)
        return
    yield from _json(text, place, facts, products)


def _json(text: str, place: str, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    try:
        value = json.loads(text, object_pairs_hook=_once)
    except RecursionError:
        raise BadInput([Problem(place, 0, "", "nested too deeply", f"at most {DEEPEST} levels are read")]) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text.strip():
            yield from _ndjson_text(text, place, facts, products)
            return
        if text.lstrip().startswith("{") and re.search(r"^\{\s*[a-z_]+\s*:", text.lstrip()):
            yield read_form(text, place, facts)
            return
        why = f"not valid JSON: {error.msg} (column {error.colno})"
        raise BadInput([Problem(place, error.lineno, "", why, "check commas, quotes and brackets there")]) from None
    except _Twice as error:
        raise BadInput([Problem(place, 0, str(error), "the key stands twice in one object", "keep one of them")]) from None
    if _deep(value):
        raise BadInput([Problem(place, 0, "", "nested too deeply", f"at most {DEEPEST} levels are read")])
    resources = value if isinstance(value, list) else [value]
    if resources and all(isinstance(item, dict) and "resourceType" in item for item in resources):
        reader = FhirReader(facts, products, place)
        for resource in resources:
            reader.add(resource)
        yield from _met(reader, place)
        return
    for item in resources:
        lines: Lines = {}
        if len(resources) == 1 and len(text) < 200_000:
            try:
                _, lines = read_yaml(text, place)
            except BadInput:
                lines = {}
        yield form_of(item, lines, place, facts)


def _ndjson_text(text: str, place: str, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    reader = FhirReader(facts, products, place)
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        _line_into(reader, line.encode(), place, number, problems)
    if problems:
        raise BadInput(problems)
    yield from _met(reader, place)


def _met(reader: FhirReader, place: str) -> Iterator[Record]:
    """The records of a reader; a source with resources but no patient to hang them on is refused."""
    records = reader.records()
    if not records:
        raise BadInput([Problem(place, 0, "", "the FHIR data hold no Patient", "add the Patient resource to the Bundle")])
    yield from records


def _folder(path: Path, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None) -> Iterator[Record]:
    files = sorted(item for item in path.iterdir() if item.is_file() and _stem(item).endswith(_ENDINGS))
    lined = [item for item in files if _is_ndjson(item)]
    problems: list[Problem] = []
    records: list[Record] = []
    if lined:
        reader = FhirReader(facts, products, path.name)
        for item in lined:
            problems += _lines_into(reader, item)
        records += reader.records()
    for item in files:
        if item in lined:
            continue
        try:
            records += _from_bytes(_whole(item), item.name, facts, products)
        except BadInput as error:
            problems += error.problems
    if not files:
        problems.append(Problem(str(path), 0, "", "no record in this folder", f"files must end in {', '.join(_ENDINGS)} or the same with .gz"))
    if problems:
        raise BadInput(problems)
    yield from records


def _lines_into(reader: FhirReader, path: Path) -> list[Problem]:
    problems: list[Problem] = []
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            number = 0
            while line := stream.readline(LARGEST + 1):
                number += 1
                if len(line) > LARGEST:
                    problems.append(Problem(path.name, number, "", "a line is larger than 100 MB", "split the export"))
                    break
                _line_into(reader, line, path.name, number, problems)
                if len(problems) >= _MOST_PROBLEMS:
                    break
    except (gzip.BadGzipFile, EOFError, zlib.error):
        problems.append(Problem(path.name, 0, "", "the gzip file is damaged", "copy it again"))
    return problems


_MOST_PROBLEMS = 200


def _line_into(reader: FhirReader, line: bytes, place: str, number: int, problems: list[Problem]) -> None:
    line = line.removeprefix(b"\xef\xbb\xbf").strip()
    if not line:
        return
    try:
        resource = decode(line)
    except ValueError as error:
        problems.append(Problem(place, number, "", f"not valid JSON: {error}", "one resource a line, in UTF-8"))
        return
    if line.count(b"{") + line.count(b"[") > DEEPEST and _deep(resource):
        problems.append(Problem(place, number, "", "nested too deeply", f"at most {DEEPEST} levels are read"))
    elif isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
        reader.add(resource)
    elif not (isinstance(resource, dict) and "exportId" in resource):
        # The log of a bulk export lies among its files; anything else without a resource type is a mistake.
        problems.append(Problem(place, number, "", "not a FHIR resource", "each line needs 'resourceType'"))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").casefold()


def _is_ndjson(path: Path) -> bool:
    return _stem(path).endswith((".ndjson", ".jsonl"))


def _whole(path: Path) -> bytes:
    if path.stat().st_size > LARGEST:
        raise BadInput([_too_large(str(path))])
    return path.read_bytes()


def _bounded(data: bytes, place: str) -> bytes:
    if len(data) > LARGEST:
        raise BadInput([_too_large(place)])
    return data


def _too_large(place: str) -> Problem:
    return Problem(place, 0, "", "larger than 100 MB", "plan one patient at a time, or give NDJSON, which is read line by line")


def _unpacked(data: bytes, place: str) -> bytes:
    """The bytes without gzip; unpacking stops at the limit, so that a small bomb cannot fill the memory."""
    _bounded(data, place)
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=_stream(data)) as packed:
            return _bounded(packed.read(LARGEST + 1), place)
    except (OSError, EOFError, zlib.error):
        raise BadInput([Problem(place, 0, "", "the gzip file is damaged", "copy it again")]) from None


def _stream(data: bytes) -> Any:
    from io import BytesIO

    return BytesIO(data)


def _decoded(data: bytes, place: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data[:64]:
        raise BadInput([Problem(place, 0, "", "the file is UTF-16 (or binary), not UTF-8", "save it as UTF-8")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInput([Problem(place, line, "", f"byte {error.start} is not UTF-8 (the file may be Latin-1)", "save it as UTF-8")]) from None


class _Twice(ValueError):
    """A key that stands twice in one JSON object."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Twice(key)
            seen.add(key)
    return out


def _deep(value: Any) -> bool:
    """True when a value nests deeper than the limit; walks without recursion."""
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [child for item in level if isinstance(item, (dict, list)) for child in (item.values() if isinstance(item, dict) else item)]
        if not level:
            return False
    return any(isinstance(item, (dict, list)) for item in level)
