"""The habits of the code base, held by reading its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "ivigil"
LONGEST = 400
SHAPES = {"evidence/shapes.py", "evidence/care.py", "evidence/knowledge.py"}
ARITHMETIC = {0, 1, 100}
"""Nought, one and the percent: numbers that mean nothing clinical."""
SLACK = 1e-6
"""Smaller numbers are the slack of float comparisons."""


def _modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _numbers(tree: ast.Module) -> Iterator[tuple[int, float]]:
    """Numeric literals that could be clinical: not an index, not an argument of a decorator (cache sizes)."""
    harmless = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Subscript) for part in ast.walk(node.slice)}
    harmless |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for mark in node.decorator_list for part in ast.walk(mark)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool) and id(node) not in harmless:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", _modules(SOURCE / "planning"), ids=lambda path: path.name)
def test_planning_holds_no_clinical_number(path: Path) -> None:
    """Doses, rates, thresholds and intervals live in the evidence; planning code may use 0, 1 and 100 only."""
    found = [(line, number) for line, number in _numbers(_tree(path)) if number not in ARITHMETIC and number > SLACK]
    assert not found, f"{path.name}: move these numbers into evidence, or into basis where they are units: {found}"


def test_a_clinical_number_would_be_seen() -> None:
    """The walk above finds a threshold in a comparison, a default and a call, and overlooks an index."""
    tree = ast.parse("def f(x, cap=2.2):\n    return x[3] if x > 65 else min(x, 4 * x)\n")
    assert sorted(number for _, number in _numbers(tree)) == [2.2, 4, 65]


@pytest.mark.parametrize("path", _modules(SOURCE), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_source_file_can_be_read_in_one_go(path: Path) -> None:
    """A file beyond about 400 lines holds more than one thing; plain lists of shapes may be longer."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= (2 * LONGEST if path.relative_to(SOURCE).as_posix() in SHAPES else LONGEST)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


HOMES: dict[str, set[str]] = {
    "typst": {"rendering/print/pdf.py"}, "icalendar": {"rendering/print/calendar.py"}, "segno": {"rendering/print/qr.py"},
    "ruamel": {"basis/strict_yaml.py"}, "typer": {"cli/app.py", "cli/evidence_app.py", "cli/options.py", "cli/service_app.py"},
    "yaml": set(), "pint": set(), "ucumvert": set(),
}


@pytest.mark.parametrize(("library", "allowed"), HOMES.items())
def test_a_library_is_imported_in_one_place(library: str, allowed: set[str]) -> None:
    """Objects of an outside library do not leak through the program."""
    users = {path.relative_to(SOURCE).as_posix() for path in _modules(SOURCE) if any(name.split(".")[0] == library for name in _imports(_tree(path)))}
    assert users <= allowed


CLOCKED = ("cli", "service/clock.py")
"""Where the time of day may come from."""


def test_only_the_command_line_and_the_service_read_the_clock() -> None:
    """A plan depends on nothing but its arguments; in the service one module tells the time."""
    clocks = {"today", "now", "utcnow", "time", "monotonic"}
    for path in _modules(SOURCE):
        if any(path.is_relative_to(SOURCE / allowed) for allowed in CLOCKED):
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in clocks and isinstance(node.func.value, ast.Name):
                assert node.func.value.id not in {"date", "datetime", "time"}, f"{path}:{node.lineno} reads the clock"


def _typed_conversions(tree: ast.Module) -> Iterator[int]:
    """The lines on which msgspec is asked for a value of a type, or what is known of one; a decoding without a type learns none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"inspect.type_info", "inspect.multi_type_info"}:
            yield node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("msgspec."):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in {"convert", "Decoder", "schema", "schema_components"} or (name == "decode" and any(one.arg == "type" for one in node.keywords)):
                yield node.lineno


def test_types_are_converted_to_in_one_place() -> None:
    """Two threads that let msgspec learn types at once crash the process: basis/conversion.py lets one do it at a time."""
    home = SOURCE / "basis" / "conversion.py"
    assert len(list(_typed_conversions(_tree(home)))) == 7
    assert not {path: lines for path in _modules(SOURCE) if path != home and (lines := list(_typed_conversions(_tree(path))))}


@pytest.mark.parametrize("path", _modules(ROOT / "tests"), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_test_says_why_it_exists(path: Path) -> None:
    """A test without a reason cannot be judged when it fails."""
    tree = _tree(path)
    assert ast.get_docstring(tree), f"{path} has no docstring"
    bare = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)]
    assert not bare, f"{path}: {bare}"


@pytest.mark.parametrize("path", _modules(SOURCE), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_names_are_the_fields_own(path: Path) -> None:
    """No module is called by its layer, and none holds unfinished work."""
    assert path.stem not in {"utils", "util", "helpers", "manager", "engine", "core", "common", "misc"}
    text = path.read_text(encoding="utf-8")
    assert "TODO" not in text
    assert "FIXME" not in text
