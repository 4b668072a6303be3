"""Results are written whole or not at all; problems go beside them."""

from __future__ import annotations

import os
import stat
import threading
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


def test_a_pipe_or_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """``--out /dev/stdout`` or a named pipe gets the text; as root, replacing such a file would break the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    write("plan\n", str(pipe))
    reader.join(timeout=10)
    assert got == ["plan\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_link_keeps_pointing_where_it_points(tmp_path: Path) -> None:
    """The file behind a link is renewed, the link itself stays."""
    target, link = tmp_path / "plan.txt", tmp_path / "latest.txt"
    target.write_text("old", encoding="utf-8")
    link.symlink_to(target)
    write("new\n", str(link))
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "new\n"


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new file cannot be put in place, the old one stays whole and no temporary file is left."""
    target = tmp_path / "plan.txt"
    target.write_text("old", encoding="utf-8")

    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", no_room)
    with pytest.raises(BadInput, match="No space left"):
        write("new\n", str(target))
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]
