"""Everything the service keeps, in one hand."""

from __future__ import annotations

from ivigil.service.store.audit import Act, AuditTrail
from ivigil.service.store.behind import Behind
from ivigil.service.store.database import IN_MEMORY, Database
from ivigil.service.store.links import CardLinks
from ivigil.service.store.marks import Marks
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
        self.feedback = FeedbackBook(database, self.audit)
        self.seen_tokens = SeenTokens(database)
        self.links = CardLinks(database)
        self.marks = Marks(database)
        self.notes: Behind[Act] = Behind(database, self.audit.add_all, "audit trail")
        """Entries for what changes nothing here, written a moment later so that no plan waits for them."""

    def settled(self, patience: float = 10) -> bool:
        """Wait until everything that is written behind is written; whether it is."""
        return self.links.behind.settled(patience) and self.notes.settled(patience)

    def settle(self) -> None:
        """Write what waits, as far as the database lets it; what is put later is written too."""
        self.links.behind.close()
        self.notes.close()

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
