"""The link of a card shows a patient: behind sign-in, to whoever holds the link."""

from __future__ import annotations

import json
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, daily, order

from ivigil.service.clock import now, today
from ivigil.service.store.links import CardLinks, Linked

ORDER = order(amount(28, "g"), daily(5))


def test_a_stranger_reads_nothing(guarded: FastAPI, stranger: TestClient, as_user: Callable[[str], TestClient]) -> None:
    """With sign-in on, the link alone opens nothing before somebody signs in, in no form; a name that was never given out opens nothing at all."""
    links: CardLinks = guarded.state.store.links
    name = links.put(now(), Linked(json.dumps([PATIENT, WEIGHT, HEIGHT, ORDER]).encode(), "p", today(), "e"))
    for form in ("html", "json", "bundle"):
        answer = stranger.get(f"/cards/plans/{name}", params={"format": form})
        assert answer.status_code == 401
        assert "1970" not in answer.text
        assert stranger.get(f"/cards/plans/{name}", headers={"accept": "text/html"}).headers["location"].startswith("/sign-in")
    anna = as_user("anna")
    assert anna.get(f"/cards/plans/{name}", params={"format": "bundle"}).json()["entry"][0]["resource"] == PATIENT
    for wrong in (name[:-1], "x", "%2e%2e"):
        assert anna.get(f"/cards/plans/{wrong}").status_code == 404
