"""The coming doses: a regimen and what may be changed about it - dose, interval, a missed or late dose, a loading dose, another route."""

from __future__ import annotations

import msgspec

from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics.history import Given


class Regimen(msgspec.Struct, frozen=True):
    """``grams`` per course, split over ``days`` following days, every ``every`` days (None: once), starting on day ``start``.

    ``missed`` names coming courses (1 is the next one) that are left out, ``late`` those that are put off and by how many days; the following
    courses keep their own days. ``loading`` replaces the grams of the first course.
    """

    grams: float
    every: float | None = None
    days: int = 1
    route: Route = "intravenous"
    start: float = 0.0
    length: float = 0.0
    missed: tuple[int, ...] = ()
    late: tuple[tuple[int, float], ...] = ()
    loading: float | None = None

    @property
    def per_year(self) -> float | None:
        """Grams in a year of maintenance; None for a single course."""
        return None if self.every is None else self.grams * _YEAR / self.every

    @property
    def changed(self) -> bool:
        """True when something about the regular doses is altered."""
        return bool(self.missed or self.late or self.loading is not None)

    @property
    def plain(self) -> Regimen:
        """The same regimen without alterations."""
        return msgspec.structs.replace(self, missed=(), late=(), loading=None)


_YEAR = 365.25


def coming(regimen: Regimen, until: float) -> tuple[Given, ...]:
    """Every dose from the start of the regimen to the day ``until``."""
    out: list[Given] = []
    put_off = dict(regimen.late)
    number = 0
    while True:
        day = regimen.start + number * (regimen.every or 0.0)
        if day > until or (number and regimen.every is None):
            break
        number += 1
        if number in regimen.missed:
            continue
        grams = regimen.loading if number == 1 and regimen.loading is not None else regimen.grams
        day += put_off.get(number, 0.0)
        out.extend(Given(day + part, grams / regimen.days, regimen.route, regimen.length if regimen.route == "intravenous" else 0.0)
                   for part in range(regimen.days))
    return tuple(sorted(out, key=lambda given: given.day))
