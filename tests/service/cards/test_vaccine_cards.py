"""Orders around live vaccines: a vaccine soon after immunoglobulin is held, immunoglobulin soon after a vaccine is told what it spoils."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.service.cards.conformance import faults_of
from tests.service.cards.sample import GBS, HEIGHT, WEIGHT, amount, call, daily, given, order, problem

Json = dict[str, Any]
CVX = "http://hl7.org/fhir/sid/cvx"
ITP, SCID = problem("c", "32273002"), problem("s", "31323000")
TODAY = date(2026, 11, 21)
CHART = (WEIGHT, HEIGHT, ITP)


@pytest.fixture(autouse=True)
def _a_fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is reckoned from one day."""
    monkeypatch.setattr("ivigil.service.clock.today", lambda: TODAY)


def vaccine(code: str = "03", text: str = "", *, name: str = "v1", kind: str = "MedicationRequest", on: str = "") -> Json:
    """An order for a vaccine, by CVX code or by its words."""
    concept = {**({"coding": [{"system": CVX, "code": code}]} if code else {}), **({"text": text} if text else {})}
    base: Json = {"resourceType": kind, "id": name, "status": "draft", "intent": "order", "subject": {"reference": "Patient/p"}}
    if kind == "ServiceRequest":
        return base | {"code": concept} | ({"occurrenceDateTime": on} if on else {})
    return base | {"medicationCodeableConcept": concept} | ({"dosageInstruction": [{"timing": {"event": [on]}}]} if on else {})


def vaccinated(code: str, on: str) -> Json:
    """A vaccine on record."""
    return {"resourceType": "Immunization", "id": "i", "status": "completed", "patient": {"reference": "Patient/p"}, "occurrenceDateTime": on,
            "vaccineCode": {"coding": [{"system": CVX, "code": code}]}}


def asked(client: TestClient, hook: str, *drafts: Json, chart: tuple[Json, ...]) -> list[Json]:
    """The cards for a call, checked against the standard."""
    body = call(hook, *drafts, chart=chart)
    if hook == "order-select":
        body["context"]["selections"] = [f"{draft['resourceType']}/{draft['id']}" for draft in drafts]
    response = client.post(f"/cds-services/ivigil-{hook}", json=body)
    assert response.status_code == 200, response.text
    assert faults_of(response.json()) == []
    cards: list[Json] = response.json()["cards"]
    return cards


@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_mmr_four_weeks_after_immunoglobulin_is_held(client: TestClient, hook: str) -> None:
    """35 g at 70 kg (0.5 g/kg) on 24 October: between the printed 0.4 g/kg (8 months) and 1 g/kg (10 months) the longer wait counts, to 24 August 2027."""
    chart = (*CHART, given("b", "2026-10-24", 35))
    (card,) = asked(client, hook, vaccine(), chart=chart)
    assert card["indicator"] == "warning"
    assert "MMR" in card["summary"]
    assert "too early to count" in card["summary"]
    assert "24 Aug 2027" in card["detail"]
    assert card["suggestions"][0]["actions"][0]["resourceId"] == "MedicationRequest/v1"
    assert card["overrideReasons"]
    assert "Sources:" in card["detail"]
    (seen,) = asked(client, "patient-view", chart=chart)
    assert "24 Aug 2027" in seen["detail"]


@pytest.mark.parametrize("draft", [
    vaccine(text="M-M-R II subcutaneous injection", code=""), vaccine(text="ProQuad 0.5 mL", code=""), vaccine("21"), vaccine("94"),
    vaccine(kind="ServiceRequest"), vaccine(text="varicella", code=""),
])
def test_a_vaccine_is_recognised_by_code_name_or_brand(client: TestClient, draft: Json) -> None:
    """As medicine or as service; the brand may stand within other words."""
    (card,) = asked(client, "order-sign", draft, chart=(*CHART, given("b", "2026-10-24", 30)))
    assert card["indicator"] == "warning"


@pytest.mark.parametrize("draft", [
    vaccine("140"), vaccine("116"), vaccine(text="Shingrix (zoster, recombinant)", code=""), vaccine(text="metformin MR 500 mg", code=""),
    vaccine(kind="ServiceRequest", code="", text="Measles, mumps and rubella antibodies"), vaccine("03") | {"status": "cancelled"},
    vaccine("03") | {"doNotPerform": True}, vaccine("9999"),
])
def test_what_need_not_wait_or_is_no_vaccine_is_silent(client: TestClient, draft: Json) -> None:
    """Influenza (not live), rotavirus (exempt), other medicines and tests with a like name, orders taken back, codes that nobody knows."""
    assert asked(client, "order-sign", draft, chart=(*CHART, given("b", "2026-10-24", 30))) == []


