"""Calls as a record system sends them, small and made for these tests."""

from __future__ import annotations

import uuid
from typing import Any

Json = dict[str, Any]

UCUM, SNOMED, RXNORM, LOINC = "http://unitsofmeasure.org", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm", "http://loinc.org"
GBS = "40956001"
GAMMAGARD = "1809671"
PATIENT: Json = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1970-01-01"}


def amount(value: float, unit: str) -> Json:
    """A FHIR Quantity in UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def measured(name: str, loinc: str, value: float, unit: str, on: str = "2026-11-18") -> Json:
    """An Observation."""
    return {"resourceType": "Observation", "id": name, "status": "final", "subject": {"reference": "Patient/p"}, "effectiveDateTime": on,
            "code": {"coding": [{"system": LOINC, "code": loinc}]}, "valueQuantity": amount(value, unit)}


def problem(name: str, snomed: str) -> Json:
    """A Condition."""
    return {"resourceType": "Condition", "id": name, "subject": {"reference": "Patient/p"}, "clinicalStatus": {"coding": [{"code": "active"}]},
            "code": {"coding": [{"system": SNOMED, "code": snomed}]}}


def given(name: str, on: str, grams: float) -> Json:
    """A completed immunoglobulin infusion."""
    return {"resourceType": "MedicationAdministration", "id": name, "status": "completed", "subject": {"reference": "Patient/p"}, "effectiveDateTime": on,
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": GAMMAGARD}]}, "dosage": {"dose": amount(grams, "g")}}


def daily(days: int) -> Json:
    """Once a day for some days."""
    return {"frequency": 1, "period": 1, "periodUnit": "d", "count": days}


def order(dose: Json | None = None, repeat: Json | None = None, *, reason: str = GBS, rate: Json | None = None, name: str = "r1", status: str = "draft",
          medicine: str = GAMMAGARD) -> Json:
    """A MedicationRequest for immunoglobulin."""
    resource: Json = {"resourceType": "MedicationRequest", "id": name, "status": status, "intent": "order", "subject": {"reference": "Patient/p"},
                      "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": medicine}]}}
    if reason:
        resource["reasonCode"] = [{"coding": [{"system": SNOMED, "code": reason}]}]
    if dose is not None:
        instruction: Json = {"doseAndRate": [{"doseQuantity": dose, **({"rateQuantity": rate} if rate else {})}]}
        if repeat is not None:
            instruction["timing"] = {"repeat": repeat}
        resource["dosageInstruction"] = [instruction]
    return resource


def bundle(*resources: Json) -> Json:
    """A Bundle as a search gives it."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource} for resource in resources]}


WEIGHT, HEIGHT = measured("w", "29463-7", 70, "kg"), measured("h", "8302-2", 178, "cm")


def call(hook: str, *drafts: Json, chart: tuple[Json, ...] = (WEIGHT, HEIGHT), patient: Json | None = PATIENT, **context: Any) -> Json:
    """A call with the patient, a chart and draft orders."""
    if hook.startswith("order-"):
        context = {"draftOrders": bundle(*drafts), **context}
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": {"patientId": "p", "userId": "Practitioner/a", **context},
            "prefetch": {**({"patient": patient} if patient else {}), "chart": bundle(*chart)}}
