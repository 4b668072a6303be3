"""The forecast: total IgG of a person over time under every model that fits, with the spread between patients, between models and of the assay.

Pure: everything it depends on is an argument. Virtual patients come from a fixed seed, so the same question has the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import number_text
from ivigil.evidence.kinetics import ForecastState, Model
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics import kernels
from ivigil.pharmacokinetics.baseline import Endogenous, endogenous
from ivigil.pharmacokinetics.curves import Interval, grouped, steady_interval, terminal_half_life, total_over, trough_per_gram
from ivigil.pharmacokinetics.history import Given, History, Remark, filled_back
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.regimen import Regimen, coming
from ivigil.pharmacokinetics.suitability import Verdict, choice_for, states_of, suitability
from ivigil.pharmacokinetics.typical import CannotCompute, Person, Values, individual_values, modes_of, residual_sd, scatter, setting, typical_values

Status = Literal["forecast", "needs-levels", "no-model"]
VIRTUAL = 200
"""Virtual patients of each model whose whole curves are drawn for the bands."""
MANY = 2000
"""Virtual patients of whom only the steady trough is worked out, for probabilities."""
SEED = 20260101
STEP = 0.5
"""Days between the points of a curve."""
_BACK = 84.0
"""Days of the past that are shown."""
BAND = (0.05, 0.5, 0.95)
_NORMAL_95 = 1.6448536269514722


class Individual(msgspec.Struct, frozen=True, eq=False):
    """One person's own parameters under a model: log deviations in the order of :func:`typical.scatter`, their covariance, and baseline (g/L)."""

    model: str
    etas: Array
    covariance: Array
    baseline: float | None = None


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


class ModelCurve(msgspec.Struct, frozen=True, eq=False):
    """One model of the ensemble: its curve for a typical patient, where the endogenous part ends, and the summary."""

    model: str
    name: str
    verdict: Verdict
    total: Array
    endogenous: Endogenous
    summary: Summary
    individual: bool = False
    clearance_ratio: float | None = None


class Bands(NamedTuple):
    """The 5th, 50th and 95th percentile of each kind of uncertainty, each ``(3, times)``; None where the models give no variation.

    ``person``: virtual patients of the first model. ``model``: lowest, middle and highest typical curve. ``assay``: the first curve with
    residual error. ``together``: virtual patients of all models with residual error.
    """

    person: Array | None
    model: Array
    assay: Array | None
    together: Array | None


class Forecast(msgspec.Struct, frozen=True, eq=False):
    """All of it. ``times`` are days from the day of the forecast; ``curves`` begin with the first choice."""

    status: Status
    person: Person
    regimen: Regimen
    verdicts: tuple[Verdict, ...]
    choice: str
    remarks: tuple[Remark, ...]
    states: tuple[ForecastState, ...]
    history: History
    given: tuple[Given, ...]
    times: Array
    curves: tuple[ModelCurve, ...] = ()
    bands: Bands | None = None
    troughs: Array | None = None
    trough_spread: float | None = None
    target: float | None = None
    attainment: float | None = None


def forecast(person: Person, facts: Facts, history: History, regimen: Regimen, evidence: Evidence, *, horizon: float, target: float | None = None,
             model: str = "", individuals: Mapping[str, Individual] | None = None, virtual: int = VIRTUAL, seed: int = SEED) -> Forecast:
    """Forecast a person's IgG from the history through ``horizon`` days of the regimen.

    ``model`` asks for one model instead of the choice; ``individuals`` replace typical patients by fitted ones, model by model.
    """
    past, assumed = filled_back(history, regimen.every, evidence)
    routes: tuple[Route, ...] = tuple(dict.fromkeys([dose.route for dose in past] + [regimen.route]))
    course = largest_course(past, regimen, person.weight)
    choice = choice_for(person, facts, (regimen.route,), evidence)
    verdicts = {item.id: suitability(item, person, facts, routes, course, evidence) for item in evidence.models.values()}
    states = states_of(person, facts, evidence)
    remarks = [*history.remarks, *assumed]
    given = tuple(sorted((*past, *coming(regimen, horizon)), key=lambda dose: dose.day))
    begins = max(-_BACK, min((dose.day for dose in past), default=0.0))
    times = np.arange(begins, horizon + STEP / 2, STEP)
    blank = Forecast("no-model", person, regimen, tuple(verdicts.values()), choice.id if choice else "", tuple(remarks), states, history, given, times,
                     target=target)
    fitted = individuals or {}
    if any(state.forecast == "needs-levels" for state in states) and not fitted:
        return msgspec.structs.replace(blank, status="needs-levels")
    chosen = _ensemble(choice.first if choice else "", choice.beside if choice else (), verdicts, model)
    members = [_member(evidence.models[name], person, history, facts, evidence, fitted.get(name), virtual, seed) for name in chosen]
    if not members:
        return blank
    curves, bands = _curves(members, verdicts, given, times, regimen, target, evidence, seed)
    remarks.extend(dict.fromkeys(curve.endogenous.remark for curve in curves[:1]))
    remarks.extend(_alarms(curves, setting(evidence, "clearance-alarm")))
    many = _member(evidence.models[chosen[0]], person, history, facts, evidence, fitted.get(chosen[0]), MANY, seed)
    troughs, spread, attained = _troughs(many, curves, regimen, target)
    return msgspec.structs.replace(blank, status="forecast", curves=curves, bands=bands, remarks=tuple(remarks), troughs=troughs, trough_spread=spread,
                                   attainment=attained)


