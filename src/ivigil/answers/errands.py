"""Whether something is asked to be done - written, booked, sent, played - instead of told: an answer from the evidence can do nothing of that."""

from __future__ import annotations

from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary

_MOST = 4
"""Words of an order that are said back."""


def errand(question: Question, vocabulary: Vocabulary) -> str:
    """The order at the head of the question, past words of courtesy; empty when there is none. An order for a dose is a question about it."""
    if question.amounts.doses or question.amounts.weight is not None or question.corrections:
        return ""
    orders = {match.start: match.end for match in reversed(vocabulary.orders.found(question.words))}
    courtesy = {match.start: match.end for match in reversed(vocabulary.courtesy.found(question.words))}
    place = 0
    while place in courtesy and place not in orders:
        place = courtesy[place]
    order = question.words[place : max(orders[place], place + _MOST)] if place in orders else ()
    return " ".join(word.text for word in order if word.text.isalpha())
