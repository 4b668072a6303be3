"""The written form of a patient record: what a person may put into YAML or JSON, and its JSON Schema."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from ivigil.basis.conversion import json_schema
from ivigil.basis.quantity import Quantity
from ivigil.patient.record import Answer, AntibodyKind, Override, Route

_QUANTITY_PATTERN = r"^[<>]?\s*[0-9]+([.,][0-9]+)?\s*\S.*$"
CODE_KEYS = ("icd10", "snomed", "rxnorm", "ndc", "atc", "cvx", "loinc")
"""The keys under which an entry of a list may give codes."""


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
    """A laboratory result or vital sign with its day, on which side of an infusion of that day it was drawn, and the laboratory's upper limit."""

    value: Reading
    on: date | None = None
    drawn: Literal["", "before-infusion", "after-infusion"] = ""
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
    schema: dict[str, Any] = json_schema(PatientFile)
    defs: dict[str, Any] = schema["$defs"]
    quantity = {"type": "string", "pattern": _QUANTITY_PATTERN, "description": "A number with its unit, for example '70 kg' or '4.2 g/L'."}
    defs["Quantity"] = quantity
    defs["Reading"] = {"type": "string", "description": "A number with its unit, perhaps after '<' or '>', or a word such as 'positive'."}
    for name, key in (("ConditionEntry", "name"), ("MedicineEntry", "name"), ("AllergyEntry", "substance")):
        for code in CODE_KEYS:
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
