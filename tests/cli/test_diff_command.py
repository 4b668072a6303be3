"""``ivigil evidence diff`` from the outside: entries, plans, three formats, and folders that cannot be compared."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from tests.cli.test_plan_command import RECORD, run

from ivigil.evidence.files import packaged_folder

ROOT = Path(__file__).resolve().parents[2]
WHEN = ("--as-of", "2026-11-20")


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged evidence before a made-up change: Kawasaki disease had a smaller dose, one rule was milder, another product was sold."""
    folder = Path(shutil.copytree(packaged_folder(), tmp_path_factory.mktemp("old") / "evidence"))

    def edit(name: str, *pairs: tuple[str, str]) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        for now, then in pairs:
            assert now in text
            text = text.replace(now, then)
        path.write_text(text, encoding="utf-8")

    edit("indications/kawasaki.yaml", ("course_total: 2 g/kg, over_days: 1}", "course_total: 1 g/kg, over_days: 1}"))
    for path in (folder / "statements").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if "- id: kawasaki." in text:
            path.write_text(text.replace("2 g/kg", "1 g/kg").replace("2 grams for each", "1 gram for each"), encoding="utf-8")
    edit("safety/age.yaml", ("The patient is over 65 years.", "The patient is old."))
    (folder / "products" / "yimmugo-eu.yaml").unlink()
    return folder


def test_entries_part_by_part(old: Path) -> None:
    """Statements first, then rules, regimens by their ids, products; old and new values side by side."""
    code, out, err = run("evidence", "diff", old)
    assert (code, err) == (0, "")
    assert "-> packaged evidence" in out.splitlines()[0]
    heads = [line for line in out.splitlines() if line.isupper()]
    assert heads == ["STATEMENTS", "RULES", "INDICATIONS", "PRODUCTS"]
    text = " ".join(out.split())
    assert "regimens[kawasaki.aha-2017].dose.course_total: 1 g/kg -> 2 g/kg" in text
    assert "say: The patient is old. Do not exceed" in text
    assert "+ yimmugo-eu: Yimmugo" in text


def test_the_plans_that_change(old: Path, tmp_path: Path) -> None:
    """Only plans that read otherwise are shown; the same day on both sides; records that cannot be planned are listed."""
    patients = tmp_path / "patients"
    patients.mkdir()
    for name in ("kawasaki-infant-us.yaml", "itp-child-uk.yaml"):
        shutil.copy(ROOT / "patients" / name, patients)
    (patients / "broken.yaml").write_text("id: broken\nhieght: 165 cm\n")
    code, out, _ = run("evidence", "diff", old, "-", "--patients", patients, *WHEN, "--jurisdiction", "US")
    assert code == 0
    text = " ".join(out.partition("PLANS AS OF 2026-11-20")[2].split())
    assert text.startswith("1 of 2 plans change, 0 of them in status; 1 read the same. 2 could not be planned.")
    assert "kawasaki-infant-us.yaml in US" in text
    assert "~ dose.regimen: choose: 1 g/kg as a single dose." in text
    assert "itp-child-uk.yaml in" not in text
    assert "not planned: broken.yaml with the old evidence: hieght: unknown key" in text


def test_every_jurisdiction_and_a_change_of_status(tmp_path: Path) -> None:
    """Without a jurisdiction all are planned; plans that end differently come first."""
    bare = Path(shutil.copytree(packaged_folder(), tmp_path / "evidence"))
    path = bare / "indications" / "kawasaki.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("\nregimens:")
    path.write_text(text[:start] + "\nreview:" + text[start:].partition("\nreview:")[2], encoding="utf-8")
    patients = tmp_path / "patients"
    patients.mkdir()
    shutil.copy(ROOT / "patients" / "gbs-autonomic-uk.yaml", patients)
    (patients / "kawasaki.yaml").write_text(RECORD.replace("immune thrombocytopenia", "Kawasaki disease").replace("itp-adult", "kawasaki"))
    code, out, err = run("evidence", "diff", bare, "--patients", patients, *WHEN)
    assert (code, err) == (0, "")
    plans = out.partition("PLANS AS OF")[2]
    assert "of 16 plans change" in plans
    heads = [line for line in plans.splitlines() if line.startswith(("  kawasaki", "  gbs"))]
    assert "no-evidence -> " in heads[0]
    changed = ["->" in head for head in heads]
    assert changed == sorted(changed, reverse=True)


