"""The infusion step on small evidence made here: which schedule, which cap, which table."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import pytest

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import (
    Act,
    AtRisk,
    ExtendedRate,
    Increase,
    Indication,
    InfusionPolicy,
    Names,
    PrintedRate,
    Product,
    Ramp,
    RateSchedule,
    Regimen,
    RegimenDose,
    SafetyRule,
    Statement,
)
from ivigil.patient.record import Order, PastInfusion, Record
from ivigil.planning import infusion
from ivigil.planning.draft import Constraint, Context, Day, Dose, Draft
from ivigil.planning.line import Line

CONTEXT = Context(jurisdiction="US", as_of=date(2026, 11, 20), start=datetime(2026, 11, 23, 9, 0), pump_increment=Quantity(1, "mL/h"))


def mg(value: float) -> Quantity:
    return Quantity(value, "mg/kg/min")


def minutes(value: float) -> Span:
    return Span(value, value, "min")


TWO_RATES = RateSchedule(
    indications=("itp-adult",), start=PrintedRate(rate=mg(0.5)), maximum=PrintedRate(rate=mg(4)), at_risk=AtRisk(practicable=True), cites=("label.rate",)
)
LADDER = RateSchedule(
    indications=("itp-adult",),
    start=PrintedRate(rate=mg(1), hold=minutes(30)),
    steps=(PrintedRate(rate=mg(2), hold=minutes(30)), PrintedRate(rate=mg(4), hold=minutes(30))),
    maximum=PrintedRate(rate=mg(12)),
    at_risk=AtRisk(rate=mg(3.3), also=Quantity(0.03, "mL/kg/min")),
    cites=("label.rate",),
)


def product(*rows: RateSchedule, percent: float = 10.0) -> Product:
    return Product(id="testiglob-us", brand="Testiglob", maker="Maker", market="US", routes=("intravenous",), percent=percent, rates=rows)


def evidence(read: str = "seen", readings: int = 2) -> Evidence:
    statement = msgspec.convert({"id": "label.rate", "source": "label", "says": "The rate.", "read": read, "readings": readings}, Statement)
    return Evidence(
        statements={"label.rate": statement},
        infusion_policies={
            "at-risk": InfusionPolicy(id="at-risk", name="Limit at risk", cap=mg(2), cites=("policy",)),
            "home": InfusionPolicy(id="home", name="Limit at home", cap=Quantity(5, "g/h"), when=parse_condition("planned.home_infusion"), cites=("policy",)),
        },
        ramps={"doubling": Ramp(id="doubling", name="Doubling", multiply_by=2, every=Quantity(30, "min"), cites=("policy",))},
    )


def draft(
    chosen: Product,
    *,
    grams: float = 70.0,
    weight: float = 70.0,
    dosing: float = 70.0,
    order: Order | None = None,
    facts: dict[str, Value] | None = None,
    constraints: tuple[Constraint, ...] = (),
    hours: Span | None = None,
    days: int = 1,
    infusions: tuple[PastInfusion, ...] = (),
) -> Draft:
    known: dict[str, Value] = {"weight": Quantity(weight, "kg"), "ig.first_ever": False, "ig.weeks_since_last": Quantity(3, "week"), "product.switched": False}
    regimen = Regimen(
        id="r",
        authority="a",
        jurisdiction="US",
        phase="acute",
        dose=RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(1, 1)),
        hours=hours,
        cites=("label.rate",),
    )
    return Draft(
        Record(id="p", order=order or Order(), infusions=infusions),
        Facts(Fact(name, value, Origin("record")) for name, value in (known | (facts or {})).items()),
        indication=Indication(id="itp-adult", name=Names(clinical="Immune thrombocytopenia"), purpose="immunomodulation"),
        regimen=regimen,
        product=chosen,
        dose=Dose("per_day", grams / dosing, grams * days, Span(days, days), dosing, "actual"),
        days=tuple(Day(number, date(2026, 11, 22 + number), grams) for number in range(1, days + 1)),
        constraints=constraints,
    )


def line(result: Draft, name: str) -> Line:
    return next(one for one in result.lines if one.id == f"infusion.{name}")


def ids(result: Draft) -> set[str]:
    return {one.id for one in result.lines}


def rule(act: Act, name: str = "renal-risk") -> Constraint:
    when = parse_condition("has.renal_insufficiency")
    return Constraint(SafetyRule(id=name, about="Kidney injury", severity="caution", when=when, say="At risk.", then=(act,), cites=("rule.cite",)), act)


def column(one: Line, index: int) -> list[object]:
    assert one.table is not None
    return [row[index] for row in one.table.rows]


def test_start_and_maximum_only_with_earliest_and_latest_end() -> None:
    """Two printed rates give two rows: 21 and 168 mL/h at 70 kg; 700 mL take 4 h 10 min at the earliest and 33 h 20 min at the start rate."""
    result = infusion.step(draft(product(TWO_RATES)), evidence(), CONTEXT)
    day = line(result, "day-1")
    assert column(day, 5) == [21.0, 168.0]
    assert column(day, 6) == [None, 700.0]
    assert day.table is not None
    assert "start and the highest rate only" in day.table.note
    assert "13:10 at the earliest" in day.text
    assert "start at 21 mL/h, at most 168 mL/h" in day.text
    assert "at the start rate alone it takes more than a day" in day.text
    assert line(result, "cap").value == Quantity(168.0, "mL/h")
    assert "label maximum of Testiglob" in line(result, "cap").text


def test_printed_steps_make_the_table() -> None:
    """1, 2, 4 for 30 min each, then 12 mg/kg/min at 70 kg: 42, 84, 168, 504 mL/h; 21 + 42 + 84 + 553 mL, in after 1.5 h + 553/504 h = 2 h 36 min."""
    day = line(infusion.step(draft(product(LADDER)), evidence(), CONTEXT), "day-1")
    assert column(day, 5) == [42.0, 84.0, 168.0, 504.0]
    assert column(day, 6) == [21.0, 42.0, 84.0, 553.0]
    assert column(day, 7) == [21.0, 63.0, 147.0, 700.0]
    assert column(day, 1) == ["09:00", "09:30", "10:00", "10:30"]
    assert column(day, 2)[-1] == "11:36"
    assert column(day, 3) == pytest.approx([1, 2, 4, 12])
    assert column(day, 4) == pytest.approx([0.6, 1.2, 2.4, 7.2])


def test_days_that_are_alike_share_one_table() -> None:
    """Two equal days give one table that names both dates; the course ends on the second."""
    result = infusion.step(draft(product(LADDER), days=2), evidence(), CONTEXT)
    assert [one.id for one in result.lines if one.id.startswith("infusion.day")] == ["infusion.day-1"]
    assert line(result, "day-1").text.startswith("Days 1 to 2 (23 Nov 2026 to 24 Nov 2026), each day: ")
    assert result.ends is not None
    assert result.ends.date() == date(2026, 11, 24)


def test_days_that_differ_have_their_own_tables() -> None:
    """A second day with another dose gets its own dated table with the same rates."""
    plan = draft(product(LADDER), days=2)
    other = msgspec.structs.replace(plan, days=(plan.days[0], msgspec.structs.replace(plan.days[1], grams=20.0, volume=200.0)))
    result = infusion.step(other, evidence(), CONTEXT)
    assert line(result, "day-2").when == date(2026, 11, 24)
    assert column(line(result, "day-2"), 5)[:1] == column(line(result, "day-1"), 5)[:1]


def test_the_label_limit_at_risk_binds_when_a_rule_asks() -> None:
    """3.3 mg/kg/min printed as 0.03 mL/kg/min: the lower, 1.8 mL/kg/h or 126 mL/h at 70 kg, binds; rates above it disappear."""
    result = infusion.step(draft(product(LADDER), constraints=(rule(Act(act="cap-rate", to="label-or-policy")),)), evidence(), CONTEXT)
    cap = line(result, "cap")
    assert cap.value == Quantity(126.0, "mL/h")
    assert "label limit at risk (kidney injury)" in cap.text
    assert cap.because.rule == "renal-risk"
    assert column(line(result, "day-1"), 5) == [42.0, 84.0, 126.0]


def test_the_policy_limit_binds_where_the_label_has_no_number() -> None:
    """'Minimum practicable' has no number, so the decided 2 mg/kg/min holds: 84 mL/h at 70 kg, named as ivigil's own."""
    result = infusion.step(draft(product(TWO_RATES), constraints=(rule(Act(act="cap-rate", to="label-or-policy")),)), evidence(), CONTEXT)
    assert line(result, "cap").value == Quantity(84.0, "mL/h")
    assert "ivigil default limit" in line(result, "cap").text
    assert "policy" in line(result, "cap").because.cites


