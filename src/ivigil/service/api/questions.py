"""Questions in words, answered from the statements of the evidence alone."""

from __future__ import annotations

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from ivigil.answers.answer import Audience
from ivigil.answers.ask import Asking, answer
from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.evidence.library import Evidence
from ivigil.planning.choices import Collected, day_of
from ivigil.rendering.answer_json import answer_json
from ivigil.service.api import documented
from ivigil.service.api.answers import answered
from ivigil.service.api.request import taken_apart
from ivigil.service.clock import today
from ivigil.service.hospital import bounded, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.phrasing import phrased

router = APIRouter(prefix="/api/v1")


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question with who asks and where; a record may stand beside it."""

    question: str
    audience: Audience = "clinician"
    jurisdiction: str = ""
    as_of: str = ""


@router.post("/ask", **documented.ASK)
async def ask(request: Request) -> Response:
    """Answer a question: the same bytes as ``ivigil ask --format json``."""
    body = await request.body()

    record, parts = taken_apart(body)
    beside = bool(parts)

    def make() -> str:
        hospital = hospital_of(request)
        if beside:
            bounded(record, hospital.limits, "record")
        found = Collected()
        question = found.attempt(lambda: _question(parts if beside else _object(body)), None)
        day = found.attempt(lambda: day_of(question.as_of if question is not None else "", today(), str), today())
        place = found.attempt(lambda: _place(question, hospital.site.jurisdiction, hospital.evidence), "") if question is not None else ""
        patient = found.attempt(lambda: hospital.only(record, day), None) if beside else None
        if found.problems or question is None:
            raise BadInput(found.problems)
        made = answer(question.question, hospital.evidence, Asking(question.audience, place, day, patient))
        return answer_json(phrased(made, request.app.state.settings.phrasing))

    text = await to_thread.run_sync(make)
    if beside:
        plan_noted(request, record)
    return answered(text)


def _object(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise BadInput([Problem("request", 0, "", "not a JSON object", 'write for example {"question": "What is the dose in CIDP?"}')]) from None


def _question(plain: object) -> Question:
    problems: list[Problem] = []
    question = Shaper().read(plain, Question, "request", {}, (), problems)
    if question is None:
        raise BadInput(problems)
    return question


def _place(question: Question, own: str, evidence: Evidence) -> str:
    place = question.jurisdiction or own
    if place in evidence.jurisdictions:
        return place
    similar = near(place, list(evidence.jurisdictions)) if place else []
    why = f"'{place}' is not known" if place else "no place is named, and authorities differ"
    raise BadInput([Problem("jurisdiction", 0, "", why, f"one of {', '.join(similar or evidence.jurisdictions)}")])
