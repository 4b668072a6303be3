"""Keeps of a long answer what was asked for: of every part its first sentence, then the sentences that tell most, until enough is said."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.answers.diseases import Here
from ivigil.answers.said import Said
from ivigil.answers.telling import asked_for
from ivigil.answers.understand import Question

ENOUGH = {"clinician": 190, "researcher": 350, "patient": 100}
"""About how many words an answer holds beside sums, lines of a plan and what opens it."""
_ALWAYS = {"plan-line", "forecast", "calculation", "frame"}
_FIRST, _HERE, _ELSEWHERE = 0.4, 0.1, -0.2
"""What else counts beside the share of what is asked for: how early a sentence stands in its part, and whether it holds at the place asked about."""


def shortened(here: Here, question: Question, parts: Iterable[tuple[Said, ...]]) -> list[tuple[Said, ...]]:
    """The parts with the sentences that tell most, each part in its order."""
    listed = list(parts)
    asked = asked_for(question, here.evidence)
    places = {*here.places, *question.places, "", "international"}

    def worth(said: Said, place: int) -> float:
        where = {statement.jurisdiction for cite in said.cites if (statement := here.evidence.statements.get(cite)) is not None}
        local = 0.0 if where <= {""} else _HERE if where & places else _ELSEWHERE
        return asked.share(said) + _FIRST / (1 + place) + local

    enough = ENOUGH[here.audience]
    kept = {(number, place) for number, said in enumerate(listed) for place, one in enumerate(said) if one.kind in _ALWAYS or not place}
    ranked = sorted(
        (-worth(one, place), number, place)
        for number, said in enumerate(listed)
        for place, one in enumerate(said)
        if (number, place) not in kept
    )
    words = sum(len(listed[number][place].text.split()) for number, place in kept if listed[number][place].kind not in _ALWAYS)
    for _, number, place in ranked:
        length = len(listed[number][place].text.split())
        if words + length <= enough:
            kept.add((number, place))
            words += length
    return [tuple(one for place, one in enumerate(said) if (number, place) in kept) for number, said in enumerate(listed)]
