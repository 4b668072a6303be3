"""The whole site: every file by its name. A pure function, so the same evidence gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable

from ivigil.evidence.examples import Examples
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Statement
from ivigil.evidence.uses import uses
from ivigil.rendering.pages.assets import SCRIPT, STYLE
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.home import INDEXES, home_page, index_page
from ivigil.rendering.pages.index import search_index
from ivigil.rendering.pages.indication import indication_page
from ivigil.rendering.pages.places import Places, topics_of
from ivigil.rendering.pages.product import product_page
from ivigil.rendering.pages.rule import group_page, rule_page
from ivigil.rendering.pages.source import source_page
from ivigil.rendering.pages.topics import topic_page

Progress = Callable[[int, int, str], None]
"""Called with pages done, pages in all, and the page's name."""
Writer = Callable[[Sheet], str]
"""Writes one page with the sheet made for it."""


def site(evidence: Evidence, examples: Examples, program: str = "", progress: Progress | None = None) -> dict[str, str]:
    """Every file of the reference pages: its name below the folder, and its text. ``program`` is the version of ivigil to name."""
    places = Places(evidence)
    writers = writers_of(places, examples)
    files = {"style.css": STYLE, "search.js": SCRIPT, "search-index.js": search_index(places)}
    for done, (page, write) in enumerate(writers.items(), start=1):
        files[page] = write(Sheet(places, page, program))
        if progress is not None:
            progress(done, len(writers), page)
    return files


def writers_of(places: Places, examples: Examples) -> dict[str, Writer]:
    """For each page the function that writes it."""
    evidence, page_of = places.evidence, places.page_of
    own: dict[str, list[Statement]] = {}
    beside: dict[str, list[Statement]] = {}
    for statement in evidence.statements.values():
        own.setdefault(statement.source, []).append(statement)
        for other in dict.fromkeys(one for one in (statement.through, *statement.also) if one and one != statement.source):
            beside.setdefault(other, []).append(statement)
    used = uses(evidence)
    out: dict[str, Writer] = {"index.html": home_page}
    for index in INDEXES:
        out[f"{index}/index.html"] = lambda sheet, index=index: index_page(sheet, index)  # type: ignore[misc]
    for topic in topics_of(evidence):
        out[f"{topic}.html"] = lambda sheet, topic=topic: topic_page(sheet, topic, examples)  # type: ignore[misc]
    for name, indication in evidence.indications.items():
        out[page_of["indications", name]] = lambda sheet, one=indication: indication_page(sheet, one, examples)  # type: ignore[misc]
    for name, product in evidence.products.items():
        out[page_of["products", name]] = lambda sheet, one=product: product_page(sheet, one, examples)  # type: ignore[misc]
    for part in ("rules", "interactions"):
        for name, rule in getattr(evidence, part).items():
            out[page_of[part, name]] = lambda sheet, part=part, one=rule: rule_page(sheet, part, one, examples)  # type: ignore[misc]
    for name, group in evidence.groups.items():
        out[page_of["groups", name]] = lambda sheet, one=group: group_page(sheet, one, examples)  # type: ignore[misc]
    for name, source in evidence.sources.items():
        out[page_of["sources", name]] = lambda sheet, one=source: source_page(sheet, one, own.get(one.id, []), beside.get(one.id, []), used)  # type: ignore[misc]
    return out
