"""The same kernels compiled with numba (extra ``fast``): imported only when asked for, since compiling and loading cost more than one forecast.

:func:`on_grid` equals :func:`ivigil.pharmacokinetics.kernels.on_grid` and :func:`simulated` equals
:func:`ivigil.pharmacokinetics.saturable.simulated`; the tests hold them together. Compiled code is cached on disk and releases Python's lock,
so that two threads use two cores.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import ArrayLike

from ivigil.pharmacokinetics import kernels, saturable
from ivigil.pharmacokinetics.kernels import Array, Doses, Modes

F = TypeVar("F", bound=Callable[..., Any])


def _compiled(function: F) -> F:
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def on_grid(exponentials: Modes, given: Doses, count: int, step: float = 1.0, start: float = 0.0, threads: int = 1,
            out: Array | None = None) -> Array:
    """Concentration of infused IgG on a regular grid, shape ``(count, n)``."""
    rates = exponentials.rates
    patients = rates.shape[1]
    pushes = kernels.doses_on_grid(exponentials, given, start, step, count)
    rows = np.array([push.row for push in pushes], dtype=np.int64)
    grams = np.empty((len(pushes), patients if given.grams.ndim == 2 else 1))
    different: dict[tuple[int, bool], int] = {}
    kinds = np.empty(len(pushes), dtype=np.int64)
    weights: list[Array] = []
    for index, push in enumerate(pushes):
        key = (id(push.share), push.depot)
        if key not in different:
            different[key] = len(weights)
            weights.append((exponentials.depot if push.depot else exponentials.intravenous) * push.share)
        kinds[index], grams[index] = different[key], given.grams[push.dose]
    table = np.stack(weights) if weights else np.zeros((1, rates.shape[0], patients))
    decay = np.exp(-rates * step)
    curve = np.empty((count, patients)) if out is None else out
    edges = np.linspace(0, patients, threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: _grid(decay, rows, kinds, grams, table, curve, part[0], part[1]), pairwise(edges)))
    return curve


@_compiled
def _grid(decay: Array, rows: Any, kinds: Any, grams: Array, table: Array, curve: Array, low: int, high: int) -> None:
    """A few hundred patients at a time along the grid: their exponentials stay in the cache, and each row is written in one go."""
    count, size, shared = curve.shape[0], decay.shape[0], grams.shape[1] == 1
    state = np.zeros((3, 256))
    for first in range(low, high, 256):
        width = min(256, high - first)
        state[:] = 0.0
        coming = 0
        for row in range(count):
            if row > 0:
                for mode in range(size):
                    for lane in range(width):
                        state[mode, lane] *= decay[mode, first + lane]
            while coming < rows.size and rows[coming] == row:
                kind = kinds[coming]
                for mode in range(size):
                    for lane in range(width):
                        state[mode, lane] += (grams[coming, 0] if shared else grams[coming, first + lane]) * table[kind, mode, first + lane]
                coming += 1
            if size == 2:
                for lane in range(width):
                    curve[row, first + lane] = state[0, lane] + state[1, lane]
            else:
                for lane in range(width):
                    curve[row, first + lane] = state[0, lane] + state[1, lane] + state[2, lane]


def simulated(model: saturable.Catabolism, baseline: ArrayLike, given: Doses, times: ArrayLike, threads: int = 1) -> saturable.Course:
    """Total IgG and tracer of the saturable model, by the same steps as the NumPy form."""
    at = np.atleast_1d(np.asarray(times, dtype=np.float64))
    start = min(0.0, float(at[0]), float(given.times.min(initial=0.0)))
    plan = saturable.planned(given, at, start)
    patients = max(np.size(baseline), *(np.size(item) for item in model), given.grams.shape[1] if given.grams.ndim == 2 else 1)
    constants = np.stack([np.broadcast_to(np.asarray(item, dtype=np.float64), (patients,)) for item in (*model, baseline)], axis=1)
    constants = np.ascontiguousarray(constants)
    grams = np.ascontiguousarray(given.grams.T) if given.grams.ndim == 2 else given.grams[np.newaxis]
    starting, begins = _listed(plan.starting)
    running, runs = _listed(plan.running)
    total, tracer = np.empty((patients, at.size)), np.empty((patients, at.size))
    edges = np.linspace(0, patients, threads + 1).astype(np.int64)

    def part(bounds: tuple[int, int]) -> None:
        _course(constants, grams, given.lengths, given.depot, plan.lengths, plan.outputs, starting, begins, running, runs, total, tracer, *bounds)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, pairwise(edges)))
    return saturable.Course(total.T, tracer.T)


def _listed(groups: tuple[Any, ...]) -> tuple[Any, Any]:
    """Groups of numbers as one list and where each group begins."""
    sizes = np.array([0, *(group.size for group in groups)], dtype=np.int64)
    return (np.concatenate(groups).astype(np.int64) if groups else np.empty(0, dtype=np.int64)), np.cumsum(sizes)


@_compiled
def _course(constants: Array, grams: Array, infusion: Array, depot: Any, lengths: Array, outputs: Any, starting: Any, begins: Any, running: Any, runs: Any,
            total: Array, tracer: Array, low: int, high: int) -> None:
    """Rows of the flat buffers: total IgG in plasma, in tissue, tracer in plasma, in tissue, depot; each of eight patients side by side."""
    size = 5 * 8
    state, moved, supply = np.zeros(size), np.zeros(size), np.zeros(8)
    slopes, fixed = np.zeros((6, size)), np.zeros((11, 8))
    for first in range(low, high, 8):
        for lane in range(8):
            whose = min(first + lane, high - 1)
            kint, top, half, floor, central, peripheral, exchange, absorption, available, baseline = constants[whose]
            made = max(kint - top / (half + baseline), floor)
            fixed[0, lane], fixed[1, lane], fixed[2, lane], fixed[3, lane], fixed[4, lane] = kint, top, half, floor, central
            fixed[5, lane], fixed[6, lane], fixed[7, lane] = exchange / central, exchange / peripheral, absorption * available / central
            fixed[8, lane], fixed[9, lane], fixed[10, lane] = absorption, made, made * baseline
            state[lane], state[8 + lane], state[16 + lane], state[24 + lane], state[32 + lane] = baseline, baseline, 1.0, 1.0, 0.0
        row = 0
        for index in range(lengths.size):
            for _ in range(outputs[index]):
                for lane in range(min(8, high - first)):
                    total[first + lane, row], tracer[first + lane, row] = state[lane], state[16 + lane]
                row += 1
            for lane in range(8):
                supply[lane] = fixed[10, lane]
            for place in range(begins[index], begins[index + 1]):
                dose = starting[place]
                for lane in range(8):
                    amount = grams[0 if grams.shape[0] == 1 else min(first + lane, high - 1), dose]
                    if depot[dose]:
                        state[32 + lane] += amount
                    elif infusion[dose] == 0.0:
                        state[lane] += amount / fixed[4, lane]
            for place in range(runs[index], runs[index + 1]):
                dose = running[place]
                for lane in range(8):
                    amount = grams[0 if grams.shape[0] == 1 else min(first + lane, high - 1), dose]
                    supply[lane] += amount / (infusion[dose] * fixed[4, lane])
            step = lengths[index]
            if step <= 0.0:
                continue
            for stage in range(6):
                for item in range(size):
                    moved[item] = state[item]
                for before in range(stage):
                    weight = step * _STAGES[stage, before]
                    for item in range(size):
                        moved[item] += weight * slopes[before, item]
                _slope(moved, supply, fixed, slopes[stage])
            for stage in range(6):
                weight = step * _WEIGHTS[stage]
                for item in range(size):
                    state[item] += weight * slopes[stage, item]


@_compiled
def _slope(state: Array, supply: Array, fixed: Array, into: Array) -> None:
    for lane in range(8):
        c, p, a, q, d = state[lane], state[8 + lane], state[16 + lane], state[24 + lane], state[32 + lane]
        rate = max(fixed[0, lane] - fixed[1, lane] / (fixed[2, lane] + c), fixed[3, lane])
        into[lane] = supply[lane] + fixed[7, lane] * d - rate * c - fixed[5, lane] * (c - p)
        into[8 + lane] = fixed[6, lane] * (c - p)
        into[16 + lane] = fixed[9, lane] - rate * a - fixed[5, lane] * (a - q)
        into[24 + lane] = fixed[6, lane] * (a - q)
        into[32 + lane] = -fixed[8, lane] * d


_STAGES = np.array([[*row, *([0.0] * (6 - len(row)))] for row in saturable.STAGES])
_WEIGHTS = np.array(saturable.WEIGHTS)


def warm_up(report: Callable[[int, int, str], None] | None = None) -> None:
    """Compile everything once; the result is kept on disk for later processes. ``report`` is called with parts done, all parts, and what is next."""
    ready = kernels.doses([0.0, 1.0], [1.0, 1.0], 0.1, [False, True])
    parts: list[tuple[str, Callable[[], Any]]] = [
        ("linear curves", lambda: on_grid(kernels.modes(0.1, 3.0, 0.3, 3.0, 0.4), ready, 3)),
        ("saturable curves", lambda: simulated(saturable.Catabolism(0.4, 20.0, 50.0, 0.02, 3.0, 3.0, 1.5), 10.0, ready, [0.0, 1.0, 2.0])),
        ("fits", lambda: _fit_once(depot=False)),
        ("fits of depot doses", lambda: _fit_once(depot=True)),
    ]
    for done, (name, work) in enumerate(parts):
        if report is not None:
            report(done, len(parts), name)
        work()
    if report is not None:
        report(len(parts), len(parts), "")


def _fit_once(*, depot: bool) -> None:
    """One small fit, so that its search and its predictions are compiled."""
    from ivigil.pharmacokinetics.fit_model import FitModel, Parameter, Residual, Structure
    from ivigil.pharmacokinetics.individualise import fit_many

    absorbed = {"ka": Parameter(0.3)} if depot else {}
    model = FitModel(Structure(2, depot), {"CL": Parameter(0.15, cv=0.3), "Vc": Parameter(3.0, cv=0.2), "Q": Parameter(0.5), "Vp": Parameter(2.0), **absorbed},
                     Residual(0.5, 0.1))
    fit_many(model, {"ID": [1, 1], "time": [0.0, 28.0], "amt": [28.0, 28.0], "cmt": [1, 1]}, {"ID": [1, 1], "time": [27.0, 55.0], "DV": [3.0, 4.0]}, fast=True)
