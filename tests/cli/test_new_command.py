"""``ivigil evidence new`` from the outside: what it begins loads at once, claims nothing, and overwrites nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.test_plan_command import RECORD, run

from ivigil.evidence.files import packaged_folder
from ivigil.evidence.load import load_evidence

PRODUCT = ("--maker", "Ours", "--market", "US", "--route", "intravenous", "--percent", "10")


def begin(into: Path, *arguments: object) -> list[Path]:
    """The files that a successful call names."""
    code, out, err = run("evidence", "new", *arguments, "--into", into)
    assert (code, err) == (0, "")
    assert out.startswith("Written:\n")
    return [Path(line.strip()) for line in out.splitlines() if line.startswith("  ")]


def test_one_of_each_kind_makes_a_sound_overlay(tmp_path: Path) -> None:
    """Four calls, then the check that each of them names: everything loads, and examples stand beside the rules."""
    ours = tmp_path / "ours"
    assert {path.parent.name for path in begin(ours, "statement", "our-x.dose")} == {"statements", "sources"}
    begin(ours, "indication", "our-x", "--name", "O'Hara's: a \"syndrome\"")
    begin(ours, "product", "our-igg-us", *PRODUCT)
    begin(ours, "rule", "our-sepsis", "--fact", "has.sepsis", "--cites", "our-x.dose")
    begin(ours, "rule", "our-age", "--fact", "age > 65 year")
    code, out, err = run("evidence", "check", "--overlay", ours)
    assert (code, err) == (0, "")
    assert out.startswith("The evidence is sound")
    evidence = load_evidence(None, ours)
    statement, indication, rule = evidence.statements["our-x.dose"], evidence.indications["our-x"], evidence.rules["our-sepsis"]
    assert (statement.read, statement.source) == ("remembered", "our-x-source")
    assert indication.name.clinical == "O'Hara's: a \"syndrome\""
    assert (indication.purpose, indication.regimens, indication.standing) == ("none", (), ())
    assert "Doses" in indication.not_read
    assert (rule.severity, rule.cites) == ("info", ("our-x.dose",))
    for path in ours.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("#")
        assert "TODO" not in text


def test_what_is_begun_treats_nobody(tmp_path: Path) -> None:
    """No dose for the new indication, and the new product is never chosen."""
    ours = tmp_path / "ours"
    begin(ours, "indication", "our-x")
    begin(ours, "product", "our-igg-us", *PRODUCT)
    record = tmp_path / "record.yaml"
    record.write_text(RECORD.replace("immune thrombocytopenia", "our x").replace("itp-adult", "our-x"))
    assert run("plan", record, "-j", "US", "--as-of", "2026-11-20", "--overlay", ours)[0] == 4
    record.write_text(RECORD.replace("{indication: itp-adult}", "{indication: itp-adult, product: our-igg-us}"))
    out = run("plan", record, "-j", "US", "--as-of", "2026-11-20", "--overlay", ours)[1]
    assert "Our igg us was ordered and is refused" in out


def test_an_evidence_folder_of_ones_own(tmp_path: Path) -> None:
    """In a whole evidence folder the check demands examples beside a rule; they are written too."""
    folder = Path(shutil.copytree(packaged_folder(), tmp_path / "evidence"))
    paths = begin(folder, "rule", "our-creatinine", "--fact", "weight < 40 kg")
    assert folder / "cases" / "safety" / "our-creatinine.yaml" in paths
    assert run("evidence", "check", folder)[0] == 0


@pytest.mark.parametrize(("arguments", "told"), [
    (("statement", "../x"), "is no id"),
    (("statement", "privigen-us.itp.rate"), "the id is taken"),
    (("indication", "kawasaki"), "the id is taken"),
    (("rule", "age-over-65", "--fact", "has.sepsis"), "the id is taken"),
    (("statement", "our.x", "--source", "nowhere"), "no source is called 'nowhere'"),
    (("statement", "our.x", "--percent", "10"), "says nothing about a statement"),
    (("rule", "our-x"), "--fact: not given"),
    (("rule", "our-x", "--fact", "has.nonsense"), "is not a registered fact"),
    (("rule", "our-x", "--fact", "age"), "compare it with a value"),
    (("rule", "our-x", "--fact", "age > 65 kg"), "compares a mass with age in year"),
    (("rule", "our-x", "--fact", "age >"), "is not a comparison"),
    (("rule", "our-x", "--fact", "age > 65 year", "--cites", "privigen-us.itp.rate"), "not supported"),
    (("rule", "our-x", "--fact", "has.sepsis", "--cites", "nobody.knows"), "no statement is called"),
    (("product", "our-x"), "--market: not given"),
    (("product", "our-x", "--maker", "M", "--market", "Mars", "--route", "oral", "--percent", "much"), "no place buys from 'Mars'"),
])
def test_what_cannot_be_begun_is_told(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    """Exit code 2, place and remedy, and no file."""
    ours = tmp_path / "ours"
    code, out, err = run("evidence", "new", *arguments, "--into", ours)
    assert (code, out) == (2, "")
    assert told in err
    assert "->" in err
    assert not ours.exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file of the same name stays as it is, and none of the others is written."""
    path = tmp_path / "ours" / "statements" / "our-x.dose.yaml"
    path.parent.mkdir(parents=True)
    mine = "- {id: our-x.other, source: ivigil-policy, says: Ours stands., read: decided}\n"
    path.write_text(mine)
    code, out, err = run("evidence", "new", "statement", "our-x.dose", "--into", tmp_path / "ours")
    assert (code, out) == (2, "")
    assert "nothing is overwritten" in err
    assert path.read_text() == mine
    assert [one for one in (tmp_path / "ours").rglob("*") if one.is_file()] == [path]


