"""Lines of the patient's own plan that answer a question: the plan is made anew from the record, and its lines are quoted word for word."""

from __future__ import annotations

from datetime import datetime, time

from ivigil.answers.answer import Audience
from ivigil.answers.diseases import Here
from ivigil.answers.said import Said
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.line import Line, Plan
from ivigil.planning.plan import plan

_MORNING = time.fromisoformat("09:00")
_SECTIONS: dict[str, tuple[str, ...]] = {
    "dose": ("dosing", "vials"),
    "weight": ("dosing",),
    "rounding": ("vials",),
    "maintenance": ("dosing", "monitoring"),
    "rate": ("infusion",),
    "duration": ("infusion",),
    "product": ("product", "vials"),
    "vaccines": ("vaccination",),
    "exposure": ("vaccination",),
    "prevention": ("premedication",),
    "hydration": ("hydration",),
    "monitoring": ("monitoring",),
    "levels": ("monitoring",),
    "stop": ("monitoring",),
    "criteria": ("indication",),
    "indicated": ("indication",),
    "uses": ("indication",),
    "alternatives": ("indication",),
    "contraindications": ("safety", "product"),
    "effects": ("safety",),
    "serious": ("safety",),
    "cost": ("cost",),
    "kidney": ("safety", "monitoring"),
    "clots": ("safety",),
    "haemolysis": ("safety", "monitoring"),
    "meningitis": ("safety",),
    "heart": ("safety",),
    "iga": ("safety", "product"),
    "allergies": ("safety", "product"),
    "pregnancy": ("safety",),
    "interactions": ("safety",),
    "sugar": ("safety", "monitoring"),
    "home": ("safety",),
    "scig": ("dosing", "product"),
    "reaction": ("safety",),
}
"""Which sections of a plan answer a topic."""
_ADVICE: dict[str, tuple[str, ...]] = {
    "bring": ("before",),
    "hydration": ("before",),
    "procedure": ("day",),
    "afterwards": ("after",),
    "red-flags": ("red-flag", "when-to-call"),
    "vaccines": ("vaccines",),
    "works": ("how-it-works",),
    "onset": ("how-it-works",),
}
"""Which advice of a plan answers a topic."""


def plan_of(here: Here, record: Record, indication: str) -> Plan:
    """The plan of the record for the place and day of the question.

    Raises:
        BadInput: the record contradicts itself or cannot be right; every problem is listed.
    """
    return plan(record, here.evidence, context_for(here, record, indication))


def context_for(here: Here, record: Record, indication: str) -> Context:
    """The context of the plan: the indication of the question counts where the record names none."""
    named = indication if not record.order.indication else ""
    return Context(here.jurisdiction, here.as_of, datetime.combine(here.as_of, _MORNING), indication=named)


def quoted(here: Here, made: Plan, topics: tuple[str, ...], audience: Audience) -> list[tuple[str, list[Said], Line | None]]:
    """For each topic the lines that answer it; a line with a table comes with it. Patients get the sentences that the plan has for them, and no dose."""
    out: list[tuple[str, list[Said], Line | None]] = []
    seen: set[str] = set()
    for topic in topics:
        if audience == "patient":
            lines = [line for line in made.lines if line.section == "advice" and _advises(here, line, topic)]
        else:
            lines = [line for line in made.lines if line.section in _SECTIONS.get(topic, ()) and _fits(line, topic)]
        fresh = [line for line in lines if line.id not in seen]
        seen.update(line.id for line in fresh)
        tabled = next((line for line in fresh if line.table is not None), None)
        if fresh:
            out.append((topic, [said_line(line) for line in fresh], tabled))
    return out


def said_line(line: Line) -> Said:
    """A plan line word for word, with the statements it rests on."""
    when = line.when.isoformat() if line.when is not None and line.when.isoformat() not in line.text else ""
    marks = [mark for mark in (line.urgency if line.urgency != "info" else "", when) if mark]
    return Said(line.text, line.because.cites, "plan-line", tuple(marks), (line.id,))


def _advises(here: Here, line: Line, topic: str) -> bool:
    entry = here.evidence.advice.get(line.because.rule)
    return entry is not None and entry.topic in _ADVICE.get(topic, ())


_CRITERIA = ("indication.criteria", "indication.standing", "indication.against", "indication.disputed", "indication.population", "indication.choose")


def _fits(line: Line, topic: str) -> bool:
    if topic == "criteria":
        return line.id in _CRITERIA
    if topic == "alternatives":
        return line.id == "indication.alternatives"
    return True
