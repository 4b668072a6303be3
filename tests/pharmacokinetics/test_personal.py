"""One person's own parameters: the same answer as the search for many, known truths found again, and a better next trough than the typical patient's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.pharmacokinetics.people import ADULT, TODAY, evidence, facts, infusion, level, record

from ivigil.evidence.kinetics import Model
from ivigil.patient.record import Record
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.baseline import endogenous
from ivigil.pharmacokinetics.curves import total_over
from ivigil.pharmacokinetics.fit_model import Baseline, FitModel, Parameter, Residual, Structure
from ivigil.pharmacokinetics.for_record import Made, Wanted, forecast_for
from ivigil.pharmacokinetics.forecast import square_root
from ivigil.pharmacokinetics.history import Given, Level, history_of
from ivigil.pharmacokinetics.individualise import fit_many
from ivigil.pharmacokinetics.personal import PersonalFit, personal_fit
from ivigil.pharmacokinetics.typical import individual_values, log_variance, residual_sd, scatter, typical_values

MONTHS = tuple(infusion(-28 * index) for index in range(12, 0, -1))
DOSES = tuple(Given(-28.0 * index, 28.0, "intravenous", 1 / 6) for index in range(12, 0, -1))
NAVARRO = "navarro-mora-2022"


def fitted(name: str, days: list[float], values: list[float], doses: tuple[Given, ...] = DOSES) -> PersonalFit:
    model = evidence().models[name]
    rest = endogenous(model, ADULT, history_of(record(infusions=MONTHS), ADULT, facts(), evidence(), TODAY), facts(), evidence())
    return personal_fit(model, ADULT, doses, tuple(Level(day, value) for day, value in zip(days, values, strict=True)), rest, evidence())


def as_fit_model(model: Model) -> FitModel:
    """The same model for the search for many: intravenous doses, baseline 4 g/L with a CV of 49 %."""
    printed = typical_values(model, ADULT, evidence())
    assert model.residual is not None
    power = 1.0 if model.residual.form == "sd" else 0.5
    names = [name for name in ("CL", "Vc", "Q", "Vp") if name in printed]
    parameters: dict[str, Parameter] = {name: Parameter(printed[name], omega2=log_variance(model.parameters[name].varies)) for name in names}
    return FitModel(Structure(2 if "Q" in printed else 1), parameters,
                    Residual(model.residual.additive**power, model.residual.proportional**power), Baseline(4.0, cv=0.49))


@pytest.mark.parametrize("name", [NAVARRO, "zhang-2020", "tortorici-2019"])
@pytest.mark.parametrize("values", [[9.0, 8.2, 9.6], [5.1, 4.8, 5.5], [17.0, 15.0, 16.0]])
def test_the_same_answer_as_the_search_for_many(name: str, values: list[float]) -> None:
    """Two searches that share no line of arithmetic find the same objective, deviations and standard errors."""
    days = [-140.5, -84.5, -28.5]
    mine = fitted(name, days, values)
    doses: dict[str, list[Any]] = {"ID": [1] * len(DOSES), "time": [dose.day for dose in DOSES], "amt": [28.0] * len(DOSES), "rate": [168.0] * len(DOSES)}
    other = fit_many(as_fit_model(evidence().models[name]), doses, {"ID": [1] * 3, "time": days, "DV": values})
    assert mine.individual is not None
    assert mine.objective == pytest.approx(other.objective[0], abs=1e-5)
    own = dict(zip((*scatter(evidence().models[name])[0], "baseline"),
                   (*mine.individual.etas, np.log(mine.individual.baseline / 4.0)), strict=True))
    sure = dict(zip((*scatter(evidence().models[name])[0], "baseline"), np.sqrt(np.diag(mine.individual.covariance)), strict=True))
    for place, parameter in enumerate(other.etas):
        assert own[parameter] == pytest.approx(other.eta[0, place], abs=1e-3)
        assert sure[parameter] == pytest.approx(other.se[0, place], rel=0.02)


def test_a_patient_of_known_parameters_is_found_again() -> None:
    """Clearance a third above typical, baseline 6 g/L, weekly levels: both lie within one standard error, and the curve within 3 % of the true one."""
    model = evidence().models[NAVARRO]
    names, _ = scatter(model)
    truth = np.array([[0.3 if name == "CL" else 0.0 for name in names]])
    days = np.arange(-330.5, 0.0, 7.0)
    values = total_over(model, individual_values(model, typical_values(model, ADULT, evidence()), names, truth), 6.0, DOSES, days)[:, 0]
    found = fitted(NAVARRO, days.tolist(), values.tolist())
    assert found.status == "fitted"
    assert found.individual is not None
    se = np.sqrt(np.diag(found.individual.covariance))
    assert abs(found.individual.etas[names.index("CL")] - 0.3) < se[names.index("CL")]
    assert abs(np.log(found.individual.baseline / 6.0)) < se[-1]
    assert max(abs(used.own / used.value - 1) for used in found.levels) < 0.03
    assert max(abs(used.typical / used.value - 1) for used in found.levels) > 0.04
    assert found.shrinkage["CL"] < 0.3
    assert found.shrinkage["ka"] == pytest.approx(1.0, abs=1e-6)


def simulated(number: int, seed: int) -> tuple[list[PersonalFit], Any, Any]:
    """People drawn from the model with three troughs each: their fits, the true next troughs, and the last trough measured."""
    model = evidence().models[NAVARRO]
    names, omega = scatter(model)
    source = np.random.default_rng(seed)
    etas = source.standard_normal((number, len(names))) @ square_root(omega).T
    baselines = 4.0 * np.exp(np.sqrt(np.log1p(0.49**2)) * source.standard_normal(number))
    days = np.array([-84.5, -56.5, -28.5, -0.5])
    levels = total_over(model, individual_values(model, typical_values(model, ADULT, evidence()), names, etas), baselines, DOSES, days)
    sd = residual_sd(model, levels)
    assert sd is not None
    measured = np.maximum(levels + sd * source.standard_normal(levels.shape), 0.3)
    fits = [fitted(NAVARRO, days[:3].tolist(), measured[:3, place].tolist()) for place in range(number)]
    return fits, levels[3], measured[2]


def test_the_next_trough_is_forecast_better_than_by_the_typical_patient_or_the_last_level() -> None:
    """Two hundred simulated patients with three noisy troughs: the fit errs least, and its 90 % interval holds the truth in 84-96 % of them."""
    model = evidence().models[NAVARRO]
    names, _ = scatter(model)
    fits, truth, last = simulated(200, 20261121)
    printed = typical_values(model, ADULT, evidence())
    typical = total_over(model, individual_values(model, printed, names, np.zeros((1, len(names)))), 4.0, DOSES, np.array([-0.5]))[0, 0]
    draws = np.random.default_rng(1).standard_normal((400, len(names) + 1))
    own, inside = [], []
    for fit, true in zip(fits, truth, strict=True):
        assert fit.individual is not None
        away = np.concatenate([np.zeros((1, draws.shape[1])), draws @ square_root(fit.individual.covariance).T])
        values = individual_values(model, printed, names, fit.individual.etas + away[:, :-1])
        levels = total_over(model, values, fit.individual.baseline * np.exp(away[:, -1]), DOSES, np.array([-0.5]))[0]
        own.append(levels[0])
        low, high = np.quantile(levels[1:], [0.05, 0.95])
        inside.append(low <= true <= high)

    def error(values: Any) -> float:
        return float(np.sqrt(np.mean((np.asarray(values) - truth) ** 2)))

    assert error(own) < error(last)
    assert error(own) < error(typical) / 2
    assert 0.84 <= float(np.mean(inside)) <= 0.96


def test_a_bioavailability_does_not_pass_one() -> None:
    """High levels on subcutaneous doses push it up; it stops at 1 and the fit still ends."""
    weekly = tuple(Given(-7.0 * index, 7.0, "subcutaneous") for index in range(60, 0, -1))
    found = fitted("zhang-2020", [-35.5, -28.5, -21.5, -14.5], [21.0, 22.0, 21.5, 22.5], weekly)
    assert found.individual is not None
    model = evidence().models["zhang-2020"]
    names, _ = scatter(model)
    values = individual_values(model, typical_values(model, ADULT, evidence()), names, found.individual.etas[np.newaxis])
    assert values["F_sc"][0] <= 1.0
    assert np.all(np.isfinite(found.individual.covariance))


@pytest.mark.parametrize(("name", "why"), [("luo-2020", "no usable residual error"),
                                           ("landersdorfer-2013", "no usable variation between patients and no usable residual error"),
                                           ("saturable-fcrn", "no usable variation between patients")])
def test_a_model_that_cannot_be_fitted_says_why(name: str, why: str) -> None:
    """No number is invented for what was not read."""
    found = fitted(name, [-28.5], [9.0])
    assert (found.status, found.individual) == ("impossible", None)
    assert why in found.why


def test_levels_that_contradict_each_other_are_a_poor_fit() -> None:
    """Four troughs on one unchanged dose that jump between 3 and 20 g/L are said to miss."""
    found = fitted(NAVARRO, [-112.5, -84.5, -56.5, -28.5], [3.0, 20.0, 3.0, 20.0])
    assert found.status == "poor"
    assert "standard deviations" in found.why


def forecast_of(patient: Record, **more: Any) -> Made:
    return forecast_for(patient, Asked(), Wanted(**more), evidence(), TODAY)


def test_levels_on_record_make_the_curve_this_patients_own() -> None:
    """The forecast uses them by itself, leaves out what cannot be fitted, narrows its band, and says so."""
    levels = tuple(level(-28 * index, f"{value} g/L", drawn="before-infusion") for index, value in ((6, 9.2), (4, 9.0), (2, 9.4), (1, 9.1)))
    own, typical = forecast_of(record(infusions=MONTHS, results=levels)).forecast, forecast_of(record(infusions=MONTHS)).forecast
    assert [curve.model for curve in own.curves] == [NAVARRO, "zhang-2020", "li-2022", "tortorici-2019"]
    assert all(curve.individual for curve in own.curves)
    kinds = [remark.kind for remark in own.remarks]
    assert {"levels-fitted", "fit-failed", "baseline-fitted"} <= set(kinds)
    assert [round(used.value, 1) for used in own.fits[0].levels] == [9.2, 9.0, 9.4, 9.1]
    assert own.bands is not None
    assert typical.bands is not None
    assert own.bands.person is not None
    assert typical.bands.person is not None
    assert np.ptp(own.bands.person[:, -1]) < np.ptp(typical.bands.person[:, -1]) / 2
    assert own.trough_spread is not None
    assert typical.trough_spread is not None
    assert own.trough_spread < typical.trough_spread


def test_without_usable_levels_nothing_is_fitted() -> None:
    """A level at an unknown side of an infusion, or after it, is none."""
    for drawn in ("", "after-infusion"):
        made = forecast_of(record(infusions=MONTHS, results=(level(-28, "9 g/L", drawn=drawn),)))
        assert made.forecast.fits == ()
        assert not made.forecast.curves[0].individual


def test_very_low_levels_are_an_alarm_and_no_reason_for_more() -> None:
    """Levels far below what the doses can leave: the clearance is more than three times the typical one."""
    low = tuple(level(-28 * index, f"{value} g/L", drawn="before-infusion") for index, value in ((8, 0.5), (6, 0.6), (4, 0.5), (2, 0.6), (1, 0.5)))
    heavy = tuple(infusion(-28 * index, "60 g") for index in range(12, 0, -1))
    made = forecast_of(record(infusions=heavy, results=low), model="tortorici-2019").forecast
    assert made.curves[0].clearance_ratio is not None
    assert made.curves[0].clearance_ratio > 3
    alarm = next(remark for remark in made.remarks if remark.kind == "clearance-alarm")
    assert "no reason for a bigger dose" in alarm.say


def test_an_alteration_is_compared_with_the_same_patient() -> None:
    """With and without a missed dose both use the parameters fitted once."""
    patient = record(infusions=MONTHS, results=(level(-28, "9 g/L", drawn="before-infusion"), level(-84, "9.3 g/L", drawn="before-infusion")))
    made = forecast_for(patient, Asked(missed=(2,)), Wanted(), evidence(), TODAY)
    assert made.without is not None
    assert made.without.curves[0].individual
    assert made.without.curves[0].summary.trough == pytest.approx(made.forecast.curves[0].summary.trough)
