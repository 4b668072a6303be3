"""When the next level is worth drawing: the day whose level would tell most of the troughs to come.

Linear in the deviations around the curve as it stands: a level with slope ``s`` and residual variance ``v`` lowers the variance of a trough with slope
``g`` by ``(g' C s)^2 / (s' C s + v)``, where C is what is still open. Days in distribution after an intravenous dose are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ivigil.evidence.kinetics import Model
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.curves import total_over
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.typical import Person, individual_values, residual_sd, scatter, setting, typical_values

_NUDGE = 1e-4
_NEARLY = 0.02
"""A day counts as nearly as good when the standard deviation left is within this share of the best."""


class Sampling(msgspec.Struct, frozen=True):
    """The best day, the first and the last day around it that are nearly as good, and the standard deviation (g/L) of the trough without and with it."""

    day: float
    first: float
    last: float
    without: float
    with_it: float


def best_day(model: Model, person: Person, etas: Array, covariance: Array, baseline: float, given: Sequence[Given], regimen: Regimen, horizon: float,
             evidence: Evidence) -> Sampling | None:
    """The day of the coming interval to draw a level; ``covariance`` is that of the deviations and, last, of the logarithm of the baseline.

    None for a single course, for a model whose scatter or residual error was not read, and where nothing is open.
    """
    names, _ = scatter(model)
    if regimen.every is None or model.family != "linear" or not names or model.residual is None:
        return None
    days = candidates(given, regimen, evidence)
    target = regimen.start + regimen.every * int((horizon - regimen.start) // regimen.every)
    if not days.size or target <= days[-1]:
        return None
    times = np.append(days, target)
    centre = np.append(etas, 0.0)
    moves = np.concatenate([np.zeros((1, centre.size)), np.eye(centre.size) * _NUDGE, -np.eye(centre.size) * _NUDGE]) + centre
    values = individual_values(model, typical_values(model, person, evidence), names, moves[:, :-1])
    levels = total_over(model, values, baseline * np.exp(moves[:, -1]), given, times)
    slope = (levels[:, 1:centre.size + 1] - levels[:, centre.size + 1:]) / (2 * _NUDGE)
    sd = residual_sd(model, levels[:-1, 0])
    assert sd is not None
    aim = covariance @ slope[-1]
    before = float(slope[-1] @ aim)
    gain = (slope[:-1] @ aim) ** 2 / (np.einsum("nk,kl,nl->n", slope[:-1], covariance, slope[:-1]) + sd**2)
    if before <= 0:
        return None
    left = np.sqrt(np.maximum(before - gain, 0.0))
    best = int(np.argmin(left))
    first = last = best
    near = left <= left[best] * (1 + _NEARLY)
    while first > 0 and near[first - 1]:
        first -= 1
    while last < days.size - 1 and near[last + 1]:
        last += 1
    return Sampling(float(days[best]), float(days[first]), float(days[last]), float(np.sqrt(before)), float(left[best]))


def candidates(given: Sequence[Given], regimen: Regimen, evidence: Evidence) -> Array:
    """The days from today to the end of the interval after the next dose on which a level means something; on the day of a dose it is drawn before it."""
    assert regimen.every is not None
    wait = setting(evidence, "distribution", "day")
    veins = [dose.day for dose in given if dose.route == "intravenous"]
    days = np.arange(0.0, regimen.start + regimen.every + 0.5)
    return np.array([day for day in days if not any(0 < day - dose < wait for dose in veins)])
