"""``ivigil ask``: a question in, an answer with its sources out."""

from __future__ import annotations

import sys
from datetime import date
from typing import cast

import msgspec

from ivigil.answers.answer import Answer, Audience
from ivigil.answers.ask import Asking, answer
from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, Collected, load, read_profile, records_of
from ivigil.cli.output import colour, columns, counted, note, report, write
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record

EXIT = {"answered": 0, "partly": 0, "emergency": 0, "asks": 5, "refused": 4}
"""The exit code of an answer by its outcome."""


class Wanted(msgspec.Struct, frozen=True):
    """The options of one call beside the question."""

    audience: str = "clinician"
    jurisdiction: str = ""
    record: str = ""
    as_of: str = ""
    form: str = "terminal"
    out: str = ""
    overlay: str = ""
    evidence: str = ""
    site: str = ""
    phrase: str = ""
    phrase_model: str = "local"
    phrase_hosts: tuple[str, ...] = ()


def run_ask(question: str, wanted: Wanted) -> int:
    """Answer one question; ``-`` reads it from standard input. Exit code 2 for bad input, 4 when there is no answer, 5 when a question comes back, else 0."""
    try:
        evidence = load(Choices(evidence=wanted.evidence, overlay=wanted.overlay))
    except BadInput as error:
        return report(error.problems, "The evidence does not load; nothing was answered:")
    found = Collected()
    place = found.attempt(lambda: _place(wanted, evidence), "")
    day = found.attempt(lambda: _day(wanted.as_of, date.today()), date.today())  # the day where the user is
    record = found.attempt(lambda: _record(wanted.record, evidence), None) if wanted.record else None
    text = found.attempt(lambda: _question(question), "")
    if wanted.phrase:
        found.attempt(lambda: _phrasing_checked(wanted), None)
    if found.problems:
        return report(found.problems, f"{counted(len(found.problems), 'problem')} in the input; nothing was answered:")
    try:
        made = answer(text, evidence, Asking(cast(Audience, wanted.audience), place, day, record))
        made = _phrased(made, wanted)
        write(_rendered(made, wanted.form), wanted.out)
    except BadInput as error:
        return report(error.problems, f"{counted(len(error.problems), 'problem')} in the input; nothing was answered:")
    if wanted.out:
        note(f"answer written to {wanted.out}")
    return EXIT[made.outcome]


def _phrased(made: Answer, wanted: Wanted) -> Answer:
    """The answer reworded where one asked for it and the check lets it stand."""
    if not wanted.phrase:
        return made
    from ivigil.service.phrasing import Phrasing, phrased

    return phrased(made, Phrasing(wanted.phrase, wanted.phrase_model, wanted.phrase_hosts))


def _phrasing_checked(wanted: Wanted) -> None:
    from ivigil.service.phrasing import Phrasing, unfit

    problems = list(unfit(Phrasing(wanted.phrase, wanted.phrase_model, wanted.phrase_hosts), "--phrase", ""))
    if problems:
        raise BadInput(problems)


def _question(question: str) -> str:
    if question != "-":
        return question
    try:
        return sys.stdin.buffer.read(_LARGEST).decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput([Problem("standard input", 0, "", "it is not UTF-8 text", "save it as UTF-8")]) from None


_LARGEST = 200_000


def _place(wanted: Wanted, evidence: Evidence) -> str:
    place = wanted.jurisdiction or (read_profile(wanted.site).jurisdiction if wanted.site else "")
    if not place:
        raise BadInput([Problem("--jurisdiction", 0, "", "no place is named, and authorities differ", f"name one of {', '.join(evidence.jurisdictions)}")])
    if place not in evidence.jurisdictions:
        close = near(place, list(evidence.jurisdictions))
        raise BadInput([Problem("--jurisdiction", 0, "", f"'{place}' is not known", f"known: {', '.join(close or evidence.jurisdictions)}")])
    return place


def _day(text: str, today: date) -> date:
    if not text:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput([Problem("--as-of", 0, "", f"'{text}' is not a date", "write year-month-day, for example 2026-11-20")]) from None


def _record(name: str, evidence: Evidence) -> Record:
    records = list(records_of(name, evidence))
    if len(records) != 1:
        raise BadInput([Problem(name, 0, "--record", f"it holds {len(records)} patients", "a question is about one patient; name a record of one")])
    return records[0]


def _rendered(made: Answer, form: str) -> str:
    if form == "json":
        from ivigil.rendering.answer_json import answer_json

        return answer_json(made)
    if form == "markdown":
        from ivigil.rendering.answer_markdown import answer_markdown

        return answer_markdown(made)
    if form == "html":
        from ivigil.rendering.answer_html import answer_page

        return answer_page(made)
    from ivigil.rendering.answer_text import answer_text

    return answer_text(made, columns(), colour())
