"""The same search as ``map_search``, compiled (extra ``fast``), one subject after the other. Imported only when asked for; tested equal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from ivigil.pharmacokinetics import map_search
from ivigil.pharmacokinetics.event_table import Table
from ivigil.pharmacokinetics.fit_model import FitModel
from ivigil.pharmacokinetics.linear import Floats, Whole
from ivigil.pharmacokinetics.map_search import Optimum, task_of
from ivigil.pharmacokinetics.schedule import Schedule

_SLOTS = 4
_MOST_STEPS, _CLOSE, _DONE = map_search.MOST_STEPS, map_search.CLOSE, map_search.DONE
_LONGEST, _FAR, _NUDGE, _LATE = map_search.LONGEST, map_search.FAR, map_search.NUDGE, map_search.LATE
_SAME = map_search.SAME
_compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})


def search_fast(model: FitModel, plan: Schedule, table: Table, who: Whole, scale: Floats, start: Floats, threads: int = 1, known: Optimum | None = None) -> Optimum:
    """Search from one set of etas per subject; the answer of ``map_search.search``."""
    task = task_of(model, depot=True)
    count = start.shape[1]
    out = Optimum(np.zeros((len(who), count)), np.zeros(len(who)), np.zeros((len(who), count, count)), np.zeros(len(who)), np.zeros(len(who)),
                  np.zeros(len(who), dtype=np.bool_))
    rows = plan.row
    value, counts = np.where(table.level[rows], table.dv[rows], 1.0), table.level[rows].astype(np.float64)
    slots = np.full(7, -1)
    for place, name in enumerate(task.active):
        slots[name] = place
    fixed = (plan.first_step, plan.dt, plan.rate, plan.depot_rate, plan.bolus, plan.depot_bolus, plan.steady, plan.reset, plan.level, plan.set,
             plan.first_level, plan.level_set, plan.first_set, plan.typical, plan.with_depot, value, counts)
    setting = (task.compartments, slots, len(task.active), task.design, task.full, task.precision, task.spread, task.add_sd, task.prop_sd, task.combined_sd)

    old = (known.eta, known.objective, known.curvature) if known is not None else (out.eta, out.objective, out.curvature)

    def part(first: int, last: int) -> None:
        _search(known is not None, old[0][first:last], old[1][first:last], old[2][first:last], who[first:last], np.ascontiguousarray(scale[who[first:last]]), start[first:last], fixed, setting, out.eta[first:last], out.objective[first:last],
                out.curvature[first:last], out.misfit[first:last], out.bend[first:last], out.settled[first:last])

    edges = np.linspace(0, len(who), max(1, 4 * threads if threads > 1 else 1) + 1).astype(int)
    if threads <= 1:
        part(0, len(who))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, edges[:-1], edges[1:]))
    return out


@_compiled
def _series(x: Any, order: int) -> Any:
    total, term, divisor = 0.0, 1.0, 1.0
    for number in range(2, order + 1):
        divisor *= number
    for number in range(8):
        total += term / divisor
        term = -term * x
        divisor *= number + order + 1
    return total


@_compiled
def _divided(first: Any, second: Any, dt: Any, at_first: Any, at_second: Any) -> Any:
    gap = second - first
    x = gap * dt
    if abs(x) < 0.03:
        return dt * at_first * _series(x, 1), -dt * dt * at_first * _series(x, 2), -dt * dt * at_second * _series(-x, 2)
    ratio = (at_first - at_second) / gap
    return ratio, (ratio - dt * at_first) / gap, (dt * at_second - ratio) / gap


@_compiled
def _function(out: Any, k10: Any, k21: Any, fast: Any, slow: Any, root: Any, at_fast: Any, at_slow: Any, slope_fast: Any, slope_slow: Any) -> None:
    """c0, c1, then the slopes of c0 and c1 by k10, k12, k21."""
    inverse = 1 / root
    c1 = (at_fast - at_slow) * inverse
    out[0], out[1] = at_slow - slow * c1, c1
    for place in range(3):
        product = k21 if place == 0 else (0.0 if place == 1 else k10)
        d_fast, d_slow = (fast - product) * inverse, (product - slow) * inverse
        d_c1 = (slope_fast * d_fast - slope_slow * d_slow - c1 * (d_fast - d_slow)) * inverse
        out[2 + 2 * place], out[3 + 2 * place] = slope_slow * d_slow - slow * d_c1 - c1 * d_slow, d_c1


@_compiled
def _fill(cache: Any, dt: Any, infusing: bool, depot: bool, k10: Any, k21: Any, ka: Any, fast: Any, slow: Any, root: Any) -> None:
    """What a step of this length does: 0-7 remaining, 8-15 infused, 16-23 absorbed, 24-25 absorbed by ka, 26 left in the depot."""
    at_fast, at_slow = np.exp(-fast * dt), np.exp(-slow * dt)
    _function(cache[0:8], k10, k21, fast, slow, root, at_fast, at_slow, -dt * at_fast, -dt * at_slow)
    if infusing:
        in_fast, in_slow = -np.expm1(-fast * dt) / fast, -np.expm1(-slow * dt) / slow
        _function(cache[8:16], k10, k21, fast, slow, root, in_fast, in_slow, (dt * at_fast - in_fast) / fast, (dt * at_slow - in_slow) / slow)
    if depot:
        left = np.exp(-ka * dt)
        cache[26] = left
        ratio_f, by_f, by_ka_f = _divided(fast, ka, dt, at_fast, left)
        ratio_s, by_s, by_ka_s = _divided(slow, ka, dt, at_slow, left)
        _function(cache[16:24], k10, k21, fast, slow, root, ka * ratio_f, ka * ratio_s, ka * by_f, ka * by_s)
        moved_fast, moved_slow = ratio_f + ka * by_ka_f, ratio_s + ka * by_ka_s
        cache[25] = (moved_fast - moved_slow) / root
        cache[24] = moved_slow - slow * cache[25]


@_compiled
def _by_name(name: int, k10: Any, k12: Any, k21: Any, slopes: Any) -> Any:
    """From slopes by k10, k12, k21 (two values each) to those by the logarithm of a parameter."""
    if name == 0:
        return k10 * slopes[0], k10 * slopes[1]
    if name == 1:
        return -k10 * slopes[0] - k12 * slopes[2], -k10 * slopes[1] - k12 * slopes[3]
    if name == 2:
        return k12 * slopes[2] + k21 * slopes[4], k12 * slopes[3] + k21 * slopes[5]
    if name == 3:
        return -k21 * slopes[4], -k21 * slopes[5]
    return 0.0, 0.0


@_compiled
def _add_slopes(slopes: Any, cache: Any, k10: Any, k12: Any, k21: Any, first: Any, second: Any, strength: Any) -> None:
    """Add ``strength x (df/dk)(K) x`` to the slopes."""
    into, back = (k10 + k12) * first - k21 * second, k21 * second - k12 * first
    c1 = cache[1]
    slopes[0] += strength * (cache[2] * first + cache[3] * into + c1 * first)
    slopes[1] += strength * (cache[2] * second + cache[3] * back)
    slopes[2] += strength * (cache[4] * first + cache[5] * into + c1 * first)
    slopes[3] += strength * (cache[4] * second + cache[5] * back - c1 * first)
    slopes[4] += strength * (cache[6] * first + cache[7] * into - c1 * second)
    slopes[5] += strength * (cache[6] * second + cache[7] * back + c1 * second)


@_compiled
def _own_rates(typical: Any, factor: Any, compartments: int) -> Any:
    k10 = typical[0] * factor[0] / (typical[1] * factor[1])
    if compartments == 1:
        k12, k21 = 0.0, 2 * k10
    else:
        exchange = typical[2] * factor[2]
        k12, k21 = exchange / (typical[1] * factor[1]), exchange / (typical[3] * factor[3])
    root = np.sqrt((k10 + k12 - k21) ** 2 + 4 * k12 * k21)
    fast = (k10 + k12 + k21 + root) / 2
    return k10, k12, k21, typical[4] * factor[4], fast, k10 * k21 / fast, root


@_compiled
def _advance(amounts: Any, moved: Any, slots: Any, cache: Any, slopes: Any, k10: Any, k12: Any, k21: Any, ka: Any, dt: Any, rate: Any, depot_rate: Any,
             depot: bool) -> None:
    a = k10 + k12
    r11, r12, r21, r22 = cache[0] + cache[1] * a, -cache[1] * k21, -cache[1] * k12, cache[0] + cache[1] * k21
    first, second = amounts[1], amounts[2]
    slopes[:] = 0.0
    _add_slopes(slopes, cache[0:8], k10, k12, k21, first, second, 1.0)
    new_first, new_second = r11 * first + r12 * second, r21 * first + r22 * second
    inflow = rate + depot_rate
    flow1 = flow2 = gain1 = gain2 = waiting = 0.0
    if inflow > 0:
        flow1, flow2 = cache[8] + cache[9] * a, -cache[9] * k12
        new_first += inflow * flow1
        new_second += inflow * flow2
        _add_slopes(slopes, cache[8:16], k10, k12, k21, 1.0, 0.0, inflow)
    if depot:
        waiting = amounts[0] - depot_rate / ka
        gain1, gain2 = cache[16] + cache[17] * a, -cache[17] * k12
        new_first += waiting * gain1
        new_second += waiting * gain2
        _add_slopes(slopes, cache[16:24], k10, k12, k21, 1.0, 0.0, waiting)
    left = cache[26]
    for name in range(6):
        place = slots[name]
        if place < 0:
            continue
        s1, s2 = moved[place, 1], moved[place, 2]
        extra1, extra2 = _by_name(name, k10, k12, k21, slopes)
        n1, n2 = r11 * s1 + r12 * s2 + extra1, r21 * s1 + r22 * s2 + extra2
        if depot and name >= 4:
            s0 = moved[place, 0]
            if name == 4:
                strength = s0 + depot_rate / ka
                n1 += ka * waiting * (cache[24] + cache[25] * a) + strength * gain1
                n2 += -ka * waiting * cache[25] * k12 + strength * gain2
                moved[place, 0] = s0 * left - ka * dt * left * amounts[0] + depot_rate * (dt * left - (1 - left) / ka)
            else:
                strength = s0 - depot_rate / ka
                n1 += depot_rate * flow1 + strength * gain1
                n2 += depot_rate * flow2 + strength * gain2
                moved[place, 0] = s0 * left + depot_rate * (1 - left) / ka
        moved[place, 1], moved[place, 2] = n1, n2
    if depot:
        amounts[0] = amounts[0] * left + depot_rate * (1 - left) / ka
    amounts[1], amounts[2] = new_first, new_second


@_compiled
def _to_steady_state(amounts: Any, moved: Any, slots: Any, cache: Any, slopes: Any, k10: Any, k12: Any, k21: Any, ka: Any, interval: Any, depot: bool) -> None:
    a11, a12 = 1 - cache[0] - cache[1] * (k10 + k12), cache[1] * k21
    a21, a22 = cache[1] * k12, 1 - cache[0] - cache[1] * k21
    determinant = a11 * a22 - a12 * a21
    gain1 = gain2 = left = held = 0.0
    if depot:
        gain1, gain2, left = cache[16] + cache[17] * (k10 + k12), -cache[17] * k12, cache[26]
        held = amounts[0] / (1 - left)
    x1, x2 = amounts[1] + held * gain1, amounts[2] + held * gain2
    first, second = (a22 * x1 - a12 * x2) / determinant, (a11 * x2 - a21 * x1) / determinant
    slopes[:] = 0.0
    _add_slopes(slopes, cache[0:8], k10, k12, k21, first, second, 1.0)
    if depot:
        _add_slopes(slopes, cache[16:24], k10, k12, k21, 1.0, 0.0, held)
    for name in range(6):
        place = slots[name]
        if place < 0:
            continue
        extra1, extra2 = _by_name(name, k10, k12, k21, slopes)
        x1, x2 = moved[place, 1] + extra1, moved[place, 2] + extra2
        if depot and name >= 4:
            own = moved[place, 0]
            if name == 4:
                own -= ka * interval * left * held
                x1 += ka * held * (cache[24] + cache[25] * (k10 + k12))
                x2 -= ka * held * cache[25] * k12
            own /= 1 - left
            moved[place, 0] = own
            x1 += own * gain1
            x2 += own * gain2
        moved[place, 1], moved[place, 2] = (a22 * x1 - a12 * x2) / determinant, (a11 * x2 - a21 * x1) / determinant
    amounts[0], amounts[1], amounts[2] = held, first, second


@_compiled
def _evaluate(subject: int, eta: Any, scale: Any, fixed: Any, setting: Any, scratch: Any, gradient: Any, curvature: Any) -> Any:
    """Objective of one subject; writes gradient and expected curvature."""
    (first_step, step_dt, rate, depot_rate, bolus, depot_bolus, steady, reset, level, sets, first_level, level_set, first_set, typical, with_depot, measured,
     counts) = fixed
    compartments, slots, actives, design, full, precision, spread, add_sd, prop_sd, combined = setting
    amounts, moved, caches, keys, slopes, factor, slope = scratch
    size = len(eta)
    depot = with_depot[subject]
    for name in range(7):
        total = 0.0
        for place in range(size):
            total += full[name, place] * eta[place] * scale[place]
        factor[name] = np.exp(total)
    objective, misfit = 0.0, 0.0
    for place in range(size):
        prior = 0.0
        for other in range(size):
            prior += precision[place, other] * eta[other]
            curvature[place, other] = 2 * precision[place, other]
        gradient[place] = 2 * prior
        objective += prior * eta[place]
    amounts[:] = 0.0
    moved[:] = 0.0
    keys[:] = -1.0
    used, now = 0, -1
    k10 = k12 = k21 = ka = fast = slow = root = 0.0
    sets_from, levels_from = first_set[subject], first_level[subject]
    for step in range(first_step[subject], first_step[subject + 1]):
        if sets[step] != now:
            now = sets[step]
            k10, k12, k21, ka, fast, slow, root = _own_rates(typical[sets_from + now], factor, compartments)
            keys[:] = -1.0
        for turn in range(2):
            dt = step_dt[step] if turn == 0 else steady[step]
            if dt <= 0:
                continue
            into_depot = depot_rate[step] * factor[5]
            infusing = turn == 0 and (rate[step] > 0 or into_depot > 0)
            slot = -1
            for place in range(_SLOTS):
                if keys[place, 0] == dt and (not infusing or keys[place, 1] > 0):
                    slot = place
            if slot < 0:
                slot = used % _SLOTS
                used += 1
                keys[slot, 0], keys[slot, 1] = dt, 1.0 if infusing else 0.0
                _fill(caches[slot], dt, infusing, depot, k10, k21, ka, fast, slow, root)
            if turn == 0:
                _advance(amounts, moved, slots, caches[slot], slopes, k10, k12, k21, ka, dt, rate[step], into_depot, depot)
            else:
                _to_steady_state(amounts, moved, slots, caches[slot], slopes, k10, k12, k21, ka, dt, depot)
        if level[step] >= 0 and counts[levels_from + level[step]] > 0:
            at = levels_from + level[step]
            own = typical[sets_from + level_set[at]]
            volume, base = own[1] * factor[1], own[6] * factor[6]
            predicted = amounts[1] / volume + base
            if combined:
                sd = add_sd + prop_sd * predicted
                variance, steep = max(sd * sd, 1e-300), 2 * sd * prop_sd
            else:
                variance, steep = max(add_sd * add_sd + prop_sd * prop_sd * predicted * predicted, 1e-300), 2 * prop_sd * prop_sd * predicted
            error = measured[at] - predicted
            misfit += error * error / variance
            objective += error * error / variance + np.log(variance)
            pull = -2 * error / variance + (1 - error * error / variance) * steep / variance
            weight = 2 / variance + (steep / variance) ** 2
            for place in range(size):
                slope[place] = 0.0
            for name in range(7):
                where = slots[name]
                if where < 0:
                    continue
                d = base if name == 6 else moved[where, 1] / volume
                if name == 1:
                    d -= amounts[1] / volume
                for place in range(size):
                    slope[place] += d * design[where, place] * scale[place]
            for place in range(size):
                gradient[place] += pull * slope[place]
                for other in range(size):
                    curvature[place, other] += weight * slope[place] * slope[other]
        if reset[step]:
            amounts[:] = 0.0
            moved[:] = 0.0
        amounts[1] += bolus[step]
        if depot_bolus[step] > 0:
            given = depot_bolus[step] * factor[5]
            amounts[0] += given
            if slots[5] >= 0:
                moved[slots[5], 0] += given
    factor[7] = misfit
    return objective


@_compiled
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


@_compiled
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


@_compiled
def _decrement(curvature: Any, gradient: Any, root: Any, step: Any) -> Any:
    if not _cholesky(curvature, root):
        return np.inf
    _solve(root, gradient, step)
    total = 0.0
    for place in range(len(gradient)):
        total += step[place] * gradient[place]
    return total


@_compiled
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


@_compiled
def _exact_curvature(subject: int, eta: Any, scale: Any, fixed: Any, setting: Any, scratch: Any, gradient: Any, trial: Any, gradient_trial: Any, waste: Any,
                     exact: Any) -> None:
    size, spread = len(eta), setting[6]
    for place in range(size):
        trial[:] = eta
        nudge = _NUDGE * spread[place]
        trial[place] += nudge
        _evaluate(subject, trial, scale, fixed, setting, scratch, gradient_trial, waste)
        for other in range(size):
            exact[place, other] = (gradient_trial[other] - gradient[other]) / nudge
    for place in range(size):
        for other in range(place):
            exact[place, other] = exact[other, place] = (exact[place, other] + exact[other, place]) / 2


@_compiled
def _search(compare: bool, known_eta: Any, known_objective: Any, known_curvature: Any, who: Any, scales: Any, start: Any, fixed: Any, setting: Any, etas: Any, objectives: Any, curvatures: Any, misfits: Any, bends: Any,
            settled: Any) -> None:
    size, spread = start.shape[1], setting[6]
    scratch = (np.zeros(3), np.zeros((max(setting[2], 1), 3)), np.zeros((_SLOTS, 27)), np.zeros((_SLOTS, 2)), np.zeros(6), np.zeros(8), np.zeros(size))
    eta, trial, step = np.zeros(size), np.zeros(size), np.zeros(size)
    gradient, gradient_trial = np.zeros(size), np.zeros(size)
    expected, expected_trial, exact = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    used, root, waste = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    for number in range(len(who)):
        subject, scale = who[number], scales[number]
        eta[:] = start[number]
        objective = _evaluate(subject, eta, scale, fixed, setting, scratch, gradient, expected)
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
                value = _evaluate(subject, trial, scale, fixed, setting, scratch, gradient_trial, expected_trial)
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
