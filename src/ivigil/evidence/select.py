"""Which entries are in force: by date, by jurisdiction nearest first, and who disagrees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar

from ivigil.evidence.shapes import Valid


class _Dated(Protocol):
    @property
    def valid(self) -> Valid: ...


class _Placed(_Dated, Protocol):
    @property
    def jurisdiction(self) -> str: ...


P = TypeVar("P", bound=_Placed)


def in_force(valid: Valid, as_of: date) -> bool:
    """True when ``as_of`` lies inside the validity, ends included."""
    if not valid.start and not valid.end:
        return True
    day = as_of.isoformat()
    return (not valid.start or valid.start <= day) and (not valid.end or day <= valid.end)


def nearest(entries: Iterable[P], places: tuple[str, ...], as_of: date) -> list[P]:
    """The entries in force, those of the nearest jurisdiction first; ``international`` ones last; file order within each.

    ``places`` is the jurisdiction and the wider ones it includes, as :meth:`Evidence.places` gives them.
    """
    order = {place: rank for rank, place in enumerate((*places, "international", ""))}
    found = [entry for entry in entries if in_force(entry.valid, as_of) and entry.jurisdiction in order]
    return sorted(found, key=lambda entry: order[entry.jurisdiction])


def elsewhere(entries: Iterable[P], places: tuple[str, ...], as_of: date) -> list[P]:
    """The entries in force in other jurisdictions: what other authorities say."""
    known = {*places, "international", ""}
    return [entry for entry in entries if in_force(entry.valid, as_of) and entry.jurisdiction not in known]
