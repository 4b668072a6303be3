"""The embedded database: people, sessions, saved plans, feedback, seen tokens and the audit trail. SQLite by default, PostgreSQL by URL."""

from ivigil.service.store.database import Database
from ivigil.service.store.store import Store

__all__ = ["Database", "Store"]
