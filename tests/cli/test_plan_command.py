"""``ivigil plan`` and ``ivigil why`` from the outside: what is printed, what is written, which exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ivigil.cli.app import app

RECORD = """\
id: example
sex: female
born: 1968-03-02
weight: {value: 70 kg, on: 2026-11-18}
height: {value: 165 cm, on: 2026-11-18}
conditions: [immune thrombocytopenia]
problem_list_reviewed: 2026-11-18
order: {indication: itp-adult}
"""
WHERE = ["--jurisdiction", "US", "--as-of", "2026-11-20"]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """A small usable record."""
    path = tmp_path / "patient.yaml"
    path.write_text(RECORD)
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A record with two problems."""
    path = tmp_path / "broken.yaml"
    path.write_text("id: broken\nweight: 70\nhieght: 165 cm\n")
    return path


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_plan_is_printed(record: Path) -> None:
    """The main job: one record in, one plan out, exit code 0."""
    code, out, err = run("plan", record, *WHERE)
    assert (code, err) == (0, "")
    assert out.startswith("IVIGIL PLAN")
    assert "SOURCES" in out


def test_the_same_input_gives_the_same_bytes(record: Path) -> None:
    """A plan can be reproduced."""
    first, second = (run("plan", record, *WHERE, "--format", "json")[1] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(("form", "start"), [("json", "{"), ("markdown", "# ivigil plan"), ("html", "<!DOCTYPE html>"), ("terminal", "IVIGIL PLAN")])
def test_every_format_can_be_written_to_a_file(record: Path, tmp_path: Path, form: str, start: str) -> None:
    """--out writes the same text and says so beside it."""
    code, out, err = run("plan", record, *WHERE, "--format", form, "--out", tmp_path / "plan.out")
    assert (code, out) == (0, "")
    assert "1 plan written" in err
    assert (tmp_path / "plan.out").read_text().startswith(start)


def test_bad_input_lists_every_problem_and_writes_nothing(broken: Path, tmp_path: Path) -> None:
    """Record and option problems come in one list; exit code 2."""
    code, out, err = run("plan", broken, "--jurisdiction", "USA", "--as-of", "yesterday", "--out", tmp_path / "plan.out")
    assert (code, out) == (2, "")
    assert not (tmp_path / "plan.out").exists()
    for words in ("did you mean US?", "'yesterday' is not a date", "did you mean 'height'?", "no unit"):
        assert words in err


def test_slips_are_listed_beside_the_problems_of_form(tmp_path: Path) -> None:
    """A misspelt key, a missing unit, a unit slip and a birth in the future come in one list, in reading order, and nothing else does."""
    path = tmp_path / "many.yaml"
    path.write_text("id: many\nborn: 2030-01-01\nweight: 70\nheight: 2 cm\nconditons: [asthma]\nresults: {igg: {value: 300 g/L, on: 2026-11-01}}\n")
    code, _, told = run("plan", path, *WHERE)
    assert code == 2
    assert "5 problems" in told
    places = [told.index(f"many.yaml:{line}: {what}") for line, what in ((2, "born"), (3, "weight"), (4, "height"), (5, "conditons"), (6, "igg"))]
    assert places == sorted(places)
    assert "weight: missing" not in told


def test_one_bad_record_does_not_stop_the_others(record: Path, broken: Path) -> None:
    """A batch goes on and lists what failed; exit code 2 says that something did."""
    code, out, err = run("plan", record, broken, *WHERE, "--format", "json")
    assert code == 2
    document = json.loads(out)
    assert [plan["patient"] for plan in document["plans"]] == ["example"]
    assert document["failed"][0]["record"].endswith("broken.yaml")
    assert "1 record could not be used; 1 plan made" in err


def test_one_patient_who_cannot_be_planned_does_not_stop_a_folder(record: Path, tmp_path: Path) -> None:
    """Someone who died is listed; everybody after them is still planned."""
    people = [("a", {}), ("b", {"deceasedDateTime": "2020-01-01"}), ("c", {})]
    lines = [json.dumps({"resourceType": "Patient", "id": name, "gender": "female", "birthDate": "1970-01-01", **more}) for name, more in people]
    (tmp_path / "people.ndjson").write_text("\n".join(lines) + "\n")
    code, out, err = run("plan", tmp_path / "people.ndjson", *WHERE, "--indication", "itp-adult", "--format", "json")
    assert code == 2
    assert [plan["patient"] for plan in json.loads(out)["plans"]] == ["a", "c"]
    assert "1 record could not be used; 2 plans made" in err


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_no_record_there(tmp_path: Path, name: str) -> None:
    """A wrong name or an empty folder is said plainly."""
    assert run("plan", tmp_path / name, *WHERE)[0] == 2


def test_an_unknown_indication_has_no_evidence(record: Path) -> None:
    """Exit code 4, and no dose."""
    code, out, _ = run("plan", record, *WHERE, "--indication", "baldness")
    assert code == 4
    assert "NO EVIDENCE" in out


def test_why_from_a_record_and_from_a_saved_plan(record: Path, tmp_path: Path) -> None:
    """Both ways lead to the same tree."""
    saved = tmp_path / "plan.json"
    run("plan", record, *WHERE, "--format", "json", "--out", saved)
    from_plan, from_record = run("why", saved, "1"), run("why", record, "1", *WHERE)
    assert from_plan == from_record
    assert from_plan[0] == 0
    assert "rests on" in from_plan[1]


def test_why_suggests_near_names(record: Path) -> None:
    """A misspelt line id is a clear problem, not a trace."""
    code, out, err = run("why", record, "dosign", *WHERE)
    assert (code, out) == (2, "")
    assert "did you mean" in err or "give a line number" in err


def test_the_schemas_are_printed() -> None:
    """Three documents, each JSON."""
    for what in ("patient", "plan", "evidence"):
        code, out, _ = run("schema", what)
        assert code == 0
        assert "$schema" in json.loads(out)


def test_evidence_can_be_searched_and_shown() -> None:
    """From words to ids to the entry with its source."""
    code, out, _ = run("evidence", "search", "immune", "thrombocytopenia")
    assert code == 0
    assert "indication  itp-adult" in out
    code, out, _ = run("evidence", "show", "itp-adult")
    assert code == 0
    assert "rests on" in out
    code, _, err = run("evidence", "show", "itp-adlt")
    assert code == 2
    assert "did you mean itp-adult" in err


def test_a_plan_as_fhir_goes_into_a_file(record: Path, tmp_path: Path) -> None:
    """`--format fhir` writes one Bundle with the order in it."""
    out = tmp_path / "plan.json"
    result = CliRunner().invoke(app, ["plan", str(record), *WHERE, "--format", "fhir", "--out", str(out)])
    bundle = json.loads(out.read_text(encoding="utf-8"))
    assert result.exit_code == 0
    assert bundle["resourceType"] == "Bundle"
    assert "MedicationRequest" in {entry["resource"]["resourceType"] for entry in bundle["entry"]}
