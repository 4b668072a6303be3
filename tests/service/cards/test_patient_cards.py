"""Cards of a patient on immunoglobulin, and of the appointment for an infusion."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.service.cards.conformance import faults_of
from tests.service.cards.sample import GAMMAGARD, HEIGHT, RXNORM, SNOMED, WEIGHT, amount, call, given, order, problem

Json = dict[str, Any]
PID = problem("c", "23238000")
TODAY = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def _a_fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything due is reckoned from one day."""
    monkeypatch.setattr("ivigil.service.clock.today", lambda: TODAY)


def asked(client: TestClient, body: Json) -> list[Json]:
    """The cards for a call, checked against the standard."""
    response = client.post(f"/cds-services/ivigil-{body['hook']}", json=body)
    assert response.status_code == 200, response.text
    assert faults_of(response.json()) == []
    cards: list[Json] = response.json()["cards"]
    return cards


def test_nobody_else_gets_a_card(client: TestClient) -> None:
    """Opening the chart of a patient without immunoglobulin is silent, whatever the diagnosis."""
    assert asked(client, call("patient-view", chart=(WEIGHT, HEIGHT, PID))) == []


def test_what_is_due_is_one_card_of_information(client: TestClient) -> None:
    """First infusion on 20 May, last on 24 October, one ordered every 4 weeks: review at 6 months (20 Nov), infusion on 21 Nov, vaccines on hold."""
    every = {"frequency": 1, "period": 4, "periodUnit": "wk"}
    monthly = order(amount(30, "g"), every, reason="23238000", status="active")
    chart = (WEIGHT, HEIGHT, PID, given("a", "2026-05-20", 30), given("b", "2026-10-24", 30), monthly)
    cards = asked(client, call("patient-view", chart=chart))
    assert [card["indicator"] for card in cards] == ["info"]
    summary, detail = cards[0]["summary"], cards[0]["detail"]
    assert "infusion due 21 Nov 2026" in summary
    assert "review due" in summary
    assert "live vaccines on hold" in summary
    assert "24 Aug 2027" in detail, "MMR waits 10 months after 30 g at 70 kg (0.43 g/kg) on 24 October, by the United States bands"


def test_a_date_far_away_is_not_due(client: TestClient) -> None:
    """Started a month ago, next infusion in three weeks: only the vaccines wait."""
    monthly = order(amount(30, "g"), {"frequency": 1, "period": 4, "periodUnit": "wk"}, reason="23238000", status="active")
    cards = asked(client, call("patient-view", chart=(WEIGHT, HEIGHT, PID, given("a", "2026-11-18", 30), monthly)))
    assert cards[0]["summary"] == "Immunoglobulin: live vaccines on hold"


def test_without_an_indication_the_card_asks_for_it(client: TestClient) -> None:
    """Silence would look like 'nothing is due'."""
    cards = asked(client, call("patient-view", chart=(WEIGHT, given("a", "2026-10-24", 30))))
    assert "name the indication" in cards[0]["summary"]


def test_an_infusion_appointment_says_how_long_it_takes(client: TestClient) -> None:
    """The appointment's time starts the infusion: the first day's line with its clock times leads the card."""
    appointment = {"resourceType": "Appointment", "id": "x", "status": "proposed", "start": datetime(2026, 12, 1, 10, 30).astimezone().isoformat(),
                   "reasonCode": [{"coding": [{"system": RXNORM, "code": GAMMAGARD}]}]}
    chart = (WEIGHT, HEIGHT, PID, order(amount(30, "g"), {"frequency": 1, "period": 4, "periodUnit": "wk"}, reason="23238000", status="active"))
    cards = asked(client, call("appointment-book", chart=chart, appointments={"resourceType": "Bundle", "entry": [{"resource": appointment}]}))
    assert [card["indicator"] for card in cards] == ["info"]
    assert "from 10:30" in cards[0]["summary"]
    other = appointment | {"reasonCode": [{"coding": [{"system": SNOMED, "code": "185349003"}]}]}
    assert asked(client, call("appointment-book", chart=chart, appointments={"resourceType": "Bundle", "entry": [{"resource": other}]})) == []
