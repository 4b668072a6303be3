"""Cards of immunoglobulin orders: what interrupts, what only informs, what is offered instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.service.cards.conformance import faults_of
from tests.service.cards.sample import GBS, HEIGHT, PATIENT, SNOMED, UCUM, WEIGHT, amount, call, daily, measured, order, problem

Json = dict[str, Any]


def asked(client: TestClient, body: Json) -> list[Json]:
    """The cards for a call, checked against the standard."""
    response = client.post(f"/cds-services/ivigil-{body['hook']}", json=body)
    assert response.status_code == 200, response.text
    assert faults_of(response.json()) == []
    cards: list[Json] = response.json()["cards"]
    return cards


def interrupting(cards: list[Json]) -> list[Json]:
    """Cards that are more than information."""
    return [card for card in cards if card["indicator"] != "info"]


def test_a_clean_order_is_not_interrupted(client: TestClient) -> None:
    """0.4 g/kg a day for 5 days at 70 kg is 28 g, the European dose for Guillain-Barre syndrome: the plan as information, no change offered."""
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5))))
    assert [card["indicator"] for card in cards] == ["info"]
    assert "28 g on each of 5 consecutive days" in cards[0]["summary"]
    assert "suggestions" not in cards[0]


def test_a_course_total_ordered_daily_is_critical_and_corrected(client: TestClient) -> None:
    """2 g/kg 'each day' for 5 days is 10 g/kg, the published mistake: critical, with 28 g a day for 5 days offered."""
    cards = asked(client, call("order-sign", order(amount(2, "g/kg"), daily(5))))
    assert [card["indicator"] for card in cards] == ["critical"]
    changed = cards[0]["suggestions"][0]["actions"][0]
    assert changed["type"] == "update"
    instruction = changed["resource"]["dosageInstruction"][0]
    assert instruction["doseAndRate"][0]["doseQuantity"] == amount(28, "g")
    assert instruction["timing"]["repeat"]["count"] == 5
    assert cards[0]["overrideReasons"]


@pytest.mark.parametrize("wrong", [
    order(amount(2, "g/kg"), daily(5)), order(amount(280, "g")), order(amount(70, "g")), order(amount(28, "g"), daily(5), rate=amount(500, "mL/h")), order(),
    order({"value": 4, "system": UCUM, "code": "{pill}"}, daily(1)),
], ids=["daily total", "tenfold", "two readings", "too fast", "no dose", "pills"])
def test_the_corrected_order_passes_when_it_is_sent_back(client: TestClient, wrong: Json) -> None:
    """What is suggested must itself be right: sent again it is not interrupted, and nothing further is suggested."""
    offered = [suggestion for card in asked(client, call("order-sign", wrong)) for suggestion in card.get("suggestions", [])]
    corrected = offered[0]["actions"][0]["resource"]
    assert {key: value for key, value in corrected.items() if key != "dosageInstruction"} == {k: v for k, v in wrong.items() if k != "dosageInstruction"}
    cards = asked(client, call("order-sign", corrected))
    assert interrupting(cards) == []
    assert not any(card.get("suggestions") for card in cards)


def test_rounding_to_whole_vials_is_no_reason_to_interrupt(client: TestClient) -> None:
    """2 g/kg at 32 kg are 64 g; vials make 65 g of it, which is 2.03 g/kg. An order for what the plan itself gives is clean."""
    chart = (measured("w", "29463-7", 32, "kg"), measured("h", "8302-2", 140, "cm"))
    offered = asked(client, call("order-sign", order(), chart=chart))[0]["suggestions"][0]["actions"][0]["resource"]
    assert interrupting(asked(client, call("order-sign", offered, chart=chart))) == []


def test_a_rate_above_the_label_is_critical(client: TestClient) -> None:
    """Gammagard Liquid allows 8 mg/kg/min: at 70 kg and 10 % that is 336 mL/h; 500 mL/h is refused."""
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5), rate=amount(500, "mL/h"))))
    assert cards[0]["indicator"] == "critical"
    assert "336 mL/h" in cards[0]["summary"]


def test_a_contraindication_is_critical_and_offers_no_dose(client: TestClient) -> None:
    """A severe earlier reaction to immunoglobulin blocks the plan: the only change offered is to remove the order."""
    anaphylaxis = {"severity": "severe", "manifestation": [{"coding": [{"system": SNOMED, "code": "39579001"}]}]}
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"}, "clinicalStatus": {"coding": [{"code": "active"}]},
               "code": {"text": "immunoglobulin"}, "reaction": [anaphylaxis]}
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5)), chart=(WEIGHT, HEIGHT, allergy)))
    assert [card["indicator"] for card in cards] == ["critical"]
    assert [(action["type"], action["resourceId"]) for s in cards[0]["suggestions"] for action in s["actions"]] == [("delete", "MedicationRequest/r1")]


def test_everything_that_interrupts_is_one_card(client: TestClient) -> None:
    """Kidney disease, a second open order and an unusual dose are told together, the most serious first."""
    chart = (WEIGHT, HEIGHT, problem("c", "709044004"), order(amount(20, "g"), daily(2), name="old", status="active"))
    for dose, said in ((amount(35, "g"), "2.5 g/kg"), (amount(14, "g"), "1 g/kg")):
        cards = asked(client, call("order-sign", order(dose, daily(5)), chart=chart))
        assert len(interrupting(cards)) == 1
        detail = interrupting(cards)[0]["detail"]
        assert said in detail
        assert "2 immunoglobulin orders are open" in detail
        assert "kidney risk factor" in detail


def test_an_overlapping_order_is_told_and_the_draft_is_checked(client: TestClient) -> None:
    """The order being signed is the one that is planned, whatever else is active."""
    other = order(amount(20, "g"), daily(2), name="old", status="active") | {"authoredOn": "2026-11-20"}
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5)), chart=(WEIGHT, HEIGHT, other)))
    assert "2 immunoglobulin orders are open; the draft was taken" in cards[0]["detail"]
    assert "28 g" in cards[1]["summary"]


def test_an_order_that_is_signed_again_is_not_its_own_duplicate(client: TestClient) -> None:
    """The signed version of the same order in the chart is the same order."""
    old = order(amount(20, "g"), daily(2), status="active")
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5)), chart=(WEIGHT, HEIGHT, old)))
    assert interrupting(cards) == []


def test_two_draft_orders_are_each_checked(client: TestClient) -> None:
    """Each of two orders gets cards of its own, and each is told of the other."""
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5)), order(amount(28, "g"), daily(5), name="r2")))
    assert len(interrupting(cards)) == 2


def test_other_medicines_and_other_patients_are_left_alone(client: TestClient) -> None:
    """An order that is not immunoglobulin gives no card; a draft for somebody else is refused."""
    paracetamol = order(amount(1, "g"), medicine="161")
    assert asked(client, call("order-sign", paracetamol)) == []
    stranger = order(amount(28, "g"), daily(5)) | {"subject": {"reference": "Patient/q"}}
    response = client.post("/cds-services/ivigil-order-sign", json=call("order-sign", stranger))
    assert response.status_code == 400
    assert "another patient" in response.json()["issue"][0]["details"]["text"]


def test_only_the_selected_order_is_looked_at(client: TestClient) -> None:
    """At order-select the drafts that were not just selected are quiet."""
    drafts = (order(amount(2, "g/kg"), daily(5)), order(amount(28, "g"), daily(5), name="r2"))
    cards = asked(client, call("order-select", *drafts, selections=["MedicationRequest/r9"]))
    assert cards == []
    assert asked(client, call("order-select", *drafts, selections=["MedicationRequest/r1"]))[0]["indicator"] == "critical"


def test_an_order_without_a_dose_gets_the_planned_one_offered(client: TestClient) -> None:
    """While ordering begins there is nothing to warn of: the plan comes with its order."""
    cards = asked(client, call("order-select", order(), selections=["MedicationRequest/r1"]))
    assert [card["indicator"] for card in cards] == ["info"]
    assert cards[0]["suggestions"][0]["isRecommended"]


def test_what_was_not_sent_is_named_as_unknown(client: TestClient) -> None:
    """Unknown is not no: lists that were not sent stand in the card."""
    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5))))
    assert "so unknown: conditions, allergies" in cards[0]["detail"]


def test_text_of_the_record_is_not_markup(client: TestClient) -> None:
    """A unit that looks like a link or a tag is shown as it stands."""
    hostile = {"value": 4, "unit": "<img src=x> [click](https://evil.example)"}
    cards = asked(client, call("order-sign", order(hostile, daily(1))))
    assert "<img" not in cards[0]["detail"].replace("\\<img", "")
    assert "[click](" not in cards[0]["detail"].replace("\\[click\\](", "")


def test_the_same_call_gives_the_same_cards(client: TestClient) -> None:
    """Card ids depend on the call and the order alone; a retry can be recognised."""
    body = call("order-sign", order(amount(2, "g/kg"), daily(5)))
    assert [card["uuid"] for card in asked(client, body)] == [card["uuid"] for card in asked(client, body)]


def test_the_link_shows_the_plan_of_the_command_line(client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan behind a card is byte for byte what ``ivigil plan`` makes of the same Bundle; its address holds nothing of the patient."""
    from ivigil.cli.plan_command import run_plan
    from ivigil.planning.choices import Choices

    cards = asked(client, call("order-sign", order(amount(28, "g"), daily(5)), chart=(WEIGHT, HEIGHT, measured("c", "2160-0", 1.1, "mg/dL"))))
    url = cards[0]["links"][0]["url"]
    assert "Patient" not in url
    assert "GBS" not in url
    path = tmp_path / "bundle.json"
    path.write_bytes(client.get(url, params={"format": "bundle"}).content)
    run_plan([str(path)], Choices(jurisdiction="US"), "json", "")
    assert client.get(url, params={"format": "json"}).text == capsys.readouterr().out
    page = client.get(url)
    assert page.status_code == 200
    assert "Guillain-Barre" in page.text
    assert client.get(url[:-3] + "abc").status_code == 404


