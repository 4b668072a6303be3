"""A report about the evidence: headings, sentences, tables and lists, laid out for a terminal or as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

import msgspec

from ivigil.rendering.markdown import escaped
from ivigil.rendering.plain_text import clean

_GAP = "  "
_NARROWEST_LAST = 24


class Section(msgspec.Struct, frozen=True):
    """A heading with sentences, then a table or a list. ``level`` 2 opens a chapter, 3 a part of it."""

    title: str
    text: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    items: tuple[str, ...] = ()
    level: int = 2


class Report(msgspec.Struct, frozen=True):
    """A title, sentences under it, and sections."""

    title: str
    text: tuple[str, ...]
    sections: tuple[Section, ...]


def report_markdown(report: Report, mark: str = "") -> str:
    """The report as CommonMark; ``mark`` is a line of markup below the title. Text of the evidence is escaped, so it never becomes markup."""
    out = [f"# {escaped(report.title)}", "", *([mark, ""] if mark else []), *_paragraphs(report.text)]
    for section in report.sections:
        out += [f"{'#' * section.level} {escaped(section.title)}", "", *_paragraphs(section.text)]
        if section.rows:
            out += [f"| {' | '.join(map(escaped, section.heads))} |", f"|{'---|' * len(section.heads)}"]
            out += [f"| {' | '.join(escaped(clean(cell)) for cell in row)} |" for row in section.rows] + [""]
        if section.items:
            out += [*(f"- {escaped(clean(item))}" for item in section.items), ""]
    return "\n".join(out).rstrip() + "\n"


def _paragraphs(text: Iterable[str]) -> Iterator[str]:
    for sentence in text:
        yield escaped(clean(sentence))
        yield ""


def report_terminal(report: Report, width: int) -> str:
    """The report as plain text of about ``width`` columns; only a table whose first columns are wider goes beyond."""
    out = [*textwrap.wrap(clean(report.title), width), *_wrapped(report.text, width)]
    for section in report.sections:
        out += ["", section.title.upper() if section.level == 2 else section.title, *_wrapped(section.text, width)]
        if section.rows:
            out += _table(section.heads, section.rows, width)
        for item in section.items:
            out += textwrap.wrap(clean(item), width, initial_indent="- ", subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(out) + "\n"


def _wrapped(text: Iterable[str], width: int) -> Iterator[str]:
    for sentence in text:
        yield from textwrap.wrap(clean(sentence), width, break_on_hyphens=False)


def _table(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...], width: int) -> Iterator[str]:
    """Columns as wide as their widest cell; the last one takes what is left and is wrapped."""
    cells = [tuple(map(clean, row)) for row in rows]
    widths = [max(len(row[place]) for row in (heads, *cells)) for place in range(len(heads))]
    before = sum(widths[:-1]) + len(_GAP) * len(widths)
    last = max(_NARROWEST_LAST, width - before)
    for row in (heads, (*("-" * size for size in widths[:-1]), "-" * min(widths[-1], last)), *cells):
        lines = textwrap.wrap(row[-1], last, break_on_hyphens=False) or [""]
        lead = "".join(f"{_GAP}{cell.ljust(size)}" for cell, size in zip(row[:-1], widths[:-1], strict=True))
        yield f"{lead}{_GAP}{lines[0]}".rstrip()
        yield from (f"{' ' * len(lead)}{_GAP}{line}" for line in lines[1:])
