"""One connection of a caller: headers must arrive in time, and a malformed request is refused in the one shape of errors."""

from __future__ import annotations

import asyncio
import sys
from http import HTTPStatus

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from ivigil.basis.problems import Problem
from ivigil.service.errors import MEDIA_TYPE, refusal

ARRIVAL = 15.0
"""Seconds for the headers of a request to arrive; a caller who dribbles them holds a connection for no longer."""


class Connection(H11Protocol):
    """uvicorn's connection with a limit on the time that headers take."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller connects; the first headers are awaited from now."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._headers_are_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes came. Headers that began must become whole in time; a body has its own limit."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._headers_are_here()
        elif self._late is None and not self.transport.is_closing():
            self._await_headers()

    def send_400_response(self, msg: str) -> None:
        """A request that is not HTTP, or whose headers are too large."""
        hint = getattr(sys.exception(), "error_status_hint", HTTPStatus.BAD_REQUEST.value)
        if hint == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, Problem("headers", 0, "", "too large", "send fewer or shorter headers"))
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, Problem("request", 0, "", "not a request in HTTP/1.1", "check the program that sent it"))

    def _await_headers(self) -> None:
        self._late = self.loop.call_later(ARRIVAL, self._too_late)

    def _headers_are_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _too_late(self) -> None:
        self._late = None
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            return
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, Problem("headers", 0, "", f"not whole after {ARRIVAL:g} s", "send them again over a better connection"))

    def _refuse(self, status: HTTPStatus, problem: Problem) -> None:
        body = msgspec.json.encode(refusal(status.value, [problem]))
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        try:
            for event in (h11.Response(status_code=status.value, headers=headers, reason=status.phrase.encode()), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer was under way; closing is all that can be said
        self.transport.close()
