"""What is broken on purpose while the load runs: workers killed in the middle of a write, and the database taken away."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from .ledger import Ledger
from .postgres import PostgresServer, cut_all
from .service import Service

LOCKED = 12.0
"""Seconds that SQLite is kept locked: longer than the 10 s that a writer waits for its turn."""
LONG = 1.0
"""Minutes from which the second round of faults has room."""
DOWN = 4.0
"""Seconds that PostgreSQL is down."""


@dataclass
class Faults:
    """What was broken and when."""

    service: Service
    ledger: Ledger
    server: PostgresServer | None = None
    minutes: float = 1.0
    told: list[str] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    killed: int = 0
    finished: bool = False
    began: float = field(default_factory=time.monotonic)

    def plan(self) -> list[tuple[float, Callable[[], None]]]:
        """What to break, as parts of the whole time."""
        if self.service.database.startswith("sqlite"):
            early = [(0.1, self.kill_one), (0.25, self.lock), (0.7, self.kill_all)]
            late = [(0.8, self.renew), (0.85, self.lock), (0.93, self.kill_one)]
        else:
            early = [(0.1, self.kill_one), (0.25, self.cut), (0.4, self.power_cut if self.server else self.cut), (0.7, self.kill_all)]
            late = [(0.8, self.renew), (0.85, self.cut), (0.93, self.kill_one)]
        return [*early, *(late if self.minutes >= LONG else [])]

    def run(self) -> None:
        """Break one thing after the other at its time, or as soon after it as what came before lets it."""
        try:
            for part, breaks in self.plan():
                while time.monotonic() - self.began < part * self.minutes * 60:
                    time.sleep(0.02)
                breaks()
        finally:
            self.finished = True

    def _note(self, what: str) -> None:
        self.told.append(f"after {time.monotonic() - self.began:.0f} s: {what}")

    def _in_a_write(self) -> bool:
        """Wait for a moment at which something is being written."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self.ledger.writing:
                return True
            time.sleep(0.001)
        return False

    def kill_one(self) -> None:
        """SIGKILL to one worker in the middle of a write."""
        self._kill(self.service.pids()[:1])

    def kill_all(self) -> None:
        """SIGKILL to every worker at once."""
        self._kill(self.service.pids())

    def _kill(self, pids: list[int]) -> None:
        writing = self._in_a_write()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            self.kills.append(time.monotonic())
            self.killed += 1
        self._note(f"killed {len(pids)} of {self.service.workers} workers{' in the middle of a write' if writing else ''}")

    def lock(self) -> None:
        """Another program holds the embedded database for longer than a writer waits."""
        path = Path(self.service.database.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            time.sleep(LOCKED)
            connection.execute("ROLLBACK")
        self._note(f"kept the database locked for {LOCKED:g} s")

    def cut(self) -> None:
        """The server ends every connection."""
        number, until = 0, time.monotonic() + 60
        while not number and time.monotonic() < until:  # a worker that has just begun has none yet
            self._in_a_write()
            number = cut_all(self.service.database)
        self._note(f"ended {number} database connections from the server's side")

    def renew(self) -> None:
        """SIGHUP: the workers are replaced one after the other."""
        self.service.signal(signal.SIGHUP)
        self._note("had the workers replaced one after the other (SIGHUP)")

    def power_cut(self) -> None:
        """The server dies at once, is away, and comes back."""
        assert self.server is not None
        self._in_a_write()
        self.server.stop(signal.SIGQUIT)
        time.sleep(DOWN)
        self.server.start()
        self._note(f"stopped PostgreSQL at once and started it again {DOWN:g} s later")
