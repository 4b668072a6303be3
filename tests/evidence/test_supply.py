"""Supply evidence ranks and informs; it never becomes a dose."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivigil.evidence.knowledge import KNOWLEDGE_KINDS, SupplyScheme
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE: Evidence = load_evidence(ROOT / "evidence")
SCHEMES = list(EVIDENCE.supply_schemes.values())
PLANNING = sorted((ROOT / "src" / "ivigil" / "planning").rglob("*.py"))
MONEY = {"payer_ceilings", "PayerCeiling", *(part for _, part, _ in KNOWLEDGE_KINDS if part.startswith("supply_"))}
"""Names under which evidence keeps amounts that authorise, rank or report, and that are no doses."""


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name a program could reach a field by: attributes, plain names, imports and texts (``getattr``)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.alias):
            yield 0, node.name.rpartition(".")[2]
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.value.lineno, node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _reads_money(name: str) -> bool:
    return name in MONEY or name.startswith(("supply_", "Supply"))


@pytest.mark.parametrize("path", PLANNING, ids=lambda path: path.name)
def test_no_planning_step_reads_a_payers_limit_or_supply(path: Path) -> None:
    """What no step reads can never become a dose."""
    found = [(line, name) for line, name in _names(ast.parse(path.read_text(encoding="utf-8"))) if _reads_money(name)]
    assert not found, f"{path.name} reads {found}"


@pytest.mark.parametrize("text", [
    "x = evidence.supply_levers", "getattr(indication, 'payer_ceilings')", "from ivigil.evidence.shapes import PayerCeiling",
    "from ivigil.evidence import knowledge\nx: knowledge.SupplyScheme", "f(supply_figures=1)",
])
def test_a_reading_step_would_be_seen(text: str) -> None:
    """The walk above finds every way of naming such a field."""
    assert any(_reads_money(name) for _, name in _names(ast.parse(text)))


def test_planning_cannot_walk_all_parts_of_the_evidence() -> None:
    """No step goes through the fields of the evidence or of an indication without naming them."""
    walkers = {"__struct_fields__", "structs.asdict", "asdict", "astuple", "to_builtins", "vars", "__dict__"}
    found = [(path.name, line, name) for path in PLANNING for line, name in _names(ast.parse(path.read_text(encoding="utf-8"))) if name in walkers]
    assert not found


def test_there_is_supply_evidence_to_hold() -> None:
    """The parts are not empty, so that the tests below say something."""
    assert len(SCHEMES) >= 9
    assert EVIDENCE.supply_levers
    assert EVIDENCE.supply_figures


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.id)
def test_levels_are_ranked_without_gaps(scheme: SupplyScheme) -> None:
    """The levels of a scheme have the ranks 1 to n in file order, each with a name of its own."""
    assert [level.rank for level in scheme.levels] == list(range(1, len(scheme.levels) + 1))
    assert len({level.name for level in scheme.levels}) == len(scheme.levels)


@pytest.mark.parametrize("place", sorted({scheme.jurisdiction for scheme in SCHEMES}))
def test_a_place_has_levels_or_says_what_is_missing(place: str) -> None:
    """Every scheme has levels or names in ``not_read`` what is missing, and so has every place with a scheme."""
    here = [scheme for scheme in SCHEMES if scheme.jurisdiction == place]
    assert all(scheme.levels or scheme.not_read for scheme in here)


def test_thresholds_that_were_not_read_are_named() -> None:
    """The Canadian stock levels were not read; the scheme says so and prints no number but its ranks."""
    scheme = EVIDENCE.supply_schemes["canada-phases"]
    assert any("stock levels" in gap for gap in scheme.not_read)
    assert not any(character.isdigit() for level in scheme.levels for character in level.say)


def test_colours_say_that_they_left_the_guidance_in_england() -> None:
    """Whoever shows a colour as a right to treatment is told otherwise beside it."""
    for name in ("uk-colours", "uk-short-list"):
        scheme = EVIDENCE.supply_schemes[name]
        assert "supply.england.colours-left" in scheme.cites
        assert "activated" in scheme.say
