"""A real server and real sockets: slow, oversized and malformed callers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from time import sleep

import pytest
import uvicorn
from fastapi import Request

from ivigil.service import connection
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.run import Start, _options
from ivigil.service.settings import Limits, Settings


@pytest.fixture(scope="module")
def port(us_hospital: Hospital) -> Iterator[int]:
    """A server on this machine that waits half a second for headers and for bodies."""
    settings = Settings(limits=Limits(arrival=0.5, header=4096))
    start = Start(port=0, settings=settings)
    before, connection.ARRIVAL = connection.ARRIVAL, settings.limits.arrival
    app = application(us_hospital, settings)

    @app.post("/takes")
    async def takes(request: Request) -> int:
        return len(await request.body())

    server = uvicorn.Server(uvicorn.Config(app, **_options(start)))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()
    connection.ARRIVAL = before


def _sent(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        for part in parts:
            one.sendall(part)
        answer = b""
        while more := one.recv(65536):
            answer += more
        return answer


def test_headers_that_never_end_are_given_up(port: int) -> None:
    """A caller who dribbles headers holds no connection."""
    answer = _sent(port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


def test_a_caller_who_says_nothing_is_given_up(port: int) -> None:
    """An idle first connection is closed too."""
    assert _sent(port).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_never_comes_is_given_up(port: int) -> None:
    """The announced body must arrive in time."""
    head = b"POST /takes HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/yaml\r\nContent-Length: 100\r\n\r\npatient"
    answer = _sent(port, head)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"body"' in answer


def test_oversized_headers_are_refused(port: int) -> None:
    """Headers beyond the limit are not kept."""
    answer = _sent(port, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Large: " + b"x" * 10_000)
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_what_is_not_http_is_refused(port: int) -> None:
    """In the one shape of errors."""
    answer = _sent(port, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"problems":[{' in answer


def test_a_second_request_on_the_same_connection_is_served(port: int) -> None:
    """The limit on headers counts for each request anew."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        for _ in range(2):
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += one.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200 ")
            sleep(0.7)
