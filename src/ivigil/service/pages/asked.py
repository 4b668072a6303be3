"""What one request asks of the plan page, and the plan made of it. Everything travels in the request; the server remembers nothing of a patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import cast

import msgspec

from ivigil.basis.conversion import convert
from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.planning.choices import TEXT_CHOICES, Choices, Collected, context_of
from ivigil.planning.line import Plan
from ivigil.rendering.leaflet import Leaflet, leaflet_of
from ivigil.rendering.plan_difference import PlanDifference, plan_difference
from ivigil.service.changes import ORDER_KEYS, Changes, change_for, changed_record, changed_text, changes_in, is_fhir
from ivigil.service.hospital import Hospital, bounded

AUDIENCES = ("clinician", "patient")
ANSWER, UNIT, ORDER = "a:", "u:", "o:"
"""What the names of answers, of their units and of parts of an order begin with."""


class Asked(msgspec.Struct, frozen=True):
    """A record, what was changed beside it, what changes now, and the choices; ``was`` are those of the plan that the reader looks at."""

    record: str
    choices: Choices
    beside: Changes = Changes()
    now: Changes = Changes()
    was: Choices | None = None
    audience: str = "clinician"


class Made(msgspec.Struct, frozen=True):
    """A plan with the state that makes it again, and how it differs from the plan before."""

    record: str
    beside: Changes
    choices: Choices
    patient: Record
    plan: Plan
    difference: PlanDifference | None = None


def choices_in(form: Mapping[str, str], prefix: str = "") -> Choices:
    """The choices of a form."""
    return convert({key: form.get(prefix + key, "").strip() for key in TEXT_CHOICES}, Choices)


def asked_in(form: Mapping[str, str], evidence: Evidence, today: date) -> Asked:
    """What a posted form asks.

    Raises:
        BadInput: the form was not written by our page.
    """
    beside = changes_in(form.get("changes", ""))
    now = Changes(on=(choices_in(form).as_of or today.isoformat()))
    for name, value in form.items():
        if name.startswith(ANSWER) and value.strip():
            fact = name.removeprefix(ANSWER)
            unit = form.get(UNIT + fact, "")
            now = now.then(change_for(fact, evidence.facts.get(fact), f"{value.strip()} {unit}".strip()))
    now = now.then(Changes(order=_order_in(form)))
    was = choices_in(form, "was:") if form.get("was:jurisdiction") else None
    audience = form.get("audience", "clinician")
    return Asked(form.get("record", ""), choices_in(form), beside, now if now else Changes(), was, audience if audience in AUDIENCES else "clinician")


def _order_in(form: Mapping[str, str]) -> dict[str, str]:
    """The parts of the order that the form gives otherwise than it showed them."""
    changed = {}
    for key in ORDER_KEYS:
        if ORDER + key not in form:
            continue
        number, unit = form[ORDER + key].strip(), form.get(f"{ORDER}{key}:unit", "")
        given = f"{number} {unit}".strip() if number else ""
        if given != form.get(f"{ORDER}{key}:was", "").strip():
            changed[key] = given
    return changed


def made_of(asked: Asked, hospital: Hospital, today: date) -> Made:
    """The plan that a request asks for, and its difference from the one before.

    Raises:
        BadInput: the record or a choice cannot be used; every problem of both is listed.
    """
    found = Collected()
    fhir = is_fhir(asked.record)
    beside = asked.beside.then(asked.now) if fhir else Changes()
    text = asked.record if fhir else found.attempt(lambda: _taken_in(asked, hospital), asked.record)
    record = found.attempt(lambda: record_of(text, beside, hospital, today), None)
    found.attempt(lambda: context_of(asked.choices, hospital.site, hospital.evidence, today), None)
    if found.problems or record is None:
        raise BadInput(found.problems)
    made = Made(text, beside, asked.choices, record, hospital.plan(record, asked.choices, today))
    before = _before(asked, hospital, today)
    return made if before is None else msgspec.structs.replace(made, difference=plan_difference(before, made.plan))


def leaflet_for(made: Made, hospital: Hospital, today: date) -> Leaflet:
    """The leaflet of a plan with its IgG curve: the same as ``ivigil plan --format leaflet`` makes."""
    with_curve = hospital.plan(made.patient, msgspec.structs.replace(made.choices, outlook=True), today)
    return leaflet_of(with_curve, hospital.evidence)


def _taken_in(asked: Asked, hospital: Hospital) -> str:
    """The record in the written form with the changes of the request. Its size is checked first, since the strict reader is slow."""
    bounded(asked.record.encode(), hospital.limits, "record")
    return changed_text(asked.record, asked.now)


def _before(asked: Asked, hospital: Hospital, today: date) -> Plan | None:
    """The plan that the reader looked at; without one, or when it can no longer be made, nothing is compared."""
    if asked.was is None:
        return None
    try:
        return hospital.plan(record_of(asked.record, asked.beside, hospital, today), asked.was, today)
    except BadInput:
        return None


def as_shown(asked: Asked) -> Asked:
    """The request without what is being typed on the page: the plan that the reader looks at."""
    return Asked(asked.record, asked.was or asked.choices, asked.beside)


def record_of(text: str, beside: Changes, hospital: Hospital, today: date) -> Record:
    """The one patient of a text, with the changes that stay beside it.

    Raises:
        BadInput: see :meth:`Hospital.only`; also when there is no text.
    """
    if not text.strip():
        raise BadInput([Problem("record", 0, "", "no record is given", "paste one, choose a file, fill in the form or open an example")])
    return changed_record(hospital.only(text.encode(), today), beside, hospital.evidence)


def plain_choices(choices: Choices) -> dict[str, str]:
    """The choices as a form carries them."""
    return {key: cast("str", getattr(choices, key)) for key in TEXT_CHOICES}
