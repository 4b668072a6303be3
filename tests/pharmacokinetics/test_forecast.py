"""The forecast: what is shown, what is not, and that every number follows from what was asked."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from tests.pharmacokinetics.people import ADULT, TODAY, evidence, facts, infusion, level, record

from ivigil.patient.record import Record
from ivigil.pharmacokinetics.baseline import endogenous
from ivigil.pharmacokinetics.forecast import Forecast, forecast
from ivigil.pharmacokinetics.history import History, history_of
from ivigil.pharmacokinetics.personal import Individual
from ivigil.pharmacokinetics.regimen import Regimen, coming
from ivigil.pharmacokinetics.targets import options
from ivigil.pharmacokinetics.typical import CannotCompute, Person, scatter

REPLACEMENT = Regimen(28.0, 28.0, length=1 / 6)
NAIVE = record(infusions=(), infusions_complete=True)
MONTHS = tuple(infusion(day) for day in (-84, -56, -28))


def made(regimen: Regimen = REPLACEMENT, person: Person = ADULT, patient: Record = NAIVE, known: dict[str, Any] | None = None, **more: Any) -> Forecast:
    return forecast(person, facts(**(known or {})), history(patient, person), regimen, evidence(), **{"horizon": 182.0, **more})


def history(patient: Record = NAIVE, person: Person = ADULT) -> History:
    return history_of(patient, person, facts(), evidence(), TODAY)


def joint(omega: Any) -> Any:
    """A covariance of deviations, and that of a baseline known within about 1 %."""
    return np.diag([*np.diag(omega), 1e-4])


def test_total_is_endogenous_and_infused() -> None:
    """A patient never treated starts at the baseline; doses add to it."""
    one = made()
    assert one.status == "forecast"
    first = one.curves[0]
    assert first.model == "navarro-mora-2022"
    assert first.total[0] == pytest.approx(first.endogenous.value) == 4.0
    assert np.all(first.total[1:] > first.endogenous.value)


def test_the_first_model_leads_and_others_stand_beside_it() -> None:
    """Every fitting model of the choice, no other; the excluded one is not among them."""
    names = [curve.model for curve in made().curves]
    assert names == ["navarro-mora-2022", "zhang-2020", "luo-2020", "li-2022", "landersdorfer-2013", "tortorici-2019"]


def test_every_model_has_a_verdict_before_any_number() -> None:
    """Also those that do not fit, with reasons."""
    verdicts = {verdict.model: verdict for verdict in made().verdicts}
    assert set(verdicts) == set(evidence().models)
    assert all(verdict.reasons for verdict in verdicts.values() if verdict.fit != "fits")


def test_the_first_choice_stays_when_it_only_stretches() -> None:
    """An 84-year-old with CIDP, one year beyond the model, keeps its model with the bands; the saturable one stands beside it."""
    old = msgspec.structs.replace(ADULT, age=84.0, indication="cidp", purpose="immunomodulation")
    assert [curve.model for curve in made(Regimen(140.0, 28.0, 5, length=1 / 6), old).curves] == ["tortorici-2021", "saturable-fcrn"]


def test_the_same_question_has_the_same_answer() -> None:
    """Virtual patients come from a fixed seed."""
    first, second = made(target=7.0), made(target=7.0)
    assert first.attainment == second.attainment
    assert first.bands is not None
    assert second.bands is not None
    assert np.array_equal(first.bands.together, second.bands.together)  # type: ignore[arg-type]


def test_bands_hold_the_curve_and_grow_with_what_they_hold() -> None:
    """Lower, middle, upper; everything together is at least as wide as the patients alone in the middle of the curve."""
    bands = made().bands
    assert bands is not None
    assert bands.person is not None
    assert bands.together is not None
    for band in (bands.person, bands.model, bands.together):
        assert np.all(band[0] <= band[1])
        assert np.all(band[1] <= band[2])
    late = slice(100, 300)
    assert np.mean(bands.together[2, late] - bands.together[0, late]) > np.mean(bands.person[2, late] - bands.person[0, late]) * 0.95


@pytest.mark.parametrize("state", ["has__nephrotic_syndrome", "takes__fcrn_blocker"])
def test_states_that_lose_igg_are_not_forecast(state: str) -> None:
    """The verdict says so, and there is no number."""
    one = made(known={state: True})
    assert one.status == "needs-levels"
    assert not one.curves


def test_nobody_speaks_for_a_disease_without_purpose() -> None:
    """No model is stretched over everything."""
    assert made(person=msgspec.structs.replace(ADULT, indication="tetanus", purpose="none")).status == "no-model"


def test_a_model_asked_for_is_computed_with_its_verdict() -> None:
    """Also one that is left out; one that cannot be computed is not."""
    one = made(model="dumas-2019")
    assert [curve.model for curve in one.curves] == ["dumas-2019"]
    assert one.curves[0].verdict.fit == "does-not-fit"
    assert made(Regimen(28.0, 28.0, route="subcutaneous"), model="cheng-2026").status == "no-model"


def test_steady_state_is_reached_and_counted() -> None:
    """The last trough before the horizon is near the closed form, and the count of doses is that of the evidence (3-6)."""
    summary = made(horizon=365.0).curves[0].summary
    assert summary.trough is not None
    assert summary.steady_after_doses == 3
    last = made(horizon=364.0).curves[0].total[-1]
    assert last == pytest.approx(summary.trough, rel=1e-3)
    assert summary.peak is not None
    assert summary.average is not None
    assert summary.trough < summary.average < summary.peak


def test_a_single_course_has_no_steady_state() -> None:
    """But a rise after two weeks and a highest level."""
    patient = msgspec.structs.replace(ADULT, indication="gbs", purpose="immunomodulation")
    summary = made(Regimen(140.0, None, 5, length=1 / 6), patient).curves[0].summary
    assert summary.trough is None
    assert summary.rise_after_two_weeks == pytest.approx(9.7, abs=0.3)


def test_missed_late_and_loading_doses() -> None:
    """A missed dose is not there, a late one is late and the next keeps its day, a loading dose replaces the first."""
    changed = msgspec.structs.replace(REPLACEMENT, missed=(2,), late=((3, 5.0),), loading=70.0)
    assert [(dose.day, dose.grams) for dose in coming(changed, 90.0)] == [(0.0, 70.0), (61.0, 28.0), (84.0, 28.0)]
    assert changed.changed
    assert not changed.plain.changed
    low, plain = made(changed).curves[0], made().curves[0]
    at = int(np.argmin(np.abs(made().times - 61.0)))
    assert low.total[at] < plain.total[at]


def test_a_course_is_split_over_its_days() -> None:
    """Five days of a fifth each."""
    assert [(dose.day, dose.grams) for dose in coming(Regimen(140.0, None, 5), 30.0)] == [(float(day), 28.0) for day in range(5)]


@pytest.mark.parametrize(("patient", "known", "person", "value", "kind"), [
    (record(infusions=(), infusions_complete=True, results=(level(-10, "2.5 g/L"),)), {}, ADULT, 2.5, "baseline-measured"),
    (record(infusions=MONTHS, results=(level(-10, "9 g/L"),)), {}, ADULT, 4.0, "baseline-assumed"),
    (record(infusions=MONTHS), {"has__agammaglobulinaemia": True}, ADULT, 0.7, "baseline-assumed"),
])
def test_where_the_baseline_comes_from(patient: Record, known: dict[str, Any], person: Person, value: float, kind: str) -> None:
    """Measured before treatment, else assumed by policy, never a level between infusions."""
    past = history_of(patient, person, facts(**known), evidence(), TODAY)
    found = endogenous(evidence().models["navarro-mora-2022"], person, past, facts(**known), evidence())
    assert (found.value, found.remark.kind) == (value, kind)
    assert found.log_sd > 0


def test_an_estimated_baseline_stays_the_models_own() -> None:
    """Li 2022 estimated it together with its clearance; CIDP uses the cohort's median and says that it is unsure."""
    assert endogenous(evidence().models["li-2022"], ADULT, history(), facts(), evidence()).value == 6.15
    cidp = msgspec.structs.replace(ADULT, indication="cidp", purpose="immunomodulation")
    found = endogenous(evidence().models["tortorici-2021"], cidp, history(), facts(), evidence())
    assert (found.value, found.remark.kind, found.log_sd) == (12.5, "baseline-uncertain", 0.0)


