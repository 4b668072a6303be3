"""What is kept, on SQLite and PostgreSQL alike: people, sessions, plans for their owner alone, tokens used once, and a trail that shows every change."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ivigil.basis.problems import BadInput
from ivigil.planning.choices import Choices
from ivigil.service.store import Database, Store
from ivigil.service.store.audit import START
from ivigil.service.store.people import OPEN, Person
from ivigil.service.store.record_systems import Feedback
from ivigil.service.store.tables import metadata

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def later(**given: float) -> datetime:
    return NOON + timedelta(**given)


def test_the_migrations_make_the_tables_that_the_program_uses(store: Store) -> None:
    """A column that only one of the two knows would break at run time."""
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_tables_go_up_and_down_and_up_again(store: Store) -> None:
    """Down leaves nothing, up makes everything anew; readiness follows."""
    assert store.database.version() == store.database.newest() == "0002"
    assert store.database.answers()
    store.database.migrate("base")
    assert store.database.version() is None
    assert not store.database.answers()
    store.database.migrate()
    store.people.add(NOON, "test", "anna", ["admin"])
    assert store.people.count() == 1
    with pytest.raises(BadInput) as caught:
        store.database.migrate("9999")
    assert "0001" in caught.value.problems[0].remedy


def test_a_database_of_a_newer_program_is_left_alone(store: Store) -> None:
    """An older program must not write into tables it does not know."""
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    with pytest.raises(BadInput, match="newer ivigil"):
        store.database.migrate()
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))


def test_sessions_end_by_time_idleness_sign_out_and_disabling(store: Store) -> None:
    """None of them can be used a moment longer."""
    anna = store.people.add(NOON, "test", "anna", ["prescriber"])

    def opened() -> str:
        return store.people.open_session(NOON, anna, "password", 12)

    token = opened()
    assert store.people.of_session(later(minutes=29), token, 30) == anna
    assert store.people.of_session(later(minutes=58), token, 30) == anna, "use keeps it awake"
    assert store.people.of_session(later(minutes=89), token, 30) is None
    token = opened()
    for minutes in range(20, 12 * 60, 20):
        assert store.people.of_session(later(minutes=minutes), token, 30) == anna
    assert store.people.of_session(later(hours=12), token, 30) is None
    token = opened()
    store.people.close_session(later(minutes=1), token, anna)
    assert store.people.of_session(later(minutes=2), token, 30) is None
    token, program = opened(), store.people.issue_token(NOON, "test", "anna", "robot", 30)
    assert store.people.of_token(later(days=29), program) == anna
    assert store.people.of_token(later(days=30), program) is None
    store.people.change(later(minutes=1), "test", "anna", disabled=True)
    assert store.people.of_session(later(minutes=2), token, 30) is None
    assert store.people.of_token(later(minutes=2), program) is None
    store.people.change(later(minutes=3), "test", "anna", disabled=False)
    assert store.people.of_session(later(minutes=4), token, 30) is None, "what was ended stays ended"
    assert store.people.of_token(later(minutes=4), program) is None


def test_a_stolen_database_opens_no_session(store: Store) -> None:
    """Only digests of tokens are kept."""
    anna = store.people.add(NOON, "test", "anna", [])
    tokens = [store.people.open_session(NOON, anna, "password", 12), store.people.issue_token(NOON, "test", "anna", "x", 1),
              store.people.begin(NOON, "use", "x")]
    with store.database.reading() as connection:
        kept = [value for table in ("sessions", "access_tokens", "begun") for row in connection.execute(text(f"SELECT * FROM {table}")) for value in row]
    for token in tokens:
        assert token not in kept
        assert hashlib.sha256(token.encode()).hexdigest() in kept


def test_a_sign_in_under_way_is_finished_once_and_in_time(store: Store) -> None:
    """Neither twice, nor late, nor as another kind."""
    token = store.people.begin(NOON, "use", "challenge", minutes=10)
    assert store.people.finish(NOON, "other", token) is None
    assert store.people.finish(later(minutes=9), "use", token) == "challenge"
    assert store.people.finish(later(minutes=9), "use", token) is None
    old = store.people.begin(NOON, "use", "challenge", minutes=10)
    assert store.people.finish(later(minutes=10), "use", old) is None


def test_plans_are_there_for_their_owner_alone(store: Store) -> None:
    """Somebody else's plan is neither read, nor listed, nor deleted, whatever the roles."""
    anna, ben = (store.people.add(NOON, "test", name, ["prescriber", "admin"]) for name in ("anna", "ben"))
    saved = store.plans.save(NOON, anna, b"id: x", Choices(jurisdiction="US"), date(2026, 11, 20), "e1", "0.1", b"{}", '{"weight":"70 kg"}')
    assert store.plans.get(NOON, anna, saved.id) == saved
    assert saved.choices.as_of == "2026-11-20", "the day is pinned"
    for other in (ben, OPEN, Person(anna.id + "x", "anna")):
        assert store.plans.get(NOON, other, saved.id) is None
        assert store.plans.titles(other) == []
        assert not store.plans.forget(NOON, other, saved.id)
    assert [title.id for title in store.plans.titles(anna)] == [saved.id]
    assert store.plans.forget(NOON, anna, saved.id)
    assert store.plans.get(NOON, anna, saved.id) is None
    acts = [entry.act for entry in store.audit.entries()]
    assert acts == ["user.added", "user.added", "plan.saved", "plan.read", "plan.deleted"]


