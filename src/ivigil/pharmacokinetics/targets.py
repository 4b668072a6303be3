"""Which dose or interval reaches a target trough, how surely, and what it costs in grams. Linear models only: there the trough is a straight line."""

from __future__ import annotations

import msgspec
import numpy as np

from ivigil.basis.facts import Facts
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.curves import trough_per_gram
from ivigil.pharmacokinetics.forecast import MANY, SEED, Forecast, ModelCurve, member_of
from ivigil.pharmacokinetics.history import History
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.typical import individual_values, scatter, typical_values

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


def options(made: Forecast, facts: Facts, history: History, evidence: Evidence, target: float, virtual: int = MANY,
            seed: int = SEED) -> tuple[Option, ...]:
    """The doses that bring the steady trough to ``target`` (g/L) at intervals of one to four weeks and at the regimen's own; empty when no linear model fits.

    ``grams`` is for the typical patient of the first model, ``grams_sure`` for 90 % of its virtual patients; ``attained`` is the probability
    that the regimen's own grams reach the target at that interval, ``attained_typical`` the probability that ``grams`` do.
    """
    if not made.curves or made.regimen.every is None or evidence.models[made.curves[0].model].family != "linear":
        return ()
    found = []
    first = made.curves[0]
    many = member_of(evidence.models[first.model], made.person, history, facts, evidence, made.individuals.get(first.model), virtual, seed)
    drawn = many.drawn or many.typical
    intervals = sorted({*(week * _WEEK for week in WEEKS), made.regimen.every})
    for every in intervals:
        regimen = msgspec.structs.replace(made.regimen.plain, every=every, start=0.0)
        if made.regimen.days > every:
            continue
        typical = {curve.model: _needed(made, curve, regimen, target, evidence) for curve in made.curves if evidence.models[curve.model].family == "linear"}
        slopes = trough_per_gram(drawn, regimen)
        needed = np.maximum(target - many.baselines, 0.0) / slopes
        several = slopes.size > 1
        grams, rise = typical[first.model]
        found.append(Option(
            every, grams, float(np.quantile(needed, SURE)) if several else None, tuple((name, one) for name, (one, _) in typical.items()),
            grams * _YEAR / every, float(np.mean(needed <= grams)) if several else None, float(np.mean(needed <= regimen.grams)) if several else None,
            first.endogenous.value + regimen.grams * rise))
    return tuple(found)


_YEAR = 365.25


def _needed(made: Forecast, curve: ModelCurve, regimen: Regimen, target: float, evidence: Evidence) -> tuple[float, float]:
    """Grams for the target and the rise of the trough per gram, for the typical or the individual's patient."""
    model = evidence.models[curve.model]
    names, _ = scatter(model)
    own = made.individuals.get(curve.model)
    etas = own.etas[np.newaxis] if own is not None else np.zeros((1, len(names)))
    slope = float(trough_per_gram(individual_values(model, typical_values(model, made.person, evidence), names, etas), regimen)[0])
    return max(target - curve.endogenous.value, 0.0) / slope, slope
