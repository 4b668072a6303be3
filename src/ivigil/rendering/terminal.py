"""The plan for a terminal or a printer: 80 to 120 columns, urgency readable without colour, plain text when piped."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from functools import lru_cache

from rich import box
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from ivigil.planning.line import Plan
from ivigil.rendering.sheet import Asked, Cited, Grid, Row, Sheet, sheet_of

NARROWEST = 80
WIDEST = 120

_STYLES = {"critical": "bold red", "warning": "yellow", "info": ""}
_STATUS_STYLES = {"complete": "bold green", "needs-answers": "bold yellow", "blocked": "bold red", "no-evidence": "bold red"}
_INDENT = " " * 14
"""Where the sentences begin: after mark, number and act."""
_TABLE_INDENT = "   "
_LONGEST_WORD = 12
"""A table column is never so narrow that a number or a word up to this length breaks."""

# Only a dashed rule under the heads: readable in any character set and on any printer.
_HEAD_ONLY = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def terminal_text(plan: Plan, width: int = 100, colour: bool = False) -> str:
    """The plan as text of at most ``width`` columns (held between 80 and 120), with ANSI colours only when ``colour`` is set."""
    return _Layout(max(NARROWEST, min(WIDEST, width)), colour).text(sheet_of(plan))


class _Layout:
    """Sentences with hanging indents, and tables laid out by rich."""

    def __init__(self, width: int, colour: bool) -> None:
        self.width = width
        self.colour = colour

    def text(self, sheet: Sheet) -> str:
        out = [*self.heading(sheet)]
        if sheet.glance:
            out += [*self.title("At a glance"), *self.glance(sheet)]
        if sheet.critical:
            out += [*self.title("!! Critical", "bold red"), *self.rows(sheet.critical)]
        for block in sheet.blocks:
            out += [*self.title(block.title), *self.rows(block.rows)]
        if sheet.questions:
            out += self.title("Please confirm (most serious first)")
            for question in sheet.questions:
                out += self.question(question)
        if sheet.sources:
            out += self.title("Sources")
            widest = max(len(str(source.number)) for source in sheet.sources)
            for source in sheet.sources:
                out += self.source(source, widest)
        return "\n".join([*out, *self.title("About this plan"), *self.footer(sheet)]) + "\n"

    def painted(self, text: str, style: str) -> str:
        return Style.parse(style).render(text, color_system=ColorSystem.STANDARD) if self.colour and style else text

    def wrapped(self, text: str, first: str = "", rest: str = "", style: str = "") -> Iterator[str]:
        for line in textwrap.wrap(text, self.width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [first.rstrip()]:
            yield self.painted(line, style)

    def title(self, text: str, style: str = "bold") -> list[str]:
        name = text.upper()
        return ["", f"{self.painted(name, style)} {self.painted('-' * (self.width - len(name) - 1), 'dim')}"]

    def heading(self, sheet: Sheet) -> Iterator[str]:
        indent = max(len(label) for label, _ in sheet.heading) + 2
        yield f"{self.painted('IVIGIL PLAN'.ljust(indent), 'bold')}{self.painted(sheet.headline, _STATUS_STYLES[sheet.status])}"
        for label, value in sheet.heading:
            yield from self.wrapped(value, label.ljust(indent), " " * indent)

    def glance(self, sheet: Sheet) -> Iterator[str]:
        for label, value in sheet.glance:
            yield from self.wrapped(value, label.ljust(len(_INDENT)), _INDENT)

    def rows(self, rows: tuple[Row, ...]) -> Iterator[str]:
        for row in rows:
            yield from self.wrapped(_sentence(row), _margin(row.mark, row.number, row.act), _INDENT, _STYLES[row.urgency])
            for note in row.notes:
                yield from self.wrapped(note, _INDENT, _INDENT, "dim")
            if row.table is not None:
                yield from self.table(row.table)
                if row is not rows[-1]:
                    yield ""

    def table(self, table: Grid) -> Iterator[str]:
        yield from table_lines(table, self.width, self.colour)
        if table.note:
            yield from self.wrapped(table.note, _TABLE_INDENT, _TABLE_INDENT)

    def question(self, question: Asked) -> Iterator[str]:
        ask = f"{question.ask} (the value on record is old)" if question.stale else question.ask
        yield from self.wrapped(ask, _margin(question.mark, question.rank, "ask"), _INDENT, _STYLES[question.urgency])
        detail = f"{question.fact}; could change: {question.could_change}" if question.could_change else question.fact
        yield from self.wrapped(detail, _INDENT, _INDENT, "dim")

    def source(self, source: Cited, widest: int) -> Iterator[str]:
        parts = [source.text, *(f"({badge})" for badge in source.badges), source.where]
        yield from self.wrapped(" ".join(part for part in parts if part), f"[{source.number}]".rjust(widest + 2) + " ", " " * (widest + 3))

    def footer(self, sheet: Sheet) -> Iterator[str]:
        if sheet.legend:
            yield from self.wrapped("Marks: " + "; ".join(f"{mark} = {meaning}" for mark, meaning in sheet.legend))
        for sentence in sheet.footer:
            yield from self.wrapped(sentence)


def table_lines(table: Grid, width: int, colour: bool) -> Iterator[str]:
    """A table laid out below a sentence, without its note."""
    shown = Table(box=_HEAD_ONLY, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for place, (head, right) in enumerate(zip(table.heads, table.right, strict=True)):
        words = [word for row in table.rows for word in row[place].split()]
        unbroken = min(_LONGEST_WORD, max(map(len, words), default=1))
        shown.add_column(Text(head), justify="right" if right else "left", overflow="fold", min_width=unbroken)
    for cells in table.rows:
        shown.add_row(*(Text(cell) for cell in cells))
    console = _console(width - len(_TABLE_INDENT), colour)
    with console.capture() as captured:
        console.print(shown)
    for line in captured.get().splitlines():
        yield (_TABLE_INDENT + line).rstrip()


@lru_cache(maxsize=8)
def _console(width: int, colour: bool) -> Console:
    """What rich lays out for; it keeps nothing of what it has captured."""
    return Console(file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None, legacy_windows=False,
                   highlight=False, markup=False, emoji=False)


def _margin(mark: str, number: int, act: str) -> str:
    return f"{mark:<2} {number:>3} {act:<6} ".ljust(len(_INDENT))


def _sentence(row: Row) -> str:
    parts = [row.text, f"({row.when})" if row.when else "", *(f"({badge})" for badge in row.badges)]
    if row.sources:
        parts.append(f"[{', '.join(str(number) for number in row.sources)}]")
    return " ".join(part for part in parts if part)
