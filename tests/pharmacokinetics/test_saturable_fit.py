"""The saturable model on event tables: its levels, their derivatives, and fits that find the best answer."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tools.check_fits import SATURABLE, compare, plain, simulate, table_of
from tools.independent_fit import Person, independent_fit, levels, own

from ivigil.basis.problems import BadInput
from ivigil.pharmacokinetics import kernels
from ivigil.pharmacokinetics.event_table import read_table
from ivigil.pharmacokinetics.fit_model import Baseline, Effect, FitModel, Parameter, Residual, Structure, check_model, typical_values
from ivigil.pharmacokinetics.individualise import fit_many
from ivigil.pharmacokinetics.linear import Steps
from ivigil.pharmacokinetics.map_search import Task, curve, task_of
from ivigil.pharmacokinetics.saturable import Catabolism, simulated
from ivigil.pharmacokinetics.schedule import schedule

MODEL = SATURABLE.model
Columns = dict[str, list[Any]]


def prepared(model: FitModel, doses: dict[str, Any], drawn: dict[str, Any]) -> tuple[Task, Steps]:
    """What a search works on."""
    table, found = read_table(model, doses, drawn)
    typical, _ = typical_values(model, table.covariates, len(table.time))
    return task_of(model, True), schedule(table, typical, 0.0, "next", found).block(np.arange(len(table.ids)))


def exact(p: dict[str, float], person: Person) -> list[float]:
    """Levels by scipy's eighth-order solver with tight bounds, from one change of the doses to the next."""
    def lost(level: float) -> float:
        return max(p["kint"] - p["J"] / (p["Km"] + level), p["floor"])

    made = lost(p["baseline"]) * p["baseline"] * p["Vc"]

    def slope(_: float, y: Any, rate: float) -> list[float]:
        flow = p["Q"] * (y[0] / p["Vc"] - y[1] / p["Vp"])
        return [made + rate + p["ka"] * y[2] - lost(y[0] / p["Vc"]) * y[0] - flow, flow, -p["ka"] * y[2]]

    doses = list(zip(person.dose_time, person.amount, person.into_depot, person.duration, strict=True))
    changes = sorted({*person.time, *person.dose_time, *(start + length for start, _, _, length in doses)})
    state, now, found = np.array([p["baseline"] * p["Vc"], p["baseline"] * p["Vp"], 0.0]), 0.0, {}
    for moment in changes:
        if moment > now:
            rate = sum(grams / length for start, grams, _, length in doses if length and start <= now < start + length - 1e-9)
            state, now = solve_ivp(slope, (now, moment), state, method="DOP853", args=(rate,), rtol=1e-10, atol=1e-12).y[:, -1], moment
        found[moment] = float(state[0] / p["Vc"])
        for start, grams, depot, _ in doses:
            if start == moment and depot:
                state[2] += p["F"] * grams
    return [found[moment] for moment in person.time]


def test_levels_and_the_independent_ones_are_those_of_a_tight_solver() -> None:
    """Within 1e-4 g/L for people as the model draws them; the other program that fits are held to is within 1e-5."""
    people, etas = simulate(SATURABLE, 12, 3)
    task, steps = prepared(MODEL, *table_of(people, True))
    found, _ = curve(task, steps, (etas @ task.full.T)[:, None, :])
    for place, person in enumerate(people):
        p = own(plain(MODEL), etas[place], person.weight)
        reference = exact(p, person)
        np.testing.assert_allclose(found[place, 0], reference, atol=1e-4)
        np.testing.assert_allclose(levels(p, person, person.time), reference, atol=1e-5)