def test_an_individual_replaces_the_typical_patient() -> None:
    """Own deviations move the curve, a small covariance narrows the band, and a clearance ratio is reported."""
    names, omega = scatter(evidence().models["navarro-mora-2022"])
    etas = np.array([0.5 if name == "CL" else 0.0 for name in names])
    own = Individual("navarro-mora-2022", etas, joint(omega / 100), 3.0)
    fitted, typical = made(individuals={"navarro-mora-2022": own}), made()
    curve = fitted.curves[0]
    assert curve.individual
    assert curve.clearance_ratio == pytest.approx(np.exp(0.5))
    assert curve.summary.baseline == 3.0
    assert curve.summary.trough is not None
    assert typical.curves[0].summary.trough is not None
    assert curve.summary.trough < typical.curves[0].summary.trough
    assert fitted.bands is not None
    assert typical.bands is not None
    assert np.ptp(fitted.bands.person[:, -1]) < np.ptp(typical.bands.person[:, -1])  # type: ignore[index]
    with pytest.raises(CannotCompute, match="deviations"):
        made(individuals={"navarro-mora-2022": Individual("navarro-mora-2022", np.zeros(1), np.zeros((1, 1)), 4.0)})


@pytest.mark.parametrize(("times", "alarm"), [(2.9, False), (3.1, True)])
def test_a_clearance_far_above_typical_is_an_alarm(times: float, alarm: bool) -> None:
    """Above three times: loss, missed dose, paraprotein or assay, never a reason for more drug."""
    names, omega = scatter(evidence().models["navarro-mora-2022"])
    etas = np.array([np.log(times) if name == "CL" else 0.0 for name in names])
    one = made(individuals={"navarro-mora-2022": Individual("navarro-mora-2022", etas, joint(omega / 100), 4.0)})
    assert any(remark.kind == "clearance-alarm" for remark in one.remarks) is alarm


