"""What an answer is made of. Every sentence names the statements that carry it; a sentence of our own wording claims nothing."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from ivigil.planning.line import Reference, Table

Audience = Literal["patient", "clinician", "researcher"]
Outcome = Literal["answered", "partly", "asks", "refused", "emergency"]
Kind = Literal["statement", "entry", "plan-line", "forecast", "calculation", "frame"]
Reason = Literal[
    "",
    "emergency",
    "empty",
    "too-long",
    "not-a-question",
    "language",
    "instructions",
    "out-of-scope",
    "other-drug",
    "not-in-evidence",
    "individual-dose-for-patient",
    "unsafe-unit",
    "ambiguous",
    "indication-missing",
    "weight-missing",
    "too-many-questions",
]

SCHEMA = "ivigil.answer/1"


class Sentence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sentence. ``statement``: the words of a statement; ``entry``: composed from an entry whose numbers stand in its statements;
    ``plan-line``: a line of a plan; ``forecast``: a line of the forecast with what its models rest on; ``calculation``: arithmetic on numbers of the
    question and of cited statements; ``frame``: words of our own without a clinical claim or a number.
    """

    text: str
    kind: Kind
    statements: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()
    marks: tuple[str, ...] = ()
    composed: str = ""
    """The sentence as composed, where a language model reworded it."""


class Section(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one topic has to say."""

    id: str
    title: str
    sentences: tuple[Sentence, ...]
    table: Table | None = None


class Understood(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was understood of the question: ids of the evidence, amounts as text, words that were read as others, and words without an entry."""

    topics: tuple[str, ...] = ()
    indications: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    vaccines: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    read_as: dict[str, str] = {}
    unknown: tuple[str, ...] = ()


class Rewording(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a language model was asked to reword: how many sentences were sent, how many stand reworded, why others were kept, and what failed."""

    endpoint: str
    model: str
    sent: int
    reworded: int
    kept: dict[str, int] = {}
    failed: str = ""


class Answer(msgspec.Struct, frozen=True):
    """A whole answer: reproducible from the question, what was asked with it, the evidence version and the program version."""

    schema: str
    question: str
    audience: Audience
    jurisdiction: str
    as_of: date
    outcome: Outcome
    reason: Reason
    understood: Understood
    short: tuple[Sentence, ...]
    sections: tuple[Section, ...]
    corrections: tuple[Sentence, ...]
    references: tuple[Reference, ...]
    follow_up: tuple[str, ...]
    related: tuple[str, ...]
    review: str
    evidence_version: str
    program_version: str
    phrasing: Rewording | msgspec.UnsetType = msgspec.UNSET

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence as a reader meets them."""
        return (*self.short, *self.corrections, *(sentence for section in self.sections for sentence in section.sentences))
