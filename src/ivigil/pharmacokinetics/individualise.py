"""From doses given and levels measured to a person's own parameters: check, prepare, fit, report. Many people at once; no failure is silent.

``fit_many(model, events, observations)`` is the whole of it. What it minimises stands in ``map_search``; how tables are read, and what refuses a
subject, in ``event_table``; how covariates hold between records in ``schedule``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ivigil.basis.problems import BadInput, Problem
from ivigil.pharmacokinetics.event_table import Events, Flags, Found, Table, read_table
from ivigil.pharmacokinetics.fit_model import FitModel, check_model, typical_values
from ivigil.pharmacokinetics.linear import BASELINE, CL, VC, Floats, Whole
from ivigil.pharmacokinetics.map_search import Levels, Optimum, curve, search, task_of, variance
from ivigil.pharmacokinetics.posterior import Draws, draw
from ivigil.pharmacokinetics.schedule import Hold, Schedule, schedule

if TYPE_CHECKING:
    from ivigil.pharmacokinetics.fast_fit import Prepared

BLOCK = 2048
"""Subjects worked on side by side; their arrays stay in the cache."""
LARGE_ETA = (1.5, 1.8)
"""Standard deviations of the population beyond which an eta asks for further starts: for the two on the trade of volume for clearance, for all others.

