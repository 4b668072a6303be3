"""A PostgreSQL server of one's own, on a free port of this machine, that can be stopped, started and cut off."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any


class NotHere(Exception):
    """PostgreSQL cannot run on this machine; says why."""


def programs() -> Path | None:
    """Where ``initdb`` and ``postgres`` lie."""
    found = [Path(path).parent for path in (shutil.which("postgres"),) if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class PostgresServer:
    """An empty server in a folder of its own. Used with ``with``: it ends, and its folder goes."""

    def __init__(self) -> None:
        """Make the folder and the port; nothing runs yet.

        Raises:
            NotHere: it is not installed, or may not run as this user.
        """
        where = programs()
        if where is None:
            raise NotHere("PostgreSQL is not installed")
        self.programs = where
        self.own: dict[str, Any] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="ivigil-pg-"))
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            import pwd

            try:
                user = pwd.getpwnam("nobody")
            except KeyError:
                raise NotHere("no other user to run PostgreSQL as") from None
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.own = {"user": user.pw_uid, "group": user.pw_gid}
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port: int = one.getsockname()[1]
        self.url = f"postgresql://ivigil@127.0.0.1:{self.port}/postgres"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresServer:
        """Make the cluster and start it.

        Raises:
            NotHere: it does not start here.
        """
        begin = [str(self.programs / "initdb"), "-D", str(self.folder / "data"), "-U", "ivigil", "-A", "trust", "-E", "UTF8"]
        made = subprocess.run(begin, capture_output=True, text=True, check=False, **self.own)
        if made.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise NotHere(f"PostgreSQL does not start here: {made.stderr[:200]}")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server and take its folder away."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder), "-F"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self.own)
        for _ in range(200):
            with socket.socket() as one:
                if not one.connect_ex(("127.0.0.1", self.port)):
                    break
            time.sleep(0.05)
        time.sleep(0.3)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends open connections in good order, SIGQUIT at once, as when the power fails."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None


def cut_all(url: str) -> int:
    """End every other connection to the database at ``url`` from the server's side; gives how many there were."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
        return len(rows.fetchall())
