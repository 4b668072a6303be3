"""A service with sign-in, behind TLS, with two users."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ivigil.service.app import application
from ivigil.service.auth.passwords import kept
from ivigil.service.clock import now
from ivigil.service.hospital import Hospital
from ivigil.service.settings import Settings, SignIn
from ivigil.service.store import Store

ORIGIN = "https://ivigil.hospital.example"
PASSWORD = "correct horse battery"
_HASHED = kept(PASSWORD, "somebody", 12)


@pytest.fixture
def store() -> Store:
    """Anna prescribes, Ben administers, Cleo left."""
    one = Store.in_memory()
    one.people.add(now(), "test", "anna", ["prescriber"], password=_HASHED)
    one.people.add(now(), "test", "ben", ["admin"], password=_HASHED)
    one.people.add(now(), "test", "cleo", ["prescriber"], password=_HASHED)
    one.people.change(now(), "test", "cleo", disabled=True)
    return one


@pytest.fixture
def settings() -> Settings:
    """Sign-in, for one hospital."""
    return Settings(mode="sign-in", public_url=ORIGIN, sign_in=SignIn(attempts=3))


@pytest.fixture
def guarded(us_hospital: Hospital, settings: Settings, store: Store) -> FastAPI:
    """The application that asks who you are."""
    return application(us_hospital, settings, store)


@pytest.fixture
def stranger(guarded: FastAPI) -> TestClient:
    """A browser that nobody signed in with."""
    return TestClient(guarded, base_url=ORIGIN, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)


@pytest.fixture
def as_user(guarded: FastAPI) -> Callable[[str], TestClient]:
    """A browser in which somebody signed in."""

    def signed_in(name: str) -> TestClient:
        one = TestClient(guarded, base_url=ORIGIN, headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
        answer = one.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/account"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        return one

    return signed_in
