"""``ivigil database``, ``audit``, ``backup`` and ``restore``: what the operators of the service do with what it keeps."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.output import counted, note, report, write
from ivigil.cli.serve_command import need_web
from ivigil.cli.users_command import opened

if TYPE_CHECKING:
    from ivigil.service.store import Database

_HEAD = re.compile(r"(\d{1,9}):([0-9a-f]{64})")


def run_verify(url: str, expect: str) -> int:
    """Walk the audit trail. Exit code 0 when it is whole, 2 when anything in it was changed, taken out or cut off."""
    try:
        noted = _noted(expect)
        with opened(url) as store:
            found = store.audit.verify(noted)
    except BadInput as error:
        return report(error.problems, "The audit trail could not be walked:")
    if found.faults:
        problems = [Problem("audit", 0, "", fault, "compare with a backup, and find out who could write to the database") for fault in found.faults]
        return report(problems, f"The audit trail is NOT whole ({counted(len(found.faults), 'fault')} in {counted(found.entries, 'entry', 'entries')}):")
    write(f"The audit trail is whole: {counted(found.entries, 'entry', 'entries')}.\n")
    if found.entries:
        write(f"Head: {found.entries}:{found.head}\n")
        note("Note the head somewhere else. 'ivigil audit verify --expect HEAD' later proves that nothing before it was rewritten.")
    return 0


def run_trail(url: str, after: int, limit: int) -> int:
    """Print entries of the audit trail, oldest first."""
    try:
        with opened(url) as store:
            entries = store.audit.entries(after=after, limit=limit)
    except BadInput as error:
        return report(error.problems, "The audit trail could not be read:")
    write("".join(f"{one.seq}  {one.at}  {one.who}  {one.act}  {one.about}{'' if one.detail == '{}' else '  ' + one.detail}\n" for one in entries)
          or "No entries.\n")
    return 0


def _noted(expect: str) -> tuple[int, str] | None:
    if not expect:
        return None
    match = _HEAD.fullmatch(expect.strip())
    if match is None:
        raise BadInput([Problem("--expect", 0, "", "not a head of the audit trail", "write it as 'ivigil audit verify' prints it: NUMBER:SEAL")])
    return int(match[1]), match[2]


def run_version(url: str) -> int:
    """Print the version of the tables, and the newest one."""
    try:
        with closing(_database(url)) as database:
            write(f"tables {database.version() or 'none'}, newest {database.newest()} ({database.shown})\n")
    except BadInput as error:
        return report(error.problems, "The database could not be asked:")
    return 0


def run_migrate(url: str, to: str) -> int:
    """Bring the tables to a version, up or down."""
    try:
        database = _database(url)
        with closing(database):
            database.migrate(to)
            write(f"tables {database.version() or 'none'}, newest {database.newest()} ({database.shown})\n")
    except BadInput as error:
        return report(error.problems, "The tables were not changed:")
    return 0


def _database(url: str) -> Database:
    need_web()
    from ivigil.service.store import Database
    from ivigil.service.store.database import default_url

    return Database(url or default_url())


def _file_of(url: str) -> Path:
    database = _database(url)
    if database.file is None:
        raise BadInput([Problem("--database", 0, "", "not an embedded database", "copy PostgreSQL with pg_dump and pg_restore, see docs/operations.md")])
    return database.file


def run_backup(url: str, out: str) -> int:
    """Copy the embedded database while the service runs, and check the copy. Written whole or not at all, readable by its owner only."""
    try:
        source = _file_of(url)
        target = Path(out)
        if not source.is_file():
            raise BadInput([Problem(str(source), 0, "", "there is no database here", "name it with --database")])
        if target.exists():
            raise BadInput([Problem(out, 0, "", "there is such a file already", "name a new file, for example with the day in it")])
        _copied(source, target)
        entries = _checked(target)
    except BadInput as error:
        return report(error.problems, "No backup was made:")
    except (OSError, sqlite3.Error) as error:
        return report([Problem(out, 0, "", str(error), "name a file in a folder you may write to")], "No backup was made:")
    write(f"backup written to {out} ({counted(entries, 'audit entry', 'audit entries')}, checked)\n")
    note("It holds patient data: encrypt it before it leaves this machine (docs/operations.md).")
    return 0


def run_restore(url: str, name: str, *, replace: bool) -> int:
    """Put a backup in the place of the embedded database, after checking it. The service must not be running."""
    try:
        target, source = _file_of(url), Path(name)
        if not source.is_file():
            raise BadInput([Problem(name, 0, "", "no such file", "name a file that 'ivigil backup' wrote")])
        if target.exists() and not replace:
            raise BadInput([Problem(str(target), 0, "", "there is a database here",
                                    "give --replace to put the backup in its place; the old one is kept beside it")])
        entries = _checked(source)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if target.exists():
            _unused(target)
            os.replace(target, target.with_name(f"{target.name}.before-restore"))
        for leftover in ("-wal", "-shm"):
            target.with_name(target.name + leftover).unlink(missing_ok=True)
        _copied(source, target)
    except BadInput as error:
        return report(error.problems, "Nothing was restored:")
    except (OSError, sqlite3.Error) as error:
        return report([Problem(name, 0, "", str(error), "check the file and the rights on the folder")], "Nothing was restored:")
    write(f"restored from {name} ({counted(entries, 'audit entry', 'audit entries')}, checked)\n")
    return 0


def _unused(target: Path) -> None:
    """Refuse while another process has the database open.

    Raises:
        BadInput: somebody uses it.
    """
    with closing(sqlite3.connect(target, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            raise BadInput([Problem(str(target), 0, "", "the database is in use", "stop the service first")]) from None


def _copied(source: Path, target: Path) -> None:
    handle, name = tempfile.mkstemp(dir=target.resolve().parent, prefix=".ivigil-")  # made readable by its owner only
    os.close(handle)
    try:
        with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as one, closing(sqlite3.connect(name)) as other:
            one.backup(other)
            other.execute("PRAGMA journal_mode=DELETE")
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _checked(name: Path) -> int:
    """The number of audit entries of a whole database.

    Raises:
        BadInput: damaged, of a newer program, or with an audit trail that is not whole.
    """
    from ivigil.service.store import Store

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy.db")
        try:
            _copied(name, copy)
            with closing(sqlite3.connect(copy)) as connection:
                said = connection.execute("PRAGMA integrity_check").fetchone()[0]
                ours = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'audit'").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise BadInput([Problem(str(name), 0, "", f"not a whole database: {error}", "take another backup")]) from None
        if said != "ok":
            raise BadInput([Problem(str(name), 0, "", "the database is damaged", "take another backup")])
        if not ours:
            raise BadInput([Problem(str(name), 0, "", "not a database of ivigil", "name a file that 'ivigil backup' wrote")])
        store = Store.at(f"sqlite:///{copy}")
        found = store.audit.verify()
        store.database.close()
    if found.faults:
        raise BadInput([Problem(str(name), 0, "audit", fault, "take another backup, and find out what happened") for fault in found.faults])
    return found.entries
