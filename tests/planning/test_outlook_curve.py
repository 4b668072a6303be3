"""The curve of the outlook: its rows are points of the forecast, and it is left out where a picture would mislead."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from tests.planning.test_outlook import DAY, evidence, patient, planned

from ivigil.patient.record import Condition
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for
from ivigil.planning.line import Line
from ivigil.planning.outlook_curve import BEFORE, HIGHEST, MEASURED, TODAY
from ivigil.planning.wording import day_text


def curve(name: str) -> Line | None:
    return planned(patient(name)).line("outlook.curve")


def test_each_row_is_a_point_of_the_forecast() -> None:
    """30 g every four weeks from 23 Nov 2026, by the other way to a forecast: each level before a dose, each highest one, the range of nine in ten."""
    line = curve("patients/pid-adult-us")
    assert line is not None
    assert line.table is not None
    made = forecast_for(patient("patients/pid-adult-us"), Asked(dose="30 g", every="4 week", route="intravenous", start="2026-11-23"), Wanted(), evidence(),
                        DAY).forecast
    first, days = made.curves[0].total, list(made.times)
    assert made.bands is not None
    assert made.bands.together is not None
    before = [row for row in line.table.rows if row[1] == BEFORE]
    assert [row[0] for row in before] == [day_text(date(2026, 11, 23) + timedelta(weeks=4 * count)) for count in range(4)]
    for count, row in enumerate(before):
        at = days.index(3.0 + 28 * count)
        assert row[2] == pytest.approx(first[at], abs=0.0501)
        assert row[3:] == pytest.approx((made.bands.together[0][at], made.bands.together[2][at]), abs=0.0501)
    highest = [row[2] for row in line.table.rows if row[1] == HIGHEST]
    for count, level in enumerate(highest):
        inside = [total for day, total in zip(days, first, strict=True) if 3 + 28 * count < day < 31 + 28 * count]
        assert level == pytest.approx(max(inside), abs=0.0501)


def test_rows_are_in_order_and_start_today() -> None:
    """Measured levels, then today, then the coming doses; no day twice but the day of a dose."""
    line = curve("patients/pid-adult-us")
    assert line is not None
    assert line.table is not None
    says = [row[1] for row in line.table.rows]
    assert says[: says.index(TODAY)] == [MEASURED] * says.index(TODAY)
    assert line.table.rows[says.index(TODAY)][0] == "20 Nov 2026"


@pytest.mark.parametrize("name", ["patients/gbs-underweight-us", "patients/dermatomyositis-us", "patients/itp-adult-us", "patients/kawasaki-infant-us"])
def test_a_borrowed_curve_is_not_drawn(name: str) -> None:
    """The model of another disease says something to a clinician who reads its warning, and nothing that may stand alone."""
    made = planned(patient(name))
    assert made.line("outlook.igg") is not None
    assert made.line("outlook.curve") is None


def test_levels_of_ones_own_make_a_curve_whatever_the_state() -> None:
    """Fitted to four levels it is this patient's; with a kidney that loses IgG and no level there is none."""
    line = curve("examples/pid-with-levels")
    assert line is not None
    assert "fitted to the levels" in line.text
    record = patient("patients/pid-adult-us")
    losing = msgspec.structs.replace(record, results=(), conditions=(*record.conditions, Condition(name="Nephrotic syndrome", codes=())))
    assert planned(losing).line("outlook.curve") is None


def test_an_assumed_level_before_treatment_is_noted() -> None:
    """The whole curve may lie elsewhere; with a measured one nothing is noted."""
    known, assumed = curve("patients/pid-adult-us"), curve("patients/mmn-au")
    assert known is not None
    assert assumed is not None
    assert known.table is not None
    assert assumed.table is not None
    assert known.table.note == ""
    assert "higher or lower" in assumed.table.note