def test_a_numeric_limit_of_a_rule_binds_over_the_label_limit() -> None:
    """0.83 mg/kg/min at 70 kg is 34.86 mL/h, shown as 34; it is below the label start of 42 mL/h, so it is also the first rate."""
    constraints = (rule(Act(act="cap-rate", to="label-or-policy")), rule(Act(act="cap-rate", to="0.83 mg/kg/min"), "lowest"))
    result = infusion.step(draft(product(LADDER), constraints=constraints), evidence(), CONTEXT)
    assert line(result, "cap").value == Quantity(34.0, "mL/h")
    assert column(line(result, "day-1"), 5) == [34.0]
    assert "The label would start at 42 mL/h" in line(result, "start").text


def test_home_infusion_has_its_own_limit() -> None:
    """5 g/h of a 10 % solution is 50 mL/h in anyone; without home infusion the policy is silent."""
    assert line(infusion.step(draft(product(LADDER), facts={"planned.home_infusion": True}), evidence(), CONTEXT), "cap").value == Quantity(50.0, "mL/h")
    assert line(infusion.step(draft(product(LADDER), facts={"planned.home_infusion": False}), evidence(), CONTEXT), "cap").value == Quantity(504.0, "mL/h")


def test_an_infusion_time_in_the_regimen_limits_the_rate() -> None:
    """1400 mL over at least 10 h is at most 140 mL/h; the infusion then lasts no less than 10 h."""
    result = infusion.step(draft(product(LADDER), grams=140, hours=Span(10, 12, "h")), evidence(), CONTEXT)
    assert line(result, "cap").value == Quantity(140.0, "mL/h")
    assert "infusion time in the regimen, at least 10 h" in line(result, "cap").text
    assert column(line(result, "day-1"), 5)[-1] == 140.0


