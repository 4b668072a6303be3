"""One forecast from one record: the way the command line, the plan, the service and its pages all go. Pure; every problem of the input at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
import numpy as np

from ivigil.basis.facts import Facts
from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import number_text, parse_quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.misspelt import indication_meant
from ivigil.patient.facts import facts_of
from ivigil.patient.firewall import COURSE_LIMIT, examined, refused
from ivigil.patient.record import Record
from ivigil.patient.slips import meant_result, question
from ivigil.pharmacokinetics.asked import Asked, Chosen, Naming, chosen_regimen, target_of
from ivigil.pharmacokinetics.forecast import Forecast, forecast, with_baseline
from ivigil.pharmacokinetics.history import History, history_of, person_of
from ivigil.pharmacokinetics.sampling import Sampling, best_day
from ivigil.pharmacokinetics.targets import Option, options
from ivigil.pharmacokinetics.typical import CannotCompute, Person, most_believable, scatter

MOST_WEEKS = 260


class Wanted(msgspec.Struct, frozen=True):
    """What is wanted beside the regimen, as text; empty takes the record's or the evidence's choice. ``jurisdiction`` only names targets in force."""

    indication: str = ""
    model: str = ""
    jurisdiction: str = ""
    weeks: int = 26


class Made(msgspec.Struct, frozen=True, eq=False):
    """Everything about one record's forecast. ``without`` is the same regimen without its alterations, where it has any."""

    record: Record
    as_of: date
    chosen: Chosen
    forecast: Forecast
    options: tuple[Option, ...] = ()
    without: Forecast | None = None
    sampling: Sampling | None = None


def forecast_for(record: Record, asked: Asked, wanted: Wanted, evidence: Evidence, as_of: date, option: Naming = str) -> Made:
    """Forecast one record on the day ``as_of``; ``option`` turns the name of a choice into what the asker calls it.

    Raises:
        BadInput: choices or record cannot be used; every problem of both.
    """
    problems = list(problems_of(asked, wanted, evidence, option))
    try:
        facts, person, history = patient_of(record, asked, wanted.indication, evidence, as_of, option)
    except BadInput as error:
        raise BadInput([*problems, *error.problems]) from None
    try:
        chosen = chosen_regimen(asked, record, person, history, evidence, as_of, option)
    except BadInput as error:
        raise BadInput([*problems, *error.problems]) from None
    if problems:
        raise BadInput(problems)
    target, horizon = target_of(asked.target, option), float(wanted.weeks * 7)
    try:
        one = forecast(person, facts, history, chosen.regimen, evidence, horizon=horizon, target=target, model=wanted.model)
        without = None
        if chosen.regimen.changed:
            without = forecast(person, facts, history, chosen.regimen.plain, evidence, horizon=horizon, target=target, model=wanted.model,
                               individuals=one.individuals)
    except CannotCompute as error:
        raise BadInput([Problem(record.place or record.id, 0, wanted.model or "forecast", str(error), "choose another model or complete the record")]) from None
    found = options(one, facts, history, evidence, target) if target is not None else ()
    too_much = [choice.every for choice in found if choice.grams > most_believable(evidence) * person.weight]
    if too_much:
        found = tuple(choice for choice in found if choice.every not in too_much)
        days = ", ".join(number_text(every) for every in too_much)
        chosen = msgspec.structs.replace(chosen, notes=(*chosen.notes, f"Every {days} days the target would take more than the "
                                                        f"{number_text(most_believable(evidence))} g/kg that is believable for a course: no dose is shown."))
    if target is None and wanted.jurisdiction:
        chosen = msgspec.structs.replace(chosen, notes=(*chosen.notes, *_targets(person, wanted.jurisdiction, evidence)))
    return Made(record, as_of, chosen, one, found, without, sampling_of(one, evidence, horizon))


def sampling_of(made: Forecast, evidence: Evidence, horizon: float) -> Sampling | None:
    """The day for the next level, by the first model: from what the levels on record left open, or from how patients differ."""
    if not made.curves:
        return None
    first = made.curves[0]
    model, own = evidence.models[first.model], made.individuals.get(first.model)
    names, omega = scatter(model)
    etas = own.etas if own is not None else np.zeros(len(names))
    covariance = own.covariance if own is not None else with_baseline(omega, first.endogenous.log_sd**2)
    return best_day(model, made.person, etas, covariance, first.endogenous.value, made.given, made.regimen, horizon, evidence)


