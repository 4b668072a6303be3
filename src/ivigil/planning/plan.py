"""The pipeline on one screen: one pure function from a record, the evidence and a context to a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivigil import __version__
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.planning import (
    acts,
    advice,
    confirmation,
    cost,
    course,
    dosing,
    hydration,
    indication,
    infusion,
    monitoring,
    outlook,
    premedication,
    product,
    safety,
    subcutaneous,
    vaccination,
    vials,
)
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Plan, Status
from ivigil.planning.questions import questions_of
from ivigil.planning.references import references_of
from ivigil.planning.withhold import withhold

if TYPE_CHECKING:  # the arithmetic is loaded when somebody looks ahead
    from ivigil.pharmacokinetics.forecast import Forecast

STEPS = (
    confirmation.step,
    indication.step,
    dosing.step,
    subcutaneous.dose_step,
    safety.step,
    product.step,
    subcutaneous.dose_step,
    safety.product_step,
    course.step,
    vials.step,
    safety.course_step,
    infusion.step,
    premedication.step,
    hydration.step,
    monitoring.step,
    acts.step,
    vaccination.step,
    outlook.step,
    cost.step,
    advice.step,
)


def plan(record: Record, evidence: Evidence, context: Context) -> Plan:
    """Plan one patient. Never raises for a clinical reason; the same arguments give the same plan, byte for byte.

    A blocked or unevidenced draft still passes every step: each adds what it can and leaves out what must not be given.

    Raises:
        BadInput: the record contradicts itself or cannot be right (a unit slip, an impossible date); every problem is listed.
    """
    draft = confirmation.begun(record, evidence, context.as_of)
    for step in STEPS:
        draft = step(draft, evidence, context)
    questions = questions_of(draft, evidence)
    lines, withheld = withhold(draft, evidence, context.least_review)
    return Plan(
        schema="ivigil.plan/1",
        status=_status(draft, asks=any(one.urgency != "info" for one in questions) or any(line.urgency == "critical" for line in draft.lines) or withheld > 0),
        patient=record.id,
        indication=draft.indication.id if draft.indication else "",
        jurisdiction=context.jurisdiction,
        as_of=context.as_of,
        evidence_version=evidence.version,
        program_version=__version__,
        lines=lines,
        questions=questions,
        references=references_of(lines, evidence),
        not_raised=draft.not_raised,
        overlay=evidence.overlay,
    )


def looking_ahead(record: Record, evidence: Evidence, context: Context) -> Forecast | str | None:
    """The IgG forecast of the dose that would be planned, in words why there is none, or None where no dose is planned.

    Raises:
        BadInput: as for :func:`plan`.
    """
    draft = confirmation.begun(record, evidence, context.as_of)
    for step in STEPS[: STEPS.index(outlook.step)]:
        draft = step(draft, evidence, context)
    return None if draft.blocked else outlook.forecast_of(draft, evidence, context)


def _status(draft: Draft, *, asks: bool) -> Status:
    if draft.blocked:
        return "blocked"
    if draft.no_evidence:
        return "no-evidence"
    return "needs-answers" if asks else "complete"
