"""Two plans line by line."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from tests.rendering.sample import plan as sample

from ivigil.basis.because import Because
from ivigil.planning.line import Column, Line, Plan, Table
from ivigil.rendering.plan_difference import plan_difference

BECAUSE = Because(cites=("s",))


def line(name: str, text: str, **more: Any) -> Line:
    """A line that rests on something."""
    return msgspec.structs.replace(Line(name, "dosing", "give", "info", text, BECAUSE), **more)


@pytest.fixture
def plan() -> Plan:
    """A plan with one line of each urgency."""
    lines = (line("a", "One."), line("b", "Two.", urgency="warning"), line("c", "Three.", urgency="critical", act="avoid"))
    return sample(lines=lines, questions=())


def test_the_same_plan_has_no_difference(plan: Plan) -> None:
    """Reasons may differ; what is told does not."""
    lines = tuple(msgspec.structs.replace(one, because=Because(cites=("t",))) for one in plan.lines)
    other = msgspec.structs.replace(plan, evidence_version="other", lines=lines)
    assert plan_difference(plan, other).same


def test_critical_lines_come_first(plan: Plan) -> None:
    """Added, removed and changed lines, the most urgent first, whichever side is the more urgent."""
    lines = (line("a", "One, otherwise."), line("c", "Three.", act="avoid"), line("d", "Four.", urgency="critical"))
    found = plan_difference(plan, msgspec.structs.replace(plan, lines=lines, status="blocked"))
    assert found.status_changed
    assert [(change.id, change.kind, change.urgency) for change in found.lines] == [
        ("c", "changed", "critical"), ("d", "added", "critical"), ("b", "removed", "warning"), ("a", "changed", "info")]
    assert (found.lines[0].old, found.lines[0].new) == ("critical: avoid: Three.", "avoid: Three.")
    assert (found.lines[2].old, found.lines[2].new) == ("warning: give: Two.", None)


def test_a_rate_in_a_table_and_a_date_are_differences(plan: Plan) -> None:
    """The sentence may stay while what matters changes."""
    columns = (Column("Rate", "mg/kg/min"), Column("From"))
    old = msgspec.structs.replace(plan, lines=(line("a", "Rates.", table=Table(columns, ((0.5, "start"), (4.0, "30 min")))),))
    new = msgspec.structs.replace(plan, lines=(line("a", "Rates.", table=Table(columns, ((0.5, "start"), (8.0, "30 min"))), when=date(2026, 11, 20)),))
    change, = plan_difference(old, new).lines
    assert change.old == "give: Rates. [Rate 4, From 30 min]"
    assert change.new == "give: Rates. (2026-11-20) [Rate 8, From 30 min]"


def test_two_lines_of_one_id_are_told_apart(plan: Plan) -> None:
    """The second of them is new."""
    old, new = (msgspec.structs.replace(plan, lines=lines) for lines in ((line("a", "One."),), (line("a", "One."), line("a", "Two."))))
    change, = plan_difference(old, new).lines
    assert (change.kind, change.new) == ("added", "give: Two.")
