"""Predictions are exact, and their derivatives are those of the predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.pharmacokinetics.reference import Row, by_integration, by_sums, steady_state

from ivigil.pharmacokinetics.event_table import read_table
from ivigil.pharmacokinetics.fit_model import Baseline, Effect, FitModel, Parameter, Residual, Structure, typical_values
from ivigil.pharmacokinetics.linear import PARAMETERS, divided, predict
from ivigil.pharmacokinetics.schedule import Hold, schedule

WEIGHT = (Effect(on="WT", reference=70, exponent=0.75),)


def model(compartments: int, depot: bool) -> FitModel:
    """A model with an eta on everything, and weight on clearance, volume and bioavailability (a product of powers may be anything)."""
    parameters = {"CL": Parameter(0.15, WEIGHT, omega2=0.1), "Vc": Parameter(3.1, WEIGHT, omega2=0.05)}
    if compartments == 2:
        parameters |= {"Q": Parameter(0.47, omega2=0.1), "Vp": Parameter(1.9, WEIGHT, omega2=0.1)}
    if depot:
        parameters |= {"ka": Parameter(0.25, omega2=0.2), "F": Parameter(0.7, (Effect(on="WT", reference=70, exponent=0.1),), omega2=0.02)}
    return FitModel(Structure(2 if compartments == 2 else 1, depot), parameters, Residual(add_sd=0.5, prop_sd=0.1), Baseline(4.0, omega2=0.2))


def own(chosen: FitModel, eta: dict[str, float]) -> Any:
    """Individual parameters from a row, written out by hand."""

    def of(row: Row) -> dict[str, float]:
        out = {}
        parts: dict[str, Parameter | Baseline] = {**chosen.parameters, "baseline": chosen.baseline}
        for name, part in parts.items():
            value = part.typical * float(np.exp(eta.get(name, 0.0)))
            for effect in part.covariates:
                value *= (row["WT"] / (effect.reference or 1)) ** (effect.exponent or 0)
            out[name] = value
        return out

    return of


def predicted(chosen: FitModel, rows: list[Row], eta: dict[str, float], hold: Hold = "next") -> tuple[Any, Any, Any]:
    """What the package makes of the rows: levels and derivatives by every parameter."""
    names = ("ID", "time", "evid", "amt", "cmt", "rate", "ii", "addl", "ss", "DV", "WT")
    table, found = read_table(chosen, {name: [row.get(name, 0.0) for row in rows] for name in names})
    typical, _ = typical_values(chosen, table.covariates, len(rows))
    plan = schedule(table, typical, chosen.parameters["lag"].typical if "lag" in chosen.parameters else 0.0, hold, found)
    assert not found.problems, found.problems
    shift = np.zeros((1, 1, len(PARAMETERS)))
    for name, value in eta.items():
        shift[0, 0, PARAMETERS.index(name)] = value
    steps = plan.block(np.array([0]))
    active = tuple(PARAMETERS.index(name) for name in chosen.etas)
    levels, slopes = predict(steps, shift, chosen.structure.compartments, chosen.structure.depot, active)

    def again(moved: np.ndarray[Any, Any]) -> Any:
        return predict(steps, moved, chosen.structure.compartments, chosen.structure.depot)[0][0, 0]

    differences = np.empty_like(slopes[0, 0])
    for place, column in enumerate(active):
        ahead, behind = shift.copy(), shift.copy()
        ahead[0, 0, column] += 1e-5
        behind[0, 0, column] -= 1e-5
        differences[:, place] = (again(ahead) - again(behind)) / 2e-5
    return levels[0, 0], slopes[0, 0], differences


def random_rows(seed: int, depot: bool, resets: bool) -> list[Row]:
    """A table with boluses, infusions, further doses, changing weight, levels, and perhaps a reset."""
    source = np.random.default_rng(seed)
    rows: list[Row] = []
    time, busy = 0.0, 0.0
    for number in range(int(source.integers(6, 14))):
        time = round(time + float(source.uniform(0.2, 15)), 3)
        kind = source.choice(["dose", "level", "level", "other"]) if number > 0 else "dose"
        row: Row = {"ID": 1, "time": time, "evid": 2, "amt": 0.0, "cmt": 2 if depot else 1, "rate": 0.0, "ii": 0.0, "addl": 0, "DV": 0.0,
                    "WT": round(70 + 5 * float(source.normal()), 2)}
        if kind == "dose" and time > busy:
            row |= {"evid": 4 if resets and number > 3 and source.random() < 0.5 else 1, "amt": round(float(source.uniform(5, 60)), 2)}
            row["cmt"] = int(source.integers(1, 3)) if depot else 1
            row["rate"] = round(row["amt"] / float(source.uniform(0.1, 1.5)), 3) if source.random() < 0.6 else 0.0
            if source.random() < 0.4:
                row |= {"ii": 3.0 + round(float(source.random()), 2), "addl": int(source.integers(1, 5))}
            busy = time + row["ii"] * row["addl"] + 2.0
        elif kind == "level":
            row |= {"evid": 0, "DV": 9.0}
        elif resets and number > 4 and source.random() < 0.3:
            row["evid"] = 3
        rows.append(row)
    rows.append({**rows[-1], "time": time + 7.0, "evid": 0, "DV": 9.0, "amt": 0.0, "rate": 0.0, "ii": 0.0, "addl": 0, "cmt": 2 if depot else 1})
    return rows


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("compartments", "depot"), [(1, False), (2, False), (1, True), (2, True)])
def test_predictions_are_those_of_the_differential_equations(seed: int, compartments: int, depot: bool) -> None:
    """Random tables with changing covariates, further doses and resets, under both conventions, against an adaptive integrator."""
    chosen = model(compartments, depot)
    rows = random_rows(seed, depot, resets=seed % 2 == 1)
    source = np.random.default_rng(seed + 1000)
    eta = {name: 0.4 * float(source.normal()) for name in chosen.etas}
    hold: Hold = "next" if seed % 3 else "last"
    levels, slopes, differences = predicted(chosen, rows, eta, hold)
    np.testing.assert_allclose(levels, by_integration(rows, own(chosen, eta), depot, hold), rtol=1e-8)
    np.testing.assert_allclose(slopes, differences, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("cmt", "duration"), [(1, 0.0), (1, 0.7), (2, 0.0), (2, 0.2)])
@pytest.mark.parametrize("compartments", [1, 2])
def test_steady_state_is_the_limit_of_endless_doses(compartments: int, cmt: int, duration: float) -> None:
    """A dose with ss 1 starts from the steady state of its interval, whatever went before, and its derivatives follow."""
    chosen = model(compartments, True)
    rate = 30 / duration if duration else 0.0
    rows: list[Row] = [
        {"ID": 1, "time": 0.0, "evid": 1, "amt": 90.0, "cmt": 2, "WT": 70},
        {"ID": 1, "time": 5.0, "evid": 1, "amt": 30.0, "cmt": cmt, "rate": rate, "ss": 1, "ii": 7.0, "addl": 2, "WT": 70},
        *({"ID": 1, "time": 5.0 + after, "evid": 0, "DV": 9.0, "WT": 70} for after in (0.1, 3.0, 6.9, 13.5, 20.9)),
    ]
    eta = {"CL": 0.3, "ka": -0.4, "F": 0.1}
    levels, slopes, differences = predicted(chosen, rows, eta)
    p = own(chosen, eta)({"WT": 70})
    expected = steady_state(p, 30.0, cmt, duration, 7.0, np.array([0.1, 3.0, 6.9, 6.5, 6.9]), True) + p["baseline"]
    np.testing.assert_allclose(levels, expected, rtol=1e-10)
    np.testing.assert_allclose(slopes, differences, rtol=1e-6, atol=1e-7)


def test_a_lag_delays_the_depot_only() -> None:
    """A dose into the depot arrives after the lag; one into the blood does not wait."""
    plain = model(2, True)
    late = FitModel(plain.structure, {**plain.parameters, "lag": Parameter(0.4)}, plain.residual, plain.baseline)
    rows: list[Row] = [{"ID": 1, "time": 0.0, "evid": 1, "amt": 8.0, "cmt": 1, "WT": 70, "ii": 7.0, "addl": 3},
                       {"ID": 1, "time": 1.0, "evid": 1, "amt": 20.0, "cmt": 2, "WT": 70}, {"ID": 1, "time": 30.0, "evid": 0, "DV": 9.0, "WT": 70}]
    moved = [{**row, "time": row["time"] + (0.4 if row.get("cmt") == 1 else 0.0)} for row in rows]
    np.testing.assert_allclose(predicted(late, rows, {})[0], predicted(plain, moved, {})[0], rtol=1e-12)


def test_one_bolus_in_one_compartment_by_hand() -> None:
    """70 g into 3.5 L with CL 0.35 L/day: 20 g/L falls with 0.1 per day; baseline 4 is added."""
    chosen = FitModel(Structure(1), {"CL": Parameter(0.35, omega2=0.1), "Vc": Parameter(3.5)}, Residual(add_sd=1.0), Baseline(4.0))
    rows: list[Row] = [{"ID": 1, "time": 0.0, "evid": 1, "amt": 70.0, "cmt": 1, "WT": 70}, {"ID": 1, "time": 10.0, "evid": 0, "DV": 9.0, "WT": 70}]
    levels, slopes, _ = predicted(chosen, rows, {})
    assert levels[0] == pytest.approx(20 * np.exp(-1.0) + 4, rel=1e-14)
    assert slopes[0, 0] == pytest.approx(-20 * np.exp(-1.0), rel=1e-13)  # d/dlnCL of exp(-CL t / V) is -CL t / V times it


def test_absorption_as_fast_as_elimination_is_no_special_case() -> None:
    """Where ka passes an eigenvalue, value and slopes stay smooth."""
    gaps = np.array([1e-12, 1e-6, 0.5e-2, 0.99e-2, 1.01e-2, 0.1])
    for dt in (0.0, 1.0, 3.0):
        values = np.array([divided(0.2, 0.2 + gap / max(dt, 1.0) * 3, dt) for gap in gaps])
        h = 1e-5
        for gap, (value, by_first, by_second) in zip(gaps, values, strict=True):
            second = 0.2 + gap / max(dt, 1.0) * 3
            mean = float(np.mean(np.exp(-(second - 0.2) * dt * (np.arange(20000) + 0.5) / 20000)))  # the integral from a to b of exp(-x t), over b - a
            assert value == pytest.approx(dt * np.exp(-0.2 * dt) * mean, rel=1e-8, abs=1e-15)
            assert by_first == pytest.approx((divided(0.2 + h, second, dt)[0] - divided(0.2 - h, second, dt)[0]) / (2 * h), rel=1e-6, abs=1e-9)
            assert by_second == pytest.approx((divided(0.2, second + h, dt)[0] - divided(0.2, second - h, dt)[0]) / (2 * h), rel=1e-6, abs=1e-9)


def test_a_bolus_and_its_level_at_one_time_keep_the_order_of_the_rows() -> None:
    """Level first is a trough, dose first is a peak; a dose written out from addl comes before the row."""
    chosen = FitModel(Structure(1), {"CL": Parameter(0.35, omega2=0.1), "Vc": Parameter(3.5)}, Residual(add_sd=1.0), Baseline(4.0))
    dose, level = {"ID": 1, "time": 10.0, "evid": 1, "amt": 35.0, "cmt": 1, "WT": 70}, {"ID": 1, "time": 10.0, "evid": 0, "DV": 9.0, "WT": 70}
    start = {"ID": 1, "time": 0.0, "evid": 1, "amt": 70.0, "cmt": 1, "WT": 70}
    trough = 20 * np.exp(-1.0) + 4
    assert predicted(chosen, [start, level, dose], {})[0] == pytest.approx([trough])
    assert predicted(chosen, [start, dose, level], {})[0] == pytest.approx([trough + 10])
    assert predicted(chosen, [{**start, "ii": 10.0, "addl": 1}, level], {})[0] == pytest.approx([trough + 20])


def test_sums_of_exponentials_agree() -> None:
    """The reference used for fitting gives the same levels as the integrator's."""
    chosen = model(2, True)
    rows: list[Row] = [{"ID": 1, "time": 0.0, "evid": 1, "amt": 28.0, "cmt": 2, "rate": 140.0, "ii": 28.0, "addl": 3, "WT": 70},
                       {"ID": 1, "time": 0.0, "evid": 1, "amt": 8.0, "cmt": 1, "ii": 7.0, "addl": 9, "WT": 70},
                       *({"ID": 1, "time": at, "evid": 0, "DV": 9.0, "WT": 70} for at in (0.1, 5.0, 27.9, 90.0))]
    np.testing.assert_allclose(predicted(chosen, rows, {})[0], by_sums(rows, own(chosen, {})({"WT": 70}), True), rtol=1e-11)