def _alarms(curves: Sequence[ModelCurve], times: float) -> Iterator[Remark]:
    """An individual clearance far above the typical one asks for a cause, not for a dose."""
    for curve in curves:
        if curve.clearance_ratio is not None and curve.clearance_ratio > times:
            yield Remark("clearance-alarm", f"Under {curve.name} this patient's clearance is {number_text(curve.clearance_ratio)} times the typical one: "
                         "look for loss of IgG, a missed dose, a paraprotein or the assay. It is no reason for a bigger dose.", ("pk-policy.clearance-alarm",))


def largest_course(past: Sequence[Given], regimen: Regimen, weight: float) -> float:
    """The largest dose of one course in g/kg: the regimen's, or recorded doses on following days together. A single loading dose does not count."""
    largest = regimen.grams
    running, before = 0.0, -np.inf
    for dose in sorted(past, key=lambda item: item.day):
        running = running + dose.grams if dose.day - before <= 1.0 else dose.grams
        before = dose.day
        largest = max(largest, running)
    return largest / weight


def _ensemble(first: str, beside: Sequence[str], verdicts: Mapping[str, Verdict], asked: str) -> tuple[str, ...]:
    """The first choice unless it does not fit, and beside it the models that fit; those that stretch only when none fits; the one asked for alone."""
    if asked:
        return (asked,) if verdicts[asked].computable else ()
    ordered = [name for name in (first, *beside) if name and verdicts[name].fit != "does-not-fit"]
    fitting = [name for name in ordered if verdicts[name].fit == "fits"]
    return tuple(name for name in ordered if not fitting or name in fitting or name == first)


class _Member(NamedTuple):
    """One model of the ensemble with its typical patient and its virtual ones (none when no variation was printed)."""

    model: Model
    typical: Values
    endogenous: Endogenous
    drawn: Values | None
    baselines: Array
    individual: bool
    ratio: float | None


def _member(model: Model, person: Person, history: History, facts: Facts, evidence: Evidence, own: Individual | None, virtual: int, seed: int) -> _Member:
    printed = typical_values(model, person, evidence)
    names, omega = scatter(model)
    rest = endogenous(model, person, history, facts, evidence)
    centre = np.zeros((1, len(names)))
    ratio = None
    if own is not None:
        if own.etas.shape != (len(names),) or own.covariance.shape != (len(names), len(names)):
            raise CannotCompute(f"{model.id} has {len(names)} deviations ({', '.join(names)}); the individual gives {own.etas.shape}")
        centre, omega = own.etas[np.newaxis], own.covariance
        if own.baseline is not None:
            rest = msgspec.structs.replace(rest, value=own.baseline, log_sd=0.0, measured=True)
    typical = individual_values(model, printed, names, centre)
    if own is not None:
        ratio = float(typical["CL"][0] / printed["CL"]) if "CL" in printed else None
    if not names and rest.log_sd == 0.0:
        return _Member(model, typical, rest, None, np.array([rest.value]), own is not None, ratio)
    normal = np.random.default_rng([seed, len(model.id), *model.id.encode()]).standard_normal((virtual, len(names) + 1))
    root = square_root(omega)
    drawn = individual_values(model, printed, names, centre + normal[:, :-1] @ root.T) if names and model.family == "linear" else None
    baselines = rest.value * np.exp(rest.log_sd * normal[:, -1])
    return _Member(model, typical, rest, drawn, baselines, own is not None, ratio)


