"""Linear disposition of infused IgG on arrays: one or two compartments, infusions and depots, over many patients at once.

Every linear model here is a sum of exponentials. :func:`modes` turns clearances and volumes into rates and amplitudes once; everything else
is arithmetic on them and is exact: no step size, no integration error. Days, grams and litres throughout, so concentrations are g/L.
Arrays of patients have shape ``(n,)``; curves have shape ``(times, n)``. A curve at the very moment of a dose shows the level just before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
BLOCK = 8192
"""Patients worked on together on a grid: their state and one row of output stay in the processor's cache."""
_EQUAL = 1e-6
"""An absorption rate this close (relatively) to a disposition rate is moved this far from it; the curve changes by less than one part in a million."""
_GRID_SLACK = 1e-9


class Modes(NamedTuple):
    """The exponentials of some patients: rates (1/day) and what one gram contributes to each (g/L), intravenously or from a depot.

    All three have shape ``(exponentials, n)``. The last row belongs to absorption when there is a depot; its intravenous part is nought.
    """

    rates: Array
    intravenous: Array
    depot: Array

    @property
    def slowest(self) -> Array:
        """The slowest rate of disposition of each patient (1/day); absorption does not count."""
        return np.asarray(np.min(np.where(self.intravenous > 0, self.rates, np.inf), axis=0))


class Doses(NamedTuple):
    """Doses given to all patients at the same moments: days, grams ``(k,)`` or ``(k, n)``, length of the infusion in days, depot or vein."""

    times: Array
    grams: Array
    lengths: Array
    depot: NDArray[np.bool_]


def doses(times: ArrayLike, grams: ArrayLike, lengths: ArrayLike = 0.0, depot: ArrayLike = False) -> Doses:
    """Doses from anything that fills arrays. A depot dose has no length: absorption spreads it.

    Raises:
        ValueError: shapes differ, a time or amount is not finite, an amount or a length is negative.
    """
    at = np.atleast_1d(np.asarray(times, dtype=np.float64))
    amount = np.atleast_1d(np.asarray(grams, dtype=np.float64))
    if amount.shape[0] != at.shape[0]:
        amount = np.broadcast_to(amount, at.shape) if amount.ndim == 1 and amount.size == 1 else amount
    long = np.broadcast_to(np.asarray(lengths, dtype=np.float64), at.shape)
    under = np.broadcast_to(np.asarray(depot, dtype=np.bool_), at.shape)
    if at.ndim != 1 or amount.shape[0] != at.shape[0] or amount.ndim > 2:
        raise ValueError("one amount per dose, or one row of amounts per dose")
    if not (np.all(np.isfinite(at)) and np.all(np.isfinite(amount)) and np.all(np.isfinite(long))):
        raise ValueError("times, amounts and lengths are finite numbers")
    if np.any(amount < 0) or np.any(long < 0):
        raise ValueError("amounts and lengths are not negative")
    return Doses(at, amount, np.where(under, 0.0, long), under)


def modes(clearance: ArrayLike, central: ArrayLike, exchange: ArrayLike | None = None, peripheral: ArrayLike | None = None,
          absorption: ArrayLike | None = None, bioavailability: ArrayLike = 1.0) -> Modes:
    """Rates and amplitudes from clearance (L/day), volumes (L), exchange (L/day), absorption (1/day) and bioavailability.

    Without ``exchange`` and ``peripheral`` there is one compartment. The differences of exponents are formed without cancellation.

    Raises:
        ValueError: a parameter is not finite and above nought.
    """
    given = [np.asarray(item, dtype=np.float64) for item in (clearance, central, exchange, peripheral, absorption) if item is not None]
    if not all(item.min() > 0 and item.max() < np.inf for item in given):
        raise ValueError("clearance, volumes, exchange and absorption are finite and above nought")
    if (exchange is None) != (peripheral is None):
        raise ValueError("a second compartment needs both its volume and the exchange with it")
    shapes = {item.shape for item in given}
    shape = shapes.pop() if len(shapes) == 1 and given[0].ndim and np.ndim(bioavailability) == 0 else np.broadcast_shapes(
        (1,), *(item.shape for item in given), np.shape(bioavailability))
    volume = _broad(central, shape)
    k10 = _broad(np.asarray(clearance, dtype=np.float64) / volume, shape)
    if exchange is None or peripheral is None:
        rates, weights = k10[np.newaxis].copy(), 1.0 / volume[np.newaxis]
    else:
        flow = _broad(exchange, shape)
        k12, k21 = flow / volume, flow / np.asarray(peripheral, dtype=np.float64)
        lead = k10 + k12 - k21
        spread = np.sqrt(lead * lead + 4.0 * k12 * k21)
        larger = 0.5 * (np.abs(lead) + spread)
        smaller = k12 * k21 / larger
        above, below = np.where(lead >= 0, larger, smaller), np.where(lead >= 0, smaller, larger)
        fast = 0.5 * (k10 + k12 + k21 + spread)
        rates = np.stack([fast, k10 * k21 / fast])
        weights = np.stack([above, below]) / (volume * spread)
    if absorption is None:
        return Modes(rates, weights, np.zeros_like(weights))
    ka = np.broadcast_to(np.asarray(absorption, dtype=np.float64), shape).copy()
    for rate in rates:
        near = np.abs(ka - rate) < _EQUAL * rate
        ka = np.where(near, rate * (1.0 + _EQUAL), ka)
    absorbed = weights * (np.asarray(bioavailability, dtype=np.float64) * ka / (ka - rates))
    return Modes(np.concatenate([rates, ka[np.newaxis]]), np.concatenate([weights, np.zeros_like(weights[:1])]),
                 np.concatenate([absorbed, -absorbed.sum(axis=0, keepdims=True)]))


