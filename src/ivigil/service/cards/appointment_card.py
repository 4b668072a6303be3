"""The card of an appointment that is an immunoglobulin infusion: how long it takes, where, and what comes before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import msgspec

from ivigil.basis.problems import BadInput
from ivigil.evidence.library import Evidence
from ivigil.patient.fhir_values import Resource, as_maps, as_text
from ivigil.patient.record import Record
from ivigil.planning.choices import Choices, context_of
from ivigil.planning.plan import plan
from ivigil.rendering.fhir_parts import name_of
from ivigil.rendering.plain_text import clean
from ivigil.service.cards.card import Card, Link, first_sentence, shortened
from ivigil.service.cards.orders import reader_for
from ivigil.service.cards.sheet import Sources, bullets
from ivigil.service.hospital import Hospital

Linked = Callable[[], tuple[Link, ...]]

_FIRST_DAY = "infusion.day-1"
_SHOWN = (_FIRST_DAY, "infusion.place", "monitoring.observe", "course.days", "vials.choice")
_BEFORE = ("hydration", "premedication")


def is_infusion(appointment: Resource, evidence: Evidence) -> bool:
    """Whether an appointment is for immunoglobulin, by the codes of its service or reason, or by its words where it has no codes."""
    reader = reader_for(evidence)
    concepts = [concept for name in ("serviceType", "reasonCode", "serviceCategory") for concept in as_maps(appointment.get(name))]
    return any(reader.immunoglobulin(concept) is not None for concept in concepts)


def appointment_card(record: Record, appointment: Resource, hospital: Hospital, today: date, key: tuple[str, ...], links: Linked) -> Card | None:
    """The card of one infusion; None where the plan dates none, for then there is nothing to say about it."""
    start = _start(appointment)
    if start is None or start.date() < today:
        return None
    context = msgspec.structs.replace(context_of(Choices(), hospital.site, hospital.evidence, today), start=start)
    try:
        made = plan(record, hospital.evidence, context)
    except BadInput:
        return None
    first = made.line(_FIRST_DAY)
    if first is None or made.status == "blocked":
        return None
    sources = Sources(made)
    shown = [line for line in made.lines if line.id in _SHOWN or line.section in _BEFORE or (line.section == "monitoring" and line.id.endswith("-before"))]
    shown.sort(key=lambda line: line.id != _FIRST_DAY)
    detail = bullets(shown, sources)
    listed = sources.listed()
    if listed:
        detail += ["", "Sources:", *listed]
    summary = shortened(f"Immunoglobulin infusion: {first_sentence(clean(first.text))}")
    return Card(name_of(*key, "appointment"), summary, "info", sources.first(first), "\n".join(detail), links=links())


def _start(appointment: Resource) -> datetime | None:
    """The start as the clock on the wall shows it where the server stands."""
    try:
        instant = datetime.fromisoformat(as_text(appointment.get("start")).replace("Z", "+00:00"))
    except ValueError:
        return None
    return instant.astimezone().replace(tzinfo=None, second=0, microsecond=0)
