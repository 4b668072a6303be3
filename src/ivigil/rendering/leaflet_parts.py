"""The pieces of a leaflet, before it is text, a page or paper."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True):
    """A heading with sentences, rows of a small table, or both. ``lines`` are the plan lines it repeats; ``picture`` is an SVG element made by ivigil."""

    id: str
    title: str
    sentences: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[str, ...] = ()
    picture: str = ""
