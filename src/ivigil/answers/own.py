"""Whether patients ask for an amount, a speed or an interval of their own, or for leave to change it: that is for their doctor to set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.answers.words import Match

_TREATMENT = {"treatment", "drip"}
_NEAR = 6
"""Within how many words of *how much* the thing asked for stands."""
_PASSED = frozenset({"my", "the", "his", "her", "our", "this", "that", "these", "a", "an", "of", "to", "by", "up", "down", "out", "whole", "first", "next"})
_PASSED |= {"last", "weekly", "monthly", "normal", "usual", "single", "own", "daily", "for", "every", "each", "half", "about", "just", "old", "couple"}
_PASSED |= {"one", "two", "three", "few"}


def asks_own_dose(question: Question, vocabulary: Vocabulary) -> bool:
    """True when the words ask how much, how fast or how often somebody themselves is to have it, or whether they may have it otherwise than set."""
    found = _found(question, vocabulary)
    if not found["own-person"] and question.amounts.weight is None:
        return False
    own = [match for match in vocabulary.names.found(question.words) if match.value.kind == "product" or match.value.id in _TREATMENT]
    named = {place for match in own for place in range(match.start, match.end)}
    if not named and any(vocabulary.evidence.outsiders[name].kind == "other-drug" for name in question.outside):
        return False
    measured = named | {match.start for name in ("own-unit", "own-measure") for match in found[name]}
    amounts = question.amounts
    if found["own-plain"] or (amounts.weight is not None and found["own-asked"] and not question.outside):
        return True
    if (amounts.doses or amounts.rates or amounts.volume) and (found["own-leave"] or found["own-asked"]) and not question.corrections:
        return True
    return _asked(question, found, measured) or _changed(question, found, measured)


def own_medicine(question: Question, vocabulary: Vocabulary) -> str:
    """The other medicine of which somebody asks how much they themselves are to take beside the treatment; empty when none."""
    if not question.treatment:
        return ""
    found = _found(question, vocabulary)
    needed = {match.start for match in found["own-needed"]}
    listed = [(match.start, match.end) for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind == "other-drug"]
    listed += [(match.start, match.end) for match in vocabulary.names.found(question.words) if match.value.id.startswith("takes.")]
    for start, end in listed:
        near = set(range(start - _NEAR, start + 1))
        if found["own-person"] and needed & (near | {end, end + 1, end + 2}) and near & {one.start for one in found["own-asked"]}:
            return " ".join(word.text for word in question.words[start:end])
    return ""


def _found(question: Question, vocabulary: Vocabulary) -> Mapping[str, list[Match[str]]]:
    found: defaultdict[str, list[Match[str]]] = defaultdict(list)
    for match in vocabulary.own.found(question.words):
        found[match.value].append(match)
    return found


def _asked(question: Question, found: Mapping[str, Sequence[Match[str]]], measured: set[int]) -> bool:
    needed = {match.start for match in found["own-needed"]}
    other = {match.start for match in found["own-not"]}
    person = {match.start for match in found["own-person"]}
    for match in found["own-asked"]:
        near = set(range(match.start, match.end + _NEAR))
        if not person & (near | set(range(match.start - _NEAR, match.start))) and question.amounts.weight is None:
            continue
        counted = question.words[match.end - 1].fold == "many"
        if (near & ({one.start for one in found["own-unit"]} if counted else measured)) and near & needed and not near & other:
            return True
    return False


def _changed(question: Question, found: Mapping[str, Sequence[Match[str]]], measured: set[int]) -> bool:
    if not found["own-leave"] and not any(match.start == 0 for match in found["own-act"]):
        return False
    if found["own-turn"]:
        return bool(measured)
    objects = measured | {match.start for match in found["own-interval"]}
    return any(_object(question, match.end) in objects for match in found["own-act"])


def _object(question: Question, place: int) -> int:
    """The place of the word that a verb is about, past the small words between."""
    while place + 1 < len(question.words) and (question.words[place].fold in _PASSED or question.words[place].text[0].isdigit()):
        place += 1
    return place