def test_hours_at_least_of_a_rule() -> None:
    """700 mL over at least 8 h is 87.5 mL/h, set as 87."""
    act = Act(act="hours-at-least", hours=Quantity(8, "h"))
    assert line(infusion.step(draft(product(LADDER), constraints=(rule(act),)), evidence(), CONTEXT), "cap").value == Quantity(87.0, "mL/h")


def test_an_ordered_rate_above_the_cap_is_refused_and_shown() -> None:
    """An order of 8 mg/kg/min against a label maximum of 4 is refused in a critical line and changes no rate."""
    result = infusion.step(draft(product(TWO_RATES), order=Order(rate_max=mg(8))), evidence(), CONTEXT)
    refused = line(result, "ordered-rate")
    assert refused.urgency == "critical"
    assert "8 mg/kg/min is refused" in refused.text
    assert max(column(line(result, "day-1"), 5)) == 168.0  # type: ignore[type-var]


def test_an_ordered_rate_below_the_cap_binds() -> None:
    """An order of 100 mL/h below the label's 168 is kept and named."""
    result = infusion.step(draft(product(TWO_RATES), order=Order(rate_max=Quantity(100, "mL/h"))), evidence(), CONTEXT)
    assert line(result, "cap").text.endswith("rate ordered.")
    assert "infusion.ordered-rate" not in ids(result)


def test_the_pump_maximum_binds() -> None:
    """A pump that stops at 150 mL/h limits a label maximum of 168."""
    result = infusion.step(draft(product(TWO_RATES), order=Order(pump_max=Quantity(150, "mL/h"))), evidence(), CONTEXT)
    assert line(result, "cap").value == Quantity(150.0, "mL/h")


def test_a_pump_too_coarse_for_the_first_rate() -> None:
    """A 2 kg infant at 0.5 mg/kg/min needs 0.6 mL/h: a 1 mL/h pump cannot, and no table is given."""
    result = infusion.step(draft(product(TWO_RATES), grams=1, weight=2, dosing=2), evidence(), CONTEXT)
    assert line(result, "pump").urgency == "critical"
    assert "infusion.day-1" not in ids(result)


