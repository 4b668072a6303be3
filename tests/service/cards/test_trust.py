"""Signed tokens: accepted once, from the issuer, for this address, in time; everything else is refused with 401 and an OperationOutcome."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc import jwk, jwt
from tests.service.cards.sample import amount, call, daily, order

from ivigil.service import clock
from ivigil.service.app import application
from ivigil.service.cards.doors import Desk
from ivigil.service.hospital import Hospital
from ivigil.service.settings import Issuer, RecordSystems, Settings

ISS, JKU, PUBLIC = "https://ehr.example", "https://ehr.example/jwks.json", "https://ivigil.example"
SERVICE = "/cds-services/ivigil-order-sign"
EC = jwk.ECKey.generate_key("P-384", {"kid": "one", "use": "sig", "alg": "ES384"})
RSA = jwk.RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS384"})
OTHER = jwk.ECKey.generate_key("P-384", {"kid": "one", "use": "sig"})

Json = dict[str, Any]


class KeyServer(httpx.AsyncBaseTransport):
    """Serves the key set of the issuer and counts how often it is asked, and for what."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys = [EC.as_dict(private=False)]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request."""
        self.asked.append(str(request.url))
        return httpx.Response(200, json={"keys": self.keys}) if str(request.url) == JKU else httpx.Response(404)


@pytest.fixture
def keys() -> KeyServer:
    """The issuer's key server."""
    return KeyServer()


@pytest.fixture
def guarded(us_hospital: Hospital, keys: KeyServer) -> Iterator[TestClient]:
    """A service behind TLS that trusts one issuer."""
    systems = RecordSystems(issuers=(Issuer(ISS, (JKU,), tenants=("ward",)),))
    settings = Settings(mode="sign-in", public_url=PUBLIC, record_systems=systems)
    app: FastAPI = application(us_hospital, settings)
    app.state.desk = Desk(us_hospital, settings, app.state.store, transport=keys)
    with TestClient(app, base_url=PUBLIC) as client:
        yield client


def token(key: jwk.Key = EC, head: Json | None = None, without: str = "", **claims: Any) -> str:
    """A token as a record system signs it, with some of it changed."""
    now = int(time.time())
    body = {"iss": ISS, "aud": PUBLIC + SERVICE, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), "tenant": "ward"} | claims
    body.pop(without, None)
    header = {"alg": "RS384" if key.key_type == "RSA" else "ES384", "kid": key.kid, "typ": "JWT", "jku": JKU} | (head or {})
    return jwt.encode({name: value for name, value in header.items() if value is not None}, body, key, algorithms=["ES384", "RS384", "ES256", "HS256"])


