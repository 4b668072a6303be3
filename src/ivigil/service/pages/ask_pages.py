"""Questions in words, answered from the statements. A question travels in the body of a request, never in an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from markupsafe import Markup

from ivigil.answers.answer import Audience
from ivigil.answers.ask import Asking, answer
from ivigil.basis.problems import BadInput, Problem
from ivigil.rendering.answer_html import answer_html
from ivigil.service.changes import changes_in
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.pages.asked import record_of
from ivigil.service.pages.plan_pages import offered
from ivigil.service.pages.posted import posted
from ivigil.service.pages.render import page
from ivigil.service.phrasing import Phrasing, phrased

router = APIRouter(include_in_schema=False)

AUDIENCES = ("clinician", "patient", "researcher")


@router.get("/ask")
async def start(request: Request) -> Response:
    """The empty question."""
    return _shown(request, {})


@router.post("/ask")
async def ask(request: Request) -> Response:
    """The answer to a posted question. A question that comes from a plan without words of its own opens the page about that patient."""
    fields: dict[str, str] = {}
    try:
        fields = await posted(request)
        if not fields.get("question", "").strip():
            return _shown(request, fields)
        made = await run_in_threadpool(_answered, fields, hospital_of(request), request.app.state.settings.phrasing)
        if fields.get("record", "").strip():
            plan_noted(request, fields["record"], fields.get("changes", ""))
    except BadInput as error:
        return _shown(request, fields, error.problems)
    return _shown(request, fields, made=made)


def _answered(fields: Mapping[str, str], hospital: Hospital, phrasing: Phrasing) -> Markup:
    """The answer as markup in which every text is escaped."""
    place = fields.get("jurisdiction", "") or hospital.site.jurisdiction
    problems = []
    if place not in hospital.evidence.jurisdictions:
        known = ", ".join(hospital.evidence.jurisdictions)
        problems.append(Problem("jurisdiction", 0, "", "not given" if not place else f"'{place[:60]}' is not known", f"choose one of {known}"))
    if fields.get("audience", "") not in AUDIENCES:
        problems.append(Problem("audience", 0, "", "nobody is named for whom the answer is", f"choose one of {', '.join(AUDIENCES)}"))
    if problems:
        raise BadInput(problems)
    record = None
    if fields.get("record", "").strip():
        record = record_of(fields["record"], changes_in(fields.get("changes", "")), hospital, today())
    asking = Asking(audience=cast("Audience", fields["audience"]), jurisdiction=place, as_of=today(), record=record)
    return Markup(answer_html(phrased(answer(fields["question"], hospital.evidence, asking), phrasing)))


def _shown(request: Request, fields: Mapping[str, str], problems: Sequence[Problem] = (), made: Markup | None = None) -> Response:
    hospital = hospital_of(request)
    values = {
        "question": fields.get("question", ""),
        "audience": fields.get("audience", "clinician"),
        "jurisdiction": fields.get("jurisdiction", "") or hospital.site.jurisdiction,
    }
    surface = "education" if values["audience"] == "patient" and made is not None else "reference"
    return page(
        request,
        "ask.html",
        status=422 if problems else 200,
        surface=surface,
        problems=problems,
        values=values,
        answer=made,
        record=fields.get("record", ""),
        changes=fields.get("changes", ""),
        offered=offered(hospital),
    )