def test_a_ramp_is_used_only_when_asked_and_shown_as_policy() -> None:
    """Doubling every 30 min from 21 to 168 mL/h: 21, 42, 84, 168; a line says it is site policy."""
    asked = msgspec.structs.replace(CONTEXT, ramp="doubling")
    result = infusion.step(draft(product(TWO_RATES)), evidence(), asked)
    assert column(line(result, "day-1"), 5) == [21.0, 42.0, 84.0, 168.0]
    assert "site policy, not label" in line(result, "policy").text
    assert line(result, "day-1").table.note == "Steps between are site policy: Doubling."  # type: ignore[union-attr]
    assert "infusion.policy" not in ids(infusion.step(draft(product(TWO_RATES)), evidence(), CONTEXT))


def test_a_ramp_never_replaces_printed_steps() -> None:
    """Where the label prints steps they stand, and the plan says that the ramp was not used."""
    result = infusion.step(draft(product(LADDER)), evidence(), msgspec.structs.replace(CONTEXT, ramp="doubling"))
    assert column(line(result, "day-1"), 5) == [42.0, 84.0, 168.0, 504.0]
    assert "not used" in line(result, "policy").text


def test_an_unknown_ramp_is_asked_about() -> None:
    """A ramp that does not exist leaves the label's rates and says so."""
    assert (
        "No ramp is called 'fast'" in line(infusion.step(draft(product(TWO_RATES)), evidence(), msgspec.structs.replace(CONTEXT, ramp="fast")), "policy").text
    )


def test_rates_not_read_give_one_line_and_no_number() -> None:
    """A product without rates, or with remembered ones only, refuses in one line without any digit."""
    for chosen, known in ((product(), evidence()), (product(TWO_RATES), evidence(read="remembered"))):
        result = infusion.step(draft(chosen), known, CONTEXT)
        assert [one.id for one in result.lines] == ["infusion.not-read"]
        assert "were not read; use its label" in result.lines[0].text
        assert not any(character.isdigit() for character in result.lines[0].text)


@pytest.mark.parametrize(("weight", "dosing", "percent", "flow"), [(70, 70, 10, 84), (100, 70, 10, 84), (70, 70, 5, 168)])
def test_the_decided_limit_at_risk_holds_without_the_labels_rates(weight: float, dosing: float, percent: float, flow: float) -> None:
    """2 mg/kg/min at 70 kg is 8400 mg/h: 84 mL/h of a 10 % and 168 mL/h of a 5 % solution, on the lower of actual and dosing weight."""
    at_risk = draft(product(percent=percent), weight=weight, dosing=dosing, constraints=(rule(Act(act="cap-rate", to="label-or-policy")),))
    result = infusion.step(at_risk, evidence(), CONTEXT)
    assert [one.id for one in result.lines] == ["infusion.not-read", "infusion.cap"]
    assert f"no faster than 2 mg/kg/min ({flow} mL/h)" in result.lines[1].text
    assert "Where the label's own limit is lower, it holds" in result.lines[1].text
    assert result.lines[1].urgency == "warning"


def test_first_and_later_schedules() -> None:
    """A product with a faster start later: the later row only when the patient is known to be used to it, unknown history counts as first."""
    first = msgspec.structs.replace(TWO_RATES, infusion="first", start=PrintedRate(rate=mg(1)))
    later = msgspec.structs.replace(TWO_RATES, infusion="later", start=PrintedRate(rate=mg(2)))
    both = product(first, later)
    assert line(infusion.step(draft(both), evidence(), CONTEXT), "start").value == Quantity(84.0, "mL/h")
    assert line(infusion.step(draft(both, facts={"product.switched": True}), evidence(), CONTEXT), "start").value == Quantity(42.0, "mL/h")
    gap = rule(Act(act="start", naive="lowest"), "naive-patient")
    result = infusion.step(draft(both, constraints=(gap,)), evidence(), CONTEXT)
    assert line(result, "start").value == Quantity(42.0, "mL/h")
    assert "Handled as a first infusion" in line(result, "start").text
    unknown = draft(both)
    unknown = msgspec.structs.replace(unknown, facts=Facts(fact for fact in unknown.facts.values() if not fact.id.startswith("ig.")))
    assert "not fully known" in line(infusion.step(unknown, evidence(), CONTEXT), "start").text
    assert line(infusion.step(unknown, evidence(), CONTEXT), "start").value == Quantity(42.0, "mL/h")


