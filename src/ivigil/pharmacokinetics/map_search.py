"""The most probable etas of many subjects at once: Fisher scoring with step control, then Newton steps on the exact curvature.

The objective of a subject is ``sum((y - f)^2 / v + ln v) + eta' Omega^-1 eta``, minus twice the logarithm of the joint density without its
constant, with ``f`` the predicted level and ``v`` its residual variance at these etas. Half of its curvature at the best etas is the inverse of
their covariance.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np

from ivigil.pharmacokinetics.fit_model import FitModel
from ivigil.pharmacokinetics.linear import Floats, Steps, predict
from ivigil.pharmacokinetics.saturable_steps import predict_saturable

MOST_STEPS = 60
CLOSE = 1e-5
"""Newton decrement (in units of the objective) below which the exact curvature takes over."""
DONE = 1e-10
"""Newton decrement at which the search ends."""
LONGEST = 1.5
"""The longest step of a search, in standard deviations of the population."""
NUDGE = 1e-4
"""Step of the differences of gradients, in standard deviations of the population."""
LATE = 8
"""Steps after which the exact curvature is worked out afresh at each."""
SAME = 0.3
"""Rise of the objective, by its curvature, within which a search is in the valley of the optimum already known."""
FAR = 40.0
"""Etas beyond which a trial is refused: the exponential would leave what numbers can hold."""


class Task(NamedTuple):
    """What a search needs beside the schedules."""

    compartments: int
    depot: bool
    active: tuple[int, ...]
    design: Floats
    """Active parameter, eta."""
    full: Floats
    """Every parameter, eta."""
    precision: Floats
    spread: Floats
    """Standard deviations of the etas."""
    add_sd: float
    prop_sd: float
    combined_sd: bool
    saturable: bool = False


def task_of(model: FitModel, depot: bool) -> Task:
    """The task of a model; ``depot`` tells whether these subjects have anything in the depot."""
    design, omega = model.design, model.omega
    active = tuple(int(place) for place in np.flatnonzero(np.any(design != 0, axis=1)))
    inverse: Floats = np.linalg.inv(omega).astype(np.float64)
    return Task(model.structure.compartments, depot, active, design[list(active)], design, inverse, np.sqrt(np.diag(omega)),
                model.residual.add_sd, model.residual.prop_sd, model.residual.kind == "combined-sd", model.saturable)


def curve(task: Task, steps: Steps, shift: Floats, active: tuple[int, ...] = ()) -> tuple[Floats, Floats]:
    """Levels and their derivatives under the model of the task: closed form, or steps of the saturable one."""
    return (predict_saturable if task.saturable else predict)(steps, shift, task.compartments, task.depot, active)


class Levels(NamedTuple):
    """Measured levels side by side, 0 where ``counts`` is 0, and what each eta is multiplied with."""

    value: Floats
    counts: Floats
    scale: Floats


class Optimum(NamedTuple):
    """Where a search ended.

    ``misfit`` is the sum of squared weighted residuals. ``bend`` tells how far the exact curvature is from that of a linear model, as the Frobenius
    norm of ``E^-1/2 (H - E) E^-1/2``: large where the objective is no parabola, and so may have other valleys.
    """

    eta: Floats
    objective: Floats
    curvature: Floats
    misfit: Floats
    bend: Floats
    settled: np.ndarray[tuple[int], np.dtype[np.bool_]]


def variance(task: Task, level: Floats) -> tuple[Floats, Floats]:
    """Residual variance at a predicted level, and its slope."""
    if task.combined_sd:
        sd = task.add_sd + task.prop_sd * level
        return np.maximum(sd * sd, 1e-300), 2 * sd * task.prop_sd
    return np.maximum(task.add_sd**2 + (task.prop_sd * level) ** 2, 1e-300), 2 * task.prop_sd**2 * level


def objectives(task: Task, steps: Steps, levels: Levels, eta: Floats) -> Floats:
    """The objective of several draws of etas (subject, draw, eta)."""
    shift = (eta * levels.scale[:, None, :]) @ task.full.T
    predicted, _ = curve(task, steps, shift)
    with np.errstate(over="ignore", invalid="ignore"):
        spread, _ = variance(task, predicted)
        fit = np.sum(levels.counts[:, None, :] * ((levels.value[:, None, :] - predicted) ** 2 / spread + np.log(spread)), axis=2)
    out: Floats = fit + np.einsum("ndk,kl,ndl->nd", eta, task.precision, eta)
    return out


def evaluate(task: Task, steps: Steps, levels: Levels, eta: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Objective, gradient, expected curvature and misfit at one set of etas per subject (subject, eta)."""
    shift = (eta * levels.scale) @ task.full.T
    predicted, slopes = curve(task, steps, shift[:, None, :], task.active)
    level = predicted[:, 0]
    slope = (slopes[:, 0] @ task.design) * levels.scale[:, None, :]
    spread, steep = variance(task, level)
    error = levels.value - level
    prior = eta @ task.precision
    misfit = np.sum(levels.counts * error * error / spread, axis=1)
    objective = misfit + np.sum(levels.counts * np.log(spread), axis=1) + np.sum(prior * eta, axis=1)
    pull = levels.counts * (-2 * error / spread + (1 - error * error / spread) * steep / spread)
    gradient = np.einsum("nl,nlk->nk", pull, slope) + 2 * prior
    weight = levels.counts * (2 / spread + (steep / spread) ** 2)
    curvature = np.einsum("nl,nlk,nlm->nkm", weight, slope, slope) + 2 * task.precision
    return objective, gradient, curvature, misfit


