"""Databases to test with: one in memory, one in a file, and a PostgreSQL server of our own where its programs are installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ivigil.service.store import Store
from ivigil.service.store.database import IN_MEMORY


def _programs() -> Path | None:
    found = [Path(path).parent for path in (shutil.which("postgres"),) if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL that ends with the tests."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="ivigil-pg-"))
    own: dict[str, Any] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        import pwd

        try:
            user = pwd.getpwnam("nobody")
        except KeyError:
            pytest.skip("no other user to run PostgreSQL as")
        os.chown(folder, user.pw_uid, user.pw_gid)
        own = {"user": user.pw_uid, "group": user.pw_gid}
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    begin = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "ivigil", "-A", "trust", "-E", "UTF8"]
    made = subprocess.run(begin, capture_output=True, text=True, check=False, **own)
    if made.returncode:
        pytest.skip(f"PostgreSQL does not start here: {made.stderr[:200]}")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder), "-F"],
                                  stdout=log, stderr=log, **own)
    try:
        for _ in range(200):
            with socket.socket() as one:
                if not one.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.05)
        time.sleep(0.3)
        yield f"postgresql://ivigil@127.0.0.1:{port}/postgres"
    finally:
        server.send_signal(signal.SIGINT)  # ends connections that are still open
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


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
