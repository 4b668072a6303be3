"""``ivigil schema`` from the outside: one part, and the files for an editor."""

from __future__ import annotations

import json
from fnmatch import fnmatch
from pathlib import Path

import jsonschema
from tests.cli.test_plan_command import run

from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.files import KINDS, packaged_folder, read_folder


def test_one_part() -> None:
    """A hyphen will do; the schema stands by itself."""
    code, out, _ = run("schema", "evidence", "--part", "weight-policies")
    assert code == 0
    jsonschema.Draft7Validator.check_schema(json.loads(out))
    assert "PolicyFormula" in out


def test_what_there_is_not_is_told() -> None:
    """An unknown part with a suggestion; options that do not fit together."""
    code, out, err = run("schema", "evidence", "--part", "indication")
    assert (code, out) == (2, "")
    assert "did you mean indications" in err
    assert run("schema", "plan", "--part", "indications")[0] == 2
    assert run("schema", "evidence", "--part", "indications", "--into", "x")[0] == 2


def test_the_files_for_an_editor(tmp_path: Path) -> None:
    """One schema per part, written again without complaint; every packaged file fits every schema that the mapping gives it."""
    folder = tmp_path / "schemas"
    for _ in range(2):
        code, out, err = run("schema", "evidence", "--into", folder, "--for", "our/evidence")
        assert (code, err) == (0, "")
    assert "settings.json" in out
    written: dict[str, str | list[str]] = json.loads((folder / "settings.json").read_text())["yaml.schemas"]
    mapping = [(schema, glob) for schema, globs in written.items() for glob in ([globs] if isinstance(globs, str) else globs)]
    assert len(mapping) == len(KINDS)
    assert not any(fnmatch("our/evidence/cases/indications/gbs.yaml", glob) and glob.count("/") == len(Path("our/evidence/cases/x").parts) - 1
                   for _, glob in mapping)
    validators = {glob: jsonschema.Draft7Validator(json.loads(Path(schema).read_text())) for schema, glob in mapping}
    for file in read_folder(packaged_folder()):
        if file.name in {"facts.yaml", "weight-policies/formulas.yaml", "weight-policies/policies.yaml", "safety/risk-groups.yaml"}:
            document, _ = read_yaml(file.text, file.name)
            fitting = [validator for glob, validator in validators.items() if fnmatch(f"our/evidence/{file.name}", glob)]
            assert fitting
            for validator in fitting:
                assert validator.is_valid(document), file.name


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Exit code 2 and a remedy."""
    (tmp_path / "file").write_text("")
    code, out, err = run("schema", "evidence", "--into", tmp_path / "file")
    assert (code, out) == (2, "")
    assert "name a folder you may write to" in err


def test_a_folder_names_its_part() -> None:
    """Rules live in 'safety', weight policies in a folder with formulas: the folder is understood where it holds one part, and asked about where not."""
    assert run("schema", "evidence", "--part", "safety")[1] == run("schema", "evidence", "--part", "rules")[1]
    code, out, err = run("schema", "evidence", "--part", "vaccination")
    assert (code, out) == (2, "")
    assert "choose one of antibody_intervals, vaccines" in err
