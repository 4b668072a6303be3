"""The review queue on the web: the order of the command line, verdicts by rule, written into the files and the audit trail, reviewers alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.service.conftest import HERE
from tests.service.pages.reading import Page

from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.queue import waiting
from ivigil.evidence.review import stamp_of
from ivigil.planning.choices import SiteProfile
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.pages import review_pages
from ivigil.service.store.people import Person

ROOT = Path(__file__).resolve().parents[3]
STATEMENT = "itp-adult.privigen.dose"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the evidence that verdicts may be written to."""
    copy = tmp_path_factory.mktemp("evidence")
    shutil.copytree(ROOT / "evidence" / "statements", copy / "statements")
    return copy


def _reviews(folder: Path, statement: str) -> list[dict[str, str]]:
    """The verdicts of a statement as its file has them."""
    for path in (folder / "statements").glob("*.yaml"):
        if statement in path.read_text(encoding="utf-8"):
            document, _ = read_yaml(path.read_text(encoding="utf-8"), path.name)
            for entry in document if isinstance(document, list) else [document]:
                if entry["id"] == statement:
                    return list(entry.get("reviews", []))
    return []


@pytest.fixture
def writing(folder: Path, us_hospital: Hospital) -> TestClient:
    """A reviewer of this machine on the copy."""
    hospital = Hospital(us_hospital.evidence, SiteProfile(jurisdiction="US"), folders=(folder,))
    return TestClient(application(hospital), base_url=HERE, client=("127.0.0.1", 50000))


def test_the_queue_is_that_of_the_command_line(client: TestClient, us_hospital: Hospital) -> None:
    """The first of the queue come first on the page, with their risk."""
    page = Page(client.get("/review").text)
    first = [one.id for one in waiting(us_hospital.evidence)[: review_pages.PAGE]]
    shown = [address.removeprefix("/review/") for name, address in page.addresses if name == "href" and address.startswith("/review/")]
    assert shown == first
    narrowed = Page(client.get("/review", params={"risk": "dose", "q": "privigen"}).text)
    assert "dose" in narrowed.text


def test_a_statement_shows_its_place_and_what_rests_on_it(client: TestClient, us_hospital: Hospital) -> None:
    """What a reviewer compares: the sentence, the source with its place, and every entry that uses it."""
    page = Page(client.get(f"/review/{STATEMENT}").text)
    entry = us_hospital.evidence.statements[STATEMENT]
    assert entry.says in page.text
    assert us_hospital.evidence.sources[entry.source].title in page.text
    assert "indications itp-adult" in page.text


def test_a_verdict_is_written_into_the_file_and_the_audit_trail(writing: TestClient, folder: Path, us_hospital: Hospital) -> None:
    """After approval the file holds it, bound to the text, by name; the packaged evidence is untouched."""
    answer = writing.post(f"/review/{STATEMENT}", data={"status": "approved", "by": "Dr Example, haematology"})
    assert answer.status_code == 200
    assert "Recorded" in Page(answer.text).text
    verdict = _reviews(folder, STATEMENT)[-1]
    assert (verdict["status"], verdict["by"]) == ("approved", "Dr Example, haematology")
    assert verdict["of"] == stamp_of(us_hospital.evidence.statements[STATEMENT])
    assert not _reviews(ROOT / "evidence", STATEMENT)
    trail = writing.app.state.store.audit.entries()  # type: ignore[attr-defined]
    assert [(one.act, one.about) for one in trail][-1] == ("evidence.reviewed", STATEMENT)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"status": "approved", "by": " "}, "needs the name"),
        ({"status": "rejected", "by": "Dr Example"}, "with a reason"),
        ({"status": "approved", "by": "Dr Example", "due": "soon"}, "is no date"),
        ({"status": "excellent", "by": "Dr Example"}, "no verdict was chosen"),
    ],
)
def test_a_verdict_that_may_not_be_given_is_refused_and_kept(writing: TestClient, fields: dict[str, str], told: str) -> None:
    """Without a name, a reason or a known verdict nothing is written, and what was typed stays."""
    answer = writing.post(f"/review/{STATEMENT}", data={"reason": "typed in vain" if "reason" not in told else "", **fields})
    assert answer.status_code == 422
    assert told in Page(answer.text).text


def test_the_name_of_whoever_signed_in_counts_and_only_reviewers_judge(writing: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signed-in reviewer cannot write in another's name; a viewer sees no form and is refused."""
    reviewer = Person("1", "Dr Signed-In", frozenset({"viewer", "reviewer"}))
    monkeypatch.setattr(review_pages, "person_of", lambda request: reviewer)
    monkeypatch.setattr(review_pages, "require", lambda request, role: reviewer)
    writing.post("/review/itp-adult.panzyga.dose", data={"status": "approved", "by": "Somebody Else"})
    assert _reviews(folder, "itp-adult.panzyga.dose")[-1]["by"] == "Dr Signed-In"
    monkeypatch.undo()
    monkeypatch.setattr(review_pages, "person_of", lambda request: Person("2", "Viewer"))
    assert "needs the role" in Page(writing.get(f"/review/{STATEMENT}").text).text


def test_an_unknown_statement_is_not_there(client: TestClient) -> None:
    """Names of no statement give a page that says so."""
    assert client.get("/review/nothing", headers={"accept": "text/html"}).status_code == 404
