"""What is behind the links of cards: for every worker, across a restart, for half an hour, in bounded space, and unreadable without the link."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from ivigil.service.store import Store, links
from ivigil.service.store.links import LIFE, CardLinks, Linked
from ivigil.service.store.tables import card_links

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PATIENT = Linked(b'[{"resourceType":"Patient","id":"p","birthDate":"1970-01-01"}]', "p", date(2026, 11, 20), "e1")


def kept(store: Store) -> list[tuple[str, bytes]]:
    """What the database holds."""
    assert store.settled()
    with store.database.reading() as connection:
        return [(row.digest, row.sealed) for row in connection.execute(select(card_links).order_by(card_links.c.upto))]


def test_a_link_works_in_another_process_and_after_a_restart(store: Store) -> None:
    """Whoever opens the same database finds what the first one kept; within the first process it works before it is written."""
    name = store.links.put(NOON, PATIENT)
    assert store.links.get(NOON, name) == PATIENT
    assert store.settled()
    assert CardLinks(store.database).get(NOON, name) == PATIENT


def test_a_link_ends(store: Store) -> None:
    """After half an hour it is refused, in memory and in the database, and the next link sweeps it out."""
    name = store.links.put(NOON, PATIENT)
    assert store.settled()
    for where in (store.links, CardLinks(store.database)):
        assert where.get(NOON + LIFE, name) == PATIENT
        assert where.get(NOON + LIFE + timedelta(seconds=1), name) is None
    store.links.put(NOON + LIFE + timedelta(seconds=1), PATIENT)
    assert len(kept(store)) == 1


def test_names_are_not_guessed(store: Store) -> None:
    """Another name, a piece of one, or what the database itself holds opens nothing."""
    name = store.links.put(NOON, PATIENT)
    digest, _ = kept(store)[0]
    fresh = CardLinks(store.database)
    for wrong in ("", name[:-1], name + "A", name.swapcase(), digest, "../" + name, "x" * 5000):
        assert fresh.get(NOON, wrong) is None


def test_the_database_alone_shows_no_patient(store: Store) -> None:
    """The name is kept as its SHA-256 only, the content encrypted; two links to the same patient have nothing in common."""
    names = [store.links.put(NOON, PATIENT) for _ in range(2)]
    rows = kept(store)
    assert [digest for digest, _ in rows] == [hashlib.sha256(name.encode()).hexdigest() for name in names]
    for _, sealed in rows:
        assert b"1970" not in sealed
        assert all(name.encode() not in sealed for name in names)
    assert rows[0][1] != rows[1][1]


def test_a_content_that_was_changed_is_not_shown(store: Store) -> None:
    """Whoever may write to the database cannot put another patient behind a link."""
    name, other = store.links.put(NOON, PATIENT), store.links.put(NOON, Linked(b"[]", "q", date(2026, 11, 20), "e1"))
    rows = dict(kept(store))
    foreign = rows[hashlib.sha256(other.encode()).hexdigest()]
    with store.database.writing() as connection:
        connection.execute(card_links.update().where(card_links.c.digest == hashlib.sha256(name.encode()).hexdigest()).values(sealed=foreign))
    assert CardLinks(store.database).get(NOON, name) is None


def test_what_is_kept_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the space is needed the oldest go."""
    first = store.links.put(NOON, PATIENT)
    size = len(kept(store)[0][1])
    monkeypatch.setattr(links, "MOST_BYTES", size * 5)
    names = []
    for _ in range(12):
        names.append(store.links.put(NOON, PATIENT))
        assert store.settled()
    assert len(kept(store)) <= 5
    fresh = CardLinks(store.database)
    assert fresh.get(NOON, first) is None
    assert fresh.get(NOON, names[-1]) == PATIENT
