"""The dose: regimen in force, the three forms that never mix, caps, limits, and orders that are asked about instead of computed through."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.course_sample import CHILD, MAN, context, dosed, draft, evidence, known, line, lines, planned, regimen, with_regimens

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.doses import CourseTotal, PerDay, PerInterval, described, form_of
from ivigil.evidence.shapes import RegimenDose, Valid
from ivigil.patient.record import Order, Override, PastInfusion
from ivigil.planning.dose_form import read_order
from ivigil.planning.draft import Draft

MAN_70 = known(weight="70 kg", height="175 cm", sex="male", age="50 year")
TOTAL = RegimenDose(course_total=Span(2, 2, "g/kg"), over_days=Span(2, 5))
DAILY = RegimenDose(per_day=Span(0.4, 0.4, "g/kg"), days=Span(5, 5))
MONTHLY = RegimenDose(per_interval=Span(0.4, 0.4, "g/kg"), every=Span(4, 4, "week"))


def _g_per_kg(value: float) -> Quantity:
    return Quantity(value, "g/kg")


def _ordered(order: Order, dose: RegimenDose = TOTAL, **more: object) -> Draft:
    return dosed(draft(with_regimens(regimen(dose)), MAN_70, order, **more), context("US"))  # type: ignore[arg-type]


# --- the three forms ----------------------------------------------------------------------------------------------------


def test_a_course_total_a_daily_dose_and_a_dose_per_interval_are_three_types() -> None:
    """The same printed numbers read as what they are, and are worded so that no one can mistake them."""
    total, daily, monthly = (form_of(regimen(dose)) for dose in (TOTAL, DAILY, MONTHLY))
    assert isinstance(total, CourseTotal)
    assert isinstance(daily, PerDay)
    assert isinstance(monthly, PerInterval)
    assert described(total) == "2 g/kg in total, divided over 2-5 days"
    assert described(daily) == "0.4 g/kg a day for 5 days"
    assert described(monthly) == "0.4 g/kg every 4 weeks"


@pytest.mark.parametrize(("dose", "name", "value", "course"), [
    (TOTAL, "dose.course_total", 140, 140),      # 2 x 70
    (DAILY, "dose.per_day", 28, 140),            # 0.4 x 70 = 28; x 5 = 140
    (MONTHLY, "dose.per_interval", 28, 28),
    (RegimenDose(course_total=Span(30, 30, "g"), over_days=Span(1, 1)), "dose.course_total", 30, 30),
    (RegimenDose(per_day=Span(400, 400, "mg/kg"), days=Span(5, 5)), "dose.per_day", 28, 140),
])
def test_grams_of_each_form(dose: RegimenDose, name: str, value: float, course: float) -> None:
    """A man of 70 kg: the line states the amount of its form, the draft the grams of the whole course."""
    plan = _ordered(Order(), dose)
    stated = line(plan, name).value
    assert stated is not None
    assert stated.in_unit("g") == pytest.approx(value)
    assert plan.dose is not None
    assert plan.dose.grams == pytest.approx(course)
    assert plan.facts.number("course.dose", "g/kg") == pytest.approx(course / 70)


def test_two_grams_per_kilogram_each_session_is_never_ten() -> None:
    """The published hazard: 2 g/kg over 2-5 days is 140 g for 70 kg in all, never 140 g on each day."""
    plan = planned(draft("gbs", MAN_70), context("UK-ENG"))
    assert sum(day.grams for day in plan.days) <= 140
    assert plan.facts.number("course.dose", "g/kg") == pytest.approx(2.0)


def test_a_range_is_worked_at_its_policy_value_and_says_so() -> None:
    """0.2-0.8 g/kg is worked at 0.4 g/kg until the prescriber chooses; without such a value it is asked."""
    spread = RegimenDose(per_interval=Span(0.2, 0.8, "g/kg"), every=Span(3, 4, "week"), worked_at=_g_per_kg(0.4))
    plan = _ordered(Order(), spread)
    assert plan.dose is not None
    assert plan.dose.grams == pytest.approx(28)
    assert "worked at 0.4 g/kg" in line(plan, "dose.range").text
    asked = _ordered(Order(), msgspec.structs.replace(spread, worked_at=None))
    assert asked.dose is None
    assert line(asked, "dose.range").act == "ask"
    assert asked.undecided


def test_the_ordered_interval_is_used_where_the_regimen_prints_it_and_warned_about_elsewhere() -> None:
    """Every 3-4 weeks ordered every 4 weeks is planned every 4 weeks; every 6 weeks is not, and the order is not passed over in silence."""
    spread = RegimenDose(per_interval=Span(0.4, 0.4, "g/kg"), every=Span(3, 4, "week"))
    inside, outside = _ordered(Order(every=Quantity(4, "week")), spread), _ordered(Order(every=Quantity(6, "week")), spread)
    assert inside.dose is not None
    assert inside.dose.every == Quantity(4, "week")
    assert "dose.order-interval" not in lines(inside)
    assert outside.dose is not None
    assert outside.dose.every is None
    warned = line(outside, "dose.order-interval")
    assert warned.urgency == "warning"
    assert "every 6 weeks" in warned.text
    assert "every 3-4 weeks" in warned.text


# --- regimens -----------------------------------------------------------------------------------------------------------


def test_the_nearest_jurisdiction_in_force_is_used_and_others_are_shown() -> None:
    """ITP: two days of 1 g/kg by US label, one day in England; each shows the other as a dispute."""
    there, here = dosed(draft("itp-adult", MAN), context("US")), dosed(draft("itp-adult", MAN), context("UK-ENG"))
    assert there.dose is not None
    assert here.dose is not None
    assert there.dose.grams == pytest.approx(200)   # 1 g/kg x 100 kg x 2
    assert here.dose.grams == pytest.approx(81.55)  # 1 g/kg x 81.55 kg, once
    assert any("a day for 2 days" in one.what for one in line(here, "dose.regimen").because.disputed_by)
    assert line(there, "dose.regimen").because.disputed_by


def test_phase_and_edition_choose_the_regimen() -> None:
    """CIDP in England: induction and maintenance differ by phase; before December 2021 the English edition is not in force."""
    assert dosed(draft("cidp", MAN, Order(phase="maintenance")), context("UK-ENG")).regimen is not None
    first = dosed(draft("cidp", MAN, Order(phase="induction")), context("UK-ENG"))
    assert first.regimen is not None
    assert first.regimen.id == "cidp.nhs-england-induction"
    earlier = dosed(draft("cidp", MAN, Order(phase="induction")), context("UK-ENG", as_of=date(2021, 6, 1)))
    assert earlier.regimen is not None
    assert earlier.regimen.jurisdiction == "EU"


def test_the_label_of_the_ordered_product_and_a_named_regimen_win() -> None:
    """An ordered product brings its own printed dose; a regimen named in the order goes before everything."""
    labelled = dosed(draft("itp-adult", MAN, Order(product="gammagard-sd-us")), context("US"))
    assert labelled.regimen is not None
    assert labelled.regimen.id == "itp-adult.gammagard-sd-us"
    named = dosed(draft("itp-adult", MAN, Order(regimen="itp-adult.ash-2011")), context("US"))
    assert named.regimen is not None
    assert named.regimen.id == "itp-adult.ash-2011"


def test_a_regimen_for_others_is_passed_over_with_its_reason() -> None:
    """A regimen for children is not given to a man; the line keeps it with the reason."""
    young = regimen(DAILY, id="sample.young", when=parse_condition("age < 18 year"))
    plan = dosed(draft(with_regimens(young, regimen(TOTAL)), MAN_70), context("US"))
    assert plan.regimen is not None
    assert plan.regimen.id == "sample.regimen"
    assert any("is for:" in one.why for one in line(plan, "dose.regimen").because.instead_of)


def test_no_regimen_in_place_gives_no_dose() -> None:
    """There is no silent default country: what others print is shown, no gram is worked out, the plan lacks evidence."""
    plan = dosed(draft(with_regimens(regimen(TOTAL)), MAN_70), context("JP"))
    assert plan.dose is None
    assert plan.no_evidence
    assert line(plan, "dose.regimen").because.disputed_by
    assert "dose.course_total" not in lines(plan)


def test_a_product_with_a_switching_factor_is_not_without_evidence() -> None:
    """Hizentra in the US prints no dose of its own for replacement but a factor from the intravenous dose: no gram here, and no dead end."""
    plan = dosed(draft("pid", MAN, Order(route="subcutaneous", product="hizentra-us")), context("US"))
    assert plan.dose is None
    assert not plan.no_evidence


def test_blocked_and_unnamed_drafts_pass_through() -> None:
    """A plan that is stopped, or has no indication, gets no dose and no error."""
    start = draft("gbs", MAN_70)
    assert dosed(msgspec.structs.replace(start, blocked=("x",)), context("US")).lines == ()
    assert dosed(msgspec.structs.replace(start, indication=None), context("US")).dose is None


# --- weight in the plan -------------------------------------------------------------------------------------------------


def test_every_weight_policy_is_shown_with_grams_and_one_is_applied() -> None:
    """Example C1 at 2 g/kg: 200 g actual, 164.6 g adjusted (Devine), 163.1 g in England, side by side."""
    plan = dosed(draft("cidp", MAN, Order(phase="induction")), context("CA-ON"))
    table = line(plan, "dose.weights").table
    assert table is not None
    grams = {row[0]: row[3] for row in table.rows}
    names = {policy.id: policy.name for policy in evidence().weight_policies.values()}
    assert len(table.rows) == len(names)
    assert grams[names["actual"]] == pytest.approx(200)
    assert grams[names["ontario"]] == pytest.approx(164.56, abs=0.01)
    assert grams[names["nhs-england-2021-adult"]] == pytest.approx(163.1)
    assert [row[0] for row in table.rows if row[4] == "applied"] == [names["ontario"]]
    assert line(plan, "dose.weight").because.disputed_by


def test_the_site_may_choose_another_weight_policy() -> None:
    """A policy named by the site or the order is applied instead of the jurisdiction's."""
    for start, where in ((draft("gbs", MAN), context("US", weight_policy="us-adjusted-bmi-30")),
                         (draft("gbs", MAN, Order(weight_policy="us-adjusted-bmi-30")), context("US"))):
        plan = dosed(start, where)
        assert plan.dose is not None
        assert plan.dose.weight == pytest.approx(82.28, abs=0.006)