def test_levels_make_a_losing_state_forecastable() -> None:
    """With an individual fitted to levels there is something to stand on."""
    names, omega = scatter(evidence().models["navarro-mora-2022"])
    own = {"navarro-mora-2022": Individual("navarro-mora-2022", np.zeros(len(names)), joint(omega / 10), 4.0)}
    assert made(known={"has__nephrotic_syndrome": True}, individuals=own).status == "forecast"


def test_the_target_solver_finds_the_dose() -> None:
    """The typical dose reaches the target exactly, half of the virtual patients with it, nine in ten with the larger one."""
    one = made(target=7.0)
    choices = options(one, facts(), history(), evidence(), 7.0)
    assert [choice.every for choice in choices] == [7.0, 14.0, 21.0, 28.0]
    monthly = choices[-1]
    again = made(msgspec.structs.replace(REPLACEMENT, grams=monthly.grams), target=7.0)
    assert again.curves[0].summary.trough == pytest.approx(7.0)
    assert monthly.attained_typical == pytest.approx(0.5, abs=0.1)  # typical is not quite the median
    assert monthly.grams_sure is not None
    sure = made(msgspec.structs.replace(REPLACEMENT, grams=monthly.grams_sure), target=7.0)
    assert sure.attainment == pytest.approx(0.9, abs=0.01)
    assert [choice.per_year for choice in choices] == sorted(choice.per_year for choice in choices)
    assert monthly.attained == pytest.approx(one.attainment)


def test_the_target_solver_is_silent_where_the_trough_is_no_straight_line() -> None:
    """Single courses and the saturable model."""
    patient = msgspec.structs.replace(ADULT, indication="gbs", purpose="immunomodulation")
    once = made(Regimen(140.0, None, 5, length=1 / 6), patient, target=20.0)
    assert options(once, facts(), history(), evidence(), 20.0) == ()


@pytest.mark.parametrize("weight", [20.0, 45.0, 70.0, 120.0])
def test_more_immunoglobulin_never_lowers_a_forecast(weight: float) -> None:
    """Under every model of the ensemble, at every time."""
    person = msgspec.structs.replace(ADULT, weight=weight)
    low, high = made(person=person), made(msgspec.structs.replace(REPLACEMENT, grams=29.0), person)
    for one, other in zip(low.curves, high.curves, strict=True):
        assert np.all(other.total >= one.total - 1e-12)
