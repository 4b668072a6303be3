"""Dense vectors beside the full text search, to measure what they would add. Not part of ivigil: no answer is made with them.

What they add is held against a control that adds as many entries without vectors.

The vectors are latent semantic ones: a truncated singular value decomposition of the weighted words of everything the evidence says, made from the evidence
itself. Pretrained sentence models were not tried: their weights are not part of this project and would have to be downloaded.

``python tools/dense_search.py`` tries the settings on the development half and prints a row for each.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from ivigil.answers.find import Hit, Index, documents  # noqa: E402 - also as a script
from ivigil.answers.words import words_of  # noqa: E402
from ivigil.evidence.library import Evidence  # noqa: E402
from ivigil.evidence.load import load_evidence  # noqa: E402

Vectors = NDArray[np.float64]
DIMENSIONS, MOST = 200, 3
"""Length of a vector, and how many finds it may add."""
NEAREST = 0.5
"""The cosine from which a find is added: the highest of those that did best on the development half."""
TRIED = (0.4, 0.5, 0.6, 0.7, 0.8)


class Space:
    """The latent space of one evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.entries = [(name, part, any(texts[-1:])) for name, part, *texts in documents(evidence)]
        counted = [Counter(word.fold for text in texts for word in words_of(text)) for _, _, *texts in documents(evidence)]
        held = Counter(word for words in counted for word in words)
        self.place = {word: number for number, word in enumerate(sorted(word for word, count in held.items() if count > 1))}
        self.rarity = {word: math.log(len(counted) / held[word]) for word in self.place}
        rows = [self._weights(words) for words in counted]
        matrix = np.zeros((len(rows), len(self.place)))
        for number, row in enumerate(rows):
            for word, weight in row.items():
                matrix[number, self.place[word]] = weight
        self.turn = _directions(matrix)
        self.vectors = _unit(matrix @ self.turn)

    def near(self, words: Iterable[str]) -> list[tuple[float, int]]:
        """The entries nearest to the words, with their cosines."""
        weights = self._weights(Counter(words))
        if not weights:
            return []
        asked = np.zeros(len(self.place))
        for word, weight in weights.items():
            asked[self.place[word]] = weight
        cosines = self.vectors @ _unit(asked[np.newaxis] @ self.turn)[0]
        return [(float(cosines[number]), int(number)) for number in np.argsort(-cosines, kind="stable")[:_LOOKED_AT]]

    def _weights(self, words: Counter[str]) -> dict[str, float]:
        found = {word: (1 + math.log(count)) * self.rarity[word] for word, count in words.items() if word in self.place}
        length = math.sqrt(sum(weight * weight for weight in found.values())) or 1.0
        return {word: weight / length for word, weight in found.items()}


def _directions(matrix: Vectors) -> Vectors:
    """The right singular vectors of the largest singular values, by subspace iteration from a fixed start (Halko, Martinsson and Tropp 2011)."""
    spanned = np.random.default_rng(0).standard_normal((matrix.shape[1], DIMENSIONS + _SPARE))
    for _ in range(_TURNS):
        spanned, _ = np.linalg.qr(matrix.T @ (matrix @ spanned))
    _, _, turned = np.linalg.svd(matrix @ spanned, full_matrices=False)
    return np.asarray(spanned @ turned[:DIMENSIONS].T)


_SPARE, _TURNS, _LOOKED_AT = 20, 5, 60


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1.0))


class Rows(frozenset[int]):
    """Rows of the index. A find that was added stands under a negative row, and counts as holding every word."""

    def __contains__(self, row: object) -> bool:
        return (isinstance(row, int) and row < 0) or super().__contains__(row)


class AddingIndex(Index):
    """The full text index with entries added that :meth:`more` names."""

    def holders(self, words: Iterable[str]) -> frozenset[int]:
        """The rows that hold any of the words, and whatever was added."""
        return Rows(super().holders(words))

    def find(self, words: Iterable[str], limit: int = 20, plain: bool = False) -> list[Hit]:
        """What the words find, and then what is added."""
        asked = tuple(dict.fromkeys(words))
        found = super().find(asked, limit, plain)
        return [*found, *(msgspec.structs.replace(hit, row=-hit.row) for hit in self.more(asked, found, plain))]

    def more(self, words: tuple[str, ...], found: list[Hit], plain: bool) -> list[Hit]:
        """What is added to what was found."""
        raise NotImplementedError


class DenseIndex(AddingIndex):
    """The nearest entries are added."""

    def __init__(self, evidence: Evidence, space: Space, nearest: float) -> None:
        super().__init__(evidence)
        self.space, self.nearest = space, nearest

    def more(self, words: tuple[str, ...], found: list[Hit], plain: bool) -> list[Hit]:
        """The entries nearest to the words. The space counts them in the order of the index, whose rows begin with 1."""
        near = [number for cosine, number in self.space.near(words) if cosine >= self.nearest and (self.space.entries[number][2] or not plain)]
        return [Hit(number + 1, *self.space.entries[number][:2]) for number in near[:MOST]]


class LooserIndex(AddingIndex):
    """The control: as many entries more by the full text search alone, whose first finds count as holding every word."""

    def more(self, words: tuple[str, ...], found: list[Hit], plain: bool) -> list[Hit]:
        """The first finds once more, without the share of words that is asked for elsewhere."""
        return found[:MOST]


def with_looser_search(evidence: Evidence) -> Evidence:
    """The evidence searched with the control in the place of the usual index."""
    evidence.__dict__["_question_index"] = LooserIndex(evidence)
    return evidence


def with_vectors(evidence: Evidence, nearest: float = NEAREST, space: Space | None = None) -> Evidence:
    """The evidence searched with vectors: everything that asks it finds the other index in the place of the usual one."""
    evidence.__dict__["_question_index"] = DenseIndex(evidence, space or Space(evidence), nearest)
    return evidence


def without_vectors(evidence: Evidence) -> Evidence:
    """The evidence searched as ivigil does."""
    evidence.__dict__.pop("_question_index", None)
    return evidence


def main() -> int:
    """Print what each setting comes to on the development half."""
    from tools.answer_measures import FACTS, OUTCOME, REFUSED, WRONG, Asker, measured
    from tools.question_set import read_questions

    evidence, questions = load_evidence(), read_questions("development")
    space = Space(evidence)
    for nearest in (None, *TRIED):
        asked = without_vectors(evidence) if nearest is None else with_vectors(evidence, nearest, space)
        by_name = {one.name: one for one in measured(Asker(asked), questions).measures()}
        shown = ", ".join(f"{name}: {by_name[name].part} of {by_name[name].whole}" for name in (FACTS, OUTCOME, REFUSED, WRONG))
        print(f"{'without' if nearest is None else f'cosine {nearest}'}: {shown}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
