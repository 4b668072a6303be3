"""What the record says of doses and levels, on one clock: days from the day of the forecast. Every doubt becomes a typed remark."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Literal

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.names import folded, spaced
from ivigil.basis.quantity import UNITS, UnitProblem, number_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.patient.record import PastInfusion, Record, Result
from ivigil.pharmacokinetics.typical import Person, most_believable, setting

ROUTES: tuple[Route, ...] = ("intravenous", "subcutaneous", "facilitated-subcutaneous")
RemarkKind = Literal[
    "dose-missing", "dose-impossible", "product-unknown", "route-assumed", "other-antibody", "same-day-doses", "dose-ahead", "steady-state-assumed",
    "no-dose-on-record", "history-short", "below-quantification", "above-range", "not-believable", "unit-slip", "level-undated", "level-ahead",
    "same-day-levels", "same-day-as-infusion", "after-infusion", "in-distribution", "before-any-dose", "between-infusions", "baseline-assumed",
    "baseline-measured", "baseline-uncertain", "baseline-doubtful", "baseline-fitted", "clearance-alarm", "levels-fitted", "fit-poor", "fit-failed",
]


class Remark(msgspec.Struct, frozen=True):
    """A doubt or an assumption: what kind, in words, and the policy it follows."""

    kind: RemarkKind
    say: str
    cites: tuple[str, ...] = ()


class Given(msgspec.Struct, frozen=True):
    """One dose: the day it starts (0 is the day of the forecast), grams, how long it runs in days, by which route."""

    day: float
    grams: float
    route: Route
    length: float = 0.0
    assumed: bool = False


class Level(msgspec.Struct, frozen=True):
    """One measured total IgG in g/L with what must be known before it is used. A level counts as drawn before a dose of the same day."""

    day: float
    value: float
    kinds: tuple[RemarkKind, ...] = ()

    @property
    def usable(self) -> bool:
        """False when the value cannot stand for the curve: a limit, a wrong time, an impossible number."""
        return not set(self.kinds) & _NO_TROUGH


_NO_TROUGH = {"below-quantification", "above-range", "not-believable", "unit-slip", "same-day-as-infusion", "after-infusion", "in-distribution",
              "same-day-levels"}


class History(msgspec.Struct, frozen=True):
    """Doses and levels before the forecast, oldest first, the pre-treatment levels among them, and every remark."""

    doses: tuple[Given, ...] = ()
    levels: tuple[Level, ...] = ()
    before_treatment: tuple[Level, ...] = ()
    complete: bool = False
    remarks: tuple[Remark, ...] = ()


def person_of(record: Record, facts: Facts, evidence: Evidence, indication: str) -> Person | None:
    """What the models ask of this patient; None when the weight is unknown."""
    weight = facts.number("weight", "kg")
    entry = evidence.indications.get(indication)
    if weight is None:
        return None
    sex = facts.word("sex")
    return Person(weight=weight, height=facts.number("height", "cm"), age=facts.number("age", "year"), sex="male" if sex == "male" else
                  "female" if sex == "female" else "", igm=facts.number("igm", "g/L"), indication=indication, purpose=entry.purpose if entry else "")


def history_of(record: Record, person: Person, facts: Facts, evidence: Evidence, as_of: date) -> History:
    """Doses and levels of a record. Nothing is dropped silently: what is not used has its remark."""
    remarks: list[Remark] = []
    doses = _doses(record, person.weight, evidence, as_of, remarks)
    known = {item.on for item in record.infusions if item.kind == "immunoglobulin"}
    first = min(((on - as_of).days for on in known), default=None)
    levels = _levels(record, doses, first, evidence, as_of, remarks)
    before: tuple[Level, ...] = ()
    complete = record.infusions_complete
    if complete:
        before = tuple(level for level in levels if "before-any-dose" in level.kinds and not set(level.kinds) & {"not-believable", "above-range"})
        limit = _doubtful_from(person, facts, evidence)
        doubtful = [level for level in before if limit is not None and level.value >= limit]
        if doubtful:
            before, complete = (), False
            listed = ", ".join(f"{number_text(level.value)} g/L {_on(as_of, level.day)}" for level in doubtful)
            remarks.append(Remark("baseline-doubtful", f"{listed}, before the first infusion on record, is too high for this deficiency untreated: "
                                  "it was probably drawn on treatment. It is not taken for the baseline, and earlier infusions seem to be missing.",
                                  ("pk-policy.baseline-doubtful",)))
    elif levels:
        remarks.append(Remark("between-infusions", "No level is known to lie before the first immunoglobulin ever, so none is taken for the baseline; "
                              "if the list of infusions is complete, the record should say so.", ("pk-policy.baseline",)))
    return History(doses, levels, before, complete, tuple(remarks))


def _doubtful_from(person: Person, facts: Facts, evidence: Evidence) -> float | None:
    """The level from which a baseline is doubted; None where IgG may be normal without treatment."""
    if person.purpose != "replacement":
        return None
    if facts.flag("has.agammaglobulinaemia"):
        return setting(evidence, "baseline-doubtful-agammaglobulinaemia", "g/L")
    if facts.flag("has.severe_antibody_deficiency") or person.indication in {"sid", "cll", "myeloma"}:
        return setting(evidence, "baseline-doubtful", "g/L")
    return None


def _doses(record: Record, weight: float, evidence: Evidence, as_of: date, remarks: list[Remark]) -> tuple[Given, ...]:
    length = setting(evidence, "infusion-hours", "day")
    most = most_believable(evidence)
    found: list[Given] = []
    named: dict[str, str] = {}
    for item in sorted(record.infusions, key=lambda given: given.on):
        where = item.origin or f"the infusion of {item.on}"
        if item.kind != "immunoglobulin":
            remarks.append(Remark("other-antibody", f"{where} is no plain immunoglobulin and is not counted."))
            continue
        if item.on > as_of:
            remarks.append(Remark("dose-ahead", f"{where} lies ahead and is not counted."))
            continue
        grams = _grams(item, weight)
        if grams is None:
            remarks.append(Remark("dose-missing", f"{where} has no dose in grams or g/kg: the curve before now is a guess."))
            continue
        if not 0 < grams <= most * weight:
            comes = "" if item.dose is None or item.dose.unit == "g/kg" else f"comes to {number_text(round(grams / weight, 2))} g/kg, and "
            why = "is not above 0" if grams <= 0 else f"{comes}is more than the {number_text(most)} g/kg that is believable"
            remarks.append(Remark("dose-impossible", f"{where}: {item.dose} {why}. It is not counted, and the curve before now is a guess: correct the record.",
                                  evidence.dose_limits["course-plausible"].cites if grams > 0 else ()))
            continue
        if item.product not in named:
            named[item.product] = where if unknown_product(item.product, evidence) else ""
        route = _route(item, record, evidence)
        if route is None:
            route = "intravenous"
            remarks.append(Remark("route-assumed", f"{where} names no route; intravenous is assumed."))
        found.append(Given((item.on - as_of).days, grams, route, length if route == "intravenous" else 0.0))
    twice = [day for day, count in Counter(dose.day for dose in found).items() if count > 1]
    remarks.extend(Remark("same-day-doses", f"More than one infusion {_on(as_of, day)} is on record; all are counted. Is one written twice?") for day in twice)
    remarks.extend(Remark("product-unknown", f"{where}: {unknown_product(name, evidence)} Its grams are counted as any other's.")
                   for name, where in named.items() if where)
    return tuple(found)


_ANY = ("immunoglobulin", "immuneglobulin", "gammaglobulin")
_SHORT = {"ig", "igg", "ivig", "scig", "fscig", "igiv", "igsc"}
"""How a record names an immunoglobulin without a brand."""


def unknown_product(name: str, evidence: Evidence) -> str:
    """That nothing is called by the name of a product on record, with the brand that may have been meant; nothing where it is known."""
    return "" if _is_known(name, evidence) else f"no immunoglobulin is called '{name}'{_near(name, evidence)}."


def _is_known(name: str, evidence: Evidence) -> bool:
    """Whether a record's words for the product hold a product's name (a strength or form may stand behind it), or name no brand at all."""
    words = spaced(name).split()
    whole = folded(name)
    if not whole or any(general in whole for general in _ANY) or _SHORT & {folded(word) for word in words}:
        return True
    parts = {folded("".join(words[first:last])) for first in range(len(words)) for last in range(first + 1, len(words) + 1)}
    return any(parts & product.called for product in evidence.products.values())


def _near(name: str, evidence: Evidence) -> str:
    """The brand that may have been meant."""
    brands = {product.brand.casefold(): product.brand for product in evidence.products.values()}
    near = difflib.get_close_matches(name.casefold(), brands, n=1, cutoff=0.75)
    return f" ({brands[near[0]]}?)" if near else ""


def _grams(item: PastInfusion, weight: float) -> float | None:
    if item.dose is None:
        return None
    try:
        return item.dose.in_unit("g/kg") * weight if item.dose.dimension == "mass per body mass" else item.dose.in_unit("g")
    except UnitProblem:
        return None


def _route(item: PastInfusion, record: Record, evidence: Evidence) -> Route | None:
    """The written route, else that of the product where it has one only."""
    return next((route for route in ROUTES if item.route == route), None) or route_of_product(item.product, evidence)


def route_of_product(name: str, evidence: Evidence) -> Route | None:
    """The route of a product by its id or brand; None when it has several, or none is called so."""
    named = name.casefold()
    routes = {route for product in evidence.products.values() if named and named in {product.id, product.brand.casefold()} for route in product.routes}
    return routes.pop() if len(routes) == 1 else None


def _levels(record: Record, doses: tuple[Given, ...], first: float | None, evidence: Evidence, as_of: date, remarks: list[Remark]) -> tuple[Level, ...]:
    distribution = setting(evidence, "distribution", "day")
    cites = ("pk-policy.distribution",)
    found: list[Level] = []
    believable = evidence.facts["igg"].plausible if "igg" in evidence.facts else None
    for result in record.results:
        if result.test != "igg" or result.value is None:
            continue
        where = result.origin or "igg"
        if result.on is None:
            remarks.append(Remark("level-undated", f"{where}: {result.value} has no date and is not placed on the curve."))
            continue
        if result.on > as_of:
            remarks.append(Remark("level-ahead", f"{where}: {result.value} on {result.on} lies ahead and is not used."))
            continue
        try:
            value = result.value.in_unit("g/L")
        except UnitProblem:
            remarks.append(Remark("not-believable", f"{where}: {result.value} is no concentration of IgG in mass per volume and is not used."))
            continue
        day = float((result.on - as_of).days)
        kinds = list(_kinds(result, value, day, doses, first, distribution))
        if not value > 0 or (believable is not None and not believable.holds(value)):
            kinds.append("not-believable")
        found.append(Level(day, value, tuple(kinds)))
    found.sort(key=lambda level: level.day)
    days = Counter(level.day for level in found)
    slips = _slips(found, evidence)
    out = []
    for level in found:
        kinds = list(level.kinds)
        if level in slips:
            kinds.append("unit-slip")
            say = f"is about {slips[level]} the other levels: were mg/dL and g/L mixed up? It is not used."
            remarks.append(Remark("unit-slip", f"IgG {number_text(level.value)} g/L {_on(as_of, level.day)} {say}", ("pk-policy.unit-slip",)))
        if days[level.day] > 1:
            kinds.append("same-day-levels")
        out.append(msgspec.structs.replace(level, kinds=tuple(dict.fromkeys(kinds))))
        remarks.extend(Remark(kind, f"IgG {number_text(level.value)} g/L {_on(as_of, level.day)} {_SAY[kind]}", cites if kind == "in-distribution" else ())
                       for kind in out[-1].kinds if kind in _SAY)
    return tuple(out)


def _slips(levels: list[Level], evidence: Evidence) -> dict[Level, str]:
    """Levels on treatment that are a hundred times, or a hundredth of, the median of the others: the step between g/L and mg/dL."""
    within = setting(evidence, "unit-slip-within")
    treated = [level for level in levels if level.usable and "before-any-dose" not in level.kinds]
    found = {}
    for level in treated:
        others = [other.value for other in treated if other is not level]
        if others:
            times = level.value / median(others)
            if 1 / within <= times * _STEP <= within:
                found[level] = "a hundredth of"
            elif 1 / within <= times / _STEP <= within:
                found[level] = "a hundred times"
    return found


_STEP = UNITS["g/L"].factor / UNITS["mg/dL"].factor

_SAY: dict[str, str] = {
    "below-quantification": "was reported only as below that limit; it bounds the curve and is no point of it.",
    "above-range": "was reported only as above that limit; it bounds the curve and is no point of it.",
    "same-day-as-infusion": "was drawn on the day of an infusion: a trough if before it, meaningless if during or just after it. The record can say which: "
                            "drawn: before-infusion.",
    "after-infusion": "was drawn during or just after an infusion: no trough.",
    "in-distribution": "was drawn within days of an intravenous dose, still in distribution: no trough.",
    "not-believable": "is not a believable level and is not used.",
    "same-day-levels": "shares its day with another level; which one holds cannot be told.",
}


def _kinds(result: Result, value: float, day: float, doses: tuple[Given, ...], first: float | None, distribution: float) -> Iterable[RemarkKind]:
    if result.below:
        yield "below-quantification"
    if result.above:
        yield "above-range"
    if first is None or day < first or (day == first and result.drawn == "before-infusion"):
        yield "before-any-dose"
        return
    if any(dose.day == day for dose in doses) and result.drawn != "before-infusion":
        yield "after-infusion" if result.drawn else "same-day-as-infusion"
        return
    if any(dose.route == "intravenous" and 0 < day - dose.day < distribution for dose in doses):
        yield "in-distribution"
    yield "between-infusions"


def _on(as_of: date, day: float) -> str:
    return f"of {date.fromordinal(as_of.toordinal() + int(day))}"


def filled_back(history: History, every: float | None, evidence: Evidence) -> tuple[tuple[Given, ...], tuple[Remark, ...]]:
    """The recorded doses, with earlier ones assumed at the recorded pattern when the record begins too late for a trough.

    ``every`` is the interval in days to assume when the record shows fewer than two doses.
    """
    if history.complete:
        return history.doses, ()
    if not history.doses:
        return (), (Remark("no-dose-on-record", "No earlier infusion is on record, and the list is not said to be complete: "
                            "the curve starts as if never treated."),)
    first = history.doses[0]
    needed = setting(evidence, "history", "day")
    if -first.day >= needed:
        return history.doses, ()
    days = sorted({dose.day for dose in history.doses})
    gaps = [later - earlier for earlier, later in pairwise(days)]
    interval = median(gaps) if gaps else every
    if interval is None or interval <= 0:
        return history.doses, (Remark("history-short", "The record begins less than three months ago and shows no interval: earlier doses are unknown.",
                                      ("pk-policy.history",)),)
    count = int(_BACK_TO // interval)
    earlier = tuple(msgspec.structs.replace(first, day=first.day - interval * index, assumed=True) for index in range(count, 0, -1))
    say = (f"The record of infusions is not said to be complete and begins {number_text(-first.day)} days ago: steady state on {number_text(first.grams)} g "
           f"every {number_text(interval)} days is assumed before.")
    return (*earlier, *history.doses), (Remark("steady-state-assumed", say, ("pk-policy.history",)),)


_BACK_TO = 730.0
"""Days of earlier doses that stand for a steady state: many half-lives of every model."""
