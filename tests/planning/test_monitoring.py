"""Tests, vital signs, thresholds, targets and review: who gets which, and on what dates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from tests.planning.care_sample import START, asked, cases_of, context, draft, evidence, ids, known, line, rows

from ivigil.basis.facts import Fact, Origin
from ivigil.basis.quantity import Quantity, parse_quantity
from ivigil.evidence.check import PlacedCase
from ivigil.evidence.conditions import judge
from ivigil.evidence.shapes import Act, SafetyRule
from ivigil.planning.draft import Constraint, Draft
from ivigil.planning.monitoring import last_moment, step

ADULT: dict[str, Any] = {"weight": "70 kg", "age": "40 year", "order.phase": "acute"}
SETTLED: dict[str, Any] = {"ig.first_ever": "no", "product.switched": "no", "ig.weeks_since_last": "4 week", "risk.volume": "no"}
"""Nothing asks for the longer observation."""


def _step(jurisdiction: str = "US", indication: str = "kawasaki", facts: dict[str, Any] | None = None, *, constraints: tuple[Constraint, ...] = (),
          ends: datetime | None = None, **more: Any) -> Draft:
    made = draft(indication, {**ADULT, **(facts or {})}, **more)
    return step(msgspec.structs.replace(made, constraints=constraints, ends=ends), evidence(), context(jurisdiction))


def _wants(test: str, at: str, **more: Any) -> Constraint:
    rule = SafetyRule(id="sample", about="x", when=evidence().rules["renal-risk"].when, say="x", severity="caution", cites=("ivigil-policy.override",))
    return Constraint(rule, Act(act="monitor", test=test, at=at, **more))


def _measured(plan: Draft, name: str, value: str, on: date, *, stale: bool = False) -> Draft:
    return msgspec.structs.replace(plan, facts=plan.facts.having([Fact(name, parse_quantity(value), Origin("results", on), stale)]))


# --- dates --------------------------------------------------------------------------------------------------------------


def test_haemoglobin_is_dated_from_the_end_of_the_course() -> None:
    """Ends 21 November 15:00: 36 h is 23 November 03:00, 96 h is 25 November 15:00; day 5-10 is 26 November to 1 December."""
    plan = _step(course=2, days=2, facts={"blood_group": "A"}, ends=datetime(2026, 11, 21, 15, 0))
    check = line(plan, "monitoring.haemoglobin-after-high-dose")
    assert "(23 Nov 2026 to 25 Nov 2026 and 26 Nov 2026 to 1 Dec 2026)" in check.text
    assert check.when == date(2026, 11, 23)


def test_without_a_schedule_the_last_day_counts_at_the_start_time() -> None:
    """Last day 21 November at 09:00: 36 h is 22 November 21:00, 96 h is 25 November 09:00."""
    course = draft("kawasaki", {**ADULT, "blood_group": "A"}, course=2, days=2)
    assert last_moment(course, context()) == datetime(2026, 11, 21, 9, 0)
    assert "(22 Nov 2026 to 25 Nov 2026 and" in line(step(course, evidence(), context()), "monitoring.haemoglobin-after-high-dose").text
    assert last_moment(msgspec.structs.replace(course, days=()), context()) == START


def test_within_24_hours_begins_at_once() -> None:
    """Platelets within 24 h of 20 November 09:00 and on day 2-4."""
    plan = _step(indication="itp-adult", course=1)
    assert "(20 Nov 2026 to 21 Nov 2026 and 22 Nov 2026 to 24 Nov 2026)" in line(plan, "monitoring.platelets-itp").text


@pytest.mark.parametrize(("facts", "words"), [
    ({"ig.first_ever": "yes"}, "(20 Feb 2027 to 20 May 2027)"),
    ({"ig.first_ever": "no"}, "always just before a dose."),
])
def test_a_trough_3_to_6_months_after_the_first_dose_is_dated_only_at_the_first_dose(facts: dict[str, str], words: str) -> None:
    """20 November + 3 and 6 months for a new patient; no made-up date for one whose first dose lies years back."""
    assert words in line(_step(indication="pid", course=0.4, facts={**facts, "order.phase": "replacement"}), "monitoring.igg-trough").text


def test_the_next_trough_is_dated_from_the_last_one() -> None:
    """Measured on 26 October 2026: again in 6-12 months, 26 April to 26 October 2027."""
    plan = _measured(draft("pid", {**ADULT, "order.phase": "replacement", "ig.first_ever": "no"}, course=0.4), "igg", "7 g/L", date(2026, 10, 26))
    trough = line(step(plan, evidence(), context()), "monitoring.igg-trough")
    assert "(26 Apr 2027 to 26 Oct 2027)" in trough.text
    assert "On record: Serum IgG 7 g/L, 26 Oct 2026." in trough.text


def test_yearly_tests_are_dated_a_year_on() -> None:
    """20 November 2026 + 1 year."""
    assert line(_step(indication="pid", course=0.4, facts={"order.phase": "maintenance"}), "monitoring.liver-maintenance").when == date(2027, 11, 20)


# --- values on record ---------------------------------------------------------------------------------------------------


def test_values_on_record_are_shown_with_date_and_age() -> None:
    """A pharmacist sees at once what need not be measured again; an old value says so; a yes/no reads as such."""
    plan = _measured(draft("kawasaki", {**ADULT, "has.anti_iga": "yes", "iga": "0.05 g/L"}, course=1), "creatinine", "88 umol/L", date(2026, 11, 18))
    plan = _measured(plan, "egfr", "80 mL/min/1.73m2", date(2026, 1, 18), stale=True)
    made = step(plan, evidence(), context())
    renal = line(made, "monitoring.renal-before")
    assert "On record: Serum creatinine 88 umol/L, 18 Nov 2026." in renal.text
    assert "18 Jan 2026, out of date." in renal.text
    assert renal.because.facts["creatinine"].value == "88 umol/L"
    assert line(made, "monitoring.anti-iga").text.endswith(" yes.")


# --- who ----------------------------------------------------------------------------------------------------------------


def test_the_kidney_risk_group_decides_and_the_real_reason_is_shown() -> None:
    """An eGFR of 45 asks for the checks after the course, as it does for the safety rule; the line names the eGFR, not the group."""
    check = line(_step(course=1, facts={"egfr": "45 mL/min/1.73m2"}), "monitoring.renal-after-at-risk")
    assert "(21 Nov 2026 to 22 Nov 2026 and 23 Nov 2026 to 24 Nov 2026)" in check.text
    assert list(check.because.facts) == ["egfr"]


def test_an_undecided_test_is_asked_and_a_silent_one_recorded() -> None:
    """Blood group unknown at 2 g/kg: asked. Group O: kept as a near miss with its reason."""
    assert asked(_step(course=2))["lab.haemoglobin-after-high-dose"] == ("blood_group",)
    silent = {miss.rule: miss.facts for miss in _step(course=2, facts={"blood_group": "O"}).not_raised}
    assert silent["lab.haemoglobin-after-high-dose"] == {"blood_group": "O"}


def test_tests_of_one_disease_stay_with_it() -> None:
    """Platelets for immune thrombocytopenia, creatine kinase for myositis."""
    assert "monitoring.platelets-itp" in ids(_step(indication="itp-adult", course=1))
    assert "monitoring.platelets-itp" not in ids(_step(indication="dermatomyositis", course=2))
    assert "monitoring.ck-myositis" in ids(_step(indication="dermatomyositis", course=2))


@pytest.mark.parametrize("place", sorted(evidence().jurisdictions))
@pytest.mark.parametrize("indication", sorted(evidence().indications))
def test_every_indication_has_a_plan_everywhere(indication: str, place: str) -> None:
    """No indication and no place breaks the step or names two lines alike, with every follow-up rule at work."""
    facts = {"blood_group": "AB", "ig.first_ever": "yes", "order.phase": "replacement", "age": "70 year"}
    plan = _step(place, indication, course=2, every="4 week", facts=facts,
                 constraints=(_wants("haemoglobin", "36-96 h"), _wants("urine-output", "during"), _wants("weight", "before")))
    assert {"monitoring.vitals", "monitoring.observe", "monitoring.interference", "monitoring.review"} <= ids(plan)


def test_a_blocked_plan_keeps_only_what_may_settle_it() -> None:
    """Tests before stay; nothing is dated after an infusion that is not given."""
    blocked = msgspec.structs.replace(draft("pid", {**ADULT, "order.phase": "replacement"}, course=2), blocked=("x",))
    plan = step(blocked, evidence(), context())
    assert {"monitoring.renal-before", "monitoring.iga", "monitoring.target"} <= ids(plan)
    assert not {"monitoring.vitals", "monitoring.observe", "monitoring.liver-maintenance", "monitoring.review", "monitoring.interference"} & ids(plan)


# --- follow-ups of safety rules -----------------------------------------------------------------------------------------


def test_a_rule_that_asks_for_another_time_is_not_lost() -> None:
    """Below 2 g/kg haemoglobin is due at the next visit; a rule that wants it at 36-96 h and on day 5-10 still gets both, with dates."""
    wanted = tuple(_wants("haemoglobin", at) for at in ("before", "36-96 h", "day 5-10"))
    plan = _step(course=1, facts={"blood_group": "A"}, constraints=wanted)
    extra = line(plan, "monitoring.rule.haemoglobin")
    assert extra.text == "Haemoglobin: 36-96 h after the end (21 Nov 2026 to 24 Nov 2026) and day 5-10 after the end (25 Nov 2026 to 30 Nov 2026)."
    assert extra.when == date(2026, 11, 21)


def test_a_rule_that_asks_for_what_is_planned_adds_nothing() -> None:
    """The high-dose checks already have the haemoglobin at these times, the blood count has it before."""
    wanted = (_wants("haemoglobin", "before"), _wants("haemoglobin", "36-96 h"), _wants("creatinine", "before"))
    plan = _step(course=2, facts={"blood_group": "A"}, constraints=wanted)
    assert not [name for name in ids(plan) if name.startswith("monitoring.rule")]


def test_a_conditional_follow_up_needs_its_condition() -> None:
    """An act with a condition adds its test only when the condition is known to hold."""
    wanted = evidence().rules["brand-switch"].when
    act = _wants("total-protein", "next visit", condition=wanted)
    assert "monitoring.rule.total-protein" not in ids(_step(course=1, constraints=(act,)))
    assert "Total protein: next visit." in line(_step(course=1, facts={"product.switched": "yes"}, constraints=(act,)), "monitoring.rule.total-protein").text


# --- vital signs and observation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("facts", "minutes"), [
    (SETTLED, 20),
    ({**SETTLED, "ig.first_ever": "yes"}, 60),
    ({**SETTLED, "product.switched": "yes"}, 60),
    ({**SETTLED, "ig.weeks_since_last": "9 week"}, 60),
    ({**SETTLED, "risk.volume": "yes"}, 60),
    ({}, 60),
    ({"ig.weeks_since_last": "4 week"}, 60),
])
def test_observation_is_longer_at_risk_and_while_it_is_not_known(facts: dict[str, Any], minutes: int) -> None:
    """20 min after the end only for a patient known to need no more."""
    observed = line(_step(course=1, facts=facts), "monitoring.observe")
    assert observed.value == Quantity(minutes, "min")
    assert ("because not all is known" in observed.text) is (facts in ({}, {"ig.weeks_since_last": "4 week"}))


def test_a_fired_rule_can_ask_for_a_longer_observation() -> None:
    """The longest of schedule and rules holds."""
    act = Constraint(_wants("x", "").rule, Act(act="observe", duration="2 h"))
    assert line(_step(course=1, facts=SETTLED, constraints=(act,)), "monitoring.observe").value == Quantity(2, "h")


def test_other_schedules_of_the_place_are_named() -> None:
    """The default is the union; the printed schedule of the place stands beside it."""
    assert [other.what for other in line(_step("EU", course=1), "monitoring.vitals").because.disputed_by] == ["European leaflets"]


# --- thresholds, targets, review ----------------------------------------------------------------------------------------


def test_thresholds_belong_to_watched_tests() -> None:
    """The haemoglobin threshold shows when haemoglobin is followed, by a laboratory rule or a safety rule, and not otherwise."""
    name = "monitoring.threshold.haemoglobin.fall"
    assert name in ids(_step(course=2, facts={"blood_group": "A"}))
    assert name in ids(_step(course=0.4, constraints=(_wants("haemoglobin", "next visit"),)))
    assert name not in ids(_step(course=0.4))
    assert "26 umol/L" in line(_step(course=0.4), "monitoring.threshold.aki.stage-one").text


def test_targets_stand_side_by_side() -> None:
    """The European label's 6 g/L and the floor of 400 mg/dL (4 g/L) are both shown, each as what it is; the superseded label is not."""
    table = rows(line(_step("EU", "pid", course=0.4), "monitoring.target"))
    assert any(row[0] == "EU" and "6 g/L" in row[1] for row in table)
    assert any("400 mg/dL" in row[1] and "floor" in row[1] for row in table)
    assert not any("4-6 g/L" in row[1] for row in table)


