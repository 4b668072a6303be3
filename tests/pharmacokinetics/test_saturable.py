"""The saturable model: at rest without doses, within the declared error of a tight solver, and no feedback on production."""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ivigil.pharmacokinetics import kernels, saturable

WEIGHT = 70.0
MODEL = saturable.Catabolism(0.401, 21.5, 52.2, 0.0198, 0.043 * WEIGHT, 0.043 * WEIGHT, 0.0214 * WEIGHT, 0.439, 0.824)
COURSES = {
    "2 g/kg over 5 days": kernels.doses(np.arange(5.0), 28.0, 1 / 6),
    "0.2 g/kg a week from a depot": kernels.doses(7 * np.arange(13.0), 14.0, 0.0, True),
    "0.5 g/kg every 4 weeks": kernels.doses(28 * np.arange(4.0), 35.0, 1 / 6),
}
DAYS = np.arange(0.0, 91.0)


@lru_cache
def solved(baseline: float, course: str) -> Any:
    """Total IgG and tracer by an independent solver, restarted at every change."""
    given = COURSES[course]
    central, out, back = float(MODEL.central), float(MODEL.exchange) / float(MODEL.central), float(MODEL.exchange) / float(MODEL.peripheral)  # type: ignore[arg-type]

    def rate(level: float) -> float:
        return max(0.401 - 21.5 / (52.2 + level), 0.0198)

    changes = np.unique(np.concatenate([given.times, given.times + given.lengths, DAYS]))
    changes = changes[changes <= DAYS[-1]]
    state = np.array([baseline, baseline, 1.0, 1.0, 0.0])
    found = {0.0: state.copy()}
    for start, end in itertools.pairwise(changes):
        state[4] += given.grams[(given.times == start) & given.depot].sum()
        running = (given.times <= start) & (given.times + given.lengths > start) & (given.lengths > 0)
        inflow = float(np.sum(given.grams[running] / given.lengths[running])) / central

        def slope(_: float, y: Any, inflow: float = inflow) -> list[float]:
            made, lost = rate(baseline), rate(y[0])
            return [made * baseline + inflow + 0.439 * 0.824 * y[4] / central - lost * y[0] - out * (y[0] - y[1]), back * (y[0] - y[1]),
                    made - lost * y[2] - out * (y[2] - y[3]), back * (y[2] - y[3]), -0.439 * y[4]]

        state = solve_ivp(slope, (start, end), state, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1].copy()
        found[end] = state.copy()
    return np.array([found[day] for day in DAYS])


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize(("baseline", "error"), [(3.0, 1e-4), (5.0, 2e-5), (8.0, 2e-5), (12.0, 2e-5), (20.0, 2e-5)])
def test_the_declared_error_holds(baseline: float, error: float, course: str) -> None:
    """2e-5 g/L from 5 g/L up; 1e-4 where the floor of the catabolic rate is crossed.."""
    reference, ours = solved(baseline, course), saturable.simulated(MODEL, baseline, COURSES[course], DAYS)
    assert np.abs(ours.total[:, 0] - reference[:, 0]).max() < error
    assert np.abs(ours.tracer[:, 0] - reference[:, 2]).max() < error


@pytest.mark.parametrize("baseline", [2.0, 4.0, 12.0, 30.0])
def test_without_doses_nothing_moves(baseline: float) -> None:
    """Production equals loss at the patient's own level."""
    course = saturable.simulated(MODEL, baseline, kernels.doses([0.0], [0.0]), DAYS)
    assert np.allclose(course.total, baseline, rtol=1e-12)
    assert np.allclose(course.tracer, 1.0, rtol=1e-12)


def test_more_immunoglobulin_means_more_igg_and_less_autoantibody() -> None:
    """The one mechanism this model shows."""
    small = saturable.simulated(MODEL, 12.0, kernels.doses([0.0], [35.0], 0.2), DAYS)
    large = saturable.simulated(MODEL, 12.0, kernels.doses([0.0], [140.0], 0.2), DAYS)
    assert np.all(large.total[1:] > small.total[1:])
    assert np.all(large.tracer[1:] < small.tracer[1:])


def test_patients_in_blocks_equal_patients_alone() -> None:
    """A block boundary inside the patients, baselines and amounts by patient."""
    size = saturable.BLOCK + 2
    baselines, grams = np.linspace(4, 20, size), np.linspace(20, 140, size)[np.newaxis]
    together = saturable.simulated(MODEL, baselines, kernels.doses([1.0], grams, 0.2), DAYS)
    for patient in (0, saturable.BLOCK, size - 1):
        alone = saturable.simulated(MODEL, baselines[patient], kernels.doses([1.0], grams[:, patient], 0.2), DAYS)
        assert np.allclose(together.total[:, patient], alone.total[:, 0], rtol=1e-12)


def test_a_dose_before_the_start_is_run_from_there() -> None:
    """Times may begin later than the doses."""
    whole = saturable.simulated(MODEL, 12.0, kernels.doses([-20.0], [140.0], 0.2), np.arange(-20.0, 30.0))
    later = saturable.simulated(MODEL, 12.0, kernels.doses([-20.0], [140.0], 0.2), np.arange(0.0, 30.0))
    assert np.allclose(whole.total[20:], later.total, atol=1e-4)


def test_times_run_forwards() -> None:
    """Steps go one way."""
    with pytest.raises(ValueError, match="run forwards"):
        saturable.simulated(MODEL, 12.0, kernels.doses([0.0], [1.0]), [3.0, 1.0])
