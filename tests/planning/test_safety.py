"""Safety rules: every example of every rule, the stages, what blocks and what unblocks, near misses, and growing knowledge."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.care_sample import asked, cases_of, context, draft, evidence, ids, known, line, with_rules

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.quantity import Quantity
from ivigil.evidence.check import PlacedCase, with_groups
from ivigil.evidence.conditions import Condition, facts_named, judge, leaves, parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act, SafetyRule, Severity, Valid
from ivigil.patient.record import Override
from ivigil.planning import safety
from ivigil.planning.draft import Draft

CITE = "ivigil-policy.override"
SIGNED = Override(of="sample", prescriber="Dr Example", reason="No other treatment is left.")


def _rule(name: str = "sample", severity: Severity = "caution", when: Any = "has.sepsis", **more: Any) -> SafetyRule:
    return SafetyRule(id=name, about="Sample", when=parse_condition(when), say="Take care.", severity=severity, cites=(CITE,), **more)


def _step(rule: SafetyRule, facts: dict[str, Any], jurisdiction: str = "US", **record: Any) -> Draft:
    return safety.step(draft(facts=facts, **record), with_rules(rule), context(jurisdiction))


# --- the evidence -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("placed", cases_of("safety", "interactions"))
def test_the_examples_of_every_rule(placed: PlacedCase) -> None:
    """A rule or risk group fires, stays silent or asks as the example beside it says."""
    truth = judge(evidence().conditions[placed.rule], known(placed.case.facts)).truth
    assert {True: "fires", False: "silent", None: "asks"}[truth] == placed.case.expect


def test_every_rule_has_an_example_of_each_outcome() -> None:
    """No rule and no interaction stands without one that fires, one that stays silent and one that asks."""
    shown: dict[str, set[str]] = {}
    for param in cases_of("safety", "interactions"):
        placed = param.values[0]
        shown.setdefault(placed.rule, set()).add(placed.case.expect)
    assert not {name: shown.get(name) for name in evidence().every_rule if shown.get(name) != {"fires", "silent", "asks"}}


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    """Every fact that a rule depends on, directly or through a group."""
    found: dict[str, None] = {}
    for rule in evidence().every_rule.values():
        found.update(dict.fromkeys(_underlying(rule.when)))
    return tuple(found)


def _underlying(condition: Condition) -> list[str]:
    return [inner for name in sorted(facts_named(condition)) for inner in (_underlying(evidence().groups[name].when) if name in evidence().groups else [name])]


@lru_cache(maxsize=512)
def _values(name: str) -> tuple[Value, ...]:
    """Values on both sides of every threshold that any rule has for a fact."""
    definition = evidence().facts[name]
    if definition.kind == "yes_no":
        return True, False
    if definition.kind == "choice" and definition.choices:
        return definition.choices
    conditions = [*(rule.when for rule in evidence().every_rule.values()), *(group.when for group in evidence().groups.values())]
    found = [leaf for condition in conditions for leaf in leaves(condition) if leaf.fact == name]
    if not definition.unit:
        return tuple(word for leaf in found for word in leaf.words)
    edges = [leaf.number / Quantity(1, definition.unit).canonical for leaf in found]
    return tuple(Quantity(edge + step, definition.unit) for edge in edges for step in (-0.01, 0.0, 0.01))


def _drawn(data: st.DataObject, names: tuple[str, ...]) -> Facts:
    chosen = [Fact(name, data.draw(st.sampled_from(_values(name)), label=name), Origin("drawn")) for name in names if _values(name)]
    return with_groups(Facts(chosen), evidence())


@pytest.mark.parametrize("rule", evidence().every_rule.values(), ids=lambda rule: rule.id)
@given(data=st.data())
def test_learning_a_fact_never_reverses_a_decided_rule(rule: SafetyRule, data: st.DataObject) -> None:
    """A rule that fired, or stayed silent, on what was known does the same when more becomes known - a yes above all."""
    names = tuple(_underlying(rule.when))
    before = data.draw(st.lists(st.sampled_from(names), unique=True), label="known first")
    facts = _drawn(data, tuple(before))
    truth = judge(rule.when, facts).truth
    rest = [name for name in names if name not in facts and _values(name)]
    for name in rest:
        value = True if evidence().facts[name].kind == "yes_no" else data.draw(st.sampled_from(_values(name)), label=name)
        facts = with_groups(Facts([*(fact for fact in facts.values() if fact.id not in evidence().groups), Fact(name, value, Origin("learnt"))]), evidence())
        if truth is not None:
            assert judge(rule.when, facts).truth is truth


@given(data=st.data())
def test_no_drawn_patient_breaks_the_step(data: st.DataObject) -> None:
    """Any mix of facts gives lines with reasons, unique ids, and a block exactly where a contraindication fired."""
    names = tuple(data.draw(st.lists(st.sampled_from(_names()), unique=True, max_size=12)))
    plan = safety.step(msgspec.structs.replace(draft(), facts=_drawn(data, names)), evidence(), context())
    critical = {one.id.removeprefix("safety.") for one in plan.lines if one.urgency == "critical"}
    assert set(plan.blocked) == critical
    assert all(one.because.cites for one in plan.lines)
    assert len(ids(plan)) == len(plan.lines)


# --- one rule -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "urgency", "act"), [
    ("contraindicated", "critical", "avoid"), ("avoid", "warning", "avoid"), ("caution", "warning", "check"), ("info", "info", "tell"),
])
def test_a_fired_rule_becomes_a_line(severity: Severity, urgency: str, act: str) -> None:
    """With the urgency of its severity, its sentence, its sources and the facts that decided it."""
    found = line(_step(_rule(severity=severity), {"has.sepsis": "yes"}), "safety.sample")
    assert (found.urgency, found.act, found.text) == (urgency, act, "Take care.")
    assert found.because.rule == "sample"
    assert found.because.facts["has.sepsis"].value == "yes"


def test_severity_none_never_raises_nor_asks() -> None:
    """An interaction that was looked at and found harmless is kept as a near miss, and its unknowns are no question."""
    fired = _step(_rule(severity="none"), {"has.sepsis": "yes"})
    assert fired.lines == ()
    assert [(miss.rule, miss.why) for miss in fired.not_raised] == [("sample", "Take care.")]
    assert _step(_rule(severity="none"), {}).undecided == ()


def test_the_ace_inhibitor_finding_is_such_a_rule() -> None:
    """Ramipril on record raises nothing; the plan still shows that it was looked at."""
    rule = next(one for one in evidence().interactions.values() if one.severity == "none")
    fired = safety.step(draft(facts={"takes.ace_inhibitor": "yes"}), evidence(), context())
    assert f"safety.{rule.id}" not in ids(fired)
    assert rule.id in {miss.rule for miss in fired.not_raised}


def test_a_silent_rule_keeps_the_facts_that_decided_it() -> None:
    """Silence can be audited: the condition in words and the value that ruled it out."""
    silent = _step(_rule(when={"all": ["has.sepsis", "age > 65 year"]}), {"age": "40 years"}).not_raised
    assert [(miss.rule, miss.facts) for miss in silent] == [("sample", {"age": "40 years"})]
    assert silent[0].why == "needs Sepsis and Age > 65 year"


def test_an_undecided_rule_names_what_could_decide_it() -> None:
    """A risk group is replaced by its unknown members; those already known to be no are left out."""
    wanted = asked(_step(_rule(when="risk.viscosity"), {"has.paraproteinaemia": "no"}))["sample"]
    assert wanted == ("has.cryoglobulinaemia", "has.severe_hypertriglyceridaemia", "has.hyperviscosity")


def test_a_finding_shows_the_fact_behind_a_risk_group() -> None:
    """The nurse reads paraproteinaemia, not the name of a group; the group itself becomes a fact with its origin."""
    plan = _step(_rule(when="risk.viscosity"), {"has.paraproteinaemia": "yes"})
    assert list(line(plan, "safety.sample").because.facts) == ["has.paraproteinaemia"]
    assert plan.facts["risk.viscosity"].value is True


def test_groups_are_worked_out_by_the_step_itself() -> None:
    """Facts straight from a record hold no groups; after the step they do, with the reason."""
    bare = msgspec.structs.replace(draft(), facts=Facts([Fact("has.paraproteinaemia", True, Origin("conditions"))]))
    plan = safety.step(bare, evidence(), context())
    assert plan.facts["risk.viscosity"].value is True
    assert plan.facts["risk.viscosity"].origin.how == f"because of {evidence().labels['has.paraproteinaemia']}"
    assert "risk.volume" not in plan.facts


# --- blocking and overriding --------------------------------------------------------------------------------------------


def test_a_contraindication_blocks() -> None:
    """No override, no plan."""
    plan = _step(_rule(severity="contraindicated"), {"has.sepsis": "yes"})
    assert plan.blocked == ("sample",)


@pytest.mark.parametrize("severity", ["contraindicated", "avoid"])
def test_a_signed_override_unblocks_and_the_advice_stays(severity: Severity) -> None:
    """Named prescriber and written reason: recorded in the plan, the finding still visible as a warning."""
    plan = _step(_rule(severity=severity), {"has.sepsis": "yes"}, overrides=(SIGNED,))
    assert plan.blocked == ()
    assert plan.undecided == ()
    assert line(plan, "safety.sample").urgency == "warning"
    recorded = line(plan, "safety.override.sample")
    assert recorded.text == "Dr Example goes ahead against 'sample': No other treatment is left."
    assert safety.OVERRIDE_POLICY in recorded.because.cites


@pytest.mark.parametrize("flawed", [
    msgspec.structs.replace(SIGNED, prescriber=" "),
    msgspec.structs.replace(SIGNED, reason=""),
    msgspec.structs.replace(SIGNED, of="another"),
    msgspec.structs.replace(SIGNED, of=""),
])
def test_an_override_without_name_reason_or_rule_changes_nothing(flawed: Override) -> None:
    """An empty name must not match a rule without a code."""
    assert _step(_rule(severity="contraindicated"), {"has.sepsis": "yes"}, overrides=(flawed,)).blocked == ("sample",)


def test_an_override_may_name_the_code_of_a_rule() -> None:
    """People know the rules by the number of the shared list."""
    by_code = msgspec.structs.replace(SIGNED, of="S99")
    assert _step(_rule(severity="contraindicated", code="S99"), {"has.sepsis": "yes"}, overrides=(by_code,)).blocked == ()


def test_an_avoid_asks_who_decides() -> None:
    """Advised against, not forbidden: the plan waits for a name and a reason."""
    assert _step(_rule(severity="avoid"), {"has.sepsis": "yes"}).undecided == (("sample", ("override:sample",), "avoid"),)


def test_a_caution_needs_no_override() -> None:
    """An override of a caution is not recorded as one."""
    plan = _step(_rule(), {"has.sepsis": "yes"}, overrides=(SIGNED,))
    assert ids(plan) == {"safety.sample"}


# --- stages, places, dates ----------------------------------------------------------------------------------------------


def test_rules_are_judged_when_their_facts_are_known() -> None:
    """Patient rules first, product rules once a product is chosen, course rules once the days are set; each exactly once."""
    of_course = {"all": ["product.contains_sucrose", "course.days >= 2 day"]}
    rules = (_rule("of-patient"), _rule("of-product", when="product.contains_sucrose"), _rule("of-course", when=of_course))
    known_all = {"has.sepsis": "yes", "product.contains_sucrose": "yes", "course.days": "2 day"}
    base = with_rules(*rules)
    plan = draft("kawasaki", known_all, course=2, days=2)
    patient = safety.step(plan, base, context())
    assert ids(patient) == {"safety.of-patient"}
    assert safety.product_step(patient, base, context()) is patient
    chosen = msgspec.structs.replace(patient, product=next(iter(evidence().products.values())))
    product = safety.product_step(chosen, base, context())
    assert ids(product) == {"safety.of-patient", "safety.of-product"}
    assert ids(safety.course_step(product, base, context())) == {"safety.of-patient", "safety.of-product", "safety.of-course"}
    assert safety.course_step(msgspec.structs.replace(product, days=()), base, context()).lines == product.lines


def test_judge_product_gives_the_product_rules_only() -> None:
    """The product step asks for a candidate; patient rules are not judged again."""
    base = with_rules(_rule("of-patient"), _rule("of-product", when="product.contains_sucrose"))
    judged = safety.judge_product(known({"product.contains_sucrose": "yes"}), base, context())
    assert [(rule.id, verdict) for rule, verdict in judged] == [("of-product", True)]


def test_a_rule_of_one_place_holds_there_and_in_its_parts() -> None:
    """A Canadian rule holds in Ontario and not in the United States."""
    rule = _rule(jurisdictions=("CA",))
    assert ids(_step(rule, {"has.sepsis": "yes"}, "CA-ON")) == {"safety.sample"}
    assert ids(_step(rule, {"has.sepsis": "yes"}, "US")) == set()


def test_a_rule_out_of_force_is_not_judged() -> None:
    """Neither raised nor kept as a near miss, at any stage."""
    rule = _rule(valid=Valid(end="2026-11-19"))
    plan = _step(rule, {"has.sepsis": "yes"})
    assert (plan.lines, plan.not_raised) == ((), ())
    product = _rule(when="product.contains_sucrose", valid=Valid(start="2026-11-21"))
    assert safety.judge_product(Facts(), with_rules(product), context()) == []


def test_the_most_urgent_findings_come_first() -> None:
    """Critical, then warnings, then information, whatever the order of the files."""
    base = with_rules(_rule("c", "info"), _rule("b", "caution"), _rule("a", "contraindicated"))
    assert [one.id for one in safety.step(draft(facts={"has.sepsis": "yes"}), base, context()).lines] == ["safety.a", "safety.b", "safety.c"]


# --- acts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("facts", "kept"), [({"age": "70 year"}, True), ({}, True), ({"age": "40 years"}, False)])
def test_an_act_with_a_condition_waits_unless_the_condition_fails(facts: dict[str, str], kept: bool) -> None:
    """An act whose condition is not yet known (a product, say) is left for the later step to judge."""
    rule = _rule(then=(Act(act="hydrate"), Act(act="no-nsaid", condition=parse_condition("age > 65 year"))))
    acts = [constraint.act.act for constraint in _step(rule, {"has.sepsis": "yes", **facts}).constraints]
    assert acts == (["hydrate", "no-nsaid"] if kept else ["hydrate"])


def test_a_silent_rule_asks_for_nothing() -> None:
    """Its acts never reach a later step."""
    assert _step(_rule(then=(Act(act="hydrate"),)), {"has.sepsis": "no"}).constraints == ()


def test_the_step_adds_to_a_draft_and_edits_nothing() -> None:
    """Lines, near misses, questions and constraints of earlier steps stay in front."""
    first: Evidence = with_rules(_rule("one", then=(Act(act="hydrate"),)))
    one = safety.step(draft(facts={"has.sepsis": "yes"}), first, context())
    two = safety.step(one, with_rules(_rule("two", "contraindicated")), context())
    assert two.lines[:1] == one.lines
    assert two.constraints[:1] == one.constraints
    assert two.blocked == ("two",)
