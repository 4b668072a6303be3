"""The words that the evidence knows: names of indications, products, vaccines, facts, tests and terms, and the wordings of questions. Made once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

import msgspec

from ivigil.answers.words import Phrases, Word, distance, folded, words_of
from ivigil.evidence.library import Evidence

MeaningKind = Literal["indication", "product", "vaccine", "fact", "test", "term", "mechanism", "wording"]
_BRACKETS = re.compile(r"\s*\([^)]*\)")
_ACRONYM = re.compile(r"[A-Z][A-Za-z]*[A-Z0-9]|[A-Z]{2,}")
_DISEASE = re.compile(r"(?:itis|osis|emia|aemia|pathy|penia|oma|drome|osus|igoid|igus|gravis|itides|ease|ency)\s*$")
"""How the name of a disease ends; other parts of a long name are no names."""
AHEAD = ("ahead-trough", "ahead-below", "ahead-half-life", "ahead-next-level")
"""The word lists that ask for the forecast of a record."""
MARKS = (
    *AHEAD,
    *("personal", "happening", "what-to-do", "no-sign", "general", "supposed", "past", "denied", "own-dose", "commands", "body", "asks-share"),
)
"""The word lists that mark who speaks, how, and what for."""
OWN = (
    *("own-person", "own-asked", "own-needed", "own-unit", "own-measure", "own-interval", "own-not"),
    *("own-plain", "own-act", "own-turn", "own-leave"),
)
"""The word lists by which patients ask for an amount of their own."""
_SHORTEST_MISSPELT = 5
_ENDINGS = ("ed", "ing", "ly", "er", "est", "able", "ness", "less", "ful", "d", "r")
_FEWEST_TOLD = 2
_TOLD, _TOLD_BY_MORE = 0.6, 0.45
"""How many words of a name, and what share of their weight, tell a disease when they stand in another order or apart."""
_LONG, _VERY_LONG = 8, 11


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """What a name stands for. An acronym counts only as it is written, unless its small letters are no common word."""

    kind: MeaningKind
    id: str
    acronym: bool = False


class Sign(msgspec.Struct, frozen=True, gc=False):
    """A wording of an emergency: of which list in which group; ``denies`` when it holds a word that denies, as "not peed" does."""

    emergency: str
    group: int
    place: int
    denies: bool


class Vocabulary:
    """Everything by which a question is understood, drawn from one evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.common = frozenset(folded(word) for word in self._listed("common"))
        self.ordinary = self.common | {folded(word) for word in self._listed("ordinary")}
        self.things = frozenset(folded(word) for word in self._listed("things"))
        self.spelt_right = frozenset(folded(word) for word in self._listed("spelt-right"))
        self.names: Phrases[Meaning] = Phrases(self._names())
        self.topics: Phrases[str] = Phrases((phrase, topic.id) for topic in evidence.topics.values() for phrase in (topic.ask, *topic.words))
        self.corrections: Phrases[str] = Phrases((phrase, one.id) for one in evidence.corrections.values() for phrase in one.words)
        self.synonyms: Phrases[str] = Phrases((phrase, one.id) for one in evidence.synonyms.values() for phrase in one.words)
        self.outside: Phrases[str] = Phrases((phrase, one.id) for one in evidence.outsiders.values() for phrase in one.words)
        self.signs: Phrases[Sign] = Phrases(self._signs())
        self.sign_lists = {one.id: (len(one.signs), *map(len, one.near)) for one in evidence.emergencies.values()}
        """How many lists the groups of each emergency have; the first group may be matched anywhere, the others close together."""
        self.marks: dict[str, Phrases[None]] = {
            name: Phrases((phrase, None) for phrase in self._listed(name))
            for name in MARKS
        }
        self.own: Phrases[str] = Phrases((phrase, name) for name in OWN for phrase in self._listed(name))
        self.orders: Phrases[None] = Phrases((phrase, None) for phrase in self._listed("errand"))
        self.courtesy: Phrases[None] = Phrases((phrase, None) for phrase in self._listed("errand-lead"))
        self.languages = {one.name: frozenset(word.lower() for word in one.words) for one in evidence.languages.values()}

    def everyday(self, fold: str) -> bool:
        """True for a word that names nothing asked for, in any of its forms."""
        if fold in self.ordinary:
            return True
        return any(
            fold.endswith(ending) and len(fold) - len(ending) > 2 and (fold[: -len(ending)] in self.ordinary or f"{fold[: -len(ending)]}e" in self.ordinary)
            for ending in _ENDINGS
        )

    def _listed(self, name: str) -> tuple[str, ...]:
        entry = self.evidence.word_lists.get(name)
        return entry.words if entry is not None else ()

    def _signs(self) -> Iterator[tuple[str, Sign]]:
        denying = {folded(word) for word in self._listed("denied")}
        for one in self.evidence.emergencies.values():
            for group, lists in enumerate((one.signs, *one.near)):
                for place, phrases in enumerate(lists):
                    for phrase in phrases:
                        yield phrase, Sign(one.id, group, place, any(word.fold in denying for word in words_of(phrase)))

    def _names(self) -> Iterator[tuple[str, Meaning]]:
        evidence = self.evidence
        for indication in evidence.indications.values():
            clinical = indication.name.clinical
            names = [_BRACKETS.sub("", clinical), *indication.also_called, indication.id.replace("-", " "), indication.name.plain]
            names += [part for part in re.split(r",| or | and ", _BRACKETS.sub("", clinical)) if _DISEASE.search(part)]
            yield from _called("indication", indication.id, names)
        for product in evidence.products.values():
            strength = f"{product.percent:g}"
            yield from _called(
                "product", product.id, [product.brand, f"{product.brand} {strength}", f"{product.brand} {strength} %", *product.also_called, product.id]
            )
        for vaccine in evidence.vaccines.values():
            yield from _called(
                "vaccine",
                vaccine.id,
                [_BRACKETS.sub("", vaccine.name), vaccine.name.replace("(", "").replace(")", ""), *vaccine.also_called, vaccine.id.replace("-", " ")],
            )
        for fact in evidence.facts.values():
            if fact.id.startswith(("has.", "takes.", "allergy.")):
                yield from _called("fact", fact.id, [fact.label, *fact.names])
        for test in evidence.interference.values():
            yield from _called("test", test.id, [_BRACKETS.sub("", test.test), *re.split(r",| and ", _BRACKETS.sub("", test.test))])
        for term in evidence.terms.values():
            yield from _called("term", term.id, [*re.split(r", ", term.term), *term.also_called])
        for mechanism in evidence.mechanisms.values():
            yield from _called("mechanism", mechanism.id, [mechanism.name, *mechanism.also_called])
        for wording in evidence.wordings.values():
            yield from _called("wording", wording.id, wording.words)

    @cached_property
    def _bags(self) -> tuple[dict[str, float], dict[str, list[tuple[str, frozenset[str]]]]]:
        """The telling words of every name of a disease: how rare each is among names, and by word the names that hold it."""
        bags: list[tuple[str, frozenset[str]]] = []
        for indication in self.evidence.indications.values():
            for name in (_BRACKETS.sub("", indication.name.clinical), *indication.also_called, indication.name.plain):
                bag = frozenset(word.fold for word in words_of(name) if word.fold not in self.common)
                if len(bag) >= _FEWEST_TOLD and (indication.id, bag) not in bags:
                    bags.append((indication.id, bag))
        holding: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for one in bags:
            for word in one[1]:
                holding.setdefault(word, []).append(one)
        return {word: math.log(1 + len(bags) / len(listed)) for word, listed in holding.items()}, holding

    def told(self, folds: Iterable[str]) -> tuple[tuple[str, frozenset[str]], ...]:
        """The diseases most of whose name stands among the words in any order, with those words; only the ones told by most words."""
        weights, holding = self._bags
        asked: dict[str, str] = {}
        for fold in folds:
            for known in (fold, f"{fold}ation"):
                if known in holding:
                    asked[known] = fold
        best: dict[str, frozenset[str]] = {}
        for name, bag in dict.fromkeys(one for word in asked for one in holding[word]):
            held = bag & asked.keys()
            share = sum(weights[word] for word in held) / sum(weights[word] for word in bag)
            enough = share >= (_TOLD if len(held) == _FEWEST_TOLD else _TOLD_BY_MORE) and sum(word.isalpha() for word in held) >= _FEWEST_TOLD
            if enough and len(held) > len(best.get(name, ())):
                best[name] = frozenset(asked[word] for word in held)
        most = max(map(len, best.values()), default=0)
        return tuple((name, held) for name, held in best.items() if len(held) == most)

    def admits(self, meaning: Meaning, word: Word, *, shouted: bool) -> bool:
        """Whether a one-word name is really meant: ``TEN`` is not ``ten``."""
        if not meaning.acronym or (not shouted and word.text != word.text.lower()):
            return not (meaning.acronym and shouted and word.fold in self.common)
        return len(word.text) > 2 and word.fold not in self.common

    @cached_property
    def known(self) -> frozenset[str]:
        """Words that are never read as others: the first words of names and topics, everyday words, the words of signs."""
        starts = self.names.starts | self.topics.starts | self.own.starts | self.orders.starts
        return starts | self.ordinary | self.things | self.spelt_right | self.sign_words

    @cached_property
    def sign_words(self) -> frozenset[str]:
        """The words of signs of an emergency, but for the small ones: known words, and what a misspelt one may have meant."""
        listed = (phrase for one in self.evidence.emergencies.values() for lists in (one.signs, *one.near) for phrases in lists for phrase in phrases)
        return frozenset(word.fold for phrase in listed for word in words_of(phrase) if len(word.fold) >= _SHORTEST_MISSPELT and word.fold.isalpha())

    @cached_property
    def _spellable(self) -> dict[str, tuple[str, ...]]:
        """Words of names and of wordings by first letter: what a misspelt word may have meant."""
        words: set[str] = set()
        phrases = [phrase for phrase, meaning in self._names() if not meaning.acronym]
        for phrase in phrases:
            words.update(word.fold for word in words_of(phrase) if len(word.fold) >= _SHORTEST_MISSPELT and word.fold.isalpha())
        for topic in self.evidence.topics.values():
            for phrase in topic.words:
                words.update(word.fold for word in words_of(phrase) if len(word.fold) > _SHORTEST_MISSPELT and word.fold.isalpha())
        return _by_letter((words | self.sign_words) - ((self.ordinary | self.things) - self.common))

    @cached_property
    def _everyday_by_letter(self) -> dict[str, tuple[str, ...]]:
        return _by_letter(word for word in self.ordinary | self.things if len(word) >= _SHORTEST_MISSPELT)

    def misspelt(self, fold: str) -> bool:
        """True for what is nearly an everyday word: it names nothing unknown, somebody mistyped it."""
        if len(fold) < _SHORTEST_MISSPELT or fold in self.spelt_right:
            return False
        most = 1 if len(fold) < _LONG else 2
        return any(distance(fold, known, most) <= most for known in self._everyday_by_letter.get(fold[0], ()))

    def meant(self, word: str, others: Mapping[str, tuple[str, ...]], most: int) -> str:
        """The known word that a misspelt one stands for: the nearest, when no other is as near; else nothing. Names come before ``others``, by first letter.

        ``most`` is how many letters may be wrong at most; in shorter words it is fewer.
        """
        if len(word) < _SHORTEST_MISSPELT:
            return ""
        most = min(most, 1 if len(word) < _LONG else 2 if len(word) < _VERY_LONG else 3)
        near = [(gap, known) for known in self._spellable.get(word[0], ()) if (gap := distance(word, known, most)) <= most]
        if not near and not self.misspelt(word):
            most = min(most, 1 if len(word) < _LONG else 2)
            near = [(gap, known) for known in others.get(word[0], ()) if (gap := distance(word, known, most)) <= most]
        near = [(gap, known) for gap, known in near if not _opposite(word, known)]
        if not near:
            return ""
        near.sort()
        return near[0][1] if len(near) == 1 or near[0][0] < near[1][0] or near[0][1][:_SHORTEST_MISSPELT] == near[1][1][:_SHORTEST_MISSPELT] else ""


