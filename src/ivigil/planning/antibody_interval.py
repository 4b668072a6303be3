"""How long a live vaccine waits after antibody products, and whether one given close to immunoglobulin counts. Pure date arithmetic on evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity
from ivigil.evidence.care import AntibodyInterval, IntervalRow, VaccineRule
from ivigil.evidence.library import Evidence

ANY_PRODUCT = "any antibody product"
INTRAVENOUS, SUBCUTANEOUS = "igiv", "igsc"


class Antibody(msgspec.Struct, frozen=True):
    """An antibody product given, or ``planned`` in this course, on one day.

    ``kind`` is the product as the tables name it, empty for one they do not know. ``dose`` is in g of IgG per kg and adds up the course so
    far; None when it is not on record. ``purpose`` is empty when it is not known. ``closing`` is true for the last dose of its course.
    """

    on: date
    kind: str
    dose: float | None
    purpose: str = ""
    label: str = ""
    planned: bool = False
    closing: bool = True


class Deferral(msgspec.Struct, frozen=True):
    """The earliest date one antibody product leaves for an antigen, and the interval that says so."""

    until: date
    wait: Quantity
    interval: AntibodyInterval
    antibody: Antibody


def deferrals(evidence: Evidence, places: tuple[str, ...], antigens: Iterable[str], antibodies: Iterable[Antibody]) -> list[Deferral]:
    """One deferral per antigen and antibody product for which an interval is in force at ``places``; the latest date first.

    ``antigens`` are those of one vaccine: a vaccine of a single component may have a row of its own.
    """
    parts, given = tuple(antigens), tuple(antibodies)
    found = []
    for antigen in parts:
        for antibody in given:
            interval = interval_for(evidence, places, antigen, antibody, alone=len(parts) == 1)
            wait = wait_of(interval, antibody) if interval is not None else None
            if interval is not None and wait is not None:
                found.append(Deferral(add(antibody.on, wait), wait, interval, antibody))
    # Of equal dates the last product is the one to name: it stands for the whole course.
    return sorted(found, key=lambda deferral: (deferral.until, deferral.antibody.on), reverse=True)


def interval_for(evidence: Evidence, places: tuple[str, ...], antigen: str, antibody: Antibody, *, alone: bool = False) -> AntibodyInterval | None:
    """The interval that decides for this antibody product and antigen.

    The nearest jurisdiction wins, then the one whose table it follows, then a vaccine label that speaks of any antibody product. Within a
    table a row for a single-component vaccine (``alone``) comes first, then dose bands, then the longest of the rows that fit.
    """
    key: tuple[str | bool, ...] = (antigen, antibody.kind, antibody.purpose, alone, *places)
    fitting = evidence.interval_choices.get(key)
    if fitting is None:
        fitting = evidence.interval_choices[key] = _fitting(evidence, places, antigen, antibody, alone)
    if len(fitting) == 1:
        return fitting[0]
    return max(fitting, key=lambda interval: (interval.single_component, bool(interval.rows), _length(interval, antibody)), default=None)


def _fitting(evidence: Evidence, places: tuple[str, ...], antigen: str, antibody: Antibody, alone: bool) -> tuple[AntibodyInterval, ...]:
    """The rows of the nearest table that speak of this kind of product, whatever its dose; else those of labels for any product."""
    about = evidence.intervals_by_antigen.get(antigen, ())
    rows = [interval for interval in about
            if not interval.while_ and not interval.vaccine_product and (alone or not interval.single_component) and _covers(interval, antibody)]
    for place in (*places, *_followed(evidence, places)):
        here = tuple(interval for interval in rows if interval.jurisdiction == place)
        if here:
            return here
    return tuple(interval for interval in about if interval.vaccine_product and ANY_PRODUCT in interval.products and interval.jurisdiction in {"", *places})


def _followed(evidence: Evidence, places: tuple[str, ...]) -> tuple[str, ...]:
    """The jurisdictions whose tables stand in for one that was not read."""
    return tuple(dict.fromkeys(stands_in for place, stands_in in evidence.followed_tables if place in places))


def _covers(interval: AntibodyInterval, antibody: Antibody) -> bool:
    if antibody.kind in interval.products:
        return True
    if not antibody.kind or interval.product != antibody.kind:
        return False
    return antibody.kind != INTRAVENOUS or not interval.purpose or interval.purpose == antibody.purpose


def _length(interval: AntibodyInterval, antibody: Antibody) -> float:
    wait = wait_of(interval, antibody)
    return wait.canonical if wait is not None else 0.0


def wait_of(interval: AntibodyInterval, antibody: Antibody) -> Quantity | None:
    """The wait an interval gives for a product: the band of its dose. What is not on record, dose or purpose, takes the longest wait that could hold."""
    if not interval.rows:
        return Quantity(interval.wait.high, interval.wait.unit) if interval.wait is not None else None
    beyond = () if interval.above is None else (interval.above.wait,)
    dose = antibody.dose
    possible: list[Quantity] = []
    if dose is None:
        possible.extend((*(row.wait for row in interval.rows), *beyond))
    purposes = {antibody.purpose} if antibody.purpose else {row.purpose for row in interval.rows}
    for purpose in purposes if dose is not None else ():
        fitting = (row.wait for row in interval.rows if (not row.purpose or row.purpose == purpose) and _inside(row, dose or 0.0))
        wait = next(fitting, next(iter(beyond), None))
        if wait is not None:
            possible.append(wait)
    return max(possible, key=lambda wait: wait.canonical, default=None)


def _inside(row: IntervalRow, dose: float) -> bool:
    limit = row.up_to or row.below
    if limit is None:
        return True
    most = limit.in_unit("g/kg")
    return dose <= most * (1 + _SLACK) if row.up_to is not None else dose < most * (1 - _SLACK)


_SLACK = 1e-9
"""Float slack, so that a dose worked out as 0.4000000001 g/kg stays 0.4 g/kg."""


def judged(rule: VaccineRule, vaccinated: date, immunoglobulin: date) -> Literal["valid", "repeat", "avoid"]:
    """Whether a live vaccine counts when immunoglobulin followed it: the reverse rule of one jurisdiction or label."""
    if rule.after_vaccine_keep_ig_away is None or immunoglobulin < vaccinated:
        return "valid"
    limit = add(vaccinated, rule.after_vaccine_keep_ig_away)
    if immunoglobulin > limit or (immunoglobulin == limit and rule.at_limit != "repeat"):
        return "valid"
    return "avoid" if rule.then == "avoid" else "repeat"
