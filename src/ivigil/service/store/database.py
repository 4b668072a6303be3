"""One database by its URL: how it is opened, read, written, migrated and asked whether it answers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ivigil.basis.problems import BadInput, Problem

IN_MEMORY = "sqlite://"
_MIGRATIONS = Path(__file__).resolve().parent / "migrations"
_MIGRATING = 7_364_120_451
"""The advisory lock under which PostgreSQL is migrated, so that two workers that start together do not both do it."""


def default_url() -> str:
    """The embedded database of this user."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    return f"sqlite:///{Path(base) / 'ivigil' / 'ivigil.db'}"


class Database:
    """An open database. Reading and writing each happen in one transaction; in SQLite a writer waits for the one before."""

    def __init__(self, url: str) -> None:
        """Open ``url``; nothing is read or written yet.

        Raises:
            BadInput: not a database URL, or one of a kind that is not supported.
        """
        try:
            parts = make_url(url)
        except ArgumentError:
            raise BadInput([Problem("--database", 0, "", "not a database URL",
                                    "write for example sqlite:////var/lib/ivigil/ivigil.db, or postgresql://...")]) from None
        if parts.get_backend_name() not in {"sqlite", "postgresql"}:
            raise BadInput([Problem("--database", 0, "", f"'{parts.get_backend_name()}' is not supported", "use sqlite or postgresql")])
        self.embedded = parts.get_backend_name() == "sqlite"
        self.file = Path(parts.database) if self.embedded and parts.database else None
        self.shown = parts.render_as_string(hide_password=True)
        self._alone = threading.RLock() if self.embedded and self.file is None else nullcontext()
        if not self.embedded:
            parts = parts.set(drivername="postgresql+psycopg")
        extra: dict[str, Any] = {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}} if self.embedded and self.file is None else {}
        if not self.embedded:
            extra = {"pool_pre_ping": True, "pool_size": 8, "max_overflow": 8, "pool_timeout": 5, "connect_args": {"connect_timeout": 5}}
        try:
            self.engine: Engine = create_engine(parts, **extra)
        except ImportError:
            raise BadInput([Problem("--database", 0, "", "the PostgreSQL driver is not installed",
                                    "install it with: pip install 'ivigil[postgres]'")]) from None
        if self.embedded:
            event.listen(self.engine, "connect", _prepare)
            event.listen(self.engine, "begin", _begin)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._alone, self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes: all of it stays, or nothing."""
        with self._alone, self.engine.connect() as connection:
            connection = connection.execution_options(ivigil_writes=True)
            with connection.begin():
                yield connection

    def answers(self) -> bool:
        """Whether the database answers and has the newest tables."""
        try:
            with self.reading() as connection:
                connection.execute(text("SELECT 1"))
                return MigrationContext.configure(connection).get_current_revision() == self.newest()
        except SQLAlchemyError:
            return False

    def newest(self) -> str | None:
        """The newest version of the tables that this program knows."""
        return ScriptDirectory(str(_MIGRATIONS)).get_current_head()

    def version(self) -> str | None:
        """The version of the tables in the database; None when there are none."""
        with self._opened() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def migrate(self, to: str = "head") -> None:
        """Bring the tables to a version, up or down; ``base`` takes them all away.

        Raises:
            BadInput: the database does not answer, was made by a newer program, or has no such version.
        """
        script = ScriptDirectory(str(_MIGRATIONS))
        known = {revision.revision for revision in script.walk_revisions()}
        if to not in {"head", "base", *known}:
            raise BadInput([Problem("--to", 0, to, "there is no such version of the tables", f"one of: base, {', '.join(sorted(known))}, head")])
        with self._opened() as connection:
            if not self.embedded:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            current = MigrationContext.configure(connection).get_current_revision()
            if current is not None and current not in known:
                raise BadInput([Problem(self.shown, 0, "", f"the database was made by a newer ivigil (tables {current})",
                                        "run that version, or restore a backup")])
            order = ["base", *reversed([revision.revision for revision in script.walk_revisions()])]
            wanted = order[-1] if to == "head" else to
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            config.attributes["connection"] = connection
            if order.index(wanted) >= order.index(current or "base"):
                command.upgrade(config, wanted if wanted != "base" else "head")
            else:
                command.downgrade(config, wanted)

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        """A writing transaction on a database that may not exist yet; its failures are told in words."""
        try:
            if self.file is not None:
                self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self.file.touch(mode=0o600, exist_ok=True)  # it holds patient data
            with self.writing() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            why = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise BadInput([Problem(self.shown, 0, "", f"the database does not open: {why[0] if why else type(error).__name__}",
                                    "check the URL, the rights on the folder, and that the server runs")]) from None

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _prepare(connection: Any, _record: Any) -> None:
    """SQLite: readers beside one writer, nothing lost at a power cut, and transactions that begin when we say so."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes its turn at once, so that it never finds that another wrote what it has read."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("ivigil_writes") else "BEGIN")
