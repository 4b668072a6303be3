"""Merges everything undecided into one list of questions, ranked by what each answer could change."""

from __future__ import annotations

from typing import Literal

import msgspec

from ivigil.basis.because import Urgency
from ivigil.evidence.library import Evidence
from ivigil.planning.draft import Draft
from ivigil.planning.line import Question
from ivigil.planning.safety import URGENCY

_Rank = Literal["contraindicated", "avoid", "caution", "info", "none"]
_ORDER: tuple[_Rank, ...] = ("contraindicated", "avoid", "caution", "info", "none")


def questions_of(draft: Draft, evidence: Evidence) -> tuple[Question, ...]:
    """One question per unknown fact, those that could change the most serious rules first, then those that could change more of them.

    A fact the register does not call routine (an ejection fraction, a triglyceride level) is asked after all routine ones and does not
    hold the plan up.
    """
    changes: dict[str, list[tuple[_Rank, str]]] = {}
    confirming = {doubt.about: doubt.confirm for doubt in draft.doubts if doubt.confirm}
    for name, facts, severity in draft.undecided:
        for fact in facts:
            changes.setdefault(confirming.get(fact, fact), []).append((severity if severity in _ORDER else "info", name))
    ranked: list[tuple[tuple[bool, tuple[int, ...]], Question]] = []
    for fact, touched in changes.items():
        counts = tuple(-sum(severity == level for severity, _ in touched) for level in _ORDER)
        definition = evidence.facts.get(fact)
        optional = definition is not None and not definition.routine
        worst = min((severity for severity, _ in touched), key=_ORDER.index)
        urgency: Urgency = "info" if optional else URGENCY[worst]
        names = tuple(dict.fromkeys(name for _, name in sorted(touched, key=lambda item: _ORDER.index(item[0]))))
        ranked.append(((optional, counts), Question(fact, _ask(fact, draft, evidence), names, len(names), urgency)))
    ranked.sort(key=lambda item: (item[0], item[1].fact))
    ranked = _asked_once(ranked)
    stale = tuple(Question(fact.id, f"{_ask(fact.id, draft, evidence)} (last known {fact.value}, {fact.origin.on})", (), 0, "info", stale=True)
                  for fact in draft.facts.values() if fact.stale and fact.id not in changes)
    return tuple(question for _, question in ranked) + stale


def _asked_once(ranked: list[tuple[tuple[bool, tuple[int, ...]], Question]]) -> list[tuple[tuple[bool, tuple[int, ...]], Question]]:
    """Facts that one answer settles (body mass index and obesity) are asked once, under the first of them."""
    first: dict[str, tuple[tuple[bool, tuple[int, ...]], Question]] = {}
    for rank, question in ranked:
        if question.ask not in first:
            first[question.ask] = (rank, question)
        else:
            kept_rank, kept = first[question.ask]
            names = tuple(dict.fromkeys((*kept.could_change, *question.could_change)))
            first[question.ask] = (kept_rank, msgspec.structs.replace(kept, could_change=names, weight=len(names)))
    return list(first.values())


def _ask(fact: str, draft: Draft, evidence: Evidence) -> str:
    doubt = next((one for one in draft.doubts if (one.confirm or one.about) == fact), None)
    if doubt is not None:
        settled = f" If it is right as written, answer '{doubt.confirm}: yes'." if doubt.confirm else ""
        return f"{doubt.ask[:1].upper()}{doubt.ask[1:]}{settled}"
    if fact == "order.product":
        return "The ordered product is refused: which one does the prescriber order in its place?"
    if fact.startswith("override:"):
        rule = fact.partition(":")[2]
        about = evidence.every_rule[rule].about if rule in evidence.every_rule else rule
        return f"Advised against ({about}): who decides to go ahead, and why? Record it under overrides."
    definition = evidence.facts.get(fact)
    if definition is not None:
        return definition.ask or f"{definition.label}?"
    criterion = evidence.criteria.get(fact)
    return f"Does this hold: {criterion.say}" if criterion is not None else fact
