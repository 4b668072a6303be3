"""Vaccine hazards: mistakes that published tools make, each caught by the plan."""

from __future__ import annotations

from datetime import date

import pytest
from tests.planning.care_sample import amount, context, draft, evidence, grams, ids, line, vaccine

from ivigil.patient.record import Measurement
from ivigil.planning.vaccination import step

CHILD = {"weight": "10 kg", "age": "1 year"}


@pytest.mark.parametrize("place", ["US", "CA-ON", "AU", "JP", "EU", "UK-ENG"])
def test_mmr_planned_8_months_after_2_g_per_kg_is_flagged(place: str) -> None:
    """8 months is the wait after a replacement dose. After 2 g/kg it is 11: 20 November 2026 + 11 months = 20 October 2027."""
    plan = step(draft("kawasaki", CHILD, course=2, vaccinations=(vaccine("MMR", "2027-07-20"),)), evidence(), context(place))
    move = line(plan, "vaccination.move.mmr.2027-07-20")
    assert move.urgency == "warning"
    assert move.when == date(2027, 10, 20)


def test_mmr_8_months_after_a_replacement_dose_is_left_alone() -> None:
    """0.4 g/kg: 20 November 2026 + 8 months = 20 July 2027 is early enough, a day before is not."""
    planned = (vaccine("MMR", "2027-07-20"), vaccine("varicella", "2027-07-19"))
    plan = step(draft("kawasaki", CHILD, course=0.4, vaccinations=planned), evidence(), context())
    assert "vaccination.move.mmr.2027-07-20" not in ids(plan)
    assert "vaccination.move.varicella.2027-07-19" in ids(plan)


@pytest.mark.parametrize("place", ["US", "CA", "CA-ON", "AU", "JP"])
def test_a_vaccine_10_days_before_immunoglobulin_does_not_count(place: str) -> None:
    """Donor antibody meets the vaccine virus: repeat, and not before the wait after this course has ended."""
    plan = step(draft("kawasaki", CHILD, course=2, vaccinations=(vaccine("MMR", "2026-11-10"),)), evidence(), context(place))
    repeat = line(plan, "vaccination.repeat.mmr.2026-11-10")
    assert "does not count: immunoglobulin 10 days later" in repeat.text
    assert repeat.urgency == "warning"
    assert repeat.when == date(2027, 10, 20)


def test_a_second_kawasaki_dose_restarts_the_wait() -> None:
    """The wait counts from the last dose: 2 g/kg on 1 November and again on 20 November ends on 20 October 2027, not on 1 October."""
    plan = step(draft("kawasaki", CHILD, course=2, infusions=(grams("2026-11-01", "20 g"),)), evidence(), context())
    assert line(plan, "vaccination.mmr").when == date(2027, 10, 20)


def test_a_child_that_has_grown_keeps_the_dose_per_kg_of_then() -> None:
    """10.5 g at 10 kg was more than 1 g/kg (11 months); read with the 20 kg of today it would be 0.53 g/kg and a month too early."""
    weights = (Measurement(value=amount("10 kg"), on=date(2026, 2, 1)), Measurement(value=amount("20 kg"), on=date(2026, 11, 18)))
    plan = step(draft("kawasaki", {"weight": "20 kg"}, weights=weights, infusions=(grams("2026-02-03", "10.5 g"),)), evidence(), context())
    assert line(plan, "vaccination.mmr").when == date(2027, 1, 3)


def test_a_monoclonal_antibody_is_not_dated_like_immunoglobulin() -> None:
    """Rituximab holds no measles antibody of donors; the plan asks instead of printing 11 months."""
    plan = step(draft("kawasaki", CHILD, infusions=(grams("2026-11-01", product="rituximab", kind="monoclonal-antibody"),)), evidence(), context())
    assert "vaccination.mmr" not in ids(plan)
    assert "vaccination.product-unknown" in ids(plan)


def test_three_months_is_never_enough_for_measles_after_2_g_per_kg_without_a_test() -> None:
    """In Europe the leaflet's date comes with the dose-based date and the antibody test."""
    plan = step(draft("kawasaki", CHILD, course=2, vaccinations=(vaccine("MMR", "2027-03-01"),)), evidence(), context("UK-ENG"))
    move = line(plan, "vaccination.move.mmr.2027-03-01")
    assert "without an antibody test" in move.text
    assert move.when == date(2027, 10, 20)
