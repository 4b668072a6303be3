"""Days and rounding: the fewest days that everybody allows, whole vials where possible, never above a cap."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.planning.course_sample import CHILD, MAN, context, draft, evidence, known, line, lines, planned, product, regimen, with_regimens

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.shapes import Act, Indication, RegimenDose, SafetyRule
from ivigil.patient.record import Order
from ivigil.planning import course, dosing
from ivigil.planning.course import divide, round_course, round_total
from ivigil.planning.draft import Constraint, Draft
from ivigil.planning.vials import fewest_vials

MAN_70 = known(weight="70 kg", height="175 cm", sex="male", age="50 year")
TOTAL = RegimenDose(course_total=Span(2, 2, "g/kg"), over_days=Span(2, 5))
SINGLE = RegimenDose(course_total=Span(2, 2, "g/kg"), over_days=Span(1, 1))
SIZES = (40000, 20000, 10000, 5000)


def _constraint(**act: object) -> Constraint:
    rule = SafetyRule(id="sample.heart", about="Heart failure", when=parse_condition("has.heart_failure"), say="Split.", severity="caution",
                      cites=("limit.per-day",))
    return Constraint(rule, msgspec.structs.replace(Act(act="split"), **act))


def _course(indication: Indication | str, facts: Facts = MAN_70, order: Order | None = None, *constraints: Constraint, where: str = "US",
            sizes: tuple[str, ...] = ("5 g", "10 g", "20 g", "40 g"), percent: float = 10.0) -> Draft:
    start = draft(indication, facts, order, product=product(*sizes, percent=percent))
    start = dosing.step(start, evidence(), context(where))
    return course.step(msgspec.structs.replace(start, constraints=constraints), evidence(), context(where))


def _grams(plan: Draft) -> list[float]:
    return [day.grams for day in plan.days]


# --- days ---------------------------------------------------------------------------------------------------------------


def test_the_fewest_days_of_the_regimen_are_used() -> None:
    """2 g/kg over 2-5 days for 70 kg: 70 g on each of 2 consecutive days, dated from the start."""
    plan = _course(with_regimens(regimen(TOTAL)))
    assert _grams(plan) == [70, 70]
    assert [day.on.isoformat() for day in plan.days] == ["2026-11-23", "2026-11-24"]
    assert plan.facts.number("course.days", "day") == 2
    assert plan.facts.number("course.dose_per_day", "g/kg") == pytest.approx(1.0)


def test_the_daily_limit_asks_for_days_that_the_regimen_allows() -> None:
    """2 g/kg over 1-5 days would be 2 g/kg on one day; the limit of 1 g/kg a day makes it 2 days."""
    plan = _course(with_regimens(regimen(RegimenDose(course_total=Span(2, 2, "g/kg"), over_days=Span(1, 5)))))
    assert _grams(plan) == [70, 70]
    assert "1 g/kg" in line(plan, "course.split").text


def test_the_daily_limit_is_confirmed_where_the_regimen_prints_more() -> None:
    """2 g/kg on a single day outside Kawasaki disease stays as printed and asks for confirmation."""
    plan = _course(with_regimens(regimen(SINGLE)))
    assert _grams(plan) == [140]
    assert line(plan, "dose.limit.per-day").urgency == "warning"


def test_ordered_days_inside_the_regimen_are_kept() -> None:
    """4 days are ordered of 2-5: 140 g becomes 4 x 35 g."""
    assert _grams(_course(with_regimens(regimen(TOTAL)), MAN_70, Order(days=4))) == [35, 35, 35, 35]


def test_ordered_days_outside_the_regimen_are_said() -> None:
    """1 day is ordered of 2-5: two are planned; 7 days are kept, with a warning."""
    short, long = (_course(with_regimens(regimen(TOTAL)), MAN_70, Order(days=days)) for days in (1, 7))
    assert len(short.days) == 2
    assert len(long.days) == 7
    assert line(short, "course.order-days").urgency == line(long, "course.order-days").urgency == "warning"


def test_heart_and_kidney_constraints_split_the_course() -> None:
    """At most 0.4 g/kg a day makes 5 days of 28 g; at least 4 days makes 4; the stricter of two wins."""
    assert _grams(_course(with_regimens(regimen(TOTAL)), MAN_70, None, _constraint(per_day_at_most=Quantity(0.4, "g/kg")))) == [28] * 5
    assert len(_course(with_regimens(regimen(TOTAL)), MAN_70, None, _constraint(days_at_least=4)).days) == 4
    both = _course(with_regimens(regimen(TOTAL)), MAN_70, None, _constraint(days_at_least=3), _constraint(per_day_at_most=Quantity(0.4, "g/kg")))
    assert len(both.days) == 5


def test_a_split_without_a_number_takes_the_most_days_of_the_regimen() -> None:
    """'Split the course' uses the 5 days of 2-5 and leaves a single-day regimen alone."""
    assert len(_course(with_regimens(regimen(TOTAL)), MAN_70, None, _constraint()).days) == 5
    assert len(_course("kawasaki", CHILD, None, _constraint()).days) == 1


def test_a_single_dose_stays_single_unless_a_constraint_splits_it() -> None:
    """Kawasaki disease: one day; with at most 1 g/kg a day for the heart it becomes two, and the line says what the regimen prints."""
    assert len(_course("kawasaki", CHILD).days) == 1
    split = _course("kawasaki", CHILD, None, _constraint(per_day_at_most=Quantity(1, "g/kg")))
    assert len(split.days) == 2
    assert "The regimen prints 1 day." in line(split, "course.split").text
    assert line(split, "course.split").urgency == "warning"


def test_autonomic_instability_means_five_days() -> None:
    """Guillain-Barre syndrome with autonomic instability is not given in less than 5 days, whatever is ordered."""
    facts = known(weight="70 kg", height="175 cm", sex="male", age="50 year", has__autonomic_instability=True)
    plan = _course(msgspec.structs.replace(evidence().indications["gbs"], regimens=(regimen(TOTAL),)), facts, Order(days=2))
    assert len(plan.days) == 5


def test_unknown_autonomic_instability_is_asked_for() -> None:
    """Whether 5 days are needed in Guillain-Barre syndrome depends on a fact that is not on record: it becomes a question."""
    plan = _course(msgspec.structs.replace(evidence().indications["gbs"], regimens=(regimen(TOTAL),)))
    assert len(plan.days) == 2
    assert ("autonomic-instability-days", ("has.autonomic_instability",), "caution") in plan.undecided


def test_more_days_never_mean_more_grams() -> None:
    """Splitting divides the same total; it does not repeat it."""
    for days in (2, 3, 4, 5):
        assert sum(_grams(_course(with_regimens(regimen(TOTAL)), MAN_70, Order(days=days)))) == pytest.approx(140, rel=0.1)


# --- volume -------------------------------------------------------------------------------------------------------------


def test_volume_per_day_by_concentration() -> None:
    """70 g a day is 700 mL (10 mL/kg) at 10 % and 1400 mL (20 mL/kg) at 5 %."""
    for percent, volume in ((10.0, 700), (5.0, 1400)):
        plan = _course(with_regimens(regimen(TOTAL)), percent=percent)
        assert plan.days[0].volume == pytest.approx(volume)
        assert plan.facts.number("course.volume_per_day", "mL/kg") == pytest.approx(volume / 70)
        assert f"{volume} mL" in line(plan, "course.volume").text


def test_without_a_product_days_are_set_and_volumes_left_open() -> None:
    """No product yet: the days stand, no volume is invented."""
    plan = planned(draft(with_regimens(regimen(TOTAL)), MAN_70), context("US"))
    assert _grams(plan) == [70, 70]
    assert "course.volume" not in lines(plan)
    assert "course.volume_per_day" not in plan.facts


# --- rounding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "grams", "rounded"), [
    ("nearest-5-g", 164.56, 165), ("nearest-5-g", 22.17, 20), ("nearest-5-g", 78.1, 80), ("nearest-5-g", 68, 70), ("nearest-5-g", 22.5, 25),
    ("vial-down", 163.1, 160), ("vial-down", 24.0, 20), ("vial-down", 78.63, 75), ("vial-down", 52.0, 50), ("vial-down", 15.0, 15),
    ("vial-down", 14.8, 14), ("vial-down", 14.95, 14), ("vial-down", 9.9, 9), ("vial-down", 3.9, 4), ("vial-down", 3.0, 4), ("vial-down", 1.4, 2),
    ("vial-down", 1.0, 2), ("vial-down", 2.7, 2), ("vial-down", 0.9, 0),
    ("nearest-5-g", 2.0, 0),
])
def test_course_totals_round_as_their_authority_says(policy: str, grams: float, rounded: float) -> None:
    """Examples C1-C4; below 14.9 g whole grams of 5 g and 2 g vials, so that 1 g becomes 2 g (also from 1.4 g) and 3 g becomes 4 g."""
    assert round_total(evidence().rounding[policy], grams) == pytest.approx(rounded)


def test_a_dose_is_never_rounded_to_nought() -> None:
    """2 g under 'nearest 5 g' would vanish; the exact dose stands."""
    assert round_course(evidence().rounding["nearest-5-g"], 2.0, 1, SIZES).parts == (2.0,)


def test_rounding_goes_to_whole_vials_that_need_not_be_equal() -> None:
    """165 g over 2 days is 80 g and 85 g, the smaller first; 160 g over 3 days is 50 + 55 + 55 g."""
    assert round_course(evidence().rounding["nearest-5-g"], 164.56, 2, SIZES).parts == (80.0, 85.0)
    assert round_course(evidence().rounding["vial-down"], 163.1, 3, SIZES).parts == (50.0, 55.0, 55.0)


def test_within_ten_percent_each_dose_goes_to_whole_vials() -> None:
    """28 g becomes 30 g (7 % more) from 5 g vials; 7 g cannot (5 g is 29 % less, 10 g 43 % more) and stays exact."""
    within = evidence().rounding["within-10-percent"]
    assert round_course(within, 140, 5, (5000,)).parts == (30.0,) * 5
    assert round_course(within, 7, 1, (5000,)).parts == (7.0,)
    assert round_course(within, 7, 1, ()).parts == (7.0,)


def test_infants_get_the_exact_dose() -> None:
    """A newborn of 3.2 kg at 1 g/kg gets 3.2 g whatever the jurisdiction's rounding."""
    baby = known(weight="3.2 kg", height="50 cm", sex="female", age="0.02 year")
    dose = RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(1, 1))
    for where in ("US", "CA-ON"):
        start = with_regimens(msgspec.structs.replace(regimen(dose), jurisdiction=where))
        plan = _course(start, baby, where=where)
        assert _grams(plan) == [pytest.approx(3.2)]
        assert line(plan, "course.rounding").because.rule == "exact"


