"""Whether a model may speak for a person, before any number: fits, stretch, or does not fit, each with reasons and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import Span, number_text
from ivigil.evidence.conditions import judge
from ivigil.evidence.kinetics import ForecastState, Model, ModelChoice
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics.typical import CannotCompute, Person, lean_mass, setting

Fit = Literal["fits", "stretch", "does-not-fit"]


class Reason(msgspec.Struct, frozen=True):
    """Why a model is stretched or refused; ``hard`` ones cannot be overruled, because there is nothing to compute."""

    say: str
    fit: Fit
    cites: tuple[str, ...]
    hard: bool = False


class Verdict(msgspec.Struct, frozen=True):
    """What came of asking whether a model is for this person."""

    model: str
    fit: Fit
    reasons: tuple[Reason, ...] = ()
    caveats: tuple[Reason, ...] = ()

    @property
    def computable(self) -> bool:
        """False when the model cannot be computed at all."""
        return not any(reason.hard for reason in self.reasons)


def suitability(model: Model, person: Person, facts: Facts, routes: tuple[Route, ...], course: float | None, evidence: Evidence) -> Verdict:
    """The verdict on one model. ``course`` is the largest dose of one course in g/kg, None when unknown."""
    reasons = tuple(_reasons(model, person, routes, course, evidence))
    order: tuple[Fit, ...] = ("does-not-fit", "stretch", "fits")
    fit: Fit = next((word for word in order if any(reason.fit == word for reason in reasons)), "fits")
    caveats = tuple(Reason(caveat.say, "fits", caveat.cites) for caveat in model.caveats if caveat.when is None or judge(caveat.when, facts).truth)
    return Verdict(model.id, fit, reasons, caveats)


def _reasons(model: Model, person: Person, routes: tuple[Route, ...], course: float | None, evidence: Evidence) -> Iterator[Reason]:
    domain = model.domain
    if model.role in {"excluded", "reference"}:
        yield Reason(f"left out: {model.reason}", "does-not-fit", domain.cites)
    yield from _indication(model, person)
    for route in routes:
        if route not in domain.routes:
            yield Reason(f"it has no {route.replace('-', ' ')} doses", "does-not-fit", domain.cites, hard=True)
    margin = setting(evidence, "stretch-margin") / 100
    if domain.weight is not None:
        yield from _within("weight", person.weight, domain.weight, "kg", margin, domain.cites)
    if domain.age is not None:
        if person.age is None:
            yield Reason("the age is unknown", "stretch", domain.cites)
        else:
            yield from _within("age", person.age, domain.age, "years", margin, domain.cites)
    if course is not None and domain.course_below is not None and course >= domain.course_below.in_unit("g/kg"):
        yield Reason(f"made from replacement doses; this course is {number_text(course)} g/kg", "does-not-fit", domain.cites)
    if course is not None and domain.course_at_least is not None and course < domain.course_at_least.in_unit("g/kg"):
        yield Reason(f"for courses of {domain.course_at_least} or more; this one is {number_text(course)} g/kg", "does-not-fit", domain.cites)
    if any(parameter.scaled is not None and parameter.scaled.by == "lean-mass" for parameter in model.parameters.values()):
        try:
            mass, formula = lean_mass(person, evidence)
        except CannotCompute as error:
            yield Reason(str(error), "does-not-fit", domain.cites, hard=True)
        else:
            within = model.lean_mass_within
            if within is not None and not within.holds(mass):
                yield Reason(f"lean body mass {number_text(mass)} kg ({formula.name}) is held at {within}", "stretch", formula.cites)


def _indication(model: Model, person: Person) -> Iterator[Reason]:
    domain = model.domain
    if model.purpose == "none" or person.indication in domain.indications:
        return
    if domain.borrowed_purpose and domain.borrowed_purpose == person.purpose:
        yield Reason(f"borrowed: made from {', '.join(domain.indications)}, not from {person.indication or 'this indication'}", "stretch", domain.cites)
    elif model.purpose == "neonate":
        yield Reason("made from neonates with other indications", "stretch", domain.cites)
    else:
        yield Reason(f"made from {', '.join(domain.indications)}, for {model.purpose}", "does-not-fit", domain.cites)


def _within(what: str, value: float, span: Span, unit: str, margin: float, cites: tuple[str, ...]) -> Iterator[Reason]:
    if span.holds(value):
        return
    near = span.low * (1 - margin) <= value <= span.high * (1 + margin)
    say = f"{what} {number_text(value)} {unit}; made from {number_text(span.low)}-{number_text(span.high)} {unit}"
    yield Reason(say, "stretch" if near else "does-not-fit", cites)


def choice_for(person: Person, facts: Facts, routes: tuple[Route, ...], evidence: Evidence) -> ModelChoice | None:
    """The first entry of ``pharmacokinetics/choice.yaml`` that fits; a condition that cannot be judged does not hold."""
    for choice in evidence.model_choices.values():
        if choice.indications and person.indication not in choice.indications:
            continue
        if choice.purpose and choice.purpose != person.purpose:
            continue
        if choice.routes and not all(route in choice.routes for route in routes):
            continue
        if choice.when is not None and not judge(choice.when, facts).truth:
            continue
        return choice
    return None


def states_of(person: Person, facts: Facts, evidence: Evidence) -> tuple[ForecastState, ...]:
    """The states of abnormal IgG kinetics that hold for this person."""
    return tuple(state for state in evidence.forecast_states.values()
                 if person.indication in state.indications or (state.when is not None and judge(state.when, facts).truth))
