"""The regimen to forecast: from what is asked, else from the order, else from the infusions on record; every choice is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise
from statistics import median

import msgspec

from ivigil.basis.names import meant
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity, UnitProblem, number_text, parse_quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route
from ivigil.patient.record import Record
from ivigil.pharmacokinetics.history import ROUTES, Given, History, route_of_product, unknown_product
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.typical import Person, setting


class Asked(msgspec.Struct, frozen=True):
    """What is asked for, as written; empty takes the record's. ``missed`` and ``late`` count coming courses from 1."""

    dose: str = ""
    every: str = ""
    days: int = 0
    route: str = ""
    start: str = ""
    loading: str = ""
    missed: tuple[int, ...] = ()
    late: tuple[str, ...] = ()
    switch: str = ""
    target: str = ""


class Chosen(msgspec.Struct, frozen=True):
    """The regimen, where its parts came from, and what they rest on."""

    regimen: Regimen
    notes: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()


Naming = Callable[[str], str]
"""What the asker calls an option: a key of a request as it is, ``--key`` on the command line."""


def target_of(text: str, option: Naming = str) -> float | None:
    """A target level in g/L.

    Raises:
        BadInput: it is no concentration above nought.
    """
    if not text:
        return None
    return _quantity(option("target-trough"), text, "g/L", "write for example '7 g/L' or '700 mg/dL'")


def chosen_regimen(asked: Asked, record: Record, person: Person, history: History, evidence: Evidence, as_of: date, option: Naming = str) -> Chosen:
    """The coming regimen.

    Raises:
        BadInput: a part is missing, malformed or impossible; all problems at once.
    """
    return _Choosing(asked, record, person, history, evidence, as_of, option).chosen()


_NEARLY = 0.15
"""How far the coming interval may differ from the recorded one for the recorded dose to be repeated."""


