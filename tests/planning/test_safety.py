"""The safety step: what fires becomes a line and its constraints, what is undecided asks, what is silent is kept, and overrides are recorded."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Fact, FactDefinition, Facts, Origin, Value
from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act, Jurisdiction, Product, RiskGroup, SafetyRule, Valid
from ivigil.patient.record import Override, Record
from ivigil.planning import safety
from ivigil.planning.draft import Context, Day, Draft

CONTEXT = Context(jurisdiction="UK", as_of=date(2026, 11, 20), start=datetime(2026, 11, 23, 9, 0))
ORIGIN = Origin("record")


def rule(name: str, when: Any, severity: str = "caution", **more: Any) -> SafetyRule:
    plain = SafetyRule(id=name, about=f"About {name}", severity="info", when=parse_condition(when), say=f"Because of {name}.", cites=(f"cite.{name}",), **more)
    return msgspec.structs.replace(plain, severity=severity)


def group(name: str, when: Any) -> RiskGroup:
    return RiskGroup(id=name, group=True, when=parse_condition(when), cites=("cite.group",))


def evidence(*rules: SafetyRule, groups: tuple[RiskGroup, ...] = ()) -> Evidence:
    facts = {
        "product.sweet": FactDefinition(id="product.sweet", kind="yes_no", label="Sweet product", stage="product"),
        "course.dose": FactDefinition(id="course.dose", kind="quantity", unit="g/kg", label="Dose", stage="course"),
        "has.a": FactDefinition(id="has.a", kind="yes_no", label="Sepsis"),
    }
    return Evidence(
        jurisdictions={
            "EU": Jurisdiction(id="EU", name="Europe", markets=("EU",)),
            "UK": Jurisdiction(id="UK", name="United Kingdom", markets=("UK", "EU"), includes=("EU",)),
        },
        rules={one.id: one for one in rules},
        groups={one.id: one for one in groups},
        facts=facts,
    )


def draft(facts: dict[str, Value] | None = None, *overrides: Override) -> Draft:
    return Draft(Record(id="p", overrides=overrides), Facts(Fact(name, value, ORIGIN) for name, value in (facts or {}).items()))


def ids(result: Draft) -> list[str]:
    return [line.id for line in result.lines]


@pytest.mark.parametrize(
    ("severity", "act", "urgency", "blocked", "undecided"),
    [
        ("contraindicated", "avoid", "critical", ("r",), ()),
        ("avoid", "avoid", "warning", (), (("r", ("override:r",), "avoid"),)),
        ("caution", "check", "warning", (), ()),
        ("info", "tell", "info", (), ()),
    ],
)
def test_what_fires_becomes_a_line_of_its_severity(severity: str, act: str, urgency: str, blocked: tuple[str, ...], undecided: tuple[Any, ...]) -> None:
    """Only a contraindication blocks; a rule to avoid asks for the prescriber's word; the rest stands as advice."""
    result = safety.step(draft({"has.a": True}), evidence(rule("r", "has.a", severity, reading="How it was read.")), CONTEXT)
    line = result.lines[0]
    assert (line.id, line.section, line.act, line.urgency, line.text) == ("safety.r", "safety", act, urgency, "Because of r.")
    assert (line.because.rule, line.because.cites, line.because.reading) == ("r", ("cite.r",), "How it was read.")
    assert list(line.because.facts) == ["has.a"]
    assert result.blocked == blocked
    assert result.undecided == undecided
    assert result.not_raised == ()


def test_silence_is_kept_with_the_facts_that_decided_it() -> None:
    result = safety.step(draft({"has.a": False}), evidence(rule("r", "has.a")), CONTEXT)
    assert result.lines == ()
    assert result.constraints == ()
    silent = result.not_raised[0]
    assert (silent.rule, silent.about, silent.why, silent.facts) == ("r", "About r", "needs Sepsis", {"has.a": "no"})


