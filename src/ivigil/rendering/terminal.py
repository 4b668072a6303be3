"""The plan for a terminal or a printer: 80 to 120 columns, urgency readable without colour, plain text when piped."""

from __future__ import annotations

import io

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ivigil.planning.line import Plan
from ivigil.rendering.sheet import Asked, Cited, Grid, Row, Sheet, sheet_of

NARROWEST = 80
WIDEST = 120

_STYLES = {"critical": "bold red", "warning": "yellow", "info": ""}
_STATUS_STYLES = {"complete": "bold green", "needs-answers": "bold yellow", "blocked": "bold red", "no-evidence": "bold red"}

# Only a dashed rule under the heads: readable in any character set and on any printer.
_HEAD_ONLY = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def terminal_text(plan: Plan, width: int = 100, colour: bool = False) -> str:
    """The plan as text of at most ``width`` columns (held between 80 and 120), with ANSI colours only when ``colour`` is set."""
    columns = max(NARROWEST, min(WIDEST, width))
    console = Console(
        file=io.StringIO(), width=columns, force_terminal=colour, color_system="standard" if colour else None, legacy_windows=False,
        markup=False, emoji=False, highlight=False,
    )
    with console.capture() as captured:
        for part in _parts(sheet_of(plan)):
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n" if not colour else captured.get()


def _parts(sheet: Sheet) -> list[RenderableType]:
    parts: list[RenderableType] = [_heading(sheet)]
    if sheet.critical:
        parts += [_title("!! Critical", "bold red"), *_rows(sheet.critical)]
    for block in sheet.blocks:
        parts += [_title(block.title), *_rows(block.rows)]
    if sheet.questions:
        parts += [_title("Please confirm (most serious first)"), _questions(sheet.questions)]
    if sheet.sources:
        parts += [_title("Sources"), _sources(sheet.sources)]
    return [*parts, _title("About this plan"), _footer(sheet)]


def _title(text: str, style: str = "bold") -> RenderableType:
    return Padding(Rule(Text(text.upper(), style), characters="-", align="left", style="dim"), (1, 0, 0, 0))


def _heading(sheet: Sheet) -> RenderableType:
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(ratio=1)
    grid.add_row(Text("IVIGIL PLAN", "bold"), Text(sheet.headline, _STATUS_STYLES[sheet.status]))
    for label, value in sheet.heading:
        grid.add_row(label, Text(value))
    return grid


def _rows(rows: tuple[Row, ...]) -> list[RenderableType]:
    """The lines of a section as aligned columns; a table breaks the columns and uses the full width."""
    parts: list[RenderableType] = []
    grid = _row_grid()
    for row in rows:
        grid.add_row(Text(row.mark, _STYLES[row.urgency]), Text(str(row.number), "dim"), Text(row.act), _sentence(row))
        for note in row.notes:
            grid.add_row("", "", "", Text(note, "dim"))
        if row.table is not None:
            last = row is rows[-1]
            parts += [grid, Padding(_table(row.table), (0, 0, 0 if last else 1, 3))]
            grid = _row_grid()
    return [*parts, grid] if grid.row_count else parts


def _row_grid() -> Table:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(width=2)
    grid.add_column(width=3, justify="right")
    grid.add_column(width=6)
    grid.add_column(ratio=1)
    return grid


def _sentence(row: Row) -> Text:
    sentence = Text(row.text, _STYLES[row.urgency])
    if row.when:
        sentence.append(f" ({row.when})")
    for badge in row.badges:
        sentence.append(f" ({badge})", "italic")
    if row.sources:
        sentence.append(f" [{', '.join(str(number) for number in row.sources)}]", "dim")
    return sentence


def _table(table: Grid) -> RenderableType:
    shown = Table(box=_HEAD_ONLY, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    if table.note:
        shown.caption, shown.caption_justify = Text(table.note), "left"
    for head, right in zip(table.heads, table.right, strict=True):
        shown.add_column(Text(head), justify="right" if right else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    return shown


def _questions(questions: tuple[Asked, ...]) -> RenderableType:
    grid = _row_grid()
    for question in questions:
        ask = Text(question.ask, _STYLES[question.urgency])
        if question.stale:
            ask.append(" (the value on record is old)")
        grid.add_row(Text(question.mark, _STYLES[question.urgency]), Text(str(question.rank), "dim"), Text("ask"), ask)
        detail = f"{question.fact}; could change: {question.could_change}" if question.could_change else question.fact
        grid.add_row("", "", "", Text(detail, "dim"))
    return grid


def _sources(sources: tuple[Cited, ...]) -> RenderableType:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(ratio=1)
    for source in sources:
        text = Text(source.text)
        for badge in source.badges:
            text.append(f" ({badge})", "italic")
        if source.where:
            text.append(f" {source.where}", "dim")
        grid.add_row(f"[{source.number}]", text)
    return grid


def _footer(sheet: Sheet) -> RenderableType:
    text = Text()
    if sheet.legend:
        text.append("Marks: " + "; ".join(f"{mark} = {meaning}" for mark, meaning in sheet.legend) + "\n")
    text.append("\n".join(sheet.footer))
    return text
