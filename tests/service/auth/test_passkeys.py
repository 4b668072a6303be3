"""Passkeys with an authenticator in software: made, used, and refused in every way they can be forged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from ivigil.service.store import Store

from .authenticator import Authenticator
from .conftest import ORIGIN

RP = "ivigil.hospital.example"


def _registered(one: TestClient, key: Authenticator) -> int:
    begun = one.post("/auth/passkeys/begin").json()
    status: int = one.post("/auth/passkeys/finish", json={"token": begun["token"], "credential": key.made(begun["options"])}).status_code
    return status


def _used(one: TestClient, key: Authenticator, change: Callable[[dict[str, Any]], None] = lambda sent: None) -> Any:
    begun = one.post("/auth/sign-in/passkey/begin").json()
    sent = {"token": begun["token"], "credential": key.signed(begun["options"])}
    change(sent)
    return one.post("/auth/sign-in/passkey/finish", json=sent)


@pytest.fixture
def key(as_user: Callable[[str], TestClient]) -> Authenticator:
    """Anna's key."""
    one = Authenticator(ORIGIN, RP)
    assert _registered(as_user("anna"), one) == 204
    return one


def test_a_passkey_signs_in(stranger: TestClient, key: Authenticator, store: Store) -> None:
    """Without name or password; the trail says how; again and again."""
    for _ in range(2):
        answer = _used(stranger, key)
        assert answer.status_code == 204
        assert answer.headers["set-cookie"].startswith("__Host-ivigil=")
    assert "anna" in stranger.get("/account").text
    assert store.audit.entries()[-1].detail == '{"how":"passkey"}'


def test_a_passkey_is_registered_once(as_user: Callable[[str], TestClient], key: Authenticator) -> None:
    """Nor by somebody else."""
    assert _registered(as_user("ben"), key) == 422


def test_an_answer_counts_once(stranger: TestClient, key: Authenticator) -> None:
    """A recorded answer opens nothing."""
    begun = stranger.post("/auth/sign-in/passkey/begin").json()
    sent = {"token": begun["token"], "credential": key.signed(begun["options"])}
    assert stranger.post("/auth/sign-in/passkey/finish", json=sent).status_code == 204
    assert stranger.post("/auth/sign-in/passkey/finish", json=sent).status_code == 422
    fresh = stranger.post("/auth/sign-in/passkey/begin").json()
    assert stranger.post("/auth/sign-in/passkey/finish", json={**sent, "token": fresh["token"]}).status_code == 422


def test_forged_answers_are_refused(stranger: TestClient, key: Authenticator) -> None:
    """Another key, another site, no person present, a changed signature, a copy of the key."""
    other = Authenticator(ORIGIN, RP)
    other.credential = key.credential
    assert _used(stranger, other).status_code == 422
    for name, value in (("origin", "https://evil.example"), ("rp_id", "evil.example"), ("flags", 0), ("flags", 0x01)):
        before = getattr(key, name)
        setattr(key, name, value)
        assert _used(stranger, key).status_code == 422, (name, value)
        setattr(key, name, before)
    key.uses += 10
    assert _used(stranger, key).status_code == 204
    key.uses -= 5
    assert _used(stranger, key).status_code == 422, "a counter that runs backwards shows a copy"
    unknown = Authenticator(ORIGIN, RP)
    assert _used(stranger, unknown).status_code == 401


@pytest.mark.parametrize("change", [
    lambda sent: sent.update(token="x"), lambda sent: sent["credential"].clear(), lambda sent: sent["credential"]["response"].pop("signature"),
    lambda sent: sent["credential"]["response"].update(signature="AAAA"), lambda sent: sent["credential"]["response"].update(clientDataJSON="e30"),
    lambda sent: sent["credential"].update(response=7), lambda sent: sent.pop("credential"), lambda sent: sent["credential"].update(id=7),
    lambda sent: sent["credential"]["response"].update(authenticatorData="\u00fc"),
])
def test_half_answers_are_refused(stranger: TestClient, key: Authenticator, change: Callable[[dict[str, Any]], None]) -> None:
    """Never with a failure of ours."""
    answer = _used(stranger, key, change)
    assert answer.status_code in {401, 422}
    assert answer.json()["problems"][0]["remedy"]


def test_a_disabled_user_has_no_passkey(stranger: TestClient, key: Authenticator, store: Store) -> None:
    """The key stays, the door is shut."""
    from ivigil.service.clock import now

    store.people.change(now(), "test", "anna", disabled=True)
    assert _used(stranger, key).status_code == 401


def test_a_stranger_registers_nothing(stranger: TestClient) -> None:
    """Only a person who is signed in makes a passkey."""
    assert stranger.post("/auth/passkeys/begin").status_code == 401
    assert stranger.post("/auth/passkeys/finish").status_code == 401
