"""Discovery, envelopes, feedback, browsers from other origins, and fetching what was not sent."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from tests.service.cards.conformance import FEEDBACK, REQUEST, discovery_faults, faults_of
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, bundle, call, daily, order

from ivigil.service.app import application
from ivigil.service.cards.doors import Desk
from ivigil.service.hospital import Hospital
from ivigil.service.settings import RecordSystems, Settings

Json = dict[str, Any]
SERVER = "https://fhir.example/r4"
SIGN = "/cds-services/ivigil-order-sign"
ORDER = order(amount(28, "g"), daily(5))


def test_discovery_lists_four_services(client: TestClient) -> None:
    """Every hook, with prefetch templates inside the recommended subset."""
    answer = client.get("/cds-services").json()
    assert {service["hook"] for service in answer["services"]} == {"patient-view", "order-select", "order-sign", "appointment-book"}
    assert discovery_faults(answer) == []
    assert answer["services"][0]["prefetch"]["weight"] == "Observation?patient={{context.patientId}}&code=http://loinc.org|29463-7&_sort=-date&_count=5"


@pytest.mark.parametrize(("change", "what"), [
    ({"hook": "patient-view"}, "hook"), ({"hookInstance": "x"}, "hookInstance"), ({"context": {"patientId": "../x"}}, "context.patientId"),
    ({"context": {}}, "context.patientId"), ({"context": []}, "context"), ({"hookInstance": 3}, "hookInstance"),
    ({"fhirAuthorization": {"access_token": "t"}}, "fhirServer"),
])
def test_a_malformed_call_is_told_where(client: TestClient, change: Json, what: str) -> None:
    """400 with an OperationOutcome that names the place."""
    response = client.post(SIGN, json=call("order-sign", ORDER) | change)
    assert response.status_code == 400
    assert any(issue["details"]["text"].startswith(what) for issue in response.json()["issue"]), response.text


@pytest.mark.parametrize(("body", "kind", "status"), [
    (b"{", "application/json", 400), (b"\xff", "application/json", 400), (b"[" * 100_000, "application/json", 400), (b"{}", "text/plain", 415),
    (b'{"hook": "order-sign"}', "application/json", 400),
])
def test_what_is_no_call_is_refused(client: TestClient, body: bytes, kind: str, status: int) -> None:
    """Half a document, a wrong encoding, endless nesting, a form of a foreign page."""
    response = client.post(SIGN, content=body, headers={"content-type": kind})
    assert response.status_code == status
    assert response.json()["resourceType"] == "OperationOutcome"


def test_an_unknown_service_is_not_found(client: TestClient) -> None:
    """404, with the names that exist."""
    response = client.post("/cds-services/other", json=call("order-sign", ORDER))
    assert response.status_code == 404
    assert "ivigil-order-sign" in response.json()["issue"][0]["diagnostics"]


# --- feedback ---------------------------------------------------------------------------------------------------------


def test_feedback_is_kept_and_reported_by_line(client: TestClient) -> None:
    """Cards given, accepted and overridden are counted by the line that led them; the same report twice counts once."""
    first, second = (client.post(SIGN, json=call("order-sign", order(amount(280, "g")))).json()["cards"][0] for _ in range(2))
    accepted = {"card": first["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": first["suggestions"][0]["uuid"]}],
                "outcomeTimestamp": "2026-11-20T21:25:12.777Z"}
    overridden = {"card": second["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-20T21:25:12Z",
                  "overrideReason": {"reason": second["overrideReasons"][0], "userComment": "discussed"}}
    assert all(holds(one) for one in (accepted, overridden) for holds in FEEDBACK.values())
    for _ in range(2):
        response = client.post(f"{SIGN}/feedback", json={"feedback": [accepted, overridden]})
        assert (response.status_code, response.content) == (200, b"")
    assert client.get("/cards/report").json() == [
        {"service": "ivigil-order-sign", "line": "safety.confirm.order.dose", "accepted": 1, "overridden": 1, "reasons": {"risk-benefit-ratio": 1}}]


@pytest.mark.parametrize("change", [
    {"outcome": "ignored"}, {"acceptedSuggestions": []}, {"card": "x"}, {"outcome": "overridden", "overrideReason": {}}, {"outcomeTimestamp": "yesterday"},
])
def test_feedback_that_breaks_the_standard_is_refused(client: TestClient, change: Json) -> None:
    """cds-fb-1 to -3, ids and time."""
    one = {"card": str(uuid.uuid4()), "outcome": "accepted", "acceptedSuggestions": [{"id": str(uuid.uuid4())}], "outcomeTimestamp": "2026-11-20T21:25:12Z"}
    assert client.post(f"{SIGN}/feedback", json={"feedback": [one]}).status_code == 200
    assert client.post(f"{SIGN}/feedback", json={"feedback": [one | change]}).status_code == 400


def test_captured_feedback_is_taken(client: TestClient, captured: Path) -> None:
    """What the sandbox sends after a click."""
    body = json.loads((captured / "feedback.json").read_text(encoding="utf-8"))["body"]
    assert client.post("/cds-services/ivigil-patient-view/feedback", json=body).status_code == 200


# --- origins ----------------------------------------------------------------------------------------------------------


def test_browsers_of_allowed_origins_only_may_read(us_hospital: Hospital) -> None:
    """A record system in the browser needs its origin in the settings."""
    app = application(us_hospital, Settings(record_systems=RecordSystems(origins=("https://ehr.example",))))
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        for origin, allowed in (("https://ehr.example", True), ("https://evil.example", False)):
            before = client.options(SIGN, headers={"origin": origin, "access-control-request-method": "POST"})
            answer = client.post(SIGN, json=call("order-sign", ORDER), headers={"origin": origin})
            for response in (before, answer, client.get("/cds-services", headers={"origin": origin})):
                assert (response.headers.get("access-control-allow-origin") == origin) is allowed


# --- fetching ---------------------------------------------------------------------------------------------------------


class Record(httpx.AsyncBaseTransport):
    """A FHIR server that wants its token."""

    def __init__(self, failing: str = "") -> None:
        self.asked: list[httpx.Request] = []
        self.failing = failing

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        self.asked.append(request)
        path = request.url.path.removeprefix("/r4/")
        if self.failing and path.startswith(self.failing):
            return httpx.Response(302, headers={"location": "https://evil.example/"})
        if request.headers.get("authorization") != "Bearer secret":
            return httpx.Response(401)
        if path == "Patient/p":
            return httpx.Response(200, json=PATIENT)
        if path == "Observation" and "29463-7" in str(request.url):
            return httpx.Response(200, json=bundle(WEIGHT) | {"link": [{"relation": "next", "url": f"{SERVER}/page2"}]})
        return httpx.Response(200, json=bundle(HEIGHT) if path == "page2" else {"resourceType": "Bundle", "type": "searchset"})


def fetching(hospital: Hospital, server: httpx.AsyncBaseTransport, body: Json) -> httpx.Response:
    """A call to a service that may ask one FHIR server."""
    settings = Settings(record_systems=RecordSystems(fhir_servers=(SERVER,)))
    app = application(hospital, settings)
    app.state.desk = Desk(hospital, settings, app.state.store, transport=server)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        response: httpx.Response = client.post(SIGN, json=body)
        return response


def wanting(server: str = SERVER, prefetch: Json | None = None) -> Json:
    """A call without prefetch, but with a server and a token."""
    permit = {"access_token": "secret", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": "c"}
    body = call("order-sign", ORDER) | {"prefetch": prefetch or {}, "fhirServer": server, "fhirAuthorization": permit}
    assert all(holds(body) for holds in REQUEST.values())
    return body


def test_what_was_not_sent_is_fetched_with_the_token(us_hospital: Hospital) -> None:
    """Patient, lists and further pages come from the allowed server; the plan is the same as with prefetch."""
    server = Record()
    response = fetching(us_hospital, server, wanting())
    assert "28 g on each of 5" in response.json()["cards"][0]["summary"]
    assert faults_of(response.json()) == []
    assert {str(request.url).split("/r4")[0] for request in server.asked} == {"https://fhir.example"}
    assert "so unknown" not in response.json()["cards"][0]["detail"]


def test_a_null_key_is_an_answer_and_is_not_fetched(us_hospital: Hospital) -> None:
    """Null says that the search found nothing."""
    server = Record()
    keys = ("conditions", "allergies", "medications", "administrations", "immunizations", "procedures", "laboratory", "weight", "height")
    fetching(us_hospital, server, wanting(prefetch={"patient": PATIENT} | dict.fromkeys(keys)))
    assert server.asked == []


def test_an_unknown_server_is_never_asked(us_hospital: Hospital) -> None:
    """Neither another host nor a longer path: the token of the call goes nowhere else; without the patient the answer is 412."""
    for other in ("https://evil.example/r4", "https://fhir.example/r4/../admin", "http://fhir.example/r4"):
        server = Record()
        response = fetching(us_hospital, server, wanting(other))
        assert response.status_code == 412
        assert response.json()["resourceType"] == "OperationOutcome"
        assert server.asked == []


def test_redirects_are_not_followed_and_gaps_are_shown(us_hospital: Hospital) -> None:
    """A list that cannot be fetched is unknown; the patient that cannot be fetched is 412."""
    server = Record("Condition")
    response = fetching(us_hospital, server, wanting())
    assert "so unknown: conditions." in response.json()["cards"][0]["detail"]
    assert not any("evil" in str(request.url) for request in server.asked)
    assert fetching(us_hospital, Record("Patient"), wanting()).status_code == 412
