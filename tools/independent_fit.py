"""A second way to the most probable etas: one subject at a time, sums of exponentials, scipy's BFGS on differences, several starts.

Shares no code with ``ivigil.pharmacokinetics``: models are plain dictionaries, and the levels come from macro constants (Gibaldi and Perrier,
Pharmacokinetics, 2nd ed., chapter 2), not from steps; those of the saturable model from the classical fourth-order Runge-Kutta method in steps of a
tenth of a day (held against scipy's solver by ``tests/pharmacokinetics``), compiled where numba is there. Used to check the estimator
(``tools/check_fits.py``, ``tests/pharmacokinetics``).
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]


class Person(NamedTuple):
    """Single doses (time, amount, whether into the depot, duration), levels (time, value) and weight."""

    dose_time: Floats
    amount: Floats
    into_depot: NDArray[np.bool_]
    duration: Floats
    time: Floats
    level: Floats
    weight: float


class Plain(NamedTuple):
    """Typical values, weight exponents (reference 70), etas with omega, residual error."""

    typical: dict[str, float]
    exponents: dict[str, float]
    etas: tuple[str, ...]
    omega: Floats
    add_sd: float
    prop_sd: float
    combined_sd: bool = False


STEP = 0.1
"""Days: the longest step of the saturable model."""


def levels(p: dict[str, float], person: Person, times: Floats) -> Floats:
    """Levels at some times, for constant parameters."""
    if "kint" in p:
        order = np.argsort(times, kind="stable")
        constants = np.array([p[name] for name in ("kint", "J", "Km", "floor", "Vc", "Vp", "Q", "ka", "F", "baseline")])
        found = np.empty(len(times))
        found[order] = _runge_kutta(constants, person.dose_time, person.amount, person.into_depot, person.duration, times[order], STEP)
        return found
    k10, exchange = p["CL"] / p["Vc"], p.get("Q", 0.0)
    first, second = (1.0, k10), (0.0, k10)
    if exchange:
        k12, k21 = exchange / p["Vc"], exchange / p["Vp"]
        half, inner = (k10 + k12 + k21) / 2, math.sqrt((k10 + k12 + k21) ** 2 - 4 * k10 * k21) / 2
        alpha, beta = half + inner, half - inner
        first, second = ((alpha - k21) / (alpha - beta), alpha), ((k21 - beta) / (alpha - beta), beta)
    macro = np.array([*first, *second, p.get("ka", 0.0), p.get("F", 1.0), p["Vc"], p.get("baseline", 0.0)])
    return _superposed(macro, person.dose_time, person.amount, person.into_depot, person.duration, times)


def _superposed(p: Floats, start: Floats, amount: Floats, depot: NDArray[np.bool_], duration: Floats, times: Floats) -> Floats:
    """Every dose's own sum of exponentials, added up."""
    first, alpha, second, beta, ka, share, central, rest = p
    out = np.zeros(len(times))
    for row in range(len(times)):
        for dose in range(len(start)):
            since = times[row] - start[dose]
            if since <= 0:
                continue
            for weight, rate in ((first, alpha), (second, beta)):
                if depot[dose]:
                    left = share * ka / (ka - rate) * (math.exp(-rate * since) - math.exp(-ka * since))
                elif duration[dose] > 0:
                    running = min(since, duration[dose])
                    left = (1 - math.exp(-rate * running)) * math.exp(-rate * (since - running)) / (rate * duration[dose])
                else:
                    left = math.exp(-rate * since)
                out[row] += weight * amount[dose] * left / central
        out[row] += rest
    return out


