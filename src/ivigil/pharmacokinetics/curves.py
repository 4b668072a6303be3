"""Curves of one model for one or many individuals, whatever its family: total IgG over time, at steady state, and what is read off them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ivigil.evidence.kinetics import Model
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics import kernels, saturable
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.typical import catabolism_of, modes_of

STEP = 0.5
"""Days between the points of a curve."""
_PER_DAY = 8
"""Points of a steady interval for peak and time above a level."""
_LONGEST_RUN = 60
"""Intervals after which the saturable model is called steady."""


class Interval(NamedTuple):
    """One interval at steady state: phases in days, total IgG ``(phases, n)``, and the trough before the first dose of the interval."""

    phases: Array
    total: Array

    @property
    def trough(self) -> Array:
        """Total IgG just before the dose."""
        return np.asarray(self.total[0])

    @property
    def peak(self) -> Array:
        """The highest total IgG of the interval."""
        return np.asarray(np.max(self.total, axis=0))

    @property
    def average(self) -> Array:
        """The mean over the interval."""
        return np.asarray(np.trapezoid(self.total, self.phases, axis=0) / (self.phases[-1] - self.phases[0]))

    def above(self, level: float) -> Array:
        """The share of the interval spent at or above a level."""
        return np.asarray(np.trapezoid((self.total >= level).astype(np.float64), self.phases, axis=0) / (self.phases[-1] - self.phases[0]))


def grouped(given: Sequence[Given]) -> list[tuple[Route, kernels.Doses]]:
    """The doses as arrays, by route: one bioavailability each."""
    routes = dict.fromkeys(dose.route for dose in given)
    return [(route, kernels.doses([d.day for d in given if d.route == route], [d.grams for d in given if d.route == route],
                                  [d.length for d in given if d.route == route], route != "intravenous")) for route in routes]


def total_over(model: Model, values: Mapping[str, Array], baseline: ArrayLike, given: Sequence[Given], times: Array) -> Array:
    """Total IgG (g/L) at the times (days, increasing), shape ``(times, n)``: endogenous and infused IgG together."""
    rest = np.asarray(baseline, dtype=np.float64)
    size = max(rest.size, next(iter(values.values())).size)
    if not given:
        return np.broadcast_to(rest, (times.size, size)).copy()
    if model.saturable is not None:
        return _saturable(model, values, rest, given, times)
    out = np.broadcast_to(rest, (times.size, size)).copy()
    regular = times.size > 2 and np.allclose(np.diff(times), times[1] - times[0])
    for route, doses in grouped(given):
        modes = modes_of(values, route)
        if regular and size > 1:
            out += kernels.on_grid(modes, doses, times.size, float(times[1] - times[0]), float(times[0]))
        else:
            out += kernels.superposed(modes, doses, times)
    return out


def _saturable(model: Model, values: Mapping[str, Array], baseline: Array, given: Sequence[Given], times: Array) -> Array:
    """All routes in one run, since the doses do not add up: facilitated grams are scaled to the depot's bioavailability."""
    ratio = {"facilitated-subcutaneous": float(values["F_fscig"][0] / values["F_sc"][0])}
    doses = kernels.doses([d.day for d in given], [d.grams * ratio.get(d.route, 1.0) for d in given], [d.length for d in given],
                          [d.route != "intravenous" for d in given])
    return saturable.simulated(catabolism_of(model, values), baseline, doses, times).total


def steady_interval(model: Model, values: Mapping[str, Array], baseline: ArrayLike, regimen: Regimen, points: int | None = None) -> Interval:
    """One interval of a repeating regimen at steady state; exact for linear models, after a long run for the saturable one.

    Raises:
        ValueError: the regimen does not repeat.
    """
    rest = np.asarray(baseline, dtype=np.float64)
    every, pattern, phases = _pattern(regimen, points)
    if model.saturable is not None:
        run = [Given(dose.day + every * index, dose.grams, dose.route, dose.length) for index in range(_LONGEST_RUN) for dose in pattern]
        return Interval(phases, _saturable(model, values, rest, run, phases + every * (_LONGEST_RUN - 1)))
    infused = steady_infused(modes_of(values, regimen.route), regimen, points)
    return Interval(phases, infused.total + rest)


def steady_infused(exponentials: kernels.Modes, regimen: Regimen, points: int | None = None) -> Interval:
    """Infused IgG alone over one interval at steady state, for exponentials that belong to the route of the regimen.

    Raises:
        ValueError: the regimen does not repeat.
    """
    every, pattern, phases = _pattern(regimen, points)
    ((_, doses),) = grouped(pattern)
    return Interval(phases, kernels.at_steady_state(exponentials, doses, every, phases))


def _pattern(regimen: Regimen, points: int | None) -> tuple[float, list[Given], Array]:
    """The interval in days, the doses of one course, and the phases at which the interval is looked at."""
    if regimen.every is None:
        raise ValueError("a single course has no steady state")
    every = regimen.every
    pattern = [Given(float(part), regimen.grams / regimen.days, regimen.route, regimen.length) for part in range(regimen.days)]
    edges = [dose.day + dose.length for dose in pattern]
    return every, pattern, np.array(sorted({*np.linspace(0.0, every, points or int(every * _PER_DAY) + 1).tolist(), *edges}))


def trough_per_gram(values: Mapping[str, Array], regimen: Regimen) -> Array:
    """What one gram per course adds to the steady trough of a linear model (g/L)."""
    assert regimen.every is not None
    pattern = kernels.doses(np.arange(regimen.days, dtype=np.float64), np.full(regimen.days, 1.0 / regimen.days),
                            regimen.length if regimen.route == "intravenous" else 0.0, regimen.route != "intravenous")
    return np.asarray(kernels.at_steady_state(modes_of(values, regimen.route), pattern, regimen.every, 0.0)[0])


def terminal_half_life(model: Model, values: Mapping[str, Array], level: float) -> Array:
    """Linear: ln 2 over the slowest rate of disposition of infused IgG. Saturable: whole-body half-life at this total IgG. Days."""
    if model.saturable is not None:
        return saturable.whole_body_half_life(catabolism_of(model, values), level)
    return np.asarray(np.log(2.0) / modes_of(values).slowest)
