"""The full posterior of each subject by importance resampling, with its effective sample size.

Etas are proposed from a multivariate t around the best ones with their covariance, a share of them from the population itself so that no part of the
posterior is out of reach, and weighted with the true posterior over the proposal: exact in the limit of many draws, whatever its shape. Where few draws
carry the weight, the proposal moves to the mean and covariance that the first draws show, and the better of both is kept. The effective sample size is
``(sum w)^2 / sum w^2``. A subject's draws depend on the seed and on its ID only, not on who stands beside it.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, NamedTuple

import numpy as np

from ivigil.pharmacokinetics.event_table import Table
from ivigil.pharmacokinetics.fit_model import FitModel
from ivigil.pharmacokinetics.linear import Floats, Steps
from ivigil.pharmacokinetics.map_search import Levels, Task, curve, objectives, task_of
from ivigil.pharmacokinetics.schedule import Schedule

FREEDOM = 5.0
"""Degrees of freedom of the proposal: its tails are heavier than those of any posterior here."""
FROM_POPULATION = 0.2
"""Share of the proposals that come from the population."""
ENOUGH = 0.5
"""Effective share of the draws below which the proposal is improved."""
ROUNDS = 3
_AT_ONCE = 250_000
"""Subject-draws side by side."""


class Draws(NamedTuple):
    """Equally likely draws of the etas (subject, draw, eta), the effective sample size behind them, and what each predicts for each row of the level table.

    ``levels`` has a row per entry of the level table and a column per draw; measurement error is not in it.
    """

    eta: Floats
    ess: Floats
    levels: Floats


def draw(model: FitModel, table: Table, plan: Schedule, scale: Floats, eta: Floats, covariance: Floats, number: int, seed: int) -> Draws:
    """``number`` draws for every subject that was fitted."""
    from ivigil.pharmacokinetics.individualise import blocks, levels_of

    subjects, count = eta.shape
    out = Draws(np.full((subjects, number, count), np.nan), np.full(subjects, np.nan), np.full((len(plan.row), number), np.nan))
    who, omega = np.flatnonzero(np.all(np.isfinite(eta), axis=1)), model.omega
    for block in blocks(plan, who):
        task = task_of(model, bool(plan.with_depot[block[0]]))
        size = max(1, _AT_ONCE // number)
        for first in range(0, len(block), size):
            some = block[first:first + size]
            levels = levels_of(table, plan, some, scale)
            steps = plan.block(some)
            names = [table.ids[subject] for subject in some]
            proposed, weight = _weighted(task, steps, levels, _propose(names, eta[some], covariance[some], omega, number, seed, 0))
            for turn in range(1, ROUNDS):
                poor = np.flatnonzero(_effective(weight) < ENOUGH * number)
                if not poor.size:
                    break
                centre, spread = _moments(proposed[poor], weight[poor])
                part = Levels(*(values[poor] for values in levels))
                found = _propose([names[place] for place in poor], centre, spread, omega, number, seed, turn)
                moved, heavier = _weighted(task, Steps._make(values[poor] for values in steps), part, found)
                better = _effective(heavier) > _effective(weight[poor])
                proposed[poor[better]], weight[poor[better]] = moved[better], heavier[better]
            out.ess[some] = _effective(weight)
            for place, subject in enumerate(some):
                chosen = _systematic(weight[place], _generator(seed, table.ids[subject], ROUNDS).random())
                out.eta[subject] = proposed[place, chosen]
            predicted, _ = curve(task, steps, (out.eta[some] * scale[some][:, None, :]) @ task.full.T)
            for place, subject in enumerate(some):
                rows = slice(int(plan.first_level[subject]), int(plan.first_level[subject + 1]))
                out.levels[rows] = predicted[place, :, :rows.stop - rows.start].T
    return out


def _generator(seed: int, name: str, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed * (ROUNDS + 1) + stream, zlib.crc32(name.encode())]))


def _propose(names: list[str], centre: Floats, covariance: Floats, omega: Floats, number: int, seed: int, stream: int) -> tuple[Floats, Floats]:
    """Draws for each subject from the mixture of a t and the population, and the logarithm of its density."""
    count = centre.shape[1]
    standard, radius = np.empty((len(names), number, count)), np.empty((len(names), number))
    for place, name in enumerate(names):
        source = _generator(seed, name, stream)
        standard[place] = source.standard_normal((number, count))
        radius[place] = source.chisquare(FREEDOM, number) / FREEDOM
    own = int(number * (1 - FROM_POPULATION))
    root, wide = np.linalg.cholesky(covariance), np.linalg.cholesky(omega)
    draws = np.empty_like(standard)
    draws[:, :own] = centre[:, None, :] + np.einsum("nkl,ndl->ndk", root, standard[:, :own] / np.sqrt(radius[:, :own])[:, :, None])
    draws[:, own:] = standard[:, own:] @ wide.T
    away = np.einsum("nkl,ndl->ndk", np.linalg.inv(root), draws - centre[:, None, :])
    constant = math.lgamma((FREEDOM + count) / 2) - math.lgamma(FREEDOM / 2) - count / 2 * math.log(FREEDOM * math.pi)
    narrow = constant - np.log(np.einsum("nkk->nk", root)).sum(axis=1)[:, None] - (FREEDOM + count) / 2 * np.log1p(np.sum(away**2, axis=2) / FREEDOM)
    population = -count / 2 * math.log(2 * math.pi) - np.log(np.diag(wide)).sum() - np.sum((draws @ np.linalg.inv(wide).T) ** 2, axis=2) / 2
    return draws, np.logaddexp(math.log(own / number) + narrow, math.log1p(-own / number) + population)


def _weighted(task: Task, steps: Steps, levels: Levels, proposed: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """The draws, and weights that add up to 1 for each subject."""
    draws, density = proposed
    log = -objectives(task, steps, levels, draws) / 2 - density
    log = np.where(np.isfinite(log), log, -np.inf)
    weight: Floats = np.exp(log - np.max(log, axis=1)[:, None])
    return draws, weight / weight.sum(axis=1)[:, None]


def _effective(weight: Floats) -> Any:
    return 1 / np.sum(weight**2, axis=1)


def _moments(draws: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and covariance, with a floor that keeps it positive definite."""
    centre = np.einsum("nd,ndk->nk", weight, draws)
    away = draws - centre[:, None, :]
    spread = np.einsum("nd,ndk,ndl->nkl", weight, away, away)
    return centre, spread + 1e-6 * np.eye(draws.shape[2])


def _systematic(weight: Floats, offset: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Systematic resampling: one random offset, even steps through the cumulated weights."""
    number = len(weight)
    edges = np.cumsum(weight)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(number) + offset) / number)
