"""What is written a moment after the answer: everything, once, in order, also over a database that is away for a while; bounded when it stays away."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from ivigil.service.store import Store, behind
from ivigil.service.store.behind import Behind
from ivigil.service.store.database import IN_MEMORY, Database


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long in a test."""
    monkeypatch.setattr(behind, "GATHER", 0.001)
    monkeypatch.setattr(behind, "AGAIN", 0.001)


@pytest.fixture
def database() -> Iterator[Database]:
    """A database to open transactions on."""
    store = Store.at(IN_MEMORY)
    yield store.database
    store.database.close()


class Paper:
    """Writes numbers down; fails as often as it is told to."""

    def __init__(self, failing: int = 0, never: int = -1) -> None:
        self.written: list[int] = []
        self.failing = failing
        self.never = never
        self.open = threading.Event()
        self.open.set()

    def write(self, _: Connection, numbers: Sequence[int]) -> None:
        """One transaction."""
        self.open.wait(30)
        if self.failing:
            self.failing -= 1
            raise OperationalError("", {}, Exception("away"))
        if self.never in numbers:
            raise IntegrityError("", {}, Exception("not this one"))
        self.written += numbers


def test_everything_is_written_once_and_in_order(database: Database) -> None:
    """From many threads nothing is lost or doubled; each thread's own order stays."""
    paper = Paper(failing=3)
    queue = Behind(database, paper.write, "test")

    def put(start: int) -> None:
        for number in range(start, start + 200):
            queue.put(number)

    threads = [threading.Thread(target=put, args=(start,)) for start in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queue.settled(60)
    assert len(paper.written) == 600
    for start in (0, 1000, 2000):
        assert [n for n in paper.written if start <= n < start + 1000] == list(range(start, start + 200))
    assert queue.lost == 0
    queue.close()


def test_the_end_writes_what_waits_and_a_later_beginning_goes_on(database: Database) -> None:
    """Closing waits for the last one; what is put afterwards is written too."""
    paper = Paper()
    queue = Behind(database, paper.write, "test")
    queue.close()
    for number in range(50):
        queue.put(number)
    queue.close()
    assert paper.written == list(range(50))
    queue.put(50)
    queue.close()
    assert paper.written == list(range(51))


def test_one_that_the_database_never_takes_holds_up_no_other(database: Database) -> None:
    """It is left out and counted."""
    paper = Paper(never=7)
    paper.open.clear()
    queue = Behind(database, paper.write, "test")
    for number in range(20):
        queue.put(number)
    paper.open.set()
    assert queue.settled(60)
    assert sorted(paper.written) == [n for n in range(20) if n != 7]
    assert queue.lost == 1
    queue.close()


def test_a_database_that_stays_away_costs_bounded_memory(database: Database) -> None:
    """The oldest go, and are counted; the newest are written when it is back."""
    paper = Paper()
    paper.open.clear()
    queue = Behind(database, paper.write, "test", 10)
    for number in range(100):
        queue.put(number)
    paper.open.set()
    assert queue.settled(60)
    queue.close()
    assert paper.written[-10:] == list(range(90, 100))
    assert len(set(paper.written)) == len(paper.written)
    assert queue.lost == 90
