"""One subject's levels, objective, gradient and expected curvature, compiled (extra ``fast``): the algebra of ``linear`` in scalars.

Parameters are numbered as in ``linear.PARAMETERS``: 0 CL, 1 Vc, 2 Q, 3 Vp, 4 ka, 5 F, 6 baseline. What steps of one length do is kept in a few slots, since
most of a schedule repeats one interval.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

SLOTS = 4


def _cache_folder() -> str:
    """A folder named by the kernels' source: numba itself notices a change of the calling file only, not of what it calls."""
    base = os.environ.get("IVIGIL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "ivigil")
    sources = (Path(__file__).with_name(name).read_bytes() for name in ("fast_kernel.py", "fast_fit.py", "map_search.py"))
    return os.path.join(base, f"kernels-{hashlib.sha256(b''.join(sources)).hexdigest()[:16]}")


_CACHE = _cache_folder()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile when first called, and keep the result on disk where that is possible."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc", "arcp", "nsz"}}
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = _CACHE
    try:
        made: Callable[..., Any] = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to keep it
        made = numba.njit(**options)(function)
    finally:
        settings.CACHE_DIR = before
    return made


@compiled
def _series(x: Any, order: int) -> Any:
    total, term, divisor = 0.0, 1.0, 1.0
    for number in range(2, order + 1):
        divisor *= number
    for number in range(8):
        total += term / divisor
        term = -term * x
        divisor *= number + order + 1
    return total


@compiled
def _divided(first: Any, second: Any, dt: Any, at_first: Any, at_second: Any) -> Any:
    gap = second - first
    x = gap * dt
    if abs(x) < 0.03:
        return dt * at_first * _series(x, 1), -dt * dt * at_first * _series(x, 2), -dt * dt * at_second * _series(-x, 2)
    ratio = (at_first - at_second) / gap
    return ratio, (ratio - dt * at_first) / gap, (dt * at_second - ratio) / gap


@compiled
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


@compiled
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


@compiled
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


@compiled
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


@compiled
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


@compiled
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


@compiled
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


@compiled
def evaluate(subject: int, eta: Any, scale: Any, fixed: Any, setting: Any, scratch: Any, gradient: Any, curvature: Any) -> Any:
    """Objective of one subject; writes levels, gradient, expected curvature, and the misfit behind the factors."""
    (first_step, step_dt, rate, depot_rate, bolus, depot_bolus, steady, reset, level, sets, first_level, level_set, first_set, typical, with_depot, measured,
     counts, levels) = fixed
    compartments, slots, _, design, full, precision, _, add_sd, prop_sd, combined = setting
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
            for place in range(SLOTS):
                if keys[place, 0] == dt and (not infusing or keys[place, 1] > 0):
                    slot = place
            if slot < 0:
                slot = used % SLOTS
                used += 1
                keys[slot, 0], keys[slot, 1] = dt, 1.0 if infusing else 0.0
                _fill(caches[slot], dt, infusing, depot, k10, k21, ka, fast, slow, root)
            if turn == 0:
                _advance(amounts, moved, slots, caches[slot], slopes, k10, k12, k21, ka, dt, rate[step], into_depot, depot)
            else:
                _to_steady_state(amounts, moved, slots, caches[slot], slopes, k10, k12, k21, ka, dt, depot)
        if level[step] >= 0:
            at = levels_from + level[step]
            own = typical[sets_from + level_set[at]]
            volume, base = own[1] * factor[1], own[6] * factor[6]
            predicted = amounts[1] / volume + base
            levels[at] = predicted
            if counts[at] > 0:
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
