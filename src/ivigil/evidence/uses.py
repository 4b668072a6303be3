"""What rests on a statement: the entries that cite it, the most dangerous first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from ivigil.evidence.files import KINDS
from ivigil.evidence.library import Evidence

Risk = Literal["contraindicated", "avoid", "dose", "rate", "vaccine", "caution", "other"]
RISKS: tuple[Risk, ...] = ("contraindicated", "avoid", "dose", "rate", "vaccine", "caution", "other")
"""What a wrong statement would do, worst first: the order in which statements wait for review."""

PARTS = tuple(dict.fromkeys([*(part for _, part, _ in KINDS), "groups"]))
_BY_PART: dict[str, Risk] = {
    **dict.fromkeys(("dose_limits", "weight_policies", "rounding", "plausibility"), "dose"),
    **dict.fromkeys(("products", "ramps", "infusion_policies"), "rate"),
    **dict.fromkeys(("antibody_intervals", "vaccine_rules", "vaccines", "exposures"), "vaccine"),
    **dict.fromkeys(("groups", "premedication", "hydration", "laboratory", "thresholds", "next_doses", "reaction_drugs", "reaction_steps"), "caution"),
}


class Use(msgspec.Struct, frozen=True):
    """One place where a statement is used: the part of the evidence, the entry, the key inside it, and what hangs on it."""

    part: str
    id: str
    key: str
    risk: Risk


def uses(evidence: Evidence) -> dict[str, tuple[Use, ...]]:
    """Every use of every statement, worst risk first, then in file order; a statement without uses has an empty tuple."""
    found: dict[str, dict[Use, None]] = {name: {} for name in evidence.statements}
    for part in PARTS:
        if part in {"statements", "sources", "facts"}:
            continue
        for name, entry in getattr(evidence, part).items():
            for key, cite, risk in _cited(entry, "", _risk_of(part, entry)):
                if cite in found:
                    found[cite][Use(part, name, key, risk)] = None
    for part, entries in (("topics", evidence.topics), ("emergencies", evidence.emergencies), ("openers", evidence.openers)):
        for name, entry in entries.items():
            for cite in (*entry.show, *entry.tell):
                if cite in found:
                    found[cite][Use(part, name, "show", "other")] = None
    for statement in evidence.statements.values():
        for other in statement.disputed_by:
            if other in found:
                found[other][Use("statements", statement.id, "disputed_by", "other")] = None
    return {name: tuple(sorted(where, key=lambda use: RISKS.index(use.risk))) for name, where in found.items()}


def _risk_of(part: str, entry: Any) -> Risk:
    severity = getattr(entry, "severity", "")
    if severity == "contraindicated" or severity == "avoid":
        return "contraindicated" if severity == "contraindicated" else "avoid"
    return "caution" if severity in {"caution", "info"} else _BY_PART.get(part, "other")


_DOSING_KEYS = {"regimens"}
_RATE_KEYS = {"rates", "subcutaneous", "switch", "ramp_up"}


def _cited(node: Any, key: str, risk: Risk) -> Iterator[tuple[str, str, Risk]]:
    """Key, statement and risk of every citation below a node."""
    if isinstance(node, msgspec.Struct):
        for field in node.__struct_fields__:
            value = getattr(node, field)
            if field in {"cites", "contains_cites", "exempt_cites"} and isinstance(value, tuple):
                for cite in value:
                    yield key, cite, risk
            else:
                below: Risk = "dose" if field in _DOSING_KEYS else "other" if field not in _RATE_KEYS and key == "" and risk == "rate" else risk
                yield from _cited(value, key or field, below)
    elif isinstance(node, tuple | list):
        for item in node:
            yield from _cited(item, key, risk)
    elif isinstance(node, dict):
        for item in node.values():
            yield from _cited(item, key, risk)


def worst(where: tuple[Use, ...]) -> Risk:
    """What a wrong statement would do at worst."""
    return where[0].risk if where else "other"