def test_an_unknown_weight_policy_in_the_order_is_said() -> None:
    """A name that is no policy is not followed, and the line keeps it."""
    plan = dosed(draft("gbs", MAN, Order(weight_policy="fantasy")), context("US"))
    assert any("fantasy" in one.what for one in line(plan, "dose.weight").because.instead_of)


def test_a_missing_weight_stops_the_dose_and_is_asked_for() -> None:
    """Without a weight there is no dose, a critical line and a question."""
    plan = dosed(draft("gbs", known(height="175 cm", sex="male", age="50 year")), context("US"))
    assert plan.dose is None
    assert line(plan, "dose.weight").urgency == "critical"
    assert ("dose.weight", ("weight",), "contraindicated") in plan.undecided


def test_a_guarded_weight_is_a_warning() -> None:
    """Example C5: the adjusted weight of a thin man is above his own; 55 kg is used and the line is a warning."""
    plan = dosed(draft("cidp", known(weight="55 kg", height="185 cm", sex="male", age="30 year")), context("CA-ON"))
    weight = line(plan, "dose.weight")
    assert weight.urgency == "warning"
    assert weight.value == Quantity(55.0, "kg")


# --- caps and limits ----------------------------------------------------------------------------------------------------


def test_a_cap_of_the_regimen_cuts_the_dose_and_is_named() -> None:
    """2 g/kg x 70 kg = 140 g is cut to a cap of 100 g for the course, also when the dose is printed per day."""
    for dose in (TOTAL, DAILY):
        plan = dosed(draft(with_regimens(regimen(dose, cap=Quantity(100, "g"))), MAN_70), context("US"))
        assert plan.dose is not None
        assert plan.dose.grams == 100
        assert "140 g" in line(plan, "dose.cap").text
        assert plan.facts.number("course.dose", "g/kg") == pytest.approx(100 / 70)


