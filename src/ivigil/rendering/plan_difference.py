"""Two plans of one record, line by line: what a reader of the second would find new, gone or worded otherwise."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import msgspec

from ivigil.basis.because import Urgency
from ivigil.basis.quantity import number_text
from ivigil.planning.line import Line, Plan, Section, Status

_URGENT_FIRST: tuple[Urgency, ...] = ("critical", "warning", "info")


class LineChange(msgspec.Struct, frozen=True):
    """One line that differs. ``old`` and ``new`` are what it says, None where it is absent; ``urgency`` is the higher of the two."""

    id: str
    section: Section
    urgency: Urgency
    kind: Literal["added", "removed", "changed"]
    old: str | None = None
    new: str | None = None


class PlanDifference(msgspec.Struct, frozen=True):
    """What differs between two plans of one patient in one place; without ``lines`` and a change of status they read the same."""

    patient: str
    jurisdiction: str
    old_status: Status
    new_status: Status
    lines: tuple[LineChange, ...] = ()
    asked: tuple[str, ...] = ()
    no_longer_asked: tuple[str, ...] = ()

    @property
    def status_changed(self) -> bool:
        """True when the plan as a whole ends differently."""
        return self.old_status != self.new_status

    @property
    def same(self) -> bool:
        """True when both plans say and ask the same, whatever they rest on."""
        return not (self.status_changed or self.lines or self.asked or self.no_longer_asked)


def plan_difference(old: Plan, new: Plan) -> PlanDifference:
    """The lines of ``new`` against those of ``old`` by their ids: the most urgent first, then in the order of the plans.

    Reasons and references are not compared; only what the plan tells and asks.
    """
    were, are = _by_id(old), _by_id(new)
    found: list[LineChange] = []
    for key in dict.fromkeys([*are, *were]):
        before, after = were.get(key), are.get(key)
        if before is None and after is not None:
            found.append(LineChange(after.id, after.section, after.urgency, "added", None, said(after)))
        elif before is not None and after is None:
            found.append(LineChange(before.id, before.section, before.urgency, "removed", said(before), None))
        elif before is not None and after is not None and _told(before) != _told(after):
            urgency = min(before.urgency, after.urgency, key=_URGENT_FIRST.index)
            found.append(LineChange(after.id, after.section, urgency, "changed", *_apart(before, after)))
    found.sort(key=lambda change: _URGENT_FIRST.index(change.urgency))
    asked_before, asked_after = ({question.fact: None for question in plan.questions} for plan in (old, new))
    return PlanDifference(
        new.patient, new.jurisdiction, old.status, new.status, tuple(found),
        tuple(fact for fact in asked_after if fact not in asked_before), tuple(fact for fact in asked_before if fact not in asked_after),
    )


def _by_id(plan: Plan) -> dict[tuple[str, int], Line]:
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], Line] = {}
    for line in plan.lines:
        found[line.id, seen[line.id]] = line
        seen[line.id] += 1
    return found


def _told(line: Line) -> tuple[Any, ...]:
    return line.section, line.act, line.urgency, line.text, line.value, line.when, line.table


def said(line: Line) -> str:
    """What a line tells: its act, urgency, sentence and date."""
    mark = f"{line.urgency}: " if line.urgency != "info" else ""
    return f"{mark}{line.act}: {line.text}{f' ({line.when.isoformat()})' if line.when is not None else ''}"


def _apart(before: Line, after: Line) -> tuple[str, str]:
    """Both lines in words that differ: their sentence, else their value, else the rows of their tables that differ."""
    texts = said(before), said(after)
    if before.table != after.table:
        were, are = _rows(before), _rows(after)
        texts = _with_rows(texts[0], [row for row in were if row not in are]), _with_rows(texts[1], [row for row in are if row not in were])
    if texts[0] == texts[1]:
        texts = f"{texts[0]} [{before.value or 'no value'}]", f"{texts[1]} [{after.value or 'no value'}]"
    if texts[0] == texts[1]:
        texts = f"{before.section}: {texts[0]}", f"{after.section}: {texts[1]} (the table reads otherwise)"
    return texts


def _with_rows(text: str, rows: list[str]) -> str:
    return f"{text} [{'; '.join(rows)}]" if rows else text


def _rows(line: Line) -> list[str]:
    if line.table is None:
        return []
    heads = [column.name for column in line.table.columns]
    rows = [", ".join(f"{head} {_cell(cell)}" for head, cell in zip(heads, row, strict=False) if cell not in {None, ""}) for row in line.table.rows]
    return [*rows, *([line.table.note] if line.table.note else [])]


def _cell(cell: str | float | None) -> str:
    return number_text(cell) if isinstance(cell, float) else str(cell)
