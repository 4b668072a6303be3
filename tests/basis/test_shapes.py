"""The shape checker lists every problem of a document at once, with lines and suggestions."""

import msgspec

from ivigil.basis.problems import Problem
from ivigil.basis.quantity import Quantity, Span
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import read_yaml


class Vial(msgspec.Struct, forbid_unknown_fields=True):
    """A small shape for these tests."""

    size: Quantity
    count: int
    days: Span | None = None
    note: str = ""


class Box(msgspec.Struct, forbid_unknown_fields=True):
    """Vials in a box."""

    vials: tuple[Vial, ...]


def _read(text: str) -> tuple[Box | None, list[Problem]]:
    value, lines = read_yaml(text, "x.yaml")
    problems: list[Problem] = []
    return Shaper().read(value, Box, "x.yaml", lines, problems=problems), problems


def test_reads_quantities_and_ranges_as_text() -> None:
    """Quantities are written with their unit in one text, or as value and unit."""
    box, problems = _read("vials:\n  - {size: 5 g, count: 2, days: 2-5}\n  - {size: {value: 10, unit: g}, count: 1}\n")
    assert not problems
    assert box == Box((Vial(Quantity(5, "g"), 2, Span(2, 5)), Vial(Quantity(10, "g"), 1)))


def test_all_problems_at_once() -> None:
    """Four mistakes in one file give four problems, each on its line, in one run."""
    box, problems = _read("vials:\n  - size: 5\n    count: two\n    nite: x\n  - count: 1\n")
    assert box is None
    assert [(problem.line, problem.what) for problem in problems] == [(2, "vials[0].size"), (3, "vials[0].count"), (4, "vials[0].nite"), (5, "vials[1]")]
    assert "did you mean 'note'" in problems[2].remedy
