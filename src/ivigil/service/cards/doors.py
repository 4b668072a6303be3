"""The addresses of CDS Hooks: discovery, the services, feedback, and the whole plan behind a card's link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import httpx
import msgspec
from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request, Response

from ivigil.basis.problems import BadInput, Problem
from ivigil.patient.fhir_values import Resource
from ivigil.planning.choices import Choices
from ivigil.rendering.json import plan_json
from ivigil.service import clock
from ivigil.service.auth.who import require
from ivigil.service.cards.answer import cards_for
from ivigil.service.cards.card import Link
from ivigil.service.cards.card import Response as Answer
from ivigil.service.cards.chart import chart_of
from ivigil.service.cards.feedback import feedback_of
from ivigil.service.cards.offered import Discovery, Service, services
from ivigil.service.cards.orders import record_of
from ivigil.service.cards.report import LeadingLines, entries_of, outcomes
from ivigil.service.cards.request import call_of
from ivigil.service.cards.trust import Caller, Doorkeeper
from ivigil.service.errors import Refused
from ivigil.service.hospital import Hospital, hospital_of
from ivigil.service.noted import cards_noted, plan_noted
from ivigil.service.opened import plan_page
from ivigil.service.outcome import outcome_response
from ivigil.service.settings import Settings
from ivigil.service.store import Store
from ivigil.service.store.links import Linked

router = APIRouter()

_PATH = "/cds-services"
_PLANS = "/cards/plans"
"""Behind sign-in, unlike the services, which check tokens of their own."""
_LINK = "The whole plan with every source"
_MOST_ENTRIES = 100_000
_JSON = "application/json"
Handler = Callable[..., Awaitable[Response]]


class Desk:
    """What the card services of one application share: its services, its store, its client for outgoing calls."""

    def __init__(self, hospital: Hospital, settings: Settings, store: Store, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.settings = settings
        self.store = store
        self.offered: Mapping[str, Service] = {service.id: service for service in services(hospital.evidence.facts)}
        self.discovery = msgspec.json.encode(Discovery(tuple(self.offered.values())))
        self.client = httpx.AsyncClient(transport=transport, follow_redirects=False, trust_env=False)
        self.doorkeeper = Doorkeeper(settings.record_systems.issuers, store.seen_tokens, self.client)
        self.lines = LeadingLines()

    async def admitted(self, request: Request) -> Caller:
        """The caller. In open mode without issuers everybody on this machine is let in; otherwise a token is needed."""
        header = request.headers.get("authorization", "")
        if self.settings.mode == "open" and (not header or not self.settings.record_systems.issuers):
            return Caller()
        return await self.doorkeeper.admitted(header, self.base(request) + request.url.path, clock.now().timestamp())

    def base(self, request: Request) -> str:
        """The public address of the service, without a closing slash."""
        return self.settings.own_origin or f"{request.url.scheme}://{request.url.netloc}"


def desk_of(app: FastAPI) -> Desk:
    """The desk of an application, made when it is first needed."""
    if not hasattr(app.state, "desk"):
        app.state.desk = Desk(app.state.hospital, app.state.settings, app.state.store)
    desk: Desk = app.state.desk
    return desk


@router.get(_PATH)
async def discovery(request: Request) -> Response:
    """Every service with its prefetch templates."""
    desk = desk_of(request.app)
    return Response(desk.discovery, 200, _origin(request, desk), _JSON)


@router.post(f"{_PATH}/{{service_id}}")
async def call(request: Request, service_id: str) -> Response:
    """The cards for a call."""

    async def answered(desk: Desk) -> Response:
        service = _service(desk, service_id)
        caller = await desk.admitted(request)
        asked = call_of(await _body(request), service.hook)
        chart = await chart_of(asked, service, desk.settings.record_systems.fhir_servers, desk.client)
        hospital, today, base = hospital_of(request), clock.today(), desk.base(request)

        planned: list[bytes] = []

        def linker(resources: tuple[Resource, ...]) -> tuple[Link, ...]:
            planned.append(msgspec.json.encode(resources))
            if desk.settings.record_systems.smart_client_id:
                return (Link(_LINK, f"{base}/smart/launch", "smart"),)
            linked = Linked(planned[-1], asked.patient, today, hospital.evidence.version)
            name = desk.store.links.put(clock.now(), linked)
            return (Link(_LINK, f"{base}{_PLANS}/{name}", "absolute"),)

        cards = cards_for(asked, service, chart, hospital, today, linker)
        desk.lines.given(cards)
        for resources in (planned or [msgspec.json.encode(chart.resources)]) if cards else ():
            cards_noted(request, caller.issuer, service.id, resources)
        return Response(msgspec.json.encode(Answer(tuple(cards))), 200, None, _JSON)

    return await _guarded(request, answered)


@router.post(f"{_PATH}/{{service_id}}/feedback")
async def feedback(request: Request, service_id: str) -> Response:
    """What became of cards; kept and answered with an empty body."""

    async def answered(desk: Desk) -> Response:
        service = _service(desk, service_id)
        caller = await desk.admitted(request)
        entries = entries_of(feedback_of(await _body(request)), service.id, caller.issuer, desk.lines, clock.now())
        await to_thread.run_sync(desk.store.feedback.add, entries)
        return Response(None, 200)

    return await _guarded(request, answered)


@router.get(f"{_PLANS}/{{name}}", include_in_schema=False)
async def whole_plan(request: Request, name: str) -> Response:
    """The whole plan behind a card: a page, or with ``format`` the plan as JSON or the Bundle that it is made from."""
    hospital = hospital_of(request)
    linked = await to_thread.run_sync(desk_of(request.app).store.links.get, clock.now(), name)
    if linked is None:
        raise Refused(404, Problem(_PLANS, 0, "", "this link is too old, or was never given out", "open the order again in the record system"))
    plan_noted(request, linked.resources)
    form = request.query_params.get("format", "html")
    resources: list[Resource] = msgspec.json.decode(linked.resources)
    bundle = msgspec.json.encode({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]})
    if form == "bundle":
        return Response(bundle, 200, None, "application/fhir+json")
    if form not in {"html", "json"}:
        raise Refused(406, Problem("format", 0, form, "not a form of a plan", "html, json or bundle"))
    if form == "json":
        record = record_of(resources, linked.patient, hospital.evidence)
        assert record is not None
        return Response(plan_json(hospital.plan(record, Choices(), linked.on)), 200, None, _JSON)
    return await plan_page(request, bundle, linked.on, [], _since_the_card(linked, hospital))


def _since_the_card(linked: Linked, hospital: Hospital) -> str:
    """What the reader must know where the evidence is no longer that of the card."""
    if linked.evidence_version == hospital.evidence.version:
        return ""
    return f"The card was made with evidence {linked.evidence_version}. This is the plan of today's evidence {hospital.evidence.version}."


@router.get("/cards/report", include_in_schema=False)
async def report(request: Request) -> Response:
    """What became of the cards, by service and leading line. For reviewers."""
    require(request, "reviewer")
    desk = desk_of(request.app)
    entries = await to_thread.run_sync(partial(desk.store.feedback.entries, limit=_MOST_ENTRIES))
    return Response(msgspec.json.encode(outcomes(entries)), 200, None, _JSON)


@router.options(f"{_PATH}/{{rest:path}}")
@router.options(_PATH)
async def preflight(request: Request) -> Response:
    """The browser's question before a call from another origin: yes for the origins of the settings, nothing for others."""
    headers = _origin(request, desk_of(request.app))
    if headers:
        headers |= {"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "authorization, content-type", "Access-Control-Max-Age": "600"}
    return Response(None, 204, headers)


async def _guarded(request: Request, answered: Callable[[Desk], Awaitable[Response]]) -> Response:
    """The answer, or the OperationOutcome of what stands against it."""
    desk = desk_of(request.app)
    try:
        response = await answered(desk)
    except BadInput as error:
        response = outcome_response(400, error.problems)
    except Refused as error:
        response = outcome_response(error.status, error.problems, error.headers)
    for name, value in _origin(request, desk).items():
        response.headers[name] = value
    return response


def _origin(request: Request, desk: Desk) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    if origin not in desk.settings.record_systems.origins:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin", "Cross-Origin-Resource-Policy": "cross-origin"}


def _service(desk: Desk, name: str) -> Service:
    service = desk.offered.get(name)
    if service is None:
        raise Refused(404, Problem(_PATH, 0, "", "there is no service of this name", f"discovery at {_PATH} lists: {', '.join(desk.offered)}"))
    return service


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {_JSON, "application/fhir+json"}:
        raise Refused(415, Problem("content-type", 0, "", "not JSON", f"send {_JSON}"))
    return await request.body()
