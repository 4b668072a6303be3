"""Merges everything undecided into one list of questions, ranked by what each answer could change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from ivigil.basis.because import Urgency
from ivigil.evidence.library import Evidence
from ivigil.patient.firewall import Doubt
from ivigil.planning.draft import Draft
from ivigil.planning.line import Question
from ivigil.planning.safety import URGENCY

_Rank = Literal["contraindicated", "avoid", "caution", "info", "none"]
_ORDER: tuple[_Rank, ...] = ("contraindicated", "avoid", "caution", "info", "none")
_PLACE: dict[str, int] = {severity: place for place, severity in enumerate(_ORDER)}
_Ranked = tuple[tuple[bool, tuple[int, ...]], Question]
"""A question with its place in the list: routine ones first, then by how many rules of each severity it could change."""


def questions_of(draft: Draft, evidence: Evidence) -> tuple[Question, ...]:
    """One question per unknown fact, those that could change the most serious rules first, then those that could change more of them.

    A fact the register does not call routine (an ejection fraction, a triglyceride level) is asked after all routine ones and does not
    hold the plan up.
    """
    # What each fact could change, by severity in the order of _ORDER.
    changes: dict[str, tuple[list[str], ...]] = {}
    confirming = {doubt.about: doubt.confirm for doubt in draft.doubts if doubt.confirm}
    doubted = {doubt.confirm or doubt.about: doubt for doubt in reversed(draft.doubts)}
    for name, facts, severity in draft.undecided:
        place = _PLACE.get(severity, _PLACE["info"])
        for fact in facts:
            asked = confirming.get(fact, fact) if confirming else fact
            touched = changes.get(asked)
            if touched is None:
                touched = changes[asked] = ([], [], [], [], [])
            touched[place].append(name)
    ranked: list[_Ranked] = []
    for fact, touched in changes.items():
        definition = evidence.facts.get(fact)
        optional = definition is not None and not definition.routine
        one, two, three, four, five = touched
        counts = -len(one), -len(two), -len(three), -len(four), -len(five)
        worst: _Rank = "contraindicated" if one else "avoid" if two else "caution" if three else "info"
        urgency: Urgency = "info" if optional else URGENCY[worst]
        could_change = tuple(dict.fromkeys([*one, *two, *three, *four, *five]))
        ranked.append(((optional, counts), Question(fact, _ask(fact, doubted, evidence), could_change, len(could_change), urgency)))
    ranked.sort(key=lambda item: (item[0], item[1].fact))
    stale = tuple(Question(fact.id, f"{_ask(fact.id, doubted, evidence)} (last known {fact.value}, {fact.origin.on})", (), 0, "info", stale=True)
                  for fact in draft.facts.by_id.values() if fact.stale and fact.id not in changes)
    return (*_asked_once(question for _, question in ranked), *stale)


def _asked_once(questions: Iterable[Question]) -> Iterable[Question]:
    """Facts that one answer settles (body mass index and obesity) are asked once, under the first of them."""
    first: dict[str, Question] = {}
    for question in questions:
        kept = first.get(question.ask)
        if kept is None:
            first[question.ask] = question
        else:
            names = tuple(dict.fromkeys((*kept.could_change, *question.could_change)))
            first[question.ask] = msgspec.structs.replace(kept, could_change=names, weight=len(names))
    return first.values()


def _ask(fact: str, doubted: Mapping[str, Doubt], evidence: Evidence) -> str:
    doubt = doubted.get(fact)
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
