"""Quantities with units: parsed strictly, compared by dimension, printed as a clinician writes them.

The unit table is small and closed on purpose: a unit that is not in it is refused with a suggestion, never guessed. Each factor is
checked against an outside UCUM library in ``tests/basis/test_quantity.py``.
"""

from __future__ import annotations

import difflib
import math
import re
from functools import lru_cache

import msgspec


class UnitProblem(ValueError):
    """A text is not a quantity, or two quantities do not share a dimension. The message says what to write instead."""


class _Unit(msgspec.Struct, frozen=True, gc=False):
    dimension: str
    factor: float
    ucum: str


def _table() -> dict[str, _Unit]:
    rows: list[tuple[str, list[tuple[str, float, str]]]] = [
        ("mass", [("g", 1, "g"), ("kg", 1e3, "kg"), ("mg", 1e-3, "mg"), ("ug", 1e-6, "ug"), ("lb", 453.59237, "[lb_av]"),
                  ("oz", 28.349523125, "[oz_av]"), ("st", 6350.29318, "[stone_av]")]),
        ("length", [("cm", 1, "cm"), ("m", 100, "m"), ("mm", 0.1, "mm"), ("in", 2.54, "[in_i]"), ("ft", 30.48, "[ft_i]")]),
        ("volume", [("mL", 1, "mL"), ("L", 1e3, "L"), ("uL", 1e-3, "uL")]),
        ("time", [("day", 1, "d"), ("h", 1 / 24, "h"), ("min", 1 / 1440, "min"), ("week", 7, "wk"), ("month", 30.4375, "mo"), ("year", 365.25, "a")]),
        ("mass per body mass", [("g/kg", 1, "g/kg"), ("mg/kg", 1e-3, "mg/kg"), ("ug/kg", 1e-6, "ug/kg")]),
        ("volume per body mass", [("mL/kg", 1, "mL/kg"), ("L/kg", 1e3, "L/kg")]),
        ("mass concentration", [("g/L", 1, "g/L"), ("mg/dL", 1e-2, "mg/dL"), ("mg/mL", 1, "mg/mL"), ("ug/mL", 1e-3, "ug/mL"), ("g/dL", 10, "g/dL"),
                                ("mg/L", 1e-3, "mg/L"), ("ug/L", 1e-6, "ug/L"), ("ng/mL", 1e-6, "ng/mL"), ("pg/mL", 1e-9, "pg/mL")]),
        ("substance concentration", [("mmol/L", 1, "mmol/L"), ("umol/L", 1e-3, "umol/L"), ("mol/L", 1e3, "mol/L")]),
        ("volume rate", [("mL/h", 1, "mL/h"), ("mL/min", 60, "mL/min"), ("L/day", 1000 / 24, "L/d"), ("mL/day", 1 / 24, "mL/d")]),
        ("volume rate per body mass", [("mL/kg/h", 1, "mL/kg/h"), ("mL/kg/min", 60, "mL/kg/min"), ("L/kg/day", 1000 / 24, "L/kg/d"),
                                        ("mL/kg/day", 1 / 24, "mL/kg/d")]),
        ("rate constant", [("/day", 1, "/d"), ("/h", 24, "/h")]),
        ("concentration rate", [("g/L/day", 1, "g/L/d")]),
        ("exposure", [("g*day/L", 1, "g.d/L")]),
        ("mass rate per body mass", [("mg/kg/min", 1, "mg/kg/min"), ("mg/kg/h", 1 / 60, "mg/kg/h"), ("g/kg/h", 1000 / 60, "g/kg/h")]),
        ("mass rate", [("g/h", 1, "g/h"), ("g/day", 1 / 24, "g/d"), ("mg/min", 0.06, "mg/min")]),
        ("body mass index", [("kg/m2", 1, "kg/m2")]),
        ("area", [("m2", 1, "m2")]),
        ("cell count", [("10*9/L", 1, "10*9/L"), ("10*3/uL", 1, "10*3/uL"), ("/uL", 1e-3, "/uL"), ("/mm3", 1e-3, "/mm3")]),
        ("enzyme activity", [("U/L", 1, "U/L")]),
        ("international units", [("[IU]", 1, "[IU]")]),
        ("international units per body mass", [("[IU]/kg", 1, "[IU]/kg")]),
        ("international unit concentration", [("[IU]/L", 1, "[IU]/L"), ("[IU]/mL", 1e3, "[IU]/mL"), ("m[IU]/mL", 1, "m[IU]/mL")]),
        ("filtration rate", [("mL/min/1.73m2", 1, "mL/min/{1.73_m2}")]),
        ("osmolality", [("mosm/kg", 1, "mosm/kg")]),
        ("pressure", [("mm[Hg]", 1, "mm[Hg]"), ("kPa", 7.50061682704, "kPa")]),
        ("temperature", [("Cel", 1, "Cel")]),
        ("fraction", [("%", 1, "%")]),
        ("viscosity", [("mPa.s", 1, "mPa.s")]),
        ("frequency", [("/min", 1, "/min")]),
        ("enzyme units per mass", [("U/g", 1, "U/g")]),
    ]
    return {name: _Unit(dimension, float(factor), ucum) for dimension, units in rows for name, factor, ucum in units}


