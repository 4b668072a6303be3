"""What waits for review, in the order in which it should be looked at."""

from __future__ import annotations

import msgspec

from ivigil.evidence.library import Evidence
from ivigil.evidence.review import ReviewState, state_of
from ivigil.evidence.uses import RISKS, Risk, Use, uses, worst


class Waiting(msgspec.Struct, frozen=True):
    """A statement that waits: what a mistake in it would do at worst, where it stands, and what uses it."""

    id: str
    risk: Risk
    state: ReviewState
    uses: tuple[Use, ...]


def waiting(evidence: Evidence) -> list[Waiting]:
    """The statements without a final verdict: worst risk first, then overdue ones, then those that feed most."""
    used = uses(evidence)
    found = [Waiting(name, worst(used[name]), state, used[name]) for name, entry in evidence.statements.items()
             if (state := state_of(entry)).status in {"submitted", "under-review"}]
    return sorted(found, key=lambda one: (RISKS.index(one.risk), one.state.due or _NEVER, -len(one.uses), one.id))


_NEVER = "9999"
"""Sorts behind every day by which a verdict is asked for."""