def test_an_order_that_is_cut_is_compared_before_the_cut() -> None:
    """2 g/kg ordered beside a printed 2 g/kg is no other order because of a cap."""
    plan = dosed(draft(with_regimens(regimen(TOTAL, cap=Quantity(100, "g"))), MAN_70, Order(dose=_g_per_kg(2), each="course", days=2)), context("US"))
    assert "dose.cap" in lines(plan)
    assert "dose.order" not in lines(plan)


def test_mis_c_is_capped_at_100_g_in_the_us() -> None:
    """A boy of 16 years, 100 kg and 180 cm: whatever the weight policy, a course of MIS-C is at most 100 g."""
    plan = dosed(draft("mis-c", known(weight="100 kg", height="180 cm", sex="male", age="16 year")), context("US"))
    assert plan.dose is not None
    assert plan.dose.grams <= 100


def test_more_than_the_course_limit_is_refused_unless_the_regimen_prints_it() -> None:
    """2.4 g/kg ordered beside a printed 2 g/kg is refused; beside a printed 0.5-2.4 g/kg it is worked out with a confirmation."""
    order = Order(dose=_g_per_kg(2.4), each="course", days=5)
    refused = _ordered(order)
    assert refused.dose is None
    assert line(refused, "dose.order").urgency == "critical"
    assert "limit.course-plausible" in line(refused, "dose.order").because.cites
    printed = _ordered(order, RegimenDose(course_total=Span(0.5, 2.4, "g/kg"), over_days=Span(2, 5), worked_at=_g_per_kg(1)))
    assert printed.dose is not None
    assert printed.dose.grams == pytest.approx(168)  # 2.4 x 70
    assert "dose.limit.course-total" in lines(printed)


