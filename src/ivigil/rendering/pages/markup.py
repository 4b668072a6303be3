"""HTML built from parts. Text is always escaped; only what these functions made counts as markup, so no entry can bring its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from ivigil.rendering.plain_text import clean


class Markup(str):
    """Finished markup. Made by the functions of this module only; every other text is escaped when it is put into an element."""

    __slots__ = ()


_UNITS = (
    (re.compile(r"(?<=\d) ug(?=\b)"), " microgram"),
    (re.compile(r"\bmm\[Hg\]"), "mmHg"),
    (re.compile(r"\[IU\]"), "IU"),
    (re.compile(r"(?<=\d) Cel\b"), " °C"),
    (re.compile(r"\b10\*([0-9])(?=/)"), r"10^\1"),
)
"""Unit codes as a ward writes them; ``ug`` is spelt out because it is misread by hand."""

Part = str | None
"""A text, which is escaped, finished :class:`Markup`, or nothing."""
NOTHING = Markup("")


def text(part: Part) -> Markup:
    """A part as markup: a text without control or direction characters and escaped, markup as it is."""
    if part is None:
        return NOTHING
    return part if isinstance(part, Markup) else Markup(escape(spoken(clean(part))))


def spoken(said: str) -> str:
    """The same words with the units as a clinician writes them."""
    for pattern, unit in _UNITS:
        said = pattern.sub(unit, said)
    return said


def joined(parts: Iterable[Part], between: str = "") -> Markup:
    """The parts that are not empty, one after the other."""
    return Markup(escape(between).join(shown for part in parts if (shown := text(part))))


def tag(element: str, *parts: Part, **attributes: str) -> Markup:
    """``<element attribute="...">parts</element>``. ``class_`` and ``for_`` stand for the reserved words, ``_`` for a hyphen; empty ones are left out."""
    written = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(clean(value))}"' for name, value in attributes.items() if value)
    return Markup(f"<{element}{written}>{joined(parts)}</{element}>")


def link(target: str, *parts: Part) -> Markup:
    """A link to a page or anchor of the site. ``target`` comes from :class:`ivigil.rendering.pages.places.Places`."""
    return tag("a", *parts, href=target) if target else joined(parts)


def badge(words: str, kind: str = "") -> Markup:
    """A short mark; its meaning is in its words, never in its colour alone."""
    return tag("span", words, class_=f"badge {kind}".strip())


def paragraph(*parts: Part, class_: str = "") -> Markup:
    """A paragraph, or nothing when there is nothing to say."""
    inside = joined(parts, " ")
    return Markup(tag("p", inside, class_=class_) + "\n") if inside else NOTHING


def bullets(items: Iterable[Part], class_: str = "") -> Markup:
    """An unordered list, or nothing."""
    rows = [tag("li", item) for item in items if item]
    return Markup(tag("ul", Markup("\n".join(rows)), class_=class_) + "\n") if rows else NOTHING


def pairs(rows: Iterable[tuple[str, Part]]) -> Markup:
    """Terms with what they say; terms without anything to say are left out."""
    shown = [Markup(f"<div>{tag('dt', name)}{tag('dd', value)}</div>") for name, value in rows if value]
    return Markup(tag("dl", Markup("\n".join(shown))) + "\n") if shown else NOTHING


_SENTENCES = {"Says", "Criterion"}
"""Heads of first columns that hold whole sentences, which are not set bold."""


def table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Part]], ids: Sequence[str] = (), numeric: Sequence[int] = ()) -> Markup:
    """A table in a box of its own that scrolls sideways. Columns in which no row says anything are left out; no rows give nothing.

    The first column heads its row. ``ids`` are the anchors of the rows, ``numeric`` the columns set right.
    """
    if not rows:
        return NOTHING
    cells = [[text(cell) for cell in row] for row in rows]
    kept = [place for place in range(len(heads)) if place == 0 or any(row[place] for row in cells)]
    head = "".join(tag("th", heads[place], scope="col", class_="right" if place in numeric else "") for place in kept)
    body = []
    for number, row in enumerate(cells):
        anchor = ids[number] if number < len(ids) else ""
        first = tag("th", row[0], scope="row")
        rest = "".join(tag("td", row[place], class_="right" if place in numeric else "") for place in kept[1:])
        body.append(tag("tr", Markup(first + rest), id=anchor))
    inside = Markup(f"{tag('caption', caption)}<thead><tr>{head}</tr></thead>\n<tbody>\n{chr(10).join(body)}\n</tbody>")
    # A box that scrolls must be reachable with the keyboard and named for a screen reader.
    return Markup(
        tag(
            "div",
            tag("table", inside, class_="plain" if heads[0] in _SENTENCES else ""),
            class_="scroll",
            role="region",
            aria_label=caption,
            tabindex="0",
        )
        + "\n"
    )


def section(title: str, *parts: Part, anchor: str = "", level: int = 2) -> Markup:
    """A section with its heading, or nothing when its body is empty."""
    inside = joined(parts)
    return Markup(f"{tag('section', tag(f'h{level}', title), Markup(chr(10)), inside, id=anchor)}\n") if inside else NOTHING
