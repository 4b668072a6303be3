"""The planned course as FHIR R4 dosage instructions: what is given on which day, and the pump's steps one after the other.

The amount of a day stands once, in the instruction that begins it; the steps after it carry their rate alone, so that nobody who adds
up doses counts one twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import msgspec

from ivigil.basis.quantity import Quantity
from ivigil.planning.line import Line, Plan
from ivigil.rendering.fhir_parts import PERIODS, SNOMED, TERMS, Resource, coding, concept, number, quantity

COURSE = "course.days"
WEEKLY = "dose.weekly"
_REPEATED = re.compile(r"\bRepeated every (?:(?P<count>\d+(?:\.\d+)?) )?(?P<unit>day|week|month|year)s?\.")
_DOSE, _PUMP, _FROM, _TO = "Dose", "Pump", "From", "To"


class DayDose(msgspec.Struct, frozen=True):
    """Days in a row that are given alike: how many grams each, and the line with their rates, if there is one."""

    first: date
    count: int
    grams: float
    rates: Line | None


def days_of(plan: Plan) -> tuple[DayDose, ...]:
    """The treatment days of a plan; none where no course could be planned."""
    line = plan.line(COURSE)
    if line is None or line.table is None or line.when is None:
        return ()
    place = [column.name for column in line.table.columns].index(_DOSE)
    groups: list[DayDose] = []
    for offset, row in enumerate(line.table.rows):
        grams = row[place]
        assert isinstance(grams, float | int)
        rates = plan.line(f"infusion.day-{offset + 1}")
        if groups and rates is None and groups[-1].grams == grams:
            groups[-1] = msgspec.structs.replace(groups[-1], count=groups[-1].count + 1)
        else:
            groups.append(DayDose(line.when + timedelta(days=offset), 1, float(grams), rates))
    return tuple(groups)


def repeats_every(plan: Plan) -> Quantity | None:
    """How often the course is repeated, as its line says it; None for a course that is given once."""
    line = plan.line(COURSE)
    said = _REPEATED.search(line.text) if line is not None else None
    return Quantity(float(said["count"] or 1), said["unit"]) if said is not None else None


def dosage_instructions(plan: Plan, *, rates: bool = True) -> list[Resource]:
    """The dosage instructions of the planned course, in the order in which they are carried out; without ``rates`` its doses alone."""
    days = days_of(plan)
    route = _route(plan)
    every = repeats_every(plan)
    found: list[Resource] = []
    for day in days:
        ladder = list(_ladder(day.rates)) if rates else []
        first = ladder[0] if ladder else None
        found.append({
            "sequence": len(found) + 1,
            "text": _first_text(day, every),
            "timing": _timing(day, every, alone=len(days) == 1),
            "route": route,
            "doseAndRate": [{
                "type": concept("calculated", coding(f"{TERMS}/dose-rate-type", "calculated", "Calculated")),
                "doseQuantity": quantity(Quantity(day.grams, "g")),
                **({"rateQuantity": quantity(first.rate)} if first is not None else {}),
            }],
        })
        for step in ladder[1:]:
            found.append({
                "sequence": len(found) + 1,
                "text": step.text,
                **({"timing": {"repeat": {"duration": number(step.minutes), "durationUnit": "min"}}} if step.minutes else {}),
                "route": route,
                "doseAndRate": [{"rateQuantity": quantity(step.rate)}],
            })
    return found


class _Step(msgspec.Struct, frozen=True):
    rate: Quantity
    text: str
    minutes: float


def _ladder(line: Line | None) -> Iterator[_Step]:
    """The steps of a day's table of rates."""
    if line is None or line.table is None:
        return
    heads = [(column.name, column.unit) for column in line.table.columns]
    pump = next((place for place, head in enumerate(heads) if head == (_PUMP, "mL/h")), None)
    if pump is None:
        return
    begins, ends = (next(place for place, head in enumerate(heads) if head[0] == name) for name in (_FROM, _TO))
    for row in line.table.rows:
        rate = row[pump]
        if not isinstance(rate, float | int):
            continue
        since, until = row[begins], row[ends]
        flow = Quantity(float(rate), "mL/h")
        if isinstance(since, str):
            yield _Step(flow, f"Then {flow} from {since} to {until} if tolerated.", _minutes(since, until))
        else:
            yield _Step(flow, f"Then raised to at most {flow} if tolerated.", 0)


def _minutes(since: str, until: object) -> float:
    """The minutes between two clock times of one day; nought where they do not lie on one day."""
    try:
        return (datetime.strptime(str(until), "%H:%M") - datetime.strptime(since, "%H:%M")) / timedelta(minutes=1)
    except ValueError:
        return 0


def _first_text(day: DayDose, every: Quantity | None) -> str:
    said = day.rates.text if day.rates is not None else f"{Quantity(day.grams, 'g')} on {day.count} days from {day.first.isoformat()}."
    return f"{said} The course is repeated every {every}." if every is not None else said


def _timing(day: DayDose, every: Quantity | None, *, alone: bool) -> Resource:
    """Days in a row as a repeat with its bounds, a repeated course by its interval, days that differ as their dates."""
    if every is not None and alone and day.count == 1:
        return {"repeat": {"boundsPeriod": {"start": day.first.isoformat()}, "frequency": 1, "period": number(every.value), "periodUnit": PERIODS[every.unit]}}
    if alone and day.count > 1:
        last = day.first + timedelta(days=day.count - 1)
        return {"repeat": {"boundsPeriod": {"start": day.first.isoformat(), "end": last.isoformat()}, "count": day.count, "frequency": 1, "period": 1,
                           "periodUnit": "d"}}
    return {"event": [(day.first + timedelta(days=offset)).isoformat() for offset in range(day.count)]}


def _route(plan: Plan) -> Resource:
    """Under the skin where the plan doses by the week or by sites, else into a vein."""
    if plan.line(WEEKLY) is not None or plan.line("infusion.sites") is not None:
        return concept("subcutaneous", coding(SNOMED, "34206005", "Subcutaneous route"))
    return concept("intravenous", coding(SNOMED, "47625008", "Intravenous route"))
