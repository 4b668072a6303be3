"""One entry of the evidence as text: its keys as they are written, what it rests on, and what rests on it."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition, written
from ivigil.evidence.files import KINDS
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import recorded
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sources import locator

_PARTS = tuple(dict.fromkeys([*(part for _, part, _ in KINDS), "groups"]))


def entry_text(evidence: Evidence, entry_id: str, width: int = 100) -> str:
    """Everything with this id, each with its statements in words and the entries that cite it.

    Raises:
        BadInput: no entry has this id; near ids are suggested.
    """
    found = [(part, entries[entry_id]) for part, entries in _parts(evidence) if entry_id in entries]
    if not found:
        ids = [name for _, entries in _parts(evidence) for name in entries]
        near = difflib.get_close_matches(entry_id, ids, n=4, cutoff=0.5) or [name for name in ids if entry_id in name][:4]
        remedy = f"did you mean {', '.join(near)}?" if near else "look it up with 'ivigil evidence search'"
        raise BadInput([Problem("evidence", 0, clean(entry_id), "no entry has this id", remedy)])
    out: list[str] = []
    for part, entry in found:
        out.append(f"{part.replace('_', ' ')}: {entry_id}")
        fields = _fields(entry)
        if part == "sources":
            fields |= {"publisher": recorded(entry.publisher), "year": recorded(entry.year), "where": locator(entry.where)}
        out.extend(_written(fields, 1, width))
        for cite in dict.fromkeys(_cites(entry)):
            statement = evidence.statements.get(cite)
            if statement is not None:
                place = f"{statement.source}, {statement.where}" if statement.where else statement.source
                out.extend(_wrapped(f"rests on {cite}", f"{statement.says} ({place}; {statement.read})", 1, width))
    users = [f"{part.replace('_', ' ')} {name}" for part, entries in _parts(evidence) for name, entry in entries.items() if _names(entry, entry_id)]
    if users:
        out.extend(_wrapped("used by", ", ".join(users), 0, width))
    return "\n".join(out) + "\n"


def _parts(evidence: Evidence) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in _PARTS:
        yield part, getattr(evidence, part)


def _cites(node: Any) -> Iterator[str]:
    """Every statement id that an entry or a part of it cites."""
    if isinstance(node, msgspec.Struct):
        yield from getattr(node, "cites", ())
        for field in node.__struct_fields__:
            yield from _cites(getattr(node, field))
    elif isinstance(node, tuple | list):
        for item in node:
            yield from _cites(item)


def _names(node: Any, wanted: str) -> bool:
    """True when a citation, source or other reference anywhere inside is exactly ``wanted``."""
    if isinstance(node, Condition):
        return node.fact == wanted or any(_names(part, wanted) for part in node.of)
    if isinstance(node, msgspec.Struct):
        return any(_names(getattr(node, field), wanted) for field in node.__struct_fields__ if field not in {"id", "says", "say"})
    if isinstance(node, tuple | list):
        return any(_names(item, wanted) for item in node)
    return isinstance(node, str) and node == wanted


def _fields(entry: msgspec.Struct) -> dict[str, Any]:
    """What an entry holds under the keys that its file uses: ``for``, not the name that Python gives it."""
    return {key: getattr(entry, field) for field, key in zip(entry.__struct_fields__, entry.__struct_encode_fields__, strict=True)}


def _written(fields: dict[str, Any], depth: int, width: int) -> Iterator[str]:
    for key, value in fields.items():
        if key == "id" or value is None or (not value and value is not False and value != 0):
            continue
        yield from _value(key, value, depth, width)


def _value(key: str, value: Any, depth: int, width: int) -> Iterator[str]:
    if isinstance(value, Condition):
        yield from _wrapped(key, written(value), depth, width)
    elif isinstance(value, Quantity | Span):
        yield from _wrapped(key, str(value), depth, width)
    elif isinstance(value, msgspec.Struct):
        yield f"{'  ' * depth}{key}:"
        yield from _written(_fields(value), depth + 1, width)
    elif isinstance(value, dict):
        yield f"{'  ' * depth}{key}:"
        yield from _written(value, depth + 1, width)
    elif isinstance(value, tuple | list):
        yield from _listed(key, value, depth, width)
    else:
        yield from _wrapped(key, str(value), depth, width)


def _listed(key: str, values: tuple[Any, ...] | list[Any], depth: int, width: int) -> Iterator[str]:
    if all(isinstance(item, str | int | float | Quantity | Span) for item in values):
        yield from _wrapped(key, ", ".join(str(item) for item in values), depth, width)
        return
    yield f"{'  ' * depth}{key}:"
    for place, item in enumerate(values, start=1):
        yield from _value(getattr(item, "id", "") or str(place), item, depth + 1, width)


def _wrapped(key: str, text: str, depth: int, width: int) -> list[str]:
    indent = "  " * depth
    return textwrap.wrap(f"{key}: {clean(text)}", max(40, width), initial_indent=indent, subsequent_indent=indent + "    ", break_on_hyphens=False)
