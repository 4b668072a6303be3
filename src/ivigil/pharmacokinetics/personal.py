"""One person's own parameters under a published model, from the levels on record: the most probable deviations and how sure each is.

The objective is that of ``map_search``. Here one person with a long record is searched at a time: what a dose leaves is written down once for every
level (``_Table``), so that a try costs one matrix product however many doses there were. A test holds both searches to the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from ivigil.basis.quantity import number_text
from ivigil.evidence.kinetics import Model
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics import kernels
from ivigil.pharmacokinetics.baseline import Endogenous
from ivigil.pharmacokinetics.history import Given, History, Level
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.published import why_not_fitted
from ivigil.pharmacokinetics.typical import Person, individual_values, modes_of, residual_sd, scatter, setting, typical_values

MOST_STEPS = 60
DONE = 1e-9
"""Newton decrement (in units of the objective) at which a search ends, ..."""
_CLOSE = 1e-3
"""... and at which steps by the objective's own curvature take over from those by the expected one, which creep where the curve bends."""
_SAME_VALLEY = 0.01
"""Squared distance in posterior standard deviations at which a search that is behind is taken to end where the leading one does."""
_MOST_NEWTON = 6
_LONGEST = 1.5
"""The longest step, in standard deviations of the population."""
_FAR = 6.0
"""Standard deviations beyond which a try is refused."""
_NUDGE = 1e-4
"""Half the step of differences, in standard deviations of the population."""
_POOR = 4.0
"""How far the squared weighted residuals may exceed the number of levels, in their own standard deviations, before the fit is called poor."""
_STARTS = {"CL": 0.75, "kel": 1.0, "Vc": -1.5, "Vp": -1.5}
"""Quick clearance of small volumes and the reverse can give the same troughs: everybody is searched from both as well."""
BASELINE = "baseline"


class Individual(msgspec.Struct, frozen=True, eq=False):
    """One person's own parameters under a model: log deviations in the order of :func:`typical.scatter` and the baseline (g/L).

    ``covariance`` is that of the deviations and, last, of the logarithm of the baseline.
    """

    model: str
    etas: Array
    covariance: Array
    baseline: float


class Used(msgspec.Struct, frozen=True):
    """A level that the fit rests on: day, g/L, what the typical patient and the fitted one have there, and the weighted residual of the latter."""

    day: float
    value: float
    typical: float
    own: float
    residual: float


class PersonalFit(msgspec.Struct, frozen=True, eq=False):
    """What came of fitting one model. ``poor`` fits are shown with a warning; ``failed`` and ``impossible`` ones have no individual and say why.

    ``shrinkage`` is the variance left of each deviation over that of the population: near 1 the levels told nothing of it.
    """

    model: str
    status: Literal["fitted", "poor", "failed", "impossible"]
    why: str = ""
    individual: Individual | None = None
    levels: tuple[Used, ...] = ()
    shrinkage: dict[str, float] = {}
    objective: float | None = None


def levels_to_fit(history: History) -> tuple[Level, ...]:
    """The levels that can stand for the curve: drawn on treatment, at a time that means something. Those before treatment inform the baseline instead."""
    return tuple(level for level in history.levels if level.usable and "before-any-dose" not in level.kinds) if history.doses else ()


def personal_fit(model: Model, person: Person, past: Sequence[Given], levels: Sequence[Level], rest: Endogenous, evidence: Evidence) -> PersonalFit:
    """Fit one model to the levels of one person. ``past`` holds all doses, assumed ones too; ``rest`` is the baseline to start from.

    Raises:
        CannotCompute: a covariate that the model needs is unknown.
    """
    missing = why_not_fitted(model)
    if missing:
        return PersonalFit(model.id, "impossible", missing)
    names, omega = scatter(model)
    spread = rest.log_sd or _assumed_spread(evidence)
    whole = np.zeros((len(names) + 1, len(names) + 1))
    whole[:-1, :-1], whole[-1, -1] = omega, spread**2
    task = _Task(model, typical_values(model, person, evidence), names, rest.value, np.asarray(np.linalg.inv(whole)), np.sqrt(np.diag(whole)),
                 _table(past, np.array([level.day for level in levels])), np.array([level.value for level in levels]))
    pattern = np.array([_STARTS.get(name, 0.0) for name in (*names, BASELINE)]) * task.spread
    best = _search(task, np.stack([np.zeros_like(pattern), pattern, -pattern]))
    covariance = _covariance(task, best) if best is not None else None
    if best is None or covariance is None:
        return PersonalFit(model.id, "failed", "the search did not settle")
    own = Individual(model.id, best.eta[:-1], covariance, float(rest.value * np.exp(best.eta[-1])))
    expected, typical = _predicted(task, best.eta[np.newaxis])[:, 0], _predicted(task, np.zeros((1, len(pattern))))[:, 0]
    residual = (task.measured - expected) / _sd(task, expected)
    used = tuple(Used(level.day, level.value, float(before), float(after), float(off))
                 for level, before, after, off in zip(levels, typical, expected, residual, strict=True))
    count = len(used)
    poor = float(np.sum(residual**2)) > count + _POOR * np.sqrt(2 * count)
    why = f"its curve misses the levels by {number_text(round(float(np.sqrt(np.mean(residual**2))), 1))} standard deviations" if poor else ""
    shrinkage = {name: float(value) for name, value in zip((*names, BASELINE), np.diag(covariance) / task.spread**2, strict=True)}
    return PersonalFit(model.id, "poor" if poor else "fitted", why, own, used, shrinkage, best.objective)