def test_a_target_of_elsewhere_is_marked_and_disputed() -> None:
    """In the United States the European 6 g/L is shown as another authority's."""
    target = line(_step("US", "pid", course=0.4), "monitoring.target")
    assert any(row[0] == "EU (elsewhere)" and "6 g/L" in row[1] for row in rows(target))
    assert [other.what for other in target.because.disputed_by] == ["EU"]
    assert "No IgG level is on record." in target.text


def test_immunomodulation_has_no_igg_target() -> None:
    """A trough target would mislead where IgG is not replaced."""
    assert "monitoring.target" not in ids(_step(indication="cidp", course=2))


def test_the_review_comes_after_6_months() -> None:
    """20 November 2026 + 6 months = 20 May 2027."""
    review = line(_step(indication="cidp", course=1), "monitoring.review")
    assert review.when == date(2027, 5, 20)
    assert "First review by 20 May 2027" in review.text


def test_the_general_review_is_for_treatment_that_goes_on() -> None:
    """Multiple sclerosis relapse names no review of its own: a single course gets none, a repeated one is reviewed."""
    assert "monitoring.review" not in ids(_step(indication="ms-relapse", course=1))
    assert line(_step(indication="ms-relapse", course=1, every="4 week"), "monitoring.review").when == date(2027, 5, 20)


