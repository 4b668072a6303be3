"""``ivigil ask`` from the outside: exit codes, problems all at once, output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ivigil.cli.app import app

RUN = CliRunner()
PATIENTS = Path(__file__).resolve().parents[2] / "patients"


@pytest.mark.parametrize(
    ("question", "code"),
    [("What are the side effects?", 0), ("I can't breathe during my infusion", 0), ("What is the capital of France?", 4), ("1 g/day for 65 kg", 5), ("", 4)],
)
def test_the_exit_code_tells_the_outcome(question: str, code: int) -> None:
    """0 answered or emergency, 4 no answer, 5 a question back."""
    assert RUN.invoke(app, ["ask", question, "-j", "US"]).exit_code == code


def test_every_problem_is_listed_and_nothing_is_printed(tmp_path: Path) -> None:
    """An unknown place, a bad date and a missing record come together."""
    done = RUN.invoke(app, ["ask", "dose", "-j", "USA", "--as-of", "soon", "--record", str(tmp_path / "none.yaml")])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "3 problems" in done.stderr


def test_a_place_is_needed() -> None:
    """Authorities differ, so nothing is answered without a place."""
    done = RUN.invoke(app, ["ask", "dose for CIDP"])
    assert done.exit_code == 2
    assert "--jurisdiction" in done.stderr


def test_lines_of_the_plan_are_quoted_word_for_word() -> None:
    """With a record the plan is made and its lines answer."""
    asked = RUN.invoke(app, ["ask", "What is the dose?", "-j", "US", "--as-of", "2026-11-20", "-r", str(PATIENTS / "itp-adult-us.yaml"), "-f", "json"])
    planned = RUN.invoke(app, ["plan", str(PATIENTS / "itp-adult-us.yaml"), "-j", "US", "--as-of", "2026-11-20", "-f", "json"])
    lines = {line["id"]: line["text"] for line in json.loads(planned.stdout)["lines"]}
    answered = json.loads(asked.stdout)
    quoted = [one for part in ([answered["short"]] + [section["sentences"] for section in answered["sections"]]) for one in part if one["kind"] == "plan-line"]
    assert quoted
    assert all(lines[one["lines"][0]] == one["text"] for one in quoted)


def test_a_question_comes_from_standard_input(tmp_path: Path) -> None:
    """``-`` reads the question; ``--out`` writes the answer to a file."""
    out = tmp_path / "answer.md"
    done = RUN.invoke(app, ["ask", "-", "-j", "AU", "-f", "markdown", "-o", str(out)], input="Does it hurt?")
    assert done.exit_code == 0
    assert out.read_text(encoding="utf-8").startswith("# Does it hurt?")
