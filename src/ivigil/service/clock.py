"""The only place of the service that knows what time it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from time import perf_counter


def today() -> date:
    """The day where the server stands."""
    return date.today()


def now() -> datetime:
    """The present moment in UTC, for sessions, tokens and the audit trail."""
    return datetime.now(UTC)


def ticks() -> float:
    """Seconds of a clock that only runs forward, to measure how long something took."""
    return perf_counter()
