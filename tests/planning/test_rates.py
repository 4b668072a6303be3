"""Rate arithmetic against sums done by hand."""

from __future__ import annotations

from datetime import datetime

import pytest

from ivigil.basis.quantity import Quantity, UnitProblem
from ivigil.planning import rates
from ivigil.planning.rates import Rung


@pytest.mark.parametrize(
    ("rate", "percent", "weight", "expected"),
    [
        (Quantity(0.5, "mg/kg/min"), 10.0, 70.0, 21.0),  # 0.5 x 60 / 100 mg/mL = 0.3 mL/kg/h; x 70 kg = 21
        (Quantity(4, "mg/kg/min"), 10.0, 70.0, 168.0),  # 2.4 mL/kg/h x 70
        (Quantity(4, "mg/kg/min"), 5.0, 70.0, 336.0),  # half the strength, twice the volume
        (Quantity(0.01, "mL/kg/min"), 10.0, 50.0, 30.0),  # 0.6 mL/kg/h x 50
        (Quantity(30, "mg/kg/h"), 5.0, 60.0, 36.0),  # 30 / 50 mg/mL = 0.6 mL/kg/h x 60
        (Quantity(6, "g/h"), 10.0, 80.0, 60.0),  # 6 g is 60 mL at 10 %, whoever gets it
        (Quantity(120, "mL/h"), 10.0, 80.0, 120.0),
    ],
)
def test_every_printed_unit_becomes_ml_per_hour(rate: Quantity, percent: float, weight: float, expected: float) -> None:
    """A rate in any printed unit gives the mL/h worked out by hand."""
    assert rates.flow(rate, percent, weight) == pytest.approx(expected)


def test_a_volume_is_not_a_rate() -> None:
    """A quantity that is no rate is refused with a remedy."""
    with pytest.raises(UnitProblem, match="not an infusion rate"):
        rates.flow(Quantity(10, "mL"), 10.0, 70.0)


def test_back_to_mass_and_weight_rates() -> None:
    """168 mL/h of 10 % in 70 kg is 4 mg/kg/min and 2.4 mL/kg/h."""
    assert rates.mass_rate(168.0, 10.0, 70.0) == pytest.approx(4.0)
    assert rates.weight_rate(168.0, 70.0) == pytest.approx(2.4)


def test_the_lower_of_two_printed_readings_binds() -> None:
    """Gammagard Liquid prints 0.5 mL/kg/h and 0.8 mg/kg/min: 0.8 mg/kg/min is 0.48 mL/kg/h, so 33.6 mL/h at 70 kg, not 35."""
    assert rates.restrictive(Quantity(0.5, "mL/kg/h"), Quantity(0.8, "mg/kg/min"), 10.0, 70.0) == pytest.approx(33.6)


@pytest.mark.parametrize(
    ("flow", "increment", "expected"), [(20.99, 1.0, 20.0), (21.0, 1.0, 21.0), (33.6, 0.1, 33.6), (33.69, 0.1, 33.6), (0.9, 1.0, 0.0), (7.3, 0.0, 7.3)]
)
def test_pump_rounding_goes_down(flow: float, increment: float, expected: float) -> None:
    """A pump is set to the step below, never above."""
    assert rates.round_down(flow, increment) == expected


def test_printed_increments_make_steps() -> None:
    """Bivigam's +0.8 mg/kg/min from 0.5 to 6 at 10 % in 100 kg: 30 mL/h, then +48 mL/h, ends at 360 mL/h."""
    rungs = rates.ladder(Rung(30.0, 1 / 6), (), 360.0, by=48.0, every=1 / 3)
    assert [rung.flow for rung in rungs] == pytest.approx([30, 78, 126, 174, 222, 270, 318, 360])


def test_doubling_stops_at_the_cap() -> None:
    """Doubling from 21 mL/h under a cap of 120 mL/h: 21, 42, 84, 120."""
    assert [rung.flow for rung in rates.ladder(Rung(21.0, 0.5), (), 120.0, times=2.0, every=0.5)] == [21, 42, 84, 120]


def test_a_cap_below_the_start_is_the_only_rate() -> None:
    """No rung is ever above the cap, the start included."""
    assert rates.ladder(Rung(60.0, 0.5), (Rung(120.0, 0.5),), 50.0) == [Rung(50.0)]


def test_volumes_add_up_and_the_last_step_ends_with_the_volume() -> None:
    """700 mL at 42 mL/h for 30 min, 84 mL/h for 30 min, then 168 mL/h: 21 + 42 + 637 mL, in after 1 h + 637/168 h."""
    rows = rates.climb([Rung(42.0, 0.5), Rung(84.0, 0.5), Rung(168.0)], 700.0)
    assert [row.volume for row in rows] == [21.0, 42.0, 637.0]
    assert [row.total for row in rows] == [21.0, 63.0, 700.0]
    assert rows[-1].end == pytest.approx(1 + 637 / 168)


def test_a_small_volume_is_in_before_the_maximum() -> None:
    """20 mL are in during the first half hour at 42 mL/h: 20/42 h, one row."""
    rows = rates.climb([Rung(42.0, 0.5), Rung(168.0)], 20.0)
    assert len(rows) == 1
    assert rows[0].volume == 20.0
    assert rows[0].end == pytest.approx(20 / 42)


def test_a_start_without_a_printed_time_stays_open() -> None:
    """Where no time is printed for the start, its row has no volume and the end is the earliest possible one."""
    first, last = rates.climb([Rung(21.0), Rung(168.0)], 700.0)
    assert (first.end, first.volume) == (None, None)
    assert (last.start, last.volume, last.total) == (None, 700.0, 700.0)


def test_clock_times() -> None:
    """Times are to the minute and name the next day."""
    start = datetime(2026, 11, 20, 22, 0)
    assert rates.clock(start, 1.5) == "23:30"
    assert rates.clock(start, 4.0) == "02:00 +1 d"
    assert rates.clock(start, None) is None
