"""What differs between two evidence folders, entry by entry, as the files write it. Neither needs to load with this version of the program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.files import KINDS, EvidenceFile, content_hash, entries_of, kind_of

PARTS = tuple(dict.fromkeys(["statements", "rules", "groups", "interactions", "indications", "products", *(part for _, part, _ in KINDS)]))
"""The order in which parts are shown: statements first, then what decides about doses and risks."""

_KEYS: tuple[tuple[str, ...], ...] = (
    ("id",), ("authority", "jurisdiction"), ("authority", "jurisdiction", "edition"), ("for", "infusion", "who", "percent"), ("payer", "per"), ("drug",),
    ("every",), ("infusion",), ("act", "test", "at", "say"), ("kind", "say"), ("status", "by", "date"), ("say",),
)
"""By what the items of a list are known when they have no id, tried in this order: standings, rates, offers, acts ..."""
_ABOUT = ("says", "name", "about", "title", "brand", "say", "label", "claim", "term", "question", "topic")


class Change(msgspec.Struct, frozen=True):
    """One key of an entry: its value before and after as text; None where it is absent. ``regimens[gbs.x].dose.days`` is a key inside."""

    key: str
    old: str | None = None
    new: str | None = None


class EntryChange(msgspec.Struct, frozen=True):
    """An entry that was added, removed or changed; ``about`` is its name or sentence, ``changes`` is empty unless it changed."""

    part: str
    id: str
    kind: Literal["added", "removed", "changed"]
    about: str
    changes: tuple[Change, ...] = ()


class EvidenceDifference(msgspec.Struct, frozen=True):
    """All entries that differ, part by part in the order of :data:`PARTS`, then in file order."""

    old_version: str
    new_version: str
    entries: tuple[EntryChange, ...] = ()

    def of(self, part: str, kind: str) -> list[EntryChange]:
        """The entries of one part that were ``added``, ``removed`` or ``changed``."""
        return [entry for entry in self.entries if entry.part == part and entry.kind == kind]


def difference(old: Sequence[EvidenceFile], new: Sequence[EvidenceFile], overlay: Sequence[EvidenceFile] = ()) -> EvidenceDifference:
    """Compare the entries of two folders, the second with an ``overlay`` on top. Examples under ``cases/`` are no content and are left out.

    Raises:
        BadInput: a file cannot be read, lies where no evidence belongs, or holds an entry without an id; all of them are listed.
    """
    texts = {file.name: file.text for file in old}
    # Under an overlay an entry of a file that is the same on both sides may be replaced, so every file is read.
    same = {file.name for file in new if texts.get(file.name) == file.text} if not overlay else set[str]()
    problems: list[Problem] = []
    before, after = (_entries(files, same, problems) for files in (old, new))
    for part, entries in _entries(overlay, set(), problems).items():
        after[part] = {**after.get(part, {}), **{name: {key: value for key, value in entry.items() if key != "replaces"} for name, entry in entries.items()}}
    if problems:
        raise BadInput(problems)
    found: list[EntryChange] = []
    for part in PARTS:
        were, are = before.get(part, {}), after.get(part, {})
        found.extend(EntryChange(part, name, "added", _about(are[name])) for name in are if name not in were)
        found.extend(EntryChange(part, name, "removed", _about(were[name])) for name in were if name not in are)
        for name in are:
            changes = tuple(_changes(were[name], are[name], "")) if name in were else ()
            if changes:
                found.append(EntryChange(part, name, "changed", _about(are[name]), changes))
    return EvidenceDifference(content_hash(list(old), []), content_hash(list(new), list(overlay)), tuple(found))


def _entries(files: Sequence[EvidenceFile], same: set[str], problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Entries as written, by part and id; files that are the same on both sides cannot differ and are not read."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        if file.name in same or file.name.startswith("cases/"):
            continue
        kind = kind_of(file.name)
        if kind is None:
            problems.append(Problem(file.name, 0, "", "no part of the evidence lives here", "name an evidence folder; docs/evidence-format.md lists its files"))
            continue
        try:
            document, lines = read_yaml(file.text, file.name)
        except BadInput as error:
            problems.extend(error.problems)
            continue
        for at, plain in entries_of(document):
            if not isinstance(plain, dict) or not isinstance(plain.get("id"), str):
                problems.append(Problem(file.name, lines.get(at, 0), "", "an entry needs an id", "add 'id: ...' as its first key"))
                continue
            part = "groups" if kind[0] == "rules" and plain.get("group") is True else kind[0]
            found.setdefault(part, {})[plain["id"]] = plain
    return found


def _about(entry: dict[str, Any]) -> str:
    value = next((entry[key] for key in _ABOUT if entry.get(key)), "")
    return str(value.get("clinical", "")) if isinstance(value, dict) else str(value)


def _changes(old: Any, new: Any, path: str) -> Iterator[Change]:
    if _same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            inner = f"{path}.{key}" if path else str(key)
            if key not in old or key not in new:
                yield from _one_sided(old.get(key), new.get(key), inner, key in old)
            else:
                yield from _changes(old[key], new[key], inner)
    elif isinstance(old, list) and isinstance(new, list) and any(isinstance(item, dict) for item in (*old, *new)):
        yield from _listed(old, new, path)
    else:
        yield Change(path, value_text(old), value_text(new))


def _same(old: Any, new: Any) -> bool:
    return bool(old == new) and value_text(old) == value_text(new)


def _one_sided(old: Any, new: Any, path: str, was: bool) -> Iterator[Change]:
    """A key that only one side has; a list of items is shown item by item."""
    value = old if was else new
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        yield from _listed(value if was else [], [] if was else value, path)
    else:
        yield Change(path, value_text(old), None) if was else Change(path, None, value_text(new))


def _listed(old: list[Any], new: list[Any], path: str) -> Iterator[Change]:
    names = _named(old, new)
    if names is None:
        yield from (Change(path, value_text(item), None) for item in old if not any(_same(item, other) for other in new))
        yield from (Change(path, None, value_text(item)) for item in new if not any(_same(item, other) for other in old))
        return
    were, are = (dict(zip(known, items, strict=True)) for known, items in zip(names, (old, new), strict=True))
    for name in dict.fromkeys([*were, *are]):
        place = f"{path}[{name}]"
        if name not in are:
            yield Change(place, value_text(were[name]), None)
        elif name not in were:
            yield Change(place, None, value_text(are[name]))
        else:
            yield from _changes(were[name], are[name], place)
    kept_old, kept_new = [name for name in were if name in are], [name for name in are if name in were]
    if kept_old != kept_new:
        yield Change(f"{path} (order)", ", ".join(kept_old), ", ".join(kept_new))


def _named(old: list[Any], new: list[Any]) -> tuple[list[str], list[str]] | None:
    """A name for each item that tells it from the others in its list, or None when there is none."""
    if not all(isinstance(item, dict) for item in (*old, *new)):
        return None
    for keys in _KEYS:
        if all(keys[0] in item for item in (*old, *new)):
            names = tuple([", ".join(value_text(item[key]) for key in keys if key in item) for item in items] for items in (old, new))
            if all(len(set(known)) == len(known) for known in names):
                return names[0], names[1]
    return None


def value_text(value: Any) -> str:
    """A value as one line of text, much as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {value_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
