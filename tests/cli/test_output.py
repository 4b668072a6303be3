"""Results are written whole or not at all; problems go beside them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.output import counted, report, write


def test_a_file_is_written_whole_and_private(tmp_path: Path) -> None:
    """A plan is patient data: only its owner reads it, and no half file is left."""
    target = tmp_path / "plan.txt"
    target.write_text("old")
    write("new\n", str(target))
    assert target.read_text() == "new\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_cannot_be_written_is_a_clear_problem(tmp_path: Path) -> None:
    """The message names the file and what to do."""
    with pytest.raises(BadInput) as refused:
        write("x", str(tmp_path / "missing" / "plan.txt"))
    assert refused.value.problems[0].remedy


def test_problems_are_listed_on_standard_error_without_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    """Place, cause and remedy of each; text from a record cannot steer the terminal."""
    assert report([Problem("a.yaml", 3, "weight\x1b[2J", "no unit", "write 70 kg"), Problem("b.yaml", 0, "", "empty")], "2 problems:") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "2 problems:\n  a.yaml:3: weight[2J: no unit\n      -> write 70 kg\n  b.yaml: empty\n"


def test_counting_words() -> None:
    """One problem, two problems."""
    assert (counted(1, "problem"), counted(2, "problem"), counted(0, "policy", "policies")) == ("1 problem", "2 problems", "0 policies")
