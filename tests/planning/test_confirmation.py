"""A value that may be a slip: it is asked about, nothing is worked out from it, and an answer settles it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from tests.planning.care_sample import evidence

from ivigil.basis.quantity import Quantity
from ivigil.patient.form import form_of
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

AS_OF = date(2026, 11, 20)
WORKED_OUT = {"dose.course", "dose.each", "course.days", "vials.day-1", "infusion.day-1", "infusion.start", "infusion.cap"}
"""Lines that hold grams, millilitres or rates."""


def _planned(**keys: Any) -> Plan:
    form = {
        "id": "made", "sex": "male", "born": "1971-02-03", "height": {"value": "181 cm", "on": "2026-11-19"}, "weight": {"value": "92 kg", "on": "2026-11-19"},
        "order": {"indication": "gbs", "phase": "acute", "route": "intravenous", "dose": "2 g/kg", "each": "course", "days": 5}, **keys,
    }
    return plan(form_of(form, {}, "made.yaml", evidence().facts), evidence(), Context("UK-ENG", AS_OF, datetime(2026, 11, 20, 9)))


def _questions(made: Plan) -> dict[str, str]:
    return {one.fact: one.ask for one in made.questions}


POUNDS: dict[str, Any] = {"value": "200 kg", "on": "2026-11-19"}
"""91 kg are 200 lb; 200 kg at 181 cm is a body mass index of 61."""


@pytest.mark.parametrize("weight", [
    POUNDS,
    [{"value": "92 kg", "on": "2026-05-19"}, POUNDS],
    [{"value": "92 kg", "on": "2026-05-19"}, {"value": "42 kg", "on": "2026-11-19"}],
], ids=["pounds", "pounds after a right weight", "half of what it was"])
def test_a_doubted_weight_is_never_computed_through(weight: Any) -> None:
    """No grams, volume or rate from it, nor from an older weight; one question, and the plan is not called complete."""
    made = _planned(weight=weight)
    assert made.status == "needs-answers"
    assert not WORKED_OUT & {line.id for line in made.lines}
    (dose,) = (line for line in made.lines if line.id == "dose.weight")
    assert dose.urgency == "critical"
    assert "in doubt" in dose.text
    assert "answer 'confirm.weight: yes'" in _questions(made)["confirm.weight"]
    assert "weight" not in _questions(made)


def test_a_confirmed_weight_is_used() -> None:
    """The answer settles it: 2 g/kg x 200 kg on the prescriber's actual weight is planned, in lines that hold grams."""
    made = _planned(weight=POUNDS, answers={"confirm.weight": "yes"})
    assert WORKED_OUT & {line.id for line in made.lines}
    assert "confirm.weight" not in _questions(made)


def test_a_right_weight_raises_no_doubt() -> None:
    """The same patient with a right weight is planned."""
    made = _planned()
    assert {line.id for line in made.lines} >= {"infusion.day-1", "infusion.cap"}
    assert not [fact for fact in _questions(made) if fact.startswith("confirm.")]


def test_a_doubted_rate_limit_is_left_out_and_asked() -> None:
    """2 mL/h at 92 kg is slower than any label starts; the label's limit stays in force until the order is confirmed."""
    order = {"indication": "gbs", "phase": "acute", "route": "intravenous", "dose": "2 g/kg", "each": "course", "days": 5, "rate_max": "2 mL/h"}
    made = _planned(order=order)
    assert "confirm.order.rate_max" in _questions(made)
    (cap,) = (line for line in made.lines if line.id == "infusion.cap")
    assert isinstance(cap.value, Quantity)
    assert cap.value.in_unit("mL/h") > 2


def test_a_refused_product_is_asked_about() -> None:
    """Privigen contains proline: with hyperprolinaemia it is refused, another is proposed, and the order is asked for again."""
    order = {"indication": "gbs", "phase": "acute", "route": "intravenous", "dose": "2 g/kg", "each": "course", "days": 5, "product": "Privigen"}
    made = _planned(order=order, conditions=["hyperprolinaemia"])
    assert made.status == "needs-answers"
    assert "order in its place" in _questions(made)["order.product"]
