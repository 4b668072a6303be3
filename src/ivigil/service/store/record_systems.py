"""What record systems leave here: feedback on cards, and the numbers of the tokens they have used."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from ivigil.service.store.audit import LONGEST_WHO, Act, AuditTrail
from ivigil.service.store.database import Database
from ivigil.service.store.tables import feedback, seen_tokens


class Feedback(msgspec.Struct, frozen=True):
    """What became of one card. ``document`` is the entry as it was sent (JSON); it may hold no patient data beyond the reason a clinician typed."""

    at: datetime
    client: str
    service: str
    card: str
    outcome: str
    document: str


class FeedbackBook:
    """Keeps feedback and counts it."""

    def __init__(self, database: Database, audit: AuditTrail) -> None:
        self.database = database
        self.audit = audit

    def add(self, entries: list[Feedback]) -> None:
        """Keep these entries, all or none, and note in the audit trail who reported how many outcomes of which service."""
        if entries:
            with self.database.writing() as connection:
                connection.execute(feedback.insert(), [msgspec.structs.asdict(entry) for entry in entries])
                self.audit.add_all(connection, _acts(entries))

    def entries(self, service: str = "", limit: int = 1000) -> list[Feedback]:
        """The newest entries, of one service or all."""
        wanted = select(feedback).order_by(feedback.c.at.desc(), feedback.c.id.desc()).limit(limit)
        with self.database.reading() as connection:
            rows = connection.execute(wanted.where(feedback.c.service == service) if service else wanted)
            return [Feedback(row.at, row.client, row.service, row.card, row.outcome, row.document) for row in rows]

    def counts(self) -> dict[tuple[str, str], int]:
        """How often each outcome came, per service."""
        with self.database.reading() as connection:
            rows = connection.execute(select(feedback.c.service, feedback.c.outcome, func.count()).group_by(feedback.c.service, feedback.c.outcome))
            return {(service, outcome): number for service, outcome, number in rows}


def _acts(entries: list[Feedback]) -> list[Act]:
    """For the trail: each record system and service with its count of every outcome, and no reason, for people write reasons."""
    outcomes: dict[tuple[datetime, str, str], Counter[str]] = {}
    for entry in entries:
        outcomes.setdefault((entry.at, entry.client, entry.service), Counter())[entry.outcome] += 1
    return [Act(at, (client or "open")[:LONGEST_WHO], "cards.feedback", service, {name: str(count) for name, count in counted.items()})
            for (at, client, service), counted in outcomes.items()]


class SeenTokens:
    """Remembers which tokens were used, for all workers and across a restart, so that none is used twice."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def first_use(self, now: datetime, issuer: str, number: str, ends: datetime) -> bool:
        """True the first time a token is shown, False when it was shown before. ``ends`` is when it expires anyway."""
        try:
            with self.database.writing() as connection:
                connection.execute(delete(seen_tokens).where(seen_tokens.c.ends < now))
                connection.execute(seen_tokens.insert().values(issuer=issuer, number=number, ends=ends))
        except IntegrityError:
            return False
        return True
