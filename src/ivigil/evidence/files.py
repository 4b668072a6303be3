"""The evidence folder on disk: which files hold what, and their content hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import msgspec

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence import shapes
from ivigil.evidence.care import CARE_KINDS
from ivigil.evidence.kinetics import KINETICS_KINDS
from ivigil.evidence.knowledge import KNOWLEDGE_KINDS
from ivigil.evidence.questions import QUESTION_KINDS

PACKAGED = "_evidence"

KINDS: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("facts.yaml", "facts", FactDefinition),
    ("jurisdictions.yaml", "jurisdictions", shapes.Jurisdiction),
    ("sources/*.yaml", "sources", shapes.Source),
    ("statements/*.yaml", "statements", shapes.Statement),
    ("indications/*.yaml", "indications", shapes.Indication),
    ("products/*.yaml", "products", shapes.Product),
    ("safety/*.yaml", "rules", shapes.SafetyRule),
    ("interactions/*.yaml", "interactions", shapes.SafetyRule),
    ("interference/*.yaml", "interference", shapes.Interference),
    ("weight-policies/formulas.yaml", "formulas", shapes.HeightFormula),
    ("weight-policies/*.yaml", "weight_policies", shapes.WeightPolicy),
    ("rounding/*.yaml", "rounding", shapes.Rounding),
    ("dose-limits/*.yaml", "dose_limits", shapes.DoseLimit),
    ("plausibility/*.yaml", "plausibility", shapes.Plausible),
    ("ramps/*.yaml", "ramps", shapes.Ramp),
    ("infusion-policy/*.yaml", "infusion_policies", shapes.InfusionPolicy),
    ("prices/*.yaml", "prices", shapes.Price),
    *CARE_KINDS,
    *KNOWLEDGE_KINDS,
    *KINETICS_KINDS,
    *QUESTION_KINDS,
)
"""Which file pattern fills which part of the evidence, first match wins."""


class EvidenceFile(msgspec.Struct, frozen=True):
    """One file: its path inside the folder and its text."""

    name: str
    text: str


def packaged_folder() -> Path:
    """The evidence that comes with ivigil: inside the installed package, or the repository's own folder in a source checkout.

    Raises:
        BadInput: neither is there.
    """
    inside = Path(__file__).resolve().parent.parent / PACKAGED
    checkout = Path(__file__).resolve().parents[3] / "evidence"
    for folder in (inside, checkout):
        if (folder / "facts.yaml").is_file():
            return folder
    raise BadInput([Problem(str(inside), 0, "", "the evidence files are missing", "reinstall ivigil, or name a folder with --evidence")])


def read_folder(folder: Path) -> list[EvidenceFile]:
    """Every YAML file below ``folder`` in a fixed order.

    Raises:
        BadInput: the folder is missing, or a file is not UTF-8; all such files are named.
    """
    if not folder.is_dir():
        raise BadInput([Problem(str(folder), 0, "", "no such folder", "name a folder that holds evidence files")])
    files, problems = [], []
    inner = folder / "evidence"
    if inner.is_dir() and not any(kind_of(path.relative_to(folder).as_posix()) for path in folder.rglob("*.yaml")) and next(inner.rglob("*.yaml"), None):
        raise BadInput([Problem(str(folder), 0, "", "holds no evidence itself; its folder 'evidence' does", f"name {inner.as_posix()}")])
    problems += [Problem(path.relative_to(folder).as_posix(), 0, "", "is not read: files of the evidence end in .yaml", f"call it {path.stem}.yaml")
                 for path in sorted(folder.rglob("*.yml"))]
    for path in sorted(folder.rglob("*.yaml")):
        name = path.relative_to(folder).as_posix()
        try:
            files.append(EvidenceFile(name, path.read_bytes().decode("utf-8")))
        except UnicodeDecodeError:
            problems.append(Problem(name, 0, "", "the file is not UTF-8 text", "save it as UTF-8"))
    if problems:
        raise BadInput(problems)
    return files


def overlay_name(folder: Path | None) -> str:
    """What plans call an overlay: its folder, or the folder above one that is only called ``evidence``."""
    if folder is None:
        return ""
    whole = folder.resolve()
    return whole.parent.name if whole.name == "evidence" and whole.parent.name else whole.name


def content_hash(*folders: list[EvidenceFile]) -> str:
    """A hash of all file names and texts, the same on every machine; cases are examples, not content, and do not count."""
    digest = hashlib.sha256()
    for files in folders:
        for file in files:
            if not file.name.startswith("cases/"):
                digest.update(file.name.encode())
                digest.update(b"\0")
                digest.update(file.text.encode())
                digest.update(b"\0")
        digest.update(b"\1")
    return digest.hexdigest()[:16]


def kind_of(name: str) -> tuple[str, type[msgspec.Struct]] | None:
    """The part of the evidence a file belongs to and the shape of its entries, or None when no pattern fits."""
    for pattern, part, shape in KINDS:
        if fnmatch(name, pattern) and name.count("/") == pattern.count("/"):
            return part, shape
    return None


def entries_of(document: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The entries of a parsed file with their paths: one mapping, or a list of mappings."""
    if isinstance(document, list):
        yield from (((index,), entry) for index, entry in enumerate(document))
    elif document is not None:
        yield (), document
