"""Databases to test with: one in memory, one in a file, and a PostgreSQL server of our own where its programs are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.mixed.postgres import NotHere, PostgresServer

from ivigil.service.store import Store
from ivigil.service.store.database import IN_MEMORY


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL that ends with the tests."""
    try:
        with PostgresServer() as server:
            yield server.url
    except NotHere as error:
        pytest.skip(str(error))


@pytest.fixture(params=["memory", "file", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every kind of database in turn."""
    if request.param == "memory":
        return IN_MEMORY
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'ivigil.db'}"
    if sys.platform == "win32":
        pytest.skip("no PostgreSQL here")
    served: str = request.getfixturevalue("postgres")
    return served


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store with nothing in it."""
    one = Store.at(url)
    one.database.migrate("base")
    one.database.migrate()
    yield one
    one.database.close()
