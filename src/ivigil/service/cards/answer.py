"""The answer of one call: chart, records, plans, cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from ivigil.basis.problems import Problem
from ivigil.patient.fhir_values import Resource, as_text
from ivigil.service.cards.appointment_card import appointment_card, is_infusion
from ivigil.service.cards.card import Card, Link
from ivigil.service.cards.chart import Chart
from ivigil.service.cards.offered import REQUIRED, Service
from ivigil.service.cards.order_cards import cards_of, checked
from ivigil.service.cards.orders import concerned, drafted, record_of
from ivigil.service.cards.patient_card import patient_card
from ivigil.service.cards.request import Call
from ivigil.service.cards.vaccine_card import Ordered, live_vaccines, vaccine_card
from ivigil.service.errors import Refused
from ivigil.service.hospital import Hospital

Linker = Callable[[tuple[Resource, ...]], tuple[Link, ...]]
"""Keeps the resources of a plan and gives the links of its cards."""


def cards_for(call: Call, service: Service, chart: Chart, hospital: Hospital, today: date, linker: Linker) -> list[Card]:
    """The cards of a call; none where immunoglobulin is not concerned.

    Raises:
        Refused: 412 when immunoglobulin is concerned and the patient is not known.
    """
    return list(_cards(call, service, chart, hospital, today, linker))


def _cards(call: Call, service: Service, chart: Chart, hospital: Hospital, today: date, linker: Linker) -> Iterator[Card]:
    key = (service.id, call.hook_instance)
    if service.hook.startswith("order-"):
        places = concerned(call, chart, hospital.evidence)
        for place in places:
            _known(chart, call)
            order, early = drafted(call, chart, place, hospital.evidence), service.hook == "order-select"
            check = checked(order.resource, order.record, hospital, today, early=early)
            if check.suggested is not None:
                again = drafted(call, chart, place, hospital.evidence, check.suggested)
                check = check.if_clean(checked(again.resource, again.record, hospital, today, early=early, before=check))
            own = (*key, as_text(order.resource.get("id")) or str(place))
            yield from cards_of(check, own, chart.missing, _once(linker, order.resources))
        for vaccine in live_vaccines(call, hospital.evidence, today, places):
            card = _vaccine_card(vaccine, call, chart, hospital, today, key, linker)
            if card is not None:
                yield card
        return
    appointments = [one for one in call.appointments if is_infusion(one, hospital.evidence)]
    if service.hook == "appointment-book" and not appointments:
        return
    _known(chart, call)
    record = record_of(chart.resources, call.patient, hospital.evidence)
    assert record is not None
    if service.hook == "patient-view":
        card = patient_card(record, hospital, today, key, _once(linker, chart.resources))
        if card is not None:
            yield card
    for place, appointment in enumerate(appointments):
        card = appointment_card(record, appointment, hospital, today, (*key, str(place)), _once(linker, chart.resources))
        if card is not None:
            yield card


def _vaccine_card(ordered: Ordered, call: Call, chart: Chart, hospital: Hospital, today: date, key: tuple[str, ...], linker: Linker) -> Card | None:
    """The card of one live vaccine; a patient who was not sent is silence here, for few who get a vaccine have to do with immunoglobulin."""
    record = record_of(chart.resources, call.patient, hospital.evidence)
    if record is None:
        return None
    own = (*key, as_text(ordered.resource.get("id")) or str(ordered.place))
    return vaccine_card(ordered, record, hospital, today, own, _once(linker, chart.resources))


def _once(linker: Linker, resources: tuple[Resource, ...]) -> Callable[[], tuple[Link, ...]]:
    """The links of one plan, made when the first card needs them."""
    made: list[tuple[Link, ...]] = []

    def links() -> tuple[Link, ...]:
        if not made:
            made.append(linker(resources))
        return made[0]

    return links


def _known(chart: Chart, call: Call) -> None:
    """Refuse a call whose patient was neither sent nor fetched, or is another one than the one in context."""
    people = [as_text(resource.get("id")) for resource in chart.resources if resource.get("resourceType") == "Patient"]
    if call.patient in people:
        return
    why = "another patient than the one in context was sent" if people else chart.missing.get(REQUIRED, "the patient was not sent")
    raise Refused(412, Problem("body", 0, f"prefetch.{REQUIRED}", why, "send the Patient in prefetch, or a fhirServer that this service may ask"))
