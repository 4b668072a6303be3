"""Which lines of a plan an order's cards show, and how urgent each is there. Selects; decides nothing clinical of its own.

A card is critical only for what must not be given as ordered: a contraindication, an indication advised against, or a dose or rate above
what the evidence allows. Everything else that the plan marks as critical (a dose that cannot be read, a missing weight) is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from ivigil.basis.because import Urgency
from ivigil.basis.problems import Problem
from ivigil.basis.quantity import Quantity
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Note, Order, Record
from ivigil.planning.line import Line, Plan

ORDER = "dose.order"
_PRODUCT = "product.ordered"
_CONFIRM = "safety.confirm."
INDICATION_UNNAMED = f"{_CONFIRM}order.indication"
"""The order names no indication. Where the problem list settles it, that is information; where nothing does, another line says more."""
_WARNED = ("dose.", "safety.", "course.order-days", "product.ordered", "product.choice", "indication.disputed", "indication.population",
           "indication.criteria", "review.withheld")
"""Warnings of these lines concern the order or whether it may be given; the others belong to carrying it out."""
_SPOILED = "vaccination.repeat."
"""A live vaccine that does not count because of immunoglobulin; the line's id ends with the day of the vaccine."""
_DOSE = (ORDER, f"{_CONFIRM}order.dose", f"{_CONFIRM}order.each", "dose.limit.", "dose.order-interval", "course.order-days", "order.dose", "order.each",
         "order.days")
_RATE = ("infusion.ordered-rate", f"{_CONFIRM}order.rate_max", "order.rate_max")
_ORDERS_KEYS = "order."
_SEVERITY: tuple[Urgency, ...] = ("critical", "warning", "info")


class Finding(msgspec.Struct, frozen=True):
    """One thing to say about an order: the line it comes from, or a refusal of the unit firewall, which leaves no plan."""

    id: str
    urgency: Urgency
    text: str
    remedy: str = ""
    line: Line | None = None


def findings_of(plan: Plan, record: Record, evidence: Evidence, *, early: bool) -> list[Finding]:
    """What the order's card shows, most serious first; ``early`` keeps what would stop the order and what is missing."""
    found = []
    for line in plan.lines:
        urgency = _urgency(line, plan, record, evidence)
        if line.id.startswith(_SPOILED) and line.urgency == "warning" and not early and _by_this_order(line, record):
            found.append(Finding(line.id, urgency, line.text, line=line))
            continue
        if urgency == "info" or line.id == INDICATION_UNNAMED or (line.urgency == "warning" and not line.id.startswith(_WARNED)):
            continue
        if early and urgency == "warning" and line.act not in {"avoid", "ask"} and line.urgency != "critical":
            continue
        found.append(Finding(line.id, urgency, line.text, line=line))
    return most_serious_first(_without_repeats(found))


def refusals(problems: Iterable[Problem], record: Record, weight: float | None, evidence: Evidence) -> list[Finding]:
    """The findings of a record that cannot be planned from: a dose far above every label is critical, the rest are warnings."""
    found = []
    for problem in problems:
        above = problem.what.startswith(("order.dose", "order.each")) and _dose_above(record.order, weight, evidence)
        about = "" if problem.what.startswith(_ORDERS_KEYS) else f"{problem.what}: " if problem.what else ""
        found.append(Finding(problem.what or "record", "critical" if above else "warning", f"{about}{problem.why}", problem.remedy))
    return most_serious_first(found)


def concerns_dose(findings: Iterable[Finding]) -> bool:
    """Whether the amount, the days or the interval of the order are in question."""
    return any(finding.id.startswith(_DOSE) for finding in findings)


def concerns_rate(findings: Iterable[Finding]) -> bool:
    """Whether the rate of the order is in question."""
    return any(finding.id.startswith(_RATE) for finding in findings)


def without(record: Record, *, dose: bool, rate: bool) -> Record:
    """The record with the questioned parts of its order taken out, so that the plan says what the evidence would give."""
    order = record.order
    notes: Sequence[Note] = record.notes
    if dose:
        order = msgspec.structs.replace(order, dose=None, each="", days=None)
        notes = [note for note in notes if note.about not in {"order.dose", "order.each", "order.days"}]
    if rate:
        order = msgspec.structs.replace(order, rate_max=None)
    return msgspec.structs.replace(record, order=order, notes=tuple(notes))


def _urgency(line: Line, plan: Plan, record: Record, evidence: Evidence) -> Urgency:
    if line.id == f"{_CONFIRM}order.dose":
        return "critical" if _dose_above(record.order, _weight(plan), evidence) else "warning"
    if line.id == f"{_CONFIRM}order.rate_max":
        return "critical" if _rate_above(record.order, plan) else "warning"
    if line.urgency != "critical":
        return line.urgency
    if line.id == _PRODUCT:
        contraindicated = any(rule.severity == "contraindicated" and rule.say in line.text for rule in evidence.every_rule.values())
        return "critical" if contraindicated else "warning"
    return "critical" if line.act == "avoid" else "warning"


def _by_this_order(line: Line, record: Record) -> bool:
    """Whether the vaccine was given after every infusion on record, so that this order is what spoils it."""
    day = line.id[-len("2026-11-20"):]
    return all(infusion.on.isoformat() < day for infusion in record.infusions)


def _weight(plan: Plan) -> float | None:
    line = plan.line("dose.weight")
    return line.value.in_unit("kg") if line is not None and line.value is not None else None


def _dose_above(order: Order, weight: float | None, evidence: Evidence) -> bool:
    """Whether the ordered course is above the largest believable one of the evidence."""
    limit = evidence.dose_limits.get("course-plausible")
    if order.dose is None or limit is None or limit.at_most is None:
        return False
    per_kg = _per_kg(order.dose, weight)
    return per_kg is not None and per_kg * (order.days or 1 if order.each != "course" else 1) > limit.at_most.in_unit("g/kg")


def _per_kg(dose: Quantity, weight: float | None) -> float | None:
    if dose.dimension == "mass per body mass":
        return dose.in_unit("g/kg")
    return dose.in_unit("g") / weight if dose.dimension == "mass" and weight else None


def _rate_above(order: Order, plan: Plan) -> bool:
    """Whether the ordered rate is above the lowest limit of the plan, where both are volumes by time."""
    cap, rate, weight = plan.line("infusion.cap"), order.rate_max, _weight(plan)
    if cap is None or cap.value is None or cap.value.unit != "mL/h" or rate is None:
        return False
    if rate.dimension == "volume rate":
        return rate.in_unit("mL/h") > cap.value.value
    return rate.dimension == "volume rate per body mass" and weight is not None and rate.in_unit("mL/kg/h") * weight > cap.value.value


def _without_repeats(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The question about the dose is not said twice: the line that refuses it repeats what the doubt says."""
    doubted = any(finding.id == f"{_CONFIRM}order.dose" for finding in findings)
    return (finding for finding in findings if not (doubted and finding.id == ORDER))


def most_serious_first(findings: Iterable[Finding]) -> list[Finding]:
    """Critical before warning, else in the order of the plan."""
    return sorted(findings, key=lambda finding: _SEVERITY.index(finding.urgency))
