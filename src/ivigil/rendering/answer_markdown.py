"""An answer as Markdown, for a note or a ticket."""

from __future__ import annotations

from ivigil.answers.answer import Answer
from ivigil.rendering.answer_sheet import Row, answer_sheet
from ivigil.rendering.markdown import escaped, table_markdown


def answer_markdown(answer: Answer) -> str:
    """The answer as CommonMark with tables. Text of the question and the evidence is escaped, so it never becomes markup."""
    sheet = answer_sheet(answer)
    out = [f"# {escaped(sheet.question)}", "", f"**{escaped(sheet.headline)}**", "", *(f"{_row(row)}\n" for row in sheet.short)]
    if sheet.follow_up:
        out += [*(f"- **{escaped(ask)}**" for ask in sheet.follow_up), ""]
    if sheet.corrections:
        out += ["## Often said otherwise", "", *(f"- {_row(row)}" for row in sheet.corrections), ""]
    for block in sheet.blocks:
        out += [f"## {escaped(block.title)}", "", *(f"- {_row(row)}" for row in block.rows), ""]
        if block.table is not None:
            out += [*table_markdown(block.table), ""]
    if sheet.related:
        out += ["## Related questions", "", *(f"- {escaped(ask)}" for ask in sheet.related), ""]
    if sheet.sources:
        out += ["## Sources", "", *(f"- \\[{number}\\] {escaped(text)}" for number, text in sheet.sources), ""]
    out += ["---", "", *(f"{escaped(sentence)}  " for sentence in sheet.footer)]
    return "\n".join(out).rstrip() + "\n"


def _row(row: Row) -> str:
    marks = "".join(f" *({escaped(mark)})*" for mark in row.marks)
    sources = f" \\[{', '.join(str(number) for number in row.sources)}\\]" if row.sources else ""
    return f"{escaped(row.text)}{marks}{sources}"
