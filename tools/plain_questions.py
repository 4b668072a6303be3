"""Questions without keys, as people type them: how many are refused, recognised as about an own dose, or answered. ``tests/answers/questions/plain``.

They show what an unknown question meets: ``first`` is how many came out right when the file was first asked. After that each was read and worked on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from tools.answer_measures import DAY
from tools.question_set import FOLDER

from ivigil.answers.answer import Answer, Audience
from ivigil.answers.ask import Asking, answer
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.library import Evidence

T = TypeVar("T", bound=msgspec.Struct)
PLAIN = FOLDER / "plain"
OWN_DOSE = "individual-dose-for-patient"


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that a statement answers."""

    audience: Audience
    jurisdiction: str
    statement: str
    question: str


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of questions that must not be answered."""

    audience: Audience
    expect: str
    first: int
    questions: tuple[str, ...]


class Answerable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of questions that statements answer."""

    expect: str
    first: int
    questions: tuple[Held, ...]


@dataclass(frozen=True)
class Count:
    """How many of a file come out right, now and when it was first asked; ``cited`` of those that are to be answered give the statement that was meant."""

    name: str
    expect: str
    right: int
    first: int
    whole: int
    cited: int = 0


def counted(evidence: Evidence) -> list[Count]:
    """Every file, asked today."""
    out = [_refused(evidence, path) for path in sorted(PLAIN.glob("*.yaml")) if path.stem != "held"]
    held = _read(PLAIN / "held.yaml", Answerable)
    given = [(one, _ask(evidence, one.question, one.audience, one.jurisdiction)) for one in held.questions]
    cited = sum(one.statement in {cite for sentence in got.sentences for cite in sentence.statements} for one, got in given)
    answered = sum(got.outcome == "answered" for _, got in given)
    return [*out, Count("held", held.expect, answered, held.first, len(given), cited)]


def _refused(evidence: Evidence, path: Path) -> Count:
    listed = _read(path, Refused)
    given = [_ask(evidence, question, listed.audience, "US") for question in listed.questions]
    right = sum(got.reason == OWN_DOSE if listed.expect == "own-dose" else got.outcome != "answered" for got in given)
    return Count(path.stem, listed.expect, right, listed.first, len(given))


def _ask(evidence: Evidence, question: str, audience: Audience, jurisdiction: str) -> Answer:
    return answer(question, evidence, Asking(audience, jurisdiction, DAY))


def _read(path: Path, shape: type[T]) -> T:
    problems: list[Problem] = []
    value, lines = read_yaml(path.read_text(encoding="utf-8"), path.name)
    found = Shaper().read(value, shape, path.name, lines, problems=problems)
    if found is None:
        raise BadInput(problems)
    return found
