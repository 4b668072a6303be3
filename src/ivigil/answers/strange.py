"""The words of a question that nothing and nobody knows: what is asked about may be unknown to the evidence."""

from __future__ import annotations

from ivigil.answers.find import index_of
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.answers.words import Word, distance, words_of
from ivigil.evidence.library import Evidence

_FEWEST_LETTERS = 5
"""A shorter word is no misspelt name."""


def strange_words(question: Question, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Words that no name, no statement and no list of everyday words holds: what is asked about may be unknown to the evidence."""
    index = index_of(vocabulary.evidence)
    meant = {question.words[place].fold for match in vocabulary.synonyms.found(question.words) for place in range(match.start, match.end)}
    places = [match for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind == "other-place" and "travel" in question.topics]
    travelled = {question.words[place].fold for match in places for place in range(match.start, match.end)}
    capital = [word for word in question.words[1:] if word.text[0].isupper() and not question.text.isupper()]
    proper = {word.fold for word in capital if not (word.text.isupper() and word.fold in meant)}
    meant |= {word.fold for word in question.words if _of_name(word, question, vocabulary.evidence)}
    unheard = (word for word in question.loose if len(word) > 2 and word not in travelled and not vocabulary.everyday(word) and not index.knows(word))
    return tuple(word for word in unheard if word in proper or not (word in meant or vocabulary.misspelt(word)))


def _of_name(word: Word, question: Question, evidence: Evidence) -> bool:
    """True for a word that is but for one letter a word in the name of a disease that was understood: ``gravs`` in myasthenia gravis."""
    named = (known.fold for name in question.indications for known in words_of(evidence.indications[name].name.clinical) if len(known.fold) > _FEWEST_LETTERS)
    return word.text.isalpha() and len(word.text) >= _FEWEST_LETTERS and any(distance(word.text.lower(), known, 1) <= 1 for known in named)


def written_as_name(question: Question, strange: tuple[str, ...]) -> bool:
    """True when such a word is written as a name inside the sentence: perhaps a product nobody read of."""
    return any(word.fold in strange and word.text[0].isupper() and not word.text.isupper() for word in question.words[1:])
