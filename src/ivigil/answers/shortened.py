"""Keeps of a long answer what was asked for: of every part its first sentence, then the sentences that tell most, until enough is said."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ivigil.answers.diseases import Here
from ivigil.answers.find import index_of
from ivigil.answers.said import Said
from ivigil.answers.understand import Question
from ivigil.answers.words import prefix_of, words_of

ENOUGH = {"clinician": 190, "researcher": 350, "patient": 100}
"""About how many words an answer holds beside sums, lines of a plan and what opens it."""
_ALWAYS = {"plan-line", "forecast", "calculation", "frame"}
_STEM = 6
_SMALL = 0.25
"""What a small word counts beside one that tells something."""
_FIRST, _HERE, _ELSEWHERE = 0.4, 0.1, -0.2
"""What else counts beside the share of what is asked for: how early a sentence stands in its part, and whether it holds at the place asked about."""


class Telling:
    """How much a sentence tells of what a question asks for."""

    def __init__(self, here: Here, question: Question) -> None:
        index = index_of(here.evidence)
        self._here = here
        self._places = {*here.places, *question.places, "", "international"}
        weighed = [(one, index.weight(one.words) * (_SMALL if one.small else 1.0)) for one in question.concepts]
        self._concepts = [(frozenset(map(_stem, one.words)), one.owners, weight) for one, weight in weighed if weight]
        self._whole = sum(weight for _, _, weight in self._concepts) or 1.0

    def share(self, said: Said) -> float:
        """The share of the weight of what is asked for that the sentence, or the name of the entry it comes from, holds."""
        stems = _stems(said.text)
        owners = {cite.partition(".")[0] for cite in said.cites}
        return sum(weight for words, named, weight in self._concepts if words & stems or named & owners) / self._whole

    def worth(self, said: Said, place: int) -> float:
        """The same with its place in its part and where it holds."""
        where = {statement.jurisdiction for cite in said.cites if (statement := self._here.evidence.statements.get(cite)) is not None}
        local = 0.0 if not where or where <= {""} else _HERE if where & self._places else _ELSEWHERE
        return self.share(said) + _FIRST / (1 + place) + local


def shortened(here: Here, question: Question, parts: Iterable[tuple[Said, ...]]) -> list[tuple[Said, ...]]:
    """The parts with the sentences that tell most, each part in its order."""
    listed = list(parts)
    telling = Telling(here, question)
    enough = ENOUGH[here.audience]
    kept = {(number, place) for number, said in enumerate(listed) for place, one in enumerate(said) if one.kind in _ALWAYS or not place}
    ranked = sorted(
        (-telling.worth(one, place), number, place)
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


def _stem(word: str) -> str:
    return word if word.isdigit() else prefix_of(word)[:_STEM]


@lru_cache(maxsize=8192)
def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(word.fold) for word in words_of(text))