def _assumed_spread(evidence: Evidence) -> float:
    """The log-scale standard deviation of a baseline that is only assumed."""
    cv = setting(evidence, "baseline-cv", "%") / 100
    return float(np.sqrt(np.log1p(cv * cv)))


class _Group(NamedTuple):
    """Doses of one route as seen from the levels: distinct ages and lengths, and how many grams of each every level holds (level, age)."""

    route: Route
    age: Array
    length: Array
    grams: Array


def _table(past: Sequence[Given], days: Array) -> tuple[_Group, ...]:
    found = []
    for route in dict.fromkeys(dose.route for dose in past):
        some = [dose for dose in past if dose.route == route]
        ages = days[:, np.newaxis] - np.array([dose.day for dose in some])
        lengths = np.broadcast_to(np.array([dose.length for dose in some]), ages.shape)
        pairs, which = np.unique(np.stack([ages.ravel(), lengths.ravel()], axis=1), axis=0, return_inverse=True)
        grams = np.zeros((days.size, len(pairs)))
        rows = np.repeat(np.arange(days.size), len(some))
        np.add.at(grams, (rows, which.ravel()), np.tile([dose.grams for dose in some], days.size))
        given = pairs[:, 0] > 0  # a level counts as drawn before a dose of the same moment
        found.append(_Group(route, pairs[given, 0], pairs[given, 1], grams[:, given]))
    return tuple(found)


class _Task(NamedTuple):
    model: Model
    typical: dict[str, float]
    names: tuple[str, ...]
    baseline: float
    precision: Array
    spread: Array
    table: tuple[_Group, ...]
    measured: Array


class _Found(NamedTuple):
    """An end of the search. ``curvature`` is that of the objective itself where ``polished``, else the expected one."""

    eta: Array
    objective: float
    curvature: Array
    polished: bool = False


def _predicted(task: _Task, etas: Array) -> Array:
    """Total IgG at every level for each row of deviations (level, row); the last deviation is that of the baseline."""
    values = individual_values(task.model, task.typical, task.names, etas[:, :-1])
    out = np.broadcast_to(task.baseline * np.exp(etas[:, -1]), (task.measured.size, len(etas))).copy()
    for group in task.table:
        out += group.grams @ kernels.impulses(modes_of(values, group.route), group.age, group.length, depot=group.route != "intravenous")
    return out


def _sd(task: _Task, level: Array) -> Array:
    sd = residual_sd(task.model, level)
    assert sd is not None
    return np.asarray(np.maximum(sd, 1e-12))


def _local(task: _Task, etas: Array) -> tuple[Array, Array, Array]:
    """Objective, gradient and expected curvature at each row of deviations; the slopes of the levels from differences to both sides. They may be infinite."""
    rows, count = etas.shape
    step = _NUDGE * task.spread
    moves = np.concatenate([np.zeros((1, count)), np.diag(step), -np.diag(step)])
    levels = _predicted(task, (etas[:, np.newaxis] + moves).reshape(-1, count)).reshape(-1, rows, 2 * count + 1)
    variances = _sd(task, levels) ** 2
    level, variance = levels[:, :, 0], variances[:, :, 0]
    slope = (levels[:, :, 1:count + 1] - levels[:, :, count + 1:]) / (2 * step)
    steep = (variances[:, :, 1:count + 1] - variances[:, :, count + 1:]) / (2 * step)
    error = task.measured[:, np.newaxis] - level
    prior = etas @ task.precision
    objective = np.sum(error**2 / variance + np.log(variance), axis=0) + np.sum(prior * etas, axis=1)
    gradient = np.einsum("ln,lnk->nk", -2 * error / variance, slope) + np.einsum("ln,lnk->nk", (1 - error**2 / variance) / variance, steep) + 2 * prior
    curvature = np.einsum("lnk,lnm->nkm", slope / variance[:, :, np.newaxis], slope) * 2 + 2 * task.precision
    curvature += np.einsum("lnk,lnm->nkm", steep / variance[:, :, np.newaxis] ** 2, steep)
    return objective, gradient, curvature


