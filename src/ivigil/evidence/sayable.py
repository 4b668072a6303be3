"""Entries that say a sentence of their own, looked up by id whatever part they stand in: what answers are made of."""

from __future__ import annotations

from typing import Any

from ivigil.evidence.library import Evidence

SAYABLE = (
    "statements",
    "claims",
    "lessons",
    "advice",
    "rules",
    "interactions",
    "mechanisms",
    "terms",
    "laboratory",
    "vitals",
    "thresholds",
    "targets",
    "premedication",
    "hydration",
    "reaction_steps",
    "reaction_onsets",
    "reaction_frequencies",
    "interference",
    "vaccine_rules",
    "exposures",
    "supply_schemes",
    "supply_levers",
    "supply_figures",
    "next_doses",
    "reporting",
    "dose_limits",
)
"""The parts in which a sentence is looked for, in this order."""


def sayable(evidence: Evidence, name: str) -> tuple[str, Any] | None:
    """The part and the entry that carries this id, or None."""
    for part in SAYABLE:
        entry = getattr(evidence, part).get(name)
        if entry is not None:
            return part, entry
    return None
