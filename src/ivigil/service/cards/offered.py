"""The services that discovery lists, and the FHIR queries that each asks the record system to make beforehand."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ivigil.basis.facts import FactDefinition

TOKEN = "{{context.patientId}}"
REQUIRED = "patient"
"""The one prefetch key without which nothing can be planned; what else is missing is unknown and shown as such."""
_SINGLE = ("weight", "height")
_BEFORE = {
    "patient": f"Patient/{TOKEN}",
    "conditions": f"Condition?patient={TOKEN}",
    "allergies": f"AllergyIntolerance?patient={TOKEN}",
    "medications": f"MedicationRequest?patient={TOKEN}&status=active",
    "administrations": f"MedicationAdministration?patient={TOKEN}&_sort=-effective-time&_count=100",
    "immunizations": f"Immunization?patient={TOKEN}",
    "procedures": f"Procedure?patient={TOKEN}&_sort=-date&_count=100",
    "laboratory": f"Observation?patient={TOKEN}&category=laboratory&_sort=-date&_count=200",
}
"""Reads and searches of the subset that CDS Hooks recommends: equality of tokens and references, ``_sort`` and ``_count``."""


class Service(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One service of the discovery answer."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: dict[str, str]
    usage_requirements: str = ""


class Discovery(msgspec.Struct, frozen=True):
    """The answer of the discovery endpoint."""

    services: tuple[Service, ...]


_KNOWN = (
    ("ivigil-patient-view", "patient-view", "Immunoglobulin: what is due",
     "For patients on immunoglobulin: trough level due, infusion due, live vaccines on hold, review due. Says nothing for anybody else."),
    ("ivigil-order-select", "order-select", "Immunoglobulin order: first check",
     "While an immunoglobulin order is chosen: contraindications, doses above what labels allow, what is missing, and the planned order."),
    ("ivigil-order-sign", "order-sign", "Immunoglobulin order: check before signing",
     "Dose, course total, rate and its limits, contraindications, product, days and orders that overlap, each with its source; offers the corrected order. "
     "Holds live vaccines while immunoglobulin is recent."),
    ("ivigil-appointment-book", "appointment-book", "Immunoglobulin infusion: how long it takes",
     "For appointments that are immunoglobulin infusions: how long the chair is needed, what to do before, and when the infusion is due."),
)


def services(register: Mapping[str, FactDefinition]) -> tuple[Service, ...]:
    """Every service; weight and height are asked for by the LOINC codes of the facts register."""
    queries = dict(_BEFORE)
    for fact in _SINGLE:
        definition = register.get(fact)
        if definition is not None and definition.codes.loinc:
            queries[fact] = f"Observation?patient={TOKEN}&code=http://loinc.org|{definition.codes.loinc[0]}&_sort=-date&_count=5"
    needs = "Needs FHIR R4. Only the patient is indispensable; every other fact that is not sent is treated as unknown, never as absent."
    return tuple(Service(name, hook, title, description, queries, needs) for name, hook, title, description in _KNOWN)
