"""What a curve comes to: trough, peak and mean at steady state, half-life, the next trough, the highest level, and when a target is crossed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ivigil.basis.quantity import number_text
from ivigil.evidence.kinetics import Model
from ivigil.pharmacokinetics.curves import STEP, Interval
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.regimen import Regimen


class Summary(msgspec.Struct, frozen=True):
    """What the coming regimen comes to under one model, for a typical (or the individual's) patient. g/L and days; None where it has no meaning."""

    baseline: float
    half_life: float
    half_life_means: str
    trough: float | None = None
    peak: float | None = None
    average: float | None = None
    above_target: float | None = None
    steady_after_doses: int | None = None
    next_trough: float | None = None
    highest: float = 0.0
    highest_on: float = 0.0
    crosses_target_on: float | None = None
    rise_after_two_weeks: float | None = None


def summary_of(model: Model, rest: float, half_life: float, steady: Interval | None, total: Array, times: Array, given: Sequence[Given], regimen: Regimen,
               target: float | None, within: float) -> Summary:
    """What a curve comes to. ``steady`` is one interval at steady state, of one person; ``within`` the share of the plateau that is called steady."""
    means = ("of infused IgG after distribution (ln 2 over the slowest rate)" if model.family == "linear"
             else f"of the body's IgG at the baseline of {number_text(rest)} g/L; shorter above it")
    ahead = times >= 0
    coming_days, coming_total = times[ahead], total[ahead]
    top = int(np.argmax(coming_total))
    crosses = None
    if target is not None:
        crossed = np.flatnonzero((coming_total[1:] < target) != (coming_total[:-1] < target))
        crosses = float(coming_days[crossed[0] + 1]) if crossed.size else None
    later = [dose.day for dose in given if dose.day >= regimen.start]
    after = regimen.start + regimen.every if regimen.every is not None else None
    shared = Summary(
        rest, half_life, means, highest=float(coming_total[top]), highest_on=float(coming_days[top]), crosses_target_on=crosses,
        next_trough=float(np.interp(after, times, total)) if after is not None and after <= times[-1] else None,
        rise_after_two_weeks=float(np.interp(later[0] + _TWO_WEEKS, times, total)) - rest if later and later[0] + _TWO_WEEKS <= times[-1] else None,
    )
    if steady is None:
        return shared
    return msgspec.structs.replace(
        shared, trough=float(steady.trough[0]), peak=float(steady.peak[0]), average=float(steady.average[0]),
        above_target=float(steady.above(target)[0]) if target is not None else None,
        steady_after_doses=_doses_to_steady(total - rest, times, steady, rest, regimen, within))


_TWO_WEEKS = 14.0


def _doses_to_steady(infused: Array, times: Array, steady: Interval, rest: float, regimen: Regimen, within: float) -> int | None:
    """After how many coming courses the infused trough stays within the share of its plateau; None when not inside the horizon."""
    assert regimen.every is not None
    plateau = float(steady.trough[0]) - rest
    days = np.arange(regimen.start + regimen.every, times[-1] + STEP / 2, regimen.every)
    if not days.size or plateau <= 0:
        return None
    off = np.flatnonzero(np.abs(np.interp(days, times, infused) - plateau) > within * plateau)
    after = int(off[-1]) + 2 if off.size else 1
    return after if after <= days.size else None
