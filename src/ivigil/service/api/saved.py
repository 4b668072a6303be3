"""Saved plans and the audit trail. A plan of somebody else is not there."""

from __future__ import annotations

from typing import Any

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from ivigil import __version__
from ivigil.basis.problems import BadInput, Problem
from ivigil.planning.choices import PlanChoices
from ivigil.rendering.json import plan_json
from ivigil.service.api import documented
from ivigil.service.api.answers import answered, pretty
from ivigil.service.api.plans import hospital_for
from ivigil.service.api.request import asked
from ivigil.service.auth.who import person_of, require, store_of
from ivigil.service.changes import changed_record, changes_in
from ivigil.service.clock import now, today
from ivigil.service.errors import Refused
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.store.plans import SavedPlan

router = APIRouter(prefix="/api/v1")


@router.post("/plans", **documented.SAVE)
async def save(request: Request) -> Response:
    """Plan one patient and keep record, choices and plan."""
    owner = require(request, "prescriber")
    wanted = await asked(request, PlanChoices)
    if any(part is not None for part in (wanted.envelope.formulary, wanted.envelope.stock, wanted.envelope.prices)):
        raise BadInput([Problem("request", 0, "formulary, stock, prices", "a plan made with lists of its own could not be made again",
                                "leave them out, or plan without saving")])

    def make() -> SavedPlan:
        choices, moment = wanted.envelope.choices.choices(), now()
        made = hospital_for(request, wanted).plan_of(wanted.record, choices, today())
        if wanted.problems:
            raise BadInput([])  # told by ``together``; nothing is kept
        return store_of(request).plans.save(moment, owner, wanted.record, choices, made.as_of, made.evidence_version, __version__, plan_json(made).encode())

    saved = await to_thread.run_sync(wanted.together, make)
    return answered(pretty(_shown(saved)), headers={"location": f"/api/v1/plans/{saved.id}"}, status=201)


@router.get("/plans", **documented.SAVED)
def listed(request: Request) -> Response:
    """The plans of whoever asks, newest first, without anything of the patients."""
    return answered(pretty({"plans": store_of(request).plans.titles(person_of(request))}))


@router.get("/plans/{identity}", **documented.ONE_SAVED)
def one(request: Request, identity: str) -> Response:
    """One saved plan, and whether it comes out the same today."""
    saved = _own(request, identity)
    return answered(pretty({**_shown(saved), "reproduced": _reproduced(hospital_of(request), saved)}))


@router.get("/plans/{identity}/plan", **documented.SAVED_PLAN)
def document(request: Request, identity: str) -> Response:
    """The plan as it was made."""
    return answered(_own(request, identity).document)


@router.get("/plans/{identity}/record", **documented.SAVED_RECORD)
def record(request: Request, identity: str) -> Response:
    """The record as it was sent."""
    return answered(_own(request, identity).record, "application/octet-stream", {"content-disposition": "attachment; filename=record"})


@router.delete("/plans/{identity}", **documented.FORGET)
def forget(request: Request, identity: str) -> Response:
    """Delete a plan of one's own, with its record."""
    if not store_of(request).plans.forget(now(), person_of(request), identity):
        raise _not_there(identity)
    return Response(status_code=204)


@router.get("/audit", **documented.AUDIT)
def trail(request: Request, after: int = 0, limit: int = 200) -> Response:
    """Entries of the audit trail, oldest first, for administrators."""
    require(request, "admin")
    if after < 0 or not 1 <= limit <= 1000:
        raise BadInput([Problem("limit", 0, "", "choose 1 to 1000 entries after number 0 or later", "")])
    return answered(pretty({"entries": store_of(request).audit.entries(after=min(after, 2**31 - 1), limit=limit)}))


def _own(request: Request, identity: str) -> SavedPlan:
    saved = store_of(request).plans.get(now(), person_of(request), identity)
    if saved is None:
        raise _not_there(identity)
    return saved


def _not_there(identity: str) -> Refused:
    return Refused(404, Problem("plans", 0, identity[:64], "you have no plan of this id", "GET /api/v1/plans lists yours"))


def _shown(saved: SavedPlan) -> dict[str, Any]:
    choices = {name: value for name, value in msgspec.structs.asdict(saved.choices).items() if value}
    beside = {"changes": msgspec.json.decode(saved.changes)} if saved.changes else {}
    return {"id": saved.id, "made": saved.made, "as_of": saved.as_of, "choices": choices, **beside,
            "evidence_version": saved.evidence_version, "program_version": saved.program_version,
            "plan": f"/api/v1/plans/{saved.id}/plan",
            "record": f"/api/v1/plans/{saved.id}/record"}


def _reproduced(hospital: Hospital, saved: SavedPlan) -> str:
    """Whether record, answers beside it and choices still give the saved plan byte for byte."""
    if saved.evidence_version != hospital.evidence.version:
        return "other evidence is in use now"
    try:
        record = changed_record(hospital.only(saved.record, today()), changes_in(saved.changes), hospital.evidence)
        again = plan_json(hospital.plan(record, saved.choices, today()))
    except BadInput:
        return "the record is refused now"
    return "identical" if again.encode() == saved.document else "differs: program or site settings have changed"