def test_only_myasthenia_hears_what_was_read_of_myasthenia() -> None:
    """A course above 2 g/kg is confirmed everywhere; that no source supports more in myasthenia gravis is said there and nowhere else."""
    printed = RegimenDose(course_total=Span(0.5, 2.4, "g/kg"), over_days=Span(2, 5), worked_at=_g_per_kg(1))
    order = Order(dose=_g_per_kg(2.1), each="course", days=5)
    other = line(_ordered(order, printed), "dose.limit.course-total")
    assert "myasthenia" not in other.text
    assert "limit.mg-no-more" not in other.because.cites
    for name in ("mg-exacerbation", "mg-maintenance"):
        disease = msgspec.structs.replace(evidence().indications[name], regimens=(regimen(printed),))
        plan = dosed(draft(disease, MAN_70, order), context("US"))
        assert "No source read supports more in myasthenia gravis" in line(plan, "dose.limit.course-total-mg").text
        assert "dose.limit.course-total" not in lines(plan)


def test_a_refused_order_shows_no_grams_anywhere() -> None:
    """Never computed through: the table of weights keeps its kilograms and leaves the grams empty."""
    plan = _ordered(Order(dose=_g_per_kg(2), each="day", days=5))
    table = line(plan, "dose.weights").table
    assert table is not None
    assert all(row[3] is None for row in table.rows)
    assert "course.dose" not in plan.facts


# --- orders -------------------------------------------------------------------------------------------------------------


def test_an_order_that_could_be_read_two_ways_is_asked_about() -> None:
    """2 g/kg over 5 days without 'each' is 2 or 10 g/kg; it is a question, and no dose is set."""
    plan = _ordered(Order(dose=_g_per_kg(2), days=5))
    assert plan.dose is None
    asked = line(plan, "dose.order")
    assert asked.act == "ask"
    assert "whole course" in asked.text


