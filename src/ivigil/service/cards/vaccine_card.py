"""The card of an order for a live vaccine while immunoglobulin is recent: the hold that ``patient-view`` shows, at the moment when it counts.

The vaccine is recognised by its CVX code, else by a name or brand of the evidence. What holds is read from the plan, made with the vaccine on its day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import date

import msgspec

from ivigil.basis.problems import BadInput
from ivigil.evidence.care import Vaccine
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.patient.fhir_values import Resource, as_list, as_map, as_maps, as_text, codes_of, day_of
from ivigil.patient.record import Record, Vaccination
from ivigil.planning.line import Line, Plan
from ivigil.planning.vaccine_history import vaccine_named
from ivigil.rendering.fhir_parts import name_of
from ivigil.rendering.markdown import escaped
from ivigil.rendering.plain_text import clean
from ivigil.service.cards.card import OVERRIDE_REASONS, Action, Card, Link, Source, Suggestion, first_sentence, shortened
from ivigil.service.cards.orders import is_open, reader_for
from ivigil.service.cards.patient_card import planned_from
from ivigil.service.cards.request import Call
from ivigil.service.cards.sheet import OWN, Sources, bullets
from ivigil.service.hospital import Hospital

Linked = Callable[[], tuple[Link, ...]]

_SECTION = "vaccination"
_MEDICINE, _SERVICE = "MedicationRequest", "ServiceRequest"
_SHORTEST_NAME = 5
"""A shorter name (MR, OPV) stands for other things too, and counts only when it is all that is written."""


class Ordered(msgspec.Struct, frozen=True):
    """A live vaccine that is being ordered: the resource, its place among the drafts, the vaccine, and the day it is for."""

    resource: Resource
    place: int
    vaccine: Vaccine
    on: date


def live_vaccines(call: Call, evidence: Evidence, today: date, others: Collection[int]) -> Iterator[Ordered]:
    """The orders for live vaccines among the drafts, but for those at ``others``, which are known to be something else; of ``order-select`` those that were
    just selected.
    """
    chosen = {as_text(item) for item in as_list(call.context.get("selections"))}
    for place, draft in enumerate(call.drafts):
        kind = as_text(draft.get("resourceType"))
        if place in others or kind not in {_MEDICINE, _SERVICE} or not is_open(draft) or (chosen and f"{kind}/{as_text(draft.get('id'))}" not in chosen):
            continue
        concept = reader_for(evidence).medication(draft) if kind == _MEDICINE else as_map(draft.get("code"))
        vaccine = _vaccine(concept, evidence, by_name=kind == _MEDICINE)  # a service named after a vaccine may be its antibody test
        if vaccine is not None and vaccine.live == "yes":
            yield Ordered(draft, place, vaccine, _day(draft) or today)


def vaccine_card(ordered: Ordered, record: Record, hospital: Hospital, today: date, key: tuple[str, ...], links: Linked) -> Card | None:
    """The card of one order; None where no immunoglobulin is on record, and where nothing in the evidence holds the vaccine back."""
    given = sorted(infusion.on for infusion in record.infusions if infusion.kind == "immunoglobulin" and infusion.on <= min(ordered.on, today))
    if not given:
        return None
    vaccine = ordered.vaccine
    coming = Vaccination(vaccine=vaccine.name, on=ordered.on, origin="this order")
    with_it = msgspec.structs.replace(record, vaccinations=(*record.vaccinations, coming))
    try:
        plan = planned_from(with_it, hospital, today, given[-1], given_only=True)
    except BadInput as error:
        text = "; ".join(f"{problem.what}: {problem.why}" if problem.what else problem.why for problem in error.problems)
        return Card(name_of(*key, "vaccine"), f"{vaccine.name}: the wait after immunoglobulin cannot be checked", "info", Source(OWN),
                    f"- {escaped(clean(text))}", links=links())
    held = _held(plan, vaccine, ordered.on)
    if not held:
        return None
    sources = Sources(plan)
    lead, name = held[0], as_text(ordered.resource.get("id"))
    detail = bullets(held, sources)
    listed = sources.listed()
    if listed:
        detail += ["", "Sources:", *listed]
    remove = Action("delete", f"Remove the order for {vaccine.name}", resource_id=f"{as_text(ordered.resource.get('resourceType'))}/{name}")
    suggestions = (Suggestion("Remove this order", name_of(*key, "vaccine-remove"), (remove,)),) if name and lead.urgency != "info" else ()
    said = first_sentence(clean(lead.text))
    return Card(name_of(*key, "vaccine"), shortened(said if vaccine.name in said else f"{vaccine.name.partition(' (')[0]}: {said}"), lead.urgency,
                sources.first(lead), "\n".join(detail), suggestions, "at-most-one" if suggestions else "",
                OVERRIDE_REASONS if lead.urgency != "info" else (), links())


def _held(plan: Plan, vaccine: Vaccine, on: date) -> list[Line]:
    """The lines that hold this vaccine back on this day, the one that bars it first; the line that names the missing indication where there is one."""
    unsettled = plan.line("indication.choose")
    if unsettled is not None:
        return [unsettled]
    own = {f"{_SECTION}.move.{vaccine.id}.{on}", f"{_SECTION}.repeat.{vaccine.id}.{on}"}
    lines = [line for line in plan.lines if line.section == _SECTION]
    barred = [line for line in lines if line.act == "avoid" and _names(line, vaccine)]
    dated = [line for line in lines if line.id in own]
    waiting = [line for line in lines if line.act == "wait" and line not in dated and _names(line, vaccine) and (dated or line.when is None or line.when > on)]
    return [*barred, *dated, *waiting]


def _names(line: Line, vaccine: Vaccine) -> bool:
    """Whether a line speaks of this vaccine, and not of one whose name only begins or ends alike."""
    return re.search(rf"(?<![\w-]){re.escape(vaccine.name)}(?![\w-]| \()", line.text) is not None


def _vaccine(concept: Resource, evidence: Evidence, *, by_name: bool) -> Vaccine | None:
    codes = tuple(code for code in codes_of(concept) if code.system == "cvx")
    found = vaccine_named(evidence, Vaccination(codes=codes, on=date.min)) if codes else None
    if found is not None or not by_name:
        return found
    written = [_words(text) for text in (as_text(concept.get("text")), *(as_text(coding.get("display")) for coding in as_maps(concept.get("coding"))))]
    for name, vaccine, whole in _known_names(evidence):
        if any(text == name or (not whole and f" {name} " in f" {text} ") for text in written):
            return vaccine
    return None


@kept
def _known_names(evidence: Evidence) -> tuple[tuple[str, Vaccine, bool], ...]:
    """The names of the vaccines, the longest first, and whether a name counts only when it is all that is written."""
    found: dict[str, tuple[Vaccine, bool]] = {}
    for vaccine in evidence.vaccines.values():
        for name in vaccine.also_called:
            found.setdefault(_words(name), (vaccine, len(_words(name).replace(" ", "")) < _SHORTEST_NAME))
        for name in (vaccine.name, vaccine.name.partition(" (")[0]):
            found.setdefault(_words(name), (vaccine, True))
    return tuple((name, vaccine, whole) for name, (vaccine, whole) in sorted(found.items(), key=lambda item: -len(item[0])) if name)


def _words(text: str) -> str:
    """A text as its words in small letters with single spaces between."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _day(draft: Resource) -> date | None:
    """The day that the order is for, where it names one."""
    timing = next((as_map(one.get("timing")) for one in as_maps(draft.get("dosageInstruction"))), as_map(draft.get("occurrenceTiming")))
    moments = [draft.get("occurrenceDateTime"), *as_list(timing.get("event")), as_map(draft.get("occurrencePeriod")).get("start")]
    return next((day for day in map(day_of, moments) if day is not None), None)
