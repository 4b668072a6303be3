"""The small pieces that FHIR R4 resources are made of: quantities in UCUM, codings, references, names that stay the same."""

from __future__ import annotations

import uuid
from typing import Any

from ivigil.basis.quantity import Quantity
from ivigil.rendering.json import TO_UCUM

Resource = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
TERMS = "http://terminology.hl7.org/CodeSystem"
LINES = "urn:ivigil:line"
"""The system of the ids of plan lines."""
STATEMENTS = "urn:ivigil:statement"
"""The system of the ids of statements of the evidence."""
PERIODS = {"h": "h", "day": "d", "week": "wk", "month": "mo", "year": "a", "min": "min"}
"""Units of time as FHIR timings name them."""
_PLACES = 6


def quantity(value: Quantity) -> Resource:
    """A FHIR Quantity with its UCUM code."""
    return {"value": number(value.value), "unit": value.unit, "system": UCUM, "code": TO_UCUM[value.unit]}


def number(value: float) -> float | int:
    """A number without float dust, whole where it is whole."""
    tidy = round(value, _PLACES)
    return int(tidy) if tidy == int(tidy) else tidy


def coding(system: str, code: str, display: str = "") -> Resource:
    """One code of a system."""
    return {"system": system, "code": code, **({"display": display} if display else {})}


def concept(text: str, *codings: Resource) -> Resource:
    """A CodeableConcept: codes where there are any, and always the words."""
    return {**({"coding": list(codings)} if codings else {}), "text": text}


def name_of(*parts: str) -> str:
    """A UUID that is the same for the same parts: rendering twice gives the same resources."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, ":".join(("urn:ivigil", *parts))))


def pruned(node: Any) -> Any:
    """The tree without what FHIR forbids: empty texts, lists and objects, and null."""
    if isinstance(node, dict):
        kept = {key: pruned(value) for key, value in node.items()}
        return {key: value for key, value in kept.items() if value not in (None, "", [], {})}
    if isinstance(node, list | tuple):
        return [value for value in map(pruned, node) if value not in (None, "", [], {})]
    return node
