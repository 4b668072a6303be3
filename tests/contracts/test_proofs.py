"""The pages that prove the forecast and the fits: what they must show, row by row. They are written by commands that run for long; tests hold them to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.check_fits import CASES, EVERY, Case

DOCS = Path(__file__).resolve().parents[2] / "docs"


def rows(page: str, heading: str) -> list[dict[str, str]]:
    """The rows of the table whose heading begins so."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    names = [cell.strip() for cell in lines[start].strip("|").split("|")]
    out = []
    for line in lines[start + 2:]:
        if not line.startswith("|"):
            break
        out.append(dict(zip(names, (cell.strip() for cell in line.strip().strip("|").split("|")), strict=True)))
    return out


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_fits_agree_with_an_independent_solver(case: Case) -> None:
    """At least 4,000 patients of every structure, 99.9 % within 0.1 % on every parameter, never a worse objective by more than 1e-6."""
    (row,) = [row for row in rows("fit-fidelity.md", "Structure") if row["Structure"] == case.name]
    assert int(row["Patients"]) >= 4000
    assert float(row["Same"].rstrip("%")) >= 99.9
    assert row["Worse"] == row["Not settled"] == "0"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_intervals_cover_what_they_claim(case: Case) -> None:
    """50 % intervals in 46-54 %, 90 % intervals in 87-93 %, of every eta and of a level to come."""
    found = [row for row in rows("fit-calibration.md", "Structure") if row["Structure"] == case.name]
    assert {row["Of"] for row in found} >= {f"eta {name}" for name in case.model.etas}
    assert any(row["Of"].startswith("level") for row in found)
    for row in found:
        assert 46 <= float(row["50 % interval"].rstrip("%")) <= 54
        assert 87 <= float(row["90 % interval"].rstrip("%")) <= 93


def test_the_next_trough_is_compared_with_none_to_four_levels() -> None:
    """Against the prior and against the last value carried forward; where the fit does not win, the column says who does."""
    found = rows("fit-calibration.md", "Course")
    assert {row["Levels known"] for row in found} == {"0", "1", "2", "3", "4"}
    assert {row["Carried"] for row in found if row["Levels known"] == "0"} == {"-"}
    for row in found:
        errors = {name.lower(): float(row[name]) for name in ("Prior", "Carried", "Fitted", "Posterior") if row[name] != "-"}
        assert errors[row["Best"]] == min(errors.values())


def test_every_model_check_holds_and_every_published_fact_is_there() -> None:
    """The page shows no output outside its range, and each fact that the forecast must reproduce."""
    text = (DOCS / "model-checks.md").read_text(encoding="utf-8")
    assert "; 0 outside the declared range." in text
    assert "**outside**" not in text
    for fact in ("exposure.intravenous", "exposure.subcutaneous", "observed.slope", "slope.zhang-2020", "biweekly.trough", "biweekly.peak",
                 "four-weekly.trough", "facilitated-total", "loading", "delta", "fcrn.autoantibody", "scig-over-ivig", "spread.intravenous", "grip.li-2024b"):
        assert f"| `{fact}` |" in text
    assert "Facilitated doses every two weeks in place of four" in text
