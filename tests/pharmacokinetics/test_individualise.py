"""Fits find the best answer, say when they cannot, and depend on nothing that should not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from tools.check_fits import CASES, Case, compare, plain, simulate, table_of
from tools.independent_fit import Person, independent_fit, levels, objective, own

from ivigil.basis.problems import BadInput
from ivigil.pharmacokinetics.fit_model import Baseline, Covariance, Effect, FitModel, LeanMass, Measured, Parameter, Residual, Structure, read_fit_model
from ivigil.pharmacokinetics.individualise import Fits, fit_many

TWO = CASES[1]
Columns = dict[str, list[Any]]


def fitted(case: Case, number: int = 40, seed: int = 5, **options: Any) -> tuple[Fits, Columns, Columns]:
    """Simulated patients of a case, and their fits."""
    people, _ = simulate(case, number, seed)
    doses, drawn = table_of(people, case.model.structure.depot)
    return fit_many(case.model, doses, drawn, **options), doses, drawn


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_best_answer_is_that_of_an_independent_solver(case: Case) -> None:
    """Scipy on the same objective, written separately, from several starts: same parameters, never a worse objective."""
    people, _ = simulate(case, 25, 77)
    fits = fit_many(case.model, *table_of(people, case.model.structure.depot))
    theirs = [independent_fit(plain(case.model), person, place) for place, person in enumerate(people)]
    tally = compare(case, people, fits, theirs)
    assert tally.worse == 0
    assert tally.failed == 0
    assert tally.same + tally.better >= tally.subjects


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_compiled_kernels_give_the_same_fits(case: Case) -> None:
    """The extra ``fast`` changes the speed only."""
    pytest.importorskip("numba")
    slow, doses, drawn = fitted(case)
    quick = fit_many(case.model, doses, drawn, fast=True, threads=2)
    assert quick.status == slow.status
    np.testing.assert_allclose(quick.eta, slow.eta, atol=1e-9)
    np.testing.assert_allclose(quick.objective, slow.objective, atol=1e-10)
    np.testing.assert_allclose(quick.se, slow.se, rtol=1e-6)
    np.testing.assert_allclose(quick.level_table.individual, slow.level_table.individual, rtol=1e-10)
    np.testing.assert_allclose(quick.level_table.typical, slow.level_table.typical, rtol=1e-12)


def test_one_level_after_one_bolus_by_hand() -> None:
    """Where only the volume differs, the best eta solves one equation: slope of the misfit plus 2 eta / omega2 is nought."""
    model = FitModel(Structure(1), {"CL": Parameter(0.35), "Vc": Parameter(3.5, omega2=0.09)}, Residual(add_sd=1.5))
    fits = fit_many(model, {"ID": [1], "time": [0], "amt": [70]}, {"ID": [1], "time": [6], "DV": [9.0]})

    def slope(eta: float) -> float:
        volume = 3.5 * np.exp(eta)
        level = 70 / volume * np.exp(-0.35 / volume * 6)
        return float(-2 * (9.0 - level) / 1.5**2 * level * (-1 + 0.35 / volume * 6) + 2 * eta / 0.09)

    assert fits.eta[0, 0] == pytest.approx(brentq(slope, -1, 2), rel=1e-6)
    assert fits.objective[0] == pytest.approx(((9.0 - fits.level_table.individual[0]) / 1.5) ** 2 + 2 * np.log(1.5) + fits.eta[0, 0] ** 2 / 0.09, rel=1e-9)


def test_standard_errors_are_those_of_the_curvature() -> None:
    """The covariance is twice the inverse of the second derivatives of the objective, here by differences of the independent objective."""
    people, _ = simulate(TWO, 3, 9)
    fits = fit_many(TWO.model, *table_of(people, False))
    model = plain(TWO.model)
    inverse: Any = np.linalg.inv(model.omega)
    for place, person in enumerate(people):
        count, h = len(model.etas), 1e-3
        second = np.empty((count, count))
        unit: Any = np.eye(count) * h

        def at(moved: Any, place: int = place, person: Person = person) -> float:
            return objective(fits.eta[place] + moved, model, person, inverse)

        for i in range(count):
            for j in range(count):
                second[i, j] = (at(unit[i] + unit[j]) - at(unit[i] - unit[j]) - at(unit[j] - unit[i]) + at(-unit[i] - unit[j])) / (4 * h * h)
        np.testing.assert_allclose(fits.covariance[place], 2 * np.linalg.inv(second), rtol=2e-2, atol=1e-4)
    assert np.all((fits.shrinkage > 0) & (fits.shrinkage < 1.5))


def test_the_order_of_subjects_does_not_matter() -> None:
    """Reversed, every subject keeps its fit, its draws and its intervals."""
    forward, doses, drawn = fitted(TWO, posterior=50)
    backward = fit_many(TWO.model, *({name: list(reversed(values)) for name, values in table.items()} for table in _by_subject(doses, drawn)), posterior=50)
    turn = [backward.ids.index(name) for name in forward.ids]
    np.testing.assert_allclose(backward.eta[turn], forward.eta, atol=1e-12)
    assert forward.draws is not None
    assert backward.draws is not None
    np.testing.assert_allclose(backward.draws.eta[turn], forward.draws.eta, atol=1e-9)


def _by_subject(*tables: Columns) -> list[Columns]:
    """Tables whose rows, once reversed, still rise in time within each subject."""
    out = []
    for table in tables:
        order = np.lexsort((-np.array(table["time"]), np.array(table["ID"])))
        out.append({name: [values[at] for at in order] for name, values in table.items()})
    return out


def test_a_subject_without_levels_changes_nothing_and_gets_typical_values() -> None:
    """It is told apart by its status, its etas are nought, its shrinkage whole."""
    alone, doses, drawn = fitted(TWO, 5)
    joined = {name: [*values, {"ID": 99, "time": 0.0, "evid": 1, "amt": 30.0, "cmt": 1, "rate": 0.0, "WT": 70.0}[name]] for name, values in doses.items()}
    both = fit_many(TWO.model, joined, drawn)
    assert both.status[-1] == "prior-only"
    np.testing.assert_array_equal(both.eta[-1], 0.0)
    np.testing.assert_allclose(both.shrinkage[-1], 1.0)
    np.testing.assert_allclose(both.eta[:-1], alone.eta, atol=1e-12)


def test_a_shift_in_time_changes_nothing() -> None:
    """Only differences of times count."""
    here, doses, drawn = fitted(TWO, 10)
    later = fit_many(TWO.model, *({**table, "time": [time + 1000 for time in table["time"]]} for table in (doses, drawn)))
    np.testing.assert_allclose(later.eta, here.eta, atol=1e-7)


def test_units_are_the_callers() -> None:
    """Hours and milligrams with parameters to match give the same etas."""
    here, doses, drawn = fitted(TWO, 10)
    scale = {"CL": 1 / 24, "Q": 1 / 24}
    parts = {name: Parameter(part.typical * scale.get(name, 1.0), part.covariates, part.omega2) for name, part in TWO.model.parameters.items()}
    model = FitModel(TWO.model.structure, parts, Residual(TWO.model.residual.add_sd * 1000, TWO.model.residual.prop_sd), Baseline(4000.0, omega2=0.215))
    moved = {**doses, "time": [24 * time for time in doses["time"]], "amt": [1000 * amount for amount in doses["amt"]],
             "rate": [1000 / 24 * rate for rate in doses["rate"]]}
    there = fit_many(model, moved, {**drawn, "time": [24 * time for time in drawn["time"]], "DV": [1000 * level for level in drawn["DV"]]})
    np.testing.assert_allclose(there.eta, here.eta, atol=1e-7)


def test_a_second_start_finds_the_better_of_two_valleys() -> None:
    """A large volume cleared slowly and a small one cleared quickly can give the same troughs; the better one wins, and the status says how it was found."""
    case = CASES[-1]
    fits, _, _ = fitted(case, 300, 77)
    assert "second-start" in fits.status
    people, _ = simulate(case, 300, 77)
    for place in [place for place, word in enumerate(fits.status) if word == "second-start"][:3]:
        assert fits.objective[place] <= independent_fit(plain(case.model), people[place], 1)[1] + 1e-6


def test_more_levels_tell_more() -> None:
    """Shrinkage falls as levels are added."""
    people, _ = simulate(TWO, 60, 21, samples=4)
    mean = []
    for count in (1, 2, 4):
        fewer = [person._replace(time=person.time[:count], level=person.level[:count]) for person in people]
        mean.append(float(np.mean(fit_many(TWO.model, *table_of(fewer, False)).shrinkage)))
    assert mean[0] > mean[1] > mean[2]


def test_a_measured_baseline_wins_over_the_typical_one() -> None:
    """Known before treatment, the baseline stays near what was measured, within its uncertainty; unknown, the population speaks."""
    model = FitModel(TWO.model.structure, TWO.model.parameters, TWO.model.residual, Baseline(4.0, omega2=0.215, measured=Measured("BASE", 0.1)))
    table: Columns = {"ID": [1, 2], "time": [0, 0], "amt": [28, 28], "rate": [140, 140], "WT": [70, 70], "BASE": ["1.2", "."]}
    fits = fit_many(model, table, {"ID": [1, 2], "time": [27.9, 27.9], "DV": [7.0, 7.0]})
    baseline = fits.parameters[:, fits.names.index("baseline")]
    assert baseline[0] == pytest.approx(1.2, rel=0.1)
    assert 4.0 < baseline[1] < 5.0
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(fits.eta[0], fits.eta[1])


def test_kel_and_clearance_are_two_ways_to_write_one_model() -> None:
    """With kel, clearance follows volume; the same is a full omega between CL and Vc."""
    volume, rate = 0.04, 0.03
    by_rate = FitModel(Structure(1), {"kel": Parameter(0.058, omega2=rate), "Vc": Parameter(6.6, omega2=volume)}, Residual(prop_sd=0.095))
    by_clearance = FitModel(Structure(1), {"CL": Parameter(0.058 * 6.6, omega2=rate + volume), "Vc": Parameter(6.6, omega2=volume)}, Residual(prop_sd=0.095),
                            covariances=(Covariance(("CL", "Vc"), volume),))
    doses: Columns = {"ID": [1], "time": [0], "amt": [140]}
    drawn: Columns = {"ID": [1, 1], "time": [3, 20], "DV": [14.0, 9.0]}
    first, second = fit_many(by_rate, doses, drawn), fit_many(by_clearance, doses, drawn)
    assert first.objective[0] == pytest.approx(second.objective[0], rel=1e-8)
    assert first.parameters[0, first.names.index("CL")] == pytest.approx(second.parameters[0, second.names.index("CL")], rel=1e-5)


def test_residual_diagnostics_are_what_they_say() -> None:
    """PRED is the typical patient's, IPRED this patient's, IWRES their difference from the level over its SD; a row with evid 2 has no residual."""
    people, _ = simulate(TWO, 1, 4)
    doses, drawn = table_of(people, False)
    fits = fit_many(TWO.model, doses, {**{name: [*values, values[-1]] for name, values in drawn.items()}, "time": [*drawn["time"], 140.0],
                                       "evid": [0, 0, 0, 0, 2]})
    model, person, table = plain(TWO.model), people[0], fits.level_table
    when = np.r_[person.time, 140.0]
    np.testing.assert_allclose(table.typical, levels(own(model, np.zeros(4), person.weight), person, when), rtol=1e-9)
    individual = levels(own(model, fits.eta[0], person.weight), person, when)
    np.testing.assert_allclose(table.individual, individual, rtol=1e-9)
    np.testing.assert_allclose(table.residual[:4], (person.level - individual[:4]) / np.sqrt(0.82**2 + (0.053 * individual[:4]) ** 2), rtol=1e-6)
    assert np.isnan(table.residual[4])
    assert fits.levels[0] == 4


def test_lean_mass_is_a_covariate_where_its_formula_holds() -> None:
    """A 70 kg, 170 cm man has 54.68 kg (Boer); a small child by the adult formula is refused, by age it is Peters'."""
    def model(formula: Any) -> FitModel:
        parts = {"CL": Parameter(0.2, (Effect("LBM", 54.68, 1.0),), omega2=0.1), "Vc": Parameter(3.0)}
        return FitModel(Structure(1), parts, Residual(add_sd=1.0), Baseline(4.0), lean_mass={"LBM": LeanMass(formula)})

    doses: Columns = {"ID": [1, 2], "time": [0, 0], "amt": [28, 6], "WT": [70, 14], "HT": [170, 95], "SEX": ["m", "f"], "AGE": [40, 3]}
    drawn: Columns = {"ID": [1, 2], "time": [20, 20], "DV": [8.0, 8.0]}
    adult = fit_many(model("boer"), doses, drawn)
    assert adult.status[0] == "converged"
    assert "lean mass is 1% of weight" in adult.status[1]
    assert adult.parameters[0, 0] / np.exp(adult.eta[0, 0]) == pytest.approx(0.2, rel=1e-4)
    child = fit_many(model("by-age"), doses, drawn)
    lean = 3.8 * 0.0215 * 14**0.6469 * 95**0.7236
    assert child.parameters[1, 0] / np.exp(child.eta[1, 0]) == pytest.approx(0.2 * lean / 54.68, rel=1e-12)


