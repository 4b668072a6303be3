"""An answer as HTML: a fragment for a page that has a frame already, or a whole page that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape

from ivigil.answers.answer import Answer
from ivigil.rendering.answer_sheet import AnswerSheet, Block, Row, answer_sheet
from ivigil.rendering.sheet import Grid

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 0 auto; padding: 1rem; color: #1a1a1a; background: #fff; }
.answer h2 { font-size: 1.3rem; margin: 0 0 .5rem; } .answer h3 { font-size: 1.05rem; border-bottom: 2px solid #444; margin: 1.4rem 0 .4rem; }
.answer .outcome { font-weight: 700; border: 2px solid; padding: .2rem .6rem; display: inline-block; color: #1d5c2e; }
.answer .outcome.emergency { color: #9b1c1c; } .answer .outcome.refused, .answer .outcome.asks { color: #7a4a00; }
.answer .short p { font-size: 1.1rem; margin: .4rem 0; } .answer .corrections { background: #fff6e0; padding: .1rem .8rem; border-left: 4px solid #7a4a00; }
.answer .mark { border: 1px solid #777; border-radius: .2rem; font-size: .8rem; padding: 0 .25rem; white-space: nowrap; }
.answer .scroll { overflow-x: auto; } .answer table { border-collapse: collapse; margin: .4rem 0; }
.answer th, .answer td { border: 1px solid #999; padding: .15rem .5rem; text-align: left; vertical-align: top; }
.answer .right { text-align: right; }
.answer footer { margin-top: 1.5rem; font-size: .9rem; color: #333; border-top: 2px solid #444; }
.answer .sources li { font-size: .9rem; margin: .2rem 0; overflow-wrap: anywhere; }
@media print { body { font-size: 10.5pt; max-width: none; } li, tr { break-inside: avoid; } }
"""
"""How an answer looks; a page that embeds the fragment may bring its own."""


def answer_html(answer: Answer, prefix: str = "") -> str:
    """The answer as one ``<article>``, without a page round it. ``prefix`` keeps the anchors of several answers on one page apart.

    Every text of the question and the evidence is escaped, so it never becomes markup.
    """
    sheet = answer_sheet(answer)
    parts = [
        f'<article class="answer {sheet.outcome}">',
        f"<h2>{escape(sheet.question)}</h2>",
        f'<p class="outcome {sheet.outcome}">{escape(sheet.headline)}</p>',
        f'<div class="short">{"".join(f"<p>{_row(row, prefix)}</p>" for row in sheet.short)}</div>',
    ]
    if sheet.follow_up:
        parts.append(f'<ul class="follow-up">{"".join(f"<li>{escape(ask)}</li>" for ask in sheet.follow_up)}</ul>')
    if sheet.corrections:
        parts.append(f'<section class="corrections"><h3>Often said otherwise</h3>{_list(sheet.corrections, prefix)}</section>')
    parts += [_block(block, prefix) for block in sheet.blocks]
    if sheet.related:
        parts.append(f'<section class="related"><h3>Related questions</h3><ul>{"".join(f"<li>{escape(ask)}</li>" for ask in sheet.related)}</ul></section>')
    if sheet.sources:
        parts.append(_sources(sheet, prefix))
    parts.append(f"<footer>{''.join(f'<p>{escape(sentence)}</p>' for sentence in sheet.footer)}</footer>")
    return "\n".join([*parts, "</article>"])


def answer_page(answer: Answer) -> str:
    """The answer as a whole, self-contained page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>ivigil: {escape(answer_sheet(answer).question[:80])}</title>\n<style>{STYLE}</style>\n"
        f"</head>\n<body>\n<main>\n<h1>ivigil</h1>\n{answer_html(answer)}\n</main>\n</body>\n</html>\n"
    )


def _row(row: Row, prefix: str) -> str:
    marks = "".join(f' <span class="mark">{escape(mark)}</span>' for mark in row.marks)
    links = ", ".join(f'<a href="#{escape(prefix)}source-{number}">{number}</a>' for number in row.sources)
    return f"{escape(row.text)}{marks}{f' [{links}]' if links else ''}"


def _list(rows: tuple[Row, ...], prefix: str) -> str:
    return f"<ul>{''.join(f'<li>{_row(row, prefix)}</li>' for row in rows)}</ul>" if rows else ""


def _block(block: Block, prefix: str) -> str:
    table = _table(block.table, block.title) if block.table is not None else ""
    return f'<section id="{escape(prefix)}{escape(block.id)}">\n<h3>{escape(block.title)}</h3>\n{_list(block.rows, prefix)}{table}\n</section>'


def _table(table: Grid, title: str) -> str:
    def cells(tag: str, texts: tuple[str, ...]) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        opening = {True: f'<{tag}{scope} class="right">', False: f"<{tag}{scope}>"}
        return "".join(f"{opening[right]}{escape(text)}</{tag}>" for text, right in zip(texts, table.right, strict=True))

    body = "".join(f"<tr>{cells('td', row)}</tr>\n" for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return (
        f'<div class="scroll" role="region" aria-label="{escape(title)}" tabindex="0"><table>\n<thead><tr>{cells("th", table.heads)}</tr></thead>\n'
        f"<tbody>\n{body}</tbody>\n</table></div>{note}"
    )


def _sources(sheet: AnswerSheet, prefix: str) -> str:
    items = "".join(f'<li id="{escape(prefix)}source-{number}" value="{number}">{escape(text)}</li>\n' for number, text in sheet.sources)
    return f'<section class="sources"><h3>Sources</h3><ol>\n{items}</ol></section>'
