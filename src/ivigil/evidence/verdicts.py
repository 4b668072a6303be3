"""Writes a verdict into the file of its statement, changing nothing else in the file, and takes it into the evidence in use."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.compile import entries_in
from ivigil.evidence.files import EvidenceFile, content_hash, entries_of, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import remember
from ivigil.evidence.shapes import Verdict

_KEY = re.compile(r"^(?P<indent> *)(?P<key>[a-z_]+):")


def record_verdict(folders: list[Path], statement: str, verdict: Verdict) -> Path:
    """Add a verdict to a statement, in the last of ``folders`` that holds it, and give the file that was written.

    The file is written whole under another name first, so a full disk or a killed process leaves it as it was.

    Raises:
        BadInput: no file holds the statement, or its file cannot be written.
    """
    for folder in reversed(folders):
        for path in sorted((folder / "statements").glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if statement in text:
                changed = with_verdict(text, path.name, statement, verdict)
                if changed is not None:
                    _replace(path, changed)
                    return path
    raise BadInput([Problem("statements", 0, statement, "no file holds this statement", "look it up with 'ivigil evidence search'")])


def judged(evidence: Evidence, folder: Path, overlay: Path | None, statement: str, verdict: Verdict) -> tuple[Path, Evidence | None]:
    """Write a verdict, and give the file that was written with the evidence in force after it: what :func:`load_evidence` gives, without compiling
    every other file anew. None in its place when the folders hold something else than ``evidence`` was made from.

    Raises:
        BadInput: see :func:`record_verdict`.
    """
    before, _ = _read(folder, overlay)
    path = record_verdict([folder, *([overlay] if overlay is not None else [])], statement, verdict)
    after, files = _read(folder, overlay)
    changed = files[path]
    entries = {entry.id: entry.value for entry in entries_in(changed, local=overlay is not None and path == overlay / changed.name)}
    if before != evidence.version or statement not in evidence.statements:
        return path, None
    made = msgspec.structs.replace(evidence, statements={**evidence.statements, statement: entries[statement]}, version=after)
    remember(made)
    return path, made


def _read(folder: Path, overlay: Path | None) -> tuple[str, dict[Path, EvidenceFile]]:
    """The version of what the folders hold, and their files by path."""
    files, local = read_folder(folder), read_folder(overlay) if overlay is not None else []
    found = {folder / file.name: file for file in files}
    if overlay is not None:
        found |= {overlay / file.name: file for file in local}
    return content_hash(files, local), found


def with_verdict(text: str, place: str, statement: str, verdict: Verdict) -> str | None:
    """The text of a statements file with one verdict more, or None when the statement is not in it."""
    document, lines = read_yaml(text, place)
    found = next(((at, plain) for at, plain in entries_of(document) if isinstance(plain, dict) and plain.get("id") == statement), None)
    if found is None:
        return None
    at, plain = found
    written = text.split("\n")
    first = lines[(*at, "id")] - 1
    indent = re.sub(r"[^ ]", " ", written[first][: written[first].index("id:")])
    end = next((number for number in range(first + 1, len(written)) if written[number].strip() and not written[number].startswith(indent or "\0")
                and not (not indent and _KEY.match(written[number]))), len(written))
    body = _without_reviews(written[first:end], indent)
    while len(body) > 1 and not body[-1].strip():
        body.pop()
    given = [*(plain.get("reviews") or []), {key: getattr(verdict, key) for key in ("status", "by", "date", "reason", "due", "of") if getattr(verdict, key)}]
    block = [f"{indent}reviews:", *(f"{indent}  - {_flow(item)}" for item in given)]
    changed = "\n".join([*written[:first], *body, *block, *written[end:]])
    if end == len(written):
        changed = changed.rstrip("\n") + "\n"
    _proved(document, changed, place, at, given)
    return changed


def _without_reviews(body: list[str], indent: str) -> list[str]:
    out, inside = [], False
    for line in body:
        match = _KEY.match(line)
        if match is not None and match["indent"] == indent:
            inside = match["key"] == "reviews"
        if not inside:
            out.append(line)
    return out


def _flow(item: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {json.dumps(str(value), ensure_ascii=False)}" for key, value in item.items()) + "}"


def _proved(document: Any, changed: str, place: str, at: tuple[str | int, ...], given: list[dict[str, Any]]) -> None:
    """The new text reads as the old document with the new verdict and nothing else; anything else is a fault of this module."""
    after, _ = read_yaml(changed, place)
    entry = after[at[0]] if at else after
    expected = {**(document[at[0]] if at else document), "reviews": given}
    others_kept = not at or [one for number, one in enumerate(after) if number != at[0]] == [one for number, one in enumerate(document) if number != at[0]]
    if entry != expected or not others_kept:
        raise BadInput([Problem(place, 0, str(expected.get("id", "")), "the verdict cannot be written into this layout", "write it by hand under 'reviews:'")])


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        os.chmod(beside, path.stat().st_mode & 0o777)
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise BadInput([Problem(str(path), 0, "", error.strerror or "cannot be written",
                                "record verdicts in a folder of your own, with --evidence or --overlay")]) from None
