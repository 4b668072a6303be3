"""Plans, their reasons and forecasts. Pure functions of what is sent: sending it again gives the same bytes, and nothing is kept."""

from __future__ import annotations

import msgspec
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.pharmacokinetics import asked as regimens
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for, problems_of
from ivigil.planning.choices import Collected, PlanChoices, day_of
from ivigil.planning.line import Plan
from ivigil.rendering.forecast_json import forecast_plain, forecasts_json
from ivigil.rendering.json import is_plan, plan_json, read_plan
from ivigil.rendering.leaflet import leaflet_of
from ivigil.rendering.leaflet_html import leaflet_html
from ivigil.rendering.leaflet_text import leaflet_text
from ivigil.rendering.why import why_text, why_trees
from ivigil.service.api import documented
from ivigil.service.api.answers import answered, pretty
from ivigil.service.api.request import Asked, ForecastChoices, asked
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital, bounded, hospital_of
from ivigil.service.noted import plan_noted

router = APIRouter(prefix="/api/v1")


def hospital_for(request: Request, wanted: Asked) -> Hospital:
    """The hospital, with the formulary, stock and prices of the request in place of its own."""
    return hospital_of(request).instead(wanted.envelope.formulary, wanted.envelope.stock, wanted.envelope.prices)


@router.post("/plan", **documented.PLAN)
async def plan(request: Request) -> Response:
    """Plan one patient: the same bytes as ``ivigil plan --format json``."""
    wanted = await asked(request, PlanChoices)

    def make() -> tuple[Plan, str]:
        made = hospital_for(request, wanted).plan_of(wanted.record, wanted.envelope.choices.choices(), today())
        return made, plan_json(made)

    made, text = await to_thread.run_sync(wanted.together, make)
    request.app.state.metrics.plans.labels(made.status).inc()
    plan_noted(request, wanted.record)
    return answered(text)


@router.post("/why", **documented.WHY)
async def why(request: Request) -> Response:
    """The reasons of one line, from a record or from a saved plan."""
    wanted = await asked(request, PlanChoices, also=("line",))
    as_text = "text/plain" in request.headers.get("accept", "")

    def make() -> str | bytes:
        hospital = hospital_for(request, wanted)
        saved = is_plan(wanted.record)
        made = read_plan(wanted.record, "plan") if saved else hospital.plan_of(wanted.record, wanted.envelope.choices.choices(), today())
        if not wanted.envelope.line:
            raise BadInput([Problem("line", 0, "", "no line is named", "name a line, rule or fact of the plan, for example line=dose.regimen")])
        if as_text:
            return why_text(made, wanted.envelope.line, hospital.evidence)
        return pretty({"line": wanted.envelope.line, "evidence_version": hospital.evidence.version, "plan_evidence_version": made.evidence_version,
                       "reasons": why_trees(made, wanted.envelope.line, hospital.evidence)})

    reasons = await to_thread.run_sync(wanted.together, make)
    plan_noted(request, wanted.record)
    return answered(reasons, "text/plain" if as_text else "application/json")


@router.post("/leaflet", **documented.LEAFLET)
async def leaflet(request: Request) -> Response:
    """The patient's leaflet, with its IgG curve: the same bytes as ``ivigil plan --format leaflet``. Accept chooses HTML, plain text or PDF."""
    wanted = await asked(request, PlanChoices)
    accepted = request.headers.get("accept", "")
    form = next((one for one in ("application/pdf", "text/plain") if one in accepted and "text/html" not in accepted), "text/html")

    def make() -> str | bytes:
        hospital = hospital_for(request, wanted)
        made = hospital.plan_of(wanted.record, msgspec.structs.replace(wanted.envelope.choices.choices(), outlook=True), today())
        words = leaflet_of(made, hospital.evidence)
        if form == "application/pdf":
            from ivigil.rendering.print.pdf import leaflet_pdf

            return leaflet_pdf(words, made)
        return leaflet_html(words) if form == "text/html" else leaflet_text(words)

    content = await to_thread.run_sync(wanted.together, make)
    plan_noted(request, wanted.record)
    return answered(content, form)


@router.post("/forecast", **documented.FORECAST)
async def forecast(request: Request) -> Response:
    """Forecast IgG levels: the same bytes as ``ivigil forecast --format json``."""
    wanted = await asked(request, ForecastChoices)
    chosen = wanted.envelope.forecast

    def make() -> str:
        hospital = hospital_of(request)
        regimen = regimens.Asked(chosen.dose, chosen.every, chosen.days, chosen.route, chosen.start, chosen.loading, chosen.missed, chosen.late, chosen.switch,
                                 chosen.target_trough)
        bounded(wanted.record, hospital.limits, "record")
        found = Collected()
        day = found.attempt(lambda: day_of(chosen.as_of, today(), str), today())
        record = found.attempt(lambda: hospital.only(wanted.record, day), None)
        aims = Wanted(chosen.indication, chosen.model, chosen.jurisdiction or hospital.site.jurisdiction, chosen.weeks)
        if record is None:
            raise BadInput([*found.problems, *problems_of(regimen, aims, hospital.evidence)])
        made = found.attempt(lambda: forecast_for(record, regimen, aims, hospital.evidence, day), None)
        if found.problems or made is None:
            raise BadInput(found.problems)
        return forecasts_json([forecast_plain(made, hospital.evidence.version)])

    text = await to_thread.run_sync(wanted.together, make)
    plan_noted(request, wanted.record)
    return answered(text)
