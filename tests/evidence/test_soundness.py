"""Values that shape well and cannot be right are refused with their place and remedy, before any plan meets them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ivigil.evidence.check import check
from ivigil.evidence.files import packaged_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packaged evidence to spoil."""
    return Path(shutil.copytree(packaged_folder(), tmp_path_factory.mktemp("evidence") / "evidence"))


@pytest.mark.parametrize(("name", "old", "new", "why"), [
    ("indications/sps.yaml", 'valid: {from: "2021-12-01"}', 'valid: {from: "2021-12-01", to: 31/12/2025}', "'31/12/2025' is not a date"),
    ("indications/sps.yaml", 'valid: {from: "2021-12-01"}', 'valid: {from: "2021-12-01", to: "2020-01-01"}', "ends (2020-01-01) before it begins"),
    ("indications/sps.yaml", "over_days: 2-5", "over_days: 0", "0 is no number of days"),
    ("indications/sps.yaml", "over_days: 2-5", "over_days: 2-5 week", "is no number of days"),
    ("indications/sps.yaml", "id: sps.nhs-england-maintenance", "id: sps.nhs-england-induction", "two regimens have this id"),
    ("products/privigen-us.yaml", "market: US", "market: England", "no jurisdiction buys from the market 'England'"),
    ("products/privigen-us.yaml", "sizes: [5 g", "sizes: [50 mL", "50 mL is no amount of immunoglobulin"),
])
def test_what_cannot_be_right_is_refused(folder: Path, name: str, old: str, new: str, why: str) -> None:
    """Each spoiled value gives a row that says so, with a remedy."""
    path = folder / name
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")
    try:
        found = [problem for problem in check(folder) if why in problem.why]
    finally:
        path.write_text(before, encoding="utf-8")
    assert found
    assert all(problem.remedy for problem in found)