@pytest.mark.parametrize(("low", "worked", "urgency", "said"), [
    # Down to whole steps of 5 g: 0.4 g/kg x 70 kg = 28 g becomes 25 g, below the 28 g of the range.
    (0.4, 0.4, "warning", "below the 28 g at which the printed range of 0.4-0.6 g/kg begins"),
    # 0.45 g/kg x 70 kg = 31.5 g becomes 30 g, which 0.4-0.6 g/kg (28-42 g) still holds.
    (0.4, 0.45, "info", ""),
])
def test_rounding_below_the_printed_range_warns(low: float, worked: float, urgency: str, said: str) -> None:
    """A dose that only rounding takes out of the range of its regimen is a warning with the grams at which the range begins."""
    dose = RegimenDose(per_interval=Span(low, 0.6, "g/kg"), every=Span(4, 4, "week"), worked_at=Quantity(worked, "g/kg"))
    start = draft(with_regimens(regimen(dose)), MAN_70, product=product("10 g"))
    where = context("US", rounding="vial-down")
    rounding = line(course.step(dosing.step(start, evidence(), where), evidence(), where), "course.rounding")
    assert rounding.urgency == urgency
    assert said in rounding.text
    assert ("printed range" in rounding.text) == bool(said)


def test_a_weekly_subcutaneous_dose_is_not_rounded_like_a_course() -> None:
    """7 g a week under 'nearest 5 g' would lose 29 %; a rule for course totals is not used on it."""
    assert round_course(evidence().rounding["nearest-5-g"], 7.0, 1, (4000, 2000, 1000), intravenous=False).parts == (7.0,)


