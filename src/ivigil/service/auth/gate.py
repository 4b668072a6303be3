"""The gate: nothing is answered before it is known who asks, unless an address is listed as open; and no other web site acts in a person's name."""

from __future__ import annotations

from functools import partial
from typing import Final
from urllib.parse import quote

from anyio import to_thread
from fastapi import Request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ivigil.basis.problems import Problem
from ivigil.service.clock import now, ticks
from ivigil.service.edge import loopback_caller
from ivigil.service.errors import wants_page
from ivigil.service.pace import Pace
from ivigil.service.settings import Settings
from ivigil.service.store import Store
from ivigil.service.store.people import OPEN, Person

OPEN_TO_ALL: Final = ("/healthz", "/readyz", "/metrics", "/favicon.ico", "/fhir/metadata")
"""Addresses that tell nothing of anybody."""
OPEN_BELOW: Final = ("/sign-in", "/auth/sign-in", "/static/", "/cds-services", "/.well-known/")
"""Addresses, and all below them, that are needed before sign-in, or that check a signed token of their own (CDS Hooks)."""
OPERATIONS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""What a watcher on this machine asks for; it is never told to wait."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def cookie_name(settings: Settings) -> str:
    """The session cookie. Over TLS its name makes browsers refuse to let any other host or path set it."""
    return "__Host-ivigil" if settings.secure else "ivigil"


def cookie_attributes(settings: Settings) -> str:
    """How a browser must treat the session cookie."""
    if not settings.secure:
        return "Path=/; HttpOnly; SameSite=Strict"
    if settings.frame_ancestors:
        return "Path=/; HttpOnly; Secure; SameSite=None; Partitioned"  # inside a record system's frame, and there only
    return "Path=/; HttpOnly; Secure; SameSite=Lax"


class Gate:
    """Lets in whom the store knows, or, in open mode, whoever sits at this machine."""

    def __init__(self, app: ASGIApp, settings: Settings, store: Store) -> None:
        self.app = app
        self.settings = settings
        self.store = store
        self.cookie = cookie_name(settings)
        self.pace = Pace(settings.rates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        paced = not (scope["path"] in OPERATIONS and loopback_caller(Request(scope)))
        address = scope["client"][0] if scope.get("client") else ""
        if paced and (seconds := self.pace.of_address(address, ticks())):
            await self._slow_down(scope, receive, send, seconds)
            return
        token = cookie_parser(headers.get("cookie", "")).get(self.cookie, "")
        bearer = headers.get("authorization", "").partition(" ")
        by_program = bearer[0].lower() == "bearer" and not self._own_check(scope["path"])
        if scope["method"] not in SAFE and not by_program and not self._from_here(scope, headers, with_cookie=bool(token)):
            problem = Problem("Origin", 0, "", "the request comes from another web site",
                              "send it from a page of this service, or with a token instead of a cookie")
            await self._refuse(scope, receive, send, 403, problem)
            return
        try:
            person = await self._person(token, bearer[2].strip() if by_program else "")
        except (DBAPIError, PoolTimeout):
            problem = Problem("database", 0, "", "the database does not answer", "try again in a moment")
            await self._refuse(scope, receive, send, 503, problem, {"retry-after": "5"})
            return
        scope.setdefault("state", {})["person"] = person
        if paced and self.settings.mode != "open" and (seconds := self._wait(person, scope["path"], address)):
            await self._slow_down(scope, receive, send, seconds)
            return
        if person is None and not open_to_all(scope["path"]):
            request = Request(scope)
            if wants_page(request) and scope["method"] in SAFE:
                await RedirectResponse(f"/sign-in?next={quote(_wanted(scope), safe='')}", 303)(scope, receive, send)
                return
            problem = Problem("sign-in", 0, "", "nobody is signed in, or the session has ended",
                              "sign in at /sign-in, or send 'Authorization: Bearer' with a token")
            await self._refuse(scope, receive, send, 401, problem, {"www-authenticate": "Bearer"})
            return
        await self.app(scope, receive, send)

    def _wait(self, person: Person | None, path: str, address: str) -> int:
        """Seconds that the caller must wait beyond what its address must; record systems check their own tokens, and pages need their static files."""
        if person is not None:
            return self.pace.of_person(person.id, ticks())
        return 0 if self._own_check(path) or path.startswith("/static/") else self.pace.of_stranger(address, ticks())

    async def _slow_down(self, scope: Scope, receive: Receive, send: Send, seconds: int) -> None:
        problem = Problem("requests", 0, "", "more requests than one caller may send",
                          f"wait {seconds} s, and then send them more slowly; the operator sets the pace with 'rates' in the settings")
        await self._refuse(scope, receive, send, 429, problem, {"retry-after": str(seconds)})

    async def _person(self, token: str, bearer: str) -> Person | None:
        if self.settings.mode == "open":
            return OPEN
        if bearer:
            return await to_thread.run_sync(partial(self.store.people.of_token, now(), bearer))
        if token:
            return await to_thread.run_sync(partial(self.store.people.of_session, now(), token, self.settings.sign_in.idle_minutes))
        return None

    def _own_check(self, path: str) -> bool:
        return path.startswith("/cds-services")

    def _from_here(self, scope: Scope, headers: Headers, *, with_cookie: bool) -> bool:
        """Whether a page of ours, or no web page at all, sent this. Browsers say where a request comes from and pages cannot change what they say."""
        if self._own_check(scope["path"]):
            return self._origin_known(scope, headers, self.settings.record_systems.origins)
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in {"same-origin", "none"}
        if "origin" in headers:
            return self._origin_known(scope, headers, ())
        return not with_cookie

    def _origin_known(self, scope: Scope, headers: Headers, others: tuple[str, ...]) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
        own = self.settings.own_origin or f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
        return origin in {own, *others}

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        response = await scope["app"].state.refuse(Request(scope), status, [problem], headers)
        await response(scope, receive, send)


def _wanted(scope: Scope) -> str:
    """The page that was asked for, to go on to after sign-in."""
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def open_to_all(path: str) -> bool:
    """Whether an address is answered before sign-in."""
    return path in OPEN_TO_ALL or any(path == below.rstrip("/") or path.startswith(below.rstrip("/") + "/") for below in OPEN_BELOW)
