"""Everything the service keeps, in one hand."""

from __future__ import annotations

from ivigil.service.store.audit import AuditTrail
from ivigil.service.store.database import IN_MEMORY, Database
from ivigil.service.store.people import People
from ivigil.service.store.plans import SavedPlans
from ivigil.service.store.record_systems import FeedbackBook, SeenTokens


class Store:
    """The database with a drawer for each kind of thing."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.audit = AuditTrail(database)
        self.people = People(database, self.audit)
        self.plans = SavedPlans(database, self.audit)
        self.feedback = FeedbackBook(database)
        self.seen_tokens = SeenTokens(database)

    @classmethod
    def at(cls, url: str) -> Store:
        """The store at this URL, its tables brought up to date.

        Raises:
            BadInput: the database does not open.
        """
        database = Database(url)
        try:
            database.migrate()
        except BaseException:
            database.close()
            raise
        return cls(database)

    @classmethod
    def in_memory(cls) -> Store:
        """A store that is gone with the process."""
        return cls.at(IN_MEMORY)
