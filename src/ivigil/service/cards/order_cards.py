"""The cards of an immunoglobulin order: at most one that interrupts, with everything found and the corrected order, and one with the plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import msgspec

from ivigil.basis.problems import BadInput
from ivigil.patient.fhir_values import Resource, as_text
from ivigil.patient.record import Record
from ivigil.planning.choices import Choices
from ivigil.planning.line import Line, Plan
from ivigil.rendering.fhir_dosage import COURSE, days_of, dosage_instructions
from ivigil.rendering.fhir_parts import name_of, pruned
from ivigil.rendering.markdown import escaped
from ivigil.rendering.plain_text import clean
from ivigil.service.cards.card import LONGEST_SUMMARY, OVERRIDE_REASONS, Action, Card, Link, Suggestion, first_sentence, shortened
from ivigil.service.cards.findings import INDICATION_UNNAMED, Finding, concerns_dose, concerns_rate, findings_of, most_serious_first, refusals, without
from ivigil.service.cards.sheet import Sources, bullets, finding_bullets
from ivigil.service.hospital import Hospital

Linked = Callable[[], tuple[Link, ...]]

_DOSES = ("dose.course_total", "dose.per_day", "dose.per_interval", "dose.weekly")
_SHOWN = (*_DOSES, COURSE, INDICATION_UNNAMED, "vials.choice", "infusion.start", "infusion.cap", "infusion.day-1",
          "infusion.sites", "infusion.place", "product.off-label")
_BEFORE = ("hydration", "premedication")
_OF_AN_ORDER = ("indication", "phase", "product", "route", "place")
"""What of an order beside its dose and interval decides on a course; where it says nothing, the suggested order says what the plan took."""
_MOST_QUESTIONS = 5


class Checked(msgspec.Struct, frozen=True):
    """An order with its plan (None where the unit firewall refused it), what was found, the plan without what was questioned, and the order as that
    plan gives it (None where there is nothing to correct, or nothing may be suggested).
    """

    resource: Resource
    record: Record
    plan: Plan | None
    findings: tuple[Finding, ...]
    corrected: Plan | None

    @property
    def suggested(self) -> Resource | None:
        """The resource as it was sent, with the dosage of the corrected plan."""
        plan = self.corrected
        if plan is None or plan.line(COURSE) is None or plan.status in {"blocked", "no-evidence"} or plan.line("product.ordered") is not None:
            return None
        if self.plan is not None and self.plan.status == "blocked":
            return None
        changed: Resource = pruned({**self.resource, "dosageInstruction": dosage_instructions(plan, rates=bool(self.record.order.product))})
        return changed

    def doseless(self, record: Record) -> Plan | None:
        """The corrected plan, where it stands for ``record`` without its dose too: no dose went into it, and the orders differ in nothing else of weight."""
        mine, theirs = self.record.order, record.order
        same = mine.every == theirs.every and all(getattr(mine, name) in {"", getattr(theirs, name)} for name in _OF_AN_ORDER)
        return self.corrected if same and (mine.dose is None or concerns_dose(self.findings)) else None

    def if_clean(self, again: Checked) -> Checked:
        """The same without its suggestion, where the suggested order sent back, which is ``again``, would be critical or draw a correction itself."""
        passes = again.suggested is None and not any(finding.urgency == "critical" for finding in again.findings)
        return self if passes else msgspec.structs.replace(self, corrected=None)


def checked(resource: Resource, record: Record, hospital: Hospital, today: date, *, early: bool, before: Checked | None = None) -> Checked:
    """Plan the order, and once more without what is questioned of it. ``before`` is the check that suggested this order; its plan is not made again."""
    try:
        plan: Plan | None = hospital.plan(record, Choices(), today)
        problems: BadInput | None = None
    except BadInput as error:
        plan, problems = None, error
    if plan is not None:
        findings = findings_of(plan, record, hospital.evidence, early=early)
        known = before.doseless(record) if before is not None and concerns_dose(findings) and not concerns_rate(findings) else None
        corrected = known or _planned_without(record, findings, hospital, today) or (plan if record.order.dose is None else None)
        if corrected is not None and corrected is not plan and _same_course(plan, corrected):
            # Ordered is what the plan itself comes to when it is rounded to vials: what the rounding alone raised is not in question.
            findings = [one for one in findings if not concerns_dose([one]) or one.urgency == "critical" or corrected.line(one.id) is not None]
            corrected = corrected if concerns_rate(findings) else None
    else:
        assert problems is not None
        rough = [Finding(problem.what, "warning", problem.why) for problem in problems.problems]
        corrected = _planned_without(record, rough, hospital, today)
        weight = corrected.line("dose.weight") if corrected is not None else None
        kilograms = weight.value.in_unit("kg") if weight is not None and weight.value is not None else None
        findings = refusals(problems.problems, record, kilograms, hospital.evidence)
        if corrected is not None:  # what else stands against the order does not depend on its dose
            findings = most_serious_first((*findings, *findings_of(corrected, record, hospital.evidence, early=early)))
    return Checked(resource, record, plan, tuple(findings), corrected)


def _same_course(one: Plan, other: Plan) -> bool:
    """Whether two plans give the same grams on as many days."""
    return bool(days_of(one)) and [(day.count, day.grams) for day in days_of(one)] == [(day.count, day.grams) for day in days_of(other)]


def _planned_without(record: Record, findings: list[Finding], hospital: Hospital, today: date) -> Plan | None:
    dose, rate = concerns_dose(findings), concerns_rate(findings)
    if not (dose or rate):
        return None
    try:
        return hospital.plan(without(record, dose=dose, rate=rate), Choices(), today)
    except BadInput:
        return None


def cards_of(check: Checked, key: tuple[str, ...], missing: dict[str, str], links: Linked) -> list[Card]:
    """The cards of one order. ``key`` names the call and the order, so that the same call gives the same cards."""
    plan, cards = check.plan, []
    suggestion = _suggestion(check, key)
    if check.findings:
        cards.append(_finding_card(check, key, missing, suggestion, links() if plan is not None else ()))
        suggestion = None
    if plan is not None and plan.status != "blocked" and plan.line(COURSE) is not None:
        cards.append(_plan_card(plan, key, missing, suggestion, links()))
    return cards


def _finding_card(check: Checked, key: tuple[str, ...], missing: dict[str, str], suggestion: Suggestion | None, links: tuple[Link, ...]) -> Card:
    lead = check.findings[0]
    sources = Sources(check.plan or check.corrected)
    detail = finding_bullets(check.findings, sources)
    if check.plan is not None:
        detail += _questions(check.plan)
    detail += [*_not_sent(missing), *_listed(sources)]
    summary = _summary(check)
    suggestions = [suggestion] if suggestion is not None else []
    made = check.plan or check.corrected
    if made is not None and made.status == "blocked" and as_text(check.resource.get("id")):
        name = f"MedicationRequest/{as_text(check.resource.get('id'))}"
        suggestions.append(Suggestion("Remove this order", name_of(*key, "remove"), (Action("delete", "Remove the immunoglobulin order", resource_id=name),)))
    return Card(name_of(*key, "findings"), summary, lead.urgency, sources.first(lead.line), "\n".join(detail), tuple(suggestions),
                "at-most-one" if suggestions else "", OVERRIDE_REASONS, links)


def _summary(check: Checked) -> str:
    """The first finding in one sentence, and how many more there are; says so first where no dose could be checked."""
    lead, more = check.findings[0], len(check.findings) - 1
    ending = f" (+{more} more)" if more else ""
    text = clean(lead.text).replace(f" ({check.record.order.origin})", "")
    unchecked = check.plan is not None and lead.urgency != "critical" and not any(line.id in _DOSES for line in check.plan.lines)
    start = "The dose cannot be checked: " if unchecked else ""
    room = LONGEST_SUMMARY - len(ending) - len(start)
    if len(text) > room:
        text = first_sentence(text)
    text = text.rstrip(".")
    return f"{start}{shortened(text[:1].lower() + text[1:] if start else text[:1].upper() + text[1:], room)}{ending}"


def _plan_card(plan: Plan, key: tuple[str, ...], missing: dict[str, str], suggestion: Suggestion | None, links: tuple[Link, ...]) -> Card:
    course = plan.line(COURSE)
    assert course is not None
    sources = Sources(plan)
    shown = [line for line in plan.lines if line.id in _SHOWN or line.section in _BEFORE or _beforehand(line)]
    detail = [*bullets(shown, sources), *_questions(plan), *_not_sent(missing), *_listed(sources)]
    summary = shortened(f"Immunoglobulin plan: {first_sentence(clean(course.text))}")
    return Card(name_of(*key, "plan"), summary, "info", sources.first(course), "\n".join(detail), (suggestion,) if suggestion is not None else (),
                "at-most-one" if suggestion is not None else "", (), links)


def _beforehand(line: Line) -> bool:
    """Tests that are due before the first dose: they have no date of their own."""
    return line.section == "monitoring" and line.act == "check" and line.id.endswith("-before")


def _suggestion(check: Checked, key: tuple[str, ...]) -> Suggestion | None:
    """The order as the evidence would give it."""
    suggested, course = check.suggested, check.corrected.line(COURSE) if check.corrected is not None else None
    if suggested is None or course is None:
        return None
    what = shortened(first_sentence(clean(course.text)).rstrip("."))
    action = Action("update" if as_text(check.resource.get("id")) else "create", f"Order as planned: {what}", suggested)
    return Suggestion(f"Order as planned: {what}", name_of(*key, "order"), (action,), is_recommended=True)


def _questions(plan: Plan) -> list[str]:
    asked = [question for question in plan.questions if question.urgency != "info"][:_MOST_QUESTIONS]
    return ["", "Not known, and could change this:", *(f"- {escaped(clean(question.ask))}" for question in asked)] if asked else []


def _not_sent(missing: dict[str, str]) -> list[str]:
    return ["", f"Not available for this check, so unknown: {escaped(', '.join(missing))}."] if missing else []


def _listed(sources: Sources) -> list[str]:
    found = sources.listed()
    return ["", "Sources:", *found] if found else []
