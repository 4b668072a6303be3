"""One pure function: a question, the evidence and who asks, to an answer. The same arguments give the same answer, byte for byte."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from ivigil import __version__
from ivigil.answers.answer import SCHEMA, Answer, Audience, Understood
from ivigil.answers.compose import Drawn, composed
from ivigil.answers.diseases import Here
from ivigil.answers.foremost import foremost
from ivigil.answers.number import numbered
from ivigil.answers.readable import unreadable
from ivigil.answers.refuse import Refusal, emergency, outside
from ivigil.answers.understand import Question, understand
from ivigil.answers.vocabulary import vocabulary_of
from ivigil.answers.worried import beside_refusal
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record

Use = Literal["synonyms", "topics"]
EVERYTHING: tuple[Use, ...] = ("synonyms", "topics")
_SHOWN = 300
_UNKNOWN = {"not-in-evidence", "out-of-scope"}


class Asking(msgspec.Struct, frozen=True):
    """Who asks, where and when, and about which patient. ``using`` leaves out parts of the understanding, to measure what each is worth."""

    audience: Audience
    jurisdiction: str
    as_of: date
    record: Record | None = None
    using: tuple[Use, ...] = EVERYTHING


def answer(question: str, evidence: Evidence, asking: Asking) -> Answer:
    """Answer a question from the statements of the evidence alone. Never raises for what is asked: emergencies come first, then refusals, then the answer.

    Raises:
        BadInput: the record of ``asking`` contradicts itself or cannot be right; every problem is listed.
    """
    here = Here(evidence, asking.audience, asking.jurisdiction, asking.as_of)
    vocabulary = vocabulary_of(evidence)
    refusal = unreadable(question, vocabulary)
    if refusal is not None and refusal.reason != "language":
        return _answer(question[:_SHOWN], None, _refused(refusal), here)
    understood = understand(question, vocabulary)
    if understood.emergencies:
        return _answer(question, understood, _urgent(emergency(here, understood, vocabulary), here, understood), here)
    if refusal is not None:
        return _answer(question, None, _refused(refusal), here)
    if len(understood.places) == 1 and asking.record is None:
        here = msgspec.structs.replace(here, jurisdiction=understood.places[0])
    drawn = composed(here, understood, vocabulary, asking.record, asking.using, outside(here, understood, vocabulary))
    if drawn.reason in _UNKNOWN:
        drawn = msgspec.structs.replace(drawn, short=(*drawn.short, *beside_refusal(here, understood, vocabulary)))
    return _answer(question, understood, drawn, here)


def _urgent(refusal: Refusal, here: Here, question: Question) -> Drawn:
    """What to do now; after the call for help, for clinicians, what speaks against an act that the question proposes."""
    warned = [] if here.audience == "patient" else [one for one in foremost(here, question) if one not in refusal.said]
    lead, *rest = refusal.said
    return msgspec.structs.replace(_refused(refusal), short=(lead, *rest[:1], *warned, *rest[1:]))


def _refused(refusal: Refusal) -> Drawn:
    return Drawn(refusal.outcome, refusal.reason, refusal.said, follow_up=refusal.follow_up, related=refusal.related)


def _answer(question: str, understood: Question | None, drawn: Drawn, here: Here) -> Answer:
    short, corrections, sections, references, review = numbered(drawn, here.evidence)
    return Answer(
        schema=SCHEMA,
        question=question,
        audience=here.audience,
        jurisdiction=here.jurisdiction,
        as_of=here.as_of,
        outcome=drawn.outcome,
        reason=drawn.reason,
        understood=_shown(understood),
        short=short,
        sections=sections,
        corrections=corrections,
        references=references,
        follow_up=drawn.follow_up,
        related=drawn.related,
        review=review,
        evidence_version=here.evidence.version,
        program_version=__version__,
    )


def _shown(question: Question | None) -> Understood:
    if question is None:
        return Understood()
    return Understood(
        question.topics, question.indications, question.products, question.vaccines, question.facts, question.amounts.texts, question.read_as, question.loose
    )
