"""The one shape of every error: a title, a status and the list of problems, each with place, line, cause and remedy (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from ivigil.basis.problems import BadInput, Problem
from ivigil.service.hospital import TooLarge
from ivigil.service.outcome import outcome_response

log = logging.getLogger("ivigil.service")

MEDIA_TYPE = "application/problem+json"

UNREADABLE = HTTPStatus.UNPROCESSABLE_ENTITY.value
"""The status of input that arrived whole and cannot be used."""

Page = Callable[[Request, "Refusal"], Awaitable[Response]]
"""Draws a refusal as a web page."""


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error as it is sent: RFC 9457, with every problem in the words the command line uses."""

    title: str
    status: int
    type: str = "about:blank"
    request: str = ""
    problems: tuple[Problem, ...] = ()


class Refused(HTTPException):
    """A request that is not answered. ``status`` is the HTTP status; ``problems`` say why and what to do."""

    def __init__(self, status: int, problems: Iterable[Problem] | Problem, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(status, HTTPStatus(status).phrase, dict(headers or {}))


_TITLES = {
    400: "The request is malformed", 401: "Sign in first", 403: "Not allowed", 404: "Not found", 405: "This address does not take that method",
    406: "Not available in that form", 408: "The request took too long to arrive", 409: "Changed in between", 412: "Something is missing", 413: "Too large",
    415: "This kind of document is not read", 421: "Not addressed to this service", 422: "The input cannot be used",
    429: "Too much at once", 431: "The headers are too large", 500: "Something broke here", 503: "Not ready, or too slow",
}


def refusal(status: int, problems: Iterable[Problem] = (), request_id: str = "") -> Refusal:
    """The refusal with this status."""
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    return Refusal(title, status, request=request_id, problems=tuple(problems))


def problem_response(refused: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """The refusal as ``application/problem+json``."""
    return Response(msgspec.json.encode(refused), refused.status, dict(headers or {}), MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """True when a person looks at the answer: a browser asks for a page, and the address is none of a program's."""
    if request.url.path.startswith(("/api/", "/cds-services", "/fhir/", "/auth/")):
        return False
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted


def install(app: FastAPI, page: Page | None = None) -> None:
    """Every error of ``app`` leaves in the one shape; a browser gets it drawn by ``page`` where there is one, a record system as FHIR."""

    async def answer(request: Request, status: int, problems: Iterable[Problem], headers: Mapping[str, str] | None = None) -> Response:
        refused = refusal(status, problems, getattr(request.state, "request_id", ""))
        if page is not None and wants_page(request):
            drawn = await page(request, refused)
            for name, value in (headers or {}).items():
                drawn.headers[name] = value
            return drawn
        if request.url.path.startswith(("/cds-services", "/fhir/")):
            return outcome_response(status, refused.problems, headers)
        return problem_response(refused, headers)

    async def on_bad_input(request: Request, error: Exception) -> Response:
        assert isinstance(error, BadInput)
        return await answer(request, UNREADABLE, error.problems)

    async def on_refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return await answer(request, error.status, error.problems, error.headers)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return await answer(request, error.status_code, [_in_words(error.status_code, request)], error.headers)

    async def on_database(request: Request, error: Exception) -> Response:
        problem = Problem("database", 0, "", "the database does not answer", "try again in a moment; the operator sees the cause in the log")
        log.error("request %s: database: %s", getattr(request.state, "request_id", ""), type(error).__name__)
        return await answer(request, HTTPStatus.SERVICE_UNAVAILABLE.value, [problem], {"retry-after": "5"})

    async def on_large(request: Request, error: Exception) -> Response:
        assert isinstance(error, BadInput)
        return await answer(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value, error.problems)

    async def on_parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = [Problem(str(one["loc"][-1]), 0, "", str(one["msg"]).lower(), "see /api/v1/openapi.json for what it may be") for one in error.errors()]
        return await answer(request, UNREADABLE, problems)

    app.add_exception_handler(TooLarge, on_large)
    app.add_exception_handler(RequestValidationError, on_parameters)
    app.add_exception_handler(DBAPIError, on_database)
    app.add_exception_handler(PoolTimeout, on_database)
    app.add_exception_handler(BadInput, on_bad_input)
    app.add_exception_handler(Refused, on_refused)
    app.add_exception_handler(HTTPException, on_http)
    app.state.refuse = answer


def _in_words(status: int, request: Request) -> Problem:
    place = request.url.path
    if status == HTTPStatus.NOT_FOUND:
        return Problem(place, 0, "", "there is nothing at this address",
                       "see /api/v1/openapi.json for the addresses of the programming interface, / for the pages")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return Problem(place, 0, request.method, "this address does not take that method", "the header Allow names those it takes")
    return Problem(place, 0, "", HTTPStatus(status).phrase.lower(), "check the request against /api/v1/openapi.json")
