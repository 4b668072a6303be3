"""The leaflet in a terminal or a text file: one column, no colour, alarm signs first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from ivigil.rendering.leaflet import Leaflet
from ivigil.rendering.leaflet_parts import Part


def leaflet_text(leaflet: Leaflet, width: int = 80, link: str = "") -> str:
    """The leaflet as plain text, at most ``width`` columns wide; ``link`` is the address of the same page."""
    return "\n".join(_lines(leaflet, max(40, min(width, 90)), link)) + "\n"


def _lines(leaflet: Leaflet, width: int, link: str) -> Iterator[str]:
    yield leaflet.title.upper()
    yield f"For {leaflet.patient}. {leaflet.prepared}."
    for sentence in leaflet.draft:
        yield from _wrapped(f"!! {sentence}", width)
    for action, signs in leaflet.alarm:
        yield from _headed(action.upper(), width)
        for sign in signs:
            yield from _wrapped(f"- {sign}", width, "  ")
    for part in leaflet.parts:
        yield from _headed(part.title.upper(), width)
        yield from _part(part, width)
    yield from _headed("", width)
    if link:
        yield f"This page: {link}"
    for sentence in leaflet.foot:
        yield from _wrapped(sentence, width)


def _part(part: Part, width: int) -> Iterator[str]:
    if part.sentences:
        yield from _wrapped(" ".join(part.sentences), width)
    if part.sentences and part.rows:
        yield ""
    for row in part.rows:
        head, *rest = row
        if rest:
            yield from _wrapped(f"{head}: {'; '.join(rest)}", width, "  ")
        else:
            yield from _wrapped(f"- {head}", width, "  ")


def _headed(title: str, width: int) -> Iterator[str]:
    yield ""
    yield f"{title} {'-' * max(0, width - len(title) - 1)}" if title else "-" * width


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
