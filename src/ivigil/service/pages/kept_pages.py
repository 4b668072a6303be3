"""What a reader takes away from a plan: JSON, the record, PDF, calendar, and plans saved for their owner alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from ivigil import __version__
from ivigil.basis.problems import BadInput, Problem
from ivigil.rendering.fhir import plan_fhir
from ivigil.rendering.json import plan_json
from ivigil.rendering.leaflet import leaflet_of
from ivigil.service.auth.who import person_of, require, store_of
from ivigil.service.changes import carried, changes_in, is_fhir
from ivigil.service.clock import now, today
from ivigil.service.errors import Refused
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.pages.asked import Asked, Made, as_shown, asked_in, leaflet_for, made_of
from ivigil.service.pages.plan_pages import shown, started
from ivigil.service.pages.posted import posted
from ivigil.service.pages.render import download, page
from ivigil.service.store.plans import SavedPlan

router = APIRouter(include_in_schema=False)


async def _kept(request: Request, write: Callable[[Made, Hospital], Response], *, note: bool = True) -> Response:
    """What ``write`` makes of the plan that is shown; noted in the audit trail unless ``write`` does that itself."""
    hospital, day = hospital_of(request), today()
    fields = {}
    try:
        fields = await posted(request)

        def make() -> Response:
            made = made_of(as_shown(asked_in(fields, hospital.evidence, day)), hospital, day)
            answer = write(made, hospital)
            if note:
                plan_noted(request, made.record, carried(made.beside))
            return answer

        return await run_in_threadpool(make)
    except BadInput as error:
        return started(request, fields, error.problems)


@router.post("/plan/json")
async def as_json(request: Request) -> Response:
    """The plan as ``ivigil plan --format json`` prints it."""
    return await _kept(request, lambda made, _: download(plan_json(made.plan), "plan.json", "application/json"))


@router.post("/plan/fhir")
async def as_fhir(request: Request) -> Response:
    """The plan as ``ivigil plan --format fhir`` prints it."""
    return await _kept(request, lambda made, hospital: download(plan_fhir(made.plan, hospital.evidence), "plan.fhir.json", "application/fhir+json"))


@router.post("/plan/record")
async def as_record(request: Request) -> Response:
    """The record of the plan, with the answers given on the page where it is in the written form."""
    fields = await posted(request)
    text = fields.get("record", "")
    return download(text, "record.json" if is_fhir(text) else "record.yaml", "application/fhir+json" if is_fhir(text) else "application/yaml")


@router.post("/plan/plan.pdf")
async def as_pdf(request: Request) -> Response:
    """The plan on the paper of its place."""
    from ivigil.rendering.print.pdf import plan_pdf

    return await _kept(request, lambda made, _: download(plan_pdf(made.plan), "plan.pdf", "application/pdf"))


@router.post("/plan/leaflet.pdf")
async def leaflet(request: Request) -> Response:
    """The patient's leaflet in large print."""
    from ivigil.rendering.print.pdf import leaflet_pdf

    return await _kept(
        request, lambda made, hospital: download(leaflet_pdf(leaflet_for(made, hospital, today()), made.plan), "leaflet.pdf", "application/pdf")
    )


@router.post("/plan/calendar")
async def calendar(request: Request) -> Response:
    """The days of the plan as a calendar file."""
    from ivigil.rendering.print.calendar import calendar_file

    def write(made: Made, hospital: Hospital) -> Response:
        return download(calendar_file(made.plan, leaflet_of(made.plan, hospital.evidence)), "plan.ics", "text/calendar")

    return await _kept(request, write)


@router.post("/plan/save")
async def save(request: Request) -> Response:
    """Keep record, choices and plan for whoever asks, and go to the address of the saved plan."""
    owner = require(request, "prescriber")
    plans = store_of(request).plans

    def keep(made: Made, hospital: Hospital) -> Response:
        plan, beside = made.plan, carried(made.beside)
        kept = plans.save(now(), owner, made.record.encode(), made.choices, plan.as_of, plan.evidence_version, __version__, plan_json(plan).encode(), beside)
        return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/plan/saved/{kept.id}", 303)

    return await _kept(request, keep, note=False)


@router.get("/plan/saved")
def saved_plans(request: Request) -> Response:
    """The saved plans of whoever asks, without anything of the patients."""
    return page(request, "saved.html", titles=store_of(request).plans.titles(person_of(request)))


@router.get("/plan/saved/{identity}")
def saved_plan(request: Request, identity: str) -> Response:
    """A saved plan of one's own, made again; where it comes out otherwise than it was saved, that is said and compared."""
    kept, hospital, day = _own(request, identity), hospital_of(request), today()
    try:
        made = made_of(Asked(kept.record.decode(), kept.choices, changes_in(kept.changes)), hospital, day)
    except BadInput as error:
        return started(request, {"record": kept.record.decode(), "changes": kept.changes}, error.problems)
    return shown(request, made, "clinician", saved=_state(kept, made, hospital, day))


def _state(kept: SavedPlan, made: Made, hospital: Hospital, day: date) -> str:
    """How the plan made now compares with the one that was saved."""
    when = f"Saved on {kept.made.date().isoformat()}"
    if plan_json(made.plan).encode() == kept.document:
        return f"{when}. It comes out the same today, byte for byte."
    if kept.evidence_version != hospital.evidence.version:
        return f"{when} with evidence {kept.evidence_version}. This is the plan of today's evidence {hospital.evidence.version}; the saved one is its JSON."
    return f"{when} with ivigil {kept.program_version}. The program or the site settings have changed since; the saved one is its JSON."


@router.get("/plan/saved/{identity}/json")
def saved_json(request: Request, identity: str) -> Response:
    """The plan exactly as it was saved."""
    return download(_own(request, identity).document.decode(), "plan.json", "application/json")


@router.post("/plan/saved/{identity}/delete")
def forget(request: Request, identity: str) -> Response:
    """Delete a plan of one's own with its record."""
    if not store_of(request).plans.forget(now(), person_of(request), identity):
        raise _not_there(identity)
    return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/plan/saved", 303)


def _own(request: Request, identity: str) -> SavedPlan:
    found = store_of(request).plans.get(now(), person_of(request), identity)
    if found is None:
        raise _not_there(identity)
    return found


def _not_there(identity: str) -> Refused:
    return Refused(404, Problem("plans", 0, identity[:64], "you have no plan of this id", "see the list of your saved plans"))