@pytest.mark.parametrize(("order", "grams", "form"), [
    (Order(dose=_g_per_kg(2), each="course", days=4), 140, "course_total"),
    (Order(dose=_g_per_kg(0.4), each="day", days=5), 140, "per_day"),
    (Order(dose=Quantity(400, "mg/kg"), each="day", days=5), 140, "per_day"),
    (Order(dose=Quantity(140, "g"), each="course"), 140, "course_total"),
    (Order(dose=_g_per_kg(1), days=1), 70, "course_total"),
])
def test_a_clear_order_is_worked_out_as_ordered(order: Order, grams: float, form: str) -> None:
    """An order that says what its dose is for keeps its form; grams follow by arithmetic for 70 kg."""
    plan = _ordered(order)
    assert plan.dose is not None
    assert plan.dose.form == form
    assert plan.dose.grams == pytest.approx(grams)


@pytest.mark.parametrize("order", [
    Order(dose=_g_per_kg(2), each="day", days=5),             # a course total read per day: 10 g/kg
    Order(dose=Quantity(400, "g/kg"), each="day", days=5),    # mg written as g
    Order(dose=Quantity(0.4, "mg/kg"), each="day", days=5),   # g written as mg
    Order(dose=_g_per_kg(20), each="course", days=5),         # tenfold
    Order(dose=_g_per_kg(0.2), each="course", days=5),        # a tenth
    Order(dose=_g_per_kg(0.02), each="course", days=5),       # a hundredth
    Order(dose=_g_per_kg(0.4), each="course", days=5),        # a daily dose written as the course
    Order(dose=Quantity(140000, "g"), each="course", days=5),
    Order(dose=Quantity(1400, "mL"), each="course", days=5),
    Order(dose=_g_per_kg(0), each="course", days=5),
    Order(dose=_g_per_kg(-2), each="course", days=5),
    Order(dose=_g_per_kg(float("nan")), each="course", days=5),
    Order(dose=_g_per_kg(2), each="course", days=0),
    Order(dose=_g_per_kg(0.4), each="day"),                   # for how many of 2-5 days?
])
def test_slips_are_never_computed_through(order: Order) -> None:
    """Unit slips, slips of the decimal point and impossible amounts give a critical line, a question and no dose."""
    plan = _ordered(order)
    assert plan.dose is None
    assert line(plan, "dose.order").urgency == "critical"
    assert any(name == "dose.order" for name, _, _ in plan.undecided)


def test_a_small_order_goes_ahead_when_a_prescriber_confirms_it() -> None:
    """A tenth of the printed dose is asked about; with a name and a reason it is worked out and recorded. A refusal stays a refusal."""
    confirmed = (Override(of="dose.order", prescriber="Dr Example", reason="Test dose before the course"),)
    small = _ordered(Order(dose=_g_per_kg(0.2), each="course", days=1), overrides=confirmed)
    assert small.dose is not None
    assert "Dr Example" in line(small, "dose.order.override").text
    assert _ordered(Order(dose=_g_per_kg(20), each="course", days=5), overrides=confirmed).dose is None


def test_an_order_beside_the_regimen_is_compared_with_it() -> None:
    """1.5 g/kg beside a printed 2 g/kg is worked out with a warning that names both."""
    plan = _ordered(Order(dose=_g_per_kg(1.5), each="course", days=3))
    compared = line(plan, "dose.order")
    assert compared.urgency == "warning"
    assert "1.5 g/kg" in compared.text
    assert "2 g/kg" in compared.text
    assert plan.dose is not None


@given(value=st.floats(0.05, 5), days=st.integers(2, 6), each=st.sampled_from(["course", "day", "interval", ""]))
def test_no_order_gives_more_than_the_limit(value: float, days: int, each: str) -> None:
    """Whatever is ordered beside 2 g/kg, the course that is worked out stays at or below 2.2 g/kg, or nothing is worked out."""
    plan = _ordered(Order(dose=_g_per_kg(value), each=each, days=days))  # type: ignore[arg-type]
    assert plan.dose is None or plan.dose.grams / plan.dose.weight <= 2.2 * (1 + 1e-9)