def test_without_recent_immunoglobulin_nobody_is_interrupted(client: TestClient) -> None:
    """Never, or longer ago than the longest wait."""
    assert asked(client, "order-sign", vaccine(), chart=CHART) == []
    assert asked(client, "order-sign", vaccine(), chart=(*CHART, given("b", "2024-10-24", 30))) == []


def test_an_order_for_a_day_after_the_wait_is_silent(client: TestClient) -> None:
    """The day of the order counts, not the day of signing."""
    chart = (*CHART, given("b", "2026-10-24", 35))
    assert asked(client, "order-sign", vaccine(on="2027-08-23"), chart=chart)
    assert asked(client, "order-sign", vaccine(on="2027-08-24"), chart=chart) == []
    assert asked(client, "order-sign", vaccine(kind="ServiceRequest", on="2027-08-23"), chart=chart)
    assert asked(client, "order-sign", vaccine(kind="ServiceRequest", on="2027-08-24"), chart=chart) == []


def test_what_was_given_decides_not_what_a_new_course_would_bring(client: TestClient) -> None:
    """0.4 g/kg on each of two days: 0.8 g/kg, 10 months from the second day; on one day alone 8 months (ACIP: 400 mg/kg)."""
    (one,) = asked(client, "order-sign", vaccine(), chart=(*CHART, given("b", "2026-10-24", 28)))
    assert "24 Jun 2027" in one["detail"]
    (two,) = asked(client, "order-sign", vaccine(), chart=(*CHART, given("a", "2026-10-24", 28), given("b", "2026-10-25", 28)))
    assert "25 Aug 2027" in two["detail"]


def test_an_immune_state_that_bars_live_vaccines_leads(client: TestClient) -> None:
    """Severe combined immunodeficiency: barred whatever the interval, also a vaccine that needs no interval."""
    chart = (WEIGHT, HEIGHT, SCID, given("b", "2026-10-24", 30))
    for code in ("03", "116"):
        (card,) = asked(client, "order-sign", vaccine(code), chart=chart)
        assert "Not to be given" in card["detail"].splitlines()[0]


def test_without_an_indication_the_card_asks_for_it(client: TestClient) -> None:
    """The wait cannot be told, and silence would look like 'no wait'."""
    (card,) = asked(client, "order-sign", vaccine(), chart=(WEIGHT, given("b", "2026-10-24", 30)))
    assert "indication" in card["detail"]


def test_immunoglobulin_days_after_a_live_vaccine_says_what_it_spoils(client: TestClient) -> None:
    """MMR eleven days ago (fewer than the 14 of the United States rule): the order's card says that it does not count; after 14 days it says nothing."""
    draft = order(amount(28, "g"), daily(5), reason=GBS)
    cards = asked(client, "order-sign", draft, chart=(WEIGHT, HEIGHT, vaccinated("03", "2026-11-10")))
    assert cards[0]["indicator"] == "warning"
    assert "MMR" in cards[0]["summary"]
    assert "immunoglobulin 11 days later" in cards[0]["summary"] + cards[0]["detail"]
    assert not any(suggestion["label"].startswith("Order as planned") for card in cards for suggestion in card.get("suggestions", []))
    for day in ("2026-11-07", "2026-01-10"):
        cards = asked(client, "order-sign", draft, chart=(WEIGHT, HEIGHT, vaccinated("03", day)))
        assert [card["indicator"] for card in cards] == ["info"], day


def test_a_vaccine_that_an_earlier_infusion_spoiled_interrupts_no_later_order(client: TestClient) -> None:
    """It is in the plan; the order at hand changes nothing about it."""
    chart = (*CHART, vaccinated("03", "2026-10-20"), given("b", "2026-10-24", 30))
    monthly = order(amount(30, "g"), {"frequency": 1, "period": 4, "periodUnit": "wk"}, reason="32273002")
    cards = asked(client, "order-sign", monthly, chart=chart)
    assert not any("MMR" in card["summary"] for card in cards)
