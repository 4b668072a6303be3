"""Which dose or interval reaches a target trough, how surely, and what it costs in grams. Linear models only: there the trough is a straight line."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ivigil.basis.facts import Facts
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.baseline import endogenous
from ivigil.pharmacokinetics.curves import trough_per_gram
from ivigil.pharmacokinetics.forecast import MANY, SEED, Forecast, Individual, square_root
from ivigil.pharmacokinetics.history import History
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.typical import Person, individual_values, scatter, typical_values

WEEKS = (1.0, 2.0, 3.0, 4.0)
SURE = 0.9
_WEEK = 7.0


class Option(msgspec.Struct, frozen=True):
    """One way to the target: interval in days, grams for a typical patient and for nine patients in ten, and what the asked dose attains there."""

    every: float
    grams: float
    grams_sure: float | None
    grams_by_model: tuple[tuple[str, float], ...]
    per_year: float
    attained_typical: float | None
    attained: float | None
    same_dose_trough: float


def options(made: Forecast, facts: Facts, history: History, evidence: Evidence, target: float, individuals: dict[str, Individual] | None = None,
            virtual: int = MANY, seed: int = SEED) -> tuple[Option, ...]:
    """The doses that bring the steady trough to ``target`` (g/L) at intervals of one to four weeks and at the regimen's own; empty when no linear model fits.

    ``grams`` is for the typical patient of the first model, ``grams_sure`` for 90 % of its virtual patients; ``attained`` is the probability
    that the regimen's own grams reach the target at that interval, ``attained_typical`` the probability that ``grams`` do.
    """
    if not made.curves or made.regimen.every is None or evidence.models[made.curves[0].model].family != "linear":
        return ()
    found = []
    intervals = sorted({*(week * _WEEK for week in WEEKS), made.regimen.every})
    for every in intervals:
        regimen = msgspec.structs.replace(made.regimen.plain, every=every, start=0.0)
        if made.regimen.days > every:
            continue
        typical = {curve.model: _needed(curve.model, made.person, regimen, curve.endogenous.value, target, evidence, individuals) for curve in made.curves
                   if evidence.models[curve.model].family == "linear"}
        slopes, rests = _virtual(made.curves[0].model, made.person, regimen, facts, history, evidence, individuals, virtual, seed)
        needed = np.maximum(target - rests, 0.0) / slopes
        several = slopes.size > 1
        first = typical[made.curves[0].model][0]
        found.append(Option(
            every, first, float(np.quantile(needed, SURE)) if several else None, tuple((name, grams) for name, (grams, _) in typical.items()),
            first * _YEAR / every, float(np.mean(needed <= first)) if several else None, float(np.mean(needed <= regimen.grams)) if several else None,
            made.curves[0].endogenous.value + regimen.grams * typical[made.curves[0].model][1]))
    return tuple(found)


_YEAR = 365.25


def _needed(name: str, person: Person, regimen: Regimen, rest: float, target: float, evidence: Evidence,
            individuals: dict[str, Individual] | None) -> tuple[float, float]:
    """Grams for the target and the rise of the trough per gram, for the typical or the individual's patient."""
    model = evidence.models[name]
    names, _ = scatter(model)
    own = (individuals or {}).get(name)
    etas = own.etas[np.newaxis] if own is not None else np.zeros((1, len(names)))
    slope = float(trough_per_gram(individual_values(model, typical_values(model, person, evidence), names, etas), regimen)[0])
    return max(target - rest, 0.0) / slope, slope


def _virtual(name: str, person: Person, regimen: Regimen, facts: Facts, history: History, evidence: Evidence, individuals: dict[str, Individual] | None,
             virtual: int, seed: int) -> tuple[Array, Array]:
    """Rise of the trough per gram and baseline of each virtual patient; the same patients as in the forecast."""
    model = evidence.models[name]
    names, omega = scatter(model)
    own = (individuals or {}).get(name)
    rest = endogenous(model, person, history, facts, evidence)
    centre, value, log_sd = np.zeros((1, len(names))), rest.value, rest.log_sd
    if own is not None:
        centre, omega = own.etas[np.newaxis], own.covariance
        value, log_sd = (own.baseline, 0.0) if own.baseline is not None else (value, log_sd)
    count = virtual if names else 1
    normal = np.random.default_rng([seed, len(model.id), *model.id.encode()]).standard_normal((count, len(names) + 1))
    values = individual_values(model, typical_values(model, person, evidence), names, centre + normal[:, :-1] @ square_root(omega).T)
    return trough_per_gram(values, regimen), value * np.exp(log_sd * normal[:, -1]) if names else np.array([value])


def grams_in_words(choices: Sequence[Option]) -> str:
    """The cheapest interval by grams in a year."""
    best = min(choices, key=lambda option: option.per_year)
    return f"{best.per_year:.0f} g a year at every {best.every:g} days"
