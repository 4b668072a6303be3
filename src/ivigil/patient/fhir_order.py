"""What a FHIR MedicationRequest asks for when it orders immunoglobulin: dose, days or interval, rate, start, reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

import msgspec

from ivigil.basis.quantity import Quantity
from ivigil.patient.fhir_values import Resource, as_list, as_map, as_maps, as_text, as_written, codes_of, day_of, route_of, shown_as, usable
from ivigil.patient.record import Note, Order

RATES = {"volume rate", "volume rate per body mass", "mass rate per body mass", "mass rate"}
_EVERY = {"d": "day", "wk": "week", "mo": "month", "a": "year"}
_DOSES = {"mass", "mass per body mass", "volume"}


class _Schedule(msgspec.Struct):
    """How often a dose is given."""

    each: Literal["course", "day", "interval", ""] = ""
    days: int | None = None
    every: Quantity | None = None


def ordered(resource: Resource, product: str, concept: Resource, origin: str) -> tuple[Order, tuple[Note, ...]]:
    """The order of an immunoglobulin request; a dose in pieces or of no known unit stays empty and is noted."""
    notes: list[Note] = []
    instructions = as_maps(resource.get("dosageInstruction"))
    dosed = [one for one in instructions if _written(one)]
    leading = next(iter(dosed or instructions), {})
    dose = _dose(leading, origin, notes)
    schedule = _schedule(leading) if dose is not None else _Schedule()
    if len(dosed) > 1 and dose is not None:
        dose, schedule = _several(dosed, origin, notes)
    reasons = [as_map(item) for item in as_list(resource.get("reasonCode"))]
    indication = next((code.code for reason in reasons for code in codes_of(reason)), "") or next((as_text(reason.get("text")) for reason in reasons), "")
    if not indication:
        notes.append(Note(about="order.indication", why="the order names no indication", origin=origin))
    if not product:
        notes.append(Note(about="order.product", why=f"the product of the order is not known by its code: {shown_as(concept)}", origin=origin))
    start = next((str(day) for one in instructions for day in _events(one)), "") or _period_start(leading)
    order = Order(indication=indication, product=product, route=_route(instructions), dose=dose, each=schedule.each, days=schedule.days,
                  every=schedule.every, rate_max=_fastest(instructions), start=start,
                  prescriber=as_text(as_map(resource.get("requester")).get("display")), origin=origin)
    return order, tuple(notes)


def _route(instructions: Iterable[Resource]) -> Literal["intravenous", "subcutaneous", ""]:
    for one in instructions:
        route = route_of(one)
        if route:
            return "" if route == "intramuscular" else route
    return ""


def _amounts(instruction: Resource) -> Resource:
    return next(iter(as_maps(instruction.get("doseAndRate"))), {})


def _written(instruction: Resource) -> bool:
    amounts = _amounts(instruction)
    return bool(amounts.get("doseQuantity") or amounts.get("doseRange"))


def _dose(instruction: Resource, origin: str, notes: list[Note]) -> Quantity | None:
    amounts = _amounts(instruction)
    written = amounts.get("doseQuantity")
    dose = usable(written, _DOSES)
    if dose is not None and dose.dimension == "volume":
        notes.append(Note(about="order.dose", why=f"the dose is ordered as a volume ({dose}); state it in grams", origin=origin))
        return None
    if written and dose is None:
        notes.append(Note(about="order.dose", why=f"the dose '{as_written(written)}' cannot be read as grams; state it in g or g/kg", origin=origin))
    elif amounts.get("doseRange"):
        notes.append(Note(about="order.dose", why="the dose is a range; choose one", origin=origin))
    return dose


def _several(dosed: list[Resource], origin: str, notes: list[Note]) -> tuple[Quantity | None, _Schedule]:
    """Doses on days of their own are one course; anything else in several instructions is asked about, never added up."""
    doses = [usable(_amounts(one).get("doseQuantity"), {"mass", "mass per body mass"}) for one in dosed]
    days = [list(_events(one)) for one in dosed]
    known = [dose for dose in doses if dose is not None]
    every = [day for found in days for day in found]
    if len(known) < len(doses) or not all(days) or len(set(every)) < len(every) or len({dose.unit for dose in known}) > 1:
        notes.append(Note(about="order.dose", why=f"the order holds {len(dosed)} dosage instructions with a dose of their own; state one dose", origin=origin))
        return None, _Schedule()
    total = sum(dose.value * len(found) for dose, found in zip(known, days, strict=True))
    return Quantity(total, known[0].unit), _Schedule("course", len(every))


def _schedule(instruction: Resource) -> _Schedule:
    repeat = as_map(as_map(instruction.get("timing")).get("repeat"))
    period, unit = repeat.get("period"), _EVERY.get(as_text(repeat.get("periodUnit")), "")
    if isinstance(period, bool) or not isinstance(period, (int, float)) or not unit:
        return _Schedule()
    if unit != "day" or period != 1:
        return _Schedule("interval", every=Quantity(float(period), unit))
    count = repeat.get("count")
    days = count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None
    bounds = usable(repeat.get("boundsDuration"), {"time"})
    return _Schedule("day", days or (round(bounds.in_unit("day")) if bounds is not None else None))


def _fastest(instructions: Iterable[Resource]) -> Quantity | None:
    """The highest rate of the instructions: a ladder of steps asks for no more than its top. Rates that cannot be compared leave the first."""
    found = [rate for one in instructions if (rate := usable(_amounts(one).get("rateQuantity"), RATES)) is not None]
    if not found:
        return None
    return max(found, key=lambda rate: rate.canonical) if len({rate.dimension for rate in found}) == 1 else found[0]


def _events(instruction: Resource) -> Iterable[date]:
    events: list[Any] = as_list(as_map(instruction.get("timing")).get("event"))
    return (day for day in map(day_of, events) if day is not None)


def _period_start(instruction: Resource) -> str:
    bounds = as_map(as_map(as_map(instruction.get("timing")).get("repeat")).get("boundsPeriod"))
    day = day_of(bounds.get("start"))
    return day.isoformat() if day is not None else ""
