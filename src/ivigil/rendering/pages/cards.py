"""Pieces that many pages share: a table of examples, gaps, a card for one entry, the history of dated entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ivigil.evidence.examples import Example, Examples
from ivigil.evidence.shapes import Cited, Valid
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, bullets, joined, pairs, paragraph, section, table, tag
from ivigil.rendering.pages.wording import comparison, key_words, valid_text

_OUTCOMES = {
    "fires": "holds",
    "silent": "does not hold",
    "asks": "not decided, asked",
    "not-labelled": "not labelled",
    "refuses": "refused, no printed rate",
}
CASE_FOLDERS = {
    "rules": "safety",
    "groups": "safety",
    "interactions": "interactions",
    "products": "products",
    "indications": "indications",
    "laboratory": "monitoring",
    "vitals": "monitoring",
    "antibody_intervals": "vaccination",
    "vaccines": "vaccination",
    "vaccine_rules": "vaccination",
    "exposures": "vaccination",
    "weight_policies": "weight-policies",
    "premedication": "premedication",
    "hydration": "hydration",
}
"""The folder below ``cases/`` with the examples of a part."""
_OWN_KINDS = {"policy", "formula", "site-policy"}
"""Kinds that the heading of their part already says."""
_TITLES = {"id", "name", "about", "term", "question", "reaction", "drug"}
_APART = {"cites", "contains_cites", "exempt_cites", "say", "plain", "not_read", "note", "valid"}


def given_words(sheet: Sheet, example: Example) -> str:
    """What an example gives: ``Age 66 year; Pregnancy yes``."""
    labels = sheet.places.labels
    return "; ".join(comparison(f"{labels.get(key) or key_words(key)}: {value}") for key, value in example.given)


def cases(sheet: Sheet, examples: Iterable[Example], title: str = "Worked examples", anchor: str = "cases", level: int = 2) -> Markup:
    """The examples of an entry, as a small table. They are tests: the evidence does not pass when one comes out otherwise."""
    rows: list[list[Part]] = [
        [one.name, given_words(sheet, one) or "nothing known", _OUTCOMES.get(one.outcome) or comparison(one.outcome)] for one in examples
    ]
    shown = table(f"{title}; each is a test of the evidence", ("Example", "Given", "Comes out as"), rows)
    return section(title, shown, anchor=anchor, level=level)


def examples_for(examples: Examples, part: str, name: str) -> tuple[Example, ...]:
    """The examples that belong to one entry."""
    return examples.get((CASE_FOLDERS.get(part, ""), name), ())


def gaps(not_read: Iterable[str], level: int = 2) -> Markup:
    """What nobody has read yet. A gap is no answer."""
    listed = bullets(not_read)
    return (
        section("Not read", paragraph("Nobody has read these yet; silence here is no answer.", class_="quiet"), listed, level=level)
        if listed
        else NOTHING
    )


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
    said, cited = getattr(entry, "say", ""), _cites(sheet, entry)
    lead = paragraph(said, cited, class_="say") if said else NOTHING
    rows: list[tuple[str, Part]] = []
    for field in entry.__struct_fields__:
        if field in _APART or field in _TITLES:
            continue
        value = getattr(entry, field)
        said_already = (field == "kind" and value in _OWN_KINDS) or (field == "otherwise" and entry.gives == value)
        if said_already or value is None or value is False or value in ("", (), 0, {}):
            continue
        rows.append((key_words(field), nested(sheet, field, value)))
    not_read: tuple[str, ...] = entry.not_read if hasattr(entry, "not_read") else ()
    plain, valid = getattr(entry, "plain", ""), getattr(entry, "valid", None) or Valid()
    rows += [] if said else [("References", cited)]
    rows += [
        ("In plain words", plain),
        ("In force", valid_text(valid)),
        ("Note", getattr(entry, "note", "")),
        ("Not read", bullets(not_read)),
        ("Used by", sheet.used_by(part, name)),
    ]
    mine = examples_for(examples, part, name)
    shown: Part = (
        tag(
            "details",
            tag("summary", f"{len(mine)} worked {'example' if len(mine) == 1 else 'examples'}"),
            cases(sheet, mine, anchor="", level=level + 1),
        )
        if mine
        else None
    )
    head = tag(f"h{level}", title, " ", tag("span", name, class_="id"))
    return tag("article", head, sheet.local(name), lead, pairs(rows), shown, class_="card", id=sheet.places.anchor_of[part, name])


LAYOUTS: dict[str, tuple[tuple[str, str], ...]] = {
    "reaction_onsets": (("Reaction", "reaction"), ("Signs", "signs"), ("When", "onset"), ("First", "first"), ("Urgency", "urgency")),
    "reaction_frequencies": (("Outcome", "outcome"), ("Figure", "figure"), ("Per", "per"), ("In whom", "population")),
    "reaction_grades": (
        ("Word", "word"),
        ("Grade", "grade"),
        ("Says", "say"),
        ("Signs", "signs"),
        ("Low systolic pressure", "rows"),
        ("Read as", "reading"),
    ),
    "tests": (("Test", "name"), ("Fact", "fact"), ("Codes", "codes")),
    "targets": (("For", "purpose"), ("Says", "say"), ("Value", "value"), ("Where", "jurisdiction"), ("Superseded by", "superseded_by")),
    "reviews": (("Says", "say"), ("First", "at"), ("Every", "every"), ("Courses", "courses"), ("Indications", "indications")),
    "terms": (("Word", "term"), ("In plain words", "plain"), ("Also called", "also_called")),
    "prices": (
        ("Product", "product"),
        ("Country", "country"),
        ("Year", "year"),
        ("Currency", "currency"),
        ("Per gram", "per_gram"),
        ("Vials", "vials"),
        ("Note", "note"),
    ),
    "supply_figures": (("About", "about"), ("Says", "say"), ("Country", "country"), ("Year", "year")),
    "jurisdictions": (
        ("Place", "name"),
        ("Id", "id"),
        ("Includes", "includes"),
        ("Markets", "markets"),
        ("Weight policy", "weight_policy"),
        ("Rounding", "rounding"),
        ("Vaccine table", "vaccine_table"),
        ("Currency", "currency"),
        ("Note", "note"),
    ),
}
"""Parts whose entries are rows of one table, not cards: heading and key of each column."""


def rows_table(sheet: Sheet, part: str, title: str) -> Markup:
    """All entries of a part as one table, each row with its anchor, its citations and who uses it."""
    entries = getattr(sheet.evidence, part)
    rows: list[list[Part]] = []
    for name, entry in entries.items():
        cells = [
            _onset(entry) if key == "onset" else entry.id if key == "id" else sheet.words.value(key, getattr(entry, key) or None)
            for _, key in LAYOUTS[part]
        ]
        used_by = sheet.used_by(part, name) if part != "jurisdictions" else NOTHING
        first = joined((cells[0] or "all", sheet.local(name)), " ")
        rows.append([first, *cells[1:], _cites(sheet, entry), used_by])
    heads = (*(head for head, _ in LAYOUTS[part]), "References", "Used by")
    return table(title, heads, rows, [sheet.places.anchor_of[part, name] for name in entries])


def _onset(entry: Any) -> str:
    start = (
        "during the infusion" if entry.during else "" if entry.start is None else f"from {entry.start}" if entry.start.value else "from the same day"
    )
    return ", ".join(part for part in (start, f"up to {entry.to}") if part)


def nested(sheet: Sheet, field: str, value: Any) -> Markup:
    """A value of an entry; parts that cite by themselves carry their citations."""
    if isinstance(value, tuple) and any(getattr(one, "cites", ()) for one in value):
        return bullets(joined((sheet.words.value(field, one), sheet.cite(one.cites)), " ") for one in value)
    if isinstance(value, Cited):
        return joined((sheet.words.value(field, value), sheet.cite(value.cites)), " ")
    return sheet.words.value(field, value)


def _cites(sheet: Sheet, entry: Any) -> Markup:
    """The citations of an entry; of one that cites only inside its parts (a model), all of those."""
    own = (*getattr(entry, "cites", ()), *getattr(entry, "exempt_cites", ()))
    return sheet.cite(own if hasattr(entry, "cites") else tuple(dict.fromkeys(_inside(entry))))


def _inside(node: Any) -> Iterator[str]:
    if isinstance(node, msgspec.Struct):
        yield from getattr(node, "cites", ())
        for field in node.__struct_fields__:
            yield from _inside(getattr(node, field))
    elif isinstance(node, dict):
        for one in node.values():
            yield from _inside(one)
    elif isinstance(node, tuple):
        for one in node:
            yield from _inside(one)
