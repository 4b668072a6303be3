"""The same search as ``map_search``, compiled (extra ``fast``), one subject after the other. Imported only when asked for; tested equal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from ivigil.pharmacokinetics import map_search
from ivigil.pharmacokinetics.event_table import Table
from ivigil.pharmacokinetics.fast_kernel import SLOTS, compiled, evaluate
from ivigil.pharmacokinetics.fit_model import FitModel
from ivigil.pharmacokinetics.linear import Floats, Whole
from ivigil.pharmacokinetics.map_search import Optimum, task_of
from ivigil.pharmacokinetics.schedule import Schedule

_MOST_STEPS, _CLOSE, _DONE = map_search.MOST_STEPS, map_search.CLOSE, map_search.DONE
_LONGEST, _FAR, _NUDGE, _LATE = map_search.LONGEST, map_search.FAR, map_search.NUDGE, map_search.LATE
_SAME = map_search.SAME


Arrays = tuple[Any, ...]


class Prepared(NamedTuple):
    """Schedules and setting as the kernel takes them; the last of the first holds the levels that it writes."""

    fixed: Arrays
    setting: Arrays


def prepared(model: FitModel, plan: Schedule, table: Table, *, fitting: bool = True) -> Prepared:
    """What the compiled kernels take. Where nothing is fitted no slope is carried and no level is weighed."""
    task = task_of(model, depot=True)
    rows = plan.row
    value = np.where(table.level[rows], table.dv[rows], 1.0)
    counts = table.level[rows].astype(np.float64) if fitting else np.zeros(len(rows))
    slots = np.full(7, -1)
    for place, name in enumerate(task.active if fitting else ()):
        slots[name] = place
    fixed = (plan.first_step, plan.dt, plan.rate, plan.depot_rate, plan.bolus, plan.depot_bolus, plan.steady, plan.reset, plan.level, plan.set,
             plan.first_level, plan.level_set, plan.first_set, plan.typical, plan.with_depot, value, counts, np.full(len(rows), np.nan))
    setting = (task.compartments, slots, len(task.active), task.design, task.full, task.precision, task.spread, task.add_sd, task.prop_sd, task.combined_sd)
    return Prepared(fixed, setting)


def search_fast(task: Prepared, who: Whole, scale: Floats, start: Floats, threads: int = 1, known: Optimum | None = None) -> Optimum:
    """Search from one set of etas per subject; the answer of ``map_search.search``."""
    size, count = start.shape
    out = Optimum(np.zeros((size, count)), np.zeros(size), np.zeros((size, count, count)), np.zeros(size), np.zeros(size), np.zeros(size, dtype=np.bool_))
    old = known if known is not None else out

    def part(first: int, last: int) -> None:
        some = slice(first, last)
        _search(known is not None, (old.eta[some], old.objective[some], old.curvature[some]), who[some], np.ascontiguousarray(scale[who[some]]), start[some],
                task.fixed, task.setting, tuple(values[some] for values in out))

    _in_threads(part, size, threads)
    return out


def predict_fast(model: FitModel, plan: Schedule, table: Table, who: Whole, scale: Floats, eta: Floats, threads: int = 1) -> Floats:
    """The prediction of every row of the level table of some subjects; NaN for the others."""
    task = prepared(model, plan, table, fitting=False)

    def part(first: int, last: int) -> None:
        _predict(who[first:last], scale, eta, task.fixed, task.setting)

    _in_threads(part, len(who), threads)
    out: Floats = task.fixed[-1]
    return out


def _in_threads(part: Callable[[int, int], None], size: int, threads: int) -> None:
    if threads <= 1:
        part(0, size)
        return
    edges = np.linspace(0, size, 4 * threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, edges[:-1].tolist(), edges[1:].tolist()))


@compiled
def _cholesky(matrix: Any, out: Any) -> bool:
    size = matrix.shape[0]
    for row in range(size):
        for column in range(row + 1):
            total = matrix[row, column]
            for place in range(column):
                total -= out[row, place] * out[column, place]
            if row == column:
                if not total > 0:
                    return False
                out[row, row] = np.sqrt(total)
            else:
                out[row, column] = total / out[column, column]
    return True


@compiled
def _solve(root: Any, right: Any, out: Any) -> None:
    size = len(right)
    for row in range(size):
        total = right[row]
        for place in range(row):
            total -= root[row, place] * out[place]
        out[row] = total / root[row, row]
    for row in range(size - 1, -1, -1):
        total = out[row]
        for place in range(row + 1, size):
            total -= root[place, row] * out[place]
        out[row] = total / root[row, row]


@compiled
def _decrement(curvature: Any, gradient: Any, root: Any, step: Any) -> Any:
    if not _cholesky(curvature, root):
        return np.inf
    _solve(root, gradient, step)
    total = 0.0
    for place in range(len(gradient)):
        total += step[place] * gradient[place]
    return total


@compiled
def _bend(exact: Any, expected: Any, root: Any, half: Any) -> Any:
    """Frobenius norm of ``L^-1 (H - E) L^-T`` with ``L L^T = E``."""
    size = expected.shape[0]
    _cholesky(expected, root)
    for column in range(size):
        for row in range(size):
            total = exact[row, column] - expected[row, column]
            for place in range(row):
                total -= root[row, place] * half[place, column]
            half[row, column] = total / root[row, row]
    norm = 0.0
    for row in range(size):
        for column in range(size):
            total = half[row, column]
            for place in range(column):
                total -= half[row, place] * root[column, place]
            half[row, column] = total / root[column, column]
            norm += half[row, column] ** 2
    return np.sqrt(norm)


@compiled
def _exact_curvature(subject: int, eta: Any, scale: Any, fixed: Any, setting: Any, scratch: Any, gradient: Any, trial: Any, gradient_trial: Any, waste: Any,
                     exact: Any) -> None:
    size, spread = len(eta), setting[6]
    for place in range(size):
        trial[:] = eta
        nudge = _NUDGE * spread[place]
        trial[place] += nudge
        evaluate(subject, trial, scale, fixed, setting, scratch, gradient_trial, waste)
        for other in range(size):
            exact[place, other] = (gradient_trial[other] - gradient[other]) / nudge
    for place in range(size):
        for other in range(place):
            exact[place, other] = exact[other, place] = (exact[place, other] + exact[other, place]) / 2


@compiled
def _scratch(actives: int, size: int) -> Any:
    return np.zeros(3), np.zeros((max(actives, 1), 3)), np.zeros((SLOTS, 27)), np.zeros((SLOTS, 2)), np.zeros(6), np.zeros(8), np.zeros(size)


@compiled
def _predict(who: Any, scales: Any, etas: Any, fixed: Any, setting: Any) -> None:
    size = etas.shape[1]
    scratch, gradient, curvature = _scratch(setting[2], size), np.zeros(size), np.zeros((size, size))
    for subject in who:
        evaluate(subject, etas[subject], scales[subject], fixed, setting, scratch, gradient, curvature)


@compiled
def _search(compare: bool, known: Any, who: Any, scales: Any, start: Any, fixed: Any, setting: Any, out: Any) -> None:
    known_eta, known_objective, known_curvature = known
    etas, objectives, curvatures, misfits, bends, settled = out
    size, spread = start.shape[1], setting[6]
    scratch = _scratch(setting[2], size)
    eta, trial, step = np.zeros(size), np.zeros(size), np.zeros(size)
    gradient, gradient_trial = np.zeros(size), np.zeros(size)
    expected, expected_trial, exact = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    used, root, waste = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    for number in range(len(who)):
        subject, scale = who[number], scales[number]
        eta[:] = start[number]
        objective = evaluate(subject, eta, scale, fixed, setting, scratch, gradient, expected)
        damping, newton, decrement, misfit = 0.0, False, np.inf, scratch[5][7]
        for turn in range(_MOST_STEPS):
            used[:] = exact if newton else expected
            for place in range(size):
                used[place, place] += damping * expected[place, place]
            better = _cholesky(used, root)
            if better:
                _solve(root, gradient, step)
                longest = 0.0
                for place in range(size):
                    longest = max(longest, abs(step[place]) / spread[place])
                shorten = min(1.0, _LONGEST / max(longest, 1e-300))
                for place in range(size):
                    trial[place] = min(max(eta[place] - shorten * step[place], -_FAR), _FAR)
                value = evaluate(subject, trial, scale, fixed, setting, scratch, gradient_trial, expected_trial)
                better = np.isfinite(value) and value <= objective + 1e-10 * (1 + abs(objective))
                for place in range(size):
                    better = better and np.isfinite(gradient_trial[place])
            if not better:
                damping = max(damping * 6, 0.05)
                if damping >= 1e12:
                    break
                continue
            eta[:], gradient[:], expected[:] = trial, gradient_trial, expected_trial
            objective, misfit = value, scratch[5][7]
            damping = damping / 8 if damping > 1e-3 else 0.0
            if compare and objective >= known_objective[number]:
                above = 0.0
                for place in range(size):
                    for other in range(size):
                        above += (eta[place] - known_eta[number, place]) * known_curvature[number, place, other] * (eta[other] - known_eta[number, other])
                if above < 2 * _SAME:
                    break
            if not newton:
                decrement = _decrement(expected, gradient, root, step)
            if turn >= _LATE or (not newton and decrement < _CLOSE):
                _exact_curvature(subject, eta, scale, fixed, setting, scratch, gradient, trial, gradient_trial, waste, exact)
                if not newton:
                    damping = 0.0
                newton = True
            if newton:
                decrement = _decrement(exact, gradient, root, step)
                if decrement < _DONE:
                    break
        etas[number] = eta
        objectives[number] = objective
        curvatures[number] = exact if newton else expected
        misfits[number] = misfit
        bends[number] = _bend(curvatures[number], expected, root, waste)
        settled[number] = newton and decrement < _DONE
