"""Bad rows are refused one by one, with place, cause and remedy; the other subjects are fitted all the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ivigil.basis.problems import BadInput
from ivigil.pharmacokinetics.fit_model import Baseline, Effect, FitModel, Parameter, Residual, Structure
from ivigil.pharmacokinetics.individualise import fit_many

MODEL = FitModel(Structure(2, True), {"CL": Parameter(0.15, (Effect("WT", 70, 0.75),), omega2=0.1), "Vc": Parameter(3.0), "Q": Parameter(0.5),
                                      "Vp": Parameter(2.0), "ka": Parameter(0.25), "F": Parameter(0.7)}, Residual(add_sd=0.8), Baseline(4.0))
GOOD = [{"ID": "good", "time": 0.0, "evid": 1, "amt": 28.0, "cmt": 2, "rate": 140.0, "ii": 28.0, "addl": 2, "WT": 70},
        {"ID": "good", "time": 60.0, "evid": 0, "DV": 9.0, "WT": 70}]
DOSE = {"ID": "bad", "time": 0.0, "evid": 1, "amt": 28.0, "cmt": 2, "rate": 140.0, "WT": 70}
LEVEL = {"ID": "bad", "time": 20.0, "evid": 0, "DV": 9.0, "WT": 70}
NAMES = ("ID", "time", "evid", "amt", "cmt", "rate", "ii", "addl", "ss", "DV", "mdv", "WT")

Columns = dict[str, list[Any]]


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns, blank where a row says nothing."""
    return {name: [row.get(name, "") for row in rows] for name in NAMES}


@pytest.mark.parametrize(("rows", "line", "says"), [
    ([DOSE, {**LEVEL, "DV": -9}], 4, "the level -9.0 is not above 0"),
    ([DOSE, {**LEVEL, "DV": 0}], 4, "the level 0.0 is not above 0"),
    ([DOSE, {**LEVEL, "DV": ""}], 4, "a level without a value"),
    ([DOSE, {**LEVEL, "DV": "<0.5"}], 4, "'<0.5' is not a number"),
    ([DOSE, {**LEVEL, "DV": "inf"}], 4, "'inf' is not a number"),
    ([DOSE, {**LEVEL, "time": "soon"}], 4, "'soon' is not a number"),
    ([DOSE, {**LEVEL, "time": ""}], 4, "no time"),
    ([DOSE, LEVEL, {**LEVEL, "time": 10.0}], 5, "earlier than the row before"),
    ([DOSE, LEVEL, LEVEL], 5, "two levels at the same time"),
    ([{**LEVEL, "time": 0.0}, {**DOSE, "time": 1.0}, LEVEL], 3, "a level before any dose"),
    ([LEVEL], 3, "this subject has no dose"),
    ([{**DOSE, "amt": -28}, LEVEL], 3, "the amount -28.0 is not above 0"),
    ([{**DOSE, "amt": ""}, LEVEL], 3, "the amount nan is not above 0"),
    ([{**DOSE, "amt": "28 g"}, LEVEL], 3, "'28 g' is not a number"),
    ([{**DOSE, "rate": -2}, LEVEL], 3, "the rate -2.0 is below 0"),
    ([{**DOSE, "cmt": 3}, LEVEL], 3, "no compartment that can be dosed"),
    ([{**DOSE, "cmt": ""}, LEVEL], 3, "no compartment that can be dosed"),
    ([DOSE, {**LEVEL, "cmt": 3}], 4, "no compartment where a level is drawn"),
    ([{**DOSE, "evid": 7}, LEVEL], 3, "is not 0 (level)"),
    ([{**DOSE, "addl": 2}, LEVEL], 3, "further doses without an interval"),
    ([{**DOSE, "addl": 1.5, "ii": 7}, LEVEL], 3, "is not a number of further doses"),
    ([{**DOSE, "ss": 1}, LEVEL], 3, "steady state without an interval"),
    ([{**DOSE, "ss": 2, "ii": 7}, LEVEL], 3, "is not 0 or 1"),
    ([{**DOSE, "rate": 1.0, "ii": 7, "addl": 1}, LEVEL], 3, "the infusion outlasts its interval"),
    ([DOSE, {**DOSE, "time": 0.1}, LEVEL], 4, "begins while another infusion runs"),
    ([DOSE, DOSE, LEVEL], 4, "two doses at the same time into one compartment"),
    ([{**DOSE, "ii": 14, "addl": 1}, {**DOSE, "time": 14.0}, LEVEL], 4, "two doses at the same time into one compartment"),
    ([{**DOSE, "WT": ""}, {**LEVEL, "WT": ""}], 3, "this subject has none"),
    ([{**DOSE, "WT": -70}, LEVEL], 3, "-70.0 is not above 0"),
    ([{**DOSE, "ID": ""}, {**LEVEL, "ID": ""}], 3, "no ID"),
])
def test_a_bad_row_refuses_its_subject_and_no_other(rows: list[dict[str, Any]], line: int, says: str) -> None:
    """The line is named, the cause and a remedy given, the status says failed, and the good subject gets the fit it has alone."""
    fits = fit_many(MODEL, columns([*GOOD, *rows]), places=("table.csv", ""))
    alone = fit_many(MODEL, columns(GOOD))
    assert fits.status[0] == "converged"
    np.testing.assert_allclose(fits.eta[0], alone.eta[0], atol=1e-12)
    assert fits.status[1].startswith("failed: line ")
    assert np.all(np.isnan(fits.eta[1]))
    hits = [problem for problem in fits.problems if says in problem.why]
    assert hits, fits.problems
    assert hits[0].line == line
    assert hits[0].remedy
    assert hits[0].place == "table.csv"


