"""Merges everything undecided into one list of questions, ranked by what each answer could change."""

from __future__ import annotations

from typing import Literal

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
    for name, facts, severity in draft.undecided:
        for fact in facts:
            changes.setdefault(fact, []).append((severity if severity in _ORDER else "info", name))
    ranked = []
    for fact, touched in changes.items():
        counts = tuple(-sum(severity == level for severity, _ in touched) for level in _ORDER)
        definition = evidence.facts.get(fact)
        optional = definition is not None and not definition.routine
        worst = min((severity for severity, _ in touched), key=_ORDER.index)
        urgency: Urgency = "info" if optional else URGENCY[worst]
        names = tuple(dict.fromkeys(name for _, name in sorted(touched, key=lambda item: _ORDER.index(item[0]))))
        ranked.append(((optional, counts), Question(fact, _ask(fact, evidence), names, len(names), urgency)))
    ranked.sort(key=lambda item: (item[0], item[1].fact))
    stale = tuple(Question(fact.id, f"{_ask(fact.id, evidence)} (last known {fact.value}, {fact.origin.on})", (), 0, "info", stale=True)
                  for fact in draft.facts.values() if fact.stale and fact.id not in changes)
    return tuple(question for _, question in ranked) + stale


def _ask(fact: str, evidence: Evidence) -> str:
    if fact.startswith("override:"):
        rule = fact.partition(":")[2]
        about = evidence.every_rule[rule].about if rule in evidence.every_rule else rule
        return f"Advised against ({about}): who decides to go ahead, and why? Record it under overrides."
    definition = evidence.facts.get(fact)
    if definition is not None:
        return definition.ask or f"{definition.label}?"
    criterion = evidence.criteria.get(fact)
    return f"Does this hold: {criterion.say}" if criterion is not None else fact
