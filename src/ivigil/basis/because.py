"""Why a line says what it says: the tree of reasons down to the record field and the place in the source.

Reasons, facts and lines are immutable trees of texts, numbers and dates. They cannot hold themselves, and so are kept from the garbage
collector (``gc=False``), which would walk the thousands that a plan makes.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from ivigil.basis.quantity import Quantity

Urgency = Literal["info", "warning", "critical"]
"""The words of CDS Hooks for how much a line matters."""


class UsedFact(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename={"origin": "from"}):
    """A fact a line rests on: its value as text, where it came from and when it was recorded."""

    value: str
    origin: str
    on: date | None = None
    how: str = ""
    stale: bool = False


class Alternative(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Something else that was considered, and why it lost. ``disputes`` are statements of other authorities in force."""

    what: str
    why: str
    cites: tuple[str, ...] = ()
    value: Quantity | None = None


class Because(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The reasons of one plan line.

    A line rests on statements (``cites``) or on a ``calculation`` from earlier cited lines (``follows``). Neither is an error.
    ``local`` names the entries of a hospital's overlay that the line rests on, each with what the overlay did and why.

    Raises:
        ValueError: at construction, when the line would stand on nothing.
    """

    rule: str = ""
    cites: tuple[str, ...] = ()
    facts: dict[str, UsedFact] = {}
    calculation: str = ""
    follows: tuple[str, ...] = ()
    instead_of: tuple[Alternative, ...] = ()
    disputed_by: tuple[Alternative, ...] = ()
    reading: str = ""
    review: str = ""
    read: str = ""
    local: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.cites and not (self.calculation and self.follows):
            raise ValueError("a line needs a cited statement, or a calculation that follows from cited lines")
