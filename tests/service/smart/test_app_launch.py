"""SMART App Launch against a small record system of our own: it checks PKCE and redirect like a real one, and can misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from fastapi.responses import JSONResponse, Response
from fastapi.testclient import TestClient

from ivigil.evidence.load import load_evidence
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.settings import RecordSystems, Settings
from ivigil.service.smart.app_launch import Gathered, Pending, challenge, sealed

BASE = "https://ehr.example/fhir"


class RecordSystem:
    """An EHR with one patient. Attributes change how it behaves."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.pkce = ["S256"]
        self.patient: str | None = "p1"
        self.next_page = f"{BASE}/Condition?page=2"
        self.token_endpoint = "https://ehr.example/token"
        self.codes: dict[str, dict[str, str]] = {}
        self.seen: list[str] = []
        self._routes()

    def allow(self, authorize: str) -> str:
        """What the sign-in page of the record system does: a code bound to challenge, client and redirect."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorize).query).items()}
        assert query["code_challenge_method"] == "S256"
        assert query["aud"] == BASE
        self.codes["code-1"] = query
        return query["state"]

    def _routes(self) -> None:
        app = self.app

        @app.get("/fhir/.well-known/smart-configuration")
        def configuration() -> dict[str, Any]:
            return {"authorization_endpoint": "https://ehr.example/authorize", "token_endpoint": self.token_endpoint,
                    "code_challenge_methods_supported": self.pkce, "capabilities": ["launch-ehr"], "grant_types_supported": ["authorization_code"]}

        @app.post("/token")
        def token(code: str = Form(), redirect_uri: str = Form(), client_id: str = Form(), code_verifier: str = Form()) -> Response:
            asked = self.codes.pop(code, None)
            digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
            if asked is None or asked["code_challenge"] != digest or asked["redirect_uri"] != redirect_uri or asked["client_id"] != client_id:
                return JSONResponse({"error": "invalid_grant"}, 400)
            given = {"access_token": "secret-token", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs"}
            return JSONResponse({**given, **({"patient": self.patient} if self.patient is not None else {})})

        @app.get("/fhir/{path:path}")
        def read(path: str, request: Request) -> Response:
            if request.headers.get("authorization") != "Bearer secret-token":
                return JSONResponse({}, 401)
            self.seen.append(f"{path}?{request.url.query}")
            if path == "Patient/p1":
                return JSONResponse({"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1986-03-04"})
            if path == "Condition":
                last = "page=2" in request.url.query
                named = ("c2", "Asthma") if last else ("c1", "Primary immunodeficiency")
                found = {"resourceType": "Condition", "id": named[0], "subject": {"reference": "Patient/p1"}, "code": {"text": named[1]}}
                more = {} if last else {"link": [{"relation": "next", "url": self.next_page}]}
                return JSONResponse({"resourceType": "Bundle", "entry": [{"resource": found}], **more})
            if path == "AllergyIntolerance":
                return JSONResponse({"resourceType": "OperationOutcome"}, 403)
            return JSONResponse({"resourceType": "Bundle", "type": "searchset", "total": 0})


@pytest.fixture
def ehr() -> RecordSystem:
    """A record system that behaves."""
    return RecordSystem()


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    """A hospital on the packaged evidence."""
    return Hospital(load_evidence())


@pytest.fixture
def browser(ehr: RecordSystem, hospital: Hospital) -> Iterator[TestClient]:
    """A browser at a service that knows the record system; opening a record answers with what was gathered."""
    settings = Settings(record_systems=RecordSystems(fhir_servers=(BASE,), smart_client_id="ivigil"))
    app = application(hospital, settings)
    app.state.record_transport = httpx.ASGITransport(app=ehr.app)

    async def opened(_: Request, gathered: Gathered) -> Response:
        return JSONResponse({"bundle": json.loads(gathered.bundle), "counts": gathered.counts, "not_read": gathered.not_read})

    app.state.open_record = opened
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as client:
        yield client


def _signed_in(browser: TestClient, ehr: RecordSystem, launch: str = "handle-7") -> httpx.Response:
    sent = browser.get("/smart/launch", params={"iss": BASE, **({"launch": launch} if launch else {})})
    assert sent.status_code == 302
    state = ehr.allow(sent.headers["location"])
    answer: httpx.Response = browser.get("/smart/callback", params={"state": state, "code": "code-1"})
    return answer


def test_a_launch_opens_the_patient_in_context(browser: TestClient, ehr: RecordSystem) -> None:
    """Discovery, sign-in with PKCE, token and reading lead to one Bundle with every page of every search."""
    answer = _signed_in(browser, ehr).json()
    assert answer["counts"] == {"Patient": 1, "Condition": 2}
    assert [entry["resource"]["id"] for entry in answer["bundle"]["entry"]] == ["p1", "c1", "c2"]


def test_what_could_not_be_read_is_named_and_not_taken_for_none(browser: TestClient, ehr: RecordSystem) -> None:
    """The record system refuses allergies: the reader is told, and the Bundle says nothing of allergies."""
    answer = _signed_in(browser, ehr).json()
    assert answer["not_read"] == ["AllergyIntolerance: status 403"]


def test_the_redirect_asks_for_reading_only(browser: TestClient) -> None:
    """No scope writes; an EHR launch hands its handle on, a standalone launch asks for a patient."""
    query = parse_qs(urlsplit(browser.get("/smart/launch", params={"iss": BASE, "launch": "h"}).headers["location"]).query)
    assert query["launch"] == ["h"]
    assert not [scope for scope in query["scope"][0].split() if "." in scope and set(scope.rpartition(".")[2]) - set("rs")]
    alone = parse_qs(urlsplit(browser.get("/smart/launch", params={"iss": BASE}).headers["location"]).query)
    assert "launch" not in alone
    assert "launch/patient" in alone["scope"][0].split()


@pytest.mark.parametrize("iss", ["", "https://evil.example/fhir", f"{BASE}.evil.example", "http://169.254.169.254/latest", f"{BASE}/../admin"])
def test_an_unknown_record_system_is_never_asked(browser: TestClient, ehr: RecordSystem, iss: str) -> None:
    """Only servers of the settings are read, whatever a link says."""
    assert browser.get("/smart/launch", params={"iss": iss}).status_code == 403
    assert ehr.seen == []


def test_a_record_system_without_pkce_is_refused(browser: TestClient, ehr: RecordSystem) -> None:
    """A plain code could be stolen on its way."""
    ehr.pkce = ["plain"]
    assert browser.get("/smart/launch", params={"iss": BASE}).status_code == 502


def test_a_token_address_without_tls_is_refused(browser: TestClient, ehr: RecordSystem) -> None:
    """The code and the verifier never travel in the clear."""
    ehr.token_endpoint = "http://ehr.example/token"
    assert browser.get("/smart/launch", params={"iss": BASE}).status_code == 502


def test_a_foreign_state_is_refused(browser: TestClient, ehr: RecordSystem) -> None:
    """Somebody else's answer does not open their patient in this browser."""
    ehr.allow(browser.get("/smart/launch", params={"iss": BASE}).headers["location"])
    assert browser.get("/smart/callback", params={"state": "guessed", "code": "code-1"}).status_code == 403
    assert ehr.seen == []


