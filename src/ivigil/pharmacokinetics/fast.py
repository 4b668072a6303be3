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


def on_grid(exponentials: Modes, given: Doses, count: int, step: float = 1.0, start: float = 0.0, threads: int = 1) -> Array:
    """Concentration of infused IgG on a regular grid, shape ``(count, n)``; the patients are the slow axis in memory."""
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
    table = np.ascontiguousarray(np.stack(weights).transpose(2, 0, 1)) if weights else np.zeros((patients, 1, rates.shape[0]))
    decay = np.ascontiguousarray(np.exp(-rates * step).T)
    curve = np.empty((patients, count))
    edges = np.linspace(0, patients, threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda part: _grid(decay, rows, kinds, grams, table, curve, part[0], part[1]), pairwise(edges)))
    return curve.T


@_compiled
def _grid(decay: Array, rows: Any, kinds: Any, grams: Array, table: Array, curve: Array, low: int, high: int) -> None:
    count = curve.shape[1]
    size = decay.shape[1]
    shared = grams.shape[1] == 1
    state = np.zeros(3)
    for patient in range(low, high):
        state[:] = 0.0
        first, second = decay[patient, 0], decay[patient, 1] if size > 1 else 0.0
        third = decay[patient, 2] if size > 2 else 0.0
        one, two, three = 0.0, 0.0, 0.0
        coming = 0
        for row in range(count):
            if row > 0:
                one *= first
                two *= second
                three *= third
            while coming < rows.size and rows[coming] == row:
                amount = grams[coming, 0] if shared else grams[coming, patient]
                kind = kinds[coming]
                one += amount * table[patient, kind, 0]
                if size > 1:
                    two += amount * table[patient, kind, 1]
                if size > 2:
                    three += amount * table[patient, kind, 2]
                coming += 1
            curve[patient, row] = one + two + three


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
    slopes = np.zeros((6, 5))
    for patient in range(low, high):
        kint, top, half, floor, central, peripheral, exchange, absorption, available, baseline = constants[patient]
        out, back, entering = exchange / central, exchange / peripheral, absorption * available / central
        tracer_made = max(kint - top / (half + baseline), floor)
        made = tracer_made * baseline
        whose = 0 if grams.shape[0] == 1 else patient
        c, p, a, q, d = baseline, baseline, 1.0, 1.0, 0.0
        row = 0
        for index in range(lengths.size):
            for _ in range(outputs[index]):
                total[patient, row], tracer[patient, row] = c, a
                row += 1
            for place in range(begins[index], begins[index + 1]):
                dose = starting[place]
                if depot[dose]:
                    d += grams[whose, dose]
                elif infusion[dose] == 0.0:
                    c += grams[whose, dose] / central
            supply = made
            for place in range(runs[index], runs[index + 1]):
                dose = running[place]
                supply += grams[whose, dose] / (infusion[dose] * central)
            h = lengths[index]
            if h <= 0.0:
                continue
            for stage in range(6):
                yc, yp, ya, yq, yd = c, p, a, q, d
                for before in range(stage):
                    weight = h * _STAGES[stage, before]
                    yc += weight * slopes[before, 0]
                    yp += weight * slopes[before, 1]
                    ya += weight * slopes[before, 2]
                    yq += weight * slopes[before, 3]
                    yd += weight * slopes[before, 4]
                rate = max(kint - top / (half + yc), floor)
                slopes[stage, 0] = supply + entering * yd - rate * yc - out * (yc - yp)
                slopes[stage, 1] = back * (yc - yp)
                slopes[stage, 2] = tracer_made - rate * ya - out * (ya - yq)
                slopes[stage, 3] = back * (ya - yq)
                slopes[stage, 4] = -absorption * yd
            for stage in range(6):
                weight = h * _WEIGHTS[stage]
                c += weight * slopes[stage, 0]
                p += weight * slopes[stage, 1]
                a += weight * slopes[stage, 2]
                q += weight * slopes[stage, 3]
                d += weight * slopes[stage, 4]


_STAGES = np.array([[*row, *([0.0] * (6 - len(row)))] for row in saturable.STAGES])
_WEIGHTS = np.array(saturable.WEIGHTS)


def warm_up() -> None:
    """Compile everything once; the result is kept on disk for later processes."""
    ready = kernels.doses([0.0, 1.0], [1.0, 1.0], 0.1, [False, True])
    on_grid(kernels.modes(0.1, 3.0, 0.3, 3.0, 0.4), ready, 3)
    simulated(saturable.Catabolism(0.4, 20.0, 50.0, 0.02, 3.0, 3.0, 1.5), 10.0, ready, [0.0, 1.0, 2.0])
