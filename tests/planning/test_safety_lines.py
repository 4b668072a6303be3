"""What the safety step hands on, word by word: lines, constraints, silence, group facts and overrides, on a handful of made-up rules."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Fact, FactDefinition, Facts, Origin, Value
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act, Jurisdiction, RiskGroup, SafetyRule, Valid
from ivigil.patient.record import Override, Record
from ivigil.planning import safety
from ivigil.planning.draft import Context, Draft

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
    """A rule that stays silent is kept with its reason, so that silence can be audited."""
    result = safety.step(draft({"has.a": False}), evidence(rule("r", "has.a")), CONTEXT)
    assert result.lines == ()
    assert result.constraints == ()
    silent = result.not_raised[0]
    assert (silent.rule, silent.about, silent.why, silent.facts) == ("r", "About r", "needs Sepsis", {"has.a": "no"})


def test_a_documented_decision_not_to_alert_is_kept_silently() -> None:
    """A rule of severity none never makes a line; the decision not to alert is kept."""
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
    assert [(one.id, verdict) for one, verdict in verdicts] == [("now", True)]
