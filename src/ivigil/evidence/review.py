"""The review life cycle of a statement: submitted, under review, approved by two people, rejected or superseded.

A verdict binds to the text it judged: when a statement changes, verdicts on its earlier text no longer count.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import NamedTuple

import msgspec

from ivigil.evidence.shapes import ReviewStatus, Statement, Verdict

APPROVERS = 2
"""How many different people approve a statement before it counts as approved."""
WEAKEST_FIRST: tuple[ReviewStatus, ...] = ("rejected", "superseded", "submitted", "under-review", "approved")

READ_BEST_FIRST = ("seen", "seen-once", "second-hand", "second-hand-once", "decided", "remembered")
COUNTED = {"seen", "second-hand"}
"""Ways of reading in which a second reading counts."""


class ReviewState(msgspec.Struct, frozen=True):
    """Where a statement stands.

    ``approved_by`` names who has approved it so far; ``due`` is the day by which the next verdict is asked for (ISO, or empty); ``outdated``
    counts verdicts that were given on an earlier text.
    """

    status: ReviewStatus = "submitted"
    approved_by: tuple[str, ...] = ()
    due: str = ""
    outdated: int = 0


class Support(NamedTuple):
    """What a line's citations amount to: each once, the weakest review state among them, and the best way any of them was read; empty without any."""

    cites: tuple[str, ...]
    review: str
    read: str


def stamp_of(statement: Statement) -> str:
    """Twelve hex digits that change with anything a reviewer judges: source, place, words, numbers and how it was read."""
    judged = msgspec.structs.replace(statement, reviews=(), note="")
    return hashlib.sha256(msgspec.json.encode(judged)).hexdigest()[:12]


def state_of(statement: Statement) -> ReviewState:
    """The state that the verdicts of a statement add up to.

    The last verdict decides, but ``approved`` needs :data:`APPROVERS` different people, none of whom submitted it; until then the statement is
    under review. A submission, a rejection or a new round of review starts the counting again.
    """
    if not statement.reviews:
        return ReviewState()
    stamp = stamp_of(statement)
    status: ReviewStatus = "submitted"
    author, due = "", ""
    approved: dict[str, None] = {}
    outdated = 0
    for verdict in statement.reviews:
        if verdict.of and verdict.of != stamp:
            outdated += 1
            continue
        due = verdict.due
        if verdict.status == "submitted":
            author = folded(verdict.by)
        if verdict.status != "approved":
            approved.clear()
            status = verdict.status
        elif folded(verdict.by) != author:
            approved[folded(verdict.by)] = None
            status = "approved" if len(approved) >= APPROVERS else "under-review"
    names = {folded(verdict.by): verdict.by for verdict in statement.reviews}
    return ReviewState(status, tuple(names[name] for name in approved), due, outdated)


def folded(name: str) -> str:
    """A person's name for comparison: case and spaces do not make two people."""
    return " ".join(name.casefold().split())


def refusal(statement: Statement, verdict: Verdict) -> str:
    """Why a verdict may not be recorded, or an empty text."""
    author = next((folded(one.by) for one in reversed(statement.reviews) if one.status == "submitted"), "")
    if not verdict.by.strip():
        return "a verdict needs the name of the person who gives it; add --by NAME"
    if verdict.status in {"rejected", "superseded"} and not verdict.reason.strip():
        return f"a statement is {verdict.status} with a reason; add --reason TEXT"
    for name, text in (("date", verdict.date), ("due", verdict.due)):
        try:
            if text:
                date.fromisoformat(text)
        except ValueError:
            return f"'{text}' is no date; write --{name} as 2026-11-20"
    if verdict.status == "approved":
        if folded(verdict.by) == author:
            return f"{verdict.by} submitted it; somebody else approves it"
        if folded(verdict.by) in map(folded, state_of(statement).approved_by):
            return f"{verdict.by} has approved it already; a second person is needed"
    return ""