def test_levels_that_fall_through_the_floor_of_catabolism() -> None:
    """From 3 g/L up and back through the bend at about 4 g/L: within 5e-3 g/L."""
    people, _ = simulate(SATURABLE, 6, 4)
    low = msgspec.structs.replace(MODEL, baseline=Baseline(3.0, omega2=0.09))
    people = [person._replace(amount=person.amount / 12, time=np.array([2.0, 30.0, 59.0, 90.0])) for person in people]
    people = [person._replace(level=np.ones(4)) for person in people]
    task, steps = prepared(low, *table_of(people, True))
    found, _ = curve(task, steps, np.zeros((6, 1, len(low.columns_of_parameters))))
    for place, person in enumerate(people):
        np.testing.assert_allclose(found[place, 0], exact(own(plain(low), np.zeros(3), person.weight), person), atol=5e-3)


def test_derivatives_are_those_of_the_levels() -> None:
    """Against central differences, for every parameter that may differ between people."""
    people, etas = simulate(SATURABLE, 8, 6)
    task, steps = prepared(MODEL, *table_of(people, True))
    shift = (etas @ task.full.T)[:, None, :]
    every = tuple(range(1, len(MODEL.columns_of_parameters)))
    plain_levels, _ = curve(task, steps, shift)
    found, slopes = curve(task, steps, shift, every)
    np.testing.assert_allclose(found, plain_levels, rtol=1e-12)
    for place, column in enumerate(every):
        ends = []
        for sign in (1, -1):
            moved = shift.copy()
            moved[..., column] += sign * 1e-5
            ends.append(curve(task, steps, moved)[0])
        np.testing.assert_allclose(slopes[..., place], (ends[0] - ends[1]) / 2e-5, atol=1e-6, rtol=1e-6)


def test_without_saturation_it_is_the_linear_model() -> None:
    """With next to nothing recycled the rate is constant: the closed form of a model with kel, its own IgG added."""
    parts = {"Vc": Parameter(3.0, (Effect("WT", 70.0, 1.0),)), "Q": Parameter(0.5), "Vp": Parameter(2.0), "ka": Parameter(0.4), "F": Parameter(0.8)}
    linear = FitModel(Structure(2, True), {**parts, "kel": Parameter(0.06, omega2=0.05)}, Residual(prop_sd=0.1), Baseline(8.0))
    other = FitModel(Structure(2, True, "saturable"), {**parts, "kint": Parameter(0.06, omega2=0.05), "J": Parameter(1e-12), "Km": Parameter(50.0)},
                     Residual(prop_sd=0.1), Baseline(8.0))
    tables = table_of(simulate(SATURABLE, 10, 8)[0], True)
    first, second = fit_many(linear, *tables), fit_many(other, *tables)
    assert first.status == second.status
    np.testing.assert_allclose(second.eta, first.eta, atol=1e-5)
    np.testing.assert_allclose(second.level_table.individual, first.level_table.individual, atol=2e-4)


def test_it_agrees_with_the_curves_of_the_forecast() -> None:
    """The same course through the solver that draws forecasts."""
    days = np.array([1.0, 5.5, 14.0, 28.0, 60.0])
    given = kernels.doses(np.arange(5.0), np.full(5, 28.0), np.full(5, 0.2))
    drawn = simulated(Catabolism(0.401, 21.5, 52.2, 0.0198, 3.01, 3.01, 1.498), 12.0, given, np.r_[0.0, days]).total[1:, 0]
    doses: Columns = {"ID": [1] * 5, "time": [0, 1, 2, 3, 4], "evid": [1] * 5, "amt": [28.0] * 5, "cmt": [2] * 5, "rate": [140.0] * 5, "WT": [70.0] * 5}
    fits = fit_many(MODEL, doses, {"ID": [1] * 5, "time": days.tolist(), "DV": drawn.tolist()})
    np.testing.assert_allclose(fits.level_table.typical, drawn, atol=1e-4)
    np.testing.assert_allclose(fits.eta, 0.0, atol=0.02)  # the levels are the typical ones; only the logarithm of their variance pulls


