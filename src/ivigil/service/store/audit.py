"""The audit trail: who did what when, each entry sealed with the one before it, so that a change anywhere shows. Holds no patient data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, text

from ivigil.service.store.database import Database
from ivigil.service.store.tables import audit, written

START = "0" * 64
"""What stands before the first entry."""
LONGEST_WHO = 200
"""What the trail takes of a name of somebody who is not one of our people."""
_APPENDING = 7_364_120_452
"""The advisory lock under which PostgreSQL appends; SQLite lets one writer in at a time anyway."""


class Entry(msgspec.Struct, frozen=True):
    """One entry. ``digest`` seals everything else, ``before`` the entry ahead of it."""

    seq: int
    at: str
    who: str
    act: str
    about: str
    detail: str
    before: str
    digest: str


class Act(msgspec.Struct, frozen=True):
    """Something that was done and is to be noted: when, by whom, what, about what. Nothing of a patient."""

    at: datetime
    who: str
    act: str
    about: str = ""
    detail: Mapping[str, str] = {}


class Verdict(msgspec.Struct, frozen=True):
    """What a walk along the chain found."""

    entries: int
    head: str
    faults: tuple[str, ...] = ()


def sealed(seq: int, at: str, who: str, act: str, about: str, detail: str, before: str) -> str:
    """The seal of an entry: SHA-256 over its fields as a JSON list."""
    return hashlib.sha256(msgspec.json.encode([seq, at, who, act, about, detail, before])).hexdigest()


class AuditTrail:
    """Appends within the transaction of the act itself, so that no act is without its entry and no entry without its act."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, connection: Connection, now: datetime, who: str, act: str, about: str = "", detail: Mapping[str, str] | None = None) -> Entry:
        """Append one entry in a writing transaction."""
        return self.add_all(connection, [Act(now, who, act, about, detail or {})])[0]

    def add_all(self, connection: Connection, acts: Sequence[Act]) -> list[Entry]:
        """Append an entry for each act in a writing transaction."""
        if not self.database.embedded:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPENDING})
        last = connection.execute(select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)).first()
        seq, before = (last.seq, last.digest) if last is not None else (0, START)
        entries = []
        for act in acts:
            seq += 1
            at, more = written(act.at), msgspec.json.encode(dict(sorted(act.detail.items()))).decode()
            entry = Entry(seq, at, act.who, act.act, act.about, more, before, sealed(seq, at, act.who, act.act, act.about, more, before))
            entries.append(entry)
            before = entry.digest
        if entries:
            connection.execute(audit.insert(), [msgspec.structs.asdict(entry) for entry in entries])
        return entries

    def note(self, now: datetime, who: str, act: str, about: str = "", detail: Mapping[str, str] | None = None) -> Entry:
        """Append one entry in a transaction of its own, for an act that changes nothing else."""
        with self.database.writing() as connection:
            return self.add(connection, now, who, act, about, detail)

    def entries(self, *, after: int = 0, limit: int = 1000) -> list[Entry]:
        """The entries after a number, oldest first."""
        with self.database.reading() as connection:
            rows = connection.execute(select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit))
            return [Entry(**row._mapping) for row in rows]

    def verify(self, expected: tuple[int, str] | None = None) -> Verdict:
        """Walk the whole chain. ``expected`` is a number and seal noted elsewhere earlier: it must still stand there."""
        faults: list[str] = []
        count, before, met = 0, START, expected is None
        while block := self.entries(after=count):
            for entry in block:
                if entry.seq != count + 1:
                    faults.append(f"entry {count + 1} is missing (the next is {entry.seq})")
                elif entry.before != before:
                    faults.append(f"entry {entry.seq} does not follow the entry before it")
                if entry.digest != sealed(entry.seq, entry.at, entry.who, entry.act, entry.about, entry.detail, entry.before):
                    faults.append(f"entry {entry.seq} was changed after it was written")
                if expected is not None and entry.seq == expected[0]:
                    met = True
                    if entry.digest != expected[1]:
                        faults.append(f"entry {entry.seq} is not the one noted: the chain was written anew")
                count, before = entry.seq, entry.digest
        if not met and expected is not None:
            faults.append(f"entry {expected[0]}, noted earlier, is gone: the end of the chain was cut off")
        return Verdict(count, before, tuple(faults))