def _broad(values: ArrayLike, shape: tuple[int, ...]) -> Array:
    """An array of that shape; one that has it already goes through untouched."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.shape == shape else np.broadcast_to(array, shape)


def joined(parts: Sequence[Modes]) -> Modes:
    """The patients of several models side by side; a model with fewer exponentials gets empty ones."""
    rows = max(part.rates.shape[0] for part in parts)

    def padded(array: Array, fill: float) -> Array:
        return np.concatenate([array, np.full((rows - array.shape[0], array.shape[1]), fill)]) if array.shape[0] < rows else array

    return Modes(np.concatenate([padded(part.rates, 1.0) for part in parts], axis=1),
                 np.concatenate([padded(part.intravenous, 0.0) for part in parts], axis=1),
                 np.concatenate([padded(part.depot, 0.0) for part in parts], axis=1))


def picked(exponentials: Modes, patients: Array | NDArray[np.int64]) -> Modes:
    """Some of the patients, by index."""
    return Modes(*(part[:, patients] for part in exponentials))


def _spread_out(rates: Array, since: Array | float, length: Array | float) -> Array:
    """What is left of each exponential ``since`` days after the start of a dose of one gram given over ``length`` days; nought before it."""
    elapsed = np.asarray(since, dtype=np.float64)
    given = np.minimum(elapsed, length)
    left = np.exp(-rates * np.maximum(elapsed - given, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        during = -np.expm1(-rates * np.maximum(given, 0.0)) / (rates * length)
    share = np.where(np.asarray(length) > 0, during, 1.0)
    return np.where(elapsed > 0, share * left, 0.0)


def impulses(exponentials: Modes, ages: Array, lengths: Array, *, depot: bool) -> Array:
    """What one gram leaves at each age: days since it was started, given over that length. Shape ``(ages, n)``; nought before it."""
    weights = exponentials.depot if depot else exponentials.intravenous
    out = np.zeros((ages.size, weights.shape[1]))
    for rate, weight in zip(exponentials.rates, weights, strict=True):
        out += weight * _spread_out(rate, ages[:, np.newaxis], lengths[:, np.newaxis])
    return out


def superposed(exponentials: Modes, given: Doses, times: ArrayLike) -> Array:
    """Concentration of infused IgG at any times, in any order: the sum of what every dose left. Shape ``(times, n)``.

    Between two changes (a dose, the start or the end of an infusion) every exponential runs to its own resting value, so each output costs one
    exponential function per compartment, however many doses there were.
    """
    at = np.atleast_1d(np.asarray(times, dtype=np.float64))
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    rates = exponentials.rates
    out = np.zeros((at.size, rates.shape[1]))
    changes = np.array(sorted({*given.times.tolist(), *(given.times + given.lengths).tolist()}))  # np.unique would load numpy.ma
    state, resting = np.zeros_like(rates), np.zeros_like(rates)
    for index, now in enumerate(changes):
        starting = np.flatnonzero(given.times == now)
        running = np.flatnonzero((given.times <= now) & (given.times + given.lengths > now))
        for dose in starting:
            if given.lengths[dose] == 0:
                state = state + (exponentials.depot if given.depot[dose] else exponentials.intravenous) * given.grams[dose]
        resting = np.zeros_like(rates)
        for dose in running:
            resting = resting + exponentials.intravenous * (given.grams[dose] / given.lengths[dose]) / rates
        until = changes[index + 1] if index + 1 < changes.size else np.inf
        low, high = np.searchsorted(ordered, now, side="right"), np.searchsorted(ordered, until, side="right")
        if high > low:
            since = (ordered[low:high] - now)[:, np.newaxis]
            for rate, part, rest in zip(rates, state, resting, strict=True):
                left = np.exp(-rate * since)
                left *= part - rest
                left += rest
                out[order[low:high]] += left
        if until < np.inf:
            left = np.exp(-rates * (until - now))
            state = resting - resting * left + state * left
    return out


class Push(NamedTuple):
    """What a dose adds to the exponentials by the next grid time: which dose, into which row, how much of each gram is left there."""

    row: int
    dose: int
    depot: bool
    share: Array


def doses_on_grid(exponentials: Modes, given: Doses, start: float, step: float, count: int) -> list[Push]:
    """Every dose cut at the grid times. Equal cuts share one array, so that a year of regular doses computes few exponentials."""
    known: dict[tuple[float, float, float], Array] = {}
    found: list[Push] = []
    for index, when in enumerate(given.times):
        length = float(given.lengths[index])
        row = int(np.floor((when - start) / step + _GRID_SLACK)) + 1
        begun, end = when, when + length
        first = True
        while row < count and (first or begun < end - _GRID_SLACK):
            edge = start + row * step
            if edge >= start - _GRID_SLACK and row >= 0:
                stop = min(end, edge)
                key = (round(edge - begun, 9), round(stop - begun, 9), length)
                if key not in known:
                    piece = (stop - begun) / length if length > 0 else 1.0
                    known[key] = piece * _spread_out(exponentials.rates, edge - begun, stop - begun)
                found.append(Push(row, index, bool(given.depot[index]), known[key]))
                begun = stop
            else:  # before the first output: carried to it at once
                stop = min(end, start)
                left = _spread_out(exponentials.rates, start - begun, stop - begun)
                found.append(Push(0, index, bool(given.depot[index]), left * ((stop - begun) / length if length > 0 else 1.0)))
                begun, row = stop, 0
            row += 1
            first = False
    return sorted(found, key=lambda push: push.row)


def on_grid(exponentials: Modes, given: Doses, count: int, step: float = 1.0, start: float = 0.0, out: Array | None = None) -> Array:
    """Concentration of infused IgG at ``start``, ``start + step`` ... by the exact recurrence ``z <- z exp(-rate step)``. Shape ``(count, n)``.

    Doses may lie anywhere, also before ``start``; several million patients need memory for the curves only.
    """
    rates = exponentials.rates
    patients = rates.shape[1]
    curve = np.empty((count, patients)) if out is None else out
    pushes = doses_on_grid(exponentials, given, start, step, count)
    decay = np.exp(-rates * step)
    for low in range(0, patients, BLOCK):
        block = slice(low, min(low + BLOCK, patients))
        state, left = np.zeros_like(rates[:, block]), np.ascontiguousarray(decay[:, block])
        inside = [(push.row, _amounts(given, push, block) * (exponentials.depot if push.depot else exponentials.intravenous)[:, block] * push.share[:, block])
                  for push in pushes]
        coming = 0
        for row in range(count):
            if row:
                np.multiply(state, left, out=state)
            while coming < len(inside) and inside[coming][0] == row:
                state += inside[coming][1]
                coming += 1
            target = curve[row, block]
            if len(state) == 1:
                target[:] = state[0]
            else:
                np.add(state[0], state[1], out=target)
                for more in state[2:]:
                    np.add(target, more, out=target)
    return curve


def _amounts(given: Doses, push: Push, block: slice) -> Array:
    return np.asarray(given.grams[push.dose][block] if given.grams.ndim == 2 else given.grams[push.dose])


def at_steady_state(exponentials: Modes, pattern: Doses, interval: ArrayLike, phases: ArrayLike) -> Array:
    """Concentration of infused IgG at ``phases`` (days from the start of an interval) once a pattern of doses repeats for ever. Shape ``(phases, n)``.

    The closed form: what a dose leaves, summed over all earlier intervals, is a geometric series. ``interval`` may differ between patients.
    Phase 0 and phase ``interval`` are both the trough before the first dose of the pattern when that is given at 0.

    Raises:
        ValueError: an infusion or a dose time of the pattern does not fit into the interval.
    """
    every = np.asarray(interval, dtype=np.float64)
    if np.any(pattern.times < 0) or np.any(pattern.times[:, np.newaxis] + pattern.lengths[:, np.newaxis] > np.atleast_1d(every) + _GRID_SLACK):
        raise ValueError("the pattern of doses fits into one interval")
    at = np.atleast_1d(np.asarray(phases, dtype=np.float64))
    rates = exponentials.rates
    again = -np.expm1(-rates * every)
    chunk = max(1, BLOCK // rates.shape[1])
    out = np.zeros((at.size, rates.shape[1]))
    for index, when in enumerate(pattern.times):
        weights = (exponentials.depot if pattern.depot[index] else exponentials.intravenous) * pattern.grams[index]
        length = pattern.lengths[index]
        whole = _spread_out(rates, every + length, length) * np.exp(rates * length)  # from the start of the dose to one interval later
        earlier = weights * whole / again
        for low in range(0, at.size, chunk):
            since = (at[low:low + chunk] - when)[np.newaxis, :, np.newaxis]
            left = earlier[:, np.newaxis] * np.exp(-rates[:, np.newaxis] * since)
            left += weights[:, np.newaxis] * _spread_out(rates[:, np.newaxis], since, length)
            out[low:low + chunk] += left.sum(axis=0)
    return out


def exposure(exponentials: Modes, *, depot: bool) -> Array:
    """Area under the curve of one gram from the dose to infinity (g/L x day)."""
    return np.asarray(np.sum((exponentials.depot if depot else exponentials.intravenous) / exponentials.rates, axis=0))