def problems_of(asked: Asked, wanted: Wanted, evidence: Evidence, option: Naming = str) -> Iterator[Problem]:
    """What is wrong with the choices themselves, whoever the patient is."""
    try:
        target = target_of(asked.target, option)
        register = evidence.facts.get("igg")
        if target is not None and register is not None and register.plausible is not None and not register.plausible.holds(target):
            written = parse_quantity(asked.target)
            yield Problem(option("target-trough"), 0, "", f"{written} is no believable IgG (plausible: {register.plausible})",
                          question(meant_result(written, register)) or "check the number and its unit")
    except BadInput as error:
        yield from error.problems
    for name, given, known in (("model", wanted.model, tuple(evidence.models)), ("jurisdiction", wanted.jurisdiction, tuple(evidence.jurisdictions))):
        if given and given not in known:
            similar = near(given, list(known))
            remedy = f"did you mean {', '.join(similar)}?" if similar else f"known: {', '.join(known)}"
            yield Problem(option(name), 0, "", f"'{given}' is not known", remedy)
    if wanted.weeks < 1 or wanted.weeks > MOST_WEEKS:
        yield Problem(option("weeks"), 0, "", f"{wanted.weeks} weeks cannot be shown", f"choose 1 to {MOST_WEEKS}")
    named = evidence.indications_called(wanted.indication) if wanted.indication else []
    if wanted.indication and len(named) != 1:
        yield _no_indication(wanted.indication, named, option("indication"), evidence)


def _no_indication(given: str, found: list[str], place: str, evidence: Evidence) -> Problem:
    remedy = f"one of {', '.join(found)}" if found else indication_meant(given, evidence) or "look it up with 'ivigil evidence search', for example pid"
    return Problem(place, 0, "", f"'{given}' names {'no' if not found else 'more than one'} indication", remedy)


def indication_problems(record: Record, indication: str, evidence: Evidence, option: Naming = str) -> Iterator[Problem]:
    """What keeps a forecast from knowing what the treatment is for. An ``indication`` given beside the record is judged by :func:`problems_of`."""
    place, named = record.place or record.id, indication or record.order.indication
    found = evidence.indications_called(named) if named else []
    if not named:
        yield Problem(place, 0, "order.indication", "no indication is given", f"name one with {option('indication')}, for example pid")
    elif len(found) != 1 and not indication:
        problem = _no_indication(named, found, place, evidence)
        yield refused(record, "order.indication", problem.why, problem.remedy, record.order.origin)


def patient_of(record: Record, asked: Asked, indication: str, evidence: Evidence, as_of: date, option: Naming = str) -> tuple[Facts, Person, History]:
    """Facts, person and history of a record that the unit firewall lets through. An ``indication`` that names none is left to ``problems_of``.

    Raises:
        BadInput: the record cannot be right, the weight is missing or doubtful, or the record's indication is not one; all problems at once.
    """
    place = record.place or record.id
    limit = evidence.dose_limits.get("course-plausible")
    findings, facts = examined(record, evidence.facts, as_of, limit.at_most if limit is not None and limit.at_most is not None else COURSE_LIMIT)
    problems = list(findings.problems)
    doubted = {doubt.about: doubt for doubt in findings.doubts}
    problems.extend(Problem(place, 0, about, doubt.why, f"{doubt.ask} Correct the record or answer it") for about, doubt in doubted.items()
                    if about in {"weight", "height"} or (not asked.dose and about in {"order.dose", "order.each"}))
    named = indication or record.order.indication
    found = evidence.indications_called(named) if named else []
    problems.extend(indication_problems(record, indication, evidence, option))
    if problems:
        raise BadInput(sorted(problems, key=lambda problem: problem.line))
    if doubted:
        facts = facts_of(record, evidence.facts, as_of)
    person = person_of(record, facts, evidence, found[0] if len(found) == 1 else "")
    if person is None:
        raise BadInput([Problem(place, 0, "weight", "the weight is unknown", "add it: without it neither a dose per kg nor a clearance can be worked out")])
    return facts, person, history_of(record, person, facts, evidence, as_of)


def _targets(person: Person, jurisdiction: str, evidence: Evidence) -> tuple[str, ...]:
    """The trough targets in force in a place, in words; none is chosen for the patient."""
    places = {"", *evidence.places(jurisdiction)}
    return tuple(f"Trough target, not chosen by ivigil: {target.say}" for target in evidence.targets.values()
                 if target.purpose == person.purpose and target.jurisdiction in places and not target.superseded_by)
