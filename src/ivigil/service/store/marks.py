"""Marks: how often something that every worker holds was changed, so that each can see cheaply whether it is behind."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from ivigil.service.store.database import Database
from ivigil.service.store.tables import marks

EVIDENCE = "evidence"
"""The evidence on disk, changed by a verdict."""


class Marks:
    """Counts that only grow."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def of(self, name: str) -> int:
        """How often this was changed so far."""
        with self.database.reading() as connection:
            return int(connection.execute(select(marks.c.count).where(marks.c.name == name)).scalar_one())

    def changed(self, connection: Connection, name: str) -> None:
        """Note a change in a writing transaction. Whoever else changes the same thing waits until this transaction ends."""
        connection.execute(update(marks).where(marks.c.name == name).values(count=marks.c.count + 1))
