"""Sign-in through an identity service, against a small one of our own that can be told to lie."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from joserfc import jwk, jwt

from ivigil.service.app import application
from ivigil.service.auth.openid import IdentityService
from ivigil.service.clock import now
from ivigil.service.hospital import Hospital
from ivigil.service.settings import OpenId, Settings
from ivigil.service.store import Store

from .conftest import ORIGIN

ISSUER = "https://id.hospital.example/realm"
KEY = jwk.ECKey.generate_key("P-256", {"kid": "k1"})


class Identity:
    """Answers as an identity service does; ``claims`` and ``key`` can be bent."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "s-1", "preferred_username": "dora", "groups": ["ig-committee"]}
        self.key = KEY
        self.algorithm = "ES256"
        self.issuer = ISSUER
        self.discovery: dict[str, Any] = {}
        self.challenge = ""
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"issuer": self.issuer, "authorization_endpoint": f"{ISSUER}/auth", "token_endpoint": f"{ISSUER}/token",
                                             "jwks_uri": f"{ISSUER}/keys", **self.discovery})
        if request.url.path.endswith("/keys"):
            return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        form = parse_qs(request.content.decode())
        proof = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"][0].encode()).digest()).rstrip(b"=").decode()
        if proof != self.challenge or form["code"] != ["the-code"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return httpx.Response(200, json={"id_token": jwt.encode({"alg": self.algorithm, "kid": "k1"}, self.claims, self.key, algorithms=[self.algorithm])})


@pytest.fixture
def identity() -> Identity:
    """An honest one."""
    return Identity()


def _service(us_hospital: Hospital, store: Store, identity: Identity, **given: Any) -> FastAPI:
    openid = OpenId(issuer=ISSUER, client_id="ivigil", **given)
    app = application(us_hospital, Settings(mode="sign-in", public_url=ORIGIN, openid=openid), store)
    app.state.identity_service = IdentityService(openid, f"{ORIGIN}/sign-in/openid/back", httpx.MockTransport(identity))
    return app


def _round(app: FastAPI, identity: Identity, **bent: Any) -> tuple[TestClient, httpx.Response]:
    """There and back; ``bent`` changes the claims."""
    browser = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    there = browser.get("/sign-in/openid?next=/account")
    if there.status_code != 303:
        return browser, there
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{ORIGIN}/sign-in/openid/back"
    identity.challenge = asked["code_challenge"]
    moment = int(now().timestamp())
    identity.claims = {**identity.claims, "iss": ISSUER, "aud": "ivigil", "iat": moment, "exp": moment + 300, "nonce": asked["nonce"], **bent}
    identity.claims = {name: value for name, value in identity.claims.items() if value is not None}
    return browser, browser.get("/sign-in/openid/back", params={"code": "the-code", "state": asked["state"]})


def test_a_person_whom_the_service_knows_gets_in(us_hospital: Hospital, store: Store, identity: Identity) -> None:
    """An administrator added the subject; roles come from the claim, by the settings' own words."""
    store.people.add(now(), "test", "dora", [], issuer=ISSUER, subject="s-1")
    app = _service(us_hospital, store, identity, roles_claim="groups", roles={"ig-committee": "reviewer"})
    browser, answer = _round(app, identity)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = browser.get("/account").text
    assert "dora" in page
    assert "reviewer" in page
    assert {str(request.url) for request in identity.asked} == {f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/token", f"{ISSUER}/keys"}


def test_a_person_nobody_added_is_refused_or_a_viewer(us_hospital: Hospital, store: Store, identity: Identity) -> None:
    """As the settings say; the refusal tells what an administrator must type."""
    _, refused = _round(_service(us_hospital, store, identity), identity)
    assert refused.status_code == 403
    assert "--subject 's-1'" in refused.json()["problems"][0]["remedy"]
    browser, answer = _round(_service(us_hospital, store, identity, new_users="viewer"), identity)
    assert answer.status_code == 303
    person = store.people.by_subject(ISSUER, "s-1")
    assert person is not None
    assert person.roles == {"viewer"}
    store.people.change(now(), "test", person.name, disabled=True)
    assert browser.get("/account", headers={"accept": "application/json"}).status_code == 401
    _, again = _round(_service(us_hospital, store, identity, new_users="viewer"), identity)
    assert again.status_code == 403


@pytest.mark.parametrize("bent", [
    {"iss": "https://evil.example"}, {"aud": "other"}, {"aud": ["ivigil", "other"]}, {"exp": 1_000_000_000}, {"exp": None}, {"nonce": "another"},
    {"nonce": None}, {"sub": None}, {"iat": None},
], ids=str)
def test_a_word_that_does_not_check_out_is_refused(us_hospital: Hospital, store: Store, identity: Identity, bent: dict[str, Any]) -> None:
    """Issuer, audience, time, nonce and subject must all fit."""
    browser, answer = _round(_service(us_hospital, store, identity, new_users="viewer"), identity, **bent)
    assert answer.status_code == 502
    assert "__Host-ivigil" not in browser.cookies


def test_a_forged_signature_is_refused(us_hospital: Hospital, store: Store, identity: Identity) -> None:
    """Another key of the same name; and a shared secret passed off as a signature."""
    identity.key = jwk.ECKey.generate_key("P-256", {"kid": "k1"})
    assert _round(_service(us_hospital, store, identity, new_users="viewer"), identity)[1].status_code == 502
    identity.key, identity.algorithm = jwk.OctKey.import_key("secret-secret-secret-secret-secret-secret"), "HS256"  # type: ignore[assignment]
    assert _round(_service(us_hospital, store, identity, new_users="viewer"), identity)[1].status_code == 502


def test_a_service_that_calls_itself_otherwise_or_sends_elsewhere_is_refused(us_hospital: Hospital, store: Store, identity: Identity) -> None:
    """Mix-up and plain http end before anything is told."""
    app = _service(us_hospital, store, identity)
    identity.issuer = "https://evil.example"
    assert _round(app, identity)[1].status_code == 502
    identity.issuer, identity.discovery = ISSUER, {"authorization_endpoint": "http://id.hospital.example/auth"}
    assert _round(app, identity)[1].status_code == 502


def test_a_sign_in_begun_elsewhere_is_refused(us_hospital: Hospital, store: Store, identity: Identity) -> None:
    """A link with somebody else's code signs nobody in; a code counts once."""
    store.people.add(now(), "test", "dora", [], issuer=ISSUER, subject="s-1")
    app = _service(us_hospital, store, identity)
    victim = TestClient(app, base_url=ORIGIN, follow_redirects=False)
    attacker, _ = _round(app, identity)
    begun = attacker.get("/sign-in/openid")
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    assert victim.get("/sign-in/openid/back", params={"code": "the-code", "state": state}).status_code == 422
    assert victim.get("/sign-in/openid/back").status_code == 422
    browser, first = _round(app, identity)
    assert first.status_code == 303
    again = browser.get("/sign-in/openid/back", params={"code": "the-code", "state": browser.cookies["__Host-ivigil-state"]})
    assert again.status_code == 422


def test_without_an_identity_service_there_is_no_such_door(stranger: TestClient) -> None:
    """Not found, with what else there is."""
    assert stranger.get("/sign-in/openid").status_code == 404