def test_all_problems_of_a_table_are_listed_at_once() -> None:
    """Three bad rows of two subjects are three problems."""
    rows = [{**DOSE, "ID": "one", "amt": 0}, {**LEVEL, "ID": "one", "DV": -1}, {**DOSE, "ID": "two"}, {**LEVEL, "ID": "two", "DV": "x"}]
    fits = fit_many(MODEL, columns([*GOOD, *rows]))
    assert [problem.line for problem in fits.problems] == [3, 4, 6]
    assert fits.status[1] == "failed: line 3, amt: the amount 0.0 is not above 0"


def test_missing_and_ragged_columns_are_refused_at_once() -> None:
    """Nothing can be read then, and every missing column is named."""
    with pytest.raises(BadInput) as caught:
        fit_many(MODEL, {"ID": [1], "tme": [0], "evid": [1]})
    assert [problem.what for problem in caught.value.problems] == ["time", "amt", "DV", "WT"]
    assert caught.value.problems[0].remedy == "did you mean 'tme'?"
    with pytest.raises(BadInput, match="differ in length"):
        fit_many(MODEL, {**columns(GOOD), "amt": [1]})
    with pytest.raises(BadInput, match="no row"):
        fit_many(MODEL, {name: [] for name in NAMES})


def test_one_table_and_two_tables_say_the_same() -> None:
    """Levels apart, in any spelling of the headings, or in one table; a level is a trough where it shares a dose's time."""
    whole = columns(GOOD)
    doses: Columns = {name.upper(): [whole[name][0]] for name in NAMES if name not in {"DV", "evid"}}
    apart = fit_many(MODEL, doses, {"ID": ["good"], "Time": [60.0], "DV": [9.0]})
    np.testing.assert_allclose(apart.eta, fit_many(MODEL, whole).eta, atol=1e-12)
    bolus: Columns = {"ID": [1, 1], "time": [0.0, 28.0], "amt": [28.0, 28.0], "cmt": ["central", "central"], "WT": [70, 70]}
    trough = fit_many(MODEL, bolus, {"ID": [1], "time": [28.0], "DV": [7.0]})
    just_before = fit_many(MODEL, bolus, {"ID": [1], "time": [28.0 - 1e-9], "DV": [7.0]})
    np.testing.assert_allclose(trough.eta, just_before.eta, atol=1e-7)


def test_back_to_back_infusions_do_not_overlap() -> None:
    """One begins when the other ends, also after rounding."""
    doses: Columns = {"ID": [1, 1, 1], "time": [0.0, 0.1, 0.1 + 0.2], "amt": [10.0, 20.0, 10.0], "cmt": [2, 2, 2], "rate": [100.0] * 3, "WT": [70] * 3}
    joined: Columns = {name: values[:1] for name, values in doses.items()} | {"amt": [40.0], "rate": [100.0]}
    level: Columns = {"ID": [1], "time": [14.0], "DV": [9.0]}
    fits = fit_many(MODEL, doses, level)
    assert fits.status == ["converged"]
    np.testing.assert_allclose(fits.eta, fit_many(MODEL, joined, level).eta, atol=1e-9)


def test_a_blank_covariate_keeps_the_subjects_value_before() -> None:
    """Weight need not be repeated on every row; rows before the first weight take that one."""
    rows = [{**DOSE, "WT": ""}, {**LEVEL, "WT": 60}, {**LEVEL, "time": 30.0, "WT": ""}]
    given = [{**row, "WT": 60} for row in rows]
    np.testing.assert_allclose(fit_many(MODEL, columns(rows)).eta, fit_many(MODEL, columns(given)).eta, atol=1e-14)


@pytest.mark.parametrize("row", [{"evid": 2}, {"mdv": 1}])
def test_a_row_that_only_asks_is_predicted_and_not_fitted(row: dict[str, int]) -> None:
    """Its DV, whatever it is, does not count."""
    asked = fit_many(MODEL, columns([*GOOD, {"ID": "good", "time": 80.0, "evid": 0, "DV": 99, "WT": 70, **row}]))
    np.testing.assert_allclose(asked.eta, fit_many(MODEL, columns(GOOD)).eta, atol=1e-12)
    assert len(asked.level_table.time) == 2
    assert np.isnan(asked.level_table.dv[1])
    assert asked.levels[0] == 1
