"""How much of what is asked for a sentence holds: by this the sentence that answers most directly is found and stands first."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ivigil.answers.find import index_of
from ivigil.answers.said import Said
from ivigil.answers.understand import Question
from ivigil.answers.words import folds_of
from ivigil.evidence.library import Evidence

STEM = 6
"""Words are the same when so many of their first letters are."""
_SMALL = 0.15
_FEWEST = 2
"""Of one thing asked for every sentence on it holds all: then the order of the topic stands."""
_ENOUGH, _MORE = 0.6, 0.2
"""What a sentence must hold to stand first, and how much more than those that would stand there without it."""


class Asked(msgspec.Struct, frozen=True):
    """The things asked for, by their stems, with the entries of whose name they are a part and what they weigh."""

    concepts: tuple[tuple[frozenset[str], frozenset[str], tuple[str, ...], float], ...]
    small: tuple[tuple[frozenset[str], float], ...]
    others: frozenset[str]

    def share(self, one: Said) -> float:
        """The share of the weight of what is asked for that a sentence holds, small words adding a little."""
        whole = sum(weight for *_, weight in self.concepts)
        if not whole or one.kind == "frame":
            return 0.0
        stems, owners, text = _held(one)
        share = sum(weight for own, named, names, weight in self.concepts if own & stems or named & owners or any(name in text for name in names)) / whole
        small_whole = sum(weight for _, weight in self.small)
        return share + (_SMALL * sum(weight for own, weight in self.small if own & stems) / small_whole if small_whole else 0.0)

    def beyond(self, one: Said) -> bool:
        """True when it holds, in the words of the question, something asked for beside the names of diseases and products, if there is such."""
        stems, _, _ = _held(one)
        return not self.others or bool(self.others & stems)


def held_in(one: Said) -> set[str]:
    """The stems of the words of a sentence."""
    return {fold[:STEM] for fold in folds_of(one.text)}


def _held(one: Said) -> tuple[set[str], set[str], str]:
    return held_in(one), {cite.partition(".")[0] for cite in one.cites}, one.text.lower()


def asked_for(question: Question, evidence: Evidence) -> Asked:
    """What a question asks for, weighed by how rare it is in the evidence; words that it holds nowhere count as rare ones."""
    index = index_of(evidence)
    rarest = index.weight_of(1)
    told, small = [], []
    for one in question.concepts:
        stems = frozenset(word[:STEM] for word in one.words)
        weight = index.weight(one.words)
        if one.small or one.light:
            small.append((stems, weight))
        else:
            named = [evidence.indications[name] for name in one.owners if name in evidence.indications]
            names = tuple(entry.name.clinical.partition(" (")[0].lower() for entry in named)
            told.append((stems, one.owners, names, weight or rarest / 2))
    others = frozenset(one.words[0][:STEM] for one in question.concepts if not one.owners and not one.small and not one.light)
    return Asked(tuple(told), tuple(small), others)


def most_telling(asked: Asked, said: Iterable[Said], first: Iterable[Said]) -> Said | None:
    """The sentence that holds clearly more of what is asked for than those that would stand first; None when none does."""
    bar = max((asked.share(one) for one in first), default=0.0) + _MORE
    if len(asked.concepts) < _FEWEST:
        return None
    best, most = None, max(_ENOUGH, bar)
    for one in said:
        share = asked.share(one)
        if share >= most and asked.beyond(one) and "not read" not in one.marks and (best is None or share > most):
            best, most = one, share
    return best
