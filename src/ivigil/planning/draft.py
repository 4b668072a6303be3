"""What the steps hand on: facts, lines, and the typed choices made so far. Every step returns a new draft and edits no earlier line."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.shapes import Act, Indication, Product, Regimen, ReviewStatus, SafetyRule
from ivigil.patient.firewall import Doubt
from ivigil.patient.record import Record
from ivigil.planning.line import Line, NotRaised


class StockItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Vials of one lot in the pharmacy."""

    product: str
    size: Quantity
    count: int
    lot: str = ""
    expires: date | None = None


class PriceItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A site price: per gram, or per vial of ``size``. ``currency`` is an ISO code."""

    product: str
    currency: str
    per_gram: float | None = None
    size: Quantity | None = None
    per_vial: float | None = None


class Context(msgspec.Struct, frozen=True):
    """Everything outside the patient that a plan depends on. Nothing else is read: no clock, no environment.

    Lines whose evidence is weaker in review than ``least_review`` are withheld; the default withholds none. ``outlook`` asks for the IgG forecast.
    With ``given_only`` vaccines wait for what is on record up to ``start``, and not for the course that is planned beside it.
    """

    jurisdiction: str
    as_of: date
    start: datetime
    indication: str = ""
    product: str = ""
    weight_policy: str = ""
    rounding: str = ""
    ramp: str = ""
    formulary: tuple[str, ...] = ()
    stock: tuple[StockItem, ...] = ()
    prices: tuple[PriceItem, ...] = ()
    pump_increment: Quantity | None = None
    pump_max: Quantity | None = None
    least_review: ReviewStatus = "rejected"
    outlook: bool = False
    given_only: bool = False


class Constraint(msgspec.Struct, frozen=True):
    """An act of a rule that fired, waiting for the step it concerns."""

    rule: SafetyRule
    act: Act


class Dose(msgspec.Struct, frozen=True):
    """The decided dose: a course total, a daily dose for days, or a dose per interval - kept apart, never interchangeable.

    ``per_kg`` is in g/kg of dosing weight, ``grams`` the whole amount it stands for before rounding to vials.
    """

    form: Literal["course_total", "per_day", "per_interval"]
    per_kg: float
    grams: float
    days: Span
    weight: float
    policy: str
    every: Quantity | None = None
    single_day: bool = False


class Day(msgspec.Struct, frozen=True):
    """One treatment day: grams after rounding and the vials that make them (size in grams, count)."""

    number: int
    on: date
    grams: float
    volume: float = 0.0
    vials: tuple[tuple[float, int], ...] = ()
    waste: float = 0.0


class Draft(msgspec.Struct, frozen=True):
    """A plan in the making.

    ``first_day`` is set where the course may not start on the asked day; ``ends`` is when the last infusion ends, once it is scheduled.
    """

    record: Record
    facts: Facts
    lines: tuple[Line, ...] = ()
    not_raised: tuple[NotRaised, ...] = ()
    undecided: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    constraints: tuple[Constraint, ...] = ()
    indication: Indication | None = None
    regimen: Regimen | None = None
    dose: Dose | None = None
    product: Product | None = None
    days: tuple[Day, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    first_day: date | None = None
    ends: datetime | None = None
    blocked: tuple[str, ...] = ()
    no_evidence: bool = False

    def saying(self, *lines: Line) -> Draft:
        """A draft with these lines added at the end."""
        return msgspec.structs.replace(self, lines=self.lines + lines)
