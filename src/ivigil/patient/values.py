"""Values in the units and words of the register of facts."""

from __future__ import annotations

import difflib
from datetime import date

from ivigil.basis.dates import add
from ivigil.basis.facts import FactDefinition, Value
from ivigil.basis.quantity import Quantity, UnitProblem, parse_quantity
from ivigil.patient.body import plausible


def answer_value(definition: FactDefinition, text: str) -> Value:
    """An answer as the fact's own kind of value.

    Raises:
        UnitProblem: not yes/no, not one of the choices, or not a plausible quantity; the remedy stands after a semicolon.
    """
    if definition.kind == "yes_no":
        if text not in {"yes", "no"}:
            raise UnitProblem(f"'{text}' is not yes or no; write yes, no or unknown")
        return text == "yes"
    if definition.kind == "quantity":
        quantity = parse_quantity(text)
        value = in_register_unit(quantity, definition)
        if value is None:
            raise UnitProblem(f"'{text}' cannot be given in {definition.unit}; write it in {definition.unit}")
        if not plausible(value, definition.plausible):
            raise UnitProblem(f"'{text}' lies outside {definition.plausible}; check number and unit")
        return value
    if definition.choices and text not in definition.choices:
        near = difflib.get_close_matches(text, definition.choices, n=1, cutoff=0.5)
        raise UnitProblem(f"'{text}' is not one of {', '.join(definition.choices)}; " + (f"did you mean '{near[0]}'?" if near else "choose one of them"))
    return text


def in_register_unit(value: Quantity, definition: FactDefinition) -> Quantity | None:
    """A quantity in the unit of its fact, over the molar factor where the register gives one; None when the dimensions differ."""
    if not definition.unit:
        return value
    try:
        return value.to(definition.unit)
    except UnitProblem:
        molar = definition.molar
    if molar is None:
        return None
    try:
        if Quantity(1.0, molar.per).dimension == value.dimension:
            return Quantity(value.in_unit(molar.per) * molar.factor, molar.unit).to(definition.unit)
        return Quantity(value.in_unit(molar.unit) / molar.factor, molar.per).to(definition.unit)
    except UnitProblem:
        return None


def add_back(day: date, interval: Quantity) -> date:
    """``day`` less an interval of whole days, weeks, months or years."""
    return add(day, Quantity(-interval.value, interval.unit))


def wanted(value: Quantity, definition: FactDefinition) -> Quantity:
    """The quantity in the register's unit where that is possible, else as it is."""
    return in_register_unit(value, definition) or value