def test_a_folder_that_cannot_be_written_or_is_broken_is_told(tmp_path: Path) -> None:
    """A file in place of the folder, a folder below a file, an overlay that does not load."""
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file" in run("evidence", "new", "statement", "our.x", "--into", file)[2]
    code, _, err = run("evidence", "new", "statement", "our.x", "--into", file / "below")
    assert code == 2
    assert "name a folder you may write to" in err
    broken = tmp_path / "broken" / "statements"
    broken.mkdir(parents=True)
    (broken / "x.yaml").write_text("- id: x\n  says: no source\n")
    code, _, err = run("evidence", "new", "statement", "our.x", "--into", tmp_path / "broken")
    assert code == 2
    assert "'source' is missing" in err


def test_the_worked_examples_of_an_overlay_are_run(tmp_path: Path) -> None:
    """A dose example that does not come out is one row with its file and what came of it, and the check fails."""
    ours = tmp_path / "ours"
    case = ours / "cases" / "indications" / "gbs.yaml"
    case.parent.mkdir(parents=True)
    # 2 g/kg in all at 70 kg is 140 g.
    case.write_text("- {name: ours, weight: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {course_total: 14 g}}\n")
    code, out, err = run("evidence", "check", "--overlay", ours)
    assert (code, out) == (2, "")
    assert "cases/indications/gbs.yaml:1: ours: expected course_total 14 g, came to 140 g" in err
    case.write_text(case.read_text().replace("14 g", "140 g"))
    assert run("evidence", "check", "--overlay", ours)[0] == 0


def test_a_source_is_begun_by_itself(tmp_path: Path) -> None:
    """With its title where one is given; it loads, and statements can name it at once."""
    ours = tmp_path / "ours"
    path, = begin(ours, "source", "our-guide", "--name", "Our guide: first edition")
    assert path == ours / "sources" / "our-guide.yaml"
    assert 'title: "Our guide: first edition"' in path.read_text(encoding="utf-8")
    begin(ours, "statement", "our-guide.one", "--source", "our-guide")
    assert {one.name for one in (ours / "sources").iterdir()} == {"our-guide.yaml"}
    code, out, err = run("evidence", "new", "source", "our-guide", "--into", ours, "--market", "US")
    assert (code, out) == (2, "")
    assert "the id is taken" in err
    assert "says nothing about a source" in err
