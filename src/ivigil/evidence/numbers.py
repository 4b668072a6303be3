"""Numbers inside sentences and values, with the unit that stands behind each."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ivigil.basis.quantity import UNITS, UnitProblem, unit_named
from ivigil.evidence.shapes import Statement

_NUMBER = re.compile(r"(?<![A-Za-z0-9_.*^])(\d+(?:\.\d+)?)(?![A-Za-z0-9]*\d*[A-Za-z]-|\.\d)")
_WORDS = frozenset({"a", "in"})
"""Ordinary words behind a number that are units elsewhere: 817 a patient is no year, 2 in 100 no inch."""
_UNIT = re.compile(r"^\s?([A-Za-z%µ/][A-Za-z0-9%/*\[\].{}_]*)")


def same(one: float, other: float) -> bool:
    """True when two numbers are one, float dust forgiven."""
    return abs(one - other) <= 1e-6 * max(1e-12, abs(one), abs(other))


def supports(statement: Statement) -> tuple[tuple[float, str, float], ...]:
    """The numbers that a statement carries in ``says`` and ``values``, as :func:`numbers_in` gives them."""
    texts = [statement.says, *(str(item) for value in statement.values.values() for item in (value if isinstance(value, list) else [value]))]
    return tuple(dict.fromkeys(found for text in texts for found in numbers_in(text)))


def carried(number: float, dimension: str, factor: float, held: Iterable[tuple[float, str, float]]) -> bool:
    """True when one of the numbers held is this one, in its own unit or converted. A number without a unit fits one with any."""
    for value, other, base in held:
        if same(value, number) and (not dimension or not other or (dimension == other and same(base, factor))):
            return True
        if dimension and dimension == other and same(value * base, number * factor):
            return True
    return False


def numbers_in(text: str) -> list[tuple[float, str, float]]:
    """Every number of a text with the dimension and factor of the unit behind it (empty and 1 when none is known).

    The unit behind a range belongs to both its ends: ``0.2-0.8 g/kg`` gives two doses.
    """
    found: list[tuple[float, str, float]] = []
    pending: list[float] = []
    for match in _NUMBER.finditer(text.replace("–", "-")):
        rest = text[match.end():]
        if re.match(r"\s?(?:-|–|to |or |and )\s?\d", rest):
            pending.append(float(match[1]))
            continue
        unit = _UNIT.match(rest)
        dimension, factor = "", 1.0
        if unit is not None and unit[1] not in _WORDS:
            try:
                known = UNITS[unit_named(unit[1].rstrip(".,;:)"))]
                dimension, factor = known.dimension, known.factor
            except UnitProblem:
                pass
        found.extend((number, dimension, factor) for number in (*pending, float(match[1])))
        pending = []
    found.extend((number, "", 1.0) for number in pending)
    return found
