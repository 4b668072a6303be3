"""Words of a question and of names, folded so that spellings meet: capitals, accents, British and American forms, plurals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’`´][^\W\d_]+)*|%")
_OE = re.compile(r"^oe|(?<=f)oe(?=t)|(?<=rrh)oe|(?<=c)oe(?=l)|oe(?=dem)")
_IS = re.compile(r"is(?=ations?$|ed$|ing$|e$|es$|er$|ers$)")
_LONG = 5
_GAP = 4
"""How many words ``...`` in a phrase may stand for."""


class Word(msgspec.Struct, frozen=True, gc=False):
    """One word as written and as folded."""

    text: str
    fold: str


@lru_cache(maxsize=65536)
def folded(word: str) -> str:
    """``Haemolysis``, ``hemolysis``; ``allergies``, ``allergy``; ``patient's``, ``patient``: one form each."""
    plain = prefix_of(word)
    if len(plain) > 3 and plain.endswith("s") and not plain.endswith(("ss", "us", "is")):
        plain = plain[:-3] + "y" if plain.endswith("ies") and len(plain) > _LONG - 1 else plain[:-1]
    return plain


@lru_cache(maxsize=65536)
def prefix_of(word: str) -> str:
    """The same without the plural, for the beginnings of words."""
    plain = word.lower() if word.isascii() else "".join(one for one in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(one))
    plain = re.sub(r"['’`´]s$", "", plain)
    plain = re.sub(r"['’`´]", "", plain).replace("ae", "e")
    plain = _OE.sub("e", plain)
    if len(plain) > _LONG:
        plain = _IS.sub("iz", plain)
        plain = re.sub(r"our(?=s?$|ed$)", "or", plain)
        plain = re.sub(r"tre(?=s?$)", "ter", plain)
    return plain


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a text in order; numbers are words, signs are not."""
    return tuple(Word(token, folded(token)) for token in _TOKEN.findall(text))


@lru_cache(maxsize=8192)
def folds_of(text: str) -> tuple[str, ...]:
    """The folded words of a sentence of the evidence, kept: the same sentences are weighed for many questions."""
    return tuple(folded(token) for token in _TOKEN.findall(text))


class Match(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A phrase found: from word ``start`` up to, not including, ``end``; ``value`` is what it stands for."""

    start: int
    end: int
    value: T

    @property
    def width(self) -> int:
        """How many words it spans."""
        return self.end - self.start


class _Piece(msgspec.Struct, frozen=True, gc=False):
    """One place of a phrase: a word, the beginning or the end of one; ``gap`` allows words before it."""

    text: str
    how: str
    gap: bool

    def fits(self, word: Word) -> bool:
        if self.how == "word":
            return word.fold == self.text
        plain = prefix_of(word.text)
        return plain.startswith(self.text) if self.how == "start" else plain.endswith(self.text) and len(plain) > len(self.text) + 1


def _pieces(phrase: str) -> Iterator[_Piece]:
    gap = False
    for part in phrase.split():
        if part == "...":
            gap = True
            continue
        if part.endswith("*"):
            before, tail = _TOKEN.findall(part[:-1]), "start"
        elif part.startswith("*"):
            before, tail = _TOKEN.findall(part[1:]), "end"
        else:
            before, tail = _TOKEN.findall(part), "word"
        for place, token in enumerate(before):
            last = place == len(before) - 1
            yield _Piece(prefix_of(token) if last and tail != "word" else folded(token), tail if last else "word", gap)
            gap = False


class Phrases(Generic[T]):
    """Many phrases, each standing for something, found in a question in one pass. A star stands for any ending, three dots for a few words."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._by_word: dict[str, list[tuple[tuple[_Piece, ...], T]]] = {}
        self._by_start: dict[str, list[tuple[tuple[_Piece, ...], T]]] = {}
        self._by_end: dict[str, list[tuple[tuple[_Piece, ...], T]]] = {}
        for phrase, value in entries:
            pieces = tuple(_pieces(phrase))
            if not pieces:
                continue
            first = pieces[0]
            if first.how == "word":
                self._by_word.setdefault(first.text, []).append((pieces, value))
            elif first.how == "start":
                self._by_start.setdefault(first.text, []).append((pieces, value))
            else:
                self._by_end.setdefault(first.text, []).append((pieces, value))
        self.starts = frozenset(self._by_word)
        """The first words of all phrases."""

    def found(self, words: tuple[Word, ...]) -> list[Match[T]]:
        """Every phrase that occurs, in order of place; longer ones first at one place."""
        out: list[Match[T]] = []
        for at, word in enumerate(words):
            candidates = list(self._by_word.get(word.fold, ()))
            plain = prefix_of(word.text)
            for length in range(1, len(plain) + 1):
                candidates += self._by_start.get(plain[:length], ())
            if self._by_end:
                for length in range(1, len(plain) - 1):
                    candidates += self._by_end.get(plain[-length:], ())
            here: dict[tuple[int, int], list[T]] = {}
            for pieces, value in candidates:
                end = _end(pieces, words, at)
                if end is not None and value not in here.setdefault((at, end), []):
                    here[at, end].append(value)
            for (start, end), values in sorted(here.items(), key=lambda item: -item[0][1]):
                out += [Match(start, end, value) for value in values]
        return out


def _end(pieces: tuple[_Piece, ...], words: tuple[Word, ...], at: int) -> int | None:
    place = at + 1
    for piece in pieces[1:]:
        furthest = min(len(words), place + (_GAP if piece.gap else 0) + 1)
        hit = next((one for one in range(place, furthest) if piece.fits(words[one])), None)
        if hit is None:
            return None
        place = hit + 1
    return place


def longest(matches: Sequence[Match[T]]) -> list[Match[T]]:
    """The matches that no longer one covers; those of one place and length stay together."""
    kept: list[Match[T]] = []
    for match in sorted(matches, key=lambda one: (-one.width, one.start)):
        if all((match.start, match.end) == (one.start, one.end) or match.end <= one.start or match.start >= one.end for one in kept):
            kept.append(match)
    return sorted(kept, key=lambda one: (one.start, one.end))


def distance(one: str, other: str, most: int) -> int:
    """The number of letters to put in, leave out, exchange or swap, or ``most`` + 1 when it is more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [at] + [0] * len(other)
        for place, against in enumerate(other, start=1):
            row[place] = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != against))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == against:
                row[place] = min(row[place], earlier[place - 2] + 1)
        if min(row) > most:
            return most + 1
    return row[-1]
