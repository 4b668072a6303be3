"""An answer arranged for reading: the words that every view of it shares."""

from __future__ import annotations

import re

import msgspec

from ivigil.answers.answer import Answer, Sentence
from ivigil.planning.line import Reference
from ivigil.planning.wording import day_text
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sheet import READ, Grid, grid_of
from ivigil.rendering.sources import known, locator

OUTCOME = {
    "answered": "ANSWER",
    "partly": "ANSWER IN PART",
    "asks": "QUESTION BACK - nothing is worked out until it is answered",
    "refused": "NO ANSWER",
    "emergency": "EMERGENCY",
}
REVIEW = {
    "": "",
    "approved": "The statements used are approved by a reviewer.",
    "submitted": "No clinician has approved the statements used yet; check each against its source.",
    "under-review": "The statements used are under review; check each against its source.",
    "rejected": "A reviewer has rejected one of the statements used.",
    "superseded": "One of the statements used is superseded.",
}
PATIENT_REVIEW = "A doctor has not checked these texts yet. Ask your team before you act on them."
UNSURE = (*READ.values(), "one reading")
"""Marks of how the support was read."""
PATIENT_READINGS = "Some of these sources were read once or second-hand, and some lines are general knowledge. Your team can check them."
PURPOSE = {
    "patient": "General facts only. This is no advice for you alone. Your own team decides with you.",
    "clinician": "For qualified health professionals. Every sentence names its source; it is no prescription and replaces neither label nor local protocol.",
    "researcher": "Every sentence names its source and how it was read. It is no prescription and replaces neither label nor local protocol.",
}
_SIGN = re.compile(r"(?<=\d) Cel\b")
_UNITS = (
    (re.compile(r"\[IU\]"), "IU"),
    (re.compile(r"\bmm\[Hg\]"), "mmHg"),
    (re.compile(r"(?<=\d) ug\b"), " microgram"),
    (_SIGN, " °C"),
    (re.compile(r"\b10\*(?=\d/)"), "10^"),
)


class Row(msgspec.Struct, frozen=True):
    """One sentence ready to show."""

    text: str
    sources: tuple[int, ...]
    marks: tuple[str, ...]
    frame: bool


class Block(msgspec.Struct, frozen=True):
    """One section ready to show."""

    id: str
    title: str
    rows: tuple[Row, ...]
    table: Grid | None


class AnswerSheet(msgspec.Struct, frozen=True):
    """The whole answer in reading order."""

    outcome: str
    headline: str
    question: str
    asked: str
    short: tuple[Row, ...]
    corrections: tuple[Row, ...]
    blocks: tuple[Block, ...]
    follow_up: tuple[str, ...]
    related: tuple[str, ...]
    sources: tuple[tuple[int, str], ...]
    footer: tuple[str, ...]


def answer_sheet(answer: Answer) -> AnswerSheet:
    """Arrange an answer. All text in the result is clean of control characters."""
    plain = answer.audience == "patient"
    blocks = tuple(
        Block(
            section.id,
            clean(section.title),
            tuple(_row(one, plain) for one in section.sentences),
            grid_of(section.table) if section.table is not None else None,
        )
        for section in answer.sections
    )
    review = (
        (PATIENT_REVIEW if answer.audience == "patient" else REVIEW[answer.review]) if answer.review and answer.review != "approved" else REVIEW[answer.review]
    )
    version = f"Evidence {answer.evidence_version}, ivigil {answer.program_version}, {clean(answer.jurisdiction)}, as of {day_text(answer.as_of)}."
    return AnswerSheet(
        outcome=answer.outcome,
        headline=OUTCOME[answer.outcome],
        question=clean(answer.question),
        asked=f"{answer.audience}, {answer.jurisdiction}",
        short=tuple(_row(one, plain) for one in answer.short),
        corrections=tuple(_row(one, plain) for one in answer.corrections),
        blocks=blocks,
        follow_up=tuple(map(clean, answer.follow_up)),
        related=tuple(map(clean, answer.related)),
        sources=tuple((reference.number, _cited(reference)) for reference in answer.references),
        footer=tuple(part for part in (review, _readings(answer), PURPOSE[answer.audience], _phrasing(answer), version) if part),
    )


def _readings(answer: Answer) -> str:
    """For patients, once and in plain words, what stands as a mark on each sentence for others."""
    if answer.audience != "patient" or not any(set(sentence.marks) & set(UNSURE) for sentence in answer.sentences):
        return ""
    return PATIENT_READINGS


def _phrasing(answer: Answer) -> str:
    """What a language model did, for whoever reads the words."""
    about = answer.phrasing
    if isinstance(about, msgspec.UnsetType):
        return ""
    if about.failed:
        return f"Not reworded: {clean(about.failed)}. All sentences stand as composed."
    return f"{about.reworded} of {about.sent} sentences are reworded by a language model, marked so and checked word by word against what was composed."


def _row(sentence: Sentence, plain: bool) -> Row:
    marks = tuple(clean(mark) for mark in sentence.marks if not plain or mark not in UNSURE)
    return Row(_spoken(clean(sentence.text)), sentence.sources, marks, sentence.kind == "frame")


def _spoken(text: str) -> str:
    for pattern, unit in _UNITS:
        text = pattern.sub(unit, text)
    return text


def _cited(reference: Reference) -> str:
    head = ". ".join(part.rstrip(".") for part in (clean(reference.title), known(reference.publisher, reference.year)) if part)
    marks = f" ({READ[reference.read]})" if reference.read in READ else ""
    where = "; ".join(part for part in (locator(reference.where), clean(reference.note)) if part)
    return f"{head}.{marks} {where}".strip()
