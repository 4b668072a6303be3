"""Writes the example output of the README from what the program prints today: ``make docs-tables``."""

from __future__ import annotations

import io
import os
import re
from contextlib import redirect_stdout
from pathlib import Path

from ivigil.cli.inputs import Choices
from ivigil.cli.plan_command import run_plan
from ivigil.cli.why_command import run_why

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = "patients/dermatomyositis-us.yaml"
CHOICES = Choices(jurisdiction="US", as_of="2026-11-20")
_TITLE = re.compile(r"^[A-Z!].* -{5,}$")
_WHY_LINES = 25


def readme(text: str) -> str:
    """The README with its two example blocks renewed. Paths are those of the repository root; lay-out is 100 columns."""
    os.chdir(ROOT)
    os.environ["COLUMNS"] = "100"
    text = _replaced(text, f"$ ivigil plan {EXAMPLE}", _plan_excerpt())
    return _replaced(text, f"$ ivigil why {EXAMPLE}", _why_excerpt())


def _replaced(text: str, command: str, output: str) -> str:
    return re.sub(rf"(```\n{re.escape(command)}[^\n]*\n).*?(```\n)", lambda block: f"{block[1]}{output}\n{block[2]}", text, count=1, flags=re.DOTALL)


def _plan_excerpt() -> str:
    """The heading, the plan at a glance and the first days of the infusion."""
    lines = _printed(lambda: run_plan([EXAMPLE], CHOICES, "terminal", ""))
    infusion = _section(lines, "INFUSION")
    first_day = next(place for place, line in enumerate(infusion) if re.search(r" Days? 1\b", line))
    end = infusion.index("", first_day)
    start = next(place for place, line in enumerate(lines) if line.startswith("INDICATION -"))
    return "\n".join([*lines[:start], "...", infusion[0], "...", *infusion[first_day:end], "..."])


def _why_excerpt() -> str:
    return "\n".join([*_printed(lambda: run_why(EXAMPLE, "infusion.cap", CHOICES))[:_WHY_LINES], "..."])


def _section(lines: list[str], title: str) -> list[str]:
    start = next(place for place, line in enumerate(lines) if line.startswith(f"{title} -"))
    end = next(place for place in range(start + 1, len(lines)) if _TITLE.match(lines[place]))
    return lines[start:end]


def _printed(run: object) -> list[str]:
    assert callable(run)
    with redirect_stdout(io.StringIO()) as captured:
        run()
    return captured.getvalue().splitlines()


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(readme(path.read_text(encoding="utf-8")), encoding="utf-8")