@pytest.mark.parametrize(("change", "says"), [
    ({"structure": "{compartments: 3}"}, "3 is not one of 1, 2"),
    ({"parameters": "{CL: {typical: 0.2, omega2: 0.1}, Vc: {typical: 3}, Q: {typical: 1}}"}, "no parameter of this structure"),
    ({"parameters": "{CL: {typical: 0.2, omega2: 0.1}}"}, "'Vc' is missing"),
    ({"parameters": "{Vc: {typical: 3, omega2: 0.1}}"}, "clearance must be given once"),
    ({"parameters": "{CL: {typical: -0.2, omega2: 0.1}, Vc: {typical: 3}}"}, "Expected `float` > 0"),
    ({"parameters": "{CL: {typical: 0.2}, Vc: {typical: 3}}"}, "nothing differs between people"),
    ({"parameters": "{CL: {typical: 0.2, omega2: 0.1, covariates: [{on: WT}]}, Vc: {typical: 3}}"}, "a power or a factor"),
    ({"parameters": "{CL: {typical: 0.2, omega2: 0.1, cv: 0.3}, Vc: {typical: 3}}"}, "omega2 and cv are both given"),
    ({"residual": "{}"}, "no residual error"),
    ({"residual": "{add: 1}"}, "unknown key"),
    ({"covariances": "[{between: [CL, Q], covariance: 0.1}]"}, "between two different parameters"),
    ({"parameters": "{CL: {typical: 0.2, omega2: 0.1}, Vc: {typical: 3, omega2: 0.1}}", "covariances": "[{between: [CL, Vc], covariance: 0.2}]"},
     "not positive definite"),
    ({"baseline": "{cv: 0.3}"}, "needs a typical value"),
])
def test_a_wrong_model_is_refused_with_its_line(change: dict[str, str], says: str) -> None:
    """Place, cause and remedy, before anything is fitted."""
    parts = {"structure": "{compartments: 1}", "parameters": "{CL: {typical: 0.2, omega2: 0.1}, Vc: {typical: 3}}", "residual": "{add_sd: 1}", **change}
    with pytest.raises(BadInput) as caught:
        read_fit_model("\n".join(f"{name}: {value}" for name, value in parts.items()), "model.yaml")
    assert any(says in str(problem) for problem in caught.value.problems), caught.value
    assert all(problem.place == "model.yaml" for problem in caught.value.problems)