class _Choosing:
    """One choice; problems are collected."""

    def __init__(self, asked: Asked, record: Record, person: Person, history: History, evidence: Evidence, as_of: date, option: Naming) -> None:
        self.asked, self.record, self.person, self.history, self.evidence, self.as_of, self.option = asked, record, person, history, evidence, as_of, option
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.cites: tuple[str, ...] = ()

    def chosen(self) -> Chosen:
        """The whole regimen."""
        days = self.days()
        every = self.every()
        route = self.route()
        grams = self.grams(days, every, route)
        loading = self.attempt(lambda: self.mass("loading", self.asked.loading)) if self.asked.loading else None
        if self.asked.switch:
            grams, every, route = self.switched(grams, every)
        start = self.start(every)
        late = tuple(self.lates())
        for number in self.asked.missed:
            if number < 1:
                self.refuse("missed", f"{number} is no coming dose", "1 is the next dose")
        if grams is not None and every is not None and days > every:
            self.refuse("days", f"a course of {days} days does not fit into {number_text(every)} days", "give fewer days or a longer interval")
        if grams is None and not self.problems:
            self.refuse("dose", "neither the options, the order nor the infusions on record give a dose",
                        f"give for example {self.option('dose')} '0.4 g/kg' and {self.option('every')} '4 week'")
        if self.problems or grams is None:
            raise BadInput(self.problems)
        length = setting(self.evidence, "infusion-hours", "day") if route == "intravenous" else 0.0
        regimen = Regimen(grams, every, days, route, start, length, self.asked.missed, late, loading)
        return Chosen(regimen, tuple(self.notes), self.cites)

    def refuse(self, place: str, why: str, remedy: str) -> None:
        """One more problem."""
        self.problems.append(Problem(self.option(place), 0, "", why, remedy))

    def attempt(self, read: Callable[[], float]) -> float | None:
        """The value, or None with its problems kept."""
        try:
            return read()
        except BadInput as error:
            self.problems.extend(error.problems)
            return None

    def mass(self, place: str, text: str) -> float:
        """Grams from g or g/kg.

        Raises:
            BadInput: neither.
        """
        try:
            quantity = parse_quantity(text)
            grams = self.in_grams(quantity)
        except UnitProblem as error:
            raise BadInput([Problem(self.option(place), 0, "", str(error), "write for example '0.4 g/kg' or '30 g'")]) from None
        limit = self.evidence.dose_limits.get("course-plausible")
        most = limit.at_most.in_unit("g/kg") if limit is not None and limit.at_most is not None else None
        if not grams > 0 or (most is not None and grams > most * self.person.weight * (1 + 1e-9)):
            raise BadInput([Problem(self.option(place), 0, "", f"{quantity} is no believable course for {number_text(self.person.weight)} kg",
                                    f"a course is above nought and at most {limit.at_most if limit is not None else ''}")])
        return grams

    def in_grams(self, quantity: Quantity) -> float:
        """Grams of a dose; the weight is the patient's."""
        return quantity.in_unit("g/kg") * self.person.weight if quantity.dimension == "mass per body mass" else quantity.in_unit("g")

    def days(self) -> int:
        if self.asked.days < 0:
            self.refuse("days", f"{self.asked.days} days are no course", "leave it out, or give 1 or more")
        if self.asked.days > 0:
            return self.asked.days
        return self.record.order.days or 1 if not self.asked.dose else 1

    def every(self) -> float | None:
        if self.asked.every:
            if self.asked.every == "once":
                return None
            return self.attempt(lambda: _quantity(self.option("every"), self.asked.every, "day", "write for example '4 week', '21 day', or 'once'"))
        order = self.record.order
        if order.every is not None and not self.asked.switch:
            self.notes.append(f"The interval is the order's: {order.every}.")
            return order.every.in_unit("day")
        gap = self.recorded_interval()
        if gap is not None:
            self.notes.append(f"The interval is that of the infusions on record: {number_text(gap)} days.")
        return gap

    def grams(self, days: int, every: float | None, route: Route) -> float | None:
        if self.asked.dose:
            return self.attempt(lambda: self.mass("dose", self.asked.dose))
        order = self.record.order
        if order.dose is not None and not self.asked.switch:
            each = days if order.each == "day" else 1
            self.notes.append(f"The dose is the order's: {order.dose}{' a day' if order.each == 'day' else ''}.")
            ordered = order.dose
            return self.attempt(lambda: self.in_grams(ordered) * each)
        last = self.last_course()
        if last is not None and not self.asked.switch and not self.same_way(every, route):
            self.refuse("dose", f"no dose is given for {route.replace('-', ' ')} doses"
                        f"{f' every {number_text(every)} days' if every is not None else ''}; the infusions on record were given otherwise",
                        f"give it with {self.option('dose')}, or change over by a label's factor with {self.option('switch')}")
            return None
        if last is not None:
            self.notes.append(f"The dose is that of the last infusion on record: {number_text(last)} g.")
        return last

    def same_way(self, every: float | None, route: Route) -> bool:
        """True when the coming doses have the route of the last recorded one and nearly the recorded interval: only then may its grams be repeated."""
        gap = self.recorded_interval()
        return route == self.history.doses[-1].route and every is not None and gap is not None and abs(every - gap) <= _NEARLY * gap

    def recorded_interval(self) -> float | None:
        """Days between recorded courses; None with fewer than two."""
        days = sorted({dose.day for dose in self.history.doses})
        gaps = [later - earlier for earlier, later in pairwise(days) if later - earlier > 1]
        return float(median(gaps)) if gaps else None

    def last_course(self) -> float | None:
        """Grams of the last recorded course: doses on following days together."""
        total, before = None, None
        for dose in reversed(self.history.doses):
            if before is not None and before - dose.day > 1:
                break
            total = (total or 0.0) + dose.grams
            before = dose.day
        return total

    def route(self) -> Route:
        order = self.record.order
        unknown = unknown_product(order.product, self.evidence) if order.product else ""
        if unknown:
            self.notes.append(f"order.product: {unknown} Its grams are counted as any other's.")
        own = order.route or route_of_product(order.product, self.evidence)
        named = self.asked.route or own or (self.history.doses[-1].route if self.history.doses else "")
        for route in ROUTES:
            if named == route:
                return route
        if named:
            self.refuse("route", f"'{named}' is no route", f"choose one of {', '.join(ROUTES)}")
        else:
            self.notes.append("No route is given: intravenous is assumed.")
        return "intravenous"

    def switched(self, grams: float | None, every: float | None) -> tuple[float | None, float | None, Route]:
        """Weekly subcutaneous grams by the factor of the product's label."""
        product = self.evidence.products.get(self.asked.switch)
        if product is None:
            remedy = meant(self.asked.switch, self.evidence.products, "look it up with 'ivigil evidence search'")
            self.refuse("switch", f"no product is called '{self.asked.switch}'", remedy)
            return grams, every, "subcutaneous"
        if not product.switch:
            self.refuse("switch", f"no conversion factor of {product.brand} ({product.market}) was read",
                        f"give the weekly dose with {self.option('dose')}, {self.option('every')} and {self.option('route')}")
            return grams, every, "subcutaneous"
        if grams is None or every is None:
            self.refuse("switch", "the intravenous dose and interval to convert are unknown",
                        f"give them with {self.option('dose')} and {self.option('every')}")
            return grams, every, "subcutaneous"
        factor = product.switch[0]
        week = Quantity(1.0, "week").in_unit("day")
        weekly = grams * factor.from_intravenous / (every / week)
        self.cites = factor.cites
        self.notes.append(f"Changed over to {product.brand}: {number_text(grams)} g every {number_text(every)} days x {number_text(factor.from_intravenous)} / "
                          f"{number_text(every / week)} weeks = {number_text(weekly)} g a week ({', '.join(factor.cites)}).")
        return weekly, week, "subcutaneous"

    def start(self, every: float | None) -> float:
        if self.asked.start:
            try:
                day = (date.fromisoformat(self.asked.start) - self.as_of).days
            except ValueError:
                self.refuse("start", f"'{self.asked.start}' is not a date", "write for example 2026-12-01")
                return 0.0
            if day < 0:
                self.refuse("start", f"{self.asked.start} lies before the day of the forecast", f"give a later day, or an earlier {self.option('as-of')}")
            return float(day)
        last: Given | None = self.history.doses[-1] if self.history.doses else None
        if last is None or every is None:
            return 0.0
        return max(0.0, last.day + every)

    def lates(self) -> Iterator[tuple[int, float]]:
        for text in self.asked.late:
            number, _, days = text.partition(":")
            if number.isdigit() and days.isdigit() and int(number) > 0:
                yield int(number), float(days)
            else:
                self.refuse("late", f"'{text}' is no dose and delay", "write '1:7' for the next dose seven days late")


def _quantity(place: str, text: str, unit: str, remedy: str) -> float:
    try:
        value = parse_quantity(text).in_unit(unit)
    except UnitProblem as error:
        raise BadInput([Problem(place, 0, "", str(error), remedy)]) from None
    if not value > 0:
        raise BadInput([Problem(place, 0, "", f"'{text}' is not above nought", remedy)])
    return value
