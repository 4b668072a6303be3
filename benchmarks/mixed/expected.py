"""What the answers must be, worked out in this process, away from the load, before it begins."""

from __future__ import annotations

import json
import re
import uuid
from datetime import date
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from ivigil.evidence.load import load_evidence
from ivigil.planning.choices import Choices, SiteProfile
from ivigil.rendering.json import plan_json
from ivigil.service.app import application
from ivigil.service.hospital import Hospital

ROOT = Path(__file__).resolve().parents[2]
DAY = "2026-11-20"
RECORDS = ("itp-adult-us", "pid-adult-us", "dermatomyositis-us", "kawasaki-infant-us", "gbs-underweight-us", "mg-crisis-ckd-us")
QUESTIONS = ("What is the dose in CIDP?", "May a patient with IgA deficiency receive Privigen?", "What is the maximum rate of Gammagard S/D?")
SIGN, VIEW = "/cds-services/ivigil-order-sign", "/cds-services/ivigil-patient-view"
_VERSION = re.compile(rb"[0-9a-f]{16}")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UCUM, _LOINC, _SNOMED = "http://unitsofmeasure.org", "http://loinc.org", "http://snomed.info/sct"


def call_bytes(hook: str, dose: float) -> bytes:
    """A call of CDS Hooks: at signing with an order of so many grams per kilogram, or when a patient is opened."""
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1961-05-05"}
    chart = [{"resourceType": "Observation", "id": name, "status": "final", "subject": {"reference": "Patient/p"}, "effectiveDateTime": "2026-11-18",
              "code": {"coding": [{"system": _LOINC, "code": code}]}, "valueQuantity": {"value": value, "unit": unit, "system": _UCUM, "code": unit}}
             for name, code, value, unit in (("w", "29463-7", 70, "kg"), ("h", "8302-2", 172, "cm"), ("c", "2160-0", 0.9, "mg/dL"))]
    chart.append({"resourceType": "Condition", "id": "d", "subject": {"reference": "Patient/p"}, "clinicalStatus": {"coding": [{"code": "active"}]},
                  "code": {"coding": [{"system": _SNOMED, "code": "40956001"}]}})
    medicine = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1809671"}]}
    if hook == "patient-view":
        chart.append({"resourceType": "MedicationAdministration", "id": "a", "status": "completed", "subject": {"reference": "Patient/p"},
                      "effectiveDateTime": "2026-11-02", "medicationCodeableConcept": medicine,
                      "dosage": {"dose": {"value": 35, "unit": "g", "system": _UCUM, "code": "g"}}})
    context: dict[str, Any] = {"patientId": "p", "userId": "Practitioner/1"}
    if hook == "order-sign":
        order = {"resourceType": "MedicationRequest", "id": "r", "status": "draft", "intent": "order", "subject": {"reference": "Patient/p"},
                 "medicationCodeableConcept": medicine,
                 "reasonCode": [{"coding": [{"system": _SNOMED, "code": "40956001"}]}],
                 "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "count": 5}},
                                        "doseAndRate": [{"doseQuantity": {"value": dose, "unit": "g/kg", "system": _UCUM, "code": "g/kg"}}]}]}
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    entries = [{"resource": one} for one in chart]
    return json.dumps({"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context,
                       "prefetch": {"patient": patient, "chart": {"resourceType": "Bundle", "entry": entries}}}).encode()


def without_chance(cards: bytes) -> bytes:
    """Cards without their random ids and the random part of their links."""
    plain = json.loads(cards)
    for card in plain["cards"]:
        card.pop("uuid", None)
        for suggestion in card.get("suggestions", []):
            suggestion.pop("uuid", None)
        for link in card.get("links", []):
            link["url"] = re.sub(r"^https?://[^/]+(.*/)[^/]+$", r"\1", link["url"])
    return json.dumps(plain, sort_keys=True).encode()


def with_numbered_ids(answer: bytes) -> bytes:
    """FHIR with its ids, which are made from the content and the evidence version, by order of their first appearance."""
    numbers: dict[bytes, bytes] = {}
    return _UUID.sub(lambda found: numbers.setdefault(found[0], b"%032d" % len(numbers)), answer)


class Expected:
    """The answers of a quiet process on the same evidence."""

    def __init__(self, evidence: Path) -> None:
        loaded = load_evidence(evidence)
        self.version = loaded.version.encode()
        hospital = Hospital(loaded, SiteProfile(jurisdiction="US"))
        choices = Choices(jurisdiction="US", as_of=DAY)
        self.records = {name: (ROOT / "patients" / f"{name}.yaml").read_bytes() for name in RECORDS}
        self.plans = {name: plan_json(hospital.plan_of(record, choices, date.fromisoformat(DAY))).encode() for name, record in self.records.items()}
        self.bundle = (ROOT / "tests" / "fixtures" / "fhir" / "traps-bundle.json").read_bytes()
        self._client = TestClient(application(hospital), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
        self.forecast = self._asked("/api/v1/forecast", self.forecast_body)
        self.answers = {question: self._asked("/api/v1/ask", self.question_body(question)) for question in QUESTIONS}
        self.guidance = self._asked(self.fhir_path, self.bundle, "application/fhir+json")
        self._cards: dict[tuple[str, float, date], bytes] = {}

    fhir_path = f"/fhir/$plan?as-of={DAY}&indication=pid"

    @property
    def forecast_body(self) -> bytes:
        """A forecast of a replaced patient."""
        record = self.records["pid-adult-us"].decode()
        return json.dumps({"record": record, "forecast": {"dose": "0.4 g/kg", "every": "4 week", "weeks": 12, "as_of": DAY}}).encode()

    def question_body(self, question: str) -> bytes:
        """A question of a clinician."""
        return json.dumps({"question": question, "jurisdiction": "US", "as_of": DAY}).encode()

    def cards(self, hook: str, dose: float) -> bytes:
        """The cards of today, without their random ids. Cards know what day it is, so they are asked for again when a new one begins."""
        key = (hook, dose, date.today())
        if key not in self._cards:
            self._cards[key] = without_chance(self._asked(SIGN if hook == "order-sign" else VIEW, call_bytes(hook, dose), "application/json"))
        return self._cards[key]

    def _asked(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        answer = self._client.post(path, content=body, headers={"content-type": kind})
        if answer.status_code != 200:
            raise SystemExit(f"{path} answers {answer.status_code} to the load's own example: {answer.text[:500]}")
        return bytes(answer.content)

    def same(self, expected: bytes, answer: bytes) -> bool:
        """Byte for byte, but for the version of the evidence, which every verdict changes."""
        if self.version not in answer:
            expected, answer = with_numbered_ids(expected), with_numbered_ids(answer)
        if len(expected) != len(answer):
            return False
        at = 0
        for part in expected.split(self.version):
            if answer[at : at + len(part)] != part:
                return False
            at += len(part)
            if at < len(answer) and _VERSION.fullmatch(answer[at : at + len(self.version)]) is None:
                return False
            at += len(self.version)
        return True
