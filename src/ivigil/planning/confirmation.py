"""What the unit firewall doubts: each doubt becomes a line and a question, and nothing doubtful is computed through."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ivigil.basis.problems import BadInput
from ivigil.evidence.library import Evidence
from ivigil.patient.facts import facts_of
from ivigil.patient.firewall import COURSE_LIMIT, Doubt, examined
from ivigil.patient.record import Measurement, Note, Record
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.order_names import unknown_indication, unknown_names
from ivigil.planning.reasons import reasons

FIREWALL = "ivigil-policy.unit-firewall"
_ORDERED = {"order.dose": "dose", "order.each": "dose", "order.rate_max": "rate_max"}
"""Which part of the order a doubt takes out of the planning until it is settled."""


def begun(record: Record, evidence: Evidence, as_of: date) -> Draft:
    """The draft to begin with: what of the record is not doubted, and its facts. The largest believable course is the one of the evidence.

    Raises:
        BadInput: the record contradicts itself or cannot be right; every problem is listed.
    """
    limit = evidence.dose_limits.get("course-plausible")
    most = limit.at_most if limit is not None and limit.at_most is not None else COURSE_LIMIT
    findings, facts = examined(record, evidence.facts, as_of, most)
    problems = (*findings.problems, *unknown_names(record, evidence))
    if problems:
        raise BadInput(sorted((*problems, *unknown_indication(record, evidence)), key=lambda problem: problem.line))
    if not findings.doubts:
        return Draft(record, facts)
    trusted = without_doubtful(record, findings.doubts)
    return Draft(trusted, facts_of(trusted, evidence.facts, as_of), doubts=findings.doubts)


def without_doubtful(record: Record, doubts: Iterable[Doubt]) -> Record:
    """The record without its doubted parts; a note keeps the dose from being planned as if none had been ordered.

    A weight or height that may be a slip leaves none in use, since an earlier one may be the wrong one of the two.
    """
    order, notes = record.order, list(record.notes)
    weights, heights = record.weights, record.heights
    for doubt in doubts:
        if doubt.about == "weight":
            weights = _undoubted(weights, doubt)
        elif doubt.about == "height":
            heights = _undoubted(heights, doubt)
        part = _ORDERED.get(doubt.about)
        if part == "rate_max":
            order = msgspec.structs.replace(order, rate_max=None)
        elif part == "dose" and order.dose is not None:
            order = msgspec.structs.replace(order, dose=None)
            notes.append(Note(about="order.dose", why=doubt.why, origin=doubt.origin))
    return msgspec.structs.replace(record, order=order, notes=tuple(notes), weights=weights, heights=heights)


def _undoubted(measured: tuple[Measurement, ...], doubt: Doubt) -> tuple[Measurement, ...]:
    """What is left to use: nothing while an answer is awaited, otherwise all but the one that cannot be right."""
    return () if doubt.confirm else tuple(one for one in measured if one.origin != doubt.origin)


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """A line and a question for every doubt."""
    for doubt in draft.doubts:
        suggestion = f" Probably {doubt.meant}." if doubt.meant is not None and str(doubt.meant) not in doubt.ask else ""
        where = f" ({doubt.origin})" if doubt.origin else ""
        text = f"{doubt.why[:1].upper()}{doubt.why[1:]}{where}. {doubt.ask[:1].upper()}{doubt.ask[1:]}{suggestion}"
        line = Line(f"safety.confirm.{doubt.about}", "safety", "ask", "warning", text, reasons(evidence, draft.facts, cites=(FIREWALL,)))
        asked = (line.id, (doubt.confirm or doubt.about,), "avoid")
        draft = msgspec.structs.replace(draft.saying(line), undecided=(*draft.undecided, asked))
    return draft
