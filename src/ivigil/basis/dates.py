"""Calendar arithmetic as vaccination schedules and birthdays need it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from ivigil.basis.quantity import Quantity, UnitProblem


def add_months(start: date, months: int) -> date:
    """The same day number ``months`` later; where that day does not exist, the first of the next month.

    31 March + 8 months = 1 December: the rule of CDC's immunisation logic specification (CALCDT-5).
    """
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    try:
        return date(year, month + 1, start.day)
    except ValueError:
        year, month = divmod(index + 1, 12)
        return date(year, month + 1, 1)


def add(start: date, interval: Quantity) -> date:
    """``start`` plus a whole number of days, weeks, months or years.

    Raises:
        UnitProblem: the interval is not a whole number of one of these.
    """
    if interval.value != int(interval.value) or interval.unit not in {"day", "week", "month", "year"}:
        raise UnitProblem(f"{interval} is not a whole number of days, weeks, months or years")
    count = int(interval.value)
    if interval.unit == "month":
        return add_months(start, count)
    if interval.unit == "year":
        return add_months(start, 12 * count)
    return start + timedelta(days=count * (7 if interval.unit == "week" else 1))


@lru_cache(maxsize=64)
def years_between(born: date, on: date) -> float:
    """Exact age in years: whole birthdays plus the elapsed share of the current year of life."""
    whole = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    last = add_months(born, 12 * whole)
    following = add_months(born, 12 * (whole + 1))
    return whole + (on - last).days / (following - last).days
