"""The dates of a plan as a calendar file (iCalendar, RFC 5545): treatment, tests, review, and live vaccines. No name, no diagnosis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import NamedTuple

from ivigil.basis.problems import BadInput, Problem
from ivigil.planning.line import Line, Plan
from ivigil.planning.wording import day_text
from ivigil.rendering.leaflet import Leaflet
from ivigil.rendering.plain_text import clean

_CLOCK = re.compile(r"\d{2}:\d{2}")


class Entry(NamedTuple):
    """One entry: a whole day, or from ``start`` to ``end`` in local time."""

    id: str
    what: str
    start: date | datetime
    end: date | datetime
    note: str


def calendar_of(plan: Plan, leaflet: Leaflet) -> tuple[Entry, ...]:
    """The entries of a plan; none for a plan that is not ready."""
    return tuple(sorted(_entries(plan), key=lambda entry: (str(entry.start), entry.id))) if leaflet.parts else ()


def calendar_file(plan: Plan, leaflet: Leaflet) -> str:
    """The calendar as the text of an ``.ics`` file; the same plan gives the same text.

    Raises:
        BadInput: the extra ``print`` is not installed.
    """
    try:
        from icalendar import Calendar, Event
    except ImportError:
        raise BadInput([Problem("--format", 0, "", "calendar files need the extra 'print'", "pip install 'ivigil[print]'")]) from None
    calendar = Calendar()
    calendar.add("prodid", f"-//ivigil//{plan.program_version}//EN")
    calendar.add("version", "2.0")
    stamp = datetime.combine(plan.as_of, time(), UTC)
    for entry in calendar_of(plan, leaflet):
        event = Event()
        event.add("uid", f"{sha256(f'{plan.patient} {plan.as_of} {plan.evidence_version} {entry.id}'.encode()).hexdigest()[:32]}@ivigil")
        event.add("dtstamp", stamp)
        event.add("dtstart", entry.start)
        event.add("dtend", entry.end)
        event.add("summary", entry.what)
        if entry.note:
            event.add("description", entry.note)
        calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _entries(plan: Plan) -> Iterator[Entry]:
    yield from _treatment(plan)
    for line in plan.lines:
        if line.when is None:
            continue
        if line.section == "monitoring" and line.id == "monitoring.review":
            yield _whole_day(line.id, "Review of treatment: by this day", line.when)
        elif line.section == "monitoring" and line.table is not None and line.table.rows:
            yield _whole_day(line.id, f"Test: {clean(str(line.table.rows[0][0]))}", line.when, clean(line.text))
        elif line.section == "vaccination" and line.act == "wait":
            yield _whole_day(line.id, "Live vaccine: ask from this day", line.when, clean(line.text))


def _treatment(plan: Plan) -> Iterator[Entry]:
    """Every treatment day; with clock times where the plan sets them."""
    days = plan.line("course.days")
    if days is None or days.table is None or days.when is None:
        return
    first = plan.line("infusion.day-1")
    clock = _clock(first)
    names = [column.name for column in days.table.columns]
    dates = [_date(str(row[names.index("Date")]), days.when) for row in days.table.rows]
    for number, on in enumerate(dates, start=1):
        own = _clock(plan.line(f"infusion.day-{number}")) or clock
        what = "Immunoglobulin treatment" if len(dates) == 1 else f"Immunoglobulin treatment, day {number} of {len(dates)}"
        if own is None:
            yield _whole_day(f"treatment-{number}", what, on)
        else:
            begins, ends = datetime.combine(on, own[0]), datetime.combine(on, own[1])
            yield Entry(f"treatment-{number}", what, begins, ends if ends > begins else ends + timedelta(days=1), "End at the earliest; see the plan.")


def _clock(line: Line | None) -> tuple[time, time] | None:
    if line is None or line.table is None:
        return None
    names = [column.name for column in line.table.columns]
    if "From" not in names or "To" not in names:
        return None
    begins, ends = str(line.table.rows[0][names.index("From")]), str(line.table.rows[-1][names.index("To")])
    if not (_CLOCK.fullmatch(begins) and _CLOCK.fullmatch(ends)):
        return None
    return time.fromisoformat(begins), time.fromisoformat(ends)


def _date(shown: str, first: date) -> date:
    """The date that a table cell shows; treatment days follow the first within a year."""
    return next(first + timedelta(days=past) for past in range(366) if day_text(first + timedelta(days=past)) == shown)


def _whole_day(name: str, what: str, on: date, note: str = "") -> Entry:
    return Entry(name, what, on, on + timedelta(days=1), note)