def test_rounding_never_goes_above_a_cap_or_a_daily_most() -> None:
    """97 g is nearest to 95 g, 98 g to 100 g; under a cap of 98 g both give 95 g. 28 g under a most of 28 g a day is not raised to 30 g."""
    nearest, within = evidence().rounding["nearest-5-g"], evidence().rounding["within-10-percent"]
    assert sum(round_course(nearest, 98, 1, SIZES, most=98).parts) == 95
    assert round_course(within, 140, 5, (5000,), most_per_day=28).parts == (28.0,) * 5


@settings(max_examples=200, deadline=None)
@given(grams=st.floats(1, 250), count=st.integers(1, 6), policy=st.sampled_from(["nearest-5-g", "vial-down", "within-10-percent", "exact"]),
       share=st.floats(1, 2), sizes=st.sampled_from([SIZES, (10000, 5000), (30000, 20000, 10000, 5000, 2500, 1000), (12000, 6000, 3000), ()]))
def test_rounded_days_keep_to_caps_and_to_their_rule(grams: float, count: int, policy: str, share: float, sizes: tuple[int, ...]) -> None:
    """Whatever the policy: no cap is passed, no day is empty, and the change is at most what the rule allows."""
    rule, most = evidence().rounding[policy], grams * share
    parts = round_course(rule, grams, count, sizes, most=most).parts
    total = sum(parts)
    assert len(parts) == count
    assert min(parts) > 0
    assert total <= most * (1 + 1e-6)
    if policy == "exact":
        assert total == pytest.approx(grams)
    elif policy == "within-10-percent":
        assert abs(total - grams) <= 0.1 * grams + 0.001 * count
    elif policy == "nearest-5-g":
        assert abs(total - grams) <= 5
    else:
        assert total <= max(grams, 2.0, 4.0 if math.floor(grams) == 3 else 0) + 1e-6


