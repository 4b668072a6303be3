"""``ivigil serve`` as an operator starts it, with users of every role and a record system that is trusted, watched from outside."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from joserfc.jwk import ECKey

from ivigil.service.auth.passwords import kept
from ivigil.service.settings import Role
from ivigil.service.store import Store

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"
ISSUER = "https://ehr.example"
PEOPLE: dict[str, tuple[Role, ...]] = {
    "anna": ("prescriber",), "ben": ("prescriber",), "vera": (), "rosa": ("reviewer",), "remy": ("reviewer",), "adam": ("admin",)}
"""Two who prescribe, one who may only look, two who review, one who administers."""
_STARTING = 180


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """One service in a folder of its own. Its evidence is a copy, since verdicts are written into it."""

    folder: Path
    database: str
    workers: int
    port: int = field(default_factory=free_port)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-384", {"kid": "1", "alg": "ES384", "use": "sig"}))
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, tuple[Role, ...]] = field(default_factory=lambda: PEOPLE)
    process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Copy the evidence, write the settings, add the users."""
        shutil.copytree(ROOT / "evidence", self.evidence)
        public = {name: value for name, value in self.key.as_dict(private=False).items() if isinstance(value, str)}
        settings = {"mode": "sign-in", "record_systems": {"issuers": [{"iss": ISSUER, "keys": [public]}]}}
        (self.folder / "settings.yaml").write_bytes(msgspec.json.encode(settings))
        store = Store.at(self.database)
        now = datetime.now(UTC)
        for name, roles in self.people.items():
            store.people.add(now, "load", name, roles, password=kept(PASSWORD, name, 12))
            self.tokens[name] = store.people.issue_token(now, "load", name, "load", 1)
        store.database.close()

    @property
    def evidence(self) -> Path:
        """The folder of its evidence."""
        return self.folder / "evidence"

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start, and wait until it is ready.

        Raises:
            SystemExit: it does not become ready.
        """
        command = [sys.executable, "-m", "ivigil", "serve", "--port", str(self.port), "--workers", str(self.workers), "--jurisdiction", "US",
                   "--evidence", str(self.evidence), "--settings", str(self.folder / "settings.yaml"), "--database", self.database]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)
        if not self.ready_within(_STARTING):
            raise SystemExit(f"the service did not start:\n{self.log[-3000:]}")

    def ready_within(self, seconds: float) -> bool:
        """Whether ``/readyz`` says yes in that time."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                return False
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{self.port}/readyz", timeout=10):
                    return True
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
        return False

    def pids(self) -> list[int]:
        """The worker processes that live."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = entry.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
                if int(fields[1]) == self.process.pid and fields[0] != "Z" and b"spawn_main" in (entry.parent / "cmdline").read_bytes():
                    found.append(int(entry.parent.name))
            except OSError:
                continue
        return sorted(found)

    def whole_within(self, seconds: float) -> bool:
        """Whether there are as many workers as were asked for in that time."""
        until = time.monotonic() + seconds
        while len(self.pids()) != self.workers and time.monotonic() < until:
            time.sleep(0.2)
        return len(self.pids()) == self.workers

    def memory(self) -> dict[int, float]:
        """Megabytes in memory of each worker."""
        found = {}
        for pid in self.pids():
            try:
                told = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
                found[pid] = int(next(line for line in told.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1000
            except (OSError, StopIteration):
                continue
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that minds the workers."""
        assert self.process is not None
        self.process.send_signal(number)

    def end(self) -> int:
        """SIGTERM; gives the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)
