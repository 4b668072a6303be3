"""Pieces that many pages share: a table of examples, gaps, a card for one entry, the history of dated entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ivigil.evidence.examples import Example, Examples
from ivigil.evidence.shapes import Valid
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, bullets, joined, pairs, paragraph, section, table, tag
from ivigil.rendering.pages.wording import key_words, valid_text

_OUTCOMES = {
    "fires": "holds", "silent": "does not hold", "asks": "not decided, asked", "not-labelled": "not labelled", "refuses": "refused, no printed rate",
}
CASE_FOLDERS = {
    "rules": "safety", "groups": "safety", "interactions": "interactions", "products": "products", "indications": "indications", "laboratory": "monitoring",
    "vitals": "monitoring", "antibody_intervals": "vaccination", "vaccines": "vaccination", "vaccine_rules": "vaccination", "exposures": "vaccination",
    "weight_policies": "weight-policies", "premedication": "premedication", "hydration": "hydration",
}
"""The folder below ``cases/`` with the examples of a part."""
_TITLES = {"id", "name", "about", "term", "question", "reaction", "drug"}
_APART = {"cites", "contains_cites", "exempt_cites", "say", "plain", "not_read", "note", "valid"}


def given_words(sheet: Sheet, example: Example) -> str:
    """What an example gives: ``Age 66 year; Pregnancy yes``."""
    labels = sheet.places.labels
    return "; ".join(f"{labels.get(key) or key_words(key)} {value}" for key, value in example.given)


def cases(sheet: Sheet, examples: Iterable[Example], title: str = "Worked examples", anchor: str = "cases", level: int = 2) -> Markup:
    """The examples of an entry, as a small table. They are tests: the evidence does not pass when one comes out otherwise."""
    rows: list[list[Part]] = [[one.name, given_words(sheet, one) or "nothing known", _OUTCOMES.get(one.outcome, one.outcome)] for one in examples]
    shown = table(f"{title}; each is a test of the evidence", ("Example", "Given", "Comes out as"), rows)
    return section(title, shown, anchor=anchor, level=level)


def examples_for(examples: Examples, part: str, name: str) -> tuple[Example, ...]:
    """The examples that belong to one entry."""
    return examples.get((CASE_FOLDERS.get(part, ""), name), ())


def gaps(not_read: Iterable[str], level: int = 2) -> Markup:
    """What nobody has read yet. A gap is no answer."""
    listed = bullets(not_read)
    return section("Not read", paragraph("Nobody has read these yet; silence here is no answer.", class_="quiet"), listed, level=level) if listed else NOTHING


def used(sheet: Sheet, part: str, name: str) -> Markup:
    """Who names this entry."""
    return section("Used by", sheet.used_by(part, name), anchor="used-by")


def editions(rows: Iterable[tuple[str, str, Valid]]) -> Markup:
    """When what was or is in force: name, edition, validity; only rows that say something."""
    shown: list[list[Part]] = [[name, edition, valid_text(valid)] for name, edition, valid in rows if edition or valid_text(valid)]
    return section("Editions", table("Editions and when they are in force", ("Entry", "Edition", "In force"), shown), anchor="editions")


def card(sheet: Sheet, part: str, name: str, title: str, examples: Examples, level: int = 3) -> Markup:
    """One entry under its anchor: heading, sentence, everything else as pairs, citations, examples, who uses it."""
    entry = getattr(sheet.evidence, part)[name]
    lead = paragraph(getattr(entry, "say", ""), _cites(sheet, entry), class_="say")
    rows: list[tuple[str, Part]] = []
    for field in entry.__struct_fields__:
        if field in _APART or field in _TITLES:
            continue
        value = getattr(entry, field)
        if value is None or value is False or value in ("", (), 0, {}):
            continue
        rows.append((key_words(field), nested(sheet, field, value)))
    plain, valid = getattr(entry, "plain", ""), getattr(entry, "valid", Valid())
    rows += [("In plain words", plain), ("In force", valid_text(valid)), ("Note", getattr(entry, "note", "")),
             ("Not read", bullets(getattr(entry, "not_read", ()))), ("Used by", sheet.used_by(part, name))]
    mine = examples_for(examples, part, name)
    shown: Part = tag("details", tag("summary", f"{len(mine)} worked {'example' if len(mine) == 1 else 'examples'}"),
                      cases(sheet, mine, anchor="", level=level + 1)) if mine else None
    head = tag(f"h{level}", title, " ", tag("span", name, class_="id"))
    return tag("article", head, sheet.local(name), lead, pairs(rows), shown, class_="card", id=sheet.places.anchor_of[part, name])


def nested(sheet: Sheet, field: str, value: Any) -> Markup:
    """A value of an entry; parts that cite by themselves carry their citations."""
    if isinstance(value, tuple) and any(getattr(one, "cites", ()) for one in value):
        return bullets(joined((sheet.words.value(field, one), sheet.cite(one.cites)), " ") for one in value)
    if isinstance(value, msgspec.Struct) and getattr(value, "cites", ()):
        return joined((sheet.words.value(field, value), sheet.cite(value.cites)), " ")  # type: ignore[attr-defined]
    return sheet.words.value(field, value)


def _cites(sheet: Sheet, entry: Any) -> Markup:
    return sheet.cite((*getattr(entry, "cites", ()), *getattr(entry, "exempt_cites", ())))
