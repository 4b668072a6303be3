"""From a chart and draft orders to records: one record for each immunoglobulin order, in which that order is the one to plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from ivigil.basis.facts import Codes
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.patient.fhir import FhirReader
from ivigil.patient.fhir_values import Resource, as_list, as_map, as_text
from ivigil.patient.record import Record
from ivigil.service.cards.chart import Chart
from ivigil.service.cards.request import Call

PLACE = "request"
_REQUEST = "MedicationRequest"
_OPEN = {"draft", "active", "on-hold", ""}


class Drafted(msgspec.Struct, frozen=True):
    """An immunoglobulin order that is being written: the resource as sent, all resources that are planned from, and the record they make."""

    resource: Resource
    resources: tuple[Resource, ...]
    record: Record


def reader_for(evidence: Evidence) -> FhirReader:
    """A reader that knows the register and the products of the evidence."""
    return FhirReader(evidence.facts, _codes(evidence), PLACE)


@kept
def _codes(evidence: Evidence) -> Mapping[str, Codes]:
    return {product.id: product.codes for product in evidence.products.values()}


def record_of(resources: Sequence[Resource], patient: str, evidence: Evidence) -> Record | None:
    """The record of one patient; resources of anybody else are left out."""
    reader = reader_for(evidence)
    for resource in resources:
        reader.add(resource)
    return next((record for record in reader.records() if record.id == patient), None)


def concerned(call: Call, chart: Chart, evidence: Evidence) -> list[int]:
    """The places of the immunoglobulin orders among the drafts; of ``order-select`` those that were just selected."""
    reader = reader_for(evidence)
    for resource in (*chart.resources, *call.drafts):
        if resource.get("resourceType") == "Medication":
            reader.add(resource)
    chosen = {as_text(item) for item in as_list(call.context.get("selections"))}
    found = []
    for place, draft in enumerate(call.drafts):
        named = f"{_REQUEST}/{as_text(draft.get('id'))}"
        if not _ordered(draft) or (chosen and named not in chosen):
            continue
        concept = reader.medication(draft)
        if concept and reader.immunoglobulin(concept) is not None:
            found.append(place)
    return found


def drafted(call: Call, chart: Chart, place: int, evidence: Evidence, instead: Resource | None = None) -> Drafted:
    """The order at a place, or another ``instead`` of it, as the one to plan. The chart must hold the patient in context."""
    drafts = [instead if instead is not None and number == place else draft for number, draft in enumerate(call.drafts)]
    resources = tuple(_arranged(drafts, call.patient, chart, place))
    record = record_of(resources, call.patient, evidence)
    assert record is not None
    return Drafted(drafts[place], resources, record)


def _arranged(drafts: Sequence[Resource], patient: str, chart: Chart, place: int) -> Iterator[Resource]:
    """The chart without what is being signed again, then all drafts; only the one at ``place`` keeps being a draft."""
    writing = {as_text(draft.get("id")) for draft in drafts if draft.get("resourceType") == _REQUEST}
    for resource in chart.resources:
        if not (resource.get("resourceType") == _REQUEST and as_text(resource.get("id")) in writing):
            yield resource
    for number, draft in enumerate(drafts):
        status = "draft" if number == place else "active"
        whose = draft if as_map(draft.get("subject")) else {**draft, "subject": {"reference": f"Patient/{patient}"}}
        yield {**whose, "status": status} if _ordered(draft) else whose


def is_open(draft: Resource) -> bool:
    """Whether an order is being written or in force, not ended or taken back."""
    return as_text(draft.get("status")) in _OPEN and draft.get("doNotPerform") is not True


def _ordered(draft: Resource) -> bool:
    return draft.get("resourceType") == _REQUEST and as_text(draft.get("status")) in _OPEN
