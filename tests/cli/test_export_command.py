"""``ivigil evidence export`` from the outside: three formats, the same bytes every time, and clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_plan_command import run

from ivigil.evidence.load import load_evidence


@pytest.mark.parametrize("form", ["json", "fhir"])
def test_one_file_with_the_version(form: str, tmp_path: Path) -> None:
    """Twice the same bytes; the version of the evidence stands in it."""
    out = tmp_path / "evidence.json"
    texts = []
    for _ in range(2):
        code, printed, err = run("evidence", "export", "--format", form, "--out", out)
        assert (code, printed) == (0, "")
        texts.append(out.read_bytes())
    assert texts[0] == texts[1]
    assert load_evidence().version in err
    assert load_evidence().version.encode() in texts[0]
    json.loads(texts[0])


def test_tables(tmp_path: Path) -> None:
    """One table per part; an export over an older one replaces it."""
    for _ in range(2):
        code, printed, err = run("evidence", "export", "--format", "csv", "--out", tmp_path / "tables")
        assert (code, printed) == (0, "")
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    assert {"statements.csv", "regimens.csv", "standing.csv", "products.csv", "rates.csv", "rules.csv", "sources.csv"} <= names
    assert f"{len(names)} tables" in err


def test_an_overlay_is_exported_with_it(tmp_path: Path) -> None:
    """What a hospital added is in the export and named as local."""
    run("evidence", "new", "indication", "our-x", "--into", tmp_path / "ours")
    assert run("evidence", "export", "-f", "json", "-o", tmp_path / "e.json", "--overlay", tmp_path / "ours")[0] == 0
    document = json.loads((tmp_path / "e.json").read_text())
    assert document["overlay"] == "ours"
    assert document["local"]["indications our-x"] == "added"
    assert document["parts"]["indications"]["our-x"]["purpose"] == "none"


def test_what_cannot_be_exported_is_told(tmp_path: Path) -> None:
    """A folder that cannot be written, a file in a missing folder, evidence that does not load."""
    file = tmp_path / "file"
    file.write_text("")
    broken = tmp_path / "broken" / "statements"
    broken.mkdir(parents=True)
    (broken / "x.yaml").write_text("- id: x\n")
    for arguments in (
        ("csv", "-o", file),
        ("json", "-o", tmp_path / "nowhere" / "e.json"),
        ("fhir", "-o", tmp_path / "e.json", "--overlay", tmp_path / "broken"),
    ):
        code, printed, err = run("evidence", "export", "-f", *arguments)
        assert (code, printed) == (2, ""), arguments
        assert "->" in err
    assert not (tmp_path / "e.json").exists()
