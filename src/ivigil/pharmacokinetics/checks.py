"""What each model is held to: the measures named in its vignette and in ``pharmacokinetics/checks.yaml``, computed from the curve, against what is printed.

``ivigil models check`` prints the table, ``tools/model_checks.py`` writes it to ``docs/model-checks.md``, the tests fail when one leaves its range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UNITS, Quantity, number_text
from ivigil.evidence.kinetics import Model, ModelCheck
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics import kernels, saturable
from ivigil.pharmacokinetics.curves import Interval, steady_interval, terminal_half_life, total_over, trough_per_gram
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.regimen import Regimen, coming
from ivigil.pharmacokinetics.response import response_over
from ivigil.pharmacokinetics.typical import Person, Values, catabolism_of, lean_mass, setting, typical_baseline, typical_values

_ADULT = 40.0
"""Years; the checks that need an age are for an adult."""
_FINE = 20001
"""Points of an interval that is integrated numerically."""
_STEPS = (0.3, 0.6)
"""g/kg between which the rise of a saturable trough is taken."""
_LOADING_DAYS = 5
_COURSES = 20
"""Courses of a maintenance that a response is followed over: the loading one and those after it."""


class Outcome(msgspec.Struct, frozen=True):
    """One check on one model: the number, the unit of the expectation, and whether it lies within the declared range."""

    check: str
    model: str
    measure: str
    value: float
    unit: str
    low: float
    high: float
    holds: bool
    say: str
    cites: tuple[str, ...]
    bound: str = "between"
    tolerance: str = ""

    @property
    def expected(self) -> str:
        """The range as written."""
        low = f"at least {number_text(self.low)}" if self.bound == "at-least" else number_text(self.low)
        return low if self.low == self.high else f"{low}-{number_text(self.high)}"


class _Case(msgspec.Struct, frozen=True, eq=False):
    """A check on one model, prepared: the person, the typical parameters, and the regimen."""

    check: ModelCheck
    model: Model
    person: Person
    values: Values
    baseline: float
    regimen: Regimen
    evidence: Evidence

    def with_route(self, route: Route, grams: float | None = None, every: float | None = None) -> Interval:
        """A steady interval under another route, dose or interval."""
        return self.interval(msgspec.structs.replace(self.regimen, route=route, grams=self.regimen.grams if grams is None else grams,
                                                     every=self.regimen.every if every is None else every))

    def interval(self, regimen: Regimen | None = None) -> Interval:
        """A steady interval of the regimen, finely divided."""
        return steady_interval(self.model, self.values, self.baseline, regimen or self.regimen, points=_FINE)


def outcomes(evidence: Evidence) -> tuple[Outcome, ...]:
    """Every check of every vignette, model by model; then, once each, those over several models.

    Raises:
        BadInput: checks name measures that are not known; all of them.
    """
    named = [(f"vignette {name}", check) for name, vignette in evidence.vignettes.items() for check in vignette.checks]
    named += [("pharmacokinetics/checks.yaml", check) for check in evidence.model_checks.values()]
    wrong = [Problem(place, 0, check.id, f"no measure is called '{check.measure}'", f"known: {', '.join(MEASURES)}")
             for place, check in named if check.measure not in MEASURES]
    if wrong:
        raise BadInput(wrong)
    single = [_single(check, name, evidence) for name in evidence.vignettes for check in checks_of(name, evidence) if check.measure in _MEASURES]
    return (*single, *(_together(check, evidence) for check in evidence.model_checks.values() if check.measure in _OVER_MODELS))


def checks_of(model: str, evidence: Evidence) -> Iterator[ModelCheck]:
    """The checks that a model is held to: those of its vignette, then those it shares."""
    vignette = evidence.vignettes[model]
    yield from vignette.checks
    yield from (evidence.model_checks[name] for name in vignette.shares)


def held_to(check: str, evidence: Evidence) -> tuple[str, ...]:
    """The models whose vignettes share a check."""
    return tuple(name for name, vignette in evidence.vignettes.items() if check in vignette.shares)


def _single(check: ModelCheck, name: str, evidence: Evidence) -> Outcome:
    return _judged(check, name, _MEASURES[check.measure](_case(check, evidence.models[name], evidence)))


def _together(check: ModelCheck, evidence: Evidence) -> Outcome:
    names = held_to(check.id, evidence)
    return _judged(check, ", ".join(names), _OVER_MODELS[check.measure]([_case(check, evidence.models[name], evidence) for name in names]))


def _judged(check: ModelCheck, models: str, value: float) -> Outcome:
    """A value in the unit of the expectation, against its range."""
    allowed = check.tolerance.value / 100 if check.tolerance is not None else 0.0
    low = check.expected.low * (1 - allowed)
    high = check.expected.high * (1 + allowed) if check.bound == "between" else np.inf
    in_unit = value / UNITS[check.expected.unit].factor * UNITS[_BASE[check.measure]].factor if check.measure in _BASE else value
    return Outcome(check.id, models, check.measure, in_unit, check.expected.unit, check.expected.low, check.expected.high,
                   bool(low - 1e-9 <= in_unit <= high + 1e-9), check.say, check.cites, check.bound, str(check.tolerance or ""))


def _case(check: ModelCheck, model: Model, evidence: Evidence) -> _Case:
    weight = check.weight.in_unit("kg") if check.weight is not None else 1.0
    person = Person(weight, check.height.in_unit("cm") if check.height is not None else None, _ADULT, check.sex, None, check.indication)
    typical = typical_values(model, person, evidence)
    values: Values = {name: np.array([value]) for name, value in typical.items()}
    grams = check.dose.in_unit("g/kg") * weight if check.dose is not None else 1.0
    length = setting(evidence, "infusion-hours", "day") if check.route == "intravenous" else 0.0
    regimen = Regimen(grams, check.every.in_unit("day") if check.every is not None else None, check.days, check.route, 0.0, length)
    baseline = check.baseline.in_unit("g/L") if check.baseline is not None else typical_baseline(model, person, evidence)
    return _Case(check, model, person, values, baseline, regimen, evidence)


def _exposure(case: _Case) -> float:
    """Area of the infused curve over a steady interval, by the trapezoidal rule on the curve, over bioavailability x dose / clearance; in %."""
    steady = case.interval()
    area = float(np.trapezoid(steady.total[:, 0] - case.baseline, steady.phases))
    share = {"intravenous": 1.0, "subcutaneous": float(case.values.get("F_sc", np.ones(1))[0]),
             "facilitated-subcutaneous": float(case.values.get("F_fscig", np.ones(1))[0])}[case.regimen.route]
    return 100 * area / (share * case.regimen.grams / float(case.values["CL"][0]))


def _area(interval: Interval) -> float:
    return float(np.trapezoid(interval.total[:, 0], interval.phases))


def _slope(case: _Case) -> float:
    """Rise of the steady trough per 0.1 g/kg, in g/L."""
    if case.model.saturable is None:
        return float(trough_per_gram(case.values, case.regimen)[0]) * case.person.weight / 10
    rises = [(float(steady_interval(case.model, case.values, case.baseline, msgspec.structs.replace(case.regimen, grams=step * case.person.weight),
                                    points=2).trough[0])) for step in _STEPS]
    return (rises[1] - rises[0]) / (10 * (_STEPS[1] - _STEPS[0]))


def _first_trough(case: _Case) -> float:
    assert case.regimen.every is not None
    first = total_over(case.model, case.values, 0.0, coming(case.regimen, 0.0), np.array([case.regimen.every]))[0, 0]
    return float(100 * first / (case.interval().trough[0] - case.baseline))


def _doses_to_steady(case: _Case) -> float:
    assert case.regimen.every is not None
    plateau = float(case.interval().trough[0]) - case.baseline
    days = np.asarray(case.regimen.every * np.arange(1.0, 30.0), dtype=np.float64)
    infused = total_over(case.model, case.values, 0.0, coming(case.regimen, float(days[-1])), days)[:, 0]
    within = setting(case.evidence, "steady-within", "%") / 100
    return float(np.flatnonzero(infused >= (1 - within) * plateau)[0] + 1)


def _tracer(case: _Case) -> saturable.Course:
    days = np.arange(0.0, 61.0)
    given = coming(case.regimen, 0.0)
    doses = kernels.doses([dose.day for dose in given], [dose.grams for dose in given], [dose.length for dose in given])
    return saturable.simulated(catabolism_of(case.model, case.values), case.baseline, doses, days)


def _at(case: _Case, unit: str) -> float:
    assert case.check.at is not None
    return case.check.at.in_unit(unit)


def _excess_half_life(case: _Case) -> float:
    """Between days 14 and 28."""
    total = _tracer(case).total[:, 0] - case.baseline
    return float(np.log(2) * 14 / np.log(total[14] / total[28]))


def _rise(case: _Case) -> float:
    total = total_over(case.model, case.values, case.baseline, coming(case.regimen, 0.0), np.array([0.0, _at(case, "day")]))
    return float(total[1, 0]) - case.baseline


def _loaded(case: _Case) -> float:
    """One week after the first of five daily doses, each the weekly one."""
    given = [Given(float(day), case.regimen.grams, "subcutaneous") for day in range(_LOADING_DAYS)]
    return float(total_over(case.model, case.values, case.baseline, given, np.array([0.0, 7.0]))[1, 0])


def _factor(case: _Case) -> float:
    """Weekly subcutaneous over 4-weekly intravenous total dose at which the steady troughs lie so far apart as is printed; the trough is linear in it."""
    assert case.regimen.every is not None
    assert case.check.difference is not None
    weekly = case.with_route("subcutaneous", case.regimen.grams * 7.0 / case.regimen.every, 7.0).trough[0] - case.baseline
    return float((case.interval().trough[0] - case.baseline + case.check.difference.in_unit("g/L")) / weekly)


def _longer(case: _Case) -> tuple[Interval, Interval]:
    """The regimen, and the same total dose at the longer interval ``at``."""
    assert case.regimen.every is not None
    every = _at(case, "day")
    return case.interval(), case.with_route(case.regimen.route, case.regimen.grams * every / case.regimen.every, every)


def _longer_trough(case: _Case) -> float:
    short, long = _longer(case)
    return float(100 * long.trough[0] / short.trough[0])


def _longer_peak(case: _Case) -> float:
    short, long = _longer(case)
    return float(100 * long.peak[0] / short.peak[0])


def _longer_exposure(case: _Case) -> float:
    short, long = _longer(case)
    return float(100 * long.average[0] / short.average[0])


def _first_area(case: _Case) -> float:
    """Total IgG from the first dose to the next, never treated before."""
    assert case.regimen.every is not None
    days = np.linspace(0.0, case.regimen.every, _FINE)
    return float(np.trapezoid(total_over(case.model, case.values, case.baseline, coming(case.regimen, 0.0), days)[:, 0], days))


def _facilitated_total(case: _Case) -> float:
    """Total exposure of facilitated doses of ``at`` per cent of the intravenous ones."""
    return 100 * _area(case.with_route("facilitated-subcutaneous", case.regimen.grams * _at(case, "%") / 100)) / _area(case.interval())


def _response_highest(case: _Case) -> float:
    """The highest response over a loading course, split over days, and single maintenance doses after it."""
    assert case.regimen.every is not None
    assert case.check.loading is not None
    every, parts = case.regimen.every, case.check.days
    loading = case.check.loading.in_unit("g/kg") * case.person.weight
    given = [Given(float(day), loading / parts, case.regimen.route, case.regimen.length) for day in range(parts)]
    given += [Given(every * course, case.regimen.grams, case.regimen.route, case.regimen.length) for course in range(1, _COURSES)]
    days = np.linspace(0.0, every * _COURSES, int(2 * every * _COURSES) + 1)
    found = response_over(case.model, case.values, case.baseline, given, days, case.regimen)
    assert found is not None
    return float(found.typical_start * found.share.max())


def _infused(interval: Interval, case: _Case) -> float:
    return _area(interval) - case.baseline * float(interval.phases[-1])


_MEASURES: dict[str, Callable[[_Case], float]] = {
    "exposure": _exposure,
    "terminal-half-life": lambda case: float(terminal_half_life(case.model, case.values, case.baseline)[0]),
    "whole-body-half-life": lambda case: float(saturable.whole_body_half_life(catabolism_of(case.model, case.values), _at(case, "g/L"))[0]),
    "trough-per-100-mg-per-kg": _slope,
    "first-trough-share": _first_trough,
    "doses-to-steady": _doses_to_steady,
    "autoantibody-fall": lambda case: float(100 * (1 - _tracer(case).tracer[int(_at(case, "day")), 0])),
    "autoantibody-fall-most": lambda case: float(100 * (1 - _tracer(case).tracer.min())),
    "excess-half-life": _excess_half_life,
    "exposure-area": lambda case: _infused(case.interval(), case),
    "area-after-first-dose": _first_area,
    "longer-interval-trough": _longer_trough,
    "longer-interval-peak": _longer_peak,
    "longer-interval-exposure": _longer_exposure,
    "facilitated-over-intravenous-exposure": lambda case: 100 * _infused(case.with_route("facilitated-subcutaneous"), case) / _infused(case.interval(), case),
    "facilitated-over-intravenous-total-exposure": _facilitated_total,
    "dose-factor-for-printed-difference": _factor,
    "response-highest": _response_highest,
    "level-after-subcutaneous-loading": _loaded,
    "rise-after-course": _rise,
    "clearance-per-kg": lambda case: Quantity(float(case.values["CL"][0]), "L/day").in_unit("mL/day") / case.person.weight,
    "lean-mass": lambda case: lean_mass(case.person, case.evidence)[0],
}
_BASE = {"trough-per-100-mg-per-kg": "g/L", "level-after-subcutaneous-loading": "g/L",
         "rise-after-course": "g/L"}
"""Measures computed in this unit and compared in that of the expectation; all others are computed in the unit of the expectation."""


def _troughs(cases: list[_Case]) -> list[float]:
    return [float(case.interval().trough[0]) for case in cases]


def _spread(cases: list[_Case]) -> float:
    """Coefficient of variation of the total steady trough, in %."""
    troughs = _troughs(cases)
    return float(100 * np.std(troughs, ddof=1) / np.mean(troughs))


_OVER_MODELS: dict[str, Callable[[list[_Case]], float]] = {
    "spread-of-troughs": _spread,
    "median-of-troughs": lambda cases: float(np.median(_troughs(cases))),
}
MEASURES = (*_MEASURES, *_OVER_MODELS)
"""Every measure a check may name."""
