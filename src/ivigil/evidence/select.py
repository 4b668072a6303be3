"""Which entries are in force: by date, by jurisdiction nearest first, and who disagrees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar

from ivigil.basis.facts import Stage
from ivigil.evidence.kept import kept, kept_with
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import DoseLimit, Indication, Regimen, SafetyRule, Valid


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


@kept
def rules_in_force(evidence: Evidence, stage: Stage, jurisdiction: str, as_of: date) -> tuple[SafetyRule, ...]:
    """The safety rules and interactions that can be judged at ``stage`` and are in force, in file order."""
    return tuple(rule for rule in evidence.rules_at(stage, jurisdiction) if in_force(rule.valid, as_of))


@kept
def limits_in_force(evidence: Evidence, jurisdiction: str, indication: str, as_of: date) -> tuple[DoseLimit, ...]:
    """The dose limits of a place that speak of an indication and are in force, in file order."""
    places = {*evidence.places(jurisdiction), "international", ""}
    return tuple(limit for limit in evidence.dose_limits.values()
                 if limit.jurisdiction in places and indication not in limit.excepted and (not limit.indications or indication in limit.indications)
                 and in_force(limit.valid, as_of))


@kept_with
def regimens_here(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[Regimen, ...]:
    """The regimens in force for an indication, nearest first."""
    return tuple(nearest(indication.regimens, evidence.places(jurisdiction), as_of))


@kept_with
def regimens_elsewhere(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[Regimen, ...]:
    """The regimens for an indication that are in force in other jurisdictions."""
    return tuple(elsewhere(indication.regimens, evidence.places(jurisdiction), as_of))


def elsewhere(entries: Iterable[P], places: tuple[str, ...], as_of: date) -> list[P]:
    """The entries in force in other jurisdictions: what other authorities say."""
    known = {*places, "international", ""}
    return [entry for entry in entries if in_force(entry.valid, as_of) and entry.jurisdiction not in known]
