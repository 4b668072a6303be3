"""``ivigil evidence pages`` writes its folder whole, and never over anything that it did not write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput
from ivigil.cli.pages_command import MARKER, run_pages, write_folder

PAGES = {"index.html": "a", "products/x.html": "b"}


def test_writes_everything_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole command on the packaged evidence."""
    assert run_pages(str(tmp_path / "site"), "", "") == 0
    assert "index.html" in capsys.readouterr().out
    assert (tmp_path / "site" / "indications" / "cidp.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_replaces_its_own_folder_and_drops_old_pages(tmp_path: Path) -> None:
    """A page of an entry that is gone does not stay behind."""
    write_folder(PAGES, tmp_path / "site", "site")
    write_folder({"index.html": "c"}, tmp_path / "site", "site")
    assert sorted(path.name for path in (tmp_path / "site").rglob("*")) == [MARKER, "index.html"]
    assert (tmp_path / "site" / "index.html").read_text() == "c"


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    """Somebody made it for this."""
    (tmp_path / "site").mkdir()
    write_folder(PAGES, tmp_path / "site", "site")
    assert (tmp_path / "site" / "products" / "x.html").read_text() == "b"


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of the user's is ever deleted."""
    (tmp_path / "notes.txt").write_text("mine")
    assert run_pages(str(tmp_path), "", "") == 2
    assert "not written by this command" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_put_into_our_folder_is_kept(tmp_path: Path) -> None:
    """Our folder with something of the user's in it is no longer only ours."""
    write_folder(PAGES, tmp_path / "site", "site")
    (tmp_path / "site" / "products" / "notes.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"products/notes\.txt"):
        write_folder({"index.html": "c"}, tmp_path / "site", "site")
    assert (tmp_path / "site" / "index.html").read_text() == "a"
    assert (tmp_path / "site" / "products" / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("name", ["a-file", "missing/site"])
def test_a_file_or_a_missing_parent_is_refused(tmp_path: Path, name: str) -> None:
    """Both are slips of the command line."""
    (tmp_path / "a-file").write_text("x")
    with pytest.raises(BadInput):
        write_folder(PAGES, tmp_path / name, name)
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


def test_a_full_disk_leaves_the_old_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a site is worse than an old one."""
    write_folder(PAGES, tmp_path / "site", "site")
    real = Path.write_text

    def full(self: Path, text: str, *args: str, **options: str) -> int:
        if self.name == "x.html":
            raise OSError(28, "No space left on device")
        return real(self, text, *args, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(BadInput, match="No space left"):
        write_folder({"index.html": "c", "products/x.html": "d"}, tmp_path / "site", "site")
    assert (tmp_path / "site" / "index.html").read_bytes() == b"a"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_failed_last_step_puts_the_old_folder_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two renames the old folder stands aside; when the second fails it returns."""
    write_folder(PAGES, tmp_path / "site", "site")
    real = os.rename

    def refuses(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise OSError(5, "Input/output error")
        real(source, target)

    monkeypatch.setattr(os, "rename", refuses)
    with pytest.raises(BadInput, match="Input/output error"):
        write_folder({"index.html": "c"}, tmp_path / "site", "site")
    assert (tmp_path / "site" / "index.html").read_text() == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_link_keeps_pointing_where_it_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder behind a link is the one that is written."""
    (tmp_path / "real").mkdir()
    (tmp_path / "site").symlink_to(tmp_path / "real")
    assert run_pages(str(tmp_path / "site"), "", "") == 0
    assert (tmp_path / "site").is_symlink()
    assert (tmp_path / "real" / "index.html").is_file()
    assert capsys.readouterr().out
