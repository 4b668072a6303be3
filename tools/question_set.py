"""The questions with answer keys of ``tests/answers/questions``: their shape, how they are read, and when a key's text stands in an answer.

The files are described in ``tests/answers/questions/README.md``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UnitProblem, unit_named
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import read_yaml

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "answers" / "questions"
Half = Literal["development", "locked"]
HALVES: tuple[Half, ...] = ("development", "locked")
"""The two halves of the first set, alike by rule."""
Part = Literal["development", "locked", "fresh"]
PARTS: tuple[Part, ...] = (*HALVES, "fresh")
"""The halves and a set that somebody wrote later, from the evidence and without having seen the halves' answers or the program."""
Outcome = Literal["answered", "asks", "refused", "emergency"]
Reason = Literal["emergency", "not-in-evidence", "out-of-scope", "other-drug", "unsafe-unit", "ambiguous", "individual-dose-for-patient", "language", "empty",
                 "too-long", "not-a-question"]
Trap = Literal["contradictory", "stale", "unanswerable", "unsafe-unit", "emergency", "other-drug", "leading", "negation", "two-questions", "slang", "injection",
               "language", "ambiguous", "individual-dose", "junk"]


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the answer must hold: one of ``any`` in its text, and one of ``statements`` cited. ``computed``: arithmetic that no statement prints.

    ``first``: it must stand in the short answer, since who reads no further would be led astray without it.
    """

    any: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    computed: bool = False
    first: bool = False


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question as somebody would write it, and its key. ``times`` repeats the text, for questions too long to print."""

    id: str
    question: str
    audience: Literal["patient", "clinician", "researcher"]
    jurisdiction: str
    expect: tuple[Outcome, ...]
    reason: tuple[Reason, ...] = ()
    record: str = ""
    trap: Trap | None = None
    times: int = 1
    must_have: tuple[Fact, ...] = ()
    must_not: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole question."""
        return self.question * self.times

    @property
    def topic(self) -> str:
        """The file it stands in."""
        return self.id.partition(".")[0]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    questions: tuple[Question, ...]


def read_questions(part: Part, folder: Path = FOLDER) -> tuple[Question, ...]:
    """The questions of one part, in the order of their files.

    Raises:
        BadInput: a file is not as the README says; every problem is listed with its line.
    """
    problems: list[Problem] = []
    found: list[Question] = []
    for path in sorted((folder / part).glob("*.yaml")):
        place = f"{part}/{path.name}"
        try:
            value, lines = read_yaml(path.read_text(encoding="utf-8"), place)
        except BadInput as error:
            problems += error.problems
            continue
        file = Shaper().read(value, _File, place, lines, problems=problems)
        for question in file.questions if file is not None else ():
            if question.topic != path.stem:
                problems.append(Problem(place, 0, question.id, "begins with another topic than its file", "move it, or begin its id with the name of the file"))
            found.append(question)
    if problems:
        raise BadInput(problems)
    return tuple(found)


_HYPHENS = re.compile("[\u2010-\u2015\u2212]")
_RANGE = re.compile(r"(?<=\d)\s*(?:\bto\b|-)\s*(?=\d)")
_SPELT = ((re.compile(r"\b(hour|day|week|month|year)s\b"), r"\1"), (re.compile(r"\bhour\b"), "h"), (re.compile(r"\bminutes?\b"), "min"),
          (re.compile(r"\bgrams? per (?:kilogram|kg)\b"), "g/kg"), (re.compile(r"\bgrams?\b"), "g"), (re.compile(r"\bper ?cent\b"), "%"))
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d]+|[^\w\s]")
_QUANTITY = re.compile(r"[\d.,-]+\s*(\S+)$")


def folded(text: str) -> str:
    """A text without what does not change its meaning: case, kinds of space and hyphen, the plural and the spelling-out of units, ``2 to 5`` for ``2-5``."""
    text = _HYPHENS.sub("-", unicodedata.normalize("NFKC", text).lower().replace("°c", " cel"))
    text = _RANGE.sub("-", text)
    for spelling, short in _SPELT:
        text = spelling.sub(short, text)
    return " ".join(text.split())


@lru_cache(maxsize=8192)
def _pattern(text: str) -> re.Pattern[str]:
    text = folded(text)
    body = r"\s*".join(map(re.escape, _TOKEN.findall(text))) if text[0].isdigit() else r"\s+".join(map(re.escape, text.split()))
    start = r"(?<![\w.,/*])" if text[0].isalnum() else ""
    end = ""
    quantity = _QUANTITY.match(text)
    if text[-1].isdigit():
        end = r"(?!\d|[.,]\d)"
    elif quantity is not None and _is_unit(quantity[1]):
        end = r"(?!\w|/)"
    return re.compile(start + body + end)


def _is_unit(text: str) -> bool:
    try:
        return bool(unit_named(text))
    except UnitProblem:
        return False


def stands(text: str, inside: str) -> bool:
    """True if a key's text stands in a text.

    A word may go on (``headache`` finds ``headaches``), a number or a unit may not: ``2 g/kg`` finds neither ``12 g/kg`` nor ``2 g/kg/h``.
    """
    return _pattern(text).search(folded(inside)) is not None
