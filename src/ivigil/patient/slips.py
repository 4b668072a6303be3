"""What a slipped value was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterator

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import Quantity, Span, UnitProblem
from ivigil.patient.body import plausible
from ivigil.patient.record import Measurement
from ivigil.patient.values import in_register_unit

MOST_GRAMS_PER_100_ML = 10.0
"""Concentration by which a rate in mg/kg/min is compared with one in mL/kg/h (10 % products, the thinnest bound that is common)."""
_GRAMS_OF_A_BODY = 1500


def meant(value: Quantity, span: Span) -> Quantity | None:
    """The nearest reading of a slipped value that would be plausible: the same number in a sister unit, else ten, a hundred or a thousand times off."""
    unit = span.unit or value.unit
    for candidate in readings(value):
        try:
            if span.holds(candidate.in_unit(unit)):
                return candidate
        except UnitProblem:
            continue
    return None


_SISTERS: dict[str, tuple[str, ...]] = {
    "kg": ("lb", "g"), "lb": ("kg", "oz", "g"), "g": ("kg", "mg", "lb"), "mg": ("g",), "st": ("kg", "lb"), "oz": ("lb", "g"),
    "cm": ("in", "m", "mm"), "m": ("cm", "in", "ft"), "in": ("cm", "ft"), "ft": ("in", "m"), "mm": ("cm",),
    "g/L": ("mg/dL", "g/dL", "mg/L"), "mg/dL": ("g/L", "umol/L", "mg/L", "mmol/L"), "mg/L": ("mg/dL", "g/L"), "g/dL": ("g/L", "mg/dL"),
    "umol/L": ("mg/dL", "mmol/L"), "mmol/L": ("mg/dL", "umol/L"), "g/kg": ("mg/kg",), "mg/kg": ("g/kg",),
    "10*9/L": ("/uL",), "10*3/uL": ("/uL",), "/uL": ("10*9/L",), "Cel": (), "year": ("month", "week", "day"),
    "mL/kg/h": ("mL/h", "mL/kg/min"), "mL/h": ("mL/kg/h", "mL/min"), "mL/kg/min": ("mL/kg/h", "mL/min", "mL/h"), "mL/min": ("mL/h",),
    "mg/kg/min": ("mg/kg/h", "mL/kg/h"), "mg/kg/h": ("mg/kg/min",),
}


def readings(value: Quantity) -> Iterator[Quantity]:
    """What a written value may have stood for, the likeliest first."""
    for unit in _SISTERS.get(value.unit, ()):
        yield Quantity(value.value, unit)
    for factor in (10.0, 100.0, 1000.0):
        yield Quantity(value.value / factor, value.unit)
        yield Quantity(value.value * factor, value.unit)


def question(suggestion: Quantity | None) -> str:
    """The question that offers a suggestion, with the value in the usual unit; empty without one."""
    if suggestion is None:
        return ""
    usual = {"lb": "kg", "oz": "kg", "st": "kg", "in": "cm", "ft": "cm", "m": "cm", "mm": "cm", "mg/dL": "g/L"}.get(suggestion.unit)
    if suggestion.unit == "g" and suggestion.value >= _GRAMS_OF_A_BODY:
        usual = "kg"
    return f"did you mean {suggestion}" + (f" = {suggestion.to(usual)}?" if usual else "?")


def meant_result(value: Quantity, definition: FactDefinition) -> Quantity | None:
    """What a result was probably meant to be, by the plausible range of its fact."""
    assert definition.plausible is not None
    for candidate in readings(value):
        converted = in_register_unit(candidate, definition)
        if converted is not None and plausible(converted, definition.plausible):
            return candidate
    return None


def per_kg_hour(rate: Quantity, weight: Measurement | None) -> float | None:
    """A rate in mL/kg/h; mg rates as of a 10 % product, whole rates over the body weight; None when the weight is needed and unknown."""
    kg = weight.value.in_unit("kg") if weight is not None else None
    if rate.dimension == "volume rate per body mass":
        return rate.in_unit("mL/kg/h")
    if rate.dimension == "mass rate per body mass":
        return rate.in_unit("mg/kg/h") / (MOST_GRAMS_PER_100_ML * 10)
    if kg is None:
        return None
    if rate.dimension == "volume rate":
        return rate.in_unit("mL/h") / kg
    return rate.in_unit("g/h") * 1000 / (MOST_GRAMS_PER_100_ML * 10) / kg if rate.dimension == "mass rate" else None


def shown(value: float) -> str:
    """Three figures, enough to judge by."""
    return f"{value:.3g}"