Of 120,000 simulated patients of six structures, all searched from everywhere, those who gained by it lay beyond the first of each pair."""
POOR_FIT = 4.0
"""How far the sum of squared weighted residuals may exceed the number of levels, in its own standard deviations, before further starts."""
BENT = (0.25, 0.4)
"""How far the curvature may be from that of a linear model before further starts, likewise."""
GAIN = 1e-7
"""The least fall of the objective that makes another start the answer."""
Report = Callable[[int, int], None]


class LevelTable(NamedTuple):
    """Every level and every row that asks for one: subject, row as given, time, measured (NaN where only asked), typical and individual prediction, IWRES."""

    subject: Whole
    row: Whole
    time: Floats
    dv: Floats
    typical: Floats
    individual: Floats
    residual: Floats


class Fits(NamedTuple):
    """One entry per subject, in the order in which the table names them; NaN where nothing was fitted.

    ``status`` is ``converged``, ``second-start`` (another start led to a better optimum), ``prior-only`` (no usable level: typical values) or
    ``failed: why``. ``covariance`` is that of the etas, ``shrinkage`` their variance over the population's (1: the levels told nothing).
    ``parameters`` are those at the subject's last level, or last row.
    """

    ids: list[str]
    status: list[str]
    etas: tuple[str, ...]
    objective: Floats
    eta: Floats
    se: Floats
    covariance: Floats
    shrinkage: Floats
    names: tuple[str, ...]
    parameters: Floats
    levels: Whole
    level_table: LevelTable
    draws: Draws | None
    problems: tuple[Problem, ...]


def fit_many(model: FitModel, events: Events, observations: Events | None = None, *, hold: Hold = "next", posterior: int = 0, seed: int = 0,
             fast: bool = False, threads: int = 1,
             places: tuple[str, str] = ("events", "observations"), heading: int = 0,
             report: Report | None = None) -> Fits:
    """Fit a model to every subject of an event table.

    Args:
        model: the model; its units are those of the table.
        events: columns ID, time, evid, amt, cmt, rate, ii, addl, ss, DV, mdv (capitals do not matter; ID, time, amt and DV are needed, and evid where
            there is no second table) and the model's covariates. Rows with evid 2 or mdv 1 are predicted and not fitted.
        observations: levels in a table of their own (ID, time, DV). A level then comes before a dose of the same time.
        hold: whether covariates of a record hold from the record before it (``next``) or until the record after it (``last``).
        posterior: draws of the full posterior by importance resampling, 0 for none.
        seed: of those draws; a subject's draws depend on the seed and its ID only.
        fast: use the compiled kernels (extra ``fast``).
        threads: threads for the compiled kernels.
        places: the names of both tables in problems.
        heading: lines above the first row of each table, for the line numbers in problems.
        report: called with subjects done and all subjects.

    Raises:
        BadInput: the model is not sound, or columns are missing. Bad rows raise nothing: they are listed and their subjects fail.
    """
    wrong = check_model(model)
    if fast and model.saturable:
        wrong.append(Problem("fast", 0, "catabolism", "the saturable model has no compiled search", "leave --fast out"))
    if wrong:
        raise BadInput(wrong)
    table, found = read_table(model, events, observations, places, heading)
    typical, scale_rows = typical_values(model, table.covariates, len(table.time))
    _check_typical(model, typical, found)
    lag = model.parameters["lag"].typical if "lag" in model.parameters else 0.0
    plan = schedule(table, typical, lag, hold, found)
    at = np.searchsorted(table.subject, np.arange(len(table.ids)))
    scale = np.ones((len(table.ids), len(model.etas)))
    if "baseline" in model.etas:
        scale[:, model.etas.index("baseline")] = scale_rows[at]
    best = _fit(model, table, plan, found, scale, fast, threads, report)
    fits = _report(model, table, plan, found, typical, scale, best, max(threads, 1) if fast else 0)
    if posterior:
        fits = fits._replace(draws=draw(model, table, plan, scale, fits.eta, fits.covariance, posterior, seed))
    return fits


def _check_typical(model: FitModel, typical: Floats, found: Found) -> None:
    bad = ~np.all(np.isfinite(typical), axis=1) & ~np.isin(found.subject, list(found.refused))
    found.flag(bad, "covariates", "no typical value can be worked out", "check the covariates of this row")
    if "baseline" in model.etas:
        none = (typical[:, BASELINE] <= 0) & ~np.isin(found.subject, list(found.refused))
        found.flag(none, "baseline", "neither measured nor typical", "give the measured baseline, or a typical one in the model")


class _Best(NamedTuple):
    optimum: Optimum
    second: Flags
    counted: Whole


def blocks(plan: Schedule, who: Whole) -> Iterator[Whole]:
    """Subjects in blocks of like length, those with a depot dose apart: padding and idle work stay small."""
    steps = plan.first_step[1:] - plan.first_step[:-1]
    for depot in (False, True):
        some = who[plan.with_depot[who] == depot]
        some = some[np.argsort(steps[some], kind="stable")]
        for first in range(0, len(some), BLOCK):
            yield some[first:first + BLOCK]


def levels_of(table: Table, plan: Schedule, who: Whole, scale: Floats) -> Levels:
    """The measured levels of some subjects side by side."""
    first, count = plan.first_level[who], plan.first_level[who + 1] - plan.first_level[who]
    longest = max(int(count.max(initial=0)), 1)
    inside = np.arange(longest)[None, :] < count[:, None]
    at = np.where(inside, first[:, None] + np.arange(longest)[None, :], 0)
    if not len(plan.row):
        return Levels(np.ones(inside.shape), np.zeros(inside.shape), scale[who])
    rows = plan.row[at]
    counts = inside & table.level[rows]
    return Levels(np.where(counts, table.dv[rows], 1.0), counts.astype(np.float64), scale[who])


def _fit(model: FitModel, table: Table, plan: Schedule, found: Found, scale: Floats, fast: bool, threads: int, report: Report | None) -> _Best:
    subjects, count = scale.shape
    counted = np.bincount(table.subject, table.level, subjects).astype(np.int64)
    sound = np.ones(subjects, dtype=bool)
    sound[list(found.refused)] = False
    omega = model.omega
    whole = Optimum(np.zeros((subjects, count)), np.zeros(subjects), np.broadcast_to(2 * np.linalg.inv(omega), (subjects, count, count)).copy(),
                    np.zeros(subjects), np.zeros(subjects), np.ones(subjects, dtype=bool))
    second = np.zeros(subjects, dtype=bool)
    who = np.flatnonzero(sound & (counted > 0))
    work = _Work(model, table, plan, scale, _compiled(model, plan, table) if fast else None, threads, report)
    for block, part in work.search(who, np.zeros(count)):
        _place(whole, block, part)
    _further_starts(work, who, counted, whole, second)
    return _Best(whole, second, counted)


def _compiled(model: FitModel, plan: Schedule, table: Table) -> Prepared:
    from ivigil.pharmacokinetics.fast_fit import prepared

    return prepared(model, plan, table)


class _Work(NamedTuple):
    """A batch and how to search it: with the compiled kernels where it is prepared for them."""

    model: FitModel
    table: Table
    plan: Schedule
    scale: Floats
    fast: Prepared | None
    threads: int
    report: Report | None

    def search(self, who: Whole, start: Floats, known: Optimum | None = None) -> Iterator[tuple[Whole, Optimum]]:
        """Search some subjects from one place, block by block."""
        if self.fast is not None:
            from ivigil.pharmacokinetics.fast_fit import search_fast

            begin = np.broadcast_to(start, (len(who), len(start))).copy()
            yield who, search_fast(self.fast, who, self.scale, begin, self.threads, _some(known, who))
            return
        done = 0
        for block in blocks(self.plan, who):
            task = task_of(self.model, bool(self.plan.with_depot[block[0]]))
            begin = np.broadcast_to(start, (len(block), len(start))).copy()
            yield block, search(task, self.plan.block(block), levels_of(self.table, self.plan, block, self.scale), begin, _some(known, block))
            done += len(block)
            if self.report is not None and known is None:
                self.report(done, len(who))


def _some(known: Optimum | None, who: Whole) -> Optimum | None:
    return None if known is None else Optimum._make(part[who] for part in known)


def _place(whole: Optimum, who: Whole, part: Optimum) -> None:
    for mine, theirs in zip(whole, part, strict=True):
        mine[who] = theirs


def _further_starts(work: _Work, who: Whole, counted: Whole, whole: Optimum, second: Flags) -> None:
    """Search again from elsewhere where an eta is large, the levels fit poorly, or the valley is bent, and keep the better optimum."""
    spread = np.sqrt(np.diag(work.model.omega))
    poor = (whole.misfit > counted + POOR_FIT * np.sqrt(2 * counted)) | ~whole.settled
    farthest = np.max(np.abs(whole.eta) / spread, axis=1)
    doubtful = [poor | (farthest > far) | (whole.bend > bent) for far, bent in zip(LARGE_ETA, BENT, strict=True)]
    for start, traded in _starts(work.model.etas, spread):
        again = who[doubtful[0 if traded else 1][who]]
        for block, found in work.search(again, start, whole):
            gains = found.settled & (found.objective < whole.objective[block] - GAIN)
            better = gains | (found.settled & ~whole.settled[block] & (found.objective <= whole.objective[block] + GAIN))
            second[block[gains]] = True
            _place(whole, block[better], Optimum._make(part[better] for part in found))


def _starts(etas: tuple[str, ...], spread: Floats) -> Iterator[tuple[Floats, bool]]:
    """Where else to begin, and whether it trades volume for clearance: small volumes with quick clearance and the reverse can give the same troughs.
    The others are two standard deviations out along each eta, both ways.
    """
    pattern = np.array([{"CL": 0.75, "kel": 1.0, "Vc": -1.5, "Vp": -1.5}.get(name, 0.0) for name in etas])
    if np.any(pattern[[name in {"Vc", "Vp"} for name in etas]]):
        yield pattern * spread, True
        yield -pattern * spread, True
    for place in range(len(spread)):
        for sign in (1.0, -1.0):
            start = np.zeros(len(spread))
            start[place] = sign * 2.0 * spread[place]
            yield start, False


def _report(model: FitModel, table: Table, plan: Schedule, found: Found, usual: Floats, scale: Floats, best: _Best, threads: int) -> Fits:
    subjects, count = scale.shape
    optimum = best.optimum
    words = np.full(subjects, "converged", dtype=object)
    words[best.second] = "second-start"
    words[~optimum.settled] = "failed: the search did not settle"
    words[best.counted == 0] = "prior-only"
    for number, why in found.refused.items():
        words[number] = f"failed: {why}"
    fitted = optimum.settled.copy()
    fitted[list(found.refused)] = False
    covariance = np.full((subjects, count, count), np.nan)
    covariance[fitted] = 2 * np.linalg.inv(optimum.curvature[fitted])
    se = np.sqrt(np.einsum("nkk->nk", covariance))
    eta = np.where(fitted[:, None], optimum.eta, np.nan)
    individual, typical, residual = predictions(model, table, plan, np.flatnonzero(fitted), scale, eta, threads)
    rows = plan.row
    names = tuple(name for name in ("kel", *model.columns_of_parameters)
                  if name in model.parameters or name == "baseline" or (name == "CL" and not model.saturable))
    last = _last_rows(table, plan)
    values = np.where(fitted[:, None], _values(model, usual[last], scale, eta, names), np.nan)
    measured = np.where(table.level[rows], table.dv[rows], np.nan)
    levels = LevelTable(table.subject[rows], table.row[rows], table.time[rows], measured, typical, individual, residual)
    objective = np.where(fitted, np.where(best.counted > 0, optimum.objective, 0.0), np.nan)
    return Fits(table.ids, words.tolist(), model.etas, objective, eta, se, covariance,
                se**2 / np.diag(model.omega), names, values, best.counted, levels, None, tuple(sorted(found.problems)))


def _last_rows(table: Table, plan: Schedule) -> Whole:
    """The row of each subject's last level, or its last row."""
    subjects = len(table.ids)
    out = np.searchsorted(table.subject, np.arange(subjects), side="right") - 1
    some = np.flatnonzero(plan.first_level[1:] > plan.first_level[:-1])
    out[some] = plan.row[plan.first_level[some + 1] - 1]
    return out