@pytest.mark.parametrize(("name", "indicators"), [("order-select", []), ("order-sign", []), ("patient-view", []), ("order-select-ivig", ["warning"]),
                                                  ("order-sign-ivig", ["warning"])])
def test_captured_calls_are_answered_rightly(client: TestClient, captured: Path, name: str, indicators: list[str]) -> None:
    """What the CDS Hooks Sandbox really sends: no medication, an object for a category, doses in pills."""
    body = json.loads((captured / f"{name}.json").read_text(encoding="utf-8"))["body"]
    cards = asked(client, body)
    assert [card["indicator"] for card in cards] == indicators
    for card in cards:
        assert card["summary"].startswith("The dose cannot be checked")
        assert "state it in g or g/kg" in card["detail"]
        assert "Name the indication" in card["detail"]


def test_the_patient_in_context_must_be_sent(client: TestClient) -> None:
    """Without the patient, or with another one, an immunoglobulin order is refused with 412; other orders need nobody."""
    for patient in (None, PATIENT | {"id": "q"}):
        response = client.post("/cds-services/ivigil-order-sign", json=call("order-sign", order(amount(28, "g"), daily(5)), patient=patient))
        assert response.status_code == 412
        assert response.json()["resourceType"] == "OperationOutcome"
    assert asked(client, call("order-sign", order(amount(1, "g"), medicine="161"), patient=None)) == []


def test_a_draft_may_name_its_medicine_elsewhere(client: TestClient) -> None:
    """A medication in the chart or inside the order is found; a retired style with an object for a category does no harm."""
    draft = order(amount(28, "g"), daily(5), reason=GBS) | {"category": {"coding": [{"code": "inpatient"}]}, "medicationReference": {"reference": "#m"}}
    code = draft.pop("medicationCodeableConcept")
    draft["contained"] = [{"resourceType": "Medication", "id": "m", "code": code}]
    assert "28 g" in asked(client, call("order-sign", draft))[0]["summary"]
    draft = draft | {"contained": [], "medicationReference": {"reference": "Medication/m"}}
    assert "28 g" in asked(client, call("order-sign", draft, chart=(WEIGHT, HEIGHT, {"resourceType": "Medication", "id": "m", "code": code})))[0]["summary"]
