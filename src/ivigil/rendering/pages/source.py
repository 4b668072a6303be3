"""The page of one source: what it is, and every statement taken from it with its place, how it was read, and what rests on it."""

from __future__ import annotations

import re

from ivigil.evidence.shapes import Source, Statement
from ivigil.evidence.uses import Use
from ivigil.rendering.pages.citations import marks, verdict_table
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import Markup, Part, bullets, joined, pairs, paragraph, section, tag
from ivigil.rendering.pages.places import KINDS
from ivigil.rendering.pages.wording import place_name

_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


def source_page(sheet: Sheet, entry: Source, statements: list[Statement], beside: list[Statement], uses: dict[str, tuple[Use, ...]]) -> str:
    """``statements`` are this source's own, ``beside`` those that were read through it or that it also says."""
    sheet.stated = tuple(one.id for one in statements)
    head = pairs(
        (
            ("Id", tag("span", entry.id, class_="id")),
            ("Kind", entry.kind.replace("-", " ")),
            ("Publisher", entry.publisher),
            ("Year", entry.year),
            ("Found at", _address(entry.where)),
            ("Where it holds", place_name(sheet.evidence, entry.jurisdiction)),
            ("Note", entry.note),
        )
    )
    own = [_statement(sheet, one, uses.get(one.id, ())) for one in statements]
    others = bullets(
        joined(
            (
                sheet.words.to("statements", one.id, one.says),
                tag("span", f" {'read through this source' if one.through == entry.id else 'also said here'}", class_="quiet"),
            )
        )
        for one in beside
    )
    return sheet.html(
        "Source",
        sheet.places.title("sources", entry.id),
        sheet.local(entry.id),
        head,
        section("Statements", *own, anchor="statements") or paragraph("No statement of its own stands under this source."),
        section("Statements of other sources", others, anchor="beside"),
        section("Review verdicts", verdict_table(sheet.words, statements), anchor="verdicts"),
    )


def _address(where: str) -> Part:
    """A web address as a link; any other place as it is written."""
    return tag("a", where, href=where, rel="noreferrer noopener") if _ADDRESS.fullmatch(where) else where


def _statement(sheet: Sheet, one: Statement, uses: tuple[Use, ...]) -> Markup:
    values = "; ".join(f"{key.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}" for key, value in one.values.items())
    named: dict[tuple[str, str], Markup] = {}
    for use in uses:
        named[use.part, use.id] = joined((f"{KINDS[use.part]} ", sheet.words.to(use.part, use.id)))
    rows: tuple[tuple[str, Part], ...] = (
        ("Place", one.where),
        ("Values", values),
        ("In plain words", one.plain),
        ("Read in", sheet.words.to("sources", one.through) if one.through else None),
        ("Also in", joined((sheet.words.to("sources", other) for other in one.also), ", ")),
        ("Where it holds", place_name(sheet.evidence, one.jurisdiction)),
        ("Disputed", sheet.cite.disputes(one)),
        ("Note", one.note),
        ("Used by", joined(named.values(), "; ") or "nothing yet"),
    )
    head = tag("h3", tag("span", one.id, class_="id"))
    return tag(
        "article",
        head,
        sheet.local(one.id),
        paragraph(one.says, marks(one)),
        pairs(rows),
        class_="card",
        id=sheet.places.anchor_of["statements", one.id],
    )
