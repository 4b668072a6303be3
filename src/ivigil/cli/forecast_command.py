"""``ivigil forecast``: a record and a regimen in, a curve with its uncertainty out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.output import Progress, columns, counted, note, report, write
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.record import Record
from ivigil.pharmacokinetics.asked import Asked, Chosen, chosen_regimen, target_of
from ivigil.pharmacokinetics.forecast import Forecast, forecast
from ivigil.pharmacokinetics.history import History, history_of, person_of
from ivigil.pharmacokinetics.targets import Option, options
from ivigil.pharmacokinetics.typical import CannotCompute, Person


class Wanted(msgspec.Struct, frozen=True):
    """The options of one call beside the regimen."""

    indication: str = ""
    model: str = ""
    weeks: int = 26
    as_of: str = ""
    plot: str = ""
    form: str = "terminal"
    out: str = ""
    jurisdiction: str = ""
    overlay: str = ""
    evidence: str = ""


class _Made(msgspec.Struct, frozen=True, eq=False):
    """Everything about one record's forecast."""

    record: Record
    chosen: Chosen
    forecast: Forecast
    options: tuple[Option, ...]
    without: Forecast | None


def run_forecast(names: Sequence[str], asked: Asked, wanted: Wanted) -> int:
    """Forecast every patient of every file; a bad record among several is listed and the others are forecast.

    The exit code is 2 for bad input, 4 when no model speaks for any patient, else 0.
    """
    try:
        evidence = _evidence(wanted)
        as_of = _as_of(wanted.as_of, date.today())  # the day where the user is
        target = target_of(asked.target)
        _known(wanted, evidence)
    except BadInput as error:
        return report(error.problems, f"{counted(len(error.problems), 'problem')} in the input; nothing was forecast:")
    made: list[_Made] = []
    problems: list[Problem] = []
    failed = 0
    with Progress("Forecasting") as progress:
        for done, name in enumerate(names, start=1):
            try:
                for record in _records(name, evidence):
                    try:
                        made.append(_made(record, asked, wanted, target, evidence, as_of))
                    except BadInput as error:
                        problems.extend(error.problems)
                        failed += 1
            except BadInput as error:
                problems.extend(error.problems)
                failed += 1
            progress(done, len(names), name)
    if not made:
        return report(problems, f"{counted(len(problems), 'problem')} in the input; nothing was forecast:")
    try:
        _write(made, wanted, evidence, as_of, problems)
    except BadInput as error:
        return report(error.problems, "The forecast could not be written:")
    if problems:
        return report(problems, f"{counted(failed, 'record')} could not be used; {counted(len(made), 'forecast')} made:")
    return 0 if any(one.forecast.status == "forecast" for one in made) else 4


def _evidence(wanted: Wanted) -> Evidence:
    with Progress("Compiling the evidence") as progress:
        return load_evidence(Path(wanted.evidence) if wanted.evidence else None, Path(wanted.overlay) if wanted.overlay else None, progress)


def _records(name: str, evidence: Evidence) -> Iterator[Record]:
    from ivigil.patient.read import read_records

    empty = True
    for record in read_records(Path(name), evidence.facts, {product.id: product.codes for product in evidence.products.values()}):
        empty = False
        yield record
    if empty:
        raise BadInput([Problem(name, 0, "", "no patient in it", "give a patient record, a Bundle with a Patient, or a folder of NDJSON files")])


def _made(record: Record, asked: Asked, wanted: Wanted, target: float | None, evidence: Evidence, as_of: date) -> _Made:
    facts, person, history = _patient(record, asked, wanted, evidence, as_of)
    chosen = chosen_regimen(asked, record, person, history, evidence, as_of)
    horizon = float(wanted.weeks * 7)
    try:
        one = forecast(person, facts, history, chosen.regimen, evidence, horizon=horizon, target=target, model=wanted.model)
        without = None
        if chosen.regimen.changed:
            without = forecast(person, facts, history, chosen.regimen.plain, evidence, horizon=horizon, target=target, model=wanted.model)
    except CannotCompute as error:
        raise BadInput([Problem(record.place or record.id, 0, wanted.model or "forecast", str(error), "choose another model or complete the record")]) from None
    found = options(one, facts, history, evidence, target) if target is not None else ()
    if target is None and wanted.jurisdiction:
        chosen = msgspec.structs.replace(chosen, notes=(*chosen.notes, *_targets(person, wanted.jurisdiction, evidence)))
    return _Made(record, chosen, one, found, without)


