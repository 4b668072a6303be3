"""The plan as Markdown, for a note, a ticket or a wiki page."""

from __future__ import annotations

import re

from ivigil.planning.line import Plan
from ivigil.rendering.sheet import Grid, Row, Sheet, sheet_of

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LINE_START = re.compile(r"^([-+]|\d+[.)])(?=\s)")


def plan_markdown(plan: Plan) -> str:
    """The plan as CommonMark with tables. Text of the record and the evidence is escaped, so it never becomes markup."""
    sheet = sheet_of(plan)
    out = ["# ivigil plan", "", f"**{escaped(sheet.headline)}**", "", "| | |", "|---|---|"]
    out += [f"| {escaped(label)} | {escaped(value)} |" for label, value in sheet.heading]
    if sheet.glance:
        out += ["", "## At a glance", "", "| | |", "|---|---|", *(f"| {escaped(label)} | {escaped(value)} |" for label, value in sheet.glance)]
    if sheet.critical:
        out += ["", "## !! Critical", "", *_rows(sheet.critical)]
    for block in sheet.blocks:
        out += ["", f"## {escaped(block.title)}", "", *_rows(block.rows)]
    out += _questions(sheet) + _sources(sheet)
    out += ["", "## About this plan", ""]
    out += [f"- {escaped(mark)}: {escaped(meaning)}" for mark, meaning in sheet.legend]
    out += [f"- {escaped(sentence)}" for sentence in sheet.footer]
    return "\n".join(out) + "\n"


def escaped(text: str) -> str:
    """Text that CommonMark shows as it is."""
    return _LINE_START.sub(r"\\\1", _SPECIAL.sub(r"\\\1", text))


def _rows(rows: tuple[Row, ...]) -> list[str]:
    out: list[str] = []
    for row in rows:
        mark = f"**{escaped(row.mark)}** " if row.mark else ""
        dated = f" ({row.when})" if row.when else ""
        badges = "".join(f" *({escaped(badge)})*" for badge in row.badges)
        sources = f" \\[{', '.join(str(number) for number in row.sources)}\\]" if row.sources else ""
        out.append(f"- {mark}{row.number}\\. **{escaped(row.act)}** {escaped(row.text)}{dated}{badges}{sources}")
        out += [f"  - {escaped(note)}" for note in row.notes]
        if row.table is not None:
            out += ["", *(f"  {line}".rstrip() for line in table_markdown(row.table)), ""]
    return out


def table_markdown(table: Grid) -> list[str]:
    """A table in Markdown, with its note below."""
    lines = [f"| {' | '.join(escaped(head) for head in table.heads)} |", f"|{'|'.join('---:' if right else '---' for right in table.right)}|"]
    lines += [f"| {' | '.join(escaped(cell) for cell in row)} |" for row in table.rows]
    return [*lines, "", escaped(table.note)] if table.note else lines


def _questions(sheet: Sheet) -> list[str]:
    if not sheet.questions:
        return []
    out = ["", "## Please confirm (most serious first)", ""]
    for question in sheet.questions:
        mark = f"**{escaped(question.mark)}** " if question.mark else ""
        stale = " (the value on record is old)" if question.stale else ""
        change = f" Could change: {escaped(question.could_change)}." if question.could_change else ""
        out.append(f"{question.rank}. {mark}{escaped(question.ask)}{stale} `{question.fact.replace('`', '')}`{change}")
    return out


def _sources(sheet: Sheet) -> list[str]:
    if not sheet.sources:
        return []
    out = ["", "## Sources", ""]
    for source in sheet.sources:
        badges = "".join(f" *({escaped(badge)})*" for badge in source.badges)
        where = f" {escaped(source.where)}" if source.where else ""
        out.append(f"- \\[{source.number}\\] {escaped(source.text)}{badges}{where}")
    return out