def status(client: TestClient, bearer: str | None) -> int:
    """The status of a call with a token; what is refused says why in an OperationOutcome."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
    response = client.post(SERVICE, json=call("order-sign", order(amount(28, "g"), daily(5))), headers=headers)
    if response.status_code == 401:
        assert response.json()["resourceType"] == "OperationOutcome"
        assert response.headers["WWW-Authenticate"] == "Bearer"
    return int(response.status_code)


def test_a_good_token_is_let_in_once(guarded: TestClient, keys: KeyServer) -> None:
    """The same token a second time is a replay; the key set is fetched once for many tokens."""
    good = token()
    assert [status(guarded, good), status(guarded, good), status(guarded, token())] == [200, 401, 200]
    assert keys.asked == [JKU]


def test_both_recommended_algorithms_are_taken(guarded: TestClient, keys: KeyServer) -> None:
    """RS384 beside ES384; audiences may be a list."""
    keys.keys.append(RSA.as_dict(private=False))
    assert status(guarded, token(RSA, aud=["https://elsewhere.example", PUBLIC + SERVICE])) == 200


@pytest.mark.parametrize("bad", [
    lambda: None,
    lambda: "nonsense",
    lambda: "a.b.c",
    lambda: token(iss="https://stranger.example"),
    lambda: token(OTHER),
    lambda: token(aud=PUBLIC + "/cds-services/ivigil-patient-view"),
    lambda: token(exp=int(time.time()) - 60),
    lambda: token(iat=int(time.time()) + 120, exp=int(time.time()) + 300),
    lambda: token(exp=int(time.time()) + 86400),
    lambda: token(exp="soon"),
    lambda: token(exp=True),
    lambda: token(jti=""),
    lambda: token(tenant="elsewhere"),
    lambda: token(head={"kid": None}),
    lambda: token(head={"kid": "unknown"}),
    lambda: token(head={"jku": "https://stranger.example/jwks.json"}),
    lambda: token(head={"typ": "other"}),
    *(lambda name=name: token(without=name) for name in ("iss", "aud", "exp", "iat", "jti", "tenant")),
    lambda: token(jwk.ECKey.generate_key("P-256", {"kid": "one"}), {"alg": "ES256"}),
    lambda: token(jwk.OctKey.import_key(json.dumps(EC.as_dict(private=False)), {"kid": "one"}), {"alg": "HS256"}),
    lambda: ".".join(("eyJhbGciOiJub25lIiwia2lkIjoib25lIiwidHlwIjoiSldUIn0", token().split(".")[1], "")),
])
def test_everything_else_is_refused(guarded: TestClient, keys: KeyServer, bad: Callable[[], str | None]) -> None:
    """Missing, malformed, of strangers, for another address, out of time, unsigned, signed with the public key as secret."""
    assert status(guarded, bad()) == 401
    assert set(keys.asked) <= {JKU}, "nothing but the allowed address is ever fetched"


def test_a_changed_payload_is_refused(guarded: TestClient) -> None:
    """Claims cannot be exchanged under a signature."""
    head, _, signature = token().split(".")
    assert status(guarded, ".".join((head, token(tenant="ward").split(".")[1], signature))) == 401


def test_a_new_key_is_found_when_it_signs(guarded: TestClient, keys: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys rotate: an unknown key asks again, but not more than once a minute."""
    assert status(guarded, token()) == 200
    keys.keys.append(RSA.as_dict(private=False))
    assert status(guarded, token(RSA)) == 401
    assert len(keys.asked) == 1
    later = clock.now().timestamp() + 61
    monkeypatch.setattr("ivigil.service.cards.doors.clock.now", lambda: datetime.fromtimestamp(later, UTC))
    assert status(guarded, token(RSA, iat=int(later), exp=int(later) + 300)) == 200
    assert len(keys.asked) == 2


def test_the_captured_token_is_refused_by_the_clock_alone(us_hospital: Hospital, captured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of the sandbox verifies with its key at the time it was made, and is refused today."""
    saved = json.loads((captured / "order-sign-ivig.json").read_text(encoding="utf-8"))
    keys = json.loads((captured / "client-jwks.json").read_text(encoding="utf-8"))["keys"]
    settings = Settings(record_systems=RecordSystems(issuers=(Issuer("https://sandbox.cds-hooks.org", keys=tuple(keys)),)))
    app = application(us_hospital, settings)
    app.state.desk = Desk(us_hospital, settings, app.state.store)
    address = "http://127.0.0.1:8091"
    app.state.desk.offered = {"probe-order-sign": app.state.desk.offered["ivigil-order-sign"]}
    headers = {"authorization": saved["headers"]["authorization"]}
    with TestClient(app, base_url=address, client=("127.0.0.1", 1)) as client:
        assert client.post(saved["path"], json=saved["body"], headers=headers).status_code == 401
        then = datetime.fromtimestamp(1795211293 + 10, UTC)
        monkeypatch.setattr("ivigil.service.cards.doors.clock.now", lambda: then)
        assert client.post(saved["path"], json=saved["body"], headers=headers).status_code == 200
        assert client.post(saved["path"], json=saved["body"], headers=headers).status_code == 401
