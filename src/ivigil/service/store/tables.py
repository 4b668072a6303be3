"""The tables, as the newest migration leaves them. A test holds the two equal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s",
                                       "uq": "uq_%(table_name)s_%(column_0_name)s"})


def written(moment: datetime) -> str:
    """A moment in UTC as text that sorts by time and reads the same in every database."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, kept as text."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To the database."""
        return written(value) if value is not None else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        return datetime.fromisoformat(value) if value is not None else None


_ID = String(64)
_DIGEST = String(64)

people = Table(
    "people", metadata,
    Column("id", _ID, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("roles", String(200), nullable=False),
    Column("password", String(200)),
    Column("issuer", String(500)),
    Column("subject", String(500)),
    Column("disabled", Boolean, nullable=False),
    Column("made", Moment, nullable=False),
)

sessions = Table(
    "sessions", metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("person", _ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("made", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Column("ends", Moment, nullable=False, index=True),
)

access_tokens = Table(
    "access_tokens", metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("person", _ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("made", Moment, nullable=False),
    Column("ends", Moment, nullable=False),
)

passkeys = Table(
    "passkeys", metadata,
    Column("credential", String(1400), primary_key=True),
    Column("person", _ID, ForeignKey("people.id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("made", Moment, nullable=False),
)

begun = Table(
    "begun", metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("document", Text, nullable=False),
    Column("ends", Moment, nullable=False, index=True),
)
"""Sign-ins under way: what must come back unchanged (a challenge, a state, a nonce). Used once."""

attempts = Table(
    "attempts", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("whose", String(300), nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Index("ix_attempts_whose", "whose", "at"),
)

plans = Table(
    "plans", metadata,
    Column("id", _ID, primary_key=True),
    Column("owner", _ID, nullable=False),
    Column("made", Moment, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("choices", Text, nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("evidence_version", String(80), nullable=False),
    Column("program_version", String(80), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("changes", Text, nullable=False, server_default=""),
    Index("ix_plans_owner", "owner", "made"),
)

feedback = Table(
    "feedback", metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("client", String(500), nullable=False),
    Column("service", String(200), nullable=False),
    Column("card", String(200), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_feedback_service", "service", "card"),
)

seen_tokens = Table(
    "seen_tokens", metadata,
    Column("issuer", String(500), primary_key=True),
    Column("number", String(300), primary_key=True),
    Column("ends", Moment, nullable=False, index=True),
)

card_links = Table(
    "card_links", metadata,
    Column("digest", _DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("ends", Moment, nullable=False, index=True),
    Column("upto", BigInteger, nullable=False, index=True),
)
"""What is behind the links of cards, encrypted with a key that only the link holds. ``upto`` counts the bytes kept so far, this one's included."""

marks = Table(
    "marks", metadata,
    Column("name", String(80), primary_key=True),
    Column("count", Integer, nullable=False),
)
"""How often something that every worker holds was changed."""

audit = Table(
    "audit", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),
    Column("who", String(200), nullable=False),
    Column("act", String(80), nullable=False),
    Column("about", String(300), nullable=False),
    Column("detail", Text, nullable=False),
    Column("before", _DIGEST, nullable=False),
    Column("digest", _DIGEST, nullable=False),
)
