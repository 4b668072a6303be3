"""Levels of the saturable model on the schedules of many subjects, each with doses and times of its own, with derivatives. Arrays only.

Catabolism from plasma has the fractional rate ``max(kint - J / (Km + C), floor)``, C being total IgG; production is constant, so that without doses a
person stays at the baseline. Doses do not add up, and there is no closed form: Dormand and Prince's fifth-order steps, short after each change. How
many steps a subject takes depends on its typical parameters (and far from them on its own), never on who stands beside it: the objective has no jumps
where it matters. Derivatives are those of the steps themselves, exact to rounding: every parameter is moved by 1e-30 along the imaginary axis and the
imaginary part of the level is read. Against a tight reference levels err by less than 1e-4 g/L, and by less than 5e-3 g/L where they fall through the
level at which the catabolic rate meets its floor (``tests/pharmacokinetics/test_saturable_fit.py``).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ivigil.pharmacokinetics.linear import BASELINE, KA, PARAMETERS, VC, VP, F, Floats, Q, Steps
from ivigil.pharmacokinetics.saturable import STAGES, WEIGHTS

SATURABLE = (*PARAMETERS, "kint", "J", "Km", "floor")
"""The columns of every array of parameters of this model; CL has no meaning in it."""
KINT, J, KM, FLOOR = range(len(PARAMETERS), len(SATURABLE))
PHASES = ((2.0, 1 / 3, 0.6), (5.0, 0.5, 1.0), (np.inf, 1.0, 2.0))
"""Until so many days after a change: the longest step, and the longest in units of one over the quickest rate."""
_MOST = 4000
"""Steps of one phase beyond which a try is refused: such rates are no physiology."""
_TINY = 1e-30


class _Rates(NamedTuple):
    """What the derivative needs, all ``(subject, draw, direction)``."""

    kint: Any
    J: Any
    Km: Any
    floor: Any
    central: Any
    out: Any
    back: Any
    ka: Any
    made: Any
    quickest: Floats
    """An upper bound on the rates at which the solution can change (subject, draw): that of typical parameters, doubled until the own is below twice it."""


def predict_saturable(steps: Steps, shift: Floats, compartments: int, depot: bool, active: tuple[int, ...] = ()) -> tuple[Floats, Floats]:
    """Levels (subject, draw, level) and their derivatives by the logarithms of the ``active`` parameters; as ``linear.predict``, for the saturable model."""
    subjects, count = steps.dt.shape
    draws, levels = shift.shape[1], steps.level_set.shape[1]
    out, slopes = np.zeros((subjects, draws, levels)), np.zeros((subjects, draws, levels, len(active)))
    factor: Any = np.exp(shift)[:, :, None, :]
    if active:
        direction = np.zeros((len(active), shift.shape[2]), dtype=np.complex128)
        direction[np.arange(len(active)), list(active)] = 1j * _TINY
        factor = factor * np.exp(direction)
    everyone = np.arange(subjects)
    single = steps.typical.shape[1] == 1
    rates = _rates(steps.typical[:, 0, None, None, :], factor, compartments, depot)
    state = _at_rest(rates, steps.typical[:, 0, None, None, :] * factor)
    since = np.full(subjects, np.inf)
    before = np.zeros((2, subjects))
    for step in range(count):
        if not single and step:
            rates = _rates(steps.typical[everyone, steps.set[:, step], None, None, :], factor, compartments, depot)
        inflow = np.stack([steps.rate[:, step], steps.depot_rate[:, step]])
        since = np.where(np.any(inflow != before, axis=0), 0.0, since)
        before = inflow
        dt = steps.dt[:, step]
        if np.any(dt > 0):
            given = inflow[1][:, None, None] * factor[..., F] if depot else None
            state = _advance(rates, dt, since, inflow[0][:, None, None], given, state)
            since = since + dt
        who = np.flatnonzero(steps.level[:, step] >= 0)
        if who.size:
            at = steps.level[who, step]
            own = steps.typical[who, steps.level_set[who, at], None, None, :] * factor[who]
            found = state[0][who] / own[..., VC]
            out[who, :, at] = found[:, :, 0].real
            if active:
                slopes[who, :, at] = found.imag / _TINY
        empty = steps.reset[:, step]
        if np.any(empty):
            now = steps.typical[everyone, steps.set[:, step], None, None, :] * factor
            rest = _at_rest(rates, now)
            state = [np.where(empty[:, None, None], fresh, held) for fresh, held in zip(rest, state, strict=True)]
        state[0] = state[0] + steps.bolus[:, step, None, None]
        if depot:
            state[2] = state[2] + steps.depot_bolus[:, step, None, None] * factor[..., F]
        since = np.where(empty | (steps.bolus[:, step] > 0) | (steps.depot_bolus[:, step] > 0), 0.0, since)
    return out, slopes


def _rates(typical: Floats, factor: Any, compartments: int, depot: bool) -> _Rates:
    own = typical * factor
    exchange = own[..., Q] if compartments == 2 else np.zeros_like(own[..., Q])
    kint, strength, half, floor = own[..., KINT], own[..., J], own[..., KM], own[..., FLOOR]
    rest = own[..., BASELINE]
    made = _fraction(kint, strength, half, floor, rest) * rest * own[..., VC]
    usual = _quickest(typical, compartments, depot)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        doublings = np.ceil(np.log2(_quickest(own[:, :, 0].real, compartments, depot) / (2 * usual[:, :, 0])))
        quickest: Floats = usual[:, :, 0] * np.exp2(np.maximum(doublings, 0.0))
    return _Rates(kint, strength, half, floor, own[..., VC], exchange / own[..., VC], exchange / own[..., VP], own[..., KA], made, quickest)


def _quickest(own: Floats, compartments: int, depot: bool) -> Floats:
    """The sum of the rates out of plasma, tissue and depot."""
    exchange = own[..., Q] * (1 / own[..., VC] + 1 / own[..., VP]) if compartments == 2 else 0.0
    out: Floats = own[..., KINT] + exchange + (own[..., KA] if depot else 0.0)
    return out


def _fraction(kint: Any, strength: Any, half: Any, floor: Any, level: Any) -> Any:
    """The fractional catabolic rate; of two values the one with the larger real part, so that derivatives follow the branch that holds."""
    free = kint - strength / (half + level)
    return np.where(free.real >= floor.real, free, floor)


def _at_rest(rates: _Rates, own: Any) -> list[Any]:
    """Grams in plasma, in tissue and in the depot of a person at the baseline."""
    plasma = own[..., BASELINE] * own[..., VC]
    tissue = np.where(rates.back.real > 0, own[..., BASELINE] * own[..., VP], 0.0)
    return [plasma + 0 * rates.made, tissue + 0 * rates.made, np.zeros_like(rates.made)]


def _advance(rates: _Rates, dt: Floats, since: Floats, rate: Any, depot_rate: Any, state: list[Any]) -> list[Any]:
    """Carry every subject over its own stretch of time, phase by phase."""
    begun = since
    left = dt.copy()
    for until, longest, share in PHASES:
        part = np.minimum(left, np.maximum(until - begun, 0.0))
        left, begun = left - part, begun + part
        if not np.any(part > 0):
            continue
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            needed = np.ceil(part[:, None] / np.minimum(longest, share / rates.quickest) - 1e-9)
        wild = ~(needed <= _MOST)
        number = np.where(wild, 1.0, np.maximum(needed, 1.0))
        length = np.where(wild, np.nan, part[:, None] / number)
        for turn in range(int(number.max())):
            h = np.where(turn < number, length, 0.0)[:, :, None]
            state = _step(rates, h, rate, depot_rate, state)
    return state


def _step(rates: _Rates, h: Any, rate: Any, depot_rate: Any, state: list[Any]) -> list[Any]:
    """One fifth-order step."""
    slopes = [_slope(rates, rate, depot_rate, state)]
    for weights in STAGES[1:]:
        middle = [held + h * sum(weight * slope[place] for weight, slope in zip(weights, slopes, strict=True)) for place, held in enumerate(state)]
        slopes.append(_slope(rates, rate, depot_rate, middle))
    return [held + h * sum(weight * slope[place] for weight, slope in zip(WEIGHTS, slopes, strict=True) if weight) for place, held in enumerate(state)]


def _slope(rates: _Rates, rate: Any, depot_rate: Any, state: list[Any]) -> list[Any]:
    plasma, tissue, depot = state
    lost = _fraction(rates.kint, rates.J, rates.Km, rates.floor, plasma / rates.central) * plasma
    flow = rates.out * plasma - rates.back * tissue
    if depot_rate is None:
        return [rates.made + rate - lost - flow, flow, np.zeros_like(depot)]
    absorbed = rates.ka * depot
    return [rates.made + rate + absorbed - lost - flow, flow, depot_rate - absorbed]
