"""The terminal view: what a nurse pins to the bed."""

from __future__ import annotations

import msgspec
import pytest
from tests.rendering.sample import LINES, plan

from ivigil.basis.because import Because
from ivigil.planning.line import Line
from ivigil.rendering.terminal import terminal_text


@pytest.mark.parametrize("width", [20, 80, 93, 120, 400])
def test_no_line_is_wider_than_asked(width: int) -> None:
    """Between 80 and 120 columns the width is kept; outside, the nearer end is used."""
    limit = min(120, max(80, width))
    assert max(len(line) for line in terminal_text(plan(), width).splitlines()) <= limit


def test_piped_text_is_plain_ascii_for_ascii_content() -> None:
    """Printers and ward terminals show it in any character set; nothing but text comes out."""
    text = terminal_text(plan())
    assert text.isascii()
    assert "\x1b" not in text


def test_colour_only_when_asked_and_urgency_without_it() -> None:
    """Colour repeats what the marks already say."""
    assert "\x1b[" in terminal_text(plan(), colour=True)
    assert "!!   1 check  Recent thrombosis" in terminal_text(plan())
    assert "\n!    5 check  A kidney risk factor" in terminal_text(plan())


def test_critical_lines_stand_before_every_section() -> None:
    """The first thing read is what could harm."""
    text = terminal_text(plan())
    assert text.index("Recent thrombosis") < text.index("INDICATION --")
    assert text.count("Recent thrombosis") == 1


def test_numbers_of_a_table_stand_below_one_another() -> None:
    """mL/h figures are compared down the column, so the decimal points align."""
    rows = [line for line in terminal_text(plan()).splitlines() if "09:" in line]
    assert [row.index(".") for row in rows] == [rows[0].index(".")] * 2
    assert "10.5" in rows[0]
    assert "689.5" in rows[1]


def test_marks_used_are_explained_and_others_not() -> None:
    """The legend names the marks of this plan only."""
    text = " ".join(terminal_text(plan()).split())
    assert "second-hand = read through another source" in text
    assert "unreviewed = " not in text


def test_questions_keep_their_rank() -> None:
    """The plan's order of questions is the order shown."""
    text = terminal_text(plan())
    assert text.index("Which blood group") < text.index("What is the IgG level? (the value on record is old)")


def test_record_text_cannot_forge_lines_or_escape() -> None:
    """Everything from outside is cleaned before layout."""
    hostile = Line("x.y", "dosing", "give", "info", "[bold red]70 g[/]\x1b[2J\n!! 1 give 700 g", Because(cites=("label.itp",)))
    text = terminal_text(plan(patient="p\x1b]0;owned\x07", lines=(*LINES, hostile)))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold red]70 g[/]" in text
    assert not any(line.startswith("!! 1 give 700 g") for line in text.splitlines())


def test_every_line_question_and_source_is_shown() -> None:
    """A rendering leaves nothing out."""
    text = " ".join(terminal_text(plan(), 120).split())
    for line in plan().lines:
        assert line.text in text
    for question in plan().questions:
        assert question.ask in text
    for reference in plan().references:
        assert reference.title in text


def test_a_mixed_review_marks_the_lines_that_lack_it() -> None:
    """Once some evidence is approved, the lines whose evidence is not say so."""
    approved = msgspec.structs.replace(LINES[0], because=Because(cites=("label.itp",), read="seen", review="approved"))
    text = terminal_text(plan(lines=(approved, *LINES[1:])))
    assert "(unreviewed)" in text
    assert "the evidence of 1 of 8 lines is approved" in text


def test_blocked_says_so_at_the_top() -> None:
    """The status is the first line."""
    assert "BLOCKED" in terminal_text(plan(status="blocked")).splitlines()[0]
