"""The plan as one HTML page: nothing loaded from elsewhere, readable on a phone, in print, and by a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ivigil.planning.line import Plan
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sheet import Asked, Grid, Row, Sheet, sheet_of

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; border-bottom: 2px solid #444; margin: 1.4rem 0 .4rem; }
.status { font-weight: 700; border: 2px solid; padding: .3rem .6rem; display: inline-block; }
.status.blocked, .status.no-evidence { color: #9b1c1c; } .status.needs-answers { color: #7a4a00; } .status.complete { color: #1d5c2e; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { color: #555; } dd { margin: 0; }
ol.lines { list-style: none; padding: 0; margin: 0; }
ol.lines > li { padding: .35rem 0 .35rem 7.6rem; position: relative; border-bottom: 1px solid #ddd; }
.number { position: absolute; left: 0; color: #555; }
.mark { position: absolute; left: 1.9rem; font-weight: 700; } .act { position: absolute; left: 3.1rem; color: #333; }
.critical > .text { font-weight: 700; } li.critical { background: #fdeaea; } li.warning { background: #fff6e0; }
.note, .where { color: #444; font-size: .9rem; margin: .1rem 0; } .badge { border: 1px solid #777; border-radius: .2rem; font-size: .8rem; padding: 0 .25rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; margin: .4rem 0; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #999; padding: .15rem .5rem; text-align: left; vertical-align: top; } .right { text-align: right; }
footer { margin-top: 1.5rem; font-size: .9rem; color: #333; border-top: 2px solid #444; }
@media screen and (max-width: 40rem) {
  ol.lines > li { padding-left: 0; } .number, .mark, .act { position: static; } .act { font-weight: 600; } th, td { padding: .1rem .3rem; font-size: .9rem; }
}
@media print {
  body { font-size: 10.5pt; max-width: none; padding: 0; } a { color: inherit; }
  li, tr { break-inside: avoid; } h2 { break-after: avoid; } article + article { break-before: page; }
}
"""


def plans_html(plans: Sequence[Plan]) -> str:
    """A whole, self-contained page: one or several plans, each on its own sheet when printed.

    Every text of the record and the evidence is escaped, so it never becomes markup.
    """
    title = escape(", ".join(clean(plan.patient) for plan in plans[:3])) + (" ..." if len(plans) > 3 else "")
    articles = "\n".join(_article(sheet_of(plan), f"p{place}-" if len(plans) > 1 else "") for place, plan in enumerate(plans, start=1))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>ivigil plan: {title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{articles}\n</main>\n</body>\n</html>\n"
    )


def _article(sheet: Sheet, prefix: str) -> str:
    """One plan; ``prefix`` keeps the anchors of several plans on one page apart."""
    parts = [
        "<article>\n<h1>ivigil plan</h1>",
        f'<p class="status {sheet.status}">{escape(sheet.headline)}</p>',
        f"<dl>{''.join(f'<dt>{escape(label)}</dt><dd>{escape(value)}</dd>' for label, value in sheet.heading)}</dl>",
    ]
    if sheet.glance:
        rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in sheet.glance)
        parts.append(_section("At a glance", f'<dl class="glance">{rows}</dl>'))
    if sheet.critical:
        parts.append(_section("!! Critical", _rows(sheet.critical, prefix)))
    parts += [_section(block.title, _rows(block.rows, prefix)) for block in sheet.blocks]
    if sheet.questions:
        parts.append(_section("Please confirm (most serious first)", f"<ol>\n{''.join(map(_question, sheet.questions))}</ol>"))
    if sheet.sources:
        parts.append(_section("Sources", _sources(sheet, prefix)))
    return "\n".join([*parts, f"<footer>\n{_footer(sheet)}</footer>\n</article>"])


def _section(title: str, body: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>"


def _rows(rows: tuple[Row, ...], prefix: str) -> str:
    return '<ol class="lines">\n' + "".join(_row(row, prefix) for row in rows) + "</ol>"


def _row(row: Row, prefix: str) -> str:
    mark = f'<span class="mark" title="{row.urgency}">{row.mark}</span> ' if row.mark else ""
    dated = f" ({row.when})" if row.when else ""
    links = ", ".join(f'<a href="#{prefix}source-{number}">{number}</a>' for number in row.sources)
    sources = f" [{links}]" if links else ""
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in row.notes)
    table = _table(row.table) if row.table is not None else ""
    return (
        f'<li id="{prefix}{escape(row.id)}" class="{row.urgency}"><span class="number">{row.number}</span> {mark}<span class="act">{escape(row.act)}</span> '
        f'<span class="text">{escape(row.text)}</span>{dated}{_badges(row.badges)}{sources}{notes}{table}</li>\n'
    )


def _badges(badges: tuple[str, ...]) -> str:
    return "".join(f' <span class="badge">{escape(badge)}</span>' for badge in badges)


def _table(table: Grid) -> str:
    def cells(tag: str, texts: tuple[str, ...]) -> str:
        opening = {True: f'<{tag} class="right">', False: f"<{tag}>"}
        return "".join(f"{opening[right]}{escape(text)}</{tag}>" for text, right in zip(texts, table.right, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>\n" for row in table.rows)
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return f'<div class="scroll"><table>\n<thead><tr>{cells("th", table.heads)}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>{note}'


def _question(question: Asked) -> str:
    mark = f"<strong>{question.mark}</strong> " if question.mark else ""
    stale = " (the value on record is old)" if question.stale else ""
    change = f'<p class="note">Could change: {escape(question.could_change)}</p>' if question.could_change else ""
    return f"<li>{mark}{escape(question.ask)}{stale} <code>{escape(question.fact)}</code>{change}</li>\n"


def _sources(sheet: Sheet, prefix: str) -> str:
    items = []
    for source in sheet.sources:
        where = f' <span class="where">{escape(source.where)}</span>' if source.where else ""
        items.append(f'<li id="{prefix}source-{source.number}" value="{source.number}">{escape(source.text)}{_badges(source.badges)}{where}</li>\n')
    return f"<ol>\n{''.join(items)}</ol>"


def _footer(sheet: Sheet) -> str:
    legend = "".join(f"<dt>{escape(mark)}</dt><dd>{escape(meaning)}</dd>" for mark, meaning in sheet.legend)
    return (f"<dl>{legend}</dl>\n" if legend else "") + "".join(f"<p>{escape(sentence)}</p>\n" for sentence in sheet.footer)
