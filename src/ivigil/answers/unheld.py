"""Questions of a kind that nothing which was read can answer, whatever else they name: what one named person thinks, a disease or a product nobody knows."""

from __future__ import annotations

from ivigil.answers.find import index_of
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary

_TITLES = {"dr", "doctor", "prof", "professor", "mr", "ms", "miss", "sir", "dame", "sister", "nurse"}
_OF_PRODUCTS = {"product", "uses", "rate", "rounding", "choice", "iga", "sugar", "sodium", "scig", "cost", "disease"}
"""Topics that are asked of a product."""
_SHORTEST = 5


def unheld(question: Question, vocabulary: Vocabulary, strange: tuple[str, ...]) -> tuple[str, ...]:
    """The words for what nothing tells of: a person by title and name, an unknown word where a disease is named, one written as a product; else nothing."""
    return _person(question, vocabulary) or tuple(word for word in question.aims if word in strange) or _product(question, strange)


def _person(question: Question, vocabulary: Vocabulary) -> tuple[str, ...]:
    index = index_of(vocabulary.evidence)
    for place, word in enumerate(question.words[:-1]):
        after = question.words[place + 1]
        name = after.text[0].isupper() and not after.text.isupper() and after.text.isalpha() and not question.text.isupper()
        if word.fold in _TITLES and word.text[0].isupper() and name and (vocabulary.everyday(after.fold) or not index.knows(after.fold)):
            return (f"{word.text} {after.text}",)
    return ()


def _product(question: Question, strange: tuple[str, ...]) -> tuple[str, ...]:
    if question.products or question.vaccines or not set(question.topics) & _OF_PRODUCTS:
        return ()
    written = [word for word in question.words if word.fold in strange and word.text[0].isupper() and not word.text.isupper()]
    return tuple(word.text for word in written[:1] if len(word.text) >= _SHORTEST and word.text.isascii() and word.text.isalpha())
