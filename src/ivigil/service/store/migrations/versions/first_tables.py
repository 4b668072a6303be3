"""The first tables: people and their sessions, saved plans, feedback, seen tokens, and an audit trail that only grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.String(27)
_ID = sa.String(64)
_DIGEST = sa.String(64)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "people", sa.Column("id", _ID, nullable=False), sa.Column("name", sa.String(200), nullable=False), sa.Column("roles", sa.String(200), nullable=False),
        sa.Column("password", sa.String(200)), sa.Column("issuer", sa.String(500)), sa.Column("subject", sa.String(500)),
        sa.Column("disabled", sa.Boolean, nullable=False), sa.Column("made", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"), sa.UniqueConstraint("name", name="uq_people_name"),
    )
    op.create_table(
        "sessions", sa.Column("digest", _DIGEST, nullable=False), sa.Column("person", _ID, nullable=False), sa.Column("made", _MOMENT, nullable=False),
        sa.Column("seen", _MOMENT, nullable=False), sa.Column("ends", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"), sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_sessions_person"),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_index("ix_sessions_ends", "sessions", ["ends"])
    op.create_table(
        "access_tokens", sa.Column("digest", _DIGEST, nullable=False), sa.Column("person", _ID, nullable=False),
        sa.Column("name", sa.String(200), nullable=False), sa.Column("made", _MOMENT, nullable=False), sa.Column("ends", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_access_tokens"), sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_access_tokens_person"),
    )
    op.create_index("ix_access_tokens_person", "access_tokens", ["person"])
    op.create_table(
        "passkeys", sa.Column("credential", sa.String(1400), nullable=False), sa.Column("person", _ID, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False), sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("made", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("credential", name="pk_passkeys"), sa.ForeignKeyConstraint(["person"], ["people.id"], name="fk_passkeys_person"),
    )
    op.create_index("ix_passkeys_person", "passkeys", ["person"])
    op.create_table(
        "begun", sa.Column("digest", _DIGEST, nullable=False), sa.Column("kind", sa.String(40), nullable=False), sa.Column("document", sa.Text, nullable=False),
        sa.Column("ends", _MOMENT, nullable=False), sa.PrimaryKeyConstraint("digest", name="pk_begun"),
    )
    op.create_index("ix_begun_ends", "begun", ["ends"])
    op.create_table(
        "attempts", sa.Column("id", sa.Integer, autoincrement=True, nullable=False), sa.Column("whose", sa.String(300), nullable=False),
        sa.Column("at", _MOMENT, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_at", "attempts", ["at"])
    op.create_index("ix_attempts_whose", "attempts", ["whose", "at"])
    op.create_table(
        "plans", sa.Column("id", _ID, nullable=False), sa.Column("owner", _ID, nullable=False), sa.Column("made", _MOMENT, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False), sa.Column("choices", sa.Text, nullable=False), sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("evidence_version", sa.String(80), nullable=False), sa.Column("program_version", sa.String(80), nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False), sa.PrimaryKeyConstraint("id", name="pk_plans"),
    )
    op.create_index("ix_plans_owner", "plans", ["owner", "made"])
    op.create_table(
        "feedback", sa.Column("id", sa.Integer, autoincrement=True, nullable=False), sa.Column("at", _MOMENT, nullable=False),
        sa.Column("client", sa.String(500), nullable=False), sa.Column("service", sa.String(200), nullable=False),
        sa.Column("card", sa.String(200), nullable=False), sa.Column("outcome", sa.String(40), nullable=False), sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
    )
    op.create_index("ix_feedback_at", "feedback", ["at"])
    op.create_index("ix_feedback_service", "feedback", ["service", "card"])
    op.create_table(
        "seen_tokens", sa.Column("issuer", sa.String(500), nullable=False), sa.Column("number", sa.String(300), nullable=False),
        sa.Column("ends", _MOMENT, nullable=False), sa.PrimaryKeyConstraint("issuer", "number", name="pk_seen_tokens"),
    )
    op.create_index("ix_seen_tokens_ends", "seen_tokens", ["ends"])
    op.create_table(
        "audit", sa.Column("seq", sa.Integer, autoincrement=False, nullable=False), sa.Column("at", sa.String(27), nullable=False),
        sa.Column("who", sa.String(200), nullable=False), sa.Column("act", sa.String(80), nullable=False), sa.Column("about", sa.String(300), nullable=False),
        sa.Column("detail", sa.Text, nullable=False), sa.Column("before", _DIGEST, nullable=False), sa.Column("digest", _DIGEST, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    _only_grows()


def _only_grows() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER audit_no_{act.lower()} BEFORE {act} ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END")
        return
    op.execute("CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit trail only grows'; END $$")
    op.execute("CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()")


def downgrade() -> None:
    """Take them away."""
    for table in ("audit", "seen_tokens", "feedback", "plans", "attempts", "begun", "passkeys", "access_tokens", "sessions", "people"):
        op.drop_table(table)
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_only_grows()")