def test_a_token_is_used_once_also_by_two_at_the_same_moment(store: Store) -> None:
    """The second is refused, whichever worker it reaches; once expired it is forgotten."""
    assert store.seen_tokens.first_use(NOON, "https://ehr.example", "n1", later(minutes=5))
    assert not store.seen_tokens.first_use(later(minutes=1), "https://ehr.example", "n1", later(minutes=5))
    assert store.seen_tokens.first_use(NOON, "https://other.example", "n1", later(minutes=5))
    came: list[bool] = []

    def show() -> None:
        came.append(store.seen_tokens.first_use(NOON, "https://ehr.example", "n2", later(minutes=5)))

    threads = [threading.Thread(target=show) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == [False] * 7 + [True]


def test_feedback_is_kept_and_counted(store: Store) -> None:
    """Newest first, and how often each outcome came."""
    store.feedback.add([Feedback(later(minutes=n), "ehr", "order-sign", f"c{n}", "accepted" if n else "overridden", "{}") for n in range(3)])
    store.feedback.add([])
    assert [entry.card for entry in store.feedback.entries("order-sign")] == ["c2", "c1", "c0"]
    assert store.feedback.entries("patient-view") == []
    assert store.feedback.counts() == {("order-sign", "accepted"): 2, ("order-sign", "overridden"): 1}


def test_names_are_taken_once(store: Store) -> None:
    """The second of a name is refused with a remedy; a change of nobody too."""
    store.people.add(NOON, "test", "anna", [])
    with pytest.raises(BadInput, match="already a user"):
        store.people.add(NOON, "test", "anna", [])
    with pytest.raises(BadInput, match="no user of this name"):
        store.people.change(NOON, "test", "ben", disabled=True)
    assert store.audit.verify().entries == 1, "what did not happen is not in the trail"


# --- the audit trail ----------------------------------------------------------------------------------------------------


def test_the_seal_is_what_the_documentation_says(store: Store) -> None:
    """SHA-256 over the fields as a JSON list: anybody can check it with other tools."""
    entry = store.audit.note(NOON, "anna", "plan.saved", "p1", {"b": "2", "a": "1"})
    fields = [1, "2026-11-20T12:00:00.000000Z", "anna", "plan.saved", "p1", '{"a":"1","b":"2"}', START]
    assert entry.digest == hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode()).hexdigest()


