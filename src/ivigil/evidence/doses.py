"""The forms a printed dose is written in: a course total, a dose for each day, a dose for each interval. They are types and never mix.

"2 g/kg over 5 days" and "2 g/kg a day for 5 days" differ fivefold.
"""

from __future__ import annotations

import math
from typing import Literal, assert_never

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.shapes import Regimen

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


def course_span(regimen: Regimen) -> tuple[float, float] | None:
    """Least and most of one course in g/kg as the regimen prints it; None where it is not per body weight."""
    form = form_of(regimen)
    if form is None:
        return None
    days, unit = form.days if isinstance(form, PerDay) else ONE_DAY, form.amount.unit
    if Quantity(1, unit).dimension == "mass":
        return None
    return Quantity(form.amount.low, unit).in_unit("g/kg") * days.low, Quantity(form.amount.high, unit).in_unit("g/kg") * days.high


Apart = Literal["same", "form", "overlapping", "different"]
APART: tuple[Apart, ...] = ("same", "form", "overlapping", "different")
"""How far two printed doses are from each other, nearest first."""
_DAYS_OF_MONTH = 28
"""Authorities write "every 4 weeks" and "every month" for one interval; compared, they count as the same."""


def apart(one: Regimen, other: Regimen) -> Apart:
    """How far the doses of two regimens are from each other: amount of a course, days, interval and cap.

    ``different`` when the ranges of any of them have nothing in common, ``overlapping`` when they only overlap or one has a cap that the other has
    not, ``form`` when only the writing differs (0.4 g/kg a day for 5 days, 2 g/kg over 5 days) or one leaves an interval unsaid.
    """
    first, second = form_of(one), form_of(other)
    if first is None or second is None:
        return "same" if first is second and one.say == other.say else "different"
    found = [_spans_apart(_course(first), _course(second)), _spans_apart(_days(first), _days(second)), _spans_apart(_interval(first), _interval(second))]
    if one.cap is None or other.cap is None:
        found.append("same" if one.cap is other.cap else "overlapping")
    else:
        found.append("same" if one.cap.canonical == other.cap.canonical else "different")
    found.append("same" if type(first) is type(second) else "form")
    return max(found, key=APART.index)


def spans_apart(one: Span, other: Span) -> Apart:
    """How far two ranges are from each other, in the base units of their dimension."""
    return _spans_apart(_base(one), _base(other))


def dose_text(regimen: Regimen) -> str:
    """The dose of a regimen in words, with the most for a course where one is printed."""
    form = form_of(regimen)
    text = described(form) if form is not None else (regimen.say or "A dose that is not per body weight")
    return f"{text}, at most {regimen.cap}" if regimen.cap is not None else text


_Range = tuple[float, float, str]


def _base(span: Span, times: Span = ONE_DAY) -> _Range:
    if not span.unit:
        return span.low * times.low, span.high * times.high, ""
    low, high = Quantity(span.low, span.unit), Quantity(span.high, span.unit)
    return low.canonical * times.low, high.canonical * times.high, low.dimension


def _course(form: DoseForm) -> _Range:
    return _base(form.amount, form.days if isinstance(form, PerDay) else ONE_DAY)


def _days(form: DoseForm) -> _Range | None:
    return None if isinstance(form, PerInterval) else _base(form.days)


def _interval(form: DoseForm) -> _Range | None:
    every = form.every
    if every is None or every.unit != "month":
        return _base(every) if every is not None else None
    return _base(Span(every.low * _DAYS_OF_MONTH, every.high * _DAYS_OF_MONTH, "day"))


def _spans_apart(one: _Range | None, other: _Range | None) -> Apart:
    if one is None or other is None:
        return "same" if one is other else "form"
    if one[2] != other[2]:
        return "different"
    if math.isclose(one[0], other[0]) and math.isclose(one[1], other[1]):
        return "same"
    meet = (one[0] <= other[1] or math.isclose(one[0], other[1])) and (other[0] <= one[1] or math.isclose(other[0], one[1]))
    return "overlapping" if meet else "different"
