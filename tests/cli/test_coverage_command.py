"""``ivigil evidence coverage`` and ``ivigil evidence disagreements`` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_plan_command import run

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

DAY = ("--as-of", "2026-11-20")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def test_coverage_in_three_formats(evidence: Evidence, tmp_path: Path) -> None:
    """A short account for the terminal, a whole page, and data that name the same version; a file instead of the screen."""
    code, out, _ = run("evidence", "coverage", *DAY)
    assert code == 0
    assert f"Of {len(evidence.indications)} indications" in out
    assert "INDICATIONS BY AUTHORITY" not in out
    code, out, _ = run("evidence", "coverage", *DAY, "--format", "markdown")
    assert "## Indications by authority" in out
    code, out, _ = run("evidence", "coverage", *DAY, "-f", "json", "-o", tmp_path / "coverage.json")
    assert (code, out) == (0, "")
    written = json.loads((tmp_path / "coverage.json").read_text())
    assert written["version"] == evidence.version
    assert [one["part"] for one in written["examples"]] == ["rules", "interactions", "indications", "products"]


def test_disagreements_of_one_indication() -> None:
    """By any of its names; each position with place, words and statements."""
    code, out, _ = run("evidence", "disagreements", "kawasaki disease", *DAY)
    assert code == 0
    for part in ("kawasaki.dose.acute: they differ", "kawasaki.time.acute: the ranges overlap", "over 8-12 h", "kawasaki.gammagard-sd.dose"):
        assert part in out
    assert "gbs.dose" not in out


def test_all_disagreements_begin_with_their_number() -> None:
    """Counts by kind, then topics, then positions."""
    code, out, _ = run("evidence", "disagreements", *DAY)
    assert code == 0
    assert out.index("HOW MANY") < out.index("BY TOPIC") < out.index("mis-c.weight.acute")
    assert len(json.loads(run("evidence", "disagreements", *DAY, "-f", "json")[1])["disagreements"]) > 100


def test_an_indication_on_which_all_agree_is_said_to_have_none() -> None:
    """Nothing found is an answer, not a mistake."""
    code, out, _ = run("evidence", "disagreements", "narcolepsy", *DAY)
    assert code == 0
    assert "Nothing was found." in out


@pytest.mark.parametrize(("arguments", "told"), [
    (("disagreements", "kawasaky"), "did you mean kawasaki"),
    (("disagreements", "zzz"), "name an indication, weight, target or vaccine"),
    (("disagreements", "gbs", "--as-of", "tomorrow"), "2026-11-20"),
    (("coverage", "--as-of", "2999-01-01"), "lies ahead"),
    (("coverage", "--evidence", "nowhere"), "no such folder"),
])
def test_what_cannot_be_answered_is_told(arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2 and the remedy."""
    code, out, err = run("evidence", *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_an_overlay_is_covered_too(tmp_path: Path) -> None:
    """Entries and examples of a hospital count."""
    (tmp_path / "indications").mkdir()
    (tmp_path / "cases" / "indications").mkdir(parents=True)
    (tmp_path / "indications" / "ours.yaml").write_text(
        "id: ours\nname: {clinical: Ours}\npurpose: none\nnot_read: [Any dose]\nstanding:\n"
        "  - {authority: aan-2003-gbs, jurisdiction: US, verdict: against, cites: [gbs.aan.standing]}\n")
    (tmp_path / "cases" / "indications" / "ours.yaml").write_text("- {name: ours, indication: ours, expect: {against: [us]}}\n")
    code, out, err = run("evidence", "coverage", "--overlay", tmp_path, "-f", "json")
    assert code == 0, err
    written = json.loads(out)
    assert "ours" in written["indications"]
    assert written["examples"][2]["counts"]["ours"] == 1
