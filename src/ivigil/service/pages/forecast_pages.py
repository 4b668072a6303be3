"""The IgG forecast: levels and doses in tables, the curve, what-ifs, and the dose for a target."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.pharmacokinetics.asked import Asked as Regimen
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for, problems_of
from ivigil.planning.choices import Collected
from ivigil.service.changes import changes_in
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import plan_noted
from ivigil.service.pages.asked import record_of
from ivigil.service.pages.beginnings import from_address, from_form
from ivigil.service.pages.forecast_view import ForecastView, forecast_view
from ivigil.service.pages.plan_pages import offered
from ivigil.service.pages.render import page

router = APIRouter(include_in_schema=False)

FIELDS = ("indication", "model", "weeks", "dose", "every", "days", "route", "start", "loading", "missed", "late", "switch", "target")
"""What can be asked of a forecast beside the record."""
_ROUTES = ("intravenous", "subcutaneous", "facilitated-subcutaneous")
_WEEKS = 26
_DAY = len("2026-11-20")
"""A start from the plan comes with its clock time, which a forecast does not need."""


@router.get("/forecast")
async def start(request: Request) -> Response:
    """The start page, or with ``example`` the forecast of one of the examples."""
    return await from_address(request, "/forecast", _forecast)


@router.post("/forecast")
async def forecast(request: Request) -> Response:
    """The forecast of a posted record."""
    return await from_form(request, "/forecast", _forecast)


async def _forecast(request: Request, fields: Mapping[str, str]) -> Response:
    hospital = hospital_of(request)
    view: ForecastView | None = None
    problems: Sequence[Problem] = ()
    try:
        view = await run_in_threadpool(_made, fields, hospital)
        plan_noted(request, fields.get("record", ""), fields.get("changes", ""))
    except BadInput as error:
        problems = error.problems
    values = {name: fields.get(name, "") for name in FIELDS} | {"weeks": fields.get("weeks") or str(_WEEKS)}
    return page(
        request,
        "forecast.html",
        status=422 if problems else 200,
        view=view,
        problems=problems,
        values=values,
        record=fields.get("record", ""),
        changes=fields.get("changes", ""),
        jurisdiction=fields.get("jurisdiction", ""),
        offered=offered(hospital),
        routes=_ROUTES,
        models=list(hospital.evidence.models.values()),
    )


def _made(fields: Mapping[str, str], hospital: Hospital) -> ForecastView:
    day, found = today(), Collected()
    record = found.attempt(lambda: record_of(fields.get("record", ""), changes_in(fields.get("changes", "")), hospital, day), None)
    asked, wanted = found.attempt(lambda: _asked(fields), (Regimen(), Wanted()))
    if record is None:
        found.problems.extend(problems_of(asked, wanted, hospital.evidence))
        raise BadInput(found.problems)
    made = found.attempt(lambda: forecast_for(record, asked, wanted, hospital.evidence, day), None)
    if found.problems or made is None:
        raise BadInput(found.problems)
    return forecast_view(made, hospital.evidence)


def _asked(fields: Mapping[str, str]) -> tuple[Regimen, Wanted]:
    """The fields as the forecast takes them.

    Raises:
        BadInput: a count is none; every one is listed.
    """
    problems: list[Problem] = []

    def count(name: str, otherwise: int) -> int:
        text = fields.get(name, "").strip()
        if text and not re.fullmatch(r"[0-9]{1,4}", text):
            problems.append(Problem(name, 0, "", f"'{text}' is not a whole number", "write for example 2"))
            return otherwise
        return int(text) if text else otherwise

    def words(name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in fields.get(name, "").split(",") if word.strip())

    text = {name: fields.get(name, "").strip() for name in FIELDS}
    missed = [word for word in words("missed") if not re.fullmatch(r"[0-9]{1,3}", word)]
    problems.extend(Problem("missed", 0, "", f"'{word}' is not the number of a coming dose", "count coming doses from 1, for example 1, 2") for word in missed)
    days, weeks = count("days", 0), count("weeks", _WEEKS)
    if problems:
        raise BadInput(problems)
    asked = Regimen(
        dose=text["dose"],
        every=text["every"],
        days=days,
        route=text["route"],
        start=text["start"][:_DAY],
        loading=text["loading"],
        missed=tuple(int(word) for word in words("missed")),
        late=words("late"),
        switch=text["switch"],
        target=text["target"],
    )
    return asked, Wanted(indication=text["indication"], model=text["model"], jurisdiction=fields.get("jurisdiction", ""), weeks=weeks)
