"""What is written a moment after the answer: many small things together in one transaction, so that no answer waits for a disk.

Nothing is thrown away because the database does not answer: it is tried again until it does. Only when too much has gathered do the oldest go,
which the log says and :attr:`Behind.lost` counts. Ending the service in good order writes everything; a killed process loses what the last moment brought.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from ivigil.service.store.database import Database

log = logging.getLogger("ivigil.service")

T = TypeVar("T")

GATHER = 0.25
"""Seconds for which things gather before they are written together."""
AGAIN = 1.0
"""Seconds until a database that did not answer is asked again."""
MOST = 20_000
"""How many things may wait."""
AT_ONCE = 500
"""How many are written in one transaction."""


class Behind(Generic[T]):
    """A queue with one thread that writes it away; the thread begins with the first thing that is put."""

    def __init__(self, database: Database, write: Callable[[Connection, Sequence[T]], object], name: str, most: int = MOST) -> None:
        self.lost = 0
        self._most = most
        self._pushed_out = 0
        self._database = database
        self._write = write
        self._name = name
        self._waiting: deque[T] = deque()
        self._changed = threading.Condition()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, thing: T) -> None:
        """Have this written soon."""
        with self._changed:
            if len(self._waiting) >= self._most:
                self._waiting.popleft()
                self._pushed_out += 1
                self._lose("the database is too slow or away")
            self._waiting.append(thing)
            if self._thread is None:
                self._ending.clear()
                self._thread = threading.Thread(target=self._run, name=f"ivigil-{self._name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settled(self, patience: float) -> bool:
        """Wait until everything is written, at most ``patience`` seconds; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, patience)

    def close(self, patience: float = 10) -> None:
        """Write what waits, as far as the database lets it, and end the thread."""
        thread = self._thread
        if thread is None:
            return
        self._ending.set()
        with self._changed:
            self._changed.notify_all()
        thread.join(patience)
        with self._changed:
            self._thread = None
            if self._waiting:
                log.error("%s: ended with %d unwritten", self._name, len(self._waiting))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending.is_set())
                if not self._waiting:
                    return
            self._ending.wait(GATHER)
            with self._changed:
                together = list(islice(self._waiting, AT_ONCE))
                pushed_out = self._pushed_out
            try:
                self._written(together)
            except (SQLAlchemyError, OSError) as error:
                log.error("%s: %s; trying again", self._name, type(error).__name__)
                if self._ending.is_set():
                    return
                self._ending.wait(AGAIN)
                continue
            with self._changed:
                for _ in range(len(together) - (self._pushed_out - pushed_out)):  # what was pushed out meanwhile stood first, and is written all the same
                    self._waiting.popleft()
                self._changed.notify_all()

    def _written(self, together: Sequence[T]) -> None:
        """Write these; one that the database will never take is left out, so that it does not hold up the others."""
        try:
            with self._database.writing() as connection:
                self._write(connection, together)
        except (IntegrityError, DataError, ProgrammingError) as error:
            if len(together) == 1:
                self._lose(type(error).__name__)
                return
            for one in together:
                self._written([one])

    def _lose(self, why: str) -> None:
        self.lost += 1
        if self.lost == 1 or self.lost % self._most == 0:
            log.error("%s: %s; %d lost so far", self._name, why, self.lost)
