"""How a source is named to a reader: what its document does not tell is left out, and a missing place is said."""

from __future__ import annotations

from ivigil.evidence.shapes import NOT_RECORDED, recorded
from ivigil.rendering.plain_text import clean


def known(*parts: str) -> str:
    """Title, publisher and year in one line, without those that are not recorded."""
    return ", ".join(clean(part) for part in parts if recorded(part))


def locator(where: str) -> str:
    """The locator of a source, or that none is recorded."""
    return "locator not recorded" if where == NOT_RECORDED else clean(where)
