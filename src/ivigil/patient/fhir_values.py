"""Data types of FHIR R4 as plain values: quantities, codes, dates; lenient about shape, strict about units."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any, Literal

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import UNITS, Quantity, UnitProblem, unit_named
from ivigil.patient.record import Code
from ivigil.patient.values import in_register_unit

Resource = dict[str, Any]

SYSTEMS: dict[str, str] = {
    "http://loinc.org": "loinc", "http://snomed.info/sct": "snomed", "http://hl7.org/fhir/sid/icd-10-cm": "icd10", "http://hl7.org/fhir/sid/icd-10": "icd10",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm", "http://hl7.org/fhir/sid/ndc": "ndc", "http://hl7.org/fhir/sid/cvx": "cvx",
    "http://www.whocc.no/atc": "atc", "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "hcpcs",
    "urn:ivigil:product": "ivigil",
}
"""The code systems that ivigil matches on, by their FHIR URI."""

_UCUM = "http://unitsofmeasure.org"
_ROUTES: dict[str, Literal["intravenous", "subcutaneous"]] = {
    "47625008": "intravenous", "255560000": "intravenous", "34206005": "subcutaneous", "263887005": "subcutaneous",
}


def quantity_of(written: Resource, definition: FactDefinition | None = None) -> Quantity | str:
    """A FHIR Quantity in a unit known here and fit for the fact, or the reason why it cannot be used.

    ``mL/min`` counts as ``mL/min/1.73m2`` for eGFR alone, where laboratories commonly shorten it.
    """
    value = written.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "no number"
    code = as_text(written.get("code")) if written.get("system") in (None, "", _UCUM) else ""
    units = {name for name in (_unit(code), _unit(as_text(written.get("unit")))) if name}
    if not units:
        shown = as_text(written.get("code")) or as_text(written.get("unit"))
        return f"{value} has the unit '{shown}', which is not known here" if shown else f"{value} has no unit"
    if len(units) > 1 and not ({"mL/min", "mL/min/1.73m2"} == units and definition is not None and definition.id == "egfr"):
        factors = {(UNITS[name].dimension, UNITS[name].factor) for name in units if name != "degF"}
        if "degF" in units or len(factors) > 1:
            return f"unit text '{as_text(written.get('unit'))}' and unit code '{code}' disagree"
    unit = next((name for name in (_unit(code), _unit(as_text(written.get("unit")))) if name), "")
    if unit == "degF":
        quantity = Quantity((float(value) - 32.0) / 1.8, "Cel")
    elif unit == "mL/min" and definition is not None and definition.id == "egfr":
        quantity = Quantity(float(value), "mL/min/1.73m2")
    else:
        quantity = Quantity(float(value), unit)
    if definition is not None and in_register_unit(quantity, definition) is None:
        return f"{quantity} is not a unit for {definition.label or definition.id}, which is kept in {definition.unit}"
    return quantity


def codes_of(concept: Resource, *, with_text: bool = False) -> tuple[Code, ...]:
    """The codings of a concept in systems known here. Displays come along for showing; ``with_text`` shows the concept's text instead."""
    text = as_text(concept.get("text")) if with_text else ""
    found: list[Code] = []
    for coding in as_maps(concept.get("coding")):
        system, code = as_text(coding.get("system")), as_text(coding.get("code"))
        if code and system in SYSTEMS:
            found.append(Code(system=SYSTEMS[system], code=code.strip(), display=text or as_text(coding.get("display"))))
    return tuple(found)


def day_of(text: Any) -> date | None:
    """The day of a FHIR date or dateTime; a month counts as its first day, a year alone as its first of January, anything else as unknown."""
    if not isinstance(text, str) or not re.match(r"^\d{4}(-\d{2}(-\d{2})?)?(T.*)?$", text):
        return None
    day = text[:10]
    try:
        return date.fromisoformat(day if len(day) == 10 else f"{day}-01" if len(day) == 7 else f"{day}-01-01")
    except ValueError:
        return None


def _unit(text: str) -> str:
    if not text:
        return ""
    if text.casefold() in {"[degf]", "degf", "°f"}:
        return "degF"
    try:
        return unit_named(text)
    except UnitProblem:
        return ""


def usable(written: Any, dimensions: set[str]) -> Quantity | None:
    """A quantity of one of these dimensions, or None."""
    quantity = quantity_of(as_map(written)) if written else None
    return quantity if isinstance(quantity, Quantity) and quantity.dimension in dimensions else None


def as_written(written: Any) -> str:
    """A quantity as it stands in the resource, for telling."""
    quantity = as_map(written)
    return f"{quantity.get('value', '')} {as_text(quantity.get('unit')) or as_text(quantity.get('code'))}".strip()


def route_of(dosage: Resource) -> Literal["intravenous", "subcutaneous", "intramuscular", ""]:
    """The route of a dosage by its SNOMED CT code."""
    for code in codes_of(as_map(dosage.get("route"))):
        if code.code in _ROUTES:
            return _ROUTES[code.code]
        if code.code == "255559005":
            return "intramuscular"
    return ""


def when_of(resource: Resource, stem: str) -> date | None:
    """The date under ``<stem>DateTime`` or the start of ``<stem>Period`` (the end for abatement)."""
    day = day_of(resource.get(f"{stem}DateTime"))
    if day is None:
        period = as_map(resource.get(f"{stem}Period"))
        day = day_of(period.get("end") if stem == "abatement" else period.get("start"))
    return day or day_of(resource.get(f"{stem}Instant"))


def origin_of(resource: Resource) -> str:
    """``Type/id`` of a resource."""
    return f"{resource.get('resourceType', 'resource')}/{as_text(resource.get('id')) or 'unnamed'}"


def own_text(concept: Resource) -> str:
    """The text of a concept that carries no code known here: then the words are all there is."""
    return "" if codes_of(concept) else as_text(concept.get("text"))


def shown_as(concept: Resource) -> str:
    """What to show for a concept: its text, else its first display or code."""
    return as_text(concept.get("text")) or next((as_text(item.get("display")) or as_text(item.get("code")) for item in as_maps(concept.get("coding"))), "")


def status_of(concept: Any) -> str:
    """The first code of a status concept; a bare word, as some writers send it, counts too."""
    if isinstance(concept, str):
        return concept
    return next((as_text(item.get("code")) for item in as_maps(as_map(concept).get("coding"))), "")


def as_list(value: Any) -> list[Any]:
    """A value as a list: lenient where a writer sent one thing for many."""
    return value if isinstance(value, list) else [] if value is None else [value]


def as_maps(value: Any) -> list[Resource]:
    """The objects in a value that may be one or many."""
    return [item for item in as_list(value) if isinstance(item, dict)]


def as_map(value: Any) -> Resource:
    """The value as an object, or an empty one."""
    return value if isinstance(value, dict) else next(iter(as_maps(value)), {}) if isinstance(value, list) else {}


def as_text(value: Any) -> str:
    """The value as text without invisible spaces, or an empty one."""
    return value.replace("\u200b", "").strip() if isinstance(value, str) else ""
