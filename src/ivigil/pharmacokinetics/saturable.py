"""Saturable (FcRn) catabolism: total IgG and a tracer autoantibody, as an ordinary differential equation over many patients at once.

Catabolism from plasma has the fractional rate ``max(kint - J / (Km + C), floor)``; production is constant, so that the patient's own level is
at rest without doses. Days, grams, litres; ``C`` is total IgG in g/L. The tracer has its own constant production, the same fractional rates,
and is given as a share of its starting level.

Solved by Dormand and Prince's fifth-order steps of fixed length between the moments at which anything changes (doses, ends of infusions,
outputs). Against a tight reference the largest difference is below 2e-5 g/L for courses up to 2 g/kg from baselines of 5 g/L and more; from 3 g/L, where
the floor of the catabolic rate is crossed, below 1e-4 g/L. ``tests/pharmacokinetics/test_saturable.py`` holds it to that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ivigil.pharmacokinetics.kernels import Array, Doses

STEPS = ((2.0, 1 / 3), (5.0, 0.5), (np.inf, 1.0))
"""The longest step (days) until so many days after the last dose or end of an infusion: short while IgG spreads between plasma and tissue."""
BLOCK = 1024
"""Patients worked on together."""
_STEP_SLACK = 1e-9
# Dormand and Prince 1980: RK5(4)7M, the first six stages and the fifth-order weights.
STAGES = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
WEIGHTS = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)


class Catabolism(NamedTuple):
    """The constants of the model: rates in 1/day, ``J`` in g/L/day, ``Km`` in g/L, volumes in L, exchange in L/day; numbers or ``(n,)``."""

    kint: ArrayLike
    J: ArrayLike
    Km: ArrayLike
    floor: ArrayLike
    central: ArrayLike
    peripheral: ArrayLike
    exchange: ArrayLike
    absorption: ArrayLike = 1.0
    bioavailability: ArrayLike = 1.0


class Course(NamedTuple):
    """What came of it, at the times asked for: total IgG in g/L and the tracer as a share of its starting level, each ``(times, n)``."""

    total: Array
    tracer: Array


def fractional_rate(model: Catabolism, concentration: ArrayLike) -> Array:
    """The fractional catabolic rate from plasma (1/day) at a total IgG in g/L."""
    level = np.asarray(concentration, dtype=np.float64)
    return np.asarray(np.maximum(np.asarray(model.kint) - np.asarray(model.J) / (np.asarray(model.Km) + level), np.asarray(model.floor)))


def whole_body_half_life(model: Catabolism, concentration: ArrayLike) -> Array:
    """Days in which the body's IgG would halve at a held plasma level: ln 2 over the fractional rate times the plasma's share of IgG."""
    central, peripheral = np.asarray(model.central, dtype=np.float64), np.asarray(model.peripheral, dtype=np.float64)
    return np.asarray(np.log(2.0) * (central + peripheral) / (central * fractional_rate(model, concentration)))


def simulated(model: Catabolism, baseline: ArrayLike, given: Doses, times: ArrayLike) -> Course:
    """Total IgG and tracer at increasing ``times``, starting at rest at the ``baseline`` (g/L) at time nought or the first time if earlier.

    Levels at the moment of a dose are those just before it.

    Raises:
        ValueError: times run backwards, or a dose lies before the start.
    """
    at = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if np.any(np.diff(at) < 0):
        raise ValueError("times run forwards")
    start = min(0.0, float(at[0]), float(given.times.min(initial=0.0)))
    patients = max(np.size(baseline), *(np.size(item) for item in model), given.grams.shape[1] if given.grams.ndim == 2 else 1)
    everyone = [np.broadcast_to(np.asarray(item, dtype=np.float64), (patients,)) for item in (*model, baseline)]
    total, tracer = np.empty((at.size, patients)), np.empty((at.size, patients))
    plan = planned(given, at, start)
    for low in range(0, patients, BLOCK):
        block = slice(low, min(low + BLOCK, patients))
        own = [np.ascontiguousarray(item[block]) for item in everyone]
        grams = given.grams[:, block] if given.grams.ndim == 2 else given.grams
        _block(Catabolism(*own[:-1]), own[-1], given._replace(grams=grams), plan, total[:, block], tracer[:, block])
    return Course(total, tracer)


class Plan(NamedTuple):
    """One road of steps for all patients: the length of each step, how many outputs come before it, and which doses start or run in it."""

    lengths: Array
    outputs: NDArray[np.intp]
    starting: tuple[NDArray[np.intp], ...]
    running: tuple[NDArray[np.intp], ...]


def planned(given: Doses, at: Array, start: float) -> Plan:
    """Steps from one moment of change to the next, short after each change. The outputs of a moment come before its doses."""
    ends = given.times + given.lengths
    changes = np.unique(np.concatenate([given.times, ends]))
    moments = np.unique(np.concatenate([[start], changes, at]))
    moments = moments[(moments >= start) & (moments <= at[-1])]
    lengths: list[float] = []
    outputs: list[int] = []
    starting: list[NDArray[np.intp]] = []
    running: list[NDArray[np.intp]] = []
    none = np.empty(0, dtype=np.intp)
    for index, now in enumerate(moments):
        ahead = int(np.count_nonzero(at == now))
        begins = np.flatnonzero(given.times == now)
        runs = np.flatnonzero((given.times <= now) & (ends > now) & (given.lengths > 0))
        span = float(moments[index + 1] - now) if index + 1 < moments.size else 0.0
        before = changes[changes <= now]
        since = now - before[-1] if before.size else np.inf
        longest = next(step for until, step in STEPS if since < until or np.isinf(until))
        steps = max(1, int(np.ceil(span / longest - _STEP_SLACK)))
        lengths.extend([span / steps] * steps)
        outputs.extend([ahead] + [0] * (steps - 1))
        starting.extend([begins] + [none] * (steps - 1))
        running.extend([runs] * steps)
    return Plan(np.array(lengths), np.array(outputs, dtype=np.intp), tuple(starting), tuple(running))


def _block(model: Catabolism, baseline: Array, given: Doses, plan: Plan, total: Array, tracer: Array) -> None:
    """One block of patients along the plan."""
    solver = _Solver(model, baseline, bool(np.any(given.depot)))
    row = 0
    for length, ahead, starting, running in zip(plan.lengths, plan.outputs, plan.starting, plan.running, strict=True):
        for _ in range(ahead):
            total[row], tracer[row] = solver.state[0], solver.state[2]
            row += 1
        for dose in starting:
            solver.take(given.grams[dose], float(given.lengths[dose]), bool(given.depot[dose]))
        solver.inflow(given.grams, given.lengths, running)
        if length > 0:
            solver.step(float(length))


class _Solver:
    """The state of a block: rows are total IgG in plasma, in tissue, tracer in plasma, in tissue, and grams in the depot where there is one."""

    def __init__(self, model: Catabolism, baseline: Array, with_depot: bool) -> None:
        size = baseline.size
        rows = 5 if with_depot else 4
        self.size, self.with_depot = size, with_depot
        self.state = np.ones((rows, size))
        self.state[:2] = baseline
        if with_depot:
            self.state[4] = 0.0
        self.slopes = np.zeros((6, rows, size))
        self.kint, self.J, self.Km, self.floor = (np.asarray(item) for item in model[:4])
        self.central = np.asarray(model.central)
        self.out, self.back = np.asarray(model.exchange) / self.central, np.asarray(model.exchange) / np.asarray(model.peripheral)
        self.absorption = np.asarray(model.absorption)
        self.entering = self.absorption * np.asarray(model.bioavailability) / self.central
        self.tracer_made = fractional_rate(model, baseline)
        self.made = self.tracer_made * baseline
        self.supply = self.made
        self.rate, self.flow = np.empty(size), np.empty(size)

    def take(self, grams: Array | np.float64, length: float, depot: bool) -> None:
        """A dose into the depot, or at once into the plasma when it takes no time."""
        if depot:
            self.state[4] += grams
        elif length == 0:
            self.state[0] += grams / self.central

    def inflow(self, grams: Array, lengths: Array, running: NDArray[np.intp]) -> None:
        """What enters the plasma until the next moment: production and the infusions under way."""
        self.supply = self.made
        for dose in running:
            self.supply = self.supply + grams[dose] / (lengths[dose] * self.central)

    def slope(self, state: Array, into: Array) -> None:
        """The derivative of the state."""
        total, tissue, tracer, tracer_tissue = state[0], state[1], state[2], state[3]
        rate, flow = self.rate, self.flow
        np.add(self.Km, total, out=rate)
        np.divide(self.J, rate, out=rate)
        np.subtract(self.kint, rate, out=rate)
        np.maximum(rate, self.floor, out=rate)
        for level, other, made, row in ((total, tissue, self.supply, 0), (tracer, tracer_tissue, self.tracer_made, 2)):
            np.subtract(level, other, out=flow)
            np.multiply(flow, self.back, out=into[row + 1])
            np.multiply(flow, self.out, out=flow)
            np.multiply(rate, level, out=into[row])
            np.add(into[row], flow, out=flow)
            np.subtract(made, flow, out=into[row])
        if self.with_depot:
            np.multiply(state[4], self.entering, out=flow)
            into[0] += flow
            np.multiply(state[4], -self.absorption, out=into[4])

    def step(self, length: float) -> None:
        """One fifth-order step."""
        self.slope(self.state, self.slopes[0])
        flat, base = self.slopes.reshape(6, -1), self.state.reshape(-1)
        for stage in range(1, 6):
            weights = np.array(STAGES[stage]) * length
            self.slope((base + weights @ flat[:stage]).reshape(self.state.shape), self.slopes[stage])
        self.state = (base + (np.array(WEIGHTS) * length) @ flat).reshape(self.state.shape)
