"""Sentences for patients must be easy to read: which texts these are, and which of them are too hard."""

from __future__ import annotations

from collections.abc import Iterator

from ivigil.basis.problems import Problem
from ivigil.basis.reading import read, sentences_of, weight_of, words_of
from ivigil.evidence.compile import Compiled, Entry

HARDEST = 8.0
"""The highest Flesch-Kincaid grade, to one decimal, that a text for patients may have."""
_LONG_SENTENCE = 15
_LONG_WORD = 3
_SHOWN = 4
_KEYS = {"statements": "plain", "advice": "say", "lessons": "say", "terms": "plain", "mechanisms": "plain"}
"""Where each part holds words for patients. ``plain`` names of indications are words inside sentences, no sentences."""


def patient_texts(entry: Entry) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts of an entry that a patient hears, with their paths; also what a rule tells the patient."""
    key = _KEYS.get(entry.part, "")
    if isinstance(entry.plain.get(key), str):
        yield (key,), entry.plain[key]
    acts = entry.plain.get("then") if entry.part in {"rules", "interactions"} else None
    for index, act in enumerate(acts if isinstance(acts, list) else ()):
        if isinstance(act, dict) and act.get("act") == "tell" and isinstance(act.get("say"), str):
            yield ("then", index, "say"), act["say"]


def brand_names(compiled: Compiled) -> frozenset[str]:
    """The brands of all products in small letters: a patient reads them off the pack."""
    return frozenset(product.brand.lower() for product in compiled.evidence.products.values())


def hard_texts(compiled: Compiled) -> Iterator[Problem]:
    """A problem for every text for patients that is above the highest grade, with the words and sentences that make it hard."""
    names = brand_names(compiled)
    for entry in compiled.entries:
        for path, text in patient_texts(entry):
            grade = round(read(text, names).grade, 1)
            if grade > HARDEST:
                what = f"{entry.id}: {'.'.join(str(part) for part in path)}"
                yield Problem(entry.file, entry.line(*path), what, f"a patient needs reading grade {grade:.1f}, more than {HARDEST:g}: {_cause(text, names)}",
                              "use shorter words, or make two sentences of one")


def _cause(text: str, names: frozenset[str]) -> str:
    """The long sentences by their first words, and the words of most syllables; the average where neither stands out."""
    causes = []
    for sentence in sentences_of(text):
        words = words_of(sentence)
        if len(words) > _LONG_SENTENCE:
            causes.append(f"{len(words)} words in the sentence '{' '.join(words[:3])} ...'")
    counts = {word: weight_of(word, names) for sentence in sentences_of(text) for word in words_of(sentence)}
    hard = sorted((word for word in counts if counts[word] >= _LONG_WORD), key=lambda word: -counts[word])
    if hard:
        causes.append("long words " + ", ".join(f"{word} ({counts[word]} syllables)" for word in hard[:_SHOWN]))
    return "; ".join(causes) or "many words of two syllables in one sentence"
