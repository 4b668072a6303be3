"""A second way to the most probable etas: one subject at a time, sums of exponentials, scipy's BFGS on differences, several starts.

Shares no code with ``ivigil.pharmacokinetics``: models are plain dictionaries, and the levels come from macro constants (Gibaldi and Perrier,
Pharmacokinetics, 2nd ed., chapter 2), not from steps. Used to check the estimator (``tools/check_fits.py``, ``tests/pharmacokinetics``).
"""

from __future__ import annotations

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


def levels(p: dict[str, float], person: Person, times: Floats) -> Floats:
    """Levels at some times, for constant parameters."""
    k10, exchange = p["CL"] / p["Vc"], p.get("Q", 0.0)
    if exchange:
        k12, k21 = exchange / p["Vc"], exchange / p["Vp"]
        half, inner = (k10 + k12 + k21) / 2, math.sqrt((k10 + k12 + k21) ** 2 - 4 * k10 * k21) / 2
        alpha, beta = half + inner, half - inner
        parts = [((alpha - k21) / (alpha - beta), alpha), ((k21 - beta) / (alpha - beta), beta)]
    else:
        parts = [(1.0, k10)]
    since = times[None, :] - person.dose_time[:, None]
    on = since > 0
    since = np.where(on, since, 0.0)
    out = np.zeros_like(since)
    long = np.where(person.duration > 0, person.duration, 1.0)[:, None]
    running = np.minimum(since, long)
    infusion = (person.duration > 0)[:, None]
    ka = p.get("ka", 0.0)
    for weight, rate in parts:
        bolus = np.exp(-rate * since)
        shape = np.where(infusion, (1 - np.exp(-rate * running)) * np.exp(-rate * (since - running)) / (rate * long), bolus)
        if ka:
            shape = np.where(person.into_depot[:, None], p.get("F", 1.0) * ka / (ka - rate) * (bolus - np.exp(-ka * since)), shape)
        out += weight * shape
    total: Floats = (on * person.amount[:, None] * out).sum(axis=0) / p["Vc"] + p.get("baseline", 0.0)
    return total


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
