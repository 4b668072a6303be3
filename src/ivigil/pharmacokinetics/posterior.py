"""The full posterior of each subject by importance resampling, with its effective sample size.

Etas are proposed from a multivariate t around the best ones with their covariance, and weighted with the true posterior over the proposal:
exact in the limit of many draws, whatever its shape. The effective sample size is ``(sum w)^2 / sum w^2``. A subject's draws depend on the seed
and on its ID only, not on who stands beside it.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from ivigil.pharmacokinetics.event_table import Table
from ivigil.pharmacokinetics.fit_model import FitModel
from ivigil.pharmacokinetics.linear import Floats, predict
from ivigil.pharmacokinetics.map_search import objectives, task_of
from ivigil.pharmacokinetics.schedule import Schedule

FREEDOM = 5.0
"""Degrees of freedom of the proposal: its tails are heavier than those of any posterior here."""
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
    who = np.flatnonzero(np.all(np.isfinite(eta), axis=1))
    for block in blocks(plan, who):
        task = task_of(model, bool(plan.with_depot[block[0]]))
        size = max(1, _AT_ONCE // number)
        for first in range(0, len(block), size):
            some = block[first:first + size]
            proposed, density = _propose(some, table, eta, covariance, number, seed)
            levels = levels_of(table, plan, some, scale)
            steps = plan.block(some)
            weight = -objectives(task, steps, levels, proposed) / 2 - density
            weight = np.exp(np.where(np.isfinite(weight), weight, -np.inf) - np.max(weight, axis=1, initial=-np.inf, where=np.isfinite(weight))[:, None])
            weight /= weight.sum(axis=1)[:, None]
            out.ess[some] = 1 / np.sum(weight**2, axis=1)
            for place, subject in enumerate(some):
                chosen = _systematic(weight[place], _generator(seed, table.ids[subject], 1).random())
                out.eta[subject] = proposed[place, chosen]
            predicted, _ = predict(steps, (out.eta[some] * scale[some][:, None, :]) @ task.full.T, task.compartments, task.depot)
            for place, subject in enumerate(some):
                rows = slice(int(plan.first_level[subject]), int(plan.first_level[subject + 1]))
                out.levels[rows] = predicted[place, :, :rows.stop - rows.start].T
    return out


def _generator(seed: int, name: str, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=[seed * 2 + stream, zlib.crc32(name.encode())]))


def _propose(some: np.ndarray[tuple[int], np.dtype[np.int64]], table: Table, eta: Floats, covariance: Floats, number: int, seed: int) -> tuple[Floats, Floats]:
    """Draws of a multivariate t for each subject, and the logarithm of its density without constants."""
    count = eta.shape[1]
    standard, radius = np.empty((len(some), number, count)), np.empty((len(some), number))
    for place, subject in enumerate(some):
        source = _generator(seed, table.ids[subject], 0)
        standard[place] = source.standard_normal((number, count))
        radius[place] = source.chisquare(FREEDOM, number) / FREEDOM
    standard /= np.sqrt(radius)[:, :, None]
    root = np.linalg.cholesky(covariance[some])
    density = -(FREEDOM + count) / 2 * np.log1p(np.sum(standard**2, axis=2) / FREEDOM)
    return eta[some][:, None, :] + np.einsum("nkl,ndl->ndk", root, standard), density


def _systematic(weight: Floats, offset: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Systematic resampling: one random offset, even steps through the cumulated weights."""
    number = len(weight)
    edges = np.cumsum(weight)
    edges[-1] = 1.0
    return np.searchsorted(edges, (np.arange(number) + offset) / number)