def test_the_best_answer_is_that_of_an_independent_solver() -> None:
    """Another integrator, scipy's BFGS on differences, from several starts: same parameters, never a worse objective."""
    pytest.importorskip("numba", reason="the independent integrator is slow without")
    people, _ = simulate(SATURABLE, 20, 77)
    fits = fit_many(MODEL, *table_of(people, True))
    tally = compare(SATURABLE, people, fits, [independent_fit(plain(MODEL), person, place, 2) for place, person in enumerate(people)])
    assert (tally.worse, tally.failed, tally.same) == (0, 0, 20)


def test_nobody_depends_on_who_stands_beside() -> None:
    """A subject alone gets what it gets in a batch, also beside one whose infusions differ."""
    people, _ = simulate(SATURABLE, 5, 12)
    people[2] = people[2]._replace(duration=people[2].duration * 3)
    everyone = fit_many(MODEL, *table_of(people, True))
    for place, person in enumerate(people):
        alone = fit_many(MODEL, *table_of([person], True))
        np.testing.assert_allclose(alone.eta[0], everyone.eta[place], atol=1e-9)


def test_a_reset_goes_back_to_rest_and_a_weight_may_change() -> None:
    """After evid 3 the level is the baseline again; a heavier body makes more IgG in a larger volume, and the level at rest stays."""
    events: Columns = {"ID": [1] * 6, "time": [0, 20, 30, 30, 40, 300], "evid": [1, 2, 3, 2, 2, 2], "amt": [70, 0, 0, 0, 0, 0], "cmt": [2] * 6, "rate": [0] * 6,
              "DV": [None] * 6, "WT": [70, 70, 70, 70, 70, 90]}
    found = fit_many(MODEL, events).level_table.typical
    assert found[0] > 14
    np.testing.assert_allclose(found[[1, 2]], 12.0, rtol=1e-12)
    assert found[3] == pytest.approx(12.0, rel=0.01)


def test_the_posterior_is_drawn() -> None:
    """Importance resampling runs on the same levels; its spread is that of the curvature where levels are many."""
    people, _ = simulate(SATURABLE, 3, 21, samples=12)
    fits = fit_many(MODEL, *table_of(people, True), posterior=200, seed=4)
    assert fits.draws is not None
    assert np.all(fits.draws.ess > 60)
    np.testing.assert_allclose(fits.draws.eta.std(axis=1), fits.se, rtol=0.4)


def test_what_a_saturable_model_lacks_is_said_at_once() -> None:
    """Its own parameters in place of a clearance; each wrong one is named."""
    wrong = FitModel(Structure(2, False, "saturable"), {"CL": Parameter(0.2), "Vc": Parameter(3.0, omega2=0.1)}, Residual(prop_sd=0.1), Baseline(12.0))
    assert [problem.why for problem in check_model(wrong)] == ["'J' is missing", "'Km' is missing", "'Q' is missing", "'Vp' is missing", "'kint' is missing",
                                                               "no parameter of this structure"]
    linear = FitModel(Structure(1), {"CL": Parameter(0.2), "Vc": Parameter(3.0, omega2=0.1), "Km": Parameter(50.0)}, Residual(prop_sd=0.1))
    assert [problem.why for problem in check_model(linear)] == ["no parameter of this structure"]


def test_steady_state_and_compiled_kernels_are_refused() -> None:
    """Neither is worked out for this model; the first refuses the subject, the second the call."""
    doses: Columns = {"ID": [1], "time": [0], "evid": [1], "amt": [70], "cmt": [2], "rate": [0], "ii": [28], "ss": [1], "WT": [70]}
    drawn: Columns = {"ID": [1], "time": [20], "DV": [15.0]}
    fits = fit_many(MODEL, doses, drawn)
    assert fits.status == ["failed: events 1, ss: steady state of a saturable model is not worked out"]
    with pytest.raises(BadInput, match="no compiled search"):
        fit_many(MODEL, doses, drawn, fast=True)
