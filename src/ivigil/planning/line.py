"""The typed lines a plan is made of, and the plan itself. Every rendering is a view of these."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from ivigil.basis.because import Because, Urgency
from ivigil.basis.quantity import Quantity

Section = Literal["indication", "dosing", "safety", "product", "vials", "infusion", "premedication", "hydration", "monitoring", "vaccination",
                  "outlook", "cost", "advice"]
Act = Literal["give", "avoid", "choose", "check", "wait", "tell", "ask", "record"]
Status = Literal["complete", "needs-answers", "blocked", "no-evidence"]

SECTIONS: tuple[Section, ...] = ("indication", "dosing", "safety", "product", "vials", "infusion", "premedication", "hydration", "monitoring", "vaccination",
                                 "outlook", "cost", "advice")


class Column(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A table column: its heading and the unit of its numbers (UCUM-free display name)."""

    name: str
    unit: str = ""


class Table(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Rows that belong to one line; cells are texts or numbers, one per column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | float | None, ...], ...]
    note: str = ""


class Line(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One checkable sentence of the plan. ``id`` is a stable slug; ``because`` holds everything it rests on."""

    id: str
    section: Section
    act: Act
    urgency: Urgency
    text: str
    because: Because
    value: Quantity | None = None
    when: date | None = None
    table: Table | None = None


class Question(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A fact worth asking for: ``could_change`` names the lines and rules it could change, most serious first."""

    fact: str
    ask: str
    could_change: tuple[str, ...]
    weight: int
    urgency: Urgency = "info"
    stale: bool = False


class NotRaised(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A rule that was judged and did not fire, with the facts that decided it: silence that can be audited."""

    rule: str
    about: str
    why: str
    facts: dict[str, str] = {}


class Reference(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A numbered source with the statements used from it."""

    number: int
    source: str
    title: str
    publisher: str = ""
    year: str = ""
    where: str = ""
    note: str = ""
    statements: tuple[str, ...] = ()
    read: str = "seen"


class Plan(msgspec.Struct, frozen=True):
    """A whole plan: reproducible from the record, ``evidence_version``, ``as_of`` and ``program_version``."""

    schema: str
    status: Status
    patient: str
    indication: str
    jurisdiction: str
    as_of: date
    evidence_version: str
    program_version: str
    lines: tuple[Line, ...]
    questions: tuple[Question, ...]
    references: tuple[Reference, ...]
    not_raised: tuple[NotRaised, ...]
    overlay: str = ""

    def line(self, line_id: str) -> Line | None:
        """The line with this id, or None."""
        return next((line for line in self.lines if line.id == line_id), None)
