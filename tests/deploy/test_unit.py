"""The systemd unit: read by systemd itself where it is installed, hardened as far as a service of this kind can be, and its command starts."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from ivigil.cli.users_command import Place, run_add

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "deploy" / "ivigil.service"
PROGRAM = "/opt/ivigil/bin/ivigil"
GRACE = 20
"""Seconds that answers under way have to finish, as docs/operations.md says."""
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")


def directives() -> dict[str, list[str]]:
    """Every directive of the unit with its values."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def verified(folder: Path, text: str) -> str:
    """What systemd says of a unit whose program exists."""
    path = folder / "ivigil.service"
    path.write_text(text.replace(PROGRAM, sys.executable), encoding="utf-8")
    assert ANALYZE is not None
    done = subprocess.run([ANALYZE, "verify", "--man=no", str(path)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_has_nothing_to_say_against_it(tmp_path: Path) -> None:
    """Every section, directive and value is known; a misspelt one would be named."""
    text = UNIT.read_text(encoding="utf-8")
    assert verified(tmp_path, text) == ""
    assert "ProtectHomes" in verified(tmp_path, text.replace("ProtectHome=", "ProtectHomes="))
    assert "@no-such-group" in verified(tmp_path, text.replace("@system-service", "@no-such-group"))


@needs_systemd
def test_systemd_finds_little_exposed(tmp_path: Path) -> None:
    """Its own measure of exposure, from 0 to 10, of which a service on the network keeps 0.8 in any case."""
    path = tmp_path / "ivigil.service"
    path.write_text(UNIT.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    assert ANALYZE is not None
    done = subprocess.run([ANALYZE, "security", "--offline=true", "--no-pager", str(path)], capture_output=True, text=True, check=False)
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) < 2


def test_folders_user_and_times_agree_with_the_command() -> None:
    """It runs as a user of its own, may write where its database and cache lie and nowhere else, and has longer to end than answers have to finish."""
    found = directives()
    command, = found["ExecStart"]
    assert shlex.split(command)[0] == PROGRAM
    assert found["User"] == ["ivigil"]
    assert found["DynamicUser"] == ["yes"]
    assert found["ProtectSystem"] == ["strict"], "everything is read-only but the folders that follow"
    assert "--database sqlite:////var/lib/ivigil/" in command
    assert found["StateDirectory"] == ["ivigil"], "/var/lib/ivigil"
    assert found["StateDirectoryMode"] == ["0700"]
    assert found["Environment"] == ["IVIGIL_CACHE=%C/ivigil"]
    assert found["CacheDirectory"] == ["ivigil"], "/var/cache/ivigil"
    assert found["ConfigurationDirectory"] == ["ivigil"], "/etc/ivigil"
    assert found["KillSignal"] == ["SIGTERM"]
    assert int(found["TimeoutStopSec"][0]) > GRACE


def test_its_command_starts_serves_and_ends_in_time(tmp_path: Path) -> None:
    """The line of ExecStart with folders and port of this test: ready, and ended by the signal of the unit with exit code 0."""
    found = directives()
    for folder in ("etc", "lib"):
        (tmp_path / folder).mkdir()
    (tmp_path / "etc" / "settings.yaml").write_text("mode: sign-in\nbehind_proxy: true\npublic_url: https://ivigil.hospital.example\n", encoding="utf-8")
    (tmp_path / "etc" / "site.yaml").write_text("jurisdiction: US\n", encoding="utf-8")
    (tmp_path / "password").write_text("correct horse battery staple\n", encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = found["ExecStart"][0].replace("/etc/ivigil", str(tmp_path / "etc")).replace("/var/lib/ivigil", str(tmp_path / "lib")).replace("8080", str(port))
    command = [sys.executable, "-m", "ivigil", *shlex.split(line)[1:]]
    assert run_add(Place(command[command.index("--database") + 1]), "anna", ["admin"], str(tmp_path / "password"), "") == 0
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
                                   stdout=log, stderr=log)
    try:
        for _ in range(900):
            try:
                answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10, trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
                time.sleep(0.2)
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    finally:
        process.send_signal(getattr(signal, found["KillSignal"][0]))
        code = process.wait(120)
    assert code == 0
