"""A plan as one FHIR R4 Bundle: a CarePlan, a RequestGroup with every step in its section, what each step asks for, and what each rests on.

The same plan gives the same bytes. Everything is a draft and a proposal: a person decides what becomes an order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from ivigil.basis.problems import Problem
from ivigil.evidence.library import Evidence
from ivigil.planning.line import SECTIONS, Line, Plan
from ivigil.rendering.fhir_parts import LINES, STATEMENTS, TERMS, Resource, coding, concept, name_of, pruned
from ivigil.rendering.fhir_steps import Steps, patient_of, reference, root_of

MODULE = "urn:ivigil:plan"
_STATUS = {"complete": "success", "needs-answers": "data-required", "blocked": "success", "no-evidence": "success"}


def plan_fhir(plan: Plan, evidence: Evidence) -> str:
    """The Bundle of one plan as indented JSON."""
    return _text(_bundle(resources_of(plan, evidence)))


def plans_fhir(plans: Sequence[Plan], failed: Sequence[tuple[str, Sequence[Problem]]], evidence: Evidence) -> str:
    """Several plans in one Bundle, and an OperationOutcome for each record that could not be used."""
    resources = [resource for plan in plans for resource in resources_of(plan, evidence)]
    for name, problems in failed:
        issues = [{"severity": "error", "code": "invalid", "details": {"text": str(problem)}} for problem in problems]
        resources.append({"resourceType": "OperationOutcome", "id": name_of("failed", name), "issue": issues})
    return _text(_bundle(resources))


def guidance_fhir(plan: Plan, evidence: Evidence) -> str:
    """The Bundle of one plan, led by a GuidanceResponse whose result is its CarePlan."""
    resources = resources_of(plan, evidence)
    asked = [concept(question.ask, coding("urn:ivigil:fact", question.fact)) for question in plan.questions if question.urgency != "info"]
    answer: Resource = {
        "resourceType": "GuidanceResponse",
        "id": name_of(root_of(plan), "guidance"),
        "moduleUri": MODULE,
        "status": _STATUS[plan.status],
        "subject": patient_of(plan),
        "occurrenceDateTime": plan.as_of.isoformat(),
        "note": [{"text": f"status of the plan: {plan.status}"}, *({"text": f"Please confirm: {one['text']}"} for one in asked)],
        "result": reference(resources[0]),
    }
    return _text(_bundle([answer, *resources]))


def resources_of(plan: Plan, evidence: Evidence) -> list[Resource]:
    """Every resource of a plan: CarePlan and RequestGroup first, then what they refer to, then a Provenance for each."""
    steps = Steps(plan, evidence)
    group = _group(plan, steps)
    care = _care_plan(plan, group, steps)
    made = [care, group, *steps.resources.values()]
    lines = {care["id"]: list(plan.lines), **steps.behind}
    return [pruned(resource) for resource in (*made, *_provenance(plan, made, lines, evidence))]


def _care_plan(plan: Plan, group: Resource, steps: Steps) -> Resource:
    standing = plan.line("indication.standing")
    name = standing.text.partition(": ")[0] if standing is not None else plan.indication or "no indication settled"
    return {
        "resourceType": "CarePlan",
        "id": name_of(steps.root, "care-plan"),
        "identifier": [{"system": MODULE, "value": name_of(steps.root, "plan")}],
        "status": "draft",
        "intent": "proposal",
        "title": f"Immunoglobulin therapy: {name}",
        "description": f"Status: {plan.status}. Jurisdiction: {plan.jurisdiction}. Evidence {plan.evidence_version}, ivigil {plan.program_version}.",
        "subject": patient_of(plan),
        "created": plan.as_of.isoformat(),
        "activity": [{"reference": reference(group)}],
        "note": [{"text": f"Please confirm: {question.ask}"} for question in plan.questions if question.urgency != "info"],
    }


def _group(plan: Plan, steps: Steps) -> Resource:
    sections = []
    for section in SECTIONS:
        lines = [line for line in plan.lines if line.section == section]
        if lines:
            sections.append({"title": section, "groupingBehavior": "logical-group", "action": [_action(line, steps) for line in lines]})
    return {
        "resourceType": "RequestGroup",
        "id": name_of(steps.root, "request-group"),
        "status": "draft",
        "intent": "proposal",
        "subject": patient_of(plan),
        "authoredOn": plan.as_of.isoformat(),
        "action": sections,
    }


def _action(line: Line, steps: Steps) -> Resource:
    return {
        "title": line.act,
        "description": line.text,
        "priority": {"critical": "stat", "warning": "urgent", "info": "routine"}[line.urgency],
        "code": [concept(line.id, coding(LINES, line.id))],
        "timingDateTime": line.when.isoformat() if line.when is not None else None,
        "resource": reference(steps.of(line)),
    }


def _provenance(plan: Plan, made: Sequence[Resource], lines: dict[str, list[Line]], evidence: Evidence) -> Iterator[Resource]:
    """For each resource the statements behind its lines, with the place in their source."""
    for resource in made:
        cites = dict.fromkeys(cite for line in lines.get(resource["id"], ()) for cite in line.because.cites)
        if not cites:
            continue
        yield {
            "resourceType": "Provenance",
            "id": name_of(resource["id"], "provenance"),
            "target": [reference(resource)],
            "recorded": f"{plan.as_of.isoformat()}T00:00:00Z",
            "activity": concept("planned by ivigil", coding(MODULE, plan.evidence_version)),
            "agent": [{"type": concept("assembler", coding(f"{TERMS}/provenance-participant-type", "assembler", "Assembler")),
                       "who": {"display": f"ivigil {plan.program_version}"}}],
            "entity": [{"role": "source", "what": {"identifier": {"system": STATEMENTS, "value": cite}, "display": _said(cite, evidence)}} for cite in cites],
        }


def _said(cite: str, evidence: Evidence) -> str:
    statement = evidence.statements.get(cite)
    if statement is None:
        return cite
    source = evidence.sources.get(statement.source)
    return f"{source.title if source is not None else statement.source}: {statement.where}"


def _bundle(resources: Sequence[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection",
            "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]}


def _text(bundle: Resource) -> str:
    return msgspec.json.format(msgspec.json.encode(bundle), indent=2).decode() + "\n"
