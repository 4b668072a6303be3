"""The days of a forecast that a table or a small picture shows: today, before and after each course, and the weeks between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from ivigil.pharmacokinetics.forecast import Forecast

When = Literal["today", "before", "highest", "between"]

_WEEK, _SETTLING = 7.0, 3.0
"""Days between points, and after the highest level of an intravenous dose to where the steepest fall is over."""
_SHOWN = 12 * _WEEK
"""Days ahead, or three courses where those end sooner but are no shorter than ..."""
_LEAST = 8 * _WEEK
_COURSES = 3
BACK = _SHOWN
"""Days back to the oldest measured level that is shown."""


class Point(NamedTuple):
    """A day of the forecast, and what it is to the doses."""

    day: float
    when: When


def shown_until(made: Forecast) -> float:
    """The last day that is shown."""
    every = made.regimen.every
    end = made.regimen.start + max(_LEAST, min(_SHOWN, _COURSES * every)) if every is not None else made.regimen.start + _LEAST
    return min(end, float(made.times[-1]))


def points_of(made: Forecast) -> Iterator[Point]:
    """The points of the first curve, in order. The highest one lies where the curve has it."""
    plan, until, total = made.regimen, shown_until(made), made.curves[0].total
    if plan.start > 0:
        yield Point(0.0, "today")
        yield from (Point(day, "between") for day in _weeks(0.0, plan.start))
    step = plan.every if plan.every is not None else until - plan.start
    day = plan.start
    while day < until:
        yield Point(day, "before")
        end = min(day + step, until)
        inside = (made.times > day) & (made.times < end)
        top = float(made.times[inside][total[inside].argmax()])
        yield Point(top, "highest")
        settled = top + _SETTLING if plan.route == "intravenous" and top + _SETTLING < end else top
        if settled > top:
            yield Point(settled, "between")
        yield from (Point(week, "between") for week in _weeks(day, end) if week > settled)
        day += step
    yield Point(until, "before" if plan.every is not None and day <= until else "between")


def _weeks(start: float, end: float) -> Iterator[float]:
    day = start + _WEEK
    while day < end:
        yield day
        day += _WEEK
