"""The mixed load in small, on SQLite and PostgreSQL, and that its proof notices what it is there to notice."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest
from benchmarks.mixed import proof
from benchmarks.mixed.callers import Answer, clean_refusal
from benchmarks.mixed.expected import DAY, Expected, with_numbered_ids
from benchmarks.mixed.ledger import Cut, Kept, Ledger
from benchmarks.mixed.postgres import programs
from sqlalchemy import text

from ivigil.planning.choices import Choices
from ivigil.service.store import Store
from ivigil.service.store.people import Person
from ivigil.service.store.record_systems import Feedback

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORD, PLAN = b"id: x\n", b'{"plan": 1}'


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are found in /proc")
@pytest.mark.parametrize(("database", "minutes"), [("sqlite", "0.4"), ("postgresql", "0.25")])
def test_nothing_is_lost_and_nothing_wrong_while_workers_die_and_the_database_goes_away(database: str, minutes: str, tmp_path: Path) -> None:
    """As ``make mixed-load`` for ten minutes: everything at once, workers killed in the middle of a write, the database locked, cut off and stopped."""
    if database == "postgresql" and programs() is None:
        pytest.skip("PostgreSQL is not installed")
    command = [sys.executable, "-W", "ignore", "benchmarks/mixed_load.py", "--minutes", minutes, "--database", database, "--out", str(tmp_path / "page.md")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False, env={**os.environ, "PYTHONPATH": "src"})
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "in the middle of a write" in page
    assert ("kept the database locked" if database == "sqlite" else "stopped PostgreSQL at once") in page
    assert "What does not hold" not in page


class OneDocument(Expected):
    """What a small store must hold."""

    def __init__(self) -> None:
        self.version = b"0" * 16
        self.plans = {"x": PLAN}


@pytest.fixture
def book() -> tuple[Ledger, Store, Person]:
    """One acknowledged plan of Anna, as it was saved."""
    store, ledger = Store.in_memory(), Ledger()
    anna = store.people.add(NOW, "test", "anna", ["prescriber"])
    saved = store.plans.save(NOW, anna, RECORD, Choices(), date.fromisoformat(DAY), "e", "0", PLAN)
    ledger.plans[saved.id] = Kept("anna", RECORD, PLAN)
    return ledger, store, anna


def test_what_is_as_it_was_acknowledged_has_no_fault(book: tuple[Ledger, Store, Person]) -> None:
    """Otherwise every run would fail."""
    ledger, store, _ = book
    assert proof.kept_plans(ledger, store, OneDocument()) == proof.trail(ledger, store) == proof.feedback(ledger, store) == []


@pytest.mark.parametrize(("statement", "said"), [
    ("DELETE FROM plans", "lost"), ("UPDATE plans SET document = CAST('{}' AS BLOB)", "not as it was saved"),
    ("UPDATE plans SET owner = 'ben'", "somebody else"), ("UPDATE plans SET record = CAST('id: y' AS BLOB)", "not as it was saved"),
])
def test_a_plan_that_is_lost_changed_or_moved_is_noticed(book: tuple[Ledger, Store, Person], statement: str, said: str) -> None:
    """Each in the words that a reader of the page needs."""
    ledger, store, _ = book
    with store.database.writing() as connection:
        connection.execute(text(statement))
    assert said in proof.kept_plans(ledger, store, OneDocument())[0]


def test_an_act_without_its_entry_and_an_entry_without_its_act_are_noticed(book: tuple[Ledger, Store, Person]) -> None:
    """Both must stay together, whatever dies in between."""
    ledger, store, anna = book
    store.audit.note(NOW, anna.id, "plan.saved", "never")
    assert proof.trail(ledger, store) == ["plan never has an entry, is not there, and was not deleted"]
    with store.database.writing() as connection:
        others = "owner, made, record, choices, as_of, evidence_version, program_version, document"
        connection.execute(text(f"INSERT INTO plans (id, {others}) SELECT 'quiet', {others} FROM plans"))
    assert "plan quiet is there without an entry" in proof.trail(ledger, store)
    ledger.verdicts.append(("some.statement", "reason"))
    assert "1 verdicts were acknowledged and 0 are in the trail" in proof.trail(ledger, store)


def test_a_report_of_the_record_system_that_is_lost_is_noticed(book: tuple[Ledger, Store, Person]) -> None:
    """By card and outcome."""
    ledger, store, _ = book
    store.feedback.add([Feedback(NOW, "ehr", "s", "c1", "overridden", "{}")])
    ledger.feedback += [("c1", "overridden"), ("c2", "overridden")]
    assert proof.feedback(ledger, store) == ["feedback on c2 is lost"]


def test_what_was_deleted_must_be_gone(book: tuple[Ledger, Store, Person]) -> None:
    """An acknowledged deletion is a promise too."""
    ledger, store, _ = book
    (identity, _), = ledger.plans.items()
    ledger.plans.clear()
    ledger.forgotten[identity] = "anna"
    assert proof.kept_plans(ledger, store, OneDocument()) == [f"plan {identity} was deleted and is there"]


def test_only_a_kill_excuses_a_connection_that_breaks() -> None:
    """Before and after it none may."""
    ledger = Ledger(cuts=[Cut("a", 10, 12, ""), Cut("b", 11.9, 12.1, ""), Cut("c", 3, 4, ""), Cut("d", 20, 21, "")])
    assert [cut.what for cut in ledger.unexplained([12.0])] == ["c", "d"]


def test_only_the_documented_refusals_are_clean() -> None:
    """503 and 429 in the one shape, with the time to try again; a page says so in words."""
    body = msgspec.json.encode({"title": "t", "status": 503, "problems": [{"place": "database", "why": "away"}]})
    good = {"content-type": "application/problem+json", "retry-after": "5"}
    assert clean_refusal(Answer(503, good, body)) == ""
    assert clean_refusal(Answer(503, {"content-type": "text/html; charset=utf-8", "retry-after": "5"}, b"<h1>Not ready</h1>")) == ""
    for status, headers, what in ((500, good, body), (503, {"content-type": "application/problem+json"}, body), (503, good, b"{}"),
                                  (503, {"content-type": "text/plain", "retry-after": "5"}, b"Service Unavailable")):
        assert clean_refusal(Answer(status, headers, what)) != ""


def test_answers_may_differ_in_the_version_of_the_evidence_and_in_nothing_else() -> None:
    """A verdict changes the version; ids of FHIR are made from it."""
    one = OneDocument()
    expected = b'{"v": "' + one.version + b'", "n": 1}'
    assert one.same(expected, expected)
    assert one.same(expected, expected.replace(one.version, b"0123456789abcdef"))
    assert not one.same(expected, expected.replace(b"1}", b"2}"))
    assert not one.same(expected, expected.replace(one.version, b"0123456789abcdeZ"))
    assert not one.same(expected, expected + b" ")
    first, second = (f"{letter * 8}-1111-4111-8111-111111111111".encode() for letter in "ab")
    assert with_numbered_ids(first + second + first) == with_numbered_ids(second + first + second)
    assert with_numbered_ids(first + second) != with_numbered_ids(first + first)
