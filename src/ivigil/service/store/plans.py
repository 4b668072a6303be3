"""Saved plans: the record and the choices they were made from, and the plan as it was made. Only their owner can read them."""

from __future__ import annotations

import secrets
from datetime import date, datetime

import msgspec
from sqlalchemy import delete, select

from ivigil.basis.conversion import from_json
from ivigil.planning.choices import Choices
from ivigil.service.store.audit import AuditTrail
from ivigil.service.store.database import Database
from ivigil.service.store.people import Person
from ivigil.service.store.tables import plans


class SavedPlan(msgspec.Struct, frozen=True):
    """A plan as it was made. ``record`` is what was given, ``changes`` what was answered beside it where it cannot be edited (FHIR), as JSON,
    ``document`` the plan as JSON (``ivigil.plan/1``).
    """

    id: str
    owner: str
    made: datetime
    record: bytes
    choices: Choices
    as_of: date
    evidence_version: str
    program_version: str
    document: bytes
    changes: str = ""


class Title(msgspec.Struct, frozen=True):
    """A saved plan in a list: nothing of the patient."""

    id: str
    made: datetime
    as_of: date
    evidence_version: str
    program_version: str


class SavedPlans:
    """Keeps plans. A plan of somebody else is not there, whoever asks."""

    def __init__(self, database: Database, audit: AuditTrail) -> None:
        self.database = database
        self.audit = audit

    def save(self, now: datetime, owner: Person, record: bytes, choices: Choices, as_of: date, evidence_version: str, program_version: str,
             document: bytes, changes: str = "") -> SavedPlan:
        """Keep a plan; gives it with its id. ``as_of`` is pinned, so that the plan can be made again byte for byte."""
        pinned = msgspec.structs.replace(choices, as_of=as_of.isoformat())
        saved = SavedPlan(secrets.token_urlsafe(16), owner.id, now, record, pinned, as_of, evidence_version, program_version, document, changes)
        values = msgspec.structs.asdict(saved) | {"choices": msgspec.json.encode(pinned).decode(), "as_of": as_of.isoformat()}
        with self.database.writing() as connection:
            connection.execute(plans.insert().values(**values))
            self.audit.add(connection, now, owner.id, "plan.saved", saved.id, {"evidence": evidence_version})
        return saved

    def get(self, now: datetime, owner: Person, identity: str) -> SavedPlan | None:
        """A plan of this owner; None when there is none, also when it is somebody else's. Reading it is noted."""
        with self.database.reading() as connection:
            row = connection.execute(select(plans).where(plans.c.id == identity, plans.c.owner == owner.id)).first()
        if row is None:
            return None
        self.audit.note(now, owner.id, "plan.read", identity)
        values = dict(row._mapping)
        return SavedPlan(**values | {"choices": from_json(values["choices"], Choices), "as_of": date.fromisoformat(values["as_of"])})

    def titles(self, owner: Person, limit: int = 200) -> list[Title]:
        """The plans of an owner, newest first."""
        wanted = (plans.c.id, plans.c.made, plans.c.as_of, plans.c.evidence_version, plans.c.program_version)
        with self.database.reading() as connection:
            rows = connection.execute(select(*wanted).where(plans.c.owner == owner.id).order_by(plans.c.made.desc()).limit(limit))
            return [Title(row.id, row.made, date.fromisoformat(row.as_of), row.evidence_version, row.program_version) for row in rows]

    def forget(self, now: datetime, owner: Person, identity: str) -> bool:
        """Delete a plan of this owner; False when there is none."""
        with self.database.writing() as connection:
            gone = connection.execute(delete(plans).where(plans.c.id == identity, plans.c.owner == owner.id)).rowcount
            if gone:
                self.audit.add(connection, now, owner.id, "plan.deleted", identity)
        return bool(gone)