def _runge_kutta(p: Floats, start: Floats, amount: Floats, depot: NDArray[np.bool_], duration: Floats, times: Floats, longest: float) -> Floats:
    """Total IgG at increasing times, from rest at the baseline; a level at the moment of a dose is the one before it."""
    kint, strength, half, floor, central, outer, exchange, ka, share, rest = p
    made = max(kint - strength / (half + rest), floor) * rest * central
    a, b, d = rest * central, rest * outer, 0.0
    changes = np.unique(np.concatenate((start, start + duration, times, np.zeros(1))))
    out = np.zeros(len(times))
    read, now = 0, min(0.0, changes[0])
    for moment in changes:
        rate = made
        for place in range(len(start)):
            if duration[place] > 0 and start[place] <= now and now < start[place] + duration[place] - 1e-9:
                rate += amount[place] / duration[place]
        steps = int(np.ceil((moment - now) / longest - 1e-9))
        h = (moment - now) / steps if steps > 0 else 0.0
        for _ in range(steps):
            k1a = rate + ka * d - max(kint - strength / (half + a / central), floor) * a - exchange * (a / central - b / outer)
            k1b = exchange * (a / central - b / outer)
            a2, b2, d2 = a + h / 2 * k1a, b + h / 2 * k1b, d * (1 - h / 2 * ka)
            k2a = rate + ka * d2 - max(kint - strength / (half + a2 / central), floor) * a2 - exchange * (a2 / central - b2 / outer)
            k2b = exchange * (a2 / central - b2 / outer)
            a3, b3, d3 = a + h / 2 * k2a, b + h / 2 * k2b, d - h / 2 * ka * d2
            k3a = rate + ka * d3 - max(kint - strength / (half + a3 / central), floor) * a3 - exchange * (a3 / central - b3 / outer)
            k3b = exchange * (a3 / central - b3 / outer)
            a4, b4, d4 = a + h * k3a, b + h * k3b, d - h * ka * d3
            k4a = rate + ka * d4 - max(kint - strength / (half + a4 / central), floor) * a4 - exchange * (a4 / central - b4 / outer)
            k4b = exchange * (a4 / central - b4 / outer)
            a += h / 6 * (k1a + 2 * k2a + 2 * k3a + k4a)
            b += h / 6 * (k1b + 2 * k2b + 2 * k3b + k4b)
            d -= h / 6 * ka * (d + 2 * d2 + 2 * d3 + d4)
        now = moment
        while read < len(times) and times[read] <= now:
            out[read] = a / central
            read += 1
        for place in range(len(start)):
            if start[place] == moment:
                if depot[place]:
                    d += share * amount[place]
                elif duration[place] == 0:
                    a += amount[place]
    return out


if importlib.util.find_spec("numba") is not None:
    from numba import njit

    _runge_kutta = njit(cache=True)(_runge_kutta)
    _superposed = njit(cache=True, error_model="numpy")(_superposed)


def own(model: Plain, eta: Sequence[float] | Floats, weight: float) -> dict[str, float]:
    """Individual parameters."""
    moved = dict(zip(model.etas, eta, strict=True))
    return {name: value * (weight / 70.0) ** model.exponents.get(name, 0.0) * math.exp(moved.get(name, 0.0)) for name, value in model.typical.items()}


def error_sd(model: Plain, f: Floats) -> Floats:
    """Residual standard deviation."""
    return model.add_sd + model.prop_sd * f if model.combined_sd else np.sqrt(model.add_sd**2 + (model.prop_sd * f) ** 2)


def objective(eta: Floats, model: Plain, person: Person, inverse: Floats) -> float:
    """Minus twice the logarithm of the joint density, without its constant."""
    try:
        f = levels(own(model, eta, person.weight), person, person.time)
        sd = error_sd(model, f)
        value = float(np.sum(((person.level - f) / sd) ** 2 + 2 * np.log(sd)) + eta @ inverse @ eta)
    except (OverflowError, ZeroDivisionError, FloatingPointError):
        return 1e12
    return value if math.isfinite(value) else 1e12


def independent_fit(model: Plain, person: Person, seed: int, starts: int = 4) -> tuple[Floats, float]:
    """The best of several searches: from nought and from random draws of the population."""
    inverse = np.linalg.inv(model.omega)
    source = np.random.default_rng(seed)
    best: Any = None
    with np.errstate(all="ignore"):
        for number in range(starts):
            start = np.zeros(len(model.etas)) if number == 0 else source.multivariate_normal(np.zeros(len(model.etas)), model.omega)
            found = minimize(objective, start, (model, person, inverse), method="BFGS", jac="3-point", options={"gtol": 1e-6})
            if best is None or found.fun < best.fun:
                best = found
        found = minimize(objective, best.x, (model, person, inverse), method="BFGS", jac="3-point", options={"gtol": 1e-7})
        best = found if found.fun < best.fun else best
    return np.asarray(best.x), float(best.fun)