UNITS: dict[str, _Unit] = _table()
"""Every unit ivigil understands, under the name it prints."""

_ALIASES: dict[str, str] = {
    "kgs": "kg", "kilogram": "kg", "kilograms": "kg", "kilo": "kg", "kilos": "kg", "gram": "g", "grams": "g", "gm": "g", "gms": "g",
    "milligram": "mg", "milligrams": "mg", "mcg": "ug", "µg": "ug", "μg": "ug", "microg": "ug", "microgram": "ug", "micrograms": "ug",
    "lbs": "lb", "pound": "lb", "pounds": "lb", "[lb_av]": "lb", "[oz_av]": "oz", "ounce": "oz", "ounces": "oz", "stone": "st", "[stone_av]": "st",
    "centimetre": "cm", "centimetres": "cm", "centimeter": "cm", "centimeters": "cm", "cms": "cm", "metre": "m", "metres": "m", "meter": "m", "meters": "m",
    "[in_i]": "in", "inch": "in", "inches": "in", '"': "in", "[ft_i]": "ft", "foot": "ft", "feet": "ft",
    "ml": "mL", "l": "L", "cc": "mL", "litre": "L", "litres": "L", "liter": "L", "liters": "L", "µl": "uL", "ul": "uL",
    "d": "day", "days": "day", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "mins": "min", "minute": "min", "minutes": "min",
    "wk": "week", "weeks": "week", "mo": "month", "months": "month", "a": "year", "y": "year", "yr": "year", "yrs": "year", "years": "year",
    "µg/ml": "ug/mL", "mcg/ml": "ug/mL", "microg/ml": "ug/mL", "µmol/l": "umol/L", "μmol/l": "umol/L", "micromol/l": "umol/L",
    "10^9/l": "10*9/L", "x10^9/l": "10*9/L", "x10*9/l": "10*9/L", "10e9/l": "10*9/L", "10*9/l": "10*9/L", "g/l": "g/L",
    "10^3/ul": "10*3/uL", "10*3/ul": "10*3/uL", "k/ul": "10*3/uL", "x10^3/ul": "10*3/uL", "10^3/µl": "10*3/uL", "thousand/ul": "10*3/uL",
    "cells/ul": "/uL", "mmhg": "mm[Hg]", "mm hg": "mm[Hg]", "°c": "Cel", "celsius": "Cel", "c": "Cel", "iu": "[IU]", "iu/l": "[IU]/L", "iu/kg": "[IU]/kg",
    "iu/ml": "[IU]/mL", "miu/ml": "m[IU]/mL", "u/l": "U/L", "mosmol/kg": "mosm/kg", "percent": "%",
    "g/d": "g/day", "1/day": "/day", "/d": "/day", "1/d": "/day", "1/h": "/h", "l/d": "L/day",
    "l/day": "L/day", "l/kg/d": "L/kg/day", "ml/d": "mL/day", "ml/kg/d": "mL/kg/day", "g/l/d": "g/L/day",
    "ml/min/{1.73_m2}": "mL/min/1.73m2", "ml/min/1.73 m2": "mL/min/1.73m2", "ml/min/1.73m2": "mL/min/1.73m2", "ml/min/1.73m²": "mL/min/1.73m2",
    "ml/min/1.73": "mL/min/1.73m2", "kg/m^2": "kg/m2", "kg/m²": "kg/m2",
}
_FOLDED: dict[str, str] = {name.lower(): name for name in UNITS} | _ALIASES

_SUGGESTED = 3
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_QUANTITY = re.compile(rf"^\s*([+-]?{_NUMBER})\s*(.*?)\s*$")
_SPAN = re.compile(rf"^\s*({_NUMBER})\s*(?:-|–|to)\s*({_NUMBER})\s*(.*?)\s*$")


def unit_named(text: str) -> str:
    """The canonical name of a unit however it was spelt (``ML/H``, ``lbs``, ``10^9/L``).

    Raises:
        UnitProblem: the unit is not in the table; the message suggests the nearest one.
    """
    folded = " ".join(text.split())
    if folded in UNITS:
        return folded
    name = _FOLDED.get(folded.lower()) or _FOLDED.get(folded.lower().replace(" ", ""))
    if name is None:
        near = dict.fromkeys(_FOLDED[name] for name in difflib.get_close_matches(folded.lower(), _FOLDED, n=6, cutoff=0.6))
        hint = "did you mean " + " or ".join(f"'{name}'" for name in list(near)[:_SUGGESTED]) + "? " if near else ""
        raise UnitProblem(f"'{text}' is not a unit known here; {hint}docs/units.md lists all")
    return name


