"""One forecast from one record: what everybody who forecasts shares."""

from __future__ import annotations

import pytest
from tests.pharmacokinetics.people import TODAY, evidence, infusion, record

from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import Quantity
from ivigil.patient.record import Order, Record
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for

MONTHS = tuple(infusion(-28 * index) for index in range(1, 8))


def test_a_record_alone_is_enough() -> None:
    """Dose and interval come from the infusions on record, and it is said."""
    made = forecast_for(record(infusions=MONTHS), Asked(), Wanted(), evidence(), TODAY)
    assert made.forecast.status == "forecast"
    assert made.chosen.regimen.grams == pytest.approx(28.0)
    assert any("last infusion on record" in note for note in made.chosen.notes)
    assert made.without is None
    assert made.options == ()


def test_an_alteration_is_shown_beside_the_plain_regimen() -> None:
    """A missed dose is forecast with and without; a target gives options."""
    made = forecast_for(record(infusions=MONTHS), Asked(missed=(2,), target="7 g/L"), Wanted(weeks=12), evidence(), TODAY)
    assert made.without is not None
    assert made.without.regimen == made.chosen.regimen.plain
    assert made.options
    assert made.forecast.times[-1] == pytest.approx(84.0)


def test_every_problem_of_choices_and_record_at_once() -> None:
    """Model, place, weeks, target and the missing weight stand in one list, under the names the asker uses."""
    weightless = Record(id="a", order=Order(indication="pid", dose=Quantity(30, "g")))
    with pytest.raises(BadInput) as caught:
        forecast_for(weightless, Asked(target="7"), Wanted("", "no-such", "XX", 0), evidence(), TODAY, "--{}".format)
    assert [problem.place for problem in caught.value.problems] == ["--target-trough", "--model", "--jurisdiction", "--weeks", "a"]


def test_regimen_problems_join_those_of_the_choices() -> None:
    """An impossible interval and an unknown model are told together."""
    with pytest.raises(BadInput) as caught:
        forecast_for(record(), Asked(dose="30 g", every="4 kg"), Wanted(model="no-such"), evidence(), TODAY)
    assert [problem.place for problem in caught.value.problems] == ["model", "every"]


@pytest.mark.parametrize(("order", "wanted", "place"), [
    (Order(), Wanted(), "test"), (Order(indication="pid"), Wanted("no-such"), "indication"), (Order(indication="no-such"), Wanted(), "test"),
])
def test_an_indication_that_is_none_is_told_once(order: Order, wanted: Wanted, place: str) -> None:
    """In the record or among the choices, with a remedy."""
    with pytest.raises(BadInput) as caught:
        forecast_for(record(infusions=MONTHS, order=order), Asked(), wanted, evidence(), TODAY)
    assert [problem.place for problem in caught.value.problems] == [place]
    assert caught.value.problems[0].remedy


def test_an_indication_asked_for_wins_over_that_of_the_record() -> None:
    """The same patient, forecast as CIDP."""
    made = forecast_for(record(infusions=MONTHS), Asked(), Wanted(indication="cidp"), evidence(), TODAY)
    assert made.forecast.person.indication == "cidp"
