"""The forecast: total IgG of a person over time under every model that fits, with the spread between patients, between models and of the assay.

Pure: everything it depends on is an argument. Virtual patients come from a fixed seed, so the same question has the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import number_text
from ivigil.evidence.kinetics import ForecastState, Model
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics import kernels
from ivigil.pharmacokinetics.baseline import Endogenous, endogenous
from ivigil.pharmacokinetics.curves import (
    STEP,
    Interval,
    grouped,
    steady_infused,
    steady_interval,
    terminal_half_life,
    total_over,
    trough_per_gram,
)
from ivigil.pharmacokinetics.history import Given, History, Remark, filled_back
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.personal import Individual, PersonalFit, levels_to_fit, personal_fit
from ivigil.pharmacokinetics.regimen import Regimen, coming
from ivigil.pharmacokinetics.response import ResponseCurve, response_over
from ivigil.pharmacokinetics.suitability import Verdict, choice_for, states_of, suitability
from ivigil.pharmacokinetics.summary import Summary, summary_of
from ivigil.pharmacokinetics.typical import CannotCompute, Person, Values, individual_values, modes_of, residual_sd, scatter, setting, typical_values

Status = Literal["forecast", "needs-levels", "no-model"]
VIRTUAL = 200
"""Virtual patients of each model whose whole curves are drawn for the bands."""
MANY = 2000
"""Virtual patients of whom only the steady trough is worked out, for probabilities."""
SEED = 20260101
_BACK = 84.0
"""Days of the past that are shown, ..."""
_LONGEST_BACK = 365.0
"""... and where older levels stand behind the curve."""
BAND = (0.05, 0.5, 0.95)
_NORMAL_95 = 1.6448536269514722


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
    response: ResponseCurve | None = None


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
    """All of it. ``times`` are days from the day of the forecast; ``curves`` begin with the first choice.

    ``fits`` has an entry for each model of the ensemble when there are levels to fit; models that could not be fitted then have no curve.
    """

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
    fits: tuple[PersonalFit, ...] = ()
    individuals: dict[str, Individual] = {}


def forecast(person: Person, facts: Facts, history: History, regimen: Regimen, evidence: Evidence, *, horizon: float, target: float | None = None,
             model: str = "", individuals: Mapping[str, Individual] | None = None, virtual: int = VIRTUAL, seed: int = SEED) -> Forecast:
    """Forecast a person's IgG from the history through ``horizon`` days of the regimen.

    ``model`` asks for one model instead of the choice. The levels on record are fitted; ``individuals`` given (also none) take the place of a fit.
    """
    past, assumed = filled_back(history, regimen.every, evidence)
    routes: tuple[Route, ...] = tuple(dict.fromkeys([dose.route for dose in past] + [regimen.route]))
    course = largest_course(past, regimen, person.weight)
    choice = choice_for(person, facts, (regimen.route,), evidence)
    verdicts = {item.id: suitability(item, person, facts, routes, course, evidence) for item in evidence.models.values()}
    states = states_of(person, facts, evidence)
    remarks = [*history.remarks, *assumed]
    given = tuple(sorted((*past, *coming(regimen, horizon)), key=lambda dose: dose.day))
    levels = levels_to_fit(history)
    shown = min([-_BACK, *(max(level.day, -_LONGEST_BACK) for level in levels)])
    begins = max(shown, min((dose.day for dose in past), default=0.0))
    times = np.arange(begins, horizon + STEP / 2, STEP)
    blank = Forecast("no-model", person, regimen, tuple(verdicts.values()), choice.id if choice else "", tuple(remarks), states, history, given, times,
                     target=target)
    chosen = _ensemble(choice.first if choice else "", choice.beside if choice else (), verdicts, model)
    fits: tuple[PersonalFit, ...] = ()
    if individuals is None:
        fits = tuple(personal_fit(item, person, past, levels, endogenous(item, person, history, facts, evidence), evidence)
                     for item in (evidence.models[name] for name in chosen)) if levels else ()
        individuals = {fit.model: fit.individual for fit in fits if fit.individual is not None}
        remarks.extend(_of_fits(fits, evidence))
        blank = msgspec.structs.replace(blank, fits=fits, individuals=individuals, remarks=tuple(remarks))
    if any(state.forecast == "needs-levels" for state in states) and not individuals:
        return msgspec.structs.replace(blank, status="needs-levels")
    chosen = tuple(name for name in chosen if not individuals or name in individuals)
    members = [member_of(evidence.models[name], person, history, facts, evidence, individuals.get(name), virtual, seed) for name in chosen]
    if not members:
        return blank
    curves, bands = _curves(members, verdicts, given, times, regimen, target, evidence, seed)
    remarks.extend(dict.fromkeys(curve.endogenous.remark for curve in curves[:1]))
    remarks.extend(_alarms(curves, setting(evidence, "clearance-alarm")))
    many = member_of(evidence.models[chosen[0]], person, history, facts, evidence, individuals.get(chosen[0]), MANY, seed)
    troughs, spread, attained = _troughs(many, curves, regimen, target)
    return msgspec.structs.replace(blank, status="forecast", curves=curves, bands=bands, remarks=tuple(remarks), troughs=troughs, trough_spread=spread,
                                   attainment=attained)


def _of_fits(fits: Sequence[PersonalFit], evidence: Evidence) -> Iterator[Remark]:
    """What the levels came to: how many stand behind the curve, which model misses them, which could not be fitted and is left out."""
    names = {fit.model: evidence.models[fit.model].name for fit in fits}
    done = [fit for fit in fits if fit.individual is not None]
    if done:
        count = len(done[0].levels)
        yield Remark("levels-fitted", f"Fitted to {count} measured level{'s' if count > 1 else ''}: the curves are this patient's own, and the bands say how "
                     "sure the levels make them.")
    for fit in fits:
        if fit.status == "poor":
            yield Remark("fit-poor", f"{names[fit.model]} does not fit the levels: {fit.why}. Check dates, doses and assay before reading its curve.")
        elif fit.individual is None:
            left = "; it is left out" if done else "; its curve is that of a typical patient"
            yield Remark("fit-failed", f"{names[fit.model]} could not be fitted to the levels: {fit.why}{left}.")


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


class Member(NamedTuple):
    """One model of the ensemble with its typical patient and its virtual ones (none when no variation was printed)."""

    model: Model
    typical: Values
    endogenous: Endogenous
    drawn: Values | None
    baselines: Array
    individual: bool
    ratio: float | None


def member_of(model: Model, person: Person, history: History, facts: Facts, evidence: Evidence, own: Individual | None, virtual: int, seed: int) -> Member:
    """The typical (or this) patient under a model, and virtual ones: drawn from the population, or from what the levels left open.

    Raises:
        CannotCompute: a covariate that the model needs is unknown, or the individual belongs to another model.
    """
    printed = typical_values(model, person, evidence)
    names, omega = scatter(model)
    rest = endogenous(model, person, history, facts, evidence)
    centre = np.zeros((1, len(names)))
    ratio = None
    if own is not None:
        if own.etas.shape != (len(names),) or own.covariance.shape != (len(names) + 1, len(names) + 1):
            raise CannotCompute(f"{model.id} has {len(names)} deviations ({', '.join(names)}) and a baseline; the individual gives {own.etas.shape}")
        centre = own.etas[np.newaxis]
        rest = _fitted_baseline(rest, own)
    typical = individual_values(model, printed, names, centre)
    if own is not None:
        ratio = float(typical["CL"][0] / printed["CL"]) if "CL" in printed else None
    if not names and rest.log_sd == 0.0:
        return Member(model, typical, rest, None, np.array([rest.value]), own is not None, ratio)
    normal = np.random.default_rng([seed, len(model.id), *model.id.encode()]).standard_normal((virtual, len(names) + 1))
    joint = own.covariance if own is not None else with_baseline(omega, rest.log_sd**2)
    away = normal @ square_root(joint).T
    drawn = individual_values(model, printed, names, centre + away[:, :-1]) if names and model.family == "linear" else None
    baselines = rest.value * np.exp(away[:, -1])
    return Member(model, typical, rest, drawn, baselines, own is not None, ratio)


def _fitted_baseline(prior: Endogenous, own: Individual) -> Endogenous:
    say = f"Baseline {number_text(round(own.baseline, 2))} g/L: fitted to the levels; before that, {prior.remark.say[0].lower()}{prior.remark.say[1:]}"
    return Endogenous(own.baseline, float(np.sqrt(own.covariance[-1, -1])), Remark("baseline-fitted", say, prior.remark.cites), prior.measured)


def with_baseline(omega: Array, last: float) -> Array:
    """A covariance with one more variance, independent of the others, at its end."""
    out = np.zeros((len(omega) + 1, len(omega) + 1))
    out[:-1, :-1], out[-1, -1] = omega, last
    return out


def square_root(covariance: Array) -> Array:
    """A square root of a covariance that may be singular."""
    if not covariance.size:
        return covariance
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _curves(members: Sequence[Member], verdicts: Mapping[str, Verdict], given: Sequence[Given], times: Array, regimen: Regimen, target: float | None,
            evidence: Evidence, seed: int) -> tuple[tuple[ModelCurve, ...], Bands]:
    """Every typical curve and all virtual patients of the linear models in one run over the grid; a typical patient stands before its virtual ones."""
    linear = [member for member in members if member.model.family == "linear"]
    columns = [member.typical if member.drawn is None else {name: np.concatenate([values, member.drawn[name]]) for name, values in member.typical.items()}
               for member in linear]
    modes = {route: kernels.joined([modes_of(values, route) for values in columns]) for route in dict.fromkeys([*(dose.route for dose in given), regimen.route])
             if columns}
    sizes = [next(iter(values.values())).size for values in columns]
    infused: Array | None = None
    for route, doses in grouped(given) if columns else ():
        curve = kernels.on_grid(modes[route], doses, times.size, STEP, float(times[0]))
        infused = curve if infused is None else np.add(infused, curve, out=infused)
    if infused is None:
        infused = np.zeros((times.size, sum(sizes)))
    firsts = np.cumsum([0, *sizes])[:-1]
    typical = kernels.picked(modes[regimen.route], firsts) if columns else None
    steady = steady_infused(typical, regimen) if typical is not None and regimen.every is not None else None
    totals: list[Array] = []
    people: list[Rough] = []
    curves: list[ModelCurve] = []
    within = setting(evidence, "steady-within", "%") / 100
    for member in members:
        rest = member.endogenous.value
        interval = None
        if member.model.family == "linear":
            assert typical is not None
            place = linear.index(member)
            at = int(firsts[place])
            totals.append(infused[:, at] + rest)
            people.append(_rough(infused[:, at + 1:at + sizes[place]], member.baselines) if member.drawn is not None else _rough(totals[-1][:, np.newaxis]))
            half_life = float(np.log(2.0) / typical.slowest[place])
            interval = Interval(steady.phases, steady.total[:, place:place + 1] + rest) if steady is not None else None
        else:
            totals.append(total_over(member.model, member.typical, rest, given, times)[:, 0])
            people.append(_rough(totals[-1][:, np.newaxis]))
            half_life = float(terminal_half_life(member.model, member.typical, rest)[0])
            interval = steady_interval(member.model, member.typical, rest, regimen) if regimen.every is not None else None
        summary = summary_of(member.model, rest, half_life, interval, totals[-1], times, given, regimen, target, within)
        response = response_over(member.model, member.typical, rest, given, times, regimen)
        curves.append(ModelCurve(member.model.id, member.model.name, verdicts[member.model.id], totals[-1], member.endogenous, summary, member.individual,
                                 member.ratio, response))
    return tuple(curves), _bands(members, totals, people, seed)


Rough = NDArray[np.float32]
"""Curves of virtual patients for bands only: read to a tenth of a gram, so half the bytes serve, at twice the speed."""


def _rough(curves: Array, more: Array | float = 0.0) -> Rough:
    out = np.empty(curves.shape, dtype=np.float32)
    np.add(curves, more, out=out, casting="same_kind")
    return out


def _bands(members: Sequence[Member], totals: Sequence[Array], people: Sequence[Rough], seed: int) -> Bands:
    stacked = np.sort(np.stack(totals), axis=0)
    between = np.stack([stacked[0], (stacked[(len(totals) - 1) // 2] + stacked[len(totals) // 2]) / 2, stacked[-1]])
    first = members[0]
    person = _quantiles(people[0]) if people[0].shape[1] > 1 else None
    error = residual_sd(first.model, totals[0])
    assay = np.stack([totals[0] - _NORMAL_95 * error, totals[0], totals[0] + _NORMAL_95 * error]) if error is not None else None
    noise = np.random.default_rng(seed)
    mixed = []
    for member, curves in zip(members, people, strict=True):
        if curves.shape[1] > 1:
            sd = residual_sd(member.model, curves)
            if sd is not None:
                sd *= np.asarray(noise.standard_normal(curves.shape[1]), dtype=np.float32)
                sd += curves
            mixed.append(curves if sd is None else sd)
    together = _quantiles(np.concatenate(mixed, axis=1)) if mixed else None
    return Bands(person, between, assay, together)


def _quantiles(curves: Rough) -> Array:
    """The band at every time, by nearest rank. A whole sort is quicker here than a partition: it runs in vector registers."""
    size = curves.shape[1]
    ranks = [min(size - 1, int(share * size)) for share in BAND]
    return np.asarray(np.sort(curves, axis=1)[:, ranks].T, dtype=np.float64)


def _troughs(first: Member, curves: Sequence[ModelCurve], regimen: Regimen, target: float | None) -> tuple[Array | None, float | None, float | None]:
    """Steady troughs of the first model's virtual patients, the spread of typical troughs between models, and the share that attains the target."""
    if regimen.every is None:
        return None, None, None
    typical = np.array([curve.summary.trough for curve in curves])
    spread = float(np.std(typical, ddof=1) / np.mean(typical)) if typical.size > 1 else None
    if first.drawn is None:
        return None, spread, None
    troughs = np.asarray(first.baselines + regimen.grams * trough_per_gram(first.drawn, regimen))
    return troughs, spread, float(np.mean(troughs >= target)) if target is not None else None