def test_an_unknown_fact_asks_and_never_fires() -> None:
    result = safety.step(draft(), evidence(rule("r", "has.a", "contraindicated")), CONTEXT)
    assert result.lines == ()
    assert result.blocked == ()
    assert result.undecided == (("r", ("has.a",), "contraindicated"),)


def test_a_documented_decision_not_to_alert_is_kept_silently() -> None:
    result = safety.step(draft({"has.a": True}), evidence(rule("r", "has.a", "none")), CONTEXT)
    assert result.lines == ()
    kept = result.not_raised[0]
    assert (kept.rule, kept.about, kept.why, kept.facts) == ("r", "About r", "Because of r.", {"has.a": "yes"})
    assert safety.step(draft(), evidence(rule("r", "has.a", "none")), CONTEXT).undecided == ()


def test_groups_are_judged_first_and_lines_show_the_facts_behind_them() -> None:
    """A group decided by a fact, a group decided by that group, and one that stays unknown."""
    groups = (group("risk.one", {"any": ["has.a", "has.b"]}), group("risk.two", "risk.one"), group("risk.three", "has.c"))
    result = safety.step(draft({"has.a": True}), evidence(rule("r", "risk.two"), groups=groups), CONTEXT)
    assert result.facts.flag("risk.one") is True
    assert result.facts.flag("risk.two") is True
    assert "risk.three" not in result.facts
    assert result.facts["risk.one"].origin == Origin("derived", how="because of Sepsis")
    assert list(result.lines[0].because.facts) == ["has.a"]
    excluded = safety.step(draft({"has.a": False, "has.b": False}), evidence(groups=groups), CONTEXT)
    assert excluded.facts["risk.one"].origin == Origin("derived", how="excluded by Sepsis, has.b")


def test_an_undecided_group_asks_for_the_facts_that_could_decide_it() -> None:
    result = safety.step(draft({"has.a": False}), evidence(rule("r", "risk.one"), groups=(group("risk.one", {"any": ["has.a", "has.b"]}),)), CONTEXT)
    assert result.undecided == (("r", ("has.b",), "caution"),)


@pytest.mark.parametrize("of", ["r", "S99"])
@pytest.mark.parametrize("severity", ["contraindicated", "avoid"])
def test_an_override_lets_it_pass_and_is_recorded(severity: str, of: str) -> None:
    """By id or by number. The finding stays, lowered to a warning; nothing is asked and nothing is blocked."""
    signed = Override(of=of, prescriber="Dr Green", reason="no alternative", on=date(2026, 11, 19))
    result = safety.step(draft({"has.a": True}, signed), evidence(rule("r", "has.a", severity, code="S99")), CONTEXT)
    assert ids(result) == ["safety.r", "safety.override.r"]
    assert result.lines[0].urgency == "warning"
    recorded = result.lines[1]
    assert (recorded.section, recorded.act, recorded.urgency, recorded.when) == ("safety", "record", "warning", date(2026, 11, 19))
    assert recorded.text == "Dr Green goes ahead against 'r': no alternative"
    assert recorded.because.cites == (safety.OVERRIDE_POLICY, "cite.r")
    assert recorded.because.rule == "r"
    assert result.blocked == ()
    assert result.undecided == ()


@pytest.mark.parametrize(
    "unsigned",
    [
        Override(of="r", prescriber=" ", reason="no alternative"),
        Override(of="r", prescriber="Dr Green", reason=" "),
        Override(of="other", prescriber="Dr Green", reason="no alternative"),
        Override(of="", prescriber="Dr Green", reason="no alternative"),
    ],
)
def test_an_override_without_name_reason_or_rule_counts_for_nothing(unsigned: Override) -> None:
    result = safety.step(draft({"has.a": True}, unsigned), evidence(rule("r", "has.a", "contraindicated")), CONTEXT)
    assert ids(result) == ["safety.r"]
    assert result.lines[0].urgency == "critical"
    assert result.blocked == ("r",)


