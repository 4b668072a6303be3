"""The antibody products of a patient as interval tables count them: past infusions and this course, doses of one course added up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import msgspec

from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.interval_tables import INTRAVENOUS, SUBCUTANEOUS
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.patient.record import PastInfusion
from ivigil.planning.antibody_interval import Antibody
from ivigil.planning.draft import Context, Draft
from ivigil.planning.product_facts import planned_route
from ivigil.planning.wording import day_text


def antibodies(draft: Draft, evidence: Evidence, context: Context) -> tuple[Antibody, ...]:
    """Every dose on record and every day of this course in order of date, each with the dose of its course so far.

    Intravenous doses that follow each other within the window of the evidence are one course; subcutaneous doses are added over the window
    that ends on the day itself. A dose that is not on record stays unknown, and so does every sum it is part of.
    """
    windows = _windows(evidence)
    planned = () if context.given_only else _this_course(draft, context)
    doses = sorted((*_past(draft, evidence, context), *planned), key=lambda dose: (dose.on, dose.planned))
    summed = tuple(_summed(dose, doses[: index + 1], doses[index + 1 :], windows.get(dose.kind)) for index, dose in enumerate(doses))
    return tuple(_steady(dose, draft, windows) for dose in summed)


@kept
def _windows(evidence: Evidence) -> Mapping[str, Quantity]:
    """How long doses of each kind are added up."""
    return next((interval.sum_over for interval in evidence.antibody_intervals.values() if interval.sum_over), {})


def repeats(draft: Draft) -> bool:
    """True when the planned treatment comes again after an interval."""
    return not draft.blocked and _every(draft) is not None


def _every(draft: Draft) -> Quantity | None:
    """The interval decided, else ordered, else the shortest of the regimen."""
    if draft.dose is not None and draft.dose.every is not None:
        return draft.dose.every
    if draft.record.order.every is not None:
        return draft.record.order.every
    printed = draft.regimen.dose.every if draft.regimen is not None else None
    return Quantity(printed.low, printed.unit) if printed is not None else None


def _past(draft: Draft, evidence: Evidence, context: Context) -> Iterable[Antibody]:
    for infusion in draft.record.infusions:
        if infusion.on <= context.start.date():
            kind = _kind(infusion, evidence)
            dose = _dose(infusion, draft, evidence) if kind in {INTRAVENOUS, SUBCUTANEOUS} else None
            yield Antibody(infusion.on, kind, dose, label=infusion.product or infusion.kind.replace("-", " "))


def _this_course(draft: Draft, context: Context) -> Iterable[Antibody]:
    total = draft.facts.number("course.dose", "g/kg")
    if total is None or draft.indication is None or draft.blocked:
        return
    kind = INTRAVENOUS if planned_route(draft) == "intravenous" else SUBCUTANEOUS
    start = context.start.date()
    # Without a schedule the longest span counts, so that no date comes too early.
    span = int(draft.dose.days.high) if draft.dose is not None else 1
    days = tuple(day.on for day in draft.days) or tuple(start + timedelta(days=number) for number in range(max(span, 1)))
    for on in days:
        yield Antibody(on, kind, total / len(days), draft.indication.purpose, "this course", planned=True)


def _kind(infusion: PastInfusion, evidence: Evidence) -> str:
    """The product as the tables name it: by code, by name, else by route; empty for one they do not know."""
    slug = "-".join(infusion.product.lower().split())
    if slug in evidence.antibody_product_names:
        return slug
    codes = {code.code for code in infusion.codes}
    for product, named in evidence.antibody_product_codes:
        if codes & named and not (product == INTRAVENOUS and "subcutaneous" in infusion.route):
            return product
    if infusion.kind != "immunoglobulin" or infusion.route == "intramuscular":
        return ""
    return SUBCUTANEOUS if "subcutaneous" in infusion.route else INTRAVENOUS


def _dose(infusion: PastInfusion, draft: Draft, evidence: Evidence) -> float | None:
    if infusion.dose is None:
        return None
    if infusion.dose.dimension == "mass per body mass":
        return infusion.dose.in_unit("g/kg")
    weight = _weight_at(draft, evidence, infusion.on)
    return infusion.dose.in_unit("g") / weight if infusion.dose.dimension == "mass" and weight else None


def _weight_at(draft: Draft, evidence: Evidence, on: date) -> float | None:
    """The weight measured nearest to that day in kg: a child's weight of today would make an old dose too small."""
    definition = evidence.facts.get("weight")
    plausible = definition.plausible if definition is not None else None
    known = [(measured.on, measured.value.in_unit("kg")) for measured in draft.record.weights if measured.on is not None and measured.value.dimension == "mass"]
    fitting = [(abs(on - day), weight) for day, weight in known if plausible is None or plausible.holds(weight)]
    return min(fitting)[1] if fitting else draft.facts.number("weight", "kg")


def _summed(dose: Antibody, before: list[Antibody], later: list[Antibody], window: Quantity | None) -> Antibody:
    if window is None:
        return msgspec.structs.replace(dose, label=_label(dose, dose.dose, 1))
    length = timedelta(days=window.canonical)
    same = [one for one in before if one.kind == dose.kind]
    if dose.kind == SUBCUTANEOUS:
        course = [one for one in same if dose.on - one.on < length]
    else:
        course = []
        for one in reversed(same):
            if course and course[-1].on - one.on > length:
                break
            course.append(one)
    known = [one.dose for one in course if one.dose is not None]
    total = sum(known) if len(known) == len(course) else None
    closing = not any(one.kind == dose.kind and one.on - dose.on <= length for one in later)
    return Antibody(dose.on, dose.kind, total, dose.purpose, _label(dose, total, len(course)), dose.planned, closing)


def _steady(dose: Antibody, draft: Draft, windows: Mapping[str, Quantity]) -> Antibody:
    """A planned subcutaneous dose stands for all doses that its interval puts into the window."""
    window, total, every = windows.get(SUBCUTANEOUS), draft.facts.number("course.dose", "g/kg"), _every(draft)
    if not dose.planned or dose.kind != SUBCUTANEOUS or every is None or window is None or total is None or dose.dose is None:
        return dose
    steady = total * math.ceil(window.canonical / every.canonical)
    if steady <= dose.dose:
        return dose
    return msgspec.structs.replace(dose, dose=steady, label=f"this course ({number_text(steady)} g/kg in {window}, last dose {day_text(dose.on)})")


def _label(dose: Antibody, total: float | None, count: int) -> str:
    amount = f"{number_text(total)} g/kg" if total is not None else "dose not on record"
    if dose.planned:
        return f"this course ({amount}, last dose {day_text(dose.on)})"
    return f"{dose.label} on {day_text(dose.on)} ({amount}{f' in {count} doses' if count > 1 else ''})"
