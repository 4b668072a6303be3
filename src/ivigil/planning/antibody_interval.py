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
    """An antibody product given (or planned): ``dose`` in g of IgG per kg over the whole course, None when not on record."""

    on: date
    kind: str
    dose: float | None
    purpose: str = ""
    label: str = ""


class Deferral(msgspec.Struct, frozen=True):
    """The earliest date one antibody product leaves for an antigen, and the interval that says so."""

    until: date
    wait: Quantity
    interval: AntibodyInterval
    antibody: Antibody


def deferrals(evidence: Evidence, places: tuple[str, ...], antigens: Iterable[str], antibodies: Iterable[Antibody]) -> list[Deferral]:
    """One deferral per antigen and antibody product for which an interval is in force at ``places``; the latest date first."""
    given = tuple(antibodies)
    found = []
    for antigen in antigens:
        for antibody in given:
            interval = interval_for(evidence, places, antigen, antibody)
            wait = wait_of(interval, antibody) if interval is not None else None
            if interval is not None and wait is not None:
                found.append(Deferral(add(antibody.on, wait), wait, interval, antibody))
    return sorted(found, key=lambda deferral: deferral.until, reverse=True)


def interval_for(evidence: Evidence, places: tuple[str, ...], antigen: str, antibody: Antibody) -> AntibodyInterval | None:
    """The interval that decides: of the nearest jurisdiction, for this antibody product and antigen, dose bands before single rows."""
    fitting = [interval for interval in evidence.antibody_intervals.values() if _decides(interval) and antigen in interval.vaccines and _covers(interval, antibody)]
    for place in places:
        here = [interval for interval in fitting if interval.jurisdiction == place]
        if here:
            return min(here, key=lambda interval: not interval.rows)
    return None


def interval_of_label(evidence: Evidence, entry: str) -> AntibodyInterval | None:
    """A vaccine's own interval by its entry id."""
    return evidence.antibody_intervals.get(entry)


def _decides(interval: AntibodyInterval) -> bool:
    return not (interval.note_only or interval.superseded_by or interval.while_ or interval.vaccine_product or interval.single_component)


def _covers(interval: AntibodyInterval, antibody: Antibody) -> bool:
    if antibody.kind in interval.products:
        return True
    return interval.product == antibody.kind and not (antibody.kind == INTRAVENOUS and interval.purpose and interval.purpose != antibody.purpose)


def wait_of(interval: AntibodyInterval, antibody: Antibody) -> Quantity | None:
    """The wait an interval gives for a product: the band of its dose, the longest one when the dose is not on record."""
    if interval.rows:
        if antibody.dose is not None:
            for row in interval.rows:
                if (not row.purpose or row.purpose == antibody.purpose) and _inside(row, antibody.dose):
                    return row.wait
        return interval.above.wait if interval.above is not None else None
    return Quantity(interval.wait.high, interval.wait.unit) if interval.wait is not None else None


def _inside(row: IntervalRow, dose: float) -> bool:
    limit = row.up_to or row.below
    if limit is None:
        return True
    slack = limit.in_unit("g/kg") * _SLACK
    return dose <= limit.in_unit("g/kg") + slack if row.up_to is not None else dose < limit.in_unit("g/kg") - slack


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
