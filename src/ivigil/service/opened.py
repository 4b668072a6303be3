"""A record that did not come from a form, opened on the plan page: from a record system at launch, or behind the link of a card."""

from __future__ import annotations

from datetime import date

from anyio import to_thread
from fastapi import Request
from fastapi.responses import Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.planning.choices import Choices
from ivigil.service import clock
from ivigil.service.hospital import hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.pages.asked import Asked, made_of
from ivigil.service.pages.plan_pages import shown, started
from ivigil.service.smart.app_launch import Gathered

_UNREAD = "The record system did not give everything:"


async def open_record(request: Request, gathered: Gathered) -> Response:
    """The plan page of a patient read at launch; what could not be read stands above it, for it is unknown and not absent."""
    unread = [Problem("record system", 0, "", why, "treated as unknown, never as absent") for why in gathered.not_read]
    plan_noted(request, gathered.bundle)
    return await plan_page(request, gathered.bundle, clock.today(), unread)


async def plan_page(request: Request, bundle: bytes, day: date, unread: list[Problem], note: str = "") -> Response:
    """The plan page of a Bundle, or the start page with the record and every problem where no plan can be made. ``note`` stands above the plan."""
    hospital = hospital_of(request)
    text = bundle.decode()
    asked = Asked(text, Choices(jurisdiction=hospital.site.jurisdiction))
    try:
        made = await to_thread.run_sync(made_of, asked, hospital, day)
    except BadInput as error:
        return started(request, {"record": text}, [*unread, *error.problems])
    response = shown(request, made, asked.audience, problems=unread, heading=_UNREAD, saved=note)
    response.status_code = 200
    return response