def test_an_interval_order_over_days_is_one_course() -> None:
    """1 g/kg each interval over 2 days is 1 g/kg in all, not 2."""
    read = read_order(Order(dose=_g_per_kg(1), each="interval", days=2, every=Quantity(3, "week")), form_of(regimen(MONTHLY)))
    assert isinstance(read.form, CourseTotal)
    assert read.form.days == Span(2, 2)


# --- past doses ---------------------------------------------------------------------------------------------------------


def test_doses_of_the_last_30_days_count() -> None:
    """1 g/kg given 10 days before adds to a course of 2 g/kg; what was given 31 days before does not."""
    given_before = (PastInfusion(on=date(2026, 11, 13), dose=Quantity(70, "g")), PastInfusion(on=date(2026, 10, 23), dose=_g_per_kg(2)))
    plan = dosed(draft(with_regimens(regimen(TOTAL)), MAN_70, infusions=given_before), context("US"))
    assert plan.facts.number("course.dose_30_days", "g/kg") == pytest.approx(3.0)
    assert plan.facts.number("course.dose", "g/kg") == pytest.approx(2.0)


def test_a_child_in_england_gets_the_height_based_dose() -> None:
    """Example C4: Kawasaki at 128 cm and 34 kg is 2 x 26.0 = 52 g in England and 68 g in Ontario."""
    england, ontario = dosed(draft("kawasaki", CHILD), context("UK-ENG")), dosed(draft("kawasaki", CHILD), context("CA-ON"))
    assert england.dose is not None
    assert england.dose.grams == pytest.approx(52.0, abs=0.01)
    assert england.dose.single_day
    assert ontario.dose is not None
    assert ontario.dose.grams == pytest.approx(68.0)


def test_a_lapsed_only_dose_says_that_it_lapsed() -> None:
    """A place whose only dose ended, without a successor: the plan names it, the day and the statement, and works nothing out."""
    ended = regimen(TOTAL, edition="old edition", valid=Valid(start="2015-01-01", end="2024-06-30"))
    plan = dosed(draft(with_regimens(ended), MAN_70), context("US"))
    assert plan.dose is None
    assert plan.no_evidence
    told = line(plan, "dose.lapsed")
    assert told.urgency == "warning"
    assert "2 g/kg in total, divided over 2-5 days, old edition (US), lapsed on 30 Jun 2024" in told.text
    assert told.because.rule == "sample.regimen"
    assert told.because.cites == ("limit.course-total-not-each-day",)


def test_a_dose_that_begins_later_says_from_when() -> None:
    """Planned before its first day, the dose is named with that day."""
    plan = dosed(draft(with_regimens(regimen(TOTAL, valid=Valid(start="2027-01-01"))), MAN_70), context("US"))
    assert "holds from 1 Jan 2027" in line(plan, "dose.lapsed").text


@pytest.mark.parametrize("more", [
    {"jurisdiction": "UK-ENG"}, {"when": parse_condition("age < 18 year")}, {"phase": "maintenance"}, {"route": "subcutaneous"},
])
def test_a_lapsed_dose_of_others_is_not_told(more: dict[str, object]) -> None:
    """A lapsed dose of another place, patient, phase or route would not have served, so nothing is said of it."""
    ended = regimen(TOTAL, valid=Valid(end="2024-06-30"), **more)
    plan = dosed(draft(with_regimens(ended), MAN_70, Order(phase="acute", route="intravenous")), context("US"))
    assert "dose.lapsed" not in lines(plan)


def test_a_lapsed_dose_beside_one_in_force_is_not_told() -> None:
    """Where another dose is in force the lapsed one is history."""
    ended = regimen(TOTAL, id="sample.old", valid=Valid(end="2024-06-30"))
    plan = dosed(draft(with_regimens(ended, regimen(DAILY)), MAN_70), context("US"))
    assert plan.dose is not None
    assert "dose.lapsed" not in lines(plan)
