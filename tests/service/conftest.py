"""One hospital on the packaged evidence, and its application as a browser of this machine meets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from ivigil.evidence.load import load_evidence
from ivigil.planning.choices import SiteProfile
from ivigil.service.app import application
from ivigil.service.hospital import Hospital

HERE = "http://127.0.0.1"


@pytest.fixture(scope="session")
def us_hospital() -> Hospital:
    """A hospital in the United States on the packaged evidence."""
    return Hospital(load_evidence(), SiteProfile(jurisdiction="US"))


@pytest.fixture
def app(us_hospital: Hospital) -> FastAPI:
    """The application in open mode."""
    return application(us_hospital)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A caller on this machine."""
    with TestClient(app, base_url=HERE, client=("127.0.0.1", 50000), raise_server_exceptions=True) as one:
        yield one
