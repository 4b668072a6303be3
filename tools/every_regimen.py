"""Plans every regimen of every indication on an example patient it is meant for, and tells status, dose, product and duration of each.

``docs/every-regimen.md`` is made from it. The patients are made up on the spot: the first of a short list (a woman, a man, a child, a woman who
is pregnant, an infant, a newborn) whom the indication and the regimen are meant for, with a reviewed record. Facts that a regimen asks for are
answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from ivigil.evidence.conditions import Condition, truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Indication, Regimen
from ivigil.patient.facts import facts_of
from ivigil.patient.form import form_of
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, 9)
_DATES = re.compile(r",?(?: on)? [0-9]+ [A-Z][a-z]+ 20[0-9]{2}(?: to [0-9]+ [A-Z][a-z]+ 20[0-9]{2})?")

PEOPLE: dict[str, dict[str, Any]] = {
    "woman, 45 y, 70 kg": {"sex": "female", "age": "45 year", "weight": "70 kg", "height": "168 cm", "pregnancy": {"status": "not-pregnant"}},
    "man, 52 y, 82 kg": {"sex": "male", "age": "52 year", "weight": "82 kg", "height": "178 cm"},
    "child, 8 y, 26 kg": {"sex": "male", "age": "8 year", "weight": "26 kg", "height": "128 cm"},
    "adolescent, 16 y, 58 kg": {"sex": "male", "age": "16 year", "weight": "58 kg", "height": "172 cm"},
    "pregnant woman, 30 y, 24 weeks": {"sex": "female", "age": "30 year", "weight": "74 kg", "height": "166 cm",
                                       "pregnancy": {"status": "pregnant", "weeks": 24, "pre_pregnancy_weight": "68 kg"}},
    "pregnant woman, 30 y, 15 weeks": {"sex": "female", "age": "30 year", "weight": "69 kg", "height": "166 cm",
                                       "pregnancy": {"status": "pregnant", "weeks": 15, "pre_pregnancy_weight": "67 kg"}},
    "infant, 8 weeks, 5 kg": {"sex": "female", "age": "8 week", "weight": "5 kg", "height": "57 cm"},
    "newborn, 6 days, 3.4 kg": {"sex": "male", "age": "6 day", "weight": "3.4 kg", "height": "50 cm"},
}
class Tried(NamedTuple):
    """One regimen on one patient: where it was planned and what came of it."""

    indication: Indication
    regimen: Regimen | None
    patient: str
    place: str
    plan: Plan


def suitable(evidence: Evidence, indication: Indication, regimen: Regimen | None, day: date) -> tuple[str, Record]:
    """The first example patient whom the indication and the regimen are meant for; the first of all when they fit nobody."""
    meant = [one for one in (indication.population, regimen.when if regimen is not None else None) if one is not None]
    order: dict[str, Any] = {"indication": indication.id}
    if regimen is not None:
        order |= {"regimen": regimen.id, "phase": regimen.phase, "route": regimen.route}
        order |= {"product": regimen.products[0]} if regimen.products else {}
    wanted = {fact: answer for condition in meant for fact, answer in _answers(condition, sought=True) if not fact.startswith(("has.pregnancy", "order."))}
    records = []
    for name, person in PEOPLE.items():
        written = {"id": f"example-{indication.id}", **_reviewed(day.isoformat()), **person, "answers": wanted, "order": order}
        records.append((name, form_of(written, {}, name, evidence.facts)))
    for name, record in records:
        facts = facts_of(record, evidence.facts, day)
        if all(truth_of(condition, facts) is True for condition in meant):
            return name, record
    return records[0]


def _reviewed(day: str) -> dict[str, Any]:
    """A record in which nothing else is wrong with the patient, and somebody looked."""
    lists: dict[str, Any] = {name: [] for name in ("conditions", "medicines", "allergies", "infusions")}
    results = {"creatinine": "60 umol/L", "haemoglobin": "130 g/L", "iga": "1.2 g/L"}
    return {**lists, "problem_list_reviewed": day, "medicines_reviewed": day, "allergies_reviewed": day, "blood_group": "O", "infusions_complete": True,
            "results": {name: {"value": value, "on": day} for name, value in results.items()}}


def _answers(condition: Condition, *, sought: bool) -> Iterator[tuple[str, str]]:
    """Yes or no for every flag of a condition, so that it comes out as ``sought``."""
    if condition.op == "not":
        yield from _answers(condition.of[0], sought=not sought)
    elif condition.of:
        for part in condition.of:
            yield from _answers(part, sought=sought)
    elif condition.op == "yes":
        yield condition.fact, "yes" if sought else "no"


def tried(evidence: Evidence) -> Iterator[Tried]:
    """Every indication with each of its regimens, planned where the regimen is in force; without any regimen, once."""
    for indication in evidence.indications.values():
        for regimen in indication.regimens or (None,):
            place, day = _place(evidence, regimen), _day(regimen)
            name, record = suitable(evidence, indication, regimen, day)
            yield Tried(indication, regimen, name, place, plan(record, evidence, Context(place, day, datetime.combine(day, START.time()))))


def _place(evidence: Evidence, regimen: Regimen | None) -> str:
    return regimen.jurisdiction if regimen is not None and regimen.jurisdiction in evidence.jurisdictions else "UK-ENG" if regimen is None else "EU"


def _day(regimen: Regimen | None) -> date:
    """The day of the examples, or the last day on which a regimen of an earlier edition was in force."""
    end = regimen.valid.end if regimen is not None else ""
    return min(DAY, date.fromisoformat(end)) if end else DAY


def page(evidence: Evidence) -> str:
    """The table as a page of docs/."""
    found = list(tried(evidence))
    statuses = [one.plan.status for one in found]
    dosed = sum(one.regimen is not None for one in found)
    out = [
        "# Every regimen on a patient", "",
        f"{len(evidence.indications)} indications; {dosed} regimens, each planned on an example patient it is meant for, in a place where it is in "
        f"force (an international one in the EU, one of an earlier edition on its last day). {len(found) - dosed} indications have no regimen and are "
        "planned once, for England.",
        "",
        "Status: " + ", ".join(f"{status} {statuses.count(status)}" for status in dict.fromkeys(sorted(statuses))) + ". *The prescriber chooses* "
        "where a source prints a range and nobody has decided on a value in it. *Rates not read* where no rate of the product was read.",
        "",
        "| Indication | Authority | Where | Phase | Patient | Status | Dose | Product | First day |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    out += [f"| {' | '.join(_cells(one, evidence))} |" for one in found]
    return "\n".join(out) + "\n"


def _cells(one: Tried, evidence: Evidence) -> tuple[str, ...]:
    regimen = one.regimen
    where = (evidence.authority(regimen), one.place, regimen.phase) if regimen is not None else ("-", one.place, "-")
    product = _text(one.plan, ("vials.choice", "product.choice")).partition(":")[0].partition(" (")[0]
    return one.indication.name.clinical, *where, one.patient, one.plan.status, dose_of(one), product or "-", _duration(one.plan)


def dose_of(one: Tried) -> str:
    """The dose of a tried regimen in words, or why there is none."""
    said = _text(one.plan, ("course.days", "dose.weekly", "dose.course_total", "dose.per_day", "dose.per_interval"))
    if said:
        return _DATES.sub("", said).rstrip(".").replace(". Repeated", "; repeated")
    if one.plan.line("dose.range") is not None or any(question.fact == "order.dose" for question in one.plan.questions):
        return "the prescriber chooses"
    if one.plan.status == "blocked":
        return "blocked"
    return "not read" if one.regimen is None else "none"


def _duration(made: Plan) -> str:
    line = made.line("infusion.day-1")
    if line is None or line.table is None:
        return "rates not read" if made.line("infusion.not-read") is not None else "-"
    ends = next((word for mark in ("in by ", "ends at ") if mark in line.text for word in [line.text.partition(mark)[2]]), "")
    # The earliest end at the label's highest rate, or where the rates between are not printed, the end that the plan names.
    return f"09:00 to {ends.split(' if ')[0].split(' at the earliest')[0].rstrip('.')}" if ends else "-"


def _text(made: Plan, ids: Iterable[str]) -> str:
    return next((line.text for name in ids if (line := made.line(name)) is not None), "")
