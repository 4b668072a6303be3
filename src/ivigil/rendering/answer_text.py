"""An answer for a terminal: short answer, corrections, sections, sources; plain text when piped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.color import ColorSystem
from rich.style import Style

from ivigil.answers.answer import Answer
from ivigil.rendering.answer_sheet import Row, answer_sheet
from ivigil.rendering.sheet import Grid
from ivigil.rendering.terminal import NARROWEST, WIDEST, table_lines

_STYLES = {"emergency": "bold red", "refused": "bold yellow", "asks": "bold yellow"}


def answer_text(answer: Answer, width: int = 100, colour: bool = False) -> str:
    """The answer as text of at most ``width`` columns (held between 80 and 120), with ANSI colours only when ``colour`` is set."""
    layout = _Layout(max(NARROWEST, min(WIDEST, width)), colour)
    return "\n".join(layout.lines(answer)) + "\n"


class _Layout:
    def __init__(self, width: int, colour: bool) -> None:
        self.width = width
        self.colour = colour

    def lines(self, answer: Answer) -> Iterator[str]:
        sheet = answer_sheet(answer)
        yield from self.wrapped(sheet.question, "ASKED  ", "       ", "bold")
        yield self.painted(sheet.headline, _STYLES.get(sheet.outcome, "bold green"))
        yield ""
        for row in sheet.short:
            yield from self.row(row)
        if sheet.follow_up:
            yield ""
            for ask in sheet.follow_up:
                yield from self.wrapped(ask, "  ? ", "    ", "yellow")
        if sheet.corrections:
            yield from self.title("Often said otherwise")
            for row in sheet.corrections:
                yield from self.row(row, "- ")
        for block in sheet.blocks:
            yield from self.title(block.title)
            for row in block.rows:
                yield from self.row(row, "- ")
            if block.table is not None:
                yield from self.table(block.table)
        if sheet.related:
            yield from self.title("Related questions")
            for ask in sheet.related:
                yield from self.wrapped(ask, "- ", "  ")
        if sheet.sources:
            yield from self.title("Sources")
            widest = max(len(str(number)) for number, _ in sheet.sources)
            for number, text in sheet.sources:
                yield from self.wrapped(text, f"[{number}]".rjust(widest + 2) + " ", " " * (widest + 3))
        yield ""
        for sentence in sheet.footer:
            yield from self.wrapped(sentence, style="dim")

    def row(self, row: Row, first: str = "") -> Iterator[str]:
        parts = [row.text, *(f"({mark})" for mark in row.marks)]
        if row.sources:
            parts.append(f"[{', '.join(str(number) for number in row.sources)}]")
        yield from self.wrapped(" ".join(parts), first, " " * len(first))

    def table(self, table: Grid) -> Iterator[str]:
        yield from table_lines(table, self.width, self.colour)
        if table.note:
            yield from self.wrapped(table.note, "   ", "   ")

    def title(self, text: str) -> Iterator[str]:
        yield ""
        yield self.painted(text.upper(), "bold")

    def wrapped(self, text: str, first: str = "", rest: str = "", style: str = "") -> Iterator[str]:
        for line in textwrap.wrap(text, self.width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [first.rstrip()]:
            yield self.painted(line, style)

    def painted(self, text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if self.colour and style else text
