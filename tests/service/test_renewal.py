"""Evidence that changes while the service runs: a verdict counts at once where it was given, and soon at every other worker."""

from __future__ import annotations

import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from fastapi.testclient import TestClient
from tests.service.conftest import HERE
from tests.service.pages.reading import Page

from ivigil.basis.problems import BadInput
from ivigil.evidence.load import load_evidence, remember
from ivigil.planning.choices import SiteProfile
from ivigil.service import renewal
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.store import Store

ROOT = Path(__file__).resolve().parents[2]
FIRST, SECOND = "itp-adult.privigen.dose", "itp-adult.panzyga.dose"
RECORD = "id: a\nsex: female\nborn: 1984-05-02\nweight: {value: 70 kg, on: 2026-11-18}\norder: {indication: itp-adult}\n"
APPROVED = {"status": "approved", "by": "Dr Example"}


@pytest.fixture
def folder(tmp_path: Path, us_hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the evidence that verdicts may be written to, its compiled form in a place of its own."""
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "cache"))
    remember(us_hospital.evidence)
    shutil.copytree(ROOT / "evidence", tmp_path / "evidence")
    return tmp_path / "evidence"


@pytest.fixture
def workers(folder: Path, tmp_path: Path) -> Iterator[tuple[TestClient, TestClient]]:
    """Two workers on one folder and one database, as ``ivigil serve --workers 2`` has them."""
    database, site = f"sqlite:///{tmp_path / 'a.db'}", SiteProfile(jurisdiction="US")
    apps = [application(Hospital(load_evidence(folder), site, folders=(folder,)), store=Store.at(database)) for _ in range(2)]
    clients = [TestClient(app, base_url=HERE, client=("127.0.0.1", 50000)) for app in apps]
    with clients[0] as one, clients[1] as other:
        yield one, other


def version(worker: TestClient) -> str:
    """The evidence from which a worker plans."""
    made: str = worker.post("/api/v1/plan", content=RECORD).json()["evidence_version"]
    return made


def looked(worker: TestClient) -> bool:
    """Have a worker look for changes now rather than within a second."""
    assert worker.portal is not None
    look: Callable[[], Awaitable[bool]] = worker.app.state.renewal.look  # type: ignore[attr-defined]
    return worker.portal.call(look)


def test_a_verdict_counts_at_once_in_every_worker(workers: tuple[TestClient, TestClient], us_hospital: Hospital) -> None:
    """The worker that took it plans with it in its next answer, the other as soon as it looks; both show the statement as approved."""
    one, other = workers
    before = version(one)
    assert before == version(other) == us_hospital.evidence.version
    told = Page(one.post(f"/review/{FIRST}", data=APPROVED).text)
    assert "Every plan counts it from now on" in told.text
    assert version(one) != before
    looked(other)
    assert version(other) == version(one) == one.get("/readyz").json()["evidence_version"]
    assert other.app.state.hospital.evidence.statements[FIRST].reviews[-1].by == "Dr Example"  # type: ignore[attr-defined]
    assert not looked(other), "one change is read once"


def test_the_workers_look_by_themselves(workers: tuple[TestClient, TestClient], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to ask: a worker without any request finds the change."""
    monkeypatch.setattr(renewal, "EVERY", 0.02)
    one, other = workers
    one.post(f"/review/{FIRST}", data=APPROVED)
    for _ in range(500):
        if version(other) == version(one):
            break
        time.sleep(0.05)
    assert version(other) == version(one)


def test_the_evidence_after_a_verdict_is_that_of_the_next_start(workers: tuple[TestClient, TestClient], folder: Path, tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Taking the verdict in gives what compiling every file anew gives, entry for entry, also after verdicts at both workers."""
    one, other = workers
    one.post(f"/review/{FIRST}", data=APPROVED)
    other.post(f"/review/{SECOND}", data={"status": "rejected", "by": "Dr Other", "reason": "a test"})
    looked(one)
    monkeypatch.setenv("IVIGIL_CACHE", str(tmp_path / "empty"))
    anew = msgspec.msgpack.encode(load_evidence(folder))
    for worker in workers:
        assert msgspec.msgpack.encode(worker.app.state.hospital.evidence) == anew  # type: ignore[attr-defined]
    trail = one.app.state.store.audit  # type: ignore[attr-defined]
    assert [entry.about for entry in trail.entries() if entry.act == "evidence.reviewed"] == [FIRST, SECOND]
    assert trail.verify().faults == ()


def test_files_that_do_not_load_leave_the_evidence_in_use(workers: tuple[TestClient, TestClient], folder: Path) -> None:
    """Somebody left a broken file in the folder: the verdict is written, the page says that all must be read anew, and both workers plan on as before."""
    one, other = workers
    before = version(one)
    (folder / "sources" / "broken.yaml").write_text("id: [", encoding="utf-8")
    told = Page(one.post(f"/review/{FIRST}", data=APPROVED).text)
    assert "was also changed otherwise" in told.text
    for worker in workers:
        with suppress(BadInput):  # unless the worker looked by itself just now
            looked(worker)
    assert version(one) == version(other) == before