def test_a_caution_needs_no_override() -> None:
    """An override of advice that does not stop anything changes nothing and is not recorded as one."""
    result = safety.step(draft({"has.a": True}, Override(of="r", prescriber="Dr Green", reason="seen")), evidence(rule("r", "has.a")), CONTEXT)
    assert ids(result) == ["safety.r"]


def test_acts_become_constraints_unless_their_condition_is_excluded() -> None:
    """Without a condition, with one that holds, and with an unknown one the act stands; with an excluded one it does not."""
    acts = (
        Act(act="hydrate"),
        Act(act="no-bolus", condition=parse_condition("has.a")),
        Act(act="no-nsaid", condition=parse_condition("has.unknown")),
        Act(act="report", condition=parse_condition("has.b")),
    )
    result = safety.step(draft({"has.a": True, "has.b": False}), evidence(rule("r", "has.a", then=acts)), CONTEXT)
    assert [constraint.act.act for constraint in result.constraints] == ["hydrate", "no-bolus", "no-nsaid"]
    assert {constraint.rule.id for constraint in result.constraints} == {"r"}


def test_the_most_urgent_line_comes_first() -> None:
    rules = (rule("tell", "has.a", "info"), rule("check", "has.a"), rule("stop", "has.a", "contraindicated"))
    assert ids(safety.step(draft({"has.a": True}), evidence(*rules), CONTEXT)) == ["safety.stop", "safety.check", "safety.tell"]


def test_rules_hold_in_their_jurisdiction_and_time() -> None:
    """A European rule holds in the United Kingdom; an American one, one no longer in force and one not yet in force do not and leave no trace."""
    rules = (
        rule("europe", "has.a", jurisdictions=("EU",)),
        rule("america", "has.a", jurisdictions=("US",)),
        rule("old", "has.a", valid=Valid(end="2026-11-19")),
        rule("new", "has.a", valid=Valid(start="2026-11-21")),
        rule("today", "has.a", valid=Valid(start="2026-11-20", end="2026-11-20")),
    )
    result = safety.step(draft({"has.a": True}), evidence(*rules), CONTEXT)
    assert ids(result) == ["safety.europe", "safety.today"]
    assert result.not_raised == ()
    verdicts = safety.judge_product(
        Facts([Fact("product.sweet", True, ORIGIN)]),
        evidence(rule("now", "product.sweet"), rule("gone", "product.sweet", valid=Valid(end="2026-11-19")), rule("patient", "has.a")), CONTEXT,
    )
    assert [(one.id, verdict.truth) for one, verdict in verdicts] == [("now", True)]


def test_each_stage_judges_its_own_rules_and_keeps_what_was_there() -> None:
    """Patient rules first, product rules once a product is chosen, course rules once the days are set; earlier lines stay."""
    rules = (rule("patient", "has.a"), rule("product", {"all": ["has.a", "product.sweet"]}), rule("course", "course.dose >= 2 g/kg"))
    base = evidence(*rules)
    known: dict[str, Value] = {"has.a": True, "product.sweet": True, "course.dose": Quantity(2, "g/kg")}
    first = safety.step(draft(known), base, CONTEXT)
    assert ids(first) == ["safety.patient"]
    assert safety.product_step(first, base, CONTEXT) is first
    assert safety.course_step(first, base, CONTEXT) is first
    chosen = Product(id="x", brand="X", maker="M", market="UK", routes=("intravenous",), percent=10.0)
    second = safety.product_step(msgspec.structs.replace(first, product=chosen), base, CONTEXT)
    assert ids(second) == ["safety.patient", "safety.product"]
    third = safety.course_step(msgspec.structs.replace(second, days=(Day(1, date(2026, 11, 23), 70.0),)), base, CONTEXT)
    assert ids(third) == ["safety.patient", "safety.product", "safety.course"]
