"""Small drafts on the packaged evidence for the steps around an infusion: one patient, one course, one step at a time."""

from __future__ import annotations

import tempfile
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, Span, parse_quantity
from ivigil.evidence.check import PlacedCase, facts_from, rule_cases, with_groups
from ivigil.evidence.files import packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import Regimen, RegimenDose, Route, SafetyRule
from ivigil.patient.record import PastInfusion, Record, Vaccination
from ivigil.patient.record import Route as GivenRoute
from ivigil.planning.draft import Context, Day, Dose, Draft
from ivigil.planning.line import Line

START = datetime(2026, 11, 20, 9, 0)
TODAY = START.date()


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    """The packaged evidence, with its bundle kept out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setenv("IVIGIL_CACHE", folder)
        return load_evidence()


@lru_cache(maxsize=1)
def _cases() -> tuple[PlacedCase, ...]:
    return tuple(rule_cases(read_folder(packaged_folder()))[0])


def cases_of(*folders: str) -> list[Any]:
    """The examples beside the rules of these folders, each with a readable name for the test report."""
    return [pytest.param(placed, id=f"{placed.rule}: {placed.case.name}") for placed in _cases() if placed.file.split("/")[1] in folders]


def context(jurisdiction: str = "US", *, start: datetime = START, as_of: date | None = None, indication: str = "") -> Context:
    return Context(jurisdiction=jurisdiction, as_of=as_of or start.date(), start=start, indication=indication)


def known(facts: dict[str, Any]) -> Facts:
    """Facts as examples write them, with every risk group that they decide."""
    return with_groups(facts_from(facts, evidence().facts), evidence())


def draft(
    indication: str = "kawasaki", facts: dict[str, Any] | None = None, *,
    course: float | None = None, days: int = 1, every: str = "", route: Route = "intravenous", start: datetime = START, **record: Any,
) -> Draft:
    """A draft whose course of ``course`` g/kg is already spread over ``days``; keywords go into the record."""
    written = dict(facts or {})
    if course is not None:
        written = {"course.dose": f"{course} g/kg", "course.dose_30_days": f"{course} g/kg", **written}
    made = Draft(msgspec.structs.replace(Record(id="sample"), **record), known(written), indication=evidence().indications[indication])
    if course is None:
        return made
    weight = made.facts.number("weight", "kg") or 70.0
    interval = parse_quantity(every) if every else None
    dose = Dose("course_total", course, course * weight, Span(days, days), weight, "label-actual", interval)
    regimen = Regimen(id="sample", cites=("ivigil-policy.override",), authority="a", jurisdiction="US", phase="acute",
                      dose=RegimenDose(course_total=Span(course, course, "g/kg")), route=route)
    spread = tuple(Day(number + 1, start.date() + timedelta(days=number), course * weight / days) for number in range(days))
    return msgspec.structs.replace(made, dose=dose, regimen=regimen, days=spread)


def grams(on: str, amount: str = "", *, route: GivenRoute = "intravenous", product: str = "", **more: Any) -> PastInfusion:
    """An infusion on record."""
    return PastInfusion(on=date.fromisoformat(on), dose=parse_quantity(amount) if amount else None, route=route, product=product, **more)


def vaccine(name: str, on: str) -> Vaccination:
    """A vaccination on record."""
    return Vaccination(vaccine=name, on=date.fromisoformat(on))


def line(plan: Draft, name: str) -> Line:
    """The one line with this id."""
    found = [one for one in plan.lines if one.id == name]
    assert len(found) == 1, f"{name}: {[one.id for one in plan.lines]}"
    return found[0]


def ids(plan: Draft) -> set[str]:
    names = [one.id for one in plan.lines]
    assert len(names) == len(set(names)), "two lines share an id"
    return set(names)


def rows(of: Line) -> list[list[str]]:
    assert of.table is not None
    return [[str(cell) for cell in row] for row in of.table.rows]


def fact(name: str, value: Any, on: date | None = None) -> Fact:
    return Fact(name, value if isinstance(value, bool) else parse_quantity(value) if value[:1].isdigit() else value, Origin("record", on))


def with_rules(*rules: SafetyRule) -> Evidence:
    """The packaged evidence with these rules in place of all others."""
    return msgspec.structs.replace(evidence(), rules={rule.id: rule for rule in rules}, interactions={})


def asked(plan: Draft) -> dict[str, tuple[str, ...]]:
    """What each undecided entry asks for."""
    return {name: facts for name, facts, _ in plan.undecided}


def amount(text: str) -> Quantity:
    return parse_quantity(text)
