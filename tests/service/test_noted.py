"""The audit trail of what is planned and not kept: what happened, by whom, with which evidence and which record by its hash, and nothing of a patient."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, bundle, call, daily, order
from tests.service.conftest import HERE
from tests.service.pages.reading import Page

from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.settings import Settings
from ivigil.service.store import Store
from ivigil.service.store.audit import Entry

RECORD = "id: secret-name\nsex: female\nborn: 1984-05-02\nweight: {value: 71.3 kg, on: 2026-11-18}\norder: {indication: itp-adult}\n"
SIGN = "/cds-services/ivigil-order-sign"
CARD: dict[str, Any] = {"card": "0c1e9f0e-27b4-4fbd-9d10-0f0b6a4c51a5", "outcome": "overridden", "outcomeTimestamp": "2026-11-20T21:25:12Z",
                        "overrideReason": {"userComment": "Mrs Secret insists"}}


def noted(client: TestClient) -> list[Entry]:
    """The trail, once what is written behind is written; the chain must hold."""
    store: Store = client.app.state.store  # type: ignore[attr-defined]
    assert store.settled()
    assert store.audit.verify().faults == ()
    return store.audit.entries()


def sha(content: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(content.encode()).hexdigest()


def test_every_door_that_plans_leaves_an_entry(client: TestClient, us_hospital: Hospital) -> None:
    """Page, files of the page, comparison, forecast, REST and FHIR: door, person, evidence and hash of the record as it came."""
    form = {"record": RECORD, "jurisdiction": "US"}
    client.post("/plan", data=form)
    client.post("/plan/json", data=form)
    client.post("/plan/plan.pdf", data=form)
    client.post("/compare", data=form)
    client.post("/forecast", data={**form, "dose": "0.4 g/kg", "every": "4 week", "indication": "pid"})
    client.post("/ask", data={**form, "question": "What is the dose?", "audience": "clinician"})
    client.post("/api/v1/plan", content=RECORD)
    client.post("/api/v1/why", params={"line": "dose.regimen"}, content=RECORD)
    client.post("/api/v1/ask", json={"question": "What is the dose?", "record": RECORD})
    trail = noted(client)
    assert [entry.about for entry in trail] == ["/plan", "/plan/json", "/plan/plan.pdf", "/compare", "/forecast", "/ask",
                                                "/api/v1/plan", "/api/v1/why", "/api/v1/ask"]
    for entry in trail:
        assert (entry.who, entry.act) == ("open", "plan.made")
        assert json.loads(entry.detail) == {"evidence": us_hospital.evidence.version, "record": sha(RECORD)}


def test_answers_beside_a_fhir_record_are_part_of_what_was_planned(client: TestClient) -> None:
    """They change the plan and stand outside the record, so their hash stands beside that of the record."""
    record = json.dumps(bundle(PATIENT, WEIGHT, HEIGHT, order(amount(0.4, "g/kg"), daily(5))))
    fields = Page(client.post("/plan", data={"record": record, "jurisdiction": "US"}).text).fields
    answered = Page(client.post("/plan", data={**fields, "a:has.past_ig_hypersensitivity": "yes"}).text)
    before, after = (json.loads(entry.detail) for entry in noted(client))
    assert "answers" not in before
    assert after["answers"] == sha(answered.fields["changes"])
    assert after["record"] == before["record"] == sha(record)


def test_cards_and_feedback_leave_entries(client: TestClient) -> None:
    """Cards for the record system that asked, the hash being that of the resources behind the link; feedback with its counts."""
    cards = client.post(SIGN, json=call("order-sign", order(amount(28, "g"), daily(5)))).json()["cards"]
    client.post(SIGN, json=call("order-sign"))
    address = cards[0]["links"][0]["url"]
    resources = json.loads(client.get(address, params={"format": "bundle"}).text)["entry"]
    client.post(f"{SIGN}/feedback", json={"feedback": [CARD, CARD]})
    trail = noted(client)
    assert sorted((entry.act, entry.about) for entry in trail) == [
        ("cards.feedback", "ivigil-order-sign"), ("cards.given", "ivigil-order-sign"), ("plan.made", "/cards/plans/{name}")]
    details = {entry.act: json.loads(entry.detail) for entry in trail}
    assert details["cards.given"]["record"] == sha(json.dumps([one["resource"] for one in resources], separators=(",", ":"), ensure_ascii=False))
    assert details["plan.made"] == details["cards.given"]
    assert details["cards.feedback"] == {"overridden": "2"}


def test_the_trail_holds_nothing_of_a_patient(client: TestClient) -> None:
    """Names, numbers, the words of a clinician, and the name of a link are nowhere in it."""
    client.post("/plan", data={"record": RECORD, "jurisdiction": "US"})
    cards = client.post(SIGN, json=call("order-sign", order(amount(28, "g"), daily(5)))).json()["cards"]
    client.get(cards[0]["links"][0]["url"])
    client.post(f"{SIGN}/feedback", json={"feedback": [CARD]})
    written = json.dumps([[entry.who, entry.about, entry.detail] for entry in noted(client)])
    for secret in ("secret-name", "Secret", "1984", "71.3", "1970", "itp-adult", "40956001", cards[0]["links"][0]["url"].rpartition("/")[2], CARD["card"]):
        assert secret not in written


def test_what_was_refused_was_not_planned(client: TestClient) -> None:
    """A record that cannot be used leaves no entry."""
    for address in ("/plan", "/plan/json", "/compare", "/forecast"):
        client.post(address, data={"record": "id: [", "jurisdiction": "US"})
    client.post("/api/v1/plan", content="id: [")
    assert noted(client) == []


def test_a_database_that_is_away_stops_no_plan(tmp_path: Path, us_hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are made all the same, and their entries are written when it is back."""
    store = Store.at(f"sqlite:///{tmp_path / 'a.db'}")
    with TestClient(application(us_hospital, store=store), base_url=HERE, client=("127.0.0.1", 1)) as client:
        with monkeypatch.context() as away:
            def refused(*_: object) -> None:
                raise DBAPIError("", {}, Exception("away"))

            away.setattr(store.database.engine, "connect", refused)
            assert client.post("/api/v1/plan", content=RECORD).status_code == 200
            assert not store.notes.settled(0.3)
        assert [entry.act for entry in noted(client)] == ["plan.made"]


def test_the_operator_may_do_without(us_hospital: Hospital) -> None:
    """With note_plans: false only what is kept or changed is noted."""
    client = TestClient(application(us_hospital, Settings(note_plans=False)), base_url=HERE, client=("127.0.0.1", 1))
    client.post("/api/v1/plan", content=RECORD)
    client.post("/api/v1/plans", content=RECORD)
    assert [entry.act for entry in noted(client)] == ["plan.saved"]


def test_an_entry_cannot_be_taken_out(client: TestClient) -> None:
    """Entries of this kind are links of the chain as all others."""
    client.post("/api/v1/plan", content=RECORD)
    client.post("/api/v1/plan", content=RECORD)
    noted(client)
    store: Store = client.app.state.store  # type: ignore[attr-defined]
    with store.database.writing() as connection:
        connection.execute(text("DROP TRIGGER audit_no_delete"))
        connection.execute(text("DELETE FROM audit WHERE seq = 1"))
    assert store.audit.verify().faults
