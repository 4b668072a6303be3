"""Loads the evidence: from the compiled bundle when its content hash fits, else from YAML, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import msgspec

from ivigil import __version__
from ivigil.basis.conversion import msgpack_decoder
from ivigil.basis.problems import BadInput
from ivigil.evidence.compile import Progress, compile_evidence
from ivigil.evidence.files import content_hash, overlay_name, packaged_folder, read_folder
from ivigil.evidence.library import Evidence


def load_evidence(folder: Path | None = None, overlay: Path | None = None, progress: Progress | None = None) -> Evidence:
    """The evidence of ``folder`` (the packaged one by default) with a hospital's ``overlay`` on top.

    Raises:
        BadInput: any file has a problem; every problem is listed and nothing is loaded.
    """
    files = read_folder(folder or packaged_folder())
    local = read_folder(overlay) if overlay is not None else None
    version = content_hash(files, local or [])
    bundle = _bundle_path(version)
    evidence = _read_bundle(bundle, version)
    if evidence is not None:
        return evidence if evidence.overlay == overlay_name(overlay) else msgspec.structs.replace(evidence, overlay=overlay_name(overlay))
    from ivigil.evidence.references import problems_of

    compiled = compile_evidence(files, local, overlay_name(overlay), progress)
    problems = problems_of(compiled)
    if problems:
        raise BadInput(problems)
    remember(compiled.evidence)
    return compiled.evidence


def remember(evidence: Evidence) -> None:
    """Keep compiled evidence for the next program run that finds the same files."""
    _write_bundle(_bundle_path(evidence.version), evidence)


@lru_cache(maxsize=1)
def _decoder() -> msgspec.msgpack.Decoder[Evidence]:
    return msgpack_decoder(Evidence)


@lru_cache(maxsize=1)
def _program() -> str:
    """Changes whenever the shapes may have changed, so that a bundle of another build is never decoded."""
    here = Path(__file__).resolve().parent
    own = ("shapes.py", "care.py", "knowledge.py", "kinetics.py", "questions.py", "library.py", "compile.py", "conditions.py")
    sources = [*(here / name for name in own), here.parent / "basis" / "facts.py", here.parent / "basis" / "quantity.py"]
    stamp = "-".join(str(path.stat().st_mtime_ns) for path in sources)
    return hashlib.sha256(f"{__version__}-{msgspec.__version__}-{stamp}".encode()).hexdigest()[:8]


def _bundle_path(version: str) -> Path:
    base = os.environ.get("IVIGIL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "ivigil")
    return Path(base) / f"evidence-{version}-{_program()}.msgpack"


def _read_bundle(path: Path, version: str) -> Evidence | None:
    try:
        evidence = _decoder().decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None
    return evidence if evidence.version == version else None


def _write_bundle(path: Path, evidence: Evidence) -> None:
    """Written whole under another name first, so that a killed process leaves no half bundle; a read-only disk is not an error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as handle:
            handle.write(msgspec.msgpack.encode(evidence))
        os.replace(handle.name, path)
    except OSError:
        return
