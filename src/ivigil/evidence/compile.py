"""From YAML files to one evidence object, with every problem of every file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.evidence.conditions import Condition, parse_condition
from ivigil.evidence.files import EvidenceFile, content_hash, entries_of, kind_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import RiskGroup

Progress = Callable[[int, int, str], None]
"""Called with files done, files in all, and the file's name."""


def _condition(written: Any) -> Any:
    return msgspec.to_builtins(parse_condition(written))


SHAPER = Shaper({Condition: _condition})


class Entry(msgspec.Struct, frozen=True):
    """One entry with its place: what the checks need to name file and line."""

    part: str
    id: str
    file: str
    lines: Lines
    at: tuple[str | int, ...]
    plain: Any
    value: Any
    overlay: bool = False

    def line(self, *path: str | int) -> int:
        """The line of a key inside this entry, or of the nearest key above it."""
        full = (*self.at, *path)
        while full not in self.lines and len(full) > len(self.at):
            full = full[:-1]
        return self.lines.get(full, 0)


class Compiled(msgspec.Struct, frozen=True):
    """The outcome of reading: the evidence, all entries with their places, and what was wrong.

    ``unread`` are files that are no YAML and gave nothing, ``taken`` ids that two entries of one part carry.
    """

    evidence: Evidence
    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    unread: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()


def compile_evidence(
    files: list[EvidenceFile], overlay: list[EvidenceFile] | None = None, overlay_name: str = "", progress: Progress | None = None
) -> Compiled:
    """Read all files into one :class:`Evidence`. Problems do not stop the reading; a caller that must not half-load looks at ``problems``.

    An overlay adds entries, or replaces one by giving the same ``id`` with ``replaces: <id>`` and a ``reason``.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    content = [(file, False) for file in files if not file.name.startswith("cases/")]
    content += [(file, True) for file in overlay or [] if not file.name.startswith("cases/")]
    unread: set[str] = set()
    for done, (file, local) in enumerate(content):
        entries.extend(_read_file(file, local, problems, unread))
        if progress is not None:
            progress(done + 1, len(content), file.name)
    parts: dict[str, dict[str, Any]] = {}
    reasons: dict[str, str] = {}
    kept: dict[tuple[str, str], Entry] = {}
    taken: set[str] = set()
    for entry in entries:
        earlier = kept.get((entry.part, entry.id))
        if earlier is not None and not _may_replace(entry, earlier, problems):
            taken.add(entry.id)
            continue
        if entry.overlay:
            reasons[f"{entry.part} {entry.id}"] = ": ".join(
                filter(None, ("added" if earlier is None else "replaced", str(entry.plain.get("reason", "")))))
        kept[(entry.part, entry.id)] = entry
        if entry.value is not None:
            parts.setdefault(entry.part, {})[entry.id] = entry.value
    evidence = Evidence(version=content_hash(files, overlay or []), overlay=overlay_name, local=reasons, **parts)
    return Compiled(evidence, tuple(kept.values()), tuple(problems), frozenset(unread), frozenset(taken))


def entries_in(file: EvidenceFile, *, local: bool) -> list[Entry]:
    """The entries of one file alone, those that can be read."""
    return _read_file(file, local, [], set())


def _read_file(file: EvidenceFile, local: bool, problems: list[Problem], unread: set[str]) -> list[Entry]:
    kind = kind_of(file.name)
    if kind is None:
        problems.append(Problem(file.name, 0, "", "no part of the evidence lives here", "see docs/evidence-format.md for the folders"))
        return []
    part, shape = kind
    try:
        document, lines = read_yaml(file.text, file.name)
    except BadInput as error:
        problems.extend(error.problems)
        unread.add(file.name)
        return []
    if document is None:
        problems.append(Problem(file.name, 0, "", "the file is empty", "write an entry, or take the file away"))
    found: list[Entry] = []
    for at, plain in entries_of(document):
        if not isinstance(plain, dict) or not isinstance(plain.get("id"), str):
            problems.append(Problem(file.name, lines.get(at, 0), "", "an entry needs an id", "add 'id: ...' as its first key"))
            continue
        content = {key: value for key, value in plain.items() if not (local and key in {"replaces", "reason"})}
        entry_part, entry_shape = ("groups", RiskGroup) if part == "rules" and plain.get("group") is True else (part, shape)
        wrong: list[Problem] = []
        value = SHAPER.read(content, entry_shape, file.name, lines, at, wrong)
        problems.extend(msgspec.structs.replace(problem, what=_named(plain["id"], problem.what)) for problem in wrong)
        found.append(Entry(entry_part, plain["id"], file.name, lines, at, plain, value, local))
    return found


def _named(entry_id: str, path: str) -> str:
    """``privigen-us: rates[0].start`` in place of a bare path, so that a row says which entry of a file it means."""
    inside = re.sub(r"^\[\d+\]\.?", "", path)
    return f"{entry_id}: {inside}" if inside else entry_id


def _may_replace(entry: Entry, earlier: Entry, problems: list[Problem]) -> bool:
    if entry.overlay and not earlier.overlay:
        if entry.plain.get("replaces") == entry.id and entry.plain.get("reason"):
            return True
        problems.append(Problem(entry.file, entry.line(), entry.id, f"replaces an entry of {earlier.file} without saying so",
                                f"add 'replaces: {entry.id}' and 'reason: ...', or choose another id"))
        return False
    problems.append(Problem(entry.file, entry.line("id"), entry.id, f"the id is taken by {earlier.file}:{earlier.line('id')}", "choose another id"))
    return False
