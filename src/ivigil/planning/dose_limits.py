"""Dose limits and caps in force: how much is plausible, what needs confirmation, and the most in grams for one course."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ivigil.basis.quantity import Quantity
from ivigil.evidence import select
from ivigil.evidence.conditions import judge, truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import DoseLimit, Regimen, WeightPolicy
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.reasons import reasons
from ivigil.planning.weight import above


class Cap(msgspec.Struct, frozen=True):
    """A most in grams for one course, and who sets it: in words, and as the entry of the evidence."""

    grams: float
    of: str
    cites: tuple[str, ...]
    by: Regimen | WeightPolicy | DoseLimit


def limits_in_force(draft: Draft, evidence: Evidence, context: Context) -> Iterator[DoseLimit]:
    """The dose limits that hold for this indication, place, date and patient; one whose condition is unknown does not hold."""
    return (limit for limit in _limits_here(draft, evidence, context) if _holds(limit, draft))


def _holds(limit: DoseLimit, draft: Draft) -> bool:
    return limit.when is None or truth_of(limit.when, draft.facts) is True


def undecided_limits(draft: Draft, evidence: Evidence, context: Context) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """The limits that would hold if a fact were known, with those facts and a severity, as the draft collects them."""
    for limit in _limits_here(draft, evidence, context):
        verdict = judge(limit.when, draft.facts) if limit.when is not None else None
        if verdict is not None and verdict.truth is None:
            yield limit.id, verdict.undecided, "caution"


def _limits_here(draft: Draft, evidence: Evidence, context: Context) -> tuple[DoseLimit, ...]:
    return select.limits_in_force(evidence, context.jurisdiction, draft.indication.id if draft.indication is not None else "", context.as_of)


def caps(draft: Draft, evidence: Evidence, context: Context, policy: WeightPolicy | None = None) -> list[Cap]:
    """Every cap in grams on the course, the lowest first: of the regimen, of the weight policy, of the dose limits.

    ``policy`` is the weight policy to count; without it the one that the dose was worked out on.
    """
    if policy is None and draft.dose is not None:
        policy = evidence.weight_policies.get(draft.dose.policy)
    found = (*regimen_caps(draft, evidence), *policy_caps(policy), *limit_caps(draft, evidence, context))
    return sorted(found, key=lambda cap: cap.grams)


def regimen_caps(draft: Draft, evidence: Evidence) -> tuple[Cap, ...]:
    """The cap of the regimen, where it prints one."""
    regimen = draft.regimen
    if regimen is None or regimen.cap is None or regimen.cap.dimension != "mass":
        return ()
    return (Cap(regimen.cap.in_unit("g"), evidence.authority(regimen), regimen.cites, regimen),)


def policy_caps(policy: WeightPolicy | None) -> tuple[Cap, ...]:
    """The cap of a weight policy, where it has one."""
    return (Cap(policy.dose_cap.in_unit("g"), policy.name, policy.cites, policy),) if policy is not None and policy.dose_cap is not None else ()


def limit_caps(draft: Draft, evidence: Evidence, context: Context) -> tuple[Cap, ...]:
    """The caps of the dose limits in force."""
    return tuple(Cap(limit.at_most.in_unit("g"), limit.about, limit.cites, limit) for limit in _limits_here(draft, evidence, context)
                 if limit.then == "cap" and limit.measure == "grams_per_course" and limit.at_most is not None and _holds(limit, draft))


def exceeds(limit: DoseLimit, value: float) -> bool:
    """True when a course of ``value`` g/kg is above a limit on the course."""
    return limit.measure == "course" and limit.at_most is not None and above(value, limit.at_most.in_unit("g/kg"))


def limit_line(draft: Draft, evidence: Evidence, limit: DoseLimit, value: Quantity, follows: str) -> Line:
    """The line of a limit that is exceeded: a confirmation is a warning, advice is information."""
    return Line(f"dose.limit.{limit.id}", "dosing", "check", "warning" if limit.then == "confirm" else "info", limit.say,
                reasons(evidence, draft.facts, rule=limit.id, cites=limit.cites, calculation=f"planned {value}, limit {limit.at_most}", follows=(follows,)),
                value=value)