def square_root(covariance: Array) -> Array:
    """A square root of a covariance that may be singular."""
    if not covariance.size:
        return covariance
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _curves(members: Sequence[_Member], verdicts: Mapping[str, Verdict], given: Sequence[Given], times: Array, regimen: Regimen, target: float | None,
            evidence: Evidence, seed: int) -> tuple[tuple[ModelCurve, ...], Bands]:
    """Every typical curve and all virtual patients of the linear models in one run over the grid."""
    linear = [member for member in members if member.model.family == "linear"]
    columns: list[Values] = []
    for member in linear:
        columns.append(member.typical)
        if member.drawn is not None:
            columns.append(member.drawn)
    infused = np.zeros((times.size, sum(next(iter(values.values())).size for values in columns)))
    for route, doses in grouped(given) if columns else ():
        infused += kernels.on_grid(kernels.joined([modes_of(values, route) for values in columns]), doses, times.size, STEP, float(times[0]))
    at = 0
    totals: list[Array] = []
    people: list[Array] = []
    for member in members:
        if member.model.family == "linear":
            totals.append(infused[:, at] + member.endogenous.value)
            at += 1
            if member.drawn is not None:
                people.append(infused[:, at:at + member.baselines.size] + member.baselines)
                at += member.baselines.size
            else:
                people.append(totals[-1][:, np.newaxis])
        else:
            totals.append(total_over(member.model, member.typical, member.endogenous.value, given, times)[:, 0])
            people.append(totals[-1][:, np.newaxis])
    curves = tuple(ModelCurve(member.model.id, member.model.name, verdicts[member.model.id], total, member.endogenous,
                              _summary(member, total, times, given, regimen, target, evidence), member.individual, member.ratio)
                   for member, total in zip(members, totals, strict=True))
    return curves, _bands(members, totals, people, seed)


def _bands(members: Sequence[_Member], totals: Sequence[Array], people: Sequence[Array], seed: int) -> Bands:
    stacked = np.stack(totals)
    between = np.stack([stacked.min(axis=0), np.median(stacked, axis=0), stacked.max(axis=0)])
    first = members[0]
    person = _quantiles(people[0]) if people[0].shape[1] > 1 else None
    error = residual_sd(first.model, totals[0])
    assay = np.stack([totals[0] - _NORMAL_95 * error, totals[0], totals[0] + _NORMAL_95 * error]) if error is not None else None
    noise = np.random.default_rng(seed)
    mixed = []
    for member, curves in zip(members, people, strict=True):
        if curves.shape[1] > 1:
            sd = residual_sd(member.model, curves)
            mixed.append(curves + noise.standard_normal(curves.shape[1]) * (sd if sd is not None else 0.0))
    together = _quantiles(np.concatenate(mixed, axis=1)) if mixed else None
    return Bands(person, between, assay, together)


def _quantiles(curves: Array) -> Array:
    """The band at every time, by nearest rank: one partition for all three."""
    size = curves.shape[1]
    ranks = [min(size - 1, int(share * size)) for share in BAND]
    return np.asarray(np.partition(curves, ranks, axis=1)[:, ranks].T)


def _summary(member: _Member, total: Array, times: Array, given: Sequence[Given], regimen: Regimen, target: float | None, evidence: Evidence) -> Summary:
    rest = member.endogenous.value
    half_life = float(terminal_half_life(member.model, member.typical, rest)[0])
    means = ("of infused IgG after distribution (ln 2 over the slowest rate)" if member.model.family == "linear"
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
    if regimen.every is None:
        return shared
    steady = steady_interval(member.model, member.typical, rest, regimen)
    return msgspec.structs.replace(
        shared, trough=float(steady.trough[0]), peak=float(steady.peak[0]), average=float(steady.average[0]),
        above_target=float(steady.above(target)[0]) if target is not None else None,
        steady_after_doses=_doses_to_steady(total - rest, times, steady, rest, regimen, setting(evidence, "steady-within", "%") / 100))


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


def _troughs(first: _Member, curves: Sequence[ModelCurve], regimen: Regimen, target: float | None) -> tuple[Array | None, float | None, float | None]:
    """Steady troughs of the first model's virtual patients, the spread of typical troughs between models, and the share that attains the target."""
    if regimen.every is None:
        return None, None, None
    typical = np.array([curve.summary.trough for curve in curves])
    spread = float(np.std(typical, ddof=1) / np.mean(typical)) if typical.size > 1 else None
    if first.drawn is None:
        return None, spread, None
    troughs = np.asarray(first.baselines + regimen.grams * trough_per_gram(first.drawn, regimen))
    return troughs, spread, float(np.mean(troughs >= target)) if target is not None else None
