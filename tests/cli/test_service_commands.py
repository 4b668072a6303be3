"""The commands around the service: serving, users, audit trail, backup and restore, as an operator types them."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from ivigil.basis.problems import BadInput
from ivigil.cli.database_command import run_backup, run_migrate, run_restore, run_trail, run_verify, run_version
from ivigil.cli.inputs import Choices
from ivigil.cli.serve_command import Wanted, need_web, run_serve
from ivigil.cli.users_command import Place, run_add, run_change, run_list, run_password, run_token

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database of its own."""
    return f"sqlite:///{tmp_path / 'ivigil.db'}"


@pytest.fixture
def password(tmp_path: Path) -> str:
    """A file with a good password."""
    path = tmp_path / "password"
    path.write_text("correct horse battery\n", encoding="utf-8")
    return str(path)


def test_users_are_added_listed_changed_and_disabled(url: str, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As documented, one after the other."""
    place = Place(url)
    assert run_add(place, "anna", ["prescriber"], password, "") == 0
    assert run_change(place, "anna", roles=["reviewer"]) == 0
    assert run_password(place, "anna", password) == 0
    assert run_token(place, "anna", "robot", 30) == 0
    token = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"ivigil_[\w-]{43}", token)
    assert run_change(place, "anna", disabled=True) == 0
    assert run_list(place) == 0
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith("anna")
    assert "reviewer" in row
    assert row.endswith("disabled")


def test_what_cannot_be_is_refused_with_all_reasons(url: str, tmp_path: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A weak password, a taken name, an unknown user, a subject without identity service: nothing is changed."""
    place = Place(url)
    weak = tmp_path / "weak"
    weak.write_text("anna1\n", encoding="utf-8")
    assert run_add(place, "anna", [], str(weak), "") == 2
    told = capsys.readouterr().err
    assert "shorter than 12 characters" in told
    assert "holds the name" in told
    assert run_list(place) == 0
    assert capsys.readouterr().out == "No users yet.\n"
    assert run_add(place, "anna", [], password, "") == 0
    assert run_add(place, "anna", [], password, "") == 2
    assert run_change(place, "ben", disabled=True) == 2
    assert run_token(place, "ben", "x", 1) == 2
    assert run_add(place, "dora", [], "", "s-1") == 2
    assert run_add(place, " x", [], password, "") == 2
    assert run_add(Place("mysql://x"), "x", [], password, "") == 2


def test_the_audit_trail_is_verified_and_tampering_found(url: str, tmp_path: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0 and a head to note; 2 after somebody changed an entry behind the program's back."""
    run_add(Place(url), "anna", [], password, "")
    run_add(Place(url), "ben", [], password, "")
    capsys.readouterr()
    assert run_verify(url, "") == 0
    head = re.search(r"Head: (2:[0-9a-f]{64})", capsys.readouterr().out)
    assert head is not None
    assert run_verify(url, head[1]) == 0
    assert run_verify(url, "2:0000") == 2
    assert run_trail(url, 1, 10) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2  ")
    with closing(sqlite3.connect(tmp_path / "ivigil.db")) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET who = 'nobody' WHERE seq = 1")
        connection.commit()
    assert run_verify(url, "") == 2
    assert "entry 1 was changed" in capsys.readouterr().err
    assert run_backup(url, str(tmp_path / "tampered.db")) == 2


def test_the_backup_drill(url: str, tmp_path: Path, password: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What docs/operations.md describes: back up, lose the database, restore, verify against the noted head."""
    run_add(Place(url), "anna", ["admin"], password, "")
    run_verify(url, "")
    head = re.search(r"Head: (\S+)", capsys.readouterr().out)
    assert head is not None
    copy = tmp_path / "backup.db"
    assert run_backup(url, str(copy)) == 0
    assert copy.stat().st_mode & 0o077 == 0, "a backup holds patient data"
    assert run_backup(url, str(copy)) == 2, "a backup is never written over"
    run_add(Place(url), "ben", [], password, "")
    assert run_restore(url, str(copy), replace=False) == 2, "a database is never replaced unasked"
    assert run_restore(url, str(copy), replace=True) == 0
    capsys.readouterr()
    run_list(Place(url))
    assert "ben" not in capsys.readouterr().out
    assert run_verify(url, head[1]) == 0
    assert (tmp_path / "ivigil.db.before-restore").exists()
    (tmp_path / "ivigil.db").unlink()
    assert run_restore(url, str(copy), replace=False) == 0


def test_half_a_backup_is_not_restored(url: str, tmp_path: Path, password: str) -> None:
    """A damaged file is refused before anything is touched."""
    run_add(Place(url), "anna", [], password, "")
    copy = tmp_path / "backup.db"
    run_backup(url, str(copy))
    data = bytearray(copy.read_bytes())
    for bad in (data[: len(data) // 2], b"not a database at all" * 100, b""):
        copy.write_bytes(bad)
        before = (tmp_path / "ivigil.db").read_bytes()
        assert run_restore(url, str(copy), replace=True) == 2
        assert (tmp_path / "ivigil.db").read_bytes() == before
    assert run_restore(url, str(tmp_path / "nowhere.db"), replace=True) == 2
    assert run_backup("postgresql://x/y", str(tmp_path / "pg.db")) == 2


def test_tables_go_down_and_up(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For whoever must go back to an older program."""
    assert run_migrate(url, "head") == 0
    assert run_migrate(url, "base") == 0
    assert run_version(url) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("tables none, newest 0002")
    assert run_migrate(url, "9999") == 2


def test_without_its_libraries_the_remedy_is_said() -> None:
    """A light installation says what to install, and the other commands go on working."""
    with pytest.raises(BadInput) as caught:
        need_web(("fastapi", "a_library_that_is_not_there"))
    problem, = caught.value.problems
    assert "a_library_that_is_not_there" in problem.why
    assert "fastapi" not in problem.why
    assert problem.remedy == "install them with: pip install 'ivigil[web]'"


def test_a_bad_start_lists_every_problem(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Options, site profile and settings in one list; nothing listens."""
    settings = tmp_path / "settings.yaml"
    settings.write_text("mode: shut\n", encoding="utf-8")
    wanted = Wanted(host="0.0.0.0", settings=str(settings), database=url, certificate="nowhere.pem")
    assert run_serve(wanted, Choices(jurisdiction="Mars", site=str(tmp_path / "site.yaml"))) == 2
    told = capsys.readouterr().err
    for part in ("mode", "nowhere.pem", "--key", "site.yaml", "--host 0.0.0.0"):
        assert part in told, part


# --- the real thing -----------------------------------------------------------------------------------------------------


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        number: int = one.getsockname()[1]
        return number


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """``ivigil serve`` with two workers, as an operator starts it."""
    port, log = _port(), tmp_path / "log"
    command = [sys.executable, "-m", "ivigil", "serve", "--port", str(port), "--workers", "2", "-j", "US", "--database", f"sqlite:///{tmp_path}/serve.db"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=ROOT, env={**os.environ, "PYTHONPATH": "src"})
    address = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: _ok(f"{address}/readyz"), log)
        yield process, address, log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _ok(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _until(true: Any, log: Path) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8"))


def test_a_killed_worker_is_replaced_and_nothing_is_lost_or_logged(served: tuple[subprocess.Popen[bytes], str, Path], tmp_path: Path) -> None:
    """Plans go on being made and kept while a worker dies; counts add up over workers; the log names no patient; the end is orderly."""
    process, address, log = served
    record = (ROOT / "patients" / "itp-adult-us.yaml").read_bytes()
    workers = [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()]
    kept: list[str] = []
    broken = 0
    for number in range(12):
        if number == 4:
            victims = [pid for pid in workers if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            os.kill(victims[0], signal.SIGKILL)
        try:
            answer = httpx.post(f"{address}/api/v1/plans?as_of=2026-11-20", content=record, timeout=60, trust_env=False)
            assert answer.status_code == 201
            kept.append(answer.json()["id"])
        except httpx.TransportError:
            broken += 1
    assert broken <= 2, "only what the dead worker held may break"
    listed = {one["id"] for one in httpx.get(f"{address}/api/v1/plans", trust_env=False, timeout=60).json()["plans"]}
    assert set(kept) <= listed
    _until(lambda: log.read_text(encoding="utf-8").count("Application startup complete") >= 3, log)
    counts = httpx.get(f"{address}/metrics", trust_env=False, timeout=60).text
    made = sum(float(line.split()[-1]) for line in counts.splitlines() if line.startswith("ivigil_requests_total") and 'status="201"' in line)
    assert made >= len(kept) - 2
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    told = log.read_text(encoding="utf-8")
    assert "example-itp-adult-us" not in told
    assert "gallbladder" not in told
    assert run_verify(f"sqlite:///{tmp_path}/serve.db", "") == 0