def test_without_a_launch_in_this_browser_nothing_happens(browser: TestClient, ehr: RecordSystem) -> None:
    """A link to the callback alone opens nothing."""
    assert browser.get("/smart/callback", params={"state": "x", "code": "code-1"}).status_code == 403
    assert ehr.seen == []


def test_a_forged_cookie_cannot_send_the_code_elsewhere(browser: TestClient, ehr: RecordSystem) -> None:
    """The server in the cookie is compared with the settings again."""
    forged = Pending("https://evil.example/fhir", "s", "v" * 43, 10**10)
    browser.cookies.set("ivigil-launch", sealed(forged))
    assert browser.get("/smart/callback", params={"state": "s", "code": "c"}).status_code == 403
    assert ehr.seen == []


def test_a_code_works_once(browser: TestClient, ehr: RecordSystem) -> None:
    """The same answer sent again is refused: the launch is forgotten and the record system has taken the code."""
    sent = browser.get("/smart/launch", params={"iss": BASE})
    state = ehr.allow(sent.headers["location"])
    assert browser.get("/smart/callback", params={"state": state, "code": "code-1"}).status_code == 200
    assert browser.get("/smart/callback", params={"state": state, "code": "code-1"}).status_code == 403


def test_a_launch_without_patient_asks_for_one(browser: TestClient, ehr: RecordSystem) -> None:
    """No patient in context is missing data, with a remedy."""
    ehr.patient = None
    answer = _signed_in(browser, ehr)
    assert answer.status_code == 412
    assert "choose a patient" in answer.text


def test_the_patient_id_cannot_lead_elsewhere(browser: TestClient, ehr: RecordSystem) -> None:
    """An id with a path in it is no id."""
    ehr.patient = "../Practitioner/9"
    assert _signed_in(browser, ehr).status_code == 412


def test_a_next_page_elsewhere_is_not_followed(browser: TestClient, ehr: RecordSystem) -> None:
    """The token is sent to the record system only; the list that could not be read whole is named."""
    ehr.next_page = "https://evil.example/fhir/Condition?page=2"
    assert _signed_in(browser, ehr).json()["not_read"][0] == "Condition: its next page lies on another server"


def test_refused_sign_in_is_told(browser: TestClient, ehr: RecordSystem) -> None:
    """A person who does not allow reading gets a page, not a plan."""
    state = ehr.allow(browser.get("/smart/launch", params={"iss": BASE}).headers["location"])
    assert browser.get("/smart/callback", params={"state": state, "error": "access_denied"}).status_code == 403


def test_the_challenge_is_that_of_the_standard() -> None:
    """The pair of RFC 7636, appendix B."""
    assert challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