def test_an_indication_off_the_label_takes_the_most_restrictive_schedule() -> None:
    """With rows for other indications of 8 and 4 mg/kg/min the 4 is used, and a line says so."""
    fast = msgspec.structs.replace(TWO_RATES, indications=("pid",), maximum=PrintedRate(rate=mg(8)))
    slow = msgspec.structs.replace(TWO_RATES, indications=("cidp",))
    result = infusion.step(draft(product(fast, slow)), evidence(), CONTEXT)
    assert line(result, "cap").value == Quantity(168.0, "mL/h")
    assert "most restrictive schedule" in line(result, "off-label").text


def test_rates_use_the_lower_of_actual_and_dosing_weight() -> None:
    """At 110 kg actual and 80 kg dosing weight 4 mg/kg/min is 192 mL/h (2.4 x 80); a dosing weight above actual changes nothing."""
    result = infusion.step(draft(product(TWO_RATES), weight=110, dosing=80), evidence(), CONTEXT)
    assert line(result, "cap").value == Quantity(192.0, "mL/h")
    assert "dosing weight of 80 kg, because it is lower than the actual 110 kg" in line(result, "weight").text
    assert line(infusion.step(draft(product(TWO_RATES), weight=50, dosing=60), evidence(), CONTEXT), "weight").value == Quantity(50.0, "kg")


def test_an_extended_maximum_is_used_only_when_ordered_and_its_condition_holds() -> None:
    """12 mg/kg/min is allowed to those who tolerated 8; unasked the 4 of the label stays, and with an unknown condition the order is refused."""
    row = msgspec.structs.replace(TWO_RATES, extended=ExtendedRate(rate=mg(8), condition=parse_condition("tolerated.maximum")))
    fast = Order(rate_max=mg(8))
    assert line(infusion.step(draft(product(row), facts={"tolerated.maximum": True}), evidence(), CONTEXT), "cap").value == Quantity(168.0, "mL/h")
    asked = infusion.step(draft(product(row), order=fast, facts={"tolerated.maximum": True}), evidence(), CONTEXT)
    assert line(asked, "cap").value == Quantity(336.0, "mL/h")
    assert "infusion.ordered-rate" in ids(infusion.step(draft(product(row), order=fast), evidence(), CONTEXT))


def test_printed_increments() -> None:
    """0.5 for 10 min, then +0.8 every 20 min to 6 mg/kg/min at 100 kg: 30, 78 ... 318, 360 mL/h; first volumes 30/6 = 5 mL and 78/3 = 26 mL."""
    row = RateSchedule(
        indications=("itp-adult",),
        start=PrintedRate(rate=mg(0.5), hold=minutes(10)),
        increase=Increase(every=minutes(20), by=mg(0.8)),
        maximum=PrintedRate(rate=mg(6)),
        cites=("label.rate",),
    )
    day = line(infusion.step(draft(product(row), grams=100, weight=100, dosing=100), evidence(), CONTEXT), "day-1")
    assert column(day, 5) == [30.0, 78.0, 126.0, 174.0, 222.0, 270.0, 318.0, 360.0]
    assert column(day, 6)[:2] == [5.0, 26.0]
    assert sum(column(day, 6)) == pytest.approx(1000.0)  # type: ignore[arg-type]


def test_one_reading_is_said() -> None:
    """A schedule that only one reading supports asks for a check against the pack."""
    assert "one reading" in line(infusion.step(draft(product(TWO_RATES)), evidence(readings=1), CONTEXT), "start").text
    assert "one reading" not in line(infusion.step(draft(product(TWO_RATES)), evidence(), CONTEXT), "start").text


def test_more_than_a_day_is_said() -> None:
    """1000 mL at 34 mL/h (0.83 mg/kg/min at 70 kg) take 29.4 h: a critical line asks for more days."""
    act = Act(act="cap-rate", to="0.83 mg/kg/min")
    result = infusion.step(draft(product(LADDER), grams=100, constraints=(rule(act),)), evidence(), CONTEXT)
    assert "29.41 h" in line(result, "too-long").text
    assert "infusion.too-long" not in ids(infusion.step(draft(product(LADDER)), evidence(), CONTEXT))


def test_a_blocked_draft_gets_no_rates() -> None:
    """Nothing that must not be given is scheduled."""
    blocked = msgspec.structs.replace(draft(product(TWO_RATES)), blocked=("iga-antibodies",))
    assert infusion.step(blocked, evidence(), CONTEXT) is blocked
