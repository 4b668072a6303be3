"""Withholds lines whose evidence is less far in review than a site asks for; what protects the patient always stays."""

from __future__ import annotations

from collections import Counter

from ivigil.evidence.library import Evidence
from ivigil.evidence.review import WEAKEST_FIRST
from ivigil.evidence.shapes import ReviewStatus
from ivigil.planning.draft import Draft
from ivigil.planning.line import Line
from ivigil.planning.reasons import reasons

_POLICY = "ivigil-policy.least-review"
_GIVING = {"give", "choose"}
_AMOUNTS = {"dosing", "product", "vials"}
"""Acts and sections whose lines say what to give: unreviewed, they are withheld even where they carry a warning."""


def withhold(draft: Draft, evidence: Evidence, least: ReviewStatus) -> tuple[tuple[Line, ...], int]:
    """The lines that may be shown, and how many were withheld.

    Withheld are lines that rest on a statement weaker than ``least`` and lines worked out from withheld ones. Critical lines, everything
    to avoid and warnings that give no amount stay: a warning is not made wrong by waiting for its review. A line says what is missing.
    """
    weak = WEAKEST_FIRST[:WEAKEST_FIRST.index(least)]
    if not weak:
        return draft.lines, 0
    gone: dict[str, Line] = {}
    kept: list[Line] = []
    for line in draft.lines:
        because = line.because
        stays = line.urgency == "critical" or line.act == "avoid" or (line.urgency == "warning" and not _says_what_to_give(line))
        if not stays and (because.review in weak or any(earlier in gone for earlier in because.follows)):
            gone[line.id] = line
        else:
            kept.append(line)
    if not gone:
        return draft.lines, 0
    counts = Counter(line.section for line in gone.values())
    listed = ", ".join(f"{section} {count}" for section, count in counts.items())
    text = f"{len(gone)} lines are withheld, because their evidence is not yet {least.replace('-', ' ')}: {listed}. This plan is not whole."
    told = Line("review.withheld", "indication", "check", "warning", text, reasons(evidence, draft.facts, cites=(_POLICY,)))
    return (told, *kept), len(gone)


def _says_what_to_give(line: Line) -> bool:
    """Whether a line gives an amount, a rate or a product; where to give it, or to whom to talk, is none of these."""
    return line.act in _GIVING and (line.section in _AMOUNTS or line.value is not None or line.table is not None)
