"""``ivigil evidence review`` from the outside: the list, one statement, and verdicts written into a copy of the evidence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.test_plan_command import run

from ivigil.evidence.files import packaged_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

STATEMENT = "privigen-us.itp.rate"
PATIENTS = Path(__file__).resolve().parents[2] / "patients"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged evidence that a reviewer may write to."""
    return Path(shutil.copytree(packaged_folder(), tmp_path / "evidence"))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def test_the_list_begins_with_contraindications(evidence: Evidence) -> None:
    """What could harm most waits first, and the counts add up to all statements that wait."""
    code, out, _ = run("evidence", "review", "--limit", 3)
    assert code == 0
    waiting = int(out.split()[0])
    assert 0 < waiting <= len(evidence.statements)
    counts = out.splitlines()[1].partition(": ")[2].rstrip(".").split(", ")
    assert sum(int(part.split()[-1]) for part in counts) == waiting
    assert out.splitlines()[3] == "contraindicated"
    assert f"{waiting - 3} more" in out


def test_one_statement_beside_its_source_and_uses() -> None:
    """The words, the numbers, the place in the source, the product it feeds, and lines of real plans."""
    code, out, _ = run("evidence", "review", STATEMENT, "--patients", PATIENTS / "itp-adult-us.yaml")
    assert code == 0
    for part in ("0.5 mg/kg/min", "Privigen, prescribing information", "Dosage table, chronic ITP row", "two readings agree",
                 "products privigen-us, rates (rate)", "infusion.start: Start at"):
        assert part in out


def test_a_source_without_a_place_says_so() -> None:
    """A reviewer reads that no locator is known, and no filler for publisher and year."""
    code, out, _ = run("evidence", "review", "care.advice.duration")
    assert code == 0
    assert "find it at: locator not recorded" in out
    assert ", not recorded" not in out


def test_two_people_approve_in_the_file(folder: Path) -> None:
    """The first approval leaves it under review, the same person is refused, the second person approves; the evidence still loads."""
    give = ("evidence", "review", STATEMENT, "--evidence", folder, "--verdict", "approved", "--by")
    assert "under review, 1 approval so far" in run(*give, "A. Reader")[1]
    code, out, err = run(*give, "a. reader")
    assert (code, out) == (2, "")
    assert "a second person is needed" in err
    assert "is approved" in run(*give, "B. Reader")[1]
    assert load_evidence(folder).review_states[STATEMENT] == "approved"
    assert run("evidence", "check", folder)[0] == 0


def test_a_changed_number_ends_the_approval(folder: Path) -> None:
    """After an edit of the statement its verdicts no longer count, and the list says why it waits again."""
    for name in ("A. Reader", "B. Reader"):
        run("evidence", "review", STATEMENT, "--evidence", folder, "--verdict", "approved", "--by", name)
    path = folder / "statements" / "product-privigen-us.yaml"
    path.write_text(path.read_text().replace("half the maximum of the other indications", "half that of other indications"))
    assert load_evidence(folder).review_states[STATEMENT] == "submitted"
    assert "on an earlier text" in run("evidence", "review", STATEMENT, "--evidence", folder)[1]


@pytest.mark.parametrize(("arguments", "told"), [
    (("nobody.knows",), "no statement has this id"),
    ((STATEMENT, "--verdict", "rejected", "--by", "A"), "--reason"),
    ((STATEMENT, "--verdict", "approved"), "--by NAME"),
    ((STATEMENT, "--verdict", "under-review", "--by", "A", "--due", "tomorrow"), "2026-11-20"),
])
def test_what_cannot_be_recorded_is_told(arguments: tuple[str, ...], told: str, folder: Path) -> None:
    """Exit code 2, the remedy, and a file that is as it was."""
    before = (folder / "statements" / "product-privigen-us.yaml").read_text()
    code, out, err = run("evidence", "review", *arguments, "--evidence", folder)
    assert (code, out) == (2, "")
    assert told in err
    assert (folder / "statements" / "product-privigen-us.yaml").read_text() == before


def test_a_plan_of_approved_evidence_only(tmp_path: Path) -> None:
    """The option withholds amounts and says so."""
    code, out, _ = run("plan", PATIENTS / "itp-adult-us.yaml", "-j", "US", "--as-of", "2026-11-20", "--least-review", "approved")
    assert code == 0
    assert "lines are withheld, because their evidence is not yet approved" in out
    assert "review.withheld" not in out