def _search(task: _Task, starts: Array) -> _Found | None:
    """Fisher scoring with step control from several places side by side, the best end of it polished; None where no search settles."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        near = _scored(task, starts, _CLOSE)
        if near is None:
            return None
        return _polished(task, near) or _scored(task, near.eta[np.newaxis], DONE)


def _scored(task: _Task, starts: Array, done: float) -> _Found | None:
    """The lowest place at which a search with the expected curvature settles to the decrement ``done``. One that nears a better one is not carried on."""
    etas, damping, settled = starts.copy(), np.zeros(len(starts)), np.zeros(len(starts), dtype=bool)
    diagonal = np.eye(starts.shape[1])
    objective, gradient, curvature = _local(task, etas)
    for _ in range(MOST_STEPS):
        at = np.flatnonzero(~settled)
        if not at.size:
            break
        damped = curvature[at] * (1 + damping[at, np.newaxis, np.newaxis] * diagonal)
        step = -np.linalg.solve(damped, gradient[at][:, :, np.newaxis])[:, :, 0]
        longest = np.max(np.abs(step) / task.spread, axis=1)
        step *= np.minimum(1.0, _LONGEST / np.maximum(longest, 1e-300))[:, np.newaxis]
        trial = np.clip(etas[at] + step, -_FAR * task.spread, _FAR * task.spread)
        value, slope, around = _local(task, trial)
        falls = np.isfinite(value) & (value <= objective[at] + 1e-12 * (1 + np.abs(objective[at])))
        worse, better = at[~falls], at[falls]
        damping[worse] = np.maximum(damping[worse] * 6, 0.05)
        settled[worse] = damping[worse] > 1e9  # a corner: a bioavailability held at 1
        gain = objective[better] - value[falls]
        etas[better], objective[better], gradient[better], curvature[better] = trial[falls], value[falls], slope[falls], around[falls]
        damping[better] = np.where(damping[better] > 1e-3, damping[better] / 8, 0.0)
        left = np.linalg.solve(curvature[better], gradient[better][:, :, np.newaxis])[:, :, 0]
        settled[better] = (np.sum(gradient[better] * left, axis=1) < done) | ((damping[better] == 0) & (gain < done))
        first = int(np.argmin(objective))
        away = etas - etas[first]
        behind = np.einsum("nk,nkm,nm->n", away, curvature, away) < 2 * _SAME_VALLEY
        behind[first] = False
        settled |= behind
    if not np.any(settled):
        return None
    best = int(np.argmin(np.where(settled, objective, np.inf)))
    return _Found(etas[best], float(objective[best]), curvature[best])


def _polished(task: _Task, near: _Found) -> _Found | None:
    """Newton's method with the objective's own curvature, from close by; None where it does not lead downhill to the end."""
    eta, before = near.eta, near.objective
    for _ in range(_MOST_NEWTON):
        objective, gradient, curvature = _exact(task, eta)
        if not objective <= before + 1e-10 * (1 + abs(before)) or not _definite(curvature):
            return None
        step = np.linalg.solve(curvature, gradient)
        if float(gradient @ step) < DONE:
            return _Found(eta, objective, curvature, polished=True)
        eta, before = eta - step, objective
    return None


def _exact(task: _Task, eta: Array) -> tuple[float, Array, Array]:
    """Objective, gradient and second derivatives of the objective itself at one place, the last by differences of the gradient to both sides."""
    step = 50 * _NUDGE * task.spread
    values, slopes, _ = _local(task, np.concatenate([eta[np.newaxis], eta + np.diag(step), eta - np.diag(step)]))
    rows = (slopes[1:eta.size + 1] - slopes[eta.size + 1:]) / (2 * step[:, np.newaxis])
    return float(values[0]), slopes[0], np.asarray((rows + rows.T) / 2)


def _definite(curvature: Array) -> bool:
    return bool(np.all(np.isfinite(curvature))) and float(np.min(np.linalg.eigvalsh(curvature))) > 0


def _covariance(task: _Task, found: _Found) -> Array | None:
    """The inverse of half the curvature of the objective itself; where that is no covariance, of the expected one. None when neither is."""
    for curvature in (found.curvature if found.polished else _exact(task, found.eta)[2], found.curvature):
        if _definite(curvature):
            return np.asarray(2 * np.linalg.inv(curvature))
    return None
