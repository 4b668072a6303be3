"""How long a live vaccine waits after antibody products, and whether one given close to immunoglobulin counts. Pure date arithmetic on evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

import msgspec

from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity
from ivigil.evidence.care import AntibodyInterval, IntervalRow, VaccineRule
from ivigil.evidence.interval_tables import IntervalTable, Tables
from ivigil.evidence.library import Evidence


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


class Given:
    """The antibody products of one patient in order of date, with the deferrals they cause.

    Vaccines and jurisdictions share tables and tables share rows, so what was worked out for one is kept for the next.
    """

    def __init__(self, evidence: Evidence, doses: Iterable[Antibody]) -> None:
        self.evidence = evidence
        self.doses = tuple(doses)
        self._found: dict[Tables, tuple[Deferral, ...]] = {}
        self._by_row: dict[tuple[str, int], Deferral | None] = {}
        self._latest: dict[Tables, Deferral | None] = {}

    def latest(self, places: tuple[str, ...], antigens: tuple[str, ...]) -> Deferral | None:
        """The first of :meth:`deferrals`, which decides when a vaccine may be given; None when nothing makes it wait."""
        return self.latest_in(self.evidence.interval_tables.of(places, antigens))

    def latest_in(self, tables: Tables) -> Deferral | None:
        """:meth:`latest` by tables that were found before."""
        try:
            return self._latest[tables]
        except KeyError:
            found = self._latest_of(tables[0]) if len(tables) == 1 else _last([self.latest_in((table,)) for table in tables])
            self._latest[tables] = found
            return found

    def _latest_of(self, table: IntervalTable) -> Deferral | None:
        return _last([self._deciding(table.fitting(dose.kind, dose.purpose), number) for number, dose in enumerate(self.doses)])

    def deferrals(self, places: tuple[str, ...], antigens: tuple[str, ...]) -> tuple[Deferral, ...]:
        """One deferral per antibody product and interval in force for it at ``places``; the latest date first.

        ``antigens`` are those of one vaccine: a vaccine of a single component may have a row of its own.
        """
        tables = self.evidence.interval_tables.of(places, antigens)
        known = self._found.get(tables)
        if known is None:
            known = self._found[tables] = self._by_tables(tables)
        return known

    def _by_tables(self, tables: Tables) -> tuple[Deferral, ...]:
        rows: dict[tuple[str, int], Deferral] = {}
        for table in tables:
            for number, dose in enumerate(self.doses):
                deferral = self._deciding(table.fitting(dose.kind, dose.purpose), number)
                if deferral is not None:
                    rows[deferral.interval.id, number] = deferral
        return tuple(sorted(rows.values(), key=_ends, reverse=True))

    def _deciding(self, fitting: tuple[AntibodyInterval, ...], number: int) -> Deferral | None:
        """Of the rows that fit the dose of this number, one for a single-component vaccine decides first, then dose bands, then the longest wait."""
        if not fitting:
            return None
        if len(fitting) == 1:
            return self._of_row(fitting[0], number)

        def rank(interval: AntibodyInterval) -> tuple[bool, bool, float]:
            deferral = self._of_row(interval, number)
            return interval.single_component, bool(interval.rows), deferral.wait.canonical if deferral is not None else 0.0

        return self._of_row(max(fitting, key=rank), number)

    def _of_row(self, interval: AntibodyInterval, number: int) -> Deferral | None:
        """The deferral that a row gives for the dose of this number; None when it gives no wait."""
        key = (interval.id, number)
        if key not in self._by_row:
            dose = self.doses[number]
            wait = wait_of(interval, dose)
            self._by_row[key] = None if wait is None else Deferral(add(dose.on, wait), wait, interval, dose)
        return self._by_row[key]


def _last(found: Iterable[Deferral | None]) -> Deferral | None:
    """The deferral that ends last; of several the first found."""
    last: Deferral | None = None
    for one in found:
        if one is not None and (last is None or one.until > last.until or (one.until == last.until and one.antibody.on > last.antibody.on)):
            last = one
    return last


def _ends(deferral: Deferral) -> tuple[date, date]:
    """Of equal dates the last product is the one to name: it stands for the whole course."""
    return deferral.until, deferral.antibody.on


def wait_of(interval: AntibodyInterval, antibody: Antibody) -> Quantity | None:
    """The wait an interval gives for a product: the band of its dose. What is not on record, dose or purpose, takes the longest wait that could hold."""
    if not interval.rows:
        return Quantity(interval.wait.high, interval.wait.unit) if interval.wait is not None else None
    if antibody.dose is None:
        possible = [row.wait for row in interval.rows]
        if interval.above is not None:
            possible.append(interval.above.wait)
        return max(possible, key=lambda wait: wait.canonical)
    if antibody.purpose:
        return _band(interval, antibody.purpose, antibody.dose)
    bands = (_band(interval, purpose, antibody.dose) for purpose in dict.fromkeys(row.purpose for row in interval.rows))
    return max((wait for wait in bands if wait is not None), key=lambda wait: wait.canonical, default=None)


def _band(interval: AntibodyInterval, purpose: str, dose: float) -> Quantity | None:
    """The wait of the first row that holds a dose (g/kg) given for this purpose, else the wait above all rows."""
    for row in interval.rows:
        if (not row.purpose or row.purpose == purpose) and _inside(row, dose):
            return row.wait
    return interval.above.wait if interval.above is not None else None


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