def _opposite(word: str, known: str) -> bool:
    """True for too much of something and too little of it, which are no misspellings of each other: *hypernatraemia*, *hyponatraemia*."""
    return {word[:4], known[:4]} == {"hype", "hypo"}


def _by_letter(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Words by their first letter, which is seldom mistyped."""
    found: dict[str, list[str]] = {}
    for word in sorted(words):
        found.setdefault(word[0], []).append(word)
    return {letter: tuple(listed) for letter, listed in found.items()}


def _called(kind: MeaningKind, name: str, names: Iterable[str]) -> Iterator[tuple[str, Meaning]]:
    seen: set[str] = set()
    listed = [one.strip() for one in names]
    acronyms = {one.lower() for one in listed if _ACRONYM.fullmatch(one)}
    for phrase in listed:
        if not phrase or phrase in seen:
            continue
        seen.add(phrase)
        yield phrase, Meaning(kind, name, acronym=phrase.lower() in acronyms)


def vocabulary_of(evidence: Evidence) -> Vocabulary:
    """The vocabulary of an evidence, made when it is first asked for and kept with it."""
    kept: Vocabulary | None = evidence.__dict__.get("_vocabulary")
    if kept is None:
        kept = evidence.__dict__["_vocabulary"] = Vocabulary(evidence)
    return kept