def test_json_and_markdown(old: Path) -> None:
    """A script gets everything; Markdown escapes what could be markup."""
    options = ("--patients", ROOT / "patients" / "kawasaki-infant-us.yaml", *WHEN, "-j", "US")
    document = json.loads(run("evidence", "diff", old, *options, "--format", "json")[1])
    assert document["schema"] == "ivigil.evidence-diff/1"
    assert document["old"]["version"] != document["new"]["version"]
    rules, = [part for part in document["parts"] if part["part"] == "rules"]
    change, = rules["changed"][0]["changes"]
    assert (change["key"], change["old"][:19]) == ("say", "The patient is old.")
    assert document["plans"]["changed"][0]["record"] == "kawasaki-infant-us.yaml"
    markdown = run("evidence", "diff", old, *options, "--format", "markdown")[1]
    assert markdown.startswith("# Evidence compared\n")
    assert "regimens\\[kawasaki.aha-2017\\].dose.course\\_total: 1 g/kg -\\> 2 g/kg" in markdown


def test_nothing_differs() -> None:
    """The packaged evidence against itself."""
    code, out, _ = run("evidence", "diff", "-")
    assert code == 0
    assert out.splitlines()[1] == "No entry differs."


def test_an_old_folder_that_no_longer_loads_is_still_compared(tmp_path: Path) -> None:
    """Entries compare as written; plans need a folder that loads, and the message says which one does not."""
    folder = Path(shutil.copytree(packaged_folder(), tmp_path / "evidence"))
    path = folder / "safety" / "age.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("severity: caution", "danger: caution"), encoding="utf-8")
    code, out, _ = run("evidence", "diff", folder)
    assert code == 0
    assert "danger: caution -> nothing" in out
    code, out, err = run("evidence", "diff", folder, "--patients", ROOT / "patients", *WHEN)
    assert (code, out) == (2, "")
    assert f"{folder}: does not load with this version of ivigil" in err


def test_what_cannot_be_compared_is_told(old: Path, tmp_path: Path) -> None:
    """Missing and empty folders, broken YAML, unknown places and days: exit code 2, cause and remedy."""
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken" / "statements"
    broken.mkdir(parents=True)
    (broken / "x.yaml").write_text("- id: [\n")
    record = tmp_path / "record.yaml"
    record.write_text(RECORD)
    for arguments, told in (
        ((tmp_path / "nowhere", empty), "no such folder"),
        ((empty,), "no evidence file in it"),
        ((tmp_path / "broken",), "x.yaml"),
        ((old, "--patients", empty, *WHEN), "no patient record here"),
        ((old, "--patients", record, *WHEN, "-j", "Atlantis"), "'Atlantis' is not known to both"),
        ((old, "--patients", record, "--as-of", "soon"), "is not a date"),
    ):
        code, out, err = run("evidence", "diff", *arguments)
        assert (code, out) == (2, ""), arguments
        assert told in err


def test_what_an_overlay_changes() -> None:
    """The packaged evidence without and with a hospital's own: replaced entries as changes with their reason, added ones as added, nothing removed."""
    ours = ROOT / "examples" / "our-hospital" / "evidence"
    code, out, err = run("evidence", "diff", "--overlay", ours)
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"packaged evidence \([0-9a-f]+\) -> packaged evidence under {re.escape(str(ours))} \([0-9a-f]+\)", out.splitlines()[0])
    text = " ".join(out.split())
    assert "~ naive-patient" in text
    assert "then[observe].for: 60 min -> 90 min" in text
    assert "reason: nothing -> After two late reactions" in text
    assert "+ advice.our-hospital-stay" in text
    assert not any(line.startswith("  - ") for line in out.splitlines())


def test_the_plans_that_an_overlay_changes() -> None:
    """A record planned without and with the overlay; a folder that is none is refused by name."""
    ours = ROOT / "examples" / "our-hospital" / "evidence"
    record = ROOT / "patients" / "kawasaki-infant-us.yaml"
    code, out, _ = run("evidence", "diff", "--overlay", ours, "--patients", record, "-j", "US", *WHEN)
    assert code == 0
    assert "1 of 1 plans change" in " ".join(out.split())
    code, out, err = run("evidence", "diff", "--overlay", ROOT / "nowhere")
    assert (code, out) == (2, "")
    assert "no such folder" in err
