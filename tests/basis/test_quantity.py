"""Quantities: parsed strictly, converted by factors that an outside UCUM library agrees with."""

import math
from typing import Any

import pytest
import ucumvert
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.quantity import UNITS, Quantity, Span, UnitProblem, number_text, parse_quantity, parse_span, unit_named

# Units that count things (cells, filtration per body surface) or name a biological activity have no factor to check between them.
_NOT_IN_UCUM = {"mL/min/1.73m2", "[IU]", "[IU]/kg", "[IU]/L", "[IU]/mL", "m[IU]/mL", "U/L", "U/g", "10*9/L", "10*3/uL", "/uL", "/mm3", "/min"}


@pytest.fixture(scope="module")
def registry() -> Any:
    """The outside yardstick: pint with the UCUM definitions of ucumvert."""
    return ucumvert.PintUcumRegistry()


@pytest.mark.parametrize("unit", sorted(set(UNITS) - _NOT_IN_UCUM))
def test_factors_agree_with_ucum(unit: str, registry: Any) -> None:
    """Each unit's factor to the base unit of its dimension is the one UCUM gives."""
    base = next(name for name, row in UNITS.items() if row.dimension == UNITS[unit].dimension and row.factor == 1)
    if unit == "Cel":
        return
    ours = UNITS[unit].factor
    theirs = registry.from_ucum(UNITS[unit].ucum).to(registry.from_ucum(UNITS[base].ucum).units).magnitude
    assert math.isclose(ours, theirs, rel_tol=2e-4 if base == "day" or unit in {"month", "year"} else 1e-6)


def test_ten_to_the_ninth_per_litre_is_thousand_per_microlitre() -> None:
    """Platelet counts are the same number in 10*9/L and 10*3/uL."""
    assert parse_quantity("45 10*3/uL").to("10*9/L").value == 45


@pytest.mark.parametrize(("written", "value", "unit"), [
    ("70 kg", 70, "kg"), ("154 lbs", 154, "lb"), ("5 ft", 5, "ft"), ("4.5 mg/kg/min", 4.5, "mg/kg/min"), ("12,5 g", 12.5, "g"),
    ("0.138 L/d", 0.138, "L/day"), ("0.023 1/h", 0.023, "/h"), ("21.5 g/l/d", 21.5, "g/L/day"), ("0.0214 l/kg/d", 0.0214, "L/kg/day"),
    ("300 mg/dl", 300, "mg/dL"), ("10 ML/H", 10, "mL/h"), ("250 x10^9/L", 250, "10*9/L"), ("99 °F", (99 - 32) / 1.8, "Cel"),
])
def test_reads_what_clinicians_write(written: str, value: float, unit: str) -> None:
    """Common spellings of units are understood, whatever their case."""
    found = parse_quantity(written)
    assert found.value == pytest.approx(value)
    assert found.unit == unit


@pytest.mark.parametrize("written", ["70", "kg", "", "70 furlong", "seventy kg", "70 kg/", "1e3 g extra"])
def test_refuses_what_it_cannot_know(written: str) -> None:
    """A missing or unknown unit is an error with a remedy, never a guess."""
    with pytest.raises(UnitProblem):
        parse_quantity(written)


def test_suggests_the_nearest_unit() -> None:
    """A misspelt unit is answered with the likely one."""
    with pytest.raises(UnitProblem, match=r"did you mean 'mL/kg/h'"):
        unit_named("mL/kg/hh")


def test_an_unknown_unit_says_where_all_are_listed() -> None:
    """Several near names, and the page with the whole list."""
    with pytest.raises(UnitProblem, match=r"'mL/h' or 'mL' or 'mL/kg/h'\? docs/units.md lists all"):
        unit_named("mlh")
    with pytest.raises(UnitProblem, match=r"not a unit known here; docs/units.md lists all"):
        unit_named("furlong")


def test_refuses_to_mix_dimensions() -> None:
    """mL/h and mL/kg/h are different things: the slip that runs a drip 70 times too fast."""
    with pytest.raises(UnitProblem, match="volume rate"):
        parse_quantity("100 mL/h").to("mL/kg/h")


def test_reads_ranges() -> None:
    """A range keeps both ends and its unit; a backwards one is refused."""
    assert parse_span("0.2-0.8 g/kg") == Span(0.2, 0.8, "g/kg")
    assert parse_span("2-5") == Span(2, 5, "")
    with pytest.raises(UnitProblem, match="backwards"):
        parse_span("5-2")


@given(st.floats(0.001, 1e6), st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_there_and_back_again(value: float, one: str, other: str) -> None:
    """Converting to any unit of the same dimension and back loses nothing."""
    if UNITS[one].dimension == UNITS[other].dimension:
        assert math.isclose(Quantity(value, one).to(other).to(one).value, value, rel_tol=1e-12)


@pytest.mark.parametrize(("value", "text"), [(70.0, "70"), (0.0667, "0.0667"), (82.283, "82.28"), (1400, "1400"), (0.5, "0.5"), (0.0, "0")])
def test_numbers_print_without_false_precision(value: float, text: str) -> None:
    """Numbers print short, without trailing zeros."""
    assert number_text(value) == text