def test_the_trail_only_grows(store: Store) -> None:
    """The database itself refuses to change or delete an entry."""
    store.audit.note(NOON, "anna", "a")
    for statement in ("UPDATE audit SET who = 'ben'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="only grows"), store.database.writing() as connection:
            connection.execute(text(statement))
    assert store.audit.verify().faults == ()


@pytest.mark.parametrize(("statement", "said"), [
    ("UPDATE audit SET who = 'ben' WHERE seq = 3", "entry 3 was changed"),
    ("DELETE FROM audit WHERE seq = 3", "entry 3 is missing"),
    ("UPDATE audit SET before = digest WHERE seq = 4", "entry 4 does not follow"),
])
def test_whoever_gets_round_that_is_found_out(store: Store, statement: str, said: str) -> None:
    """With the guards taken away, a changed, missing or moved entry shows."""
    for number in range(5):
        store.audit.note(later(minutes=number), "anna", "act", str(number))
    _unguarded(store, statement)
    assert any(said in fault for fault in store.audit.verify().faults)


def test_a_trail_written_anew_or_cut_off_shows_by_a_head_noted_elsewhere(store: Store) -> None:
    """A chain that is whole in itself is compared with what was noted before."""
    for number in range(3):
        store.audit.note(NOON, "anna", "act", str(number))
    noted = store.audit.verify()
    store.audit.note(NOON, "anna", "act", "3")
    assert store.audit.verify((noted.entries, noted.head)).faults == ()
    _unguarded(store, "DELETE FROM audit WHERE seq >= 3")
    assert store.audit.verify().faults == ()
    assert "cut off" in store.audit.verify((noted.entries, noted.head)).faults[0]
    store.audit.note(NOON, "ben", "act", "another past")
    assert "written anew" in store.audit.verify((noted.entries, noted.head)).faults[0]


def _unguarded(store: Store, statement: str) -> None:
    guards = ("audit_no_update", "audit_no_delete") if store.database.embedded else ("audit_no_change",)
    with store.database.writing() as connection:
        for guard in guards:
            connection.execute(text(f"DROP TRIGGER {guard}{'' if store.database.embedded else ' ON audit'}"))
        connection.execute(text(statement))


def test_many_writers_make_one_chain(store: Store) -> None:
    """Entries of several threads follow one another without a gap."""
    def write(name: str) -> None:
        for number in range(10):
            store.audit.note(NOON, name, "act", str(number))

    threads = [threading.Thread(target=write, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.audit.verify()
    assert (found.entries, found.faults) == (40, ())


def test_an_act_that_fails_leaves_no_entry(store: Store) -> None:
    """Act and entry stay together or go together."""
    def half() -> None:
        with store.database.writing() as connection:
            store.audit.add(connection, NOON, "anna", "half done")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert store.audit.verify().entries == 0


# --- opening ------------------------------------------------------------------------------------------------------------


def test_the_embedded_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds patient data: nobody else on the machine may read it."""
    Store.at(f"sqlite:///{tmp_path}/deep/er/ivigil.db").database.close()
    made = tmp_path / "deep" / "er" / "ivigil.db"
    assert made.stat().st_mode & 0o077 == 0
    assert made.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite:////proc/nowhere/x.db", "postgresql://ivigil@127.0.0.1:1/none"])
def test_a_database_that_does_not_open_is_named_without_its_password(url: str) -> None:
    """With a remedy, and without what nobody else should read."""
    with pytest.raises(BadInput) as caught:
        Store.at(url.replace("ivigil@", "ivigil:geheim@"))
    assert caught.value.problems[0].remedy
    assert "geheim" not in str(caught.value)


def test_two_processes_that_start_together_migrate_once(url: str) -> None:
    """The second waits and finds the tables there."""
    if url == "sqlite://":
        return
    first = Database(url)
    first.migrate("base")
    failed: list[Exception] = []

    def start() -> None:
        try:
            Store.at(url).database.close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert first.version() == "0002"
    first.close()


def test_a_killed_connection_is_replaced(postgres: str) -> None:
    """The server ends every connection: the next reader and the next writer get a fresh one and lose nothing."""
    store, other = Store.at(postgres), Database(postgres)
    store.database.migrate("base")
    store.database.migrate()
    store.people.add(NOON, "test", "anna", [])
    for number in range(2):
        with other.writing() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"))
        assert store.people.count() == 1
        store.audit.note(NOON, "anna", "after", str(number))
    assert store.audit.verify().entries == 3
    other.close()
    store.database.close()


def test_a_lost_database_is_met_with_503_and_found_again(tmp_path: Path) -> None:
    """Ready says no, a request is told to come back, and when the database is there again everything works."""
    from fastapi.testclient import TestClient

    from ivigil.evidence.load import load_evidence
    from ivigil.planning.choices import SiteProfile
    from ivigil.service.app import application
    from ivigil.service.hospital import Hospital

    store = Store.at(f"sqlite:///{tmp_path / 'ivigil.db'}")
    client = TestClient(application(Hospital(load_evidence(), SiteProfile(jurisdiction="US")), store=store), base_url="http://127.0.0.1")
    record = (Path(__file__).resolve().parents[3] / "patients" / "itp-adult-us.yaml").read_bytes()
    assert client.get("/readyz").status_code == 200
    with store.database.writing() as connection:
        connection.execute(text("ALTER TABLE plans RENAME TO lost"))
        connection.execute(text("ALTER TABLE alembic_version RENAME TO gone"))
    assert client.get("/readyz").status_code == 503
    for answer in (client.get("/api/v1/plans"), client.post("/api/v1/plans?as_of=2026-11-20", content=record)):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "database" in answer.json()["problems"][0]["place"]
    assert client.post("/api/v1/plan?as_of=2026-11-20", content=record).status_code == 200, "what needs no database goes on"
    with store.database.writing() as connection:
        connection.execute(text("ALTER TABLE lost RENAME TO plans"))
        connection.execute(text("ALTER TABLE gone RENAME TO alembic_version"))
    assert client.get("/readyz").status_code == 200
    assert client.post("/api/v1/plans?as_of=2026-11-20", content=record).status_code == 201
    store.database.close()
