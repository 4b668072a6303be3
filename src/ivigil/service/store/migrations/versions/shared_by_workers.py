"""What workers share beyond people and plans: links of cards, marks that tell of a change, and answers given beside a saved FHIR record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "card_links", sa.Column("digest", sa.String(64), nullable=False), sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("ends", sa.String(27), nullable=False), sa.Column("upto", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_card_links"),
    )
    op.create_index("ix_card_links_ends", "card_links", ["ends"])
    op.create_index("ix_card_links_upto", "card_links", ["upto"])
    op.create_table("marks", sa.Column("name", sa.String(80), nullable=False), sa.Column("count", sa.Integer, nullable=False),
                    sa.PrimaryKeyConstraint("name", name="pk_marks"))
    op.execute("INSERT INTO marks (name, count) VALUES ('evidence', 0)")
    op.add_column("plans", sa.Column("changes", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Take them away; the answers given beside saved FHIR records go with them."""
    op.drop_column("plans", "changes")
    op.drop_table("marks")
    op.drop_table("card_links")
