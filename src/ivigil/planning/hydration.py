"""Fluid before and around the infusion, and when none must be given."""

from __future__ import annotations

from ivigil.evidence.library import Evidence
from ivigil.planning.draft import Context, Draft
from ivigil.planning.preparation import prepared


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Nothing is offered when the plan is blocked."""
    return draft if draft.blocked or draft.no_evidence else prepared(draft, evidence, context, "hydration", evidence.hydration)
