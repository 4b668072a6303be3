"""What a hospital's overlay did to the entries that a line rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import Condition, facts_named
from ivigil.evidence.shapes import Statement


def was_replaced(local: Mapping[str, str], part: str, name: str) -> bool:
    """True when the overlay replaced this packaged entry; ``local`` is :attr:`Evidence.local`."""
    return local.get(f"{part} {name}", "").startswith("replaced")


class Touched:
    """The local entries of an evidence, by id and by the objects themselves.

    ``local`` names them as ``part id`` with what was done and why; ``entries`` holds them under the same keys.
    """

    def __init__(self, local: Mapping[str, str], entries: Mapping[str, object], statements: Mapping[str, Statement],
                 conditions: Mapping[str, Condition], groups: Mapping[str, object]) -> None:
        self._statements, self._conditions, self._groups = statements, conditions, groups
        self._names: dict[str, str] = {}
        self._objects: dict[int, str] = {}
        for key, why in local.items():
            said = f"{key.partition(' ')[2]} {why}"
            for inner in _inside(entries[key]):
                self._objects[id(inner)] = said
                self._names.setdefault(str(getattr(inner, "id", "")), said)
        self._names.pop("", None)

    def of(self, touched: Iterable[object]) -> tuple[str, ...]:
        """What was done to the things touched, each once."""
        found: dict[str, None] = {}
        for thing in touched:
            if isinstance(thing, str):
                found.update(dict.fromkeys(self._behind(thing)))
            elif id(thing) in self._objects:
                found[self._objects[id(thing)]] = None
        return tuple(found)

    def _behind(self, name: str) -> Iterator[str]:
        if name in self._names:
            yield self._names[name]
        statement = self._statements.get(name)
        if statement is not None:
            yield from (self._names[source] for source in (statement.source, *statement.also) if source in self._names)
        condition = self._conditions.get(name)
        if condition is not None:
            yield from (found for inner in facts_named(condition) if inner in self._groups for found in self._behind(inner))


def _inside(value: object) -> Iterator[msgspec.Struct]:
    """An entry and every structure inside it."""
    if isinstance(value, msgspec.Struct) and not isinstance(value, Condition | Quantity):
        yield value
        for field in value.__struct_fields__:
            yield from _inside(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            yield from _inside(item)
