"""The outer edge of the service: a number for every request, headers that protect browsers, limits, one line of log, and no patient data in any of them."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import traceback

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ivigil.basis.problems import Problem
from ivigil.service.clock import ticks
from ivigil.service.errors import Refused
from ivigil.service.metrics import Metrics
from ivigil.service.settings import Settings, is_loopback

log = logging.getLogger("ivigil.service")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_CLOSE = {"connection": "close"}
"""What was not read to its end cannot be followed by another request."""


def content_policy(frame_ancestors: tuple[str, ...]) -> str:
    """The content security policy: everything from here, nothing inline, frames only where allowed."""
    frames = " ".join(["'self'", *frame_ancestors]) if frame_ancestors else "'none'"
    return ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors {frames}")


def protecting_headers(settings: Settings) -> dict[str, str]:
    """The headers of every answer."""
    headers = {
        "content-security-policy": content_policy(settings.frame_ancestors),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",  # with no-referrer, forms would send no origin to check
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin" if not settings.frame_ancestors else "cross-origin",
        "cache-control": "no-store",
    }
    if not settings.frame_ancestors:
        headers["x-frame-options"] = "DENY"
    if settings.secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return headers


class Edge:
    """Outermost: numbers, times, logs and protects every answer, and turns a failure of ours into a quiet 500."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        self.headers = protecting_headers(settings)
        self.limits = settings.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request on its way in, and its answer on the way out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = ticks()
        number = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = number
        status = 0

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers["x-request-id"] = number
            await send(message)

        try:
            async with asyncio.timeout(self.limits.answer + self.limits.arrival):
                await self.app(scope, receive, numbered)
        except TimeoutError:
            log.warning("request %s took too long", number)
            if not status:
                problem = Problem(scope["path"], 0, "", "the answer took too long", "send less at once, or try again later")
                await self._refuse(scope, receive, numbered, 503, problem, {"retry-after": "5"})
        except Exception as error:
            self.metrics.failures.inc()
            log.error("request %s failed: %s", number, _without_values(error))
            if status:
                raise _Broken from None  # the answer has begun: only cutting the connection tells the reader that it is not whole
            await self._refuse(scope, receive, numbered, 500, Problem(door_of(scope), 0, "", "an error of the program, not of your input",
                                                                      f"report it with the number of this request, {number}"))
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            seconds = ticks() - started
            self.metrics.answered(door_of(scope), method, status or 499, seconds)
            log.info("%s %s %s %d %.1f ms", number, method, door_of(scope), status or 499, seconds * 1000)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        response = await scope["app"].state.refuse(Request(scope), status, [problem], headers)
        await response(scope, receive, send)


class _Broken(Exception):
    """An answer that had begun could not be finished; carries nothing of what went wrong, which is logged already."""


def door_of(scope: Scope) -> str:
    """The route that answered, as the program names it (``/plans/{id}``): never the address itself, which may carry what a caller put there."""
    route = scope.get("route")
    return str(getattr(route, "path", "")) or "none"


_SHORT = re.compile(r"^.*/(?:site-packages|src)/")


def _without_values(error: BaseException) -> str:
    """Where an error arose, without its message, which may quote a record."""
    frames = [f"{_SHORT.sub('', frame.filename)}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    return f"{type(error).__name__} at {' > '.join(frames)}"


class Limited:
    """Refuses what is too large or too slow before it is read, and requests addressed to another host."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.limits = settings.limits
        self.hosts = settings.own_hosts
        self.named_only = settings.mode == "open" or bool(settings.public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request on its way in, and its answer on the way out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused = self._at_once(Headers(scope=scope))
        if refused is not None:
            await self._refuse(scope, receive, send, *refused)
            return
        await self.app(scope, self._measured(receive), send)

    def _at_once(self, headers: Headers) -> tuple[int, Problem] | None:
        if self.named_only and _host(headers.get("host", "")) not in self.hosts:
            return 421, Problem("Host", 0, "", "this service has another name",
                                "use the address in public_url, or http://127.0.0.1 on this machine")
        if headers.get("content-encoding", "identity") != "identity":
            return 415, Problem("Content-Encoding", 0, "", "packed bodies are not read",
                                "send the body plain; a gzip file is sent as it is, without this header")
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return 400, Problem("Content-Length", 0, "", "not a number of bytes", "send the length of the body")
        if int(length) > self.limits.body:
            return 413, self._too_large()
        return None

    def _too_large(self) -> Problem:
        return Problem("body", 0, "", f"larger than {self.limits.body / 1_000_000:g} MB", "send one patient at a time")

    def _measured(self, receive: Receive) -> Receive:
        size = 0
        due = asyncio.get_running_loop().time() + self.limits.arrival
        whole = False

        async def measured() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(due):
                    message = await receive()
            except TimeoutError:
                late = Problem("body", 0, "", f"not whole after {self.limits.arrival:g} s", "send it again over a better connection")
                raise Refused(408, late, _CLOSE) from None
            size += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if size > self.limits.body:
                raise Refused(413, self._too_large(), _CLOSE)
            return message

        return measured

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, problem: Problem) -> None:
        response = await scope["app"].state.refuse(Request(scope), status, [problem], _CLOSE)
        await response(scope, receive, send)


def _host(header: str) -> str:
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def loopback_caller(request: Request) -> bool:
    """True when the caller is on this machine and no proxy speaks for somebody else."""
    return request.client is not None and is_loopback(request.client.host) and "x-forwarded-for" not in request.headers
