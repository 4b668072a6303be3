"""Where results go: standard output or a file, problems to standard error, progress only when somebody watches."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ivigil.basis.problems import BadInput, Problem
from ivigil.rendering.plain_text import clean

if TYPE_CHECKING:
    import rich.progress

BAD_INPUT = 2
_BEFORE_SHOWING = 0.7


def columns() -> int:
    """The width to lay out for: the terminal's, or 100 when piped."""
    return shutil.get_terminal_size((100, 24)).columns


def colour() -> bool:
    """Colours only for a terminal, and not when NO_COLOR is set."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write(text: str | bytes, out: str = "") -> None:
    """Print the text, or write it (or bytes, as they are) to the file ``out``, whole or not at all.

    Raises:
        BadInput: the file cannot be written.
    """
    if not out:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
            return
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    data = text if isinstance(text, bytes) else text.encode()
    target = Path(os.path.realpath(out))  # a link keeps pointing where it points
    try:
        if target.exists() and not target.is_file():
            _write_through(data, target)
        else:
            _write_whole(data, target)
    except OSError as error:
        raise BadInput([Problem(out, 0, "--out", error.strerror or "the file cannot be written", "name a file in a folder you may write to")]) from None


def _write_through(data: bytes, target: Path) -> None:
    """A device or a pipe is written to, never replaced by a file."""
    with target.open("wb") as handle:
        handle.write(data)


def _write_whole(data: bytes, target: Path) -> None:
    """Under another name first, so that a full disk or a killed process leaves the old file as it was; readable by its owner only."""
    handle = tempfile.NamedTemporaryFile(dir=target.parent, prefix=".ivigil-", delete=False)  # noqa: SIM115
    try:
        with handle:
            handle.write(data)
        os.chmod(handle.name, 0o600)  # a plan is patient data
        os.replace(handle.name, target)
    except OSError:
        Path(handle.name).unlink(missing_ok=True)
        raise


def note(text: str) -> None:
    """A remark beside the result, on standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def report(problems: Iterable[Problem], heading: str) -> int:
    """List every problem with its place, cause and remedy on standard error; gives the exit code for bad input."""
    listed = list(problems)
    note(heading)
    for problem in listed:
        place = f"{problem.place}:{problem.line}" if problem.line else problem.place
        note(f"  {clean(': '.join(part for part in (place, problem.what, problem.why) if part))}")
        if problem.remedy:
            note(f"      -> {clean(problem.remedy)}")
    return BAD_INPUT


def counted(number: int, one: str, many: str = "") -> str:
    """``1 problem``, ``2 problems``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


class Progress:
    """A progress bar on standard error that appears only in a terminal and only once the work has taken most of a second."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._started = time.monotonic()
        self._watched = sys.stderr.isatty()
        self._bar: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None

    def __call__(self, done: int, total: int, name: str = "") -> None:
        """``done`` of ``total`` pieces are ready, the last one called ``name``."""
        if not self._watched or time.monotonic() - self._started < _BEFORE_SHOWING:
            return
        if self._bar is None:
            import rich.console
            import rich.progress

            self._bar = rich.progress.Progress(console=rich.console.Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=total)
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()
