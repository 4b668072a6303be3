"""The completion manifest of a FHIR Bulk Data export: which files belong to it. Files are read beside the manifest; nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from ivigil.basis.problems import Problem
from ivigil.patient.fhir_values import as_maps, as_text


class Listed(msgspec.Struct, frozen=True):
    """One file of an export: its name, the type of its resources and how many there are, where the manifest says so."""

    name: str
    kind: str
    count: int | None = None


class Manifest(msgspec.Struct, frozen=True):
    """What a manifest names, and whether it takes resources of an earlier export back."""

    files: tuple[Listed, ...]
    deletes: bool = False


def manifest_of(value: Any) -> Manifest | None:
    """The manifest in a JSON document; None when the document is something else."""
    if not isinstance(value, dict) or "resourceType" in value or "transactionTime" not in value or not isinstance(value.get("output"), list):
        return None
    files = []
    for one in as_maps(value["output"]):
        count = one.get("count")
        name = unquote(urlsplit(as_text(one.get("url"))).path).rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
        files.append(Listed(name, as_text(one.get("type")), count if isinstance(count, int) and not isinstance(count, bool) else None))
    return Manifest(tuple(files), bool(value.get("deleted")))


def found_beside(manifest: Manifest, path: Path) -> tuple[list[tuple[Listed, Path]], list[Problem]]:
    """The files that lie beside a manifest, packed or not, and a problem for each that does not."""
    present: list[tuple[Listed, Path]] = []
    problems: list[Problem] = []
    if manifest.deletes:
        problems.append(Problem(path.name, 0, "deleted", "the export takes back resources of an earlier one", "give a full export"))
    if not manifest.files:
        problems.append(Problem(path.name, 0, "output", "the export holds no files", "ask the server for the types that docs/patient-record.md lists"))
    for listed in manifest.files:
        here = [path.parent / name for name in (listed.name, f"{listed.name}.gz") if listed.name not in {"", ".", ".."}]
        file = next((one for one in here if one.is_file()), None)
        if file is None:
            problems.append(Problem(path.name, 0, listed.name or listed.kind, "the file does not lie beside the manifest",
                                    "download every file of the export into the folder of the manifest; ivigil fetches nothing"))
        else:
            present.append((listed, file))
    return present, problems


def too_few(listed: Listed, read: int, path: Path) -> Problem | None:
    """A problem when a file holds fewer resources than its manifest says: the download broke off."""
    if listed.count is None or read >= listed.count:
        return None
    return Problem(path.name, 0, "", f"{read} resources, where the manifest says {listed.count}", "download the file again")
