"""Signs of an emergency in a question: named at all, and happening now to a person rather than denied, past or asked about in general."""

from __future__ import annotations

import re
from itertools import product

from ivigil.answers.vocabulary import Sign, Vocabulary
from ivigil.answers.words import Match, Word, words_of

_CLAUSE = re.compile(r"[.;:!?\n]|,| but | and | - ")
_SENTENCE = re.compile(r"[.;!?\n]+(?=\s|$)")
_DENIED_WITHIN = 5
_WITHIN = 8
"""How many words the wordings of a group may span together."""
_CALMING = ("general", "supposed", "what-to-do")
"""Lists of words in which "I" need not be somebody to whom it happens: "can it give me", "if I get", "what should I do"."""
_ASKS_IN_GENERAL = {"do", "doe", "does", "will", "may", "might", "would", "which", "list", "what"}
"""A question that begins so, and speaks of nobody, is one about the treatment in general."""


def signs_of(words: tuple[Word, ...], text: str, vocabulary: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The emergencies whose signs are named at all, and those that are happening now or may be."""
    idle = {place for match in vocabulary.marks["no-sign"].found(words) for place in range(match.start, match.end)}
    found = [match for match in vocabulary.signs.found(words) if not idle.intersection(range(match.start, match.end))]
    if not found:
        return (), ()
    denied = {place for match in vocabulary.marks["denied"].found(words) for place in range(match.start, match.end)}
    breaks = _breaks(text, words)
    listed: dict[tuple[str, int], dict[int, list[Match[Sign]]]] = {}
    for match in found:
        listed.setdefault((match.value.emergency, match.value.group), {}).setdefault(match.value.place, []).append(match)
    named: dict[str, set[int]] = {}
    for name, lengths in vocabulary.sign_lists.items():
        for group, length in enumerate(lengths):
            lists = listed.get((name, group), {})
            if len(lists) == length and (_together if group else _anywhere)(list(lists.values()), denied, breaks):
                named.setdefault(name, set()).update(match.start for matches in lists.values() for match in matches)
    if not named:
        return (), ()
    marked = {name: {place for match in vocabulary.marks[name].found(words) for place in range(match.start, match.end)} for name in _CALMING}
    calm = set().union(*marked.values())
    spoken = _sentences(text)
    theirs = {spoken[place] for places in named.values() for place in places}
    own = {spoken[match.start] for match in vocabulary.marks["personal"].found(words) if match.start not in calm}
    personal = bool(own & theirs) or (bool(own) and not any(spoken[place] in theirs for place in calm))
    happening = bool(vocabulary.marks["happening"].found(words)) or (bool(marked["what-to-do"]) and not marked["supposed"])
    past = bool(vocabulary.marks["past"].found(words))
    in_general = bool(marked["general"] or marked["supposed"]) or words[0].fold in _ASKS_IN_GENERAL
    now = happening or (not past and (personal or not in_general))
    return tuple(named), tuple(named) if now else ()


def _sentences(text: str) -> list[int]:
    """The sentence that each word stands in."""
    return [number for number, sentence in enumerate(_SENTENCE.split(text)) for _ in words_of(sentence)]


def _breaks(text: str, words: tuple[Word, ...]) -> set[int]:
    """The places of words that begin a new clause."""
    places: set[int] = set()
    count = 0
    for clause in _CLAUSE.split(text):
        places.add(count)
        count += len(words_of(clause))
    return places


def _anywhere(lists: list[list[Match[Sign]]], denied: set[int], breaks: set[int]) -> bool:
    """True when of every list a wording stands somewhere that nothing denies."""
    return all(_undenied(found, denied, breaks) for found in lists)


def _undenied(found: list[Match[Sign]], denied: set[int], breaks: set[int]) -> bool:
    return any(not _is_denied(match.start, match.end, set() if match.value.denies else denied, denied, breaks) for match in found)


def _together(lists: list[list[Match[Sign]]], denied: set[int], breaks: set[int]) -> bool:
    """True when a wording of every list stands within a few words of the others, and nothing denies them."""
    for chosen in product(*lists):
        own = {place for match in chosen for place in range(match.start, match.end)}
        start, end = min(match.start for match in chosen), max(match.end for match in chosen)
        apart = len(own) == sum(match.width for match in chosen)
        if apart and end - start <= _WITHIN and not _is_denied(start, end, denied - own, denied - own, breaks):
            return True
    return False


def _is_denied(start: int, end: int, inside: set[int], before: set[int], breaks: set[int]) -> bool:
    """True when a word that denies stands inside, or shortly before in the same clause."""
    if any(place in inside for place in range(start, end)):
        return True
    if start in breaks:
        return False
    for place in range(start - 1, max(-1, start - 1 - _DENIED_WITHIN), -1):
        if place in before:
            return True
        if place in breaks:
            return False
    return False
