"""What holds for the cards of every order: the standard, few interruptions, and corrections that are right themselves."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.service.cards.conformance import faults_of
from tests.service.cards.sample import GBS, HEIGHT, PATIENT, amount, call, daily, measured, order

from ivigil.service.cards.answer import cards_for
from ivigil.service.cards.card import Response
from ivigil.service.cards.chart import Chart
from ivigil.service.cards.offered import Service, services
from ivigil.service.cards.request import call_of
from ivigil.service.hospital import Hospital

Json = dict[str, Any]

UNITS = st.sampled_from(["g", "g/kg", "mg", "mg/kg", "mL", "{pill}"])
DOSES = st.builds(amount, st.one_of(st.floats(0.001, 5000), st.sampled_from([0.4, 1, 2, 28, 70])), UNITS)
REPEATS = st.one_of(st.none(), st.integers(1, 40).map(daily),
                    st.builds(lambda period, unit: {"frequency": 1, "period": period, "periodUnit": unit}, st.integers(1, 12), st.sampled_from(["wk", "mo"])))
REASONS = st.sampled_from([GBS, "23238000", "32273002", "128209004", "75053002", ""])
RATES = st.one_of(st.none(), st.builds(amount, st.floats(0.1, 2000), st.sampled_from(["mL/h", "mL/kg/h", "mg/kg/min"])))
ORDERS = st.builds(lambda dose, repeat, reason, rate: order(dose, repeat, reason=reason, rate=rate), st.one_of(st.none(), DOSES), REPEATS, REASONS, RATES)
WEIGHTS = st.floats(3, 160)


def answered(hospital: Hospital, service: Service, body: Json) -> Json:
    """The answer to a call, without the web."""
    asked = call_of(json.dumps(body).encode(), service.hook)
    chart = Chart((PATIENT, *(entry["resource"] for entry in body["prefetch"]["chart"]["entry"])))
    cards = cards_for(asked, service, chart, hospital, date(2026, 11, 21), lambda _: ())
    found: Json = json.loads(msgspec.json.encode(Response(tuple(cards))))
    return found


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(draft=ORDERS, kilograms=WEIGHTS)
def test_every_order_is_answered_by_the_standard_and_corrected_rightly(us_hospital: Hospital, draft: Json, kilograms: float) -> None:
    """At most one card interrupts; what is critical has its reason; a suggested order, sent back, is neither critical nor corrected again."""
    service = next(one for one in services(us_hospital.evidence.facts) if one.hook == "order-sign")
    chart = (measured("w", "29463-7", round(kilograms, 1), "kg"), HEIGHT)
    answer = answered(us_hospital, service, call("order-sign", draft, chart=chart))
    assert faults_of(answer) == []
    assert sum(card["indicator"] != "info" for card in answer["cards"]) <= 1
    for suggestion in (one for card in answer["cards"] for one in card.get("suggestions", [])):
        action = suggestion["actions"][0]
        if action["type"] == "delete":
            continue
        again = answered(us_hospital, service, call("order-sign", action["resource"], chart=chart))
        assert all(card["indicator"] != "critical" for card in again["cards"]), [card["summary"] for card in again["cards"]]
        assert not offered(again), [card["summary"] for card in again["cards"]]


def offered(answer: Json) -> list[Json]:
    """The corrected orders that an answer offers."""
    return [one for card in answer["cards"] for one in card.get("suggestions", []) if one["actions"][0]["type"] != "delete"]


def test_an_order_that_whole_vials_lift_above_a_limit_is_not_suggested(us_hospital: Hospital) -> None:
    """2 g/kg at 122.3 kg with an impossible rate: over two days whole vials make 122.5 g a day, above 1 g/kg a day and 2 g/kg in all, which the same check
    would question when it came back. The rate is still told; no order is offered.
    """
    service = next(one for one in services(us_hospital.evidence.facts) if one.hook == "order-sign")
    draft = order(amount(2, "g/kg"), {"frequency": 1, "period": 9, "periodUnit": "wk"}, rate=amount(215.5, "mg/kg/min"))
    answer = answered(us_hospital, service, call("order-sign", draft, chart=(measured("w", "29463-7", 122.3, "kg"), HEIGHT)))
    assert faults_of(answer) == []
    assert "215.5 mg/kg/min" in answer["cards"][0]["summary"]
    assert not offered(answer)
    slower = order(amount(2, "g/kg"), {"frequency": 1, "period": 9, "periodUnit": "wk"}, rate=amount(1000, "mL/h"))
    lighter = (measured("w", "29463-7", 70, "kg"), HEIGHT)
    assert offered(answered(us_hospital, service, call("order-sign", slower, chart=lighter))), "where vials fit, the order is offered"
