"""The regimen that is forecast: asked for, ordered, or recorded; never guessed from another route or interval."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.pharmacokinetics.people import ADULT, TODAY, evidence, facts, infusion, record

from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import Quantity
from ivigil.patient.record import Order
from ivigil.pharmacokinetics.asked import Asked, Chosen, chosen_regimen, target_of
from ivigil.pharmacokinetics.history import history_of

MONTHS = tuple(infusion(day) for day in (-77, -49, -21))


def chosen(asked: Asked, **parts: Any) -> Chosen:
    patient = record(**parts)
    return chosen_regimen(asked, patient, ADULT, history_of(patient, ADULT, facts(), evidence(), TODAY), evidence(), TODAY)


def test_what_is_asked_wins() -> None:
    """Over the order and the record."""
    found = chosen(Asked(dose="0.5 g/kg", every="3 week"), infusions=MONTHS, order=Order(indication="pid", dose=Quantity(20, "g"), every=Quantity(4, "week")))
    assert (found.regimen.grams, found.regimen.every, found.regimen.start) == (35.0, 21.0, 0.0)


def test_the_order_comes_next_and_is_named() -> None:
    """A daily dose times its days is the course."""
    found = chosen(Asked(), order=Order(indication="cidp", dose=Quantity(0.4, "g/kg"), each="day", days=5, every=Quantity(4, "week")))
    assert found.regimen.grams == pytest.approx(140.0)
    assert (found.regimen.days, found.regimen.every) == (5, 28.0)
    assert any("order" in note for note in found.notes)


def test_the_ordered_product_tells_its_only_route() -> None:
    """Hizentra is given under the skin only; Gamunex-C by both routes, so that the vein is assumed and said."""
    weekly = Order(indication="pid", dose=Quantity(8, "g"), every=Quantity(1, "week"))
    one, several = (chosen(Asked(), order=msgspec.structs.replace(weekly, product=name)) for name in ("Hizentra", "Gamunex-C"))
    assert one.regimen.route == "subcutaneous"
    assert several.regimen.route == "intravenous"
    assert any("intravenous is assumed" in note for note in several.notes)
    assert chosen(Asked(route="intravenous"), order=msgspec.structs.replace(weekly, product="Hizentra")).regimen.route == "intravenous"


def test_an_ordered_product_nobody_knows_is_said_with_the_one_that_may_be_meant() -> None:
    """Its grams are counted, and the reader is told."""
    found = chosen(Asked(), order=Order(indication="pid", product="Privgen", dose=Quantity(28, "g"), every=Quantity(4, "week")))
    assert any("no immunoglobulin is called 'Privgen' (Privigen?)" in note for note in found.notes)


def test_the_record_is_continued() -> None:
    """Same dose, same interval, one interval after the last."""
    found = chosen(Asked(), infusions=MONTHS)
    assert (found.regimen.grams, found.regimen.every, found.regimen.start) == (28.0, 28.0, 7.0)


@pytest.mark.parametrize("parts", [
    {"order": Order(indication="pid", route="subcutaneous", every=Quantity(1, "week"))},
    {"order": Order(indication="pid", every=Quantity(1, "week"))},
    {"order": Order(indication="pid", route="subcutaneous")},
])
def test_a_monthly_dose_is_never_repeated_weekly(parts: dict[str, Any]) -> None:
    """A recorded dose belongs to its route and interval; four times the dose would follow."""
    with pytest.raises(BadInput, match="given otherwise"):
        chosen(Asked(), infusions=MONTHS, **parts)


def test_a_change_of_route_uses_the_label_factor() -> None:
    """Hizentra: 1.37 x monthly grams / weeks, weekly, cited."""
    found = chosen(Asked(switch="hizentra-us"), infusions=MONTHS)
    assert found.regimen.grams == pytest.approx(28 * 1.37 / 4)
    assert (found.regimen.every, found.regimen.route) == (7.0, "subcutaneous")
    assert found.cites == ("hizentra-us.sc.factor",)


@pytest.mark.parametrize(("asked", "why"), [
    (Asked(dose="0.4"), "no unit"),
    (Asked(dose="-1 g"), "believable"),
    (Asked(dose="40 g/kg", every="4 week"), "believable"),
    (Asked(dose="30 mL", every="4 week"), "cannot be given"),
    (Asked(dose="30 g", every="4 kg"), "cannot be given"),
    (Asked(dose="30 g", every="0 day"), "not above nought"),
    (Asked(dose="30 g", every="4 day", days=5), "does not fit"),
    (Asked(dose="30 g", every="4 week", days=-1), "no course"),
    (Asked(dose="30 g", every="4 week", route="oral"), "no route"),
    (Asked(dose="30 g", every="4 week", late=("soon",)), "no dose and delay"),
    (Asked(dose="30 g", every="4 week", missed=(0,)), "no coming dose"),
    (Asked(dose="30 g", every="4 week", start="tomorrow"), "not a date"),
    (Asked(dose="30 g", every="4 week", start="2020-01-01"), "before the day"),
    (Asked(switch="no-such"), "no product"),
    (Asked(switch="hizentra-eu"), "no conversion factor"),
    (Asked(), "give a dose"),
])
def test_bad_input_is_refused_with_a_remedy(asked: Asked, why: str) -> None:
    """Every refusal says what to write instead."""
    with pytest.raises(BadInput, match=why) as refused:
        chosen(asked)
    assert all(problem.remedy for problem in refused.value.problems)


def test_all_problems_come_at_once() -> None:
    """Not one by one."""
    with pytest.raises(BadInput) as refused:
        chosen(Asked(dose="0.4", every="4 kg", route="oral", late=("x",)))
    assert len(refused.value.problems) == 4


def test_targets_are_levels() -> None:
    """g/L or mg/dL, above nought."""
    assert target_of("700 mg/dL") == pytest.approx(7.0)
    assert target_of("") is None
    with pytest.raises(BadInput):
        target_of("7 kg")
    with pytest.raises(BadInput):
        target_of("0 g/L")
