"""How an ordered dose reads beside the form a regimen prints, and what a form comes to in grams.

An order that could be read in two ways is a question here. The forms themselves stand in ``evidence/doses.py``.
"""

from __future__ import annotations

import math
from typing import assert_never

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.doses import ONE_DAY, CourseTotal, DoseForm, PerDay, PerInterval, is_dose
from ivigil.patient.record import Order


class Ordered(msgspec.Struct, frozen=True):
    """How an order reads: as one form of dose, or a question about it."""

    form: DoseForm | None = None
    question: str = ""


def read_order(order: Order, printed: DoseForm | None) -> Ordered:
    """How an ordered dose is meant, beside the form that the regimen prints.

    An order that does not say whether its dose is for the course, for each day or for each interval is only read when all readings agree.
    """
    dose = order.dose
    assert dose is not None
    if not is_dose(dose.unit):
        return Ordered(question=f"The ordered dose is {dose}, which is not an amount of immunoglobulin. Give it in g or g/kg.")
    if not math.isfinite(dose.value) or dose.value <= 0:
        return Ordered(question=f"The ordered dose is {dose}. Give an amount above nought.")
    if order.days is not None and order.days < 1:
        return Ordered(question=f"The order says {order.days} days. Give the number of days.")
    amount = Span(dose.value, dose.value, dose.unit)
    every = Span(order.every.value, order.every.value, order.every.unit) if order.every is not None else printed.every if printed is not None else None
    days = Span(order.days, order.days) if order.days is not None else None
    usual = ONE_DAY if printed is None or isinstance(printed, PerInterval) else printed.days
    match order.each:
        case "course":
            return Ordered(CourseTotal(amount, days or usual, every))
        case "interval":
            # A course that the regimen divides over days stays divided, although it is ordered as the amount of an interval.
            over = days or (printed.days if isinstance(printed, CourseTotal) else ONE_DAY)
            return Ordered(CourseTotal(amount, over, every) if over != ONE_DAY else PerInterval(amount, every))
        case "day":
            if days is None and not usual.single:
                return Ordered(question=f"{dose} on each day is ordered, but not for how many days. Say for how many.")
            return Ordered(PerDay(amount, days or usual, every))
        case "":
            if (days or usual) == ONE_DAY:
                return Ordered(PerInterval(amount, every) if isinstance(printed, PerInterval) else CourseTotal(amount, ONE_DAY, every))
            return Ordered(question=f"{dose} is ordered over {days or usual} days. Is that the whole course, or the dose of each day?")
        case _:
            assert_never(order.each)


def grams_of(value: float, unit: str, kg: float) -> float:
    """Grams of one amount for a dosing weight."""
    quantity = Quantity(value, unit)
    return quantity.in_unit("g") if quantity.dimension == "mass" else quantity.in_unit("g/kg") * kg


def course_grams(form: DoseForm, worked: float, kg: float) -> float:
    """Grams of a whole course; days that are a range count at their fewest."""
    grams = grams_of(worked, form.amount.unit, kg)
    return grams * form.days.low if isinstance(form, PerDay) else grams