@settings(max_examples=200, deadline=None)
@given(total=st.integers(1, 400), count=st.integers(1, 5), sizes=st.sampled_from([SIZES, (10000, 5000), (5000, 2000), (12000, 6000, 3000)]))
def test_parts_are_whole_vials_and_sum_to_the_total(total: int, count: int, sizes: tuple[int, ...]) -> None:
    """Dividing a total over days loses nothing, and every part is made of whole vials."""
    parts = divide(total * 500, count, sizes)
    if parts is not None:
        assert sum(parts) == total * 500
        assert list(parts) == sorted(parts)
        assert all(fewest_vials(sizes, part) is not None and part > 0 for part in parts)


def test_vial_down_is_monotone() -> None:
    """A larger calculated dose is never rounded to a smaller one, also where the two rules meet."""
    rule = evidence().rounding["vial-down"]
    values = [round_total(rule, tenth / 10) for tenth in range(10, 400)]
    assert values == sorted(values)


def test_worked_example_c1_in_ontario_and_england() -> None:
    """165 g in Ontario, 160 g in England for the same man."""
    ontario = _course("cidp", MAN, Order(phase="induction"), where="CA-ON")
    england = _course("cidp", MAN, Order(phase="induction"), where="UK-ENG")
    assert sum(_grams(ontario)) == 165
    assert sum(_grams(england)) == 160


def test_nothing_is_planned_for_a_stopped_or_undosed_draft() -> None:
    """A stopped plan gets no days."""
    start = dosing.step(draft(with_regimens(regimen(TOTAL)), MAN_70), evidence(), context("US"))
    assert course.step(msgspec.structs.replace(start, blocked=("x",)), evidence(), context("US")).days == ()
    assert course.step(msgspec.structs.replace(start, dose=None), evidence(), context("US")).days == ()
