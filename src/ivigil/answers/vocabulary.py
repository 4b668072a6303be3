"""The words that the evidence knows: names of indications, products, vaccines, facts, tests and terms, and the wordings of questions. Made once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
_SHORTEST_MISSPELT = 5
_LONG = 8


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """What a name stands for. An acronym counts only as it is written, unless its small letters are no common word."""

    kind: MeaningKind
    id: str
    acronym: bool = False


class Vocabulary:
    """Everything by which a question is understood, drawn from one evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.common = frozenset(folded(word) for word in self._listed("common"))
        self.names: Phrases[Meaning] = Phrases(self._names())
        self.topics: Phrases[str] = Phrases((phrase, topic.id) for topic in evidence.topics.values() for phrase in (topic.ask, *topic.words))
        self.corrections: Phrases[str] = Phrases((phrase, one.id) for one in evidence.corrections.values() for phrase in one.words)
        self.outside: Phrases[str] = Phrases((phrase, one.id) for one in evidence.outsiders.values() for phrase in one.words)
        self.signs: dict[str, tuple[Phrases[None], ...]] = {
            one.id: tuple(Phrases((phrase, None) for phrase in alternatives) for alternatives in one.signs) for one in evidence.emergencies.values()
        }
        self.marks: dict[str, Phrases[None]] = {
            name: Phrases((phrase, None) for phrase in self._listed(name))
            for name in ("personal", "happening", "general", "past", "denied", "own-dose", "commands", *AHEAD)
        }
        self.languages = {one.name: frozenset(word.lower() for word in one.words) for one in evidence.languages.values()}

    def _listed(self, name: str) -> tuple[str, ...]:
        entry = self.evidence.word_lists.get(name)
        return entry.words if entry is not None else ()

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

    def admits(self, meaning: Meaning, word: Word, *, shouted: bool) -> bool:
        """Whether a one-word name is really meant: ``TEN`` is not ``ten``."""
        if not meaning.acronym or (not shouted and word.text != word.text.lower()):
            return not (meaning.acronym and shouted and word.fold in self.common)
        return len(word.text) > 2 and word.fold not in self.common

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
        found: dict[str, list[str]] = {}
        for word in sorted(words - self.common):
            found.setdefault(word[0], []).append(word)
        return {letter: tuple(listed) for letter, listed in found.items()}

    def meant(self, word: str) -> str:
        """The known word that a misspelt one stands for: the nearest, when no other is as near; else nothing."""
        if len(word) < _SHORTEST_MISSPELT:
            return ""
        most = 1 if len(word) < _LONG - 1 else 2
        near = [(gap, known) for known in self._spellable.get(word[0], ()) if (gap := distance(word, known, most)) <= most]
        if not near:
            return ""
        near.sort()
        return near[0][1] if len(near) == 1 or near[0][0] < near[1][0] or near[0][1][:_SHORTEST_MISSPELT] == near[1][1][:_SHORTEST_MISSPELT] else ""


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