def exact_curvature(task: Task, steps: Steps, levels: Levels, eta: Floats, gradient: Floats) -> Floats:
    """Second derivatives of the objective from differences of the exact gradient."""
    count = eta.shape[1]
    out = np.empty((len(eta), count, count))
    for place in range(count):
        moved = eta.copy()
        step = NUDGE * task.spread[place]
        moved[:, place] += step
        out[:, place] = (evaluate(task, steps, levels, moved)[1] - gradient) / step
    return (out + np.swapaxes(out, 1, 2)) / 2


Part = TypeVar("Part", Steps, Levels)


def search(task: Task, steps: Steps, levels: Levels, start: Floats, known: Optimum | None = None) -> Optimum:
    """Search from one set of etas per subject. A search that falls into the valley of an optimum already ``known`` ends there, unsettled."""
    total, count = start.shape
    eta, exact = start.copy(), np.zeros((total, count, count))
    decrement, settled = np.full(total, np.inf), np.zeros(total, dtype=bool)
    objective, gradient, curvature, misfit = evaluate(task, steps, levels, eta)
    damping = np.zeros(total)
    newton = np.zeros(total, dtype=bool)
    open_ = np.arange(total)
    for turn in range(MOST_STEPS):
        if not open_.size:
            break
        used = np.where(newton[open_, None, None], exact[open_], curvature[open_])
        used = used + (damping[open_, None] * np.einsum("nkk->nk", curvature[open_]))[:, :, None] * np.eye(count)
        sound = ~newton[open_]
        sound[~sound] = _positive(used[~sound])
        better = sound.copy()
        at = open_[sound]
        step = -np.linalg.solve(used[sound], gradient[at][:, :, None])[:, :, 0]
        longest = np.max(np.abs(step) / task.spread, axis=1, initial=0.0)
        step *= np.minimum(1.0, LONGEST / np.maximum(longest, 1e-300))[:, None]
        trial = np.clip(eta[at] + step, -FAR, FAR)
        with np.errstate(all="ignore"):
            value, slope, around, off = evaluate(task, _rows(steps, at), _rows(levels, at), trial)
        falls = np.isfinite(value) & np.all(np.isfinite(slope), axis=1) & (value <= objective[at] + 1e-10 * (1 + np.abs(objective[at])))
        better[sound] = falls
        worse, at = open_[~better], open_[better]
        damping[worse] = np.maximum(damping[worse] * 6, 0.05)
        eta[at], objective[at], gradient[at], curvature[at] = trial[falls], value[falls], slope[falls], around[falls]
        misfit[at] = off[falls]
        damping[at] = np.where(damping[at] > 1e-3, damping[at] / 8, 0.0)
        plain = at[~newton[at]]
        decrement[plain] = _decrement(curvature[plain], gradient[plain])
        fresh = at if turn >= LATE else plain[decrement[plain] < CLOSE]
        if fresh.size:
            exact[fresh] = exact_curvature(task, _rows(steps, fresh), _rows(levels, fresh), eta[fresh], gradient[fresh])
            damping[fresh[~newton[fresh]]] = 0.0
            newton[fresh] = True
        sharp = at[newton[at]]
        whole = _positive(exact[sharp])
        decrement[sharp] = np.inf
        decrement[sharp[whole]] = _decrement(exact[sharp[whole]], gradient[sharp[whole]])
        settled[sharp] = decrement[sharp] < DONE
        going = ~settled[open_] & (damping[open_] < 1e12)
        if known is not None:
            away = eta[open_] - known.eta[open_]
            above = np.einsum("nk,nkl,nl->n", away, known.curvature[open_], away) / 2
            going &= (above > SAME) | (objective[open_] < known.objective[open_])
        open_ = open_[going]
    exact[~newton] = curvature[~newton]
    return Optimum(eta, objective, exact, misfit, _bend(exact, curvature), settled)


def _rows(parts: Part, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Part:
    make: Any = type(parts)._make
    picked: Part = make(part[rows] for part in parts)
    return picked


def _bend(exact: Floats, expected: Floats) -> Floats:
    inverse = np.linalg.inv(np.linalg.cholesky(expected))
    out: Floats = np.sqrt(np.sum((inverse @ (exact - expected) @ np.swapaxes(inverse, 1, 2)) ** 2, axis=(1, 2)))
    return out


def _decrement(curvature: Floats, gradient: Floats) -> Floats:
    out: Floats = np.abs(np.einsum("nk,nk->n", gradient, np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]))
    return out


def _positive(matrices: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each matrix is positive definite, by its eigenvalues."""
    out: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.min(np.linalg.eigvalsh(matrices), axis=1) > 0
    return out
