"""SMART App Launch: ivigil opens inside a record system with the patient in context."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from ivigil.basis.problems import Problem
from ivigil.service.clock import now
from ivigil.service.errors import Refused
from ivigil.service.settings import Settings
from ivigil.service.smart.app_launch import PENDING_SECONDS, Server, authorize_url, begun, client_for, known_server, opened, sealed

router = APIRouter(prefix="/smart", include_in_schema=False)


@router.get("/launch")
async def launch(request: Request, iss: str = "", launch: str = "") -> Response:
    """Where a record system, or a person, begins: ``iss`` names the FHIR server, ``launch`` its handle for the patient that is open there.

    Without ``launch`` the record system asks which patient is meant (standalone launch).
    """
    settings = _settings(request)
    server = known_server(iss, settings.record_systems)
    pending = begun(server, int(now().timestamp()))
    async with client_for(getattr(request.app.state, "record_transport", None)) as client:
        endpoints = await Server(server, client).endpoints()
    answer = RedirectResponse(authorize_url(endpoints, pending, settings.record_systems, _redirect(request, settings), launch), 302)
    framed = bool(settings.frame_ancestors) and settings.secure
    same: Literal["none", "lax"] = "none" if framed else "lax"
    answer.set_cookie(_cookie(settings), sealed(pending), max_age=PENDING_SECONDS, httponly=True, secure=settings.secure, samesite=same, path="/")
    return answer


@router.get("/callback")
async def callback(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    """Where the record system sends the browser back: the code becomes a token, the token reads the patient, the plan page opens with the record."""
    settings = _settings(request)
    pending = opened(request.cookies.get(_cookie(settings), ""), state, int(now().timestamp()))
    if error or not code:
        raise Refused(403, Problem("smart", 0, "", "the record system gave no access", "sign in there again, and allow reading"))
    systems = settings.record_systems
    server = known_server(pending.iss, systems)
    async with client_for(getattr(request.app.state, "record_transport", None)) as client:
        source = Server(server, client)
        token = await source.token(await source.endpoints(), pending, systems.smart_client_id, _redirect(request, settings), code)
        gathered = await source.gathered(token)
    answer = await request.app.state.open_record(request, gathered)
    assert isinstance(answer, Response)
    answer.delete_cookie(_cookie(settings), path="/")
    return answer


def _settings(request: Request) -> Settings:
    found = request.app.state.settings
    assert isinstance(found, Settings)
    return found


def _cookie(settings: Settings) -> str:
    return "__Host-ivigil-launch" if settings.secure else "ivigil-launch"


def _redirect(request: Request, settings: Settings) -> str:
    """Our own address for the way back: the public one, never one that the request made up."""
    return f"{settings.own_origin or str(request.base_url).rstrip('/')}/smart/callback"
