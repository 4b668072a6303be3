"""The next level worth drawing: against the spread that is left when many simulated levels of that day are fitted."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from tests.pharmacokinetics.people import TODAY, evidence, infusion, level, record

from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Made, Wanted, forecast_for
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.sampling import candidates

MONTHS = tuple(infusion(-28 * index) for index in range(12, 0, -1))


def made(**more: object) -> Made:
    return forecast_for(record(infusions=MONTHS, **more), Asked(), Wanted(), evidence(), TODAY)


def test_days_in_distribution_are_left_out() -> None:
    """Up to the day of a dose, and again from five days after it; a depot dose leaves every day."""
    regimen = Regimen(28.0, 28.0)
    vein = candidates((Given(0.0, 28.0, "intravenous"), Given(28.0, 28.0, "intravenous")), regimen, evidence())
    assert vein.tolist() == [0.0, *np.arange(5.0, 29.0).tolist()]
    assert candidates((Given(0.0, 28.0, "subcutaneous"),), regimen, evidence()).size == 29


def test_a_level_narrows_what_is_to_come_and_a_second_one_less() -> None:
    """Without levels the next one tells much; once four are known it tells less, and less is open."""
    plain = made().sampling
    levels = tuple(level(-28 * index, "9 g/L", drawn="before-infusion") for index in (7, 5, 3, 1))
    known = made(results=levels).sampling
    assert plain is not None
    assert known is not None
    assert plain.with_it < 0.6 * plain.without
    assert known.without < 0.5 * plain.without
    assert known.without - known.with_it < plain.without - plain.with_it
    assert plain.first <= plain.day <= plain.last


def test_what_is_promised_is_what_a_fit_keeps() -> None:
    """The standard deviation left by a level on that day is that of the fit to such a level, within a tenth."""
    sampling, prior = made().sampling, made().forecast
    assert sampling is not None
    day = int(sampling.day)
    expected = float(prior.curves[0].total[int(np.argmin(np.abs(prior.times - day)))])
    coming = tuple(infusion(int(dose.day)) for dose in prior.given if 0 <= dose.day <= day)
    patient = record(infusions=(*MONTHS, *coming), results=(level(day, f"{expected:.3f} g/L", drawn="before-infusion"),))
    later = forecast_for(patient, Asked(), Wanted(), evidence(), TODAY + timedelta(days=day)).sampling
    assert later is not None
    assert later.without == pytest.approx(sampling.with_it, rel=0.1)


def test_a_single_course_has_none() -> None:
    """There is no trough to come."""
    one = forecast_for(record(), Asked(dose="2 g/kg", every="once", days=5), Wanted(indication="cidp"), evidence(), TODAY)
    assert one.sampling is None
