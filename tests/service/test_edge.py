"""The outer edge: headers that protect, limits that hold, one shape of error, nothing about a patient in log or counts."""

from __future__ import annotations

import logging
import re

import msgspec
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from ivigil.basis.problems import BadInput, Problem
from ivigil.service.app import application
from ivigil.service.errors import MEDIA_TYPE
from ivigil.service.hospital import Hospital
from ivigil.service.settings import Limits, Settings

HERE = "http://127.0.0.1"


def test_every_answer_forbids_what_a_page_does_not_need(client: TestClient) -> None:
    """Nothing inline, no frame, no guessing of types, no cache, also on an error."""
    for path in ("/healthz", "/nothing-here"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert re.fullmatch(r"[0-9a-f]{16}", headers["x-request-id"])
        assert "server" not in headers


def test_a_record_system_may_frame_the_pages_when_it_is_named(us_hospital: Hospital) -> None:
    """Only the named origin, and the older header that knows no names is left out."""
    app = application(us_hospital, Settings(frame_ancestors=("https://ehr.hospital.example",)))
    headers = TestClient(app, base_url=HERE).get("/healthz").headers
    assert headers["content-security-policy"].endswith("frame-ancestors 'self' https://ehr.hospital.example")
    assert "x-frame-options" not in headers


def test_errors_have_one_shape(client: TestClient) -> None:
    """Place, cause and remedy, with the number of the request to quote."""
    answer = client.get("/nothing-here")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == MEDIA_TYPE
    document = answer.json()
    assert document["status"] == 404
    assert document["request"] == answer.headers["x-request-id"]
    assert set(document["problems"][0]) == {"place", "line", "what", "why", "remedy"}
    wrong = client.put("/healthz")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    assert wrong.json()["problems"][0]["remedy"]


def test_bad_input_lists_every_problem(app: FastAPI) -> None:
    """What the command line lists, the service lists."""
    problems = [Problem("record", 3, "weight", "70 has no unit", "write 70 kg"), Problem("record", 4, "height", "not a length")]

    @app.get("/raises")
    def raises() -> None:
        raise BadInput(problems)

    answer = TestClient(app, base_url=HERE).get("/raises")
    assert answer.status_code == 422
    assert answer.json()["problems"] == msgspec.to_builtins(problems)


def test_a_failure_of_ours_tells_nobody_what_was_in_the_record(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    """The message of an error may quote a record: neither the answer nor the log repeats it; the log says where it arose."""

    @app.post("/breaks/{name}")
    async def breaks(name: str, request: Request) -> None:
        raise ValueError(f"{name}: {(await request.body()).decode()}")

    with caplog.at_level(logging.INFO):
        answer = TestClient(app, base_url=HERE, raise_server_exceptions=False).post("/breaks/Smith?born=1980", content="Mary Smith weighs 70 kg")
    assert answer.status_code == 500
    told = " ".join(record.getMessage() for record in caplog.records if record.name == "ivigil.service") + answer.text
    assert "Smith" not in told
    assert "1980" not in told
    assert "ValueError at" in caplog.text
    assert "test_edge.py" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text


def test_counts_are_for_this_machine_and_carry_no_address(us_hospital: Hospital) -> None:
    """A scraper on the machine sees doors and statuses; nobody else sees anything, and a proxy's caller is somebody else."""
    app = application(us_hospital)
    here = TestClient(app, base_url=HERE, client=("127.0.0.1", 1))
    here.get("/secret-name-of-a-patient")
    text = here.get("/metrics").text
    assert 'ivigil_requests_total{door="none",method="GET",status="404"} 1.0' in text
    assert "secret" not in text
    assert here.get("/metrics", headers={"x-forwarded-for": "10.0.0.9"}).status_code == 404
    assert TestClient(app, base_url=HERE, client=("10.0.0.9", 1)).get("/metrics").status_code == 404
    assert TestClient(application(us_hospital, Settings(metrics="open")), base_url=HERE, client=("10.0.0.9", 1)).get("/metrics").status_code == 200


def test_a_body_too_large_is_refused_before_it_is_read(us_hospital: Hospital) -> None:
    """By its announced length, and by what really arrives when nothing was announced."""
    app = application(us_hospital, Settings(limits=Limits(body=1000)))

    @app.post("/takes")
    async def takes(request: Request) -> int:
        return len(await request.body())

    client = TestClient(app, base_url=HERE)
    assert client.post("/takes", content=b"x" * 1000).json() == 1000
    announced = client.post("/takes", content=b"x" * 1001)
    assert (announced.status_code, announced.headers["connection"]) == (413, "close")
    dribbled = client.post("/takes", content=iter([b"x" * 600] * 3))
    assert dribbled.status_code == 413
    assert dribbled.json()["problems"][0]["remedy"]
    assert client.post("/takes", content=b"x", headers={"content-encoding": "gzip"}).status_code == 415
    assert client.post("/takes", content=b"x", headers={"content-length": "-1"}).status_code == 400


def test_a_page_elsewhere_cannot_reach_the_service_by_another_name(client: TestClient) -> None:
    """A foreign name that was made to point at this machine (DNS rebinding) is not answered."""
    assert client.get("/healthz", headers={"host": "attacker.example"}).status_code == 421
    assert client.get("/healthz", headers={"host": "localhost:8080"}).status_code == 200
    assert client.get("/healthz", headers={"host": "[::1]:8080"}).status_code == 200


def test_alive_and_ready_say_what_runs(client: TestClient, us_hospital: Hospital) -> None:
    """An operator sees program and evidence version."""
    assert client.get("/healthz").json()["status"] == "alive"
    assert client.get("/readyz").json()["evidence_version"] == us_hospital.evidence.version
