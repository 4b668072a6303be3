"""The golden plans: one per example record. A change is shown line by line and is accepted by name, with a reason."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path

import pytest
from tests.plans import golden

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


@pytest.mark.parametrize("name", golden.names())
def test_the_plan_is_the_golden_one(name: str, evidence: Evidence, request: pytest.FixtureRequest) -> None:
    """The plan of an example record is the one that was read and accepted."""
    text = golden.text_of(golden.planned(name, evidence))
    if request.config.getoption("--accept-plan") == name:
        golden.accept(name, text, request.config.getoption("--why"), date.today())
        return
    path = golden.GOLDEN / f"{name}.txt"
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    changes = list(difflib.unified_diff(kept.splitlines(), text.splitlines(), "golden", "now", n=1, lineterm=""))
    if changes:
        pytest.fail("\n".join([*changes[:120], "", f'If this is right: pytest tests/plans --accept-plan {name} --why "..."']), pytrace=False)


def test_the_accepted_plan_is_one_of_the_records(request: pytest.FixtureRequest) -> None:
    """A misspelt name must not pass in silence."""
    asked = request.config.getoption("--accept-plan")
    assert not asked or asked in golden.names(), f"no record is called {asked}; there are {', '.join(golden.names())}"


def test_every_record_has_a_golden_plan_with_a_reason() -> None:
    """No example record without an accepted plan, and none without a reason."""
    assert sorted(path.stem for path in golden.GOLDEN.glob("*.txt")) == golden.names()
    reasons = golden.reasons()
    assert sorted(reasons) == golden.names()
    assert all(len(why) > 0 and all(len(reason.split()) > 5 for reason in why) for why in reasons.values())


def test_accepting_appends_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Earlier reasons stay, in the order in which they were given."""
    monkeypatch.setattr(golden, "GOLDEN", tmp_path / "golden")
    monkeypatch.setattr(golden, "WHY", tmp_path / "why.md")
    golden.accept("one", "text\n", "first reason", date(2026, 1, 1))
    golden.accept("two", "text\n", "other plan", date(2026, 1, 2))
    golden.accept("one", "new text\n", "second  reason\nof one", date(2026, 1, 3))
    assert (tmp_path / "golden" / "one.txt").read_text(encoding="utf-8") == "new text\n"
    assert golden.reasons() == {"one": ["2026-01-01 first reason", "2026-01-03 second reason of one"], "two": ["2026-01-02 other plan"]}


def test_the_golden_text_names_no_version(evidence: Evidence) -> None:
    """A golden plan changes when the plan does, not whenever any statement does."""
    made = golden.planned(golden.names()[0], evidence)
    text = golden.text_of(made)
    assert made.evidence_version not in text
    assert made.program_version not in text
