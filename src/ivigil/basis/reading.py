"""How hard a sentence is to read: the Flesch-Kincaid grade, with a syllable counter of its own. ``docs/reading-grade.md`` explains both."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec

WORDS_PER_SENTENCE = 0.39
SYLLABLES_PER_WORD = 11.8
OFFSET = 15.59

_TOKEN = re.compile(r"[^\W_]+(?:[.,:'’/-][^\W_]+)*%?")
_END = re.compile(r"(?:[.!?]+[\"')\]”’]*(?=\s|$))|\n\s*\n")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|Dr|Mr|Mrs|Ms|St)|\b[A-Z])\.$")
_VOWELS = re.compile(r"[aeiouy]+")
_CAPITALS = re.compile(r"[A-Z]")
_UNITS = frozenset({"g", "kg", "mg", "ug", "mL", "L", "dL", "cm", "mm", "m", "h", "min", "s", "g/kg", "mg/kg", "mL/kg", "mL/h", "g/L", "g/dL", "mg/dL", "mg/mL",
                    "mL/min", "mg/kg/min", "mL/kg/h", "mL/kg/min", "IU", "IU/L", "mmol/L", "umol/L", "°C"})
_SUFFIXES = ("lessly", "fully", "ments", "ment", "less", "ness", "some", "times", "time", "thing", "body", "where", "lets", "let", "ful", "ly", "ty")
"""Endings before which a silent e stays silent: safe-ly, care-ful, some-thing."""
_SILENT_BEFORE = re.compile(r"[aeiouy].*(?:[^aeiouy]e|[^aeioutdy]ed)$")
_SPLIT = re.compile(
    r"ia(?!l\b|n\b|ls\b|ns\b|lly\b)|(?<![cstxg])ia(?=l|n)|(?<![cstghxnl])io(?=n)|(?<![cstgxh])io(?!us\b|n)|(?<![cstxg])iou|iu|"
    r"(?<!q)uo|(?<![qg])ua(?!r)|(?<![qg])ue(?=l|nt|nce)|eo(?!p)|(?<![aeiou])[iuy]e(?=t)|[aeiouy]ing\b|(?<=cr)ea(?=t)|(?<=r)ea(?=ct)|oe(?=[mt])|(?<=[bdfhlmnprv])ie(?=nt|nce)|ism\b|yo(?=[csp])|(?<=m)ya"
)
"""Neighbouring vowels that are spoken apart: medi-a, ser-i-ous is not, di-et, go-ing, cre-ate; also the -ism of rheumatism."""
_CONSONANT_Y = re.compile(r"\by(?=[aeiou])|(?<=[aeou])y(?=[aeiou])")
_SILENT_END = re.compile(r"[^aeiouy]e$|[^aeioutdy]ed$|ques?$")
_SPOKEN_ES = re.compile(r"(?:s|x|z|ch|sh|c|g|[aeiouy])es$")
_CONSONANT_LE = re.compile(r"[^aeiouylrw]le[sd]?$")

EXCEPTIONS = {
    "aches": 1, "anyone": 3, "area": 3, "business": 2, "chocolate": 2, "coincide": 3, "coincidence": 4, "cooperate": 4, "diabetes": 4, "diarrhoea": 4,
    "different": 2, "evening": 2, "every": 2, "everything": 3, "eye": 1, "eyebrow": 2, "eyelid": 2, "eyes": 1, "fluid": 2, "headaches": 2, "hyaluronidase": 6,
    "idea": 3, "ideal": 3, "influenza": 4, "lion": 2, "museum": 3, "nausea": 3, "quiet": 2, "reality": 4, "reassure": 3, "reuse": 2, "rhythm": 2,
    "ruin": 2, "science": 2, "someone": 2, "theatre": 3,
}
"""Common words that the rules would miscount."""


class Reading(msgspec.Struct, frozen=True):
    """What a text was counted to: sentences, words, syllables, and the grade that follows."""

    grade: float
    sentences: int
    words: int
    syllables: int


def grade_of(sentences: int, words: int, syllables: int) -> float:
    """The Flesch-Kincaid grade: 0.39 x words / sentences + 11.8 x syllables / words - 15.59.

    Source: Kincaid JP, Fishburne RP, Rogers RL, Chissom BS, Derivation of new readability formulas for Navy enlisted personnel, 1975.
    """
    return WORDS_PER_SENTENCE * words / sentences + SYLLABLES_PER_WORD * syllables / words - OFFSET


def read(text: str, names: frozenset[str] = frozenset()) -> Reading:
    """Count a text. One without words has grade 0 and counts of nought. ``names`` are product names in small letters."""
    spoken = [words for sentence in sentences_of(text) if (words := words_of(sentence))]
    if not spoken:
        return Reading(0.0, 0, 0, 0)
    number = sum(map(len, spoken))
    counted = sum(weight_of(word, names) for words in spoken for word in words)
    return Reading(grade_of(len(spoken), number, counted), len(spoken), number, counted)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text: each ends with a full stop, question or exclamation mark before white space, or with an empty line.

    The dot of a number, of an abbreviation (``e.g.``) or of a single capital ends none.
    """
    found, start = [], 0
    for match in _END.finditer(text):
        if match[0].startswith(".") and match.end() < len(text) and _ABBREVIATION.search(text[start:match.start() + 1]):
            continue
        found.append(text[start:match.end()].strip())
        start = match.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def words_of(sentence: str) -> list[str]:
    """The words of a sentence. What hyphens, apostrophes or slashes join is one word; so is a number or a range."""
    return _TOKEN.findall(sentence)


@lru_cache(maxsize=20_000)
def weight_of(word: str, names: frozenset[str] = frozenset()) -> int:
    """The syllables a word counts for: one for a number, a unit or a product name, one per letter for an abbreviation, else as spoken."""
    if any(character.isdigit() for character in word) or word in _UNITS or word.lower().partition("'")[0] in names:
        return 1
    return sum(_spoken(part) for part in re.split(r"[-/.,:]", word))


def _spoken(part: str) -> int:
    letters = part.partition("'")[0].partition("’")[0]
    if len(letters) > 1 and (letters.isupper() or len(_CAPITALS.findall(letters)) > 1):
        return len(letters.removesuffix("s") if letters[-1] == "s" else letters)
    return syllables(part)


def syllables(word: str) -> int:
    """The syllables of one word as it is spoken, at least one.

    Groups of vowels are counted; a silent e at the end, in -ed and in -es is left out; vowels that are spoken apart (di-et) count twice.
    """
    plain = unicodedata.normalize("NFKD", word.lower()).replace("’", "'").replace("æ", "ae").replace("œ", "oe")
    negated = bool(re.search(r"[dstv]n't$", plain))
    bare = re.sub(r"[^a-z]", "", plain.removesuffix("'s"))
    if not bare:
        return 1
    return max(1, _counted(bare) + negated)


def _counted(word: str) -> int:
    if word in EXCEPTIONS:
        return EXCEPTIONS[word]
    if word.endswith("s") and word[:-1] in EXCEPTIONS and not _SPOKEN_ES.search(word):
        return EXCEPTIONS[word[:-1]]
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if stem != word and len(stem) > 3 and _SILENT_BEFORE.search(stem):
            return _counted(stem) + _counted(suffix)
    heard = _CONSONANT_Y.sub("j", word)
    count = len(_VOWELS.findall(heard)) + len(_SPLIT.findall(heard))
    silent = not _CONSONANT_LE.search(word) and (_SILENT_END.search(word) or (word.endswith("es") and not _SPOKEN_ES.search(word)))
    return count - bool(silent)

