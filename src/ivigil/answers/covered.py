"""Whether what was put together answers what was asked. Sentences that only share a topic with the question do not: they are no answer to it."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ivigil.answers.diseases import Here
from ivigil.answers.find import Index, index_of
from ivigil.answers.said import Said, plain_for, said_of
from ivigil.answers.telling import STEM, asked_for, held_in
from ivigil.answers.understand import Concept, Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.answers.words import folds_of

_SHARE = re.compile(
    r"\d\s*%(?! (?:immunoglobulin|product|liquid|solution|strength))|\d (?:of|in|out of) (?:the |every |about )?\d"
    r"|\b(?:half|third|quarter|fifth|tenth|all|none|most) ",
    re.IGNORECASE,
)
"""How a sentence tells a share; the strength of a product is none."""
_LIGHT = 0.4
"""What an everyday word weighs of what it would otherwise."""
_TELLING = 0.6
"""A sentence that holds this share of what is asked for answers it, whatever else is unheard."""
_ENTRY = 0.5
"""The share that some one entry of the evidence must hold for it to be about what is asked."""
_LEFT = 0.5
"""The share of the words that are neither names nor topics which the answer as a whole must take up."""
_ENOUGH, _ENOUGH_PLAIN, _SOME, _LITTLE = 5.0, 2.0, 3.0, 2.5
"""What those words must weigh together to tell what is asked: less is a turn of phrase. Less is enough of patients, and under topics of anything."""
_OF_ANYTHING = {"effects", "safe", "afterwards", "bring", "frequency"}
"""Topics under which people ask whether the treatment does something: what it is must then stand in the answer."""


def uncovered(here: Here, question: Question, vocabulary: Vocabulary, said: Iterable[Said], strange: Sequence[str]) -> tuple[str, ...] | None:
    """The words of a question that is not answered by what would be said, the weightiest first; None when it is answered.

    It is not when

    - somebody asks whether the treatment does or holds something, and no sentence but a sign of danger says so;
    - only the meaning of words would be told to who asked for none;
    - a share of something is asked for, and no sentence that tells one holds half of what is asked for;
    - a patient asks about no topic and the answer takes up nothing else of the question, or names an illness and does not speak of treatment;
    - a word that neither the evidence nor any list of words knows (``strange``) stands beside no telling sentence;
    - no entry of the evidence holds half of what is asked for, and the answer leaves most of the words aside that are neither names nor topics.
    """
    sentences = [one for one in said if one.kind != "frame"]
    asked = asked_for(question, here.evidence)
    index = index_of(here.evidence)
    done = _done(question, vocabulary, index)
    if done and not any(_mostly(done, one) for one in sentences if not _alarming(one)):
        return tuple(done)
    if _only_explained(here, question, sentences):
        return question.loose
    if asks_share(question, vocabulary) and not any(asked.share(one) >= _ENTRY and _SHARE.search(one.text) for one in sentences):
        return question.loose
    left = _left(question, vocabulary, index)
    stems = {stem for one in sentences for stem in held_in(one)}
    missed = [(weight, word) for word, own, weight in left if not own & stems]
    named = tuple(word for _, word in sorted(missed, key=lambda one: -one[0]))
    whole = sum(weight for *_, weight in left)
    taken_up = 1 - sum(weight for weight, _ in missed) / whole if whole else 1.0
    if plain_for(here.audience) and not question.topics and ((not taken_up and whole >= _LITTLE) or _not_on_treatment(question)):
        return named or question.loose
    best = max((asked.share(one) for one in sentences), default=0.0)
    if best >= _TELLING:
        return None
    if strange:
        return tuple(dict.fromkeys((*strange, *named)))
    unheard = len(missed) == len(left) and bool(question.topics) and set(question.topics) <= _OF_ANYTHING and whole >= _SOME
    enough = _ENOUGH_PLAIN if plain_for(here.audience) else _ENOUGH
    if unheard or (whole >= enough and taken_up < _LEFT and _nearest_entry(question, index) < _ENTRY):
        return named
    return None


def asks_share(question: Question, vocabulary: Vocabulary) -> bool:
    """True when a percentage, a fraction or another share of something is asked for."""
    return bool(vocabulary.marks["asks-share"].found(question.words))


def _not_on_treatment(question: Question) -> bool:
    """True when an illness is named in a longer question, and neither the treatment nor anything that treatments do."""
    return not question.treatment and len(question.words) > _LONGER + 1 and not {word.fold for word in question.words} & _TREATING


def _only_explained(here: Here, question: Question, sentences: Sequence[Said]) -> bool:
    """True when nothing but the meaning of words is told to a longer question that asks for none."""
    if not sentences or question.named or question.asks_meaning or set(question.topics) & _ON_WORDS or len(question.words) < _LONGER:
        return False
    explained = {one.text for name in question.terms for one in said_of(here.evidence, name, here.audience)}
    return all(one.text in explained for one in sentences)


def _alarming(one: Said) -> bool:
    """True for a sign on which people call for help: that it is one does not say that the treatment does it."""
    return any(cite.startswith("care.red-flags") for cite in one.cites)


def _mostly(done: dict[str, frozenset[str]], one: Said) -> bool:
    """True for a sentence that holds at least half of the words, the rarest among them, or longer forms of them (*fail*, *failure*)."""
    folds = folds_of(one.text)
    held = [any(fold.startswith(tuple(own)) for fold in folds) for own in done.values()]
    return held[0] and 2 * sum(held) >= len(held)


def _done(question: Question, vocabulary: Vocabulary, index: Index) -> dict[str, frozenset[str]]:
    """What the treatment is said to do to somebody, or to hold, word by word with the stems that mean the same, the rarest first: ``make you gain weight``."""
    folds = [word.fold for word in question.words]
    verbs = [place for place, fold in enumerate(folds) if fold in _DOES and folds[max(0, place - 1)] != "to"]
    verb = next((place for place in verbs if _SUBJECTS & set(folds[max(0, place - 3) : place])), None)
    if verb is None:
        return {}
    meant = {word: concept.words for concept in question.concepts for word in concept.words}
    said = list(itertools.takewhile(lambda word: word.fold not in _UNTIL, question.words[verb + 1 :]))
    what = {word.text: meant.get(word.fold, (word.fold,)) for word in said if word.fold not in _PASSED_OVER and word.fold.isalpha()}
    rarest = sorted(what, key=lambda text: -_weight(what[text], index) * (_LIGHT if vocabulary.everyday(what[text][0]) else 1))
    return {text: frozenset(one[: max(STEM, len(one) - _ENDING)] for one in what[text]) for text in rarest}


_ON_WORDS, _LONGER = {"what", "words"}, 3
_TREATING = {"treat", "treated", "treatment", "help", "cure", "work", "use", "used", "have", "need", "good", "medicine", "infusion", "dose", "antibody"}
_TREATING |= {"amount", "round", "course"}
_ENDING = 4
"""So many letters at most end a long word: *personality* is not *person*."""
_DOES = {"make", "cause", "give", "affect", "change", "lower", "raise", "slow", "contain", "reduce", "increase", "damage", "harm", "turn", "bring", "ruin"}
_DOES |= {"improve", "boost", "worsen", "trigger", "stunt", "shrink", "grow"}
_SUBJECTS = {"ivig", "scig", "it", "this", "drip", "immunoglobulin", "infusion", "antibody", "treatment", "gamma", "globulin", "they", "medicine"}
_UNTIL = {"when", "while", "if", "and", "or", "because", "before", "after", "during", "for", "like", "as", "than", "then", "is", "in", "on", "from", "at"}
_UNTIL |= {"with", "without", "by", "so", "even", "despite", "through", "whatever", "unles"}
_PASSED_OVER = (
    {"i", "you", "your", "me", "my", "we", "us", "he", "she", "his", "her", "him", "their", "them", "it", "that", "this", "people", "someone"}
    | {"somebody", "patient"}
    | {"the", "a", "an", "any", "some", "all", "more", "less", "much", "too", "so", "very", "really", "ever", "also", "to", "with", "of", "up", "kind", "sort"}
    | {"go", "get", "feel", "be", "have", "bad", "worse", "better", "risk", "problem", "ivig", "scig", "immunoglobulin", "infusion", "drip"}
)
"""Words that say what is done to whom, and not what."""


def _left(question: Question, vocabulary: Vocabulary, index: Index) -> list[tuple[str, frozenset[str], float]]:
    """The words that are neither names nor topics, nor a recorded property or a place of travel: each with the stems that mean the same, and its weight."""
    told = {"property", "other-place"} if "travel" in question.topics else {"property"}
    matches = [match for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind in told]
    held = {question.words[place].fold for match in matches for place in range(match.start, match.end)}
    of_word = {word: concept for concept in question.concepts for word in concept.words}
    out = []
    for word in question.loose:
        if word in held:
            continue
        words = of_word[word].words if word in of_word else (word,)
        weight = min(_weight(words, index), index.weight_of(1) / 2) * _LIGHT if vocabulary.everyday(word) else _weight(words, index)
        out.append((word, frozenset(one[:STEM] for one in words), weight))
    return out


def _nearest_entry(question: Question, index: Index) -> float:
    """The largest share of what is asked for that one entry of the evidence holds."""
    held: defaultdict[int, float] = defaultdict(float)
    whole = 0.0
    for concept in question.concepts:
        if concept.small:
            continue
        weight = _weight(concept.words, index) * (_LIGHT if concept.light else 1)
        whole += weight
        for row in _rows(concept, index):
            held[row] += weight
    return max(held.values(), default=0.0) / whole if whole else 1.0


def _rows(concept: Concept, index: Index) -> frozenset[int]:
    return index.holders(concept.words) | {hit.row for owner in concept.owners for hit in index.under(owner)}


def _weight(words: Iterable[str], index: Index) -> float:
    return index.weight(words) or index.weight_of(1) / 2
