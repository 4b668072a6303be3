"""Rate arithmetic: mg/kg/min, mL/kg/h, g/h and mL/h for one strength and one weight, and the steps of an infusion in time.

Knows no product, no label and no policy. Flows are in mL/h, times in hours from the start, volumes in mL, weights in kg; strengths are
given in percent w/v (10 % is 10 g/dL).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from ivigil.basis.quantity import Quantity, UnitProblem


class Rung(msgspec.Struct, frozen=True):
    """A rate to keep: ``flow`` in mL/h for ``hold`` hours; None where no time is printed, or until the volume is in."""

    flow: float
    hold: float | None = None


class Stretch(msgspec.Struct, frozen=True):
    """One row of an infusion table. ``start`` and ``end`` in hours, ``volume`` and ``total`` in mL; None where the length is not printed."""

    flow: float
    start: float | None
    end: float | None
    volume: float | None
    total: float | None


def strength(percent: float) -> float:
    """IgG in mg/mL of a ``percent`` w/v solution."""
    return Quantity(percent, "g/dL").in_unit("mg/mL")


def flow(rate: Quantity, percent: float, weight: float) -> float:
    """Any printed rate as mL/h for this strength and weight.

    Raises:
        UnitProblem: ``rate`` is not a rate of volume or mass, with or without body mass.
    """
    if rate.dimension == "volume rate":
        return rate.in_unit("mL/h")
    if rate.dimension == "volume rate per body mass":
        return rate.in_unit("mL/kg/h") * weight
    if rate.dimension == "mass rate per body mass":
        return rate.in_unit("mg/kg/h") * weight / strength(percent)
    if rate.dimension == "mass rate":
        return Quantity(rate.in_unit("g/h"), "g").in_unit("mg") / strength(percent)
    raise UnitProblem(f"{rate} is a {rate.dimension}, not an infusion rate; write for example '4 mg/kg/min' or '120 mL/h'")


def restrictive(rate: Quantity, also: Quantity | None, percent: float, weight: float) -> float:
    """A rate printed in two units as mL/h: the lower of the two readings, because labels round (0.07 for 0.067 mL/kg/min)."""
    first = flow(rate, percent, weight)
    return first if also is None else min(first, flow(also, percent, weight))


def mass_rate(flow_ml_h: float, percent: float, weight: float) -> float:
    """mL/h as mg/kg/min."""
    return Quantity(flow_ml_h * strength(percent) / weight, "mg/kg/h").in_unit("mg/kg/min")


def weight_rate(flow_ml_h: float, weight: float) -> float:
    """mL/h as mL/kg/h."""
    return flow_ml_h / weight


def round_down(flow_ml_h: float, increment: float) -> float:
    """The highest multiple of the pump's increment that is not above the flow; the flow itself when the increment is nought."""
    if increment <= 0:
        return flow_ml_h
    return tidy(math.floor(tidy(flow_ml_h / increment)) * increment)


def tidy(value: float) -> float:
    """The value without float dust (0.30000000000000004 -> 0.3)."""
    return float(f"{value:.6f}")


def ladder(start: Rung, between: Sequence[Rung], cap: float, *, by: float = 0.0, times: float = 0.0, every: float | None = None) -> list[Rung]:
    """The rungs from ``start`` up to ``cap`` (mL/h), which is the last one and lasts until the volume is in.

    ``between`` are steps printed between the two; from the last of them the rate rises ``by`` so many mL/h, or ``times`` so much, each
    ``every`` so many hours. No rung is above ``cap``.
    """
    rungs = [rung for rung in (start, *between) if tidy(rung.flow) < tidy(cap)]
    while rungs and (by > 0 or times > 1):
        following = rungs[-1].flow + by if by > 0 else rungs[-1].flow * times
        if tidy(following) >= tidy(cap):
            break
        rungs.append(Rung(following, every))
    return [*rungs, Rung(cap)]


def climb(rungs: Sequence[Rung], volume: float) -> tuple[Stretch, ...]:
    """The rows in time. The volumes add up to ``volume`` exactly, and the last row ends when it is in.

    A rung without a printed time takes none here, so the end is the earliest possible one; its row and the starts after it stay open.
    """
    rows: list[Stretch] = []
    clock, given, open_ended = 0.0, 0.0, False
    for number, rung in enumerate(rungs, start=1):
        start = None if open_ended else tidy(clock)
        if rung.hold is None and number < len(rungs):
            rows.append(Stretch(rung.flow, start, None, None, None))
            open_ended = True
            continue
        left = volume - given
        portion = left if rung.hold is None else rung.flow * rung.hold
        if number == len(rungs) or tidy(portion) >= tidy(left):
            rows.append(Stretch(rung.flow, start, tidy(clock + left / rung.flow), tidy(left), tidy(volume)))
            break
        portion = tidy(portion)
        clock, given = clock + (rung.hold or 0.0), given + portion
        rows.append(Stretch(rung.flow, start, tidy(clock), portion, tidy(given)))
    return tuple(rows)


def clock(start: datetime, hours: float | None) -> str | None:
    """The wall-clock time ``hours`` after ``start`` to the minute: ``13:05``, or ``02:10 +1 d`` on the next day."""
    if hours is None:
        return None
    then = start + timedelta(minutes=round(Quantity(hours, "h").in_unit("min")))
    later = (then.date() - start.date()).days
    time = f"{then.hour:02}:{then.minute:02}"
    return f"{time} +{later} d" if later else time
