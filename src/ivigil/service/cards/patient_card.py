"""The card of a patient who is on immunoglobulin: what is due, and which vaccines wait. Nobody else gets one.

Tests and reviews are reckoned from the first infusion on record, waits of vaccines from the last one. A date shows when it is near.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import msgspec

from ivigil.basis.dates import add
from ivigil.basis.problems import BadInput
from ivigil.patient.record import Record
from ivigil.planning.choices import Choices, context_of
from ivigil.planning.follow_up import CALENDAR
from ivigil.planning.line import Line, Plan
from ivigil.planning.plan import plan
from ivigil.planning.wording import day_text, interval
from ivigil.rendering.fhir_parts import name_of
from ivigil.rendering.markdown import escaped
from ivigil.rendering.plain_text import clean
from ivigil.service.cards.card import Card, Link, Source, shortened
from ivigil.service.cards.sheet import OWN, Sources, bullets
from ivigil.service.hospital import Hospital

Linked = Callable[[], tuple[Link, ...]]

AHEAD = timedelta(days=14)
"""How long before its day something is called due."""
BEHIND = timedelta(days=42)
"""How long after its day a test or review goes on being shown; whether it was done cannot be seen in every record."""
_REVIEW, _TROUGH, _TARGET = "monitoring.review", "monitoring.igg-trough", "monitoring.target"
_HELD = {"wait", "avoid", "ask"}


class Due(msgspec.Struct, frozen=True):
    """One thing that is due: its short name for the summary, and the line that says it, or words of our own with the day."""

    name: str
    line: Line | None = None
    text: str = ""


def patient_card(record: Record, hospital: Hospital, today: date, key: tuple[str, ...], links: Linked) -> Card | None:
    """The card of a patient with immunoglobulin on record; None for everybody else."""
    given = sorted(infusion.on for infusion in record.infusions if infusion.kind == "immunoglobulin" and infusion.on <= today)
    if not given:
        return None
    try:
        since = planned_from(record, hospital, today, given[0])
        until = planned_from(record, hospital, today, given[-1], given_only=True)
    except BadInput as error:
        text = "; ".join(f"{problem.what}: {problem.why}" if problem.what else problem.why for problem in error.problems)
        return Card(name_of(*key, "due"), "Immunoglobulin: the record cannot be checked", "info", Source(OWN), f"- {escaped(clean(text))}", links=links())
    sources = Sources(since, until)
    due = _due(record, since, until, today, given[-1])
    if not due:
        return None
    held = [one for one in due if one.line is not None and one.line.section == "vaccination"]
    rest = [one for one in due if one not in held]
    detail = []
    for one in rest:
        detail += bullets([one.line], sources) if one.line is not None else [f"- {escaped(clean(one.text))}"]
    detail += bullets([one.line for one in held if one.line is not None], sources)
    target = until.line(_TARGET)
    if target is not None and any(one.line is not None and one.line.id == _TROUGH for one in rest):
        detail += bullets([target], sources)
    listed = sources.listed()
    if listed:
        detail += ["", "Sources:", *listed]
    names = list(dict.fromkeys(one.name for one in due))
    lead = next((one.line for one in due if one.line is not None), None)
    return Card(name_of(*key, "due"), shortened(f"Immunoglobulin: {'; '.join(names)}"), "info", sources.first(lead), "\n".join(detail), links=links())


def planned_from(record: Record, hospital: Hospital, today: date, start: date, *, given_only: bool = False) -> Plan:
    """The plan reckoned from a day of treatment that may lie in the past; with ``given_only`` vaccines wait for what was given up to that day alone."""
    context = context_of(Choices(), hospital.site, hospital.evidence, today)
    return plan(record, hospital.evidence, msgspec.structs.replace(context, start=datetime.combine(start, context.start.time()), given_only=given_only))


def _due(record: Record, since: Plan, until: Plan, today: date, last: date) -> list[Due]:
    found: list[Due] = []
    trough, review = since.line(_TROUGH), since.line(_REVIEW)
    if trough is not None and trough.when is not None and _near(trough.when, today):
        found.append(Due("trough IgG due", trough))
    every = record.order.every
    if every is not None and every.unit in CALENDAR:
        following = add(last, every)
        if following - today <= AHEAD:
            word = "overdue" if following < today else "due"
            said = (f"Infusion {word}: the last one on record was on {day_text(last)}, and one is ordered every {interval(every)}; "
                    f"the next falls on {day_text(following)}.")
            found.append(Due(f"infusion {word} {day_text(following)}", text=said))
    if review is not None and review.when is not None and _near(review.when, today):
        found.append(Due("review due", review))
    unsettled = until.line("indication.choose")
    if unsettled is not None:
        found.append(Due("name the indication to see what is due", unsettled))
    found += [Due("live vaccines on hold", line) for line in until.lines if line.section == "vaccination" and line.act in _HELD and line.urgency == "warning"]
    return found


def _near(day: date, today: date) -> bool:
    return today - BEHIND <= day <= today + AHEAD
