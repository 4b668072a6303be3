"""The shapes of a disagreement: what it is about, and where each side stands."""

from __future__ import annotations

from typing import Literal

import msgspec

from ivigil.evidence.library import Evidence

DisagreementKind = Literal["standing", "dose", "time", "weight", "target", "vaccine", "dispute"]
KINDS: tuple[DisagreementKind, ...] = ("standing", "dose", "time", "weight", "target", "vaccine", "dispute")
"""What authorities disagree about, in the order in which it is shown."""
Degree = Literal["opposed", "conditional", "different", "overlapping", "form", "recorded"]
DEGREES: dict[Degree, str] = {
    "opposed": "one supports it, another is against it",
    "conditional": "one is against it, another gives it on conditions",
    "different": "they differ",
    "overlapping": "the ranges overlap",
    "form": "the same amount, written in another way",
    "recorded": "the statements say otherwise",
}
"""How far apart the sides are, furthest first."""


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one side stands: who, where, what it says, on which statements. ``entry`` is the regimen, policy, target or interval, if one holds it.

    ``read`` is the best way in which its statements were read, ``review`` their weakest state of review.
    """

    authority: str
    jurisdiction: str
    says: str
    cites: tuple[str, ...]
    entry: str = ""
    edition: str = ""
    read: str = ""
    review: str = ""


class Disagreement(msgspec.Struct, frozen=True, omit_defaults=True):
    """Two or more positions that do not agree. ``topics`` are the indications it concerns, or ``weight``, ``target``, ``vaccine``, a product, a rule."""

    id: str
    kind: DisagreementKind
    degree: Degree
    topics: tuple[str, ...]
    about: str
    positions: tuple[Position, ...]


def position(evidence: Evidence, says: str, cites: tuple[str, ...], *, jurisdiction: str = "", authority: str = "", entry: str = "",
             edition: str = "") -> Position:
    """A position with the publisher and place of its first statement from outside where no other is given, and how its statements were read."""
    known = [evidence.statements[cite] for cite in cites if cite in evidence.statements]
    statement = next((one for one in known if one.read != "decided"), known[0] if known else None)
    source = evidence.sources.get(statement.source) if statement is not None else None
    support = evidence.support_of(cites)
    place = jurisdiction or (statement.jurisdiction if statement is not None else "") or (source.jurisdiction if source is not None else "")
    named = authority or ((source.publisher or source.title) if source is not None else "")
    return Position(named, place, says, cites, entry, edition, support.read, support.review)
