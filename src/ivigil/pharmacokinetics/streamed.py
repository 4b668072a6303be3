"""Summaries of any number of virtual patients without keeping their curves: counts in fixed bins, one block of patients at a time.

The memory is that of one block and of one table of counts (times x bins), however many patients pass through. Bins are even on a logarithmic scale,
so a quantile is as sure as one bin is wide: a quarter of a per cent of the level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ivigil.evidence.kinetics import Model
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics import kernels
from ivigil.pharmacokinetics.curves import grouped
from ivigil.pharmacokinetics.forecast import SEED, square_root
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.typical import CannotCompute, Person, Values, individual_values, modes_of, scatter, typical_values

BLOCK = 8192
"""Patients at a time."""
LOWEST, HIGHEST, BINS = 0.05, 500.0, 3684
"""g/L at the ends of the bins, and their number: each is a quarter of a per cent wide. Levels beyond count in the last bin at that end."""


class Stream:
    """Counts of levels at some times. ``add`` takes curves ``(times, n)`` and forgets them."""

    def __init__(self, times: int, lowest: float = LOWEST, highest: float = HIGHEST, bins: int = BINS) -> None:
        self.lowest, self.highest, self.bins = lowest, highest, bins
        self.patients = 0
        self._scale = bins / np.log(highest / lowest)
        self._counts: NDArray[np.int64] = np.zeros((times, bins), dtype=np.int64)
        self._sums = np.zeros(times)

    def add(self, curves: Array) -> None:
        """One more block of patients.

        Raises:
            ValueError: the block has another number of times, or a level that is no number.
        """
        if curves.ndim != 2 or curves.shape[0] != len(self._counts):
            raise ValueError(f"curves at {len(self._counts)} times are wanted, not {curves.shape}")
        self._sums += (sums := curves.sum(axis=1))
        if not np.all(np.isfinite(sums)):
            raise ValueError("a level is not a finite number")
        self.patients += curves.shape[1]
        for row, counts in zip(curves, self._counts, strict=True):
            place = np.log(np.maximum(row, self.lowest) / self.lowest) * self._scale
            counts += np.bincount(np.minimum(place.astype(np.int64), self.bins - 1), minlength=self.bins)

    @property
    def mean(self) -> Array:
        """The mean at each time, exact."""
        return np.asarray(self._sums / self.patients)

    def quantiles(self, shares: Sequence[float]) -> Array:
        """The levels below which these shares of the patients lie, ``(shares, times)``: within one bin."""
        below = np.cumsum(self._counts, axis=1)
        out = np.empty((len(shares), len(below)))
        for row, share in enumerate(shares):
            wanted = max(share * self.patients, 1e-9)
            place = np.argmax(below >= wanted, axis=1)
            before = np.where(place > 0, below[np.arange(len(below)), place - 1], 0)
            inside = (wanted - before) / np.maximum(self._counts[np.arange(len(below)), place], 1)
            out[row] = self.lowest * np.exp((place + inside) / self._scale)
        return out

    def share_above(self, level: float) -> Array:
        """The share of patients at or above a level, at each time; those of its own bin count by where in it the level lies."""
        exact = float(np.clip(np.log(max(level, self.lowest) / self.lowest) * self._scale, 0, self.bins - 1e-9))
        place = int(exact)
        above = self._counts[:, place + 1:].sum(axis=1) + self._counts[:, place] * (place + 1 - exact)
        return np.asarray(above / self.patients)


class Population(msgspec.Struct, frozen=True, eq=False):
    """What many virtual patients come to: percentiles, mean and, where a target was given, the share at or above it, on each day."""

    patients: int
    days: Array
    shares: tuple[float, ...]
    percentiles: Array
    mean: Array
    above_target: Array | None = None


def population(model: Model, person: Person, baseline: float, baseline_log_sd: float, given: Sequence[Given], days: Array, number: int, evidence: Evidence, *,
               shares: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95), target: float | None = None, seed: int = SEED, block: int = BLOCK,
               report: Callable[[int, int], None] | None = None) -> Population:
    """Total IgG (g/L) of ``number`` virtual patients like a person on regular ``days``, summarised as they pass.

    The same seed and block give the same answer. ``report`` is called with patients done and all patients.

    Raises:
        CannotCompute: the model is not linear, how patients differ under it was not read, or a covariate is unknown.
        ValueError: no patient is asked for, or the days are not regular and rising.
    """
    names, _ = scatter(model)
    if model.family != "linear" or not names:
        raise CannotCompute(f"how patients differ under {model.id} is not known")
    steps = np.diff(days)
    if number < 1 or block < 1 or days.size < 2 or not np.allclose(steps, steps[0]) or not steps[0] > 0:
        raise ValueError("at least one patient, and regular days that rise")
    stream = Stream(days.size)
    done = 0
    buffer = np.empty((days.size, min(block, number)))
    for values, baselines in virtual_patients(model, person, baseline, baseline_log_sd, number, evidence, seed, block):
        curves = buffer[:, :baselines.size]
        curves[:] = baselines
        for route, doses in grouped(given):
            curves += kernels.on_grid(modes_of(values, route), doses, days.size, float(steps[0]), float(days[0]))
        stream.add(curves)
        done += baselines.size
        if report is not None:
            report(done, number)
    return Population(number, days, tuple(shares), stream.quantiles(shares), stream.mean, stream.share_above(target) if target is not None else None)


def virtual_patients(model: Model, person: Person, baseline: float, baseline_log_sd: float, number: int, evidence: Evidence, seed: int,
                     block: int) -> Iterator[tuple[Values, Array]]:
    """Parameters and baselines of virtual patients, block by block; patients like one person, drawn from the printed scatter."""
    names, omega = scatter(model)
    printed, root = typical_values(model, person, evidence), square_root(omega)
    source = np.random.default_rng([seed, *model.id.encode()])
    for first in range(0, number, block):
        normal = source.standard_normal((min(block, number - first), len(names) + 1))
        yield individual_values(model, printed, names, normal[:, :-1] @ root.T), baseline * np.exp(baseline_log_sd * normal[:, -1])