def spellings(unit: str) -> tuple[str, ...]:
    """Other ways in which a unit may be written, beside capitals and small letters."""
    return tuple(alias for alias, name in _ALIASES.items() if name == unit and alias != unit.lower())


@lru_cache(maxsize=4096)
def number_text(value: float) -> str:
    """A number without false precision or trailing zeros: ``0.067``, ``82.28``, ``1400``."""
    if not math.isfinite(value):
        return str(value)
    magnitude = abs(value)
    digits = 0 if magnitude >= 1000 else 2 if magnitude >= 1 else 4
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def as_written(value: float, written: float) -> bool:
    """True when ``value`` is what somebody wrote down as ``written``: equal up to half of the last digit written."""
    places = len(f"{written:.10f}".rstrip("0").partition(".")[2])
    return abs(value - written) <= 0.5 * 10.0**-places * (1 + 1e-9) + 1e-9 * abs(written)


class Quantity(msgspec.Struct, frozen=True, gc=False, order=False):
    """A number with a unit from the closed table. ``value`` counts ``unit``; arithmetic goes through :meth:`to`."""

    value: float
    unit: str

    @property
    def dimension(self) -> str:
        """What is measured: ``mass``, ``volume rate`` ..."""
        return UNITS[self.unit].dimension

    @property
    def canonical(self) -> float:
        """The value in the dimension's base unit; two quantities compare through it."""
        return self.value * UNITS[self.unit].factor

    def to(self, unit: str) -> Quantity:
        """The same quantity in another unit of its dimension.

        Raises:
            UnitProblem: the units measure different things.
        """
        here, there = UNITS[self.unit], UNITS[unit]
        if here.dimension != there.dimension:
            raise UnitProblem(f"{self} is a {here.dimension}; it cannot be given in {unit}, a {there.dimension}")
        return self if self.unit == unit else Quantity(self.value * here.factor / there.factor, unit)

    def in_unit(self, unit: str) -> float:
        """The bare number in ``unit``.

        Raises:
            UnitProblem: the units measure different things.
        """
        if self.unit == unit:
            return self.value
        here, there = UNITS[self.unit], UNITS[unit]
        return self.value * here.factor / there.factor if here.dimension == there.dimension else self.to(unit).value

    def __str__(self) -> str:
        space = "" if self.unit == "%" else " "
        return f"{number_text(self.value)}{space}{_spoken(self.unit, self.value)}"


class Span(msgspec.Struct, frozen=True, gc=False):
    """A closed range with a unit (``0.2-0.8 g/kg``, ``2-5``); a single number is a range of width nought. ``unit`` is empty for counts."""

    low: float
    high: float
    unit: str = ""

    @property
    def single(self) -> bool:
        """True when both ends are the same."""
        return self.low == self.high

    def holds(self, value: float) -> bool:
        """True when ``value``, counted in the same unit, lies in the range (ends included, with float slack)."""
        slack = 1e-9 * max(1.0, abs(self.high))
        return self.low - slack <= value <= self.high + slack

    def __str__(self) -> str:
        number = number_text(self.low) if self.single else f"{number_text(self.low)}-{number_text(self.high)}"
        return f"{number} {_spoken(self.unit, self.high)}".strip()


@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> Quantity:
    """Read ``70 kg`` or ``4 mg/kg/min``.

    Raises:
        UnitProblem: no number, no unit, or an unknown unit.
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise UnitProblem(f"'{text}' is not a quantity; write a number and a unit, for example '70 kg'")
    number, unit = match.groups()
    if not unit:
        raise UnitProblem(f"'{text}' has no unit; write the number with its unit, for example '{number} g'")
    if unit.lower() in {"degf", "[degf]", "°f", "fahrenheit"}:
        return Quantity((_float(number) - 32.0) / 1.8, "Cel")
    return Quantity(_float(number), unit_named(unit))


def parse_span(text: str) -> Span:
    """Read ``2-5``, ``0.2-0.8 g/kg`` or a single value as a range.

    Raises:
        UnitProblem: not a number, ends reversed, or an unknown unit.
    """
    match = _SPAN.match(text)
    if match is not None:
        low, high, unit = match.groups()
    else:
        single = _QUANTITY.match(text)
        if single is None:
            raise UnitProblem(f"'{text}' is not a number or range; write for example '2-5' or '0.2-0.8 g/kg'")
        low, unit = single.groups()
        high = low
    name = unit_named(unit) if unit else ""
    if _float(low) > _float(high):
        raise UnitProblem(f"'{text}' runs backwards; write the smaller number first")
    return Span(_float(low), _float(high), name)


_COUNTED = {"day", "week", "month", "year"}


def _spoken(unit: str, value: float) -> str:
    """Units that are words take a plural: ``4 weeks``, ``1 month``."""
    return f"{unit}s" if unit in _COUNTED and value != 1 else unit


def _float(text: str) -> float:
    return float(text.replace(",", "."))