def _targets(person: Person, jurisdiction: str, evidence: Evidence) -> tuple[str, ...]:
    """The trough targets in force in a place, in words; none is chosen for the patient."""
    places = {"", *evidence.places(jurisdiction)}
    return tuple(f"Trough target, not chosen by ivigil: {target.say}" for target in evidence.targets.values()
                 if target.purpose == person.purpose and target.jurisdiction in places and not target.superseded_by)


def _patient(record: Record, asked: Asked, wanted: Wanted, evidence: Evidence, as_of: date) -> tuple[Facts, Person, History]:
    """Facts, person and history of a record that the unit firewall lets through.

    Raises:
        BadInput: the record cannot be right, the weight is missing or doubtful, or the indication is not one; all problems at once.
    """
    from ivigil.patient.facts import facts_of
    from ivigil.patient.firewall import check

    place = record.place or record.id
    findings = check(record, evidence.facts, as_of)
    problems = list(findings.problems)
    doubted = {doubt.about: doubt for doubt in findings.doubts}
    problems.extend(Problem(place, 0, about, doubt.why, f"{doubt.ask} Correct the record or answer it") for about, doubt in doubted.items()
                    if about in {"weight", "height"} or (not asked.dose and about in {"order.dose", "order.each"}))
    named = wanted.indication or record.order.indication
    found = evidence.indications_called(named) if named else []
    if len(found) != 1:
        why = f"'{named}' names {'no' if not found else 'more than one'} indication" if named else "no indication is given"
        problems.append(Problem(place, 0, "--indication", why, f"one of {', '.join(found)}" if found else "name one, for example --indication pid"))
    if problems:
        raise BadInput(problems)
    facts = facts_of(record, evidence.facts, as_of)
    person = person_of(record, facts, evidence, found[0])
    if person is None:
        raise BadInput([Problem(place, 0, "weight", "the weight is unknown", "add it: without it neither a dose per kg nor a clearance can be worked out")])
    return facts, person, history_of(record, person, facts, evidence, as_of)


def _write(made: list[_Made], wanted: Wanted, evidence: Evidence, as_of: date, problems: list[Problem]) -> None:
    if wanted.plot:
        from ivigil.rendering.forecast_svg import forecast_svg

        if len(made) != 1 or not made[0].forecast.curves:
            raise BadInput([Problem("--plot", 0, "", "there is not exactly one curve to draw", "forecast one patient whom a model speaks for")])
        if not wanted.plot.lower().endswith(".svg"):
            raise BadInput([Problem("--plot", 0, wanted.plot, "only SVG is drawn", "name a file that ends in .svg")])
        write(forecast_svg(made[0].forecast, as_of, made[0].record.id), wanted.plot)
        note(f"picture written to {wanted.plot}")
    if wanted.form == "json":
        from ivigil.rendering.forecast_json import forecast_plain, forecasts_json

        plain: list[dict[str, Any]] = [forecast_plain(one.forecast, as_of, one.record.id, evidence.version, options=one.options, without=one.without,
                                                      notes=one.chosen.notes) for one in made]
        write(forecasts_json(plain, problems), wanted.out)
        return
    from ivigil.rendering.forecast_text import forecast_text

    write("\n\n".join(forecast_text(one.forecast, evidence, as_of, one.record.id, columns(), options=one.options, without=one.without, notes=one.chosen.notes)
                      for one in made), wanted.out)


def _known(wanted: Wanted, evidence: Evidence) -> None:
    problems = []
    if wanted.model and wanted.model not in evidence.models:
        problems.append(Problem("--model", 0, "", f"no model is called '{wanted.model}'", f"known: {', '.join(evidence.models)}"))
    if wanted.jurisdiction and wanted.jurisdiction not in evidence.jurisdictions:
        problems.append(Problem("--jurisdiction", 0, "", f"'{wanted.jurisdiction}' is not known", f"known: {', '.join(evidence.jurisdictions)}"))
    if wanted.weeks < 1 or wanted.weeks > _MOST_WEEKS:
        problems.append(Problem("--weeks", 0, "", f"{wanted.weeks} weeks cannot be shown", f"choose 1 to {_MOST_WEEKS}"))
    if problems:
        raise BadInput(problems)


_MOST_WEEKS = 260


def _as_of(text: str, today: date) -> date:
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput([Problem("--as-of", 0, "", f"'{text}' is not a date", "write year-month-day, for example 2026-11-20")]) from None
    if day > today:
        raise BadInput([Problem("--as-of", 0, "", f"{text} lies ahead; the record is known only until today, {today}",
                                "give the day of the next dose with --start")])
    return day
