"""The FHIR door: what it says it can do, and the plan it makes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, bundle, daily, order
from tests.service.fhir.definitions import Definitions

Json = dict[str, Any]
RECORD = bundle(PATIENT, WEIGHT, HEIGHT, order(amount(28, "g"), daily(5)))


def test_the_capability_statement_is_valid(client: TestClient, definitions: Definitions) -> None:
    """It is FHIR itself, and names the one operation."""
    statement = client.get("/fhir/metadata").json()
    assert definitions.faults(statement) == []
    assert definitions.broken(statement) == []
    assert statement["rest"][0]["operation"][0]["name"] == "plan"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_bundle_becomes_guidance(client: TestClient, wrapped: bool) -> None:
    """The plan for the patient of a Bundle, sent plain or inside Parameters."""
    body = RECORD if not wrapped else {"resourceType": "Parameters", "parameter": [
        {"name": "bundle", "resource": RECORD}, {"name": "jurisdiction", "valueString": "US"}]}
    response = client.post("/fhir/$plan", json=body, params={} if wrapped else {"jurisdiction": "US"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/fhir+json"
    kinds = [entry["resource"]["resourceType"] for entry in response.json()["entry"]]
    assert kinds[:3] == ["GuidanceResponse", "CarePlan", "RequestGroup"]
    dose = next(entry["resource"] for entry in response.json()["entry"] if entry["resource"]["resourceType"] == "MedicationRequest")
    assert dose["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"] == 28


@pytest.mark.parametrize(("body", "params", "said"), [
    (bundle(WEIGHT | {"subject": {"reference": "Group/g"}}), {}, "no Patient"),
    (RECORD, {"jurisdiction": "Mars"}, "'Mars' is not known"),
    (RECORD, {"colour": "blue"}, "not a parameter"),
    ({"resourceType": "Parameters"}, {}, "bundle"),
    (bundle(PATIENT, WEIGHT, order(amount(2, "g/kg"), daily(5))), {}, "10 g/kg"),
])
def test_what_cannot_be_planned_is_an_operation_outcome(client: TestClient, definitions: Definitions, body: Json, params: Json, said: str) -> None:
    """422 with every problem; the outcome is valid FHIR."""
    response = client.post("/fhir/$plan", json=body, params=params)
    assert response.status_code == 422
    assert said in response.text
    assert definitions.faults(response.json()) == []


def test_only_fhir_in_json_is_taken(client: TestClient) -> None:
    """A form of a foreign page is refused."""
    assert client.post("/fhir/$plan", content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
