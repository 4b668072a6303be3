"""Bulk Data exports: the files beside a manifest, all of them and whole, and nothing else."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput
from ivigil.patient.bulk_manifest import manifest_of
from ivigil.patient.read import read_record

Register = dict[str, FactDefinition]
PEOPLE = [{"resourceType": "Patient", "id": name, "birthDate": "1970-01-01"} for name in ("a", "b")]


def exported(folder: Path, count: int = 2, **changes: Any) -> Path:
    """A manifest and the one file it names, packed."""
    (folder / "1.Patient.ndjson.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, PEOPLE)).encode()))
    manifest = {"transactionTime": "2026-11-20T21:21:08Z", "request": "https://fhir.example/$export", "requiresAccessToken": True, "deleted": [],
                "output": [{"type": "Patient", "url": "https://fhir.example/x/1.Patient.ndjson", "count": count}], "error": []} | changes
    path = folder / "manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return path


def test_the_files_beside_a_manifest_are_read(register: Register, tmp_path: Path) -> None:
    """By the manifest, and as a folder in which the manifest lies."""
    path = exported(tmp_path)
    assert [record.id for record in read_record(path, register)] == ["a", "b"]
    assert [record.id for record in read_record(tmp_path, register)] == ["a", "b"]


@pytest.mark.parametrize(("changes", "said"), [
    ({"output": [{"type": "Patient", "url": "https://fhir.example/2.Patient.ndjson"}]}, "does not lie beside"),
    ({"output": [{"type": "Patient", "url": "file:///../../../etc/passwd"}]}, "does not lie beside"),
    ({"output": [{"type": "Patient", "url": "https://fhir.example/%2e%2e"}]}, "does not lie beside"),
    ({"output": []}, "no files"), ({"deleted": [{"type": "Bundle", "url": "x"}]}, "takes back"), ({"count": 3}, "2 resources, where the manifest says 3"),
])
def test_an_export_that_is_not_whole_is_refused(register: Register, tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """A missing or cut file would make problems and medicines look absent; an address never leads out of the folder."""
    with pytest.raises(BadInput) as caught:
        read_record(exported(tmp_path, **changes), register)
    assert any(said in problem.why for problem in caught.value.problems)


def test_a_captured_manifest_is_known(samples: Path) -> None:
    """The manifest that the SMART reference server writes."""
    manifest = manifest_of(json.loads((samples / "bulk-export" / "manifest.json").read_text(encoding="utf-8")))
    assert manifest is not None
    assert {(listed.name, listed.count) for listed in manifest.files} >= {("2.AllergyIntolerance.ndjson", 38), ("4.Condition.ndjson", 639)}
    assert manifest_of({"resourceType": "Bundle"}) is None
