"""``--help`` and ``--version`` answer at once: they import nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import sys
sys.argv = ["ivigil", *sys.argv[1:]]
from ivigil.cli.app import main
try:
    main()
except SystemExit:
    print(" ".join(sys.modules), file=sys.stderr)
"""


def _loaded(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("plan", "--help"), ("evidence", "--help"), ("forecast", "--help"), ("models", "--help")])
def test_help_imports_no_heavy_library(arguments: tuple[str, ...]) -> None:
    """The budget for help is 0.15 s; each of these costs a good part of it."""
    assert not _loaded(*arguments) & {"numpy", "rich", "ruamel.yaml", "msgspec", "pint", "ivigil.planning.plan"}


def test_every_command_is_in_the_help() -> None:
    """What the README names exists."""
    done = subprocess.run([sys.executable, "-m", "ivigil", "--help"], capture_output=True, text=True, check=True)
    for word in ("plan", "why", "forecast", "models", "evidence", "schema", "--version", "Exit codes"):
        assert word in done.stdout


def test_the_readme_names_every_command() -> None:
    """A command nobody can find is not done."""
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    for command in ("ivigil plan", "ivigil why", "ivigil evidence check", "ivigil evidence show", "ivigil evidence search", "ivigil evidence review",
                    "ivigil evidence new", "ivigil evidence diff", "ivigil evidence export", "ivigil schema", "ivigil forecast", "ivigil models"):
        assert command in readme
