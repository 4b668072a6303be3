"""Alembic runs this; the connection comes from the program (:meth:`ivigil.service.store.database.Database.migrate`)."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
