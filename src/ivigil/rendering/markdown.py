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
    out = ["# ivigil plan", "", f"**{safe(sheet.headline)}**", "", "| | |", "|---|---|"]
    out += [f"| {safe(label)} | {safe(value)} |" for label, value in sheet.heading]
    if sheet.glance:
        out += ["", "## At a glance", "", "| | |", "|---|---|", *(f"| {safe(label)} | {safe(value)} |" for label, value in sheet.glance)]
    if sheet.critical:
        out += ["", "## !! Critical", "", *_rows(sheet.critical)]
    for block in sheet.blocks:
        out += ["", f"## {safe(block.title)}", "", *_rows(block.rows)]
    out += _questions(sheet) + _sources(sheet)
    out += ["", "## About this plan", ""]
    out += [f"- {safe(mark)}: {safe(meaning)}" for mark, meaning in sheet.legend]
    out += [f"- {safe(sentence)}" for sentence in sheet.footer]
    return "\n".join(out) + "\n"


def safe(text: str) -> str:
    """The text with every mark of CommonMark escaped."""
    return _LINE_START.sub(r"\\\1", _SPECIAL.sub(r"\\\1", text))


def _rows(rows: tuple[Row, ...]) -> list[str]:
    out: list[str] = []
    for row in rows:
        mark = f"**{safe(row.mark)}** " if row.mark else ""
        dated = f" ({row.when})" if row.when else ""
        badges = "".join(f" *({safe(badge)})*" for badge in row.badges)
        sources = f" \\[{', '.join(str(number) for number in row.sources)}\\]" if row.sources else ""
        out.append(f"- {mark}{row.number}\\. **{safe(row.act)}** {safe(row.text)}{dated}{badges}{sources}")
        out += [f"  - {safe(note)}" for note in row.notes]
        if row.table is not None:
            out += ["", *(f"  {line}".rstrip() for line in _table(row.table)), ""]
    return out


def _table(table: Grid) -> list[str]:
    lines = [f"| {' | '.join(safe(head) for head in table.heads)} |", f"|{'|'.join('---:' if right else '---' for right in table.right)}|"]
    lines += [f"| {' | '.join(safe(cell) for cell in row)} |" for row in table.rows]
    return [*lines, "", safe(table.note)] if table.note else lines


def _questions(sheet: Sheet) -> list[str]:
    if not sheet.questions:
        return []
    out = ["", "## Please confirm (most serious first)", ""]
    for question in sheet.questions:
        mark = f"**{safe(question.mark)}** " if question.mark else ""
        stale = " (the value on record is old)" if question.stale else ""
        change = f" Could change: {safe(question.could_change)}." if question.could_change else ""
        out.append(f"{question.rank}. {mark}{safe(question.ask)}{stale} `{question.fact.replace('`', '')}`{change}")
    return out


def _sources(sheet: Sheet) -> list[str]:
    if not sheet.sources:
        return []
    out = ["", "## Sources", ""]
    for source in sheet.sources:
        badges = "".join(f" *({safe(badge)})*" for badge in source.badges)
        where = f" {safe(source.where)}" if source.where else ""
        out.append(f"- \\[{source.number}\\] {safe(source.text)}{badges}{where}")
    return out
