"""Notes in the audit trail of what was planned and not kept: that it happened, who asked, at which door, with which evidence, and the hash of the record.

The hash is the SHA-256 of the record as it came. Whoever holds the record can show by it that this very record was planned; the trail holds nothing of it.
"""

from __future__ import annotations

import hashlib

from fastapi import Request

from ivigil.service.auth.who import person_of, store_of
from ivigil.service.clock import now
from ivigil.service.edge import door_of
from ivigil.service.hospital import hospital_of
from ivigil.service.store.audit import LONGEST_WHO, Act


def plan_noted(request: Request, record: bytes | str, changes: str = "") -> None:
    """Note that somebody was given something made from a record. ``changes`` are answers that travel beside it."""
    detail = {"record": _hash(record), **({"answers": _hash(changes)} if changes else {})}
    _note(request, person_of(request).id, "plan.made", door_of(request.scope), detail)


def cards_noted(request: Request, issuer: str, service: str, resources: bytes) -> None:
    """Note that a record system, ``issuer``, was given cards made from these resources."""
    _note(request, (issuer or "open")[:LONGEST_WHO], "cards.given", service, {"record": _hash(resources)})


def _note(request: Request, who: str, act: str, about: str, detail: dict[str, str]) -> None:
    if request.app.state.settings.note_plans:
        evidence = hospital_of(request).evidence.version
        store_of(request).notes.put(Act(now(), who, act, about, {**detail, "evidence": evidence}))


def _hash(content: bytes | str) -> str:
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()
