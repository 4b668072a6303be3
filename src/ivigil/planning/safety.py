"""Judges every safety rule and interaction in three-valued logic; what fires becomes a line and a constraint, what does not is kept.

Rules are judged when their facts are known: on the patient first, on each candidate product, and on the course once days and volumes
are set. A contraindication stops the plan unless a named prescriber has written why not.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ivigil.basis.because import Urgency
from ivigil.basis.facts import Fact, Facts, Origin, Stage
from ivigil.basis.logic import Truth
from ivigil.evidence.conditions import Verdict, judge, truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import rules_in_force
from ivigil.evidence.shapes import SafetyRule, Severity
from ivigil.patient.record import Override
from ivigil.planning.draft import Constraint, Context, Draft
from ivigil.planning.line import Act, Line, NotRaised
from ivigil.planning.reasons import reasons, texts

URGENCY: dict[Severity, Urgency] = {"contraindicated": "critical", "avoid": "warning", "caution": "warning", "info": "info", "none": "info"}
_ACT: dict[Severity, Act] = {"contraindicated": "avoid", "avoid": "avoid", "caution": "check", "info": "tell", "none": "record"}
_WORST_FIRST: tuple[Urgency, ...] = ("critical", "warning", "info")
OVERRIDE_POLICY = "ivigil-policy.override"


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Judge the risk groups, then every rule that depends on the patient and the dose alone."""
    facts = draft.facts.having(_groups(draft.facts, evidence))
    return _judge_stage(msgspec.structs.replace(draft, facts=facts), evidence, context, "patient")


def product_step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Judge the rules about the product, now that one is chosen."""
    return _judge_stage(draft, evidence, context, "product") if draft.product is not None else draft


def course_step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Judge the rules about days and volumes, now that the course is set."""
    return _judge_stage(draft, evidence, context, "course") if draft.days else draft


def judge_product(facts: Facts, evidence: Evidence, context: Context) -> list[tuple[SafetyRule, Truth]]:
    """What every product rule comes to on ``facts``."""
    return [(rule, truth_of(rule.when, facts)) for rule in rules_in_force(evidence, "product", context.jurisdiction, context.as_of)]


def override_for(draft: Draft, *names: str) -> Override | None:
    """The prescriber's written override of a rule or indication, when both name and reason are given."""
    for override in draft.record.overrides:
        if override.of and override.of in names and override.prescriber.strip() and override.reason.strip():
            return override
    return None


def _groups(facts: Facts, evidence: Evidence) -> Iterable[Fact]:
    """Each group as a fact; groups may name groups before them."""
    known: list[Fact] = []
    for group in evidence.groups.values():
        verdict = judge(group.when, facts.having(known) if known else facts)
        if verdict.truth is not None:
            sources = ", ".join(evidence.labels.get(name, name) for name in verdict.decided_by)
            known.append(Fact(group.id, verdict.truth, Origin("derived", how=f"{'because of' if verdict.truth else 'excluded by'} {sources}")))
    return known


def _judge_stage(draft: Draft, evidence: Evidence, context: Context, stage: Stage) -> Draft:
    lines: list[Line] = []
    silent: list[NotRaised] = []
    undecided: list[tuple[str, tuple[str, ...], str]] = []
    constraints: list[Constraint] = []
    blocked: list[str] = []
    for rule in rules_in_force(evidence, stage, context.jurisdiction, context.as_of):
        verdict = judge(rule.when, draft.facts)
        if verdict.truth is None:
            # A rule that never raises has nothing to ask for.
            if rule.severity != "none":
                undecided.append((rule.id, evidence.underlying(verdict.undecided, draft.facts), rule.severity))
        elif verdict.truth is False:
            silent.append(_not_raised(rule, verdict, draft.facts, evidence))
        elif rule.severity == "none":
            silent.append(NotRaised(rule.id, rule.about, rule.say, texts(draft.facts, verdict.decided_by)))
        else:
            override = override_for(draft, rule.id, rule.code) if rule.severity in {"contraindicated", "avoid"} else None
            lines.append(_finding(rule, verdict, draft, evidence, override))
            if override is not None:
                lines.append(_override_line(rule.id, override, draft, evidence, rule.cites))
            elif rule.severity == "contraindicated":
                blocked.append(rule.id)
            elif rule.severity == "avoid":
                undecided.append((rule.id, (f"override:{rule.id}",), rule.severity))
            constraints.extend(_acts(rule, draft.facts))
    return msgspec.structs.replace(
        draft,
        lines=(*draft.lines, *[line for urgency in _WORST_FIRST for line in lines if line.urgency == urgency]),
        not_raised=draft.not_raised + tuple(silent),
        undecided=draft.undecided + tuple(undecided),
        constraints=draft.constraints + tuple(constraints),
        blocked=draft.blocked + tuple(blocked),
    )


def _acts(rule: SafetyRule, facts: Facts) -> Iterable[Constraint]:
    for act in rule.then:
        if act.condition is None or truth_of(act.condition, facts) is not False:
            yield Constraint(rule, act)


def _finding(rule: SafetyRule, verdict: Verdict, draft: Draft, evidence: Evidence, override: Override | None) -> Line:
    urgency = URGENCY[rule.severity] if override is None else "warning"
    because = reasons(evidence, draft.facts, cites=rule.cites, uses=leaf_facts(verdict.decided_by, draft.facts, evidence), rule=rule.id, reading=rule.reading)
    return Line(f"safety.{rule.id}", "safety", _ACT[rule.severity], urgency, rule.say, because)


def _override_line(name: str, override: Override, draft: Draft, evidence: Evidence, cites: tuple[str, ...]) -> Line:
    text = f"{override.prescriber} goes ahead against '{name}': {override.reason}"
    because = reasons(evidence, draft.facts, cites=(OVERRIDE_POLICY, *cites), rule=name)
    return Line(f"safety.override.{name}", "safety", "record", "warning", text, because, when=override.on)


def leaf_facts(names: Iterable[str], facts: Facts, evidence: Evidence) -> tuple[str, ...]:
    """The facts behind the deciding ones: a risk group is replaced by the facts that decided it."""
    names = tuple(names)
    if evidence.groups.keys().isdisjoint(names):
        return names
    out: dict[str, None] = {}
    for name in names:
        group = evidence.groups.get(name)
        if group is None:
            out[name] = None
        else:
            out.update(dict.fromkeys(leaf_facts(judge(group.when, facts).decided_by, facts, evidence)))
    return tuple(out)


def _not_raised(rule: SafetyRule, verdict: Verdict, facts: Facts, evidence: Evidence) -> NotRaised:
    return NotRaised(rule.id, rule.about, evidence.needs[rule.id], texts(facts, verdict.decided_by))
