"""The linear kernels are exact: against a tight solver, against each other, and in what any linear model must obey."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ivigil.pharmacokinetics import kernels

TWO = (0.138, 3.95, 0.26, 4.44, 0.444, 0.676)
ONE = (0.0624, 2.77, None, None, 0.096, 0.739)
GIVEN = kernels.doses([0.0, 7.3, 28.0, 30.0], [28.0, 10.0, 30.0, 12.0], [0.2, 0.0, 3.4, 0.0], [False, True, False, True])
TIMES = np.array([0.0, 0.1, 0.2, 3.0, 7.3, 9.0, 28.0, 29.5, 31.4, 40.0, 90.0])


def solved(parameters: tuple[Any, ...], doses: kernels.Doses, times: Any) -> Any:
    """An independent solution of the differential equations of section 2, restarted at every change."""
    clearance, volume, exchange, tissue, absorption, available = parameters
    exchange, tissue = exchange or 0.0, tissue or 1.0
    changes = np.unique(np.concatenate([[0.0], doses.times, doses.times + doses.lengths, times]))
    state, out = np.zeros(3), {0.0: 0.0}
    for start, end in itertools.pairwise(changes):
        inflow = 0.0
        for when, grams, length, depot in zip(doses.times, doses.grams, doses.lengths, doses.depot, strict=True):
            if when == start and depot:
                state[0] += available * grams
            elif when == start and length == 0:
                state[1] += grams
            elif length > 0 and when <= start < when + length:
                inflow += grams / length

        def slope(_: float, y: Any, inflow: float = inflow) -> list[float]:
            between = exchange / volume * y[1] - exchange / tissue * y[2]
            return [-absorption * y[0], inflow + absorption * y[0] - clearance / volume * y[1] - between, between]

        state = solve_ivp(slope, (start, end), state, method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1].copy()
        out[end] = state[1] / volume
    return np.array([out[time] for time in times])


@pytest.mark.parametrize("parameters", [TWO, ONE], ids=["two compartments", "one compartment"])
def test_superposition_agrees_with_a_tight_solver(parameters: tuple[Any, ...]) -> None:
    """Bolus, infusion and depot at odd times; a level at the moment of a dose is the one before it."""
    ours = kernels.superposed(kernels.modes(*parameters), GIVEN, TIMES)[:, 0]
    assert np.allclose(ours, solved(parameters, GIVEN, TIMES), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("parameters", [TWO, ONE], ids=["two compartments", "one compartment"])
@pytest.mark.parametrize(("step", "start"), [(1.0, 0.0), (0.25, 0.0), (1.0, 28.5), (2.7, 10.0)])
def test_the_grid_is_superposition(parameters: tuple[Any, ...], step: float, start: float) -> None:
    """The recurrence loses nothing, wherever doses fall between its points or before its start."""
    modes = kernels.modes(*parameters)
    grid = kernels.on_grid(modes, GIVEN, 60, step, start)
    assert np.allclose(grid, kernels.superposed(modes, GIVEN, start + step * np.arange(60)), rtol=1e-12, atol=1e-12)


def test_many_patients_with_doses_of_their_own() -> None:
    """A block boundary inside the patients, amounts by patient: each equals the patient alone."""
    patients = kernels.BLOCK + 3
    spread = np.linspace(0.5, 1.5, patients)
    modes = kernels.modes(0.138 * spread, np.full(patients, 3.95), 0.26, 4.44, 0.444, 0.676)
    own = kernels.doses([0.0, 14.0], np.stack([20 * spread, 30 / spread]), [0.2, 0.0], [False, True])
    grid = kernels.on_grid(modes, own, 30)
    for patient in (0, kernels.BLOCK - 1, kernels.BLOCK, patients - 1):
        alone = kernels.modes(0.138 * spread[patient], 3.95, 0.26, 4.44, 0.444, 0.676)
        mine = own._replace(grams=own.grams[:, patient])
        assert np.allclose(grid[:, patient], kernels.superposed(alone, mine, np.arange(30.0))[:, 0], rtol=1e-12, atol=1e-12)


def test_steady_state_is_where_a_long_run_ends() -> None:
    """The closed form of a pattern with an infusion and a depot dose in one interval."""
    modes = kernels.modes(*TWO)
    pattern = kernels.doses([0.0, 3.0], [28.0, 5.0], [0.2, 0.0], [False, True])
    rounds = 28.0 * np.arange(200)
    run = kernels.doses(np.concatenate([rounds, rounds + 3]), np.repeat([28.0, 5.0], 200), np.repeat([0.2, 0.0], 200), np.repeat([False, True], 200))
    phases = np.array([0.0, 0.1, 1.0, 3.0, 3.5, 14.0, 28.0])
    assert np.allclose(kernels.at_steady_state(modes, pattern, 28.0, phases), kernels.superposed(modes, run, 199 * 28.0 + phases), rtol=1e-9)


def test_exposure_is_dose_over_clearance() -> None:
    """From a vein 1 / clearance per gram, from a depot times the bioavailability."""
    modes = kernels.modes(*TWO)
    assert kernels.exposure(modes, depot=False) == pytest.approx(1 / 0.138, rel=1e-12)
    assert kernels.exposure(modes, depot=True) == pytest.approx(0.676 / 0.138, rel=1e-12)


@pytest.mark.parametrize("near", [1.0, 1 + 1e-9, 1 - 1e-7, 1 + 1e-5])
def test_equal_rates_do_not_divide_by_nought(near: float) -> None:
    """Absorption as fast as a disposition phase has a finite curve within a few millionths of its neighbours."""
    slow = float(kernels.modes(0.138, 3.95, 0.26, 4.44).slowest[0])
    once = kernels.doses([0.0], [10.0], depot=True)
    curve = kernels.superposed(kernels.modes(0.138, 3.95, 0.26, 4.44, slow * near), once, TIMES)
    beside = kernels.superposed(kernels.modes(0.138, 3.95, 0.26, 4.44, slow * (near + 3e-6)), once, TIMES)
    assert np.all(np.isfinite(curve))
    assert np.allclose(curve, beside, rtol=2e-5, atol=1e-9)


parameter = st.floats(0.02, 5.0)


@settings(max_examples=60, deadline=None)
@given(parameter, parameter, parameter, parameter, st.floats(0.05, 3.0), st.floats(0.1, 10.0), st.floats(0.0, 30.0))
def test_any_linear_model_is_linear(clearance: float, volume: float, exchange: float, tissue: float, absorption: float, times: float, shift: float) -> None:
    """More dose, proportionally more level; two doses add up; everything later, everything later; never below nought."""
    modes = kernels.modes(clearance, volume, exchange, tissue, absorption, 0.7)
    at = np.linspace(0.0, 60.0, 25)
    one, two = kernels.doses([1.0], [10.0], 0.2), kernels.doses([4.0], [7.0], depot=True)
    both = kernels.doses([1.0, 4.0], [10.0, 7.0], [0.2, 0.0], [False, True])
    first, second = kernels.superposed(modes, one, at), kernels.superposed(modes, two, at)
    scale = max(1.0, float(first.max()))
    assert np.allclose(kernels.superposed(modes, both, at), first + second, atol=1e-9 * scale)
    assert np.allclose(kernels.superposed(modes, one._replace(grams=one.grams * times), at), first * times, atol=1e-9 * scale * times)
    assert np.allclose(kernels.superposed(modes, one._replace(times=one.times + shift), at + shift), first, rtol=1e-6, atol=1e-9 * scale)
    assert np.all(first >= 0)
    assert np.all(second >= -1e-9 * scale)


@pytest.mark.parametrize("bad", [(-1.0, 3.0), (0.0, 3.0), (np.nan, 3.0), (0.1, np.inf)])
def test_impossible_parameters_are_refused(bad: tuple[float, float]) -> None:
    """A clearance of nought would be a level without end."""
    with pytest.raises(ValueError, match="finite and above nought"):
        kernels.modes(*bad)


@pytest.mark.parametrize("bad", [([0.0], [-1.0]), ([np.nan], [1.0]), ([0.0, 1.0], [1.0, 2.0, 3.0])])
def test_impossible_doses_are_refused(bad: Any) -> None:
    """Negative or missing amounts and times do not become curves."""
    with pytest.raises(ValueError):
        kernels.doses(*bad)


def test_a_pattern_longer_than_its_interval_is_refused() -> None:
    """Five days of infusion do not fit into three."""
    with pytest.raises(ValueError, match="fits into one interval"):
        kernels.at_steady_state(kernels.modes(*TWO), kernels.doses([0.0, 4.0], [1.0, 1.0]), 3.0, [0.0])


def test_models_side_by_side_keep_their_curves() -> None:
    """One and two compartments joined, the smaller padded with an empty exponential."""
    parts = [kernels.modes(*TWO), kernels.modes(*ONE)]
    joined = kernels.on_grid(kernels.joined(parts), GIVEN, 40)
    for column, part in enumerate(parts):
        assert np.allclose(joined[:, column], kernels.on_grid(part, GIVEN, 40)[:, 0], rtol=1e-13)
