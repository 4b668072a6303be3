"""Levels of one- and two-compartment linear models in closed form, with their derivatives. Arrays only.

Amounts in the depot, the central and the peripheral compartment follow ``dD/dt = -ka D + rate``, ``dA/dt = -K A + (rate + ka D) e1`` with
``K = [[k10 + k12, -k21], [-k12, k21]]``, ``k10 = CL/Vc``, ``k12 = Q/Vc``, ``k21 = Q/Vp`` (the shared equations of every model card). Parameters
are constant within a step, so a step is exact: any function of the matrix is ``f(K) = c0 + c1 K`` with ``c1 = (f(alpha) - f(beta)) / (alpha - beta)``
and ``c0 = f(beta) - beta c1``, where alpha and beta are its eigenvalues (Sylvester's formula). Three functions are needed: ``exp(-x t)`` for what is
there, ``(1 - exp(-x t)) / x`` for an infusion, ``ka (exp(-x t) - exp(-ka t)) / (ka - x)`` for absorption. Differentiating c0, c1 and K gives the
sensitivities, which are carried along with the amounts. Units are the caller's: any consistent amount, volume and time.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

PARAMETERS = ("CL", "Vc", "Q", "Vp", "ka", "F", "baseline")
"""The columns of every array of parameters, in this order."""
CL, VC, Q, VP, KA, F, BASELINE = range(len(PARAMETERS))
_NEAR = 0.03
"""Below this difference of two exponents their quotient of differences is summed as a series."""


class Steps(NamedTuple):
    """The schedules of ``n`` subjects side by side, padded to the longest: columns are steps, levels or parameter sets.

    A step lasts ``dt`` at constant infusion rates; at its end, in this order, the amounts are taken to the steady state of interval ``steady``
    (where that is not 0), the level ``level`` is read (where that is not -1), the amounts are emptied (``reset``), and the boluses are given.
    Amounts into the depot already carry the typical bioavailability.
    """

    dt: Floats
    rate: Floats
    depot_rate: Floats
    bolus: Floats
    depot_bolus: Floats
    steady: Floats
    reset: NDArray[np.bool_]
    level: Whole
    set: Whole
    level_set: Whole
    typical: Floats
    """Typical parameters: subject, set, parameter."""


class _Rates(NamedTuple):
    k10: Any
    k12: Any
    k21: Any
    ka: Any
    fast: Any
    slow: Any
    root: Any


def predict(steps: Steps, shift: Floats, compartments: int, depot: bool, active: tuple[int, ...] = ()) -> tuple[Floats, Floats]:
    """Levels of every subject, and their derivatives with respect to the logarithms of the ``active`` parameters.

    ``shift`` (subject, draw, parameter) is added to the logarithm of each typical parameter; a draw is another try at the same subject's
    parameters. Gives levels (subject, draw, level) and derivatives (subject, draw, level, active parameter). ``depot`` false skips the depot.
    """
    subjects, count = steps.dt.shape
    draws = shift.shape[1]
    levels = steps.level_set.shape[1]
    out = np.zeros((subjects, draws, levels))
    slopes = np.zeros((subjects, draws, levels, len(active)))
    factor = np.exp(shift)
    amounts = [np.zeros((subjects, draws)) for _ in range(3)]
    moved = {name: [np.zeros((subjects, draws)) for _ in range(3)] for name in active if name != BASELINE}
    single = steps.typical.shape[1] == 1
    rates = _rates(steps.typical[:, 0, None, :] * factor, compartments)
    everyone = np.arange(subjects)
    for step in range(count):
        if not single and step:
            rates = _rates(steps.typical[everyone, steps.set[:, step], None, :] * factor, compartments)
        dt = steps.dt[:, step, None]
        if np.any(dt > 0):
            _advance(rates, dt, steps.rate[:, step, None], steps.depot_rate[:, step, None] * factor[:, :, F], amounts, moved, depot)
        who = np.flatnonzero(steps.steady[:, step] > 0)
        if who.size:
            _to_steady_state(rates, steps.steady[:, step, None], amounts, moved, depot, who)
        who = np.flatnonzero(steps.level[:, step] >= 0)
        if who.size:
            at = steps.level[who, step]
            own = steps.typical[who, steps.level_set[who, at], None, :] * factor[who]
            _read(own, amounts, moved, active, who, at, out, slopes)
        if np.any(steps.reset[:, step]):
            kept = ~steps.reset[:, step, None]
            for held in (amounts, *moved.values()):
                for place in range(3):
                    held[place] = held[place] * kept
        amounts[1] = amounts[1] + steps.bolus[:, step, None]
        if depot:
            given = steps.depot_bolus[:, step, None] * factor[:, :, F]
            amounts[0] = amounts[0] + given
            if F in moved:
                moved[F][0] = moved[F][0] + given
    return out, slopes


def _rates(own: Floats, compartments: int) -> _Rates:
    """Rate constants and eigenvalues. One compartment is two that do not exchange; the second is never filled and its rate is arbitrary."""
    k10 = own[..., CL] / own[..., VC]
    if compartments == 1:
        k12, k21 = np.zeros_like(k10), 2 * k10
    else:
        k12, k21 = own[..., Q] / own[..., VC], own[..., Q] / own[..., VP]
    total = k10 + k12 + k21
    root = np.sqrt((k10 + k12 - k21) ** 2 + 4 * k12 * k21)
    fast = (total + root) / 2
    return _Rates(k10, k12, k21, own[..., KA], fast, k10 * k21 / fast, root)


class _Function(NamedTuple):
    """``c0 + c1 K`` and the derivatives of c0 and c1 with respect to k10, k12, k21, and ka where the function contains it."""

    c0: Any
    c1: Any
    slopes: tuple[tuple[Any, Any], ...]
    """(of c0, of c1), for k10, k12, k21."""
    by_ka: tuple[Any, Any] | None = None


def _function(rates: _Rates, at_fast: Any, at_slow: Any, slope_fast: Any, slope_slow: Any, ka_fast: Any = None, ka_slow: Any = None) -> _Function:
    """From the values and slopes of a function at both eigenvalues."""
    root, fast, slow = rates.root, rates.fast, rates.slow
    c1 = (at_fast - at_slow) / root
    c0 = at_slow - slow * c1
    slopes = []
    for product in (rates.k21, 0.0, rates.k10):  # the derivative of k10 k21; that of the sum of the rates is 1
        d_fast, d_slow = (fast - product) / root, (product - slow) / root
        d_c1 = (slope_fast * d_fast - slope_slow * d_slow - c1 * (d_fast - d_slow)) / root
        slopes.append((slope_slow * d_slow - slow * d_c1 - c1 * d_slow, d_c1))
    by_ka = None
    if ka_fast is not None:
        d_c1 = (ka_fast - ka_slow) / root
        by_ka = (ka_slow - slow * d_c1, d_c1)
    return _Function(c0, c1, tuple(slopes), by_ka)


def _applied(rates: _Rates, function: _Function, first: Any, second: Any) -> tuple[Any, Any]:
    """``f(K) x``."""
    into = (rates.k10 + rates.k12) * first - rates.k21 * second
    back = rates.k21 * second - rates.k12 * first
    return function.c0 * first + function.c1 * into, function.c0 * second + function.c1 * back


def _applied_slopes(rates: _Rates, function: _Function, first: Any, second: Any) -> tuple[tuple[Any, Any], ...]:
    """``(df/dk) (K) x`` for k10, k12 and k21."""
    into = (rates.k10 + rates.k12) * first - rates.k21 * second
    back = rates.k21 * second - rates.k12 * first
    moved = ((first, 0.0), (first, -first), (-second, second))
    return tuple((d0 * first + d1 * into + function.c1 * m0, d0 * second + d1 * back + function.c1 * m1)
                 for (d0, d1), (m0, m1) in zip(function.slopes, moved, strict=True))


def _remaining(rates: _Rates, dt: Any) -> _Function:
    """``exp(-K t)``."""
    at_fast, at_slow = np.exp(-rates.fast * dt), np.exp(-rates.slow * dt)
    return _function(rates, at_fast, at_slow, -dt * at_fast, -dt * at_slow)


def _infused(rates: _Rates, dt: Any) -> _Function:
    """The integral of ``exp(-K s)`` over the step: what a rate of 1 leaves."""
    values = [-np.expm1(-k * dt) / k for k in (rates.fast, rates.slow)]
    return _function(rates, values[0], values[1], *((dt * np.exp(-k * dt) - v) / k for k, v in zip((rates.fast, rates.slow), values, strict=True)))


def _absorbed(rates: _Rates, dt: Any) -> _Function:
    """What an amount of 1 in the depot at the start of the step leaves at its end."""
    ka = rates.ka
    values, slopes, by_ka = [], [], []
    for k in (rates.fast, rates.slow):
        ratio, by_k, by_other = divided(k, ka, dt)
        values.append(ka * ratio)
        slopes.append(ka * by_k)
        by_ka.append(ratio + ka * by_other)
    return _function(rates, values[0], values[1], slopes[0], slopes[1], by_ka[0], by_ka[1])


def divided(first: Any, second: Any, dt: Any) -> tuple[Any, Any, Any]:
    """``(exp(-a t) - exp(-b t)) / (b - a)`` and its derivatives by a and b, also where a and b are nearly equal."""
    at_first, at_second = np.exp(-first * dt), np.exp(-second * dt)
    gap = second - first
    x = gap * dt
    near = np.abs(x) < _NEAR
    safe = np.where(near, 1.0, gap)
    small = np.where(near, x, 0.0)
    ratio = np.where(near, dt * at_first * _series(small, 1), (at_first - at_second) / safe)
    by_first = np.where(near, -dt * dt * at_first * _series(small, 2), (ratio - dt * at_first) / safe)
    by_second = np.where(near, -dt * dt * at_second * _series(-small, 2), (dt * at_second - ratio) / safe)
    return ratio, by_first, by_second


def _series(x: Any, order: int) -> Any:
    """``sum over i of (-x)^i / (i + order)!`` (times nothing): order 1 is ``(1 - exp(-x)) / x``, order 2 ``(1 - order 1) / x``."""
    total, term, divisor = 0.0, np.ones_like(x), 1.0
    for number in range(2, order + 1):
        divisor *= number
    for number in range(8):
        total = total + term / divisor
        term = -term * x
        divisor *= number + order + 1
    return total


def _advance(rates: _Rates, dt: Any, rate: Any, depot_rate: Any, amounts: list[Any], moved: dict[int, list[Any]], depot: bool) -> None:
    """Carry amounts and sensitivities over one step."""
    remaining = _remaining(rates, dt)
    depot_infused = depot and bool(np.any(depot_rate > 0))
    infused = _infused(rates, dt) if depot_infused or np.any(rate > 0) else None
    absorbed = _absorbed(rates, dt) if depot else None
    _, first, second = amounts
    after = _applied(rates, remaining, first, second)
    by_rate = _applied_slopes(rates, remaining, first, second) if moved else ()
    sources: list[tuple[_Function, Any]] = []
    if infused is not None:
        sources.append((infused, rate + depot_rate if depot_infused else rate))
    if absorbed is not None:
        sources.append((absorbed, amounts[0] - (depot_rate / rates.ka if depot_infused else 0.0)))
    for function, strength in sources:
        gained = _applied(rates, function, 1.0, 0.0)
        after = (after[0] + strength * gained[0], after[1] + strength * gained[1])
        if moved:
            slopes = _applied_slopes(rates, function, 1.0, 0.0)
            by_rate = tuple((a + strength * c, b + strength * d) for (a, b), (c, d) in zip(by_rate, slopes, strict=True))
    for name, held in moved.items():
        own = _applied(rates, remaining, held[1], held[2])
        extra = _own_change(name, rates, by_rate)
        new = [own[0] + extra[0], own[1] + extra[1]]
        if absorbed is not None and name in {KA, F}:
            gained = _applied(rates, absorbed, 1.0, 0.0)
            strength = held[0]
            if name == KA:
                strength = strength + (depot_rate / rates.ka if depot_infused else 0.0)
                assert absorbed.by_ka is not None
                d0, d1 = absorbed.by_ka
                source = rates.ka * sources[-1][1]
                new[0] = new[0] + source * (d0 + d1 * (rates.k10 + rates.k12))
                new[1] = new[1] - source * d1 * rates.k12
            elif depot_infused:
                assert infused is not None
                strength = strength - depot_rate / rates.ka
                flow = _applied(rates, infused, 1.0, 0.0)
                new = [new[0] + depot_rate * flow[0], new[1] + depot_rate * flow[1]]
            new = [new[0] + strength * gained[0], new[1] + strength * gained[1]]
            left = np.exp(-rates.ka * dt)
            if name == KA:
                kept = held[0] * left - rates.ka * dt * left * amounts[0]
                if depot_infused:
                    kept = kept + depot_rate * (dt * left - (1 - left) / rates.ka)
            else:
                kept = held[0] * left + (depot_rate * (1 - left) / rates.ka if depot_infused else 0.0)
            held[0] = kept
        held[1], held[2] = new
    if depot:
        left = np.exp(-rates.ka * dt)
        amounts[0] = amounts[0] * left + (depot_rate * (1 - left) / rates.ka if depot_infused else 0.0)
    amounts[1], amounts[2] = after


def _own_change(name: int, rates: _Rates, by_rate: tuple[tuple[Any, Any], ...]) -> tuple[Any, Any]:
    """From derivatives by k10, k12, k21 to the one by the logarithm of a parameter."""
    if name == CL:
        return rates.k10 * by_rate[0][0], rates.k10 * by_rate[0][1]
    if name == VC:
        return (-rates.k10 * by_rate[0][0] - rates.k12 * by_rate[1][0], -rates.k10 * by_rate[0][1] - rates.k12 * by_rate[1][1])
    if name == Q:
        return (rates.k12 * by_rate[1][0] + rates.k21 * by_rate[2][0], rates.k12 * by_rate[1][1] + rates.k21 * by_rate[2][1])
    if name == VP:
        return -rates.k21 * by_rate[2][0], -rates.k21 * by_rate[2][1]
    return 0.0, 0.0


def _read(own: Floats, amounts: list[Any], moved: dict[int, list[Any]], active: tuple[int, ...], who: Whole, at: Whole, out: Floats, slopes: Floats) -> None:
    """Write the level ``at`` of subjects ``who``: central amount over volume, plus baseline."""
    volume = own[..., VC]
    exogenous = amounts[1][who] / volume
    out[who, :, at] = exogenous + own[..., BASELINE]
    for place, name in enumerate(active):
        if name == BASELINE:
            slope = own[..., BASELINE]
        else:
            slope = moved[name][1][who] / volume
            if name == VC:
                slope = slope - exogenous
        slopes[who, :, at, place] = slope


def _to_steady_state(rates: _Rates, interval: Any, amounts: list[Any], moved: dict[int, list[Any]], depot: bool, who: Whole) -> None:
    """From what one dose leaves after an interval, ``w``, to what endless doses leave: ``x = exp(-K t) x + w``, with its sensitivities."""
    rates = _Rates(*(part[who] for part in rates))
    interval = interval[who]
    remaining = _remaining(rates, interval)
    absorbed = _absorbed(rates, interval) if depot else None
    held = [part[who] for part in amounts]
    left = np.exp(-rates.ka * interval)
    kept = [held[0] / (1 - left) if depot else held[0]]
    gained = _applied(rates, absorbed, 1.0, 0.0) if absorbed is not None else (0.0, 0.0)
    kept += _solved(rates, remaining, held[1] + kept[0] * gained[0], held[2] + kept[0] * gained[1])
    slopes = _applied_slopes(rates, remaining, kept[1], kept[2])
    if absorbed is not None:
        more = _applied_slopes(rates, absorbed, 1.0, 0.0)
        slopes = tuple((a + kept[0] * c, b + kept[0] * d) for (a, b), (c, d) in zip(slopes, more, strict=True))
    for name, parts in moved.items():
        own = [part[who] for part in parts]
        extra = _own_change(name, rates, slopes)
        first, second = own[1] + extra[0], own[2] + extra[1]
        if absorbed is not None and name in {KA, F}:
            if name == KA:
                own[0] = own[0] - rates.ka * interval * left * kept[0]
                assert absorbed.by_ka is not None
                d0, d1 = absorbed.by_ka
                first = first + rates.ka * kept[0] * (d0 + d1 * (rates.k10 + rates.k12))
                second = second - rates.ka * kept[0] * d1 * rates.k12
            own[0] = own[0] / (1 - left)
            first, second = first + own[0] * gained[0], second + own[0] * gained[1]
        own[1], own[2] = _solved(rates, remaining, first, second)
        for part, value in zip(parts, own, strict=True):
            part[who] = value
    for part, value in zip(amounts, kept, strict=True):
        part[who] = value


def _solved(rates: _Rates, remaining: _Function, first: Any, second: Any) -> list[Any]:
    """``(1 - exp(-K t))^-1 x``, by Cramer's rule."""
    a = 1 - remaining.c0 - remaining.c1 * (rates.k10 + rates.k12)
    b = remaining.c1 * rates.k21
    c = remaining.c1 * rates.k12
    d = 1 - remaining.c0 - remaining.c1 * rates.k21
    determinant = a * d - b * c
    return [(d * first - b * second) / determinant, (a * second - c * first) / determinant]
