"""The way from bytes to a plan that every door of the service shares."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput
from ivigil.cli.plan_command import run_plan
from ivigil.evidence.load import load_evidence
from ivigil.planning.choices import Choices
from ivigil.rendering.json import plan_json
from ivigil.service.hospital import Hospital

ROOT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def hospital() -> Hospital:
    """A hospital on the packaged evidence."""
    return Hospital(load_evidence())


def test_a_plan_is_that_of_the_command_line_byte_for_byte(hospital: Hospital, capsys: pytest.CaptureFixture[str]) -> None:
    """The service plans what the command line plans."""
    path = ROOT / "patients" / "itp-adult-us.yaml"
    made = hospital.plan_of(path.read_bytes(), Choices(jurisdiction="US", as_of=TODAY.isoformat()), TODAY)
    run_plan([str(path)], Choices(jurisdiction="US", as_of=TODAY.isoformat()), "json", "")
    assert plan_json(made) == capsys.readouterr().out


def test_every_problem_of_record_and_choices_comes_at_once(hospital: Hospital) -> None:
    """An unknown place, an unknown product and a record without patient are told together."""
    with pytest.raises(BadInput) as caught:
        hospital.plan_of(b"[]", Choices(jurisdiction="Mars", product="milk"), TODAY)
    assert {problem.place for problem in caught.value.problems} == {"record", "jurisdiction", "product"}
