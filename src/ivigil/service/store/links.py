"""What is behind the links of cards: kept for every worker and across a restart, unreadable without the link.

The link holds 256 random bits. The database keeps their SHA-256 to find the entry by, and the content encrypted with a key made from them
(AES-256-GCM), but neither the link nor the key: whoever reads the database, or a backup of it, reads no patient there.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from threading import Lock

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, func, or_, select

from ivigil.basis.conversion import msgpack_decoder
from ivigil.service.store.behind import Behind
from ivigil.service.store.database import Database
from ivigil.service.store.tables import card_links

LIFE = timedelta(minutes=30)
"""How long a link works."""
MOST_BYTES = 256 * 1024 * 1024
"""What the database keeps at most; the oldest go first."""
MOST_WAITING = 2_000
"""How many wait in memory while the database does not answer."""
_MOST_IN_MEMORY = 16 * 1024 * 1024
_NONCE = bytes(12)
"""Each key seals one content alone, so that a fixed nonce repeats under no key."""


class Linked(msgspec.Struct, frozen=True):
    """One patient's resources for one card as a JSON list, the patient's id, the day the plan was made for, and with which evidence."""

    resources: bytes
    patient: str
    on: date
    evidence_version: str


class _Sealed(msgspec.Struct, frozen=True):
    digest: str
    sealed: bytes
    ends: datetime


class CardLinks:
    """The links given out. A new one works at once in its own process, and a moment later in all of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.behind: Behind[_Sealed] = Behind(database, self._write, "links of cards", MOST_WAITING)
        self._fresh: OrderedDict[str, _Sealed] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def put(self, now: datetime, linked: Linked) -> str:
        """Keep what a plan is made from; gives the name that only the link holds."""
        name = secrets.token_urlsafe(32)
        content = zlib.compress(msgspec.msgpack.encode(linked), 1)
        entry = _Sealed(_digest(name), AESGCM(_key(name)).encrypt(_NONCE, content, None), now + LIFE)
        with self._lock:
            self._fresh[entry.digest] = entry
            self._bytes += len(entry.sealed)
            while self._bytes > _MOST_IN_MEMORY and len(self._fresh) > 1:
                _, gone = self._fresh.popitem(last=False)
                self._bytes -= len(gone.sealed)
        self.behind.put(entry)
        return name

    def get(self, now: datetime, name: str) -> Linked | None:
        """What is kept under a name; None when it was never given out, is too old, or was pushed out."""
        digest = _digest(name)
        with self._lock:
            fresh = self._fresh.get(digest)
        sealed, ends = (fresh.sealed, fresh.ends) if fresh is not None else self._stored(digest)
        if ends is None or ends < now:
            return None
        try:
            content = AESGCM(_key(name)).decrypt(_NONCE, sealed, None)
        except InvalidTag:
            return None
        return msgpack_decoder(Linked).decode(zlib.decompress(content))

    def _stored(self, digest: str) -> tuple[bytes, datetime | None]:
        with self.database.reading() as connection:
            row = connection.execute(select(card_links.c.sealed, card_links.c.ends).where(card_links.c.digest == digest)).first()
        return (row.sealed, row.ends) if row is not None else (b"", None)

    def _write(self, connection: Connection, entries: Sequence[_Sealed]) -> None:
        upto = connection.execute(select(func.max(card_links.c.upto))).scalar() or 0
        rows = []
        for entry in entries:
            upto += len(entry.sealed)
            rows.append({"digest": entry.digest, "sealed": entry.sealed, "ends": entry.ends, "upto": upto})
        connection.execute(card_links.insert(), rows)
        oldest = entries[-1].ends - LIFE
        connection.execute(delete(card_links).where(or_(card_links.c.ends < oldest, card_links.c.upto <= upto - MOST_BYTES)))


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _key(name: str) -> bytes:
    return hashlib.sha256(b"ivigil key of a card's link\n" + name.encode()).digest()
