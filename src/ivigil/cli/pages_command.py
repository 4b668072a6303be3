"""``ivigil evidence pages``: the reference pages, written as one folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ivigil import __version__
from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, load
from ivigil.cli.output import Progress, counted, report, write

MARKER = ".ivigil-pages"
"""Lists every file that was written. A folder with anything else in it is never replaced."""


def run_pages(folder: str, overlay: str, evidence_folder: str) -> int:
    """Write the pages. Exit code 2 when the evidence does not load or the folder cannot be used; then nothing has changed."""
    from ivigil.evidence.examples import examples_of
    from ivigil.evidence.files import packaged_folder, read_folder
    from ivigil.rendering.pages.site import site

    target = Path(os.path.realpath(folder))
    try:
        ours_to_write(target, folder)  # before the work, and again just before the folder is replaced
        evidence = load(Choices(overlay=overlay, evidence=evidence_folder))
        files = read_folder(Path(evidence_folder) if evidence_folder else packaged_folder())
        local = read_folder(Path(overlay)) if overlay else []
        with Progress("Writing pages") as progress:
            pages = site(evidence, examples_of([*files, *local]), __version__, progress)
        write_folder(pages, target, folder)
    except BadInput as error:
        return report(error.problems, "No pages were written:")
    write(f"{counted(sum(name.endswith('.html') for name in pages), 'page')} written to {folder}; open {Path(folder) / 'index.html'}.\n")
    return 0


def ours_to_write(target: Path, named: str) -> None:
    """Refuse a folder that holds anything that this command did not write.

    Raises:
        BadInput: it is a file, its parent is missing, or it holds something else.
    """

    def refused(cause: str, remedy: str) -> BadInput:
        return BadInput([Problem(named, 0, "", cause, remedy)])

    try:
        if not target.exists():
            if not target.parent.is_dir():
                raise refused("the folder that should hold it is missing", "make it first, or name another folder")
            return
        if not target.is_dir():
            raise refused("this is a file", "name a folder, new or empty")
        found = {path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir() or path.is_symlink()}
        if not found:
            return
        if MARKER not in found:
            raise refused("the folder is not empty and was not written by this command", "name a new or empty folder")
        listed = set((target / MARKER).read_text(encoding="utf-8").splitlines())
        strange = sorted(found - listed - {MARKER})
        if strange:
            raise refused(
                f"the folder also holds {strange[0]}{f' and {len(strange) - 1} more' if len(strange) > 1 else ''}", "move it elsewhere first"
            )
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else None
        raise refused(cause or "the folder cannot be read", "name a folder that you may read and write") from None


def write_folder(pages: Mapping[str, str], target: Path, named: str) -> None:
    """Write all files into a new folder beside the target, then put it in the target's place.

    A full disk or a killed process leaves the target as it was. Between the two renames of an existing target, it stands in the folder beside it.

    Raises:
        BadInput: the folder cannot be written, or somebody put something into it meanwhile.
    """
    beside: Path | None = None
    try:
        beside = Path(tempfile.mkdtemp(prefix=".ivigil-pages-", dir=target.parent))
        new, old = beside / "new", beside / "old"
        new.mkdir()
        for name in sorted({(new / name).parent for name in pages}):
            name.mkdir(parents=True, exist_ok=True)
        for file_name, text in {**pages, MARKER: "".join(f"{name}\n" for name in sorted(pages))}.items():
            (new / file_name).write_text(text, encoding="utf-8", newline="\n")
        ours_to_write(target, named)
        if target.exists():
            os.rename(target, old)
        try:
            os.rename(new, target)
        except OSError:
            if old.exists():
                os.rename(old, target)
            raise
    except OSError as error:
        raise BadInput(
            [Problem(named, 0, "", error.strerror or "the folder cannot be written", "name a folder that you may write, with room for it")]
        ) from None
    finally:
        if beside is not None and (target.exists() or not (beside / "old").exists()):
            shutil.rmtree(beside, ignore_errors=True)
