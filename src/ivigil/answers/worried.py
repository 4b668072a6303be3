"""What patients hear beside a refusal when they speak of their body: the signs of danger that share a word with the question, and whom to call."""

from __future__ import annotations

from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, frame, plain_for, said_of
from ivigil.answers.telling import STEM, held_in
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.answers.words import words_of

_SIGNS, _CALL = "advice.red.", "advice.when-to-call"
_MOST = 3


def beside_refusal(here: Here, question: Question, vocabulary: Vocabulary) -> tuple[Said, ...]:
    """Signs of danger with the words for the body that stand in a patient's question, at most three, and that the team may be called; else nothing.

    That nobody recorded something does not make it harmless.
    """
    found = vocabulary.marks["body"].found(question.words)
    if not plain_for(here.audience) or not found:
        return ()
    places = {place for match in found for place in range(match.start, match.end)}
    own = {question.words[match.start].fold for match in found if match.width == 1}
    for match in vocabulary.synonyms.found(question.words):
        if places & set(range(match.start, match.end)):
            own.update(word.fold for phrase in here.evidence.synonyms[match.value].means for word in words_of(phrase))
    stems = {fold[:STEM] for fold in own}
    signs = [one for name in here.evidence.advice if name.startswith(_SIGNS) for one in said_of(here.evidence, name, here.audience)]
    shared = [one for one in signs if stems & held_in(one)][:_MOST]
    lead = [frame("Call for help if this happens:")] if shared else []
    return (*lead, *shared, *said_of(here.evidence, _CALL, here.audience))
