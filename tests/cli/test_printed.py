"""Leaflet, PDF and calendar from the command line: by the ending of the file, one plan a file, nothing half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivigil.cli.plan_command import run_plan
from ivigil.planning.choices import Choices

ROOT = Path(__file__).resolve().parents[2]
RECORD = str(ROOT / "patients" / "dermatomyositis-us.yaml")
OTHER = str(ROOT / "patients" / "pid-adult-us.yaml")
US = Choices(jurisdiction="US", as_of="2026-11-20")


@pytest.mark.parametrize(("form", "name", "start"), [
    ("leaflet", "leaflet.pdf", b"%PDF"), ("leaflet", "leaflet.html", b"<!DOCTYPE html>"), ("leaflet", "leaflet.txt", b"YOUR IMMUNOGLOBULIN TREATMENT"),
    ("pdf", "plan.pdf", b"%PDF"), ("ics", "dates.ics", b"BEGIN:VCALENDAR\r\n"),
])
def test_each_form_is_written_as_its_kind(form: str, name: str, start: bytes, tmp_path: Path) -> None:
    """The file begins as its kind must, and belongs to its owner only."""
    target = tmp_path / name
    assert run_plan([RECORD], US, form, str(target)) == 0
    assert target.read_bytes().startswith(start)
    assert target.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("form", "name"), [("ics", "x.ics"), ("pdf", "x.pdf"), ("leaflet", "x.pdf")])
def test_several_plans_do_not_go_into_one_file(form: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are refused with a remedy, and nothing is written."""
    target = tmp_path / name
    assert run_plan([RECORD, OTHER], US, form, str(target)) == 2
    assert not target.exists()
    assert "one record at a time" in capsys.readouterr().err


def test_a_link_that_is_no_address_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A QR code holds a web address and nothing else."""
    assert run_plan([RECORD], US, "leaflet", str(tmp_path / "l.html"), "patient Smith, 12 High Street") == 2
    assert "not an http or https address" in capsys.readouterr().err


def test_several_leaflets_come_one_after_the_other_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """A batch of leaflets can be printed."""
    assert run_plan([RECORD, OTHER], US, "leaflet", "") == 0
    assert capsys.readouterr().out.count("YOUR IMMUNOGLOBULIN TREATMENT") == 2


def test_a_leaflet_draws_the_igg_curve_without_being_asked(tmp_path: Path) -> None:
    """``--format leaflet`` looks ahead by itself; the plan in other formats does so only with ``--outlook``."""
    page, plain = tmp_path / "leaflet.html", tmp_path / "plan.json"
    assert run_plan([OTHER], US, "leaflet", str(page)) == 0
    assert 'id="leaflet-curve"' in page.read_text(encoding="utf-8")
    assert run_plan([OTHER], US, "json", str(plain)) == 0
    assert "outlook" not in plain.read_text(encoding="utf-8").split('"not_raised"')[0]