def _values(model: FitModel, typical: Floats, scale: Floats, eta: Floats, names: tuple[str, ...]) -> Floats:
    own = typical * np.exp((eta * scale) @ model.design.T)
    out = np.empty((len(typical), len(names)))
    for place, name in enumerate(names):
        out[:, place] = own[:, CL] / own[:, VC] if name == "kel" else own[:, model.columns_of_parameters.index(name)]
    return out


def predictions(model: FitModel, table: Table, plan: Schedule, who: Whole, scale: Floats, eta: Floats, threads: int = 0) -> tuple[Floats, Floats, Floats]:
    """Individual and typical predictions of every level of some subjects, and individual weighted residuals; NaN for the others.

    Compiled where ``threads`` is above 0.
    """
    out = [np.full(len(plan.row), np.nan) for _ in range(3)]
    if threads:
        from ivigil.pharmacokinetics.fast_fit import predict_fast

        individual = predict_fast(model, plan, table, who, scale, eta, threads)
        spread, _ = variance(task_of(model, True), individual)
        residual = np.where(table.level[plan.row], (table.dv[plan.row] - individual) / np.sqrt(spread), np.nan)
        return individual, predict_fast(model, plan, table, who, scale, np.zeros_like(eta), threads), residual
    for block in blocks(plan, who):
        task = task_of(model, bool(plan.with_depot[block[0]]))
        shift = np.stack([np.zeros((len(block), len(model.columns_of_parameters))), (eta[block] * scale[block]) @ task.full.T], axis=1)
        both, _ = curve(task, plan.block(block), shift)
        count = plan.first_level[block + 1] - plan.first_level[block]
        inside = np.arange(both.shape[2])[None, :] < count[:, None]
        at = (plan.first_level[block][:, None] + np.arange(both.shape[2])[None, :])[inside]
        out[1][at], out[0][at] = both[:, 0][inside], both[:, 1][inside]
        spread, _ = variance(task, out[0][at])
        out[2][at] = np.where(table.level[plan.row[at]], (table.dv[plan.row[at]] - out[0][at]) / np.sqrt(spread), np.nan)
    return out[0], out[1], out[2]
