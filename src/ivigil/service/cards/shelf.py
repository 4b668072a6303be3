"""What cards were made from, kept for a short while behind a name nobody can guess, so that a card's link can show the whole plan.

The address of a link holds that name and nothing about the patient. What is kept lies in memory only, and goes after half an hour or when
the space is needed.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from datetime import date

import msgspec

from ivigil.patient.fhir_values import Resource

LIFE = 1800
"""Seconds for which a link works."""
MOST_BYTES = 64 * 1024 * 1024


class Kept(msgspec.Struct, frozen=True):
    """One patient's resources for one card, the patient's id, and the day the plan was made for."""

    body: bytes
    patient: str
    on: date
    until: float

    @property
    def bundle(self) -> Resource:
        """The resources as a Bundle that ``ivigil plan`` reads."""
        resources = msgspec.json.decode(self.body)
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in resources]}


class Shelf:
    """The latest plans behind links, bounded in time and space."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0

    def put(self, resources: tuple[Resource, ...], patient: str, on: date, now: float) -> str:
        """Keep what a plan is made from; gives its name."""
        kept = Kept(msgspec.json.encode(resources), patient, on, now + LIFE)
        name = secrets.token_urlsafe(24)
        self._kept[name] = kept
        self._bytes += len(kept.body)
        while self._kept and (self._bytes > MOST_BYTES or next(iter(self._kept.values())).until < now):
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.body)
        return name

    def get(self, name: str, now: float) -> Kept | None:
        """What is kept under a name, None when it is unknown or too old."""
        kept = self._kept.get(name)
        return kept if kept is not None and kept.until >= now else None
