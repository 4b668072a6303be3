"""The forms a dose is written in: a course total, a dose for each day, a dose for each interval. They are types and never mix.

"2 g/kg over 5 days" and "2 g/kg a day for 5 days" differ fivefold; an order that could be read in two ways is a question here.
"""

from __future__ import annotations

import math
from typing import assert_never

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.shapes import Regimen
from ivigil.patient.record import Order

ONE_DAY = Span(1, 1)


class CourseTotal(msgspec.Struct, frozen=True):
    """``amount`` (g/kg or g) is the whole course, divided over ``days``."""

    amount: Span
    days: Span
    every: Span | None = None


class PerDay(msgspec.Struct, frozen=True):
    """``amount`` (g/kg or g) is given on each of ``days``."""

    amount: Span
    days: Span
    every: Span | None = None


class PerInterval(msgspec.Struct, frozen=True):
    """``amount`` (g/kg or g) is given once every ``every``."""

    amount: Span
    every: Span | None = None


DoseForm = CourseTotal | PerDay | PerInterval


class Ordered(msgspec.Struct, frozen=True):
    """How an order reads: as one form of dose, or a question about it."""

    form: DoseForm | None = None
    question: str = ""


def form_of(regimen: Regimen) -> DoseForm | None:
    """The one form of dose a regimen prints; None when its unit is neither a mass nor a mass per body mass."""
    dose = regimen.dose
    amount = dose.course_total or dose.per_day or dose.per_interval
    if amount is None or not is_dose(amount.unit):
        return None
    if dose.course_total is not None:
        return CourseTotal(amount, dose.over_days or dose.days or ONE_DAY, dose.every)
    if dose.per_day is not None:
        return PerDay(amount, dose.days or dose.over_days or ONE_DAY, dose.every)
    return PerInterval(amount, dose.every)


def described(form: DoseForm) -> str:
    """A dose in words that cannot be read in two ways."""
    match form:
        case CourseTotal():
            text = f"{form.amount} as a single dose" if form.days == ONE_DAY else f"{form.amount} in total, divided over {form.days} days"
        case PerDay():
            text = f"{form.amount} on one day" if form.days == ONE_DAY else f"{form.amount} a day for {form.days} days"
        case PerInterval():
            text = f"{form.amount}"
        case _:
            assert_never(form)
    return f"{text} {every_text(form.every)}" if form.every is not None else text


def every_text(every: Span) -> str:
    """``every 3-4 weeks``."""
    return f"every {every.unit}" if every.low == every.high == 1 else f"every {every}"


def is_dose(unit: str) -> bool:
    """True for g and g/kg and their like."""
    return bool(unit) and Quantity(1, unit).dimension in {"mass", "mass per body mass"}


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
            return Ordered(CourseTotal(amount, days, every) if days is not None and days != ONE_DAY else PerInterval(amount, every))
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


def course_span(regimen: Regimen) -> tuple[float, float] | None:
    """Least and most of one course in g/kg as the regimen prints it; None where it is not per body weight."""
    form = form_of(regimen)
    if form is None:
        return None
    days, unit = form.days if isinstance(form, PerDay) else ONE_DAY, form.amount.unit
    if Quantity(1, unit).dimension == "mass":
        return None
    return Quantity(form.amount.low, unit).in_unit("g/kg") * days.low, Quantity(form.amount.high, unit).in_unit("g/kg") * days.high