def test_a_review_in_hours_is_dated_too() -> None:
    """Kawasaki disease is judged 36 h after: 20 November 09:00 + 36 h falls on 21 November."""
    assert line(_step(course=2), "monitoring.review").when == date(2026, 11, 21)


def test_outcome_measures_name_the_change_that_matters() -> None:
    """CIDP: grip strength 8 kPa, I-RODS 4 points."""
    measures = dict(rows(line(_step(indication="cidp", course=1), "monitoring.outcomes")))
    assert measures["grip strength"] == "8 kPa"
    assert measures["I-RODS"] == "4 points"
    assert measures["ONLS"] == "no smallest change read"


def test_disturbed_tests_are_listed_for_the_laboratory() -> None:
    """Passive hepatitis B core antibody is the classic trap; glucose strips only with a maltose product or while that is unknown."""
    tests = [row[0] for row in rows(line(_step(course=1, facts={"product.contains_maltose": "no"}), "monitoring.interference"))]
    assert any("core antibody" in name for name in tests)


def test_without_an_indication_nothing_is_said() -> None:
    """A plan that found no indication stays silent here."""
    assert step(msgspec.structs.replace(draft(), indication=None), evidence(), context()).lines == ()


@pytest.mark.parametrize("placed", cases_of("monitoring"))
def test_the_examples_of_the_evidence(placed: PlacedCase) -> None:
    """Each test and schedule fires, stays silent or asks as its example says."""
    truth = judge(evidence().conditions[placed.rule], known(placed.case.facts)).truth
    assert {True: "fires", False: "silent", None: "asks"}[truth] == placed.case.expect
