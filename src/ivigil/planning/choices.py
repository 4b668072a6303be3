"""From what somebody chose, as text, to a planning context: every choice checked, all problems at once. Knows neither files nor a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import TypeVar, cast, get_args

import msgspec

from ivigil.basis.names import folded, near
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import ReviewStatus
from ivigil.patient.record import Record
from ivigil.planning.draft import Context, PriceItem, StockItem

R = TypeVar("R")
S = TypeVar("S")

_MORNING = time.fromisoformat("09:00")
"""When the first infusion starts if nobody says."""


class PlanChoices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be chosen for one plan, on the command line, in a form and in a request alike, as text; empty when not given."""

    jurisdiction: str = ""
    indication: str = ""
    product: str = ""
    weight_policy: str = ""
    rounding: str = ""
    ramp: str = ""
    as_of: str = ""
    start: str = ""
    least_review: str = ""
    outlook: bool = False

    def choices(self) -> Choices:
        """The same for the planner, with nothing chosen beside it."""
        return Choices(**{name: getattr(self, name) for name in CHOICES})


CHOICES = tuple(field.name for field in msgspec.structs.fields(PlanChoices))
"""The names of these choices."""
TEXT_CHOICES = tuple(field.name for field in msgspec.structs.fields(PlanChoices) if field.type is str)
"""Those that are words, as a form and a FHIR parameter carry them."""


class Choices(PlanChoices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be chosen on the command line: beside what every door offers, names of files."""

    overlay: str = ""
    evidence: str = ""
    stock: str = ""
    prices: str = ""
    formulary: str = ""
    site: str = ""


class SiteProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hospital's own settings. ``formulary``, ``prices`` and ``stock`` are lists, or the name of a file beside the profile."""

    jurisdiction: str = ""
    weight_policy: str = ""
    rounding: str = ""
    ramp: str = ""
    pump_increment: Quantity | None = None
    pump_max: Quantity | None = None
    formulary: tuple[str, ...] | str = ()
    prices: tuple[PriceItem, ...] | str = ()
    stock: tuple[StockItem, ...] | str = ()
    least_review: ReviewStatus = "rejected"
    outlook: bool = False


class Collected:
    """Runs one step after another and keeps the problems of each, so that a user sees them all at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, step: Callable[[], R], otherwise: S) -> R | S:
        """The result of ``step``, or ``otherwise`` with its problems kept."""
        try:
            return step()
        except BadInput as error:
            self.problems.extend(error.problems)
            return otherwise


def context_of(choices: Choices, site: SiteProfile, evidence: Evidence, today: date, option: Callable[[str], str] = str) -> Context:
    """The context that the choices and the site profile set; a choice wins over the profile, whose lists must be read already.

    ``option`` turns the name of a choice into what the user calls it.

    Raises:
        BadInput: an unknown id, a malformed date, a day that lies ahead - all of them listed.
    """
    found = Collected()
    as_of = found.attempt(lambda: day_of(choices.as_of, today, option), today)
    start = found.attempt(lambda: _start(choices.start, as_of, option), None)
    context = Context(
        jurisdiction=choices.jurisdiction or site.jurisdiction,
        as_of=as_of,
        start=start or datetime.combine(as_of, _MORNING),
        indication=choices.indication,
        product=choices.product,
        weight_policy=choices.weight_policy or site.weight_policy,
        rounding=choices.rounding or site.rounding,
        ramp=choices.ramp or site.ramp,
        formulary=tuple(name for name in site.formulary if isinstance(site.formulary, tuple)),
        stock=tuple(item for item in site.stock if isinstance(item, StockItem)),
        prices=tuple(item for item in site.prices if isinstance(item, PriceItem)),
        pump_increment=site.pump_increment,
        pump_max=site.pump_max,
        least_review=cast("ReviewStatus", choices.least_review) or site.least_review,
        outlook=choices.outlook or site.outlook,
    )
    found.problems.extend(_unknown(context, evidence, option))
    if found.problems:
        raise BadInput(found.problems)
    return context


def for_record(context: Context, choices: Choices, record: Record) -> Context:
    """The context for one patient: the order's start is used when the command line gives none.

    Raises:
        BadInput: the order's start is not a date and time.
    """
    if choices.start or not record.order.start:
        return context
    start = _moment(record.order.start, record.id, "order.start")
    return msgspec.structs.replace(context, start=start)


def _unknown(context: Context, evidence: Evidence, option: Callable[[str], str]) -> Iterable[Problem]:
    if not context.jurisdiction:
        choice = ", ".join(evidence.jurisdictions)
        yield Problem(option("jurisdiction"), 0, "", "not given", f"choose one of {choice}, or set it in a site profile")
    checks: list[tuple[str, Iterable[str], Iterable[str]]] = [
        (option("jurisdiction"), [context.jurisdiction], evidence.jurisdictions),
        (option("product"), [context.product], evidence.products),
        (option("weight-policy"), [context.weight_policy], evidence.weight_policies),
        (option("rounding"), [context.rounding], evidence.rounding),
        (option("ramp"), [context.ramp], evidence.ramps),
        (option("least-review"), [context.least_review], get_args(ReviewStatus)),
        ("formulary", context.formulary, evidence.products),
        ("stock", [item.product for item in context.stock], evidence.products),
        ("prices", [item.product for item in context.prices], evidence.products),
    ]
    for place, given, known in checks:
        names = list(known)
        for name in given:
            if name and name not in names:
                similar = _sold_as(name, evidence) if known is evidence.products else []
                similar = similar or near(name, names)
                remedy = f"did you mean {', '.join(similar)}?" if similar else f"known: {', '.join(names)}"
                if similar and known is evidence.jurisdictions:
                    remedy += f" Known: {', '.join(names)}"
                yield Problem(place, 0, "", f"'{name}' is not known", remedy)


def _sold_as(name: str, evidence: Evidence) -> list[str]:
    """The ids of the products of which this is the brand, or the beginning of one."""
    wanted = folded(name)
    brands = [product.id for product in evidence.products.values() if wanted in product.called]
    return brands or [product.id for product in evidence.products.values() if wanted and any(one.startswith(wanted) for one in product.called)]


def day_of(text: str, today: date, option: Callable[[str], str] = "--{}".format) -> date:
    """The day an option names, today when it is empty.

    Raises:
        BadInput: not a date, or one that lies ahead.
    """
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput([Problem(option("as-of"), 0, "", f"'{text}' is not a date", "write year-month-day, for example 2026-11-20")]) from None
    if day > today:
        raise BadInput([Problem(option("as-of"), 0, "", f"{day.isoformat()} lies ahead; evidence and record are known only until today, {today.isoformat()}",
                                f"leave {option('as-of')} out, and give the day of treatment with {option('start')}")])
    return day


def _start(text: str, as_of: date, option: Callable[[str], str]) -> datetime | None:
    if not text:
        return None
    start = _moment(text, option("start"), "")
    if start.date() < as_of:
        raise BadInput([Problem(option("start"), 0, "", f"{start.isoformat(' ', 'minutes')} lies before the day of the plan, {as_of.isoformat()}",
                                f"give a later start, or an earlier {option('as-of')}")])
    return start


def _moment(text: str, place: str, what: str) -> datetime:
    remedy = "write for example 2026-11-20T09:00, in local time"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput([Problem(place, 0, what, f"'{text}' is not a date and time", remedy)]) from None
    if moment.tzinfo is not None:
        raise BadInput([Problem(place, 0, what, f"'{text}' carries a time zone; clock times of a plan are local", remedy)])
    return moment if "T" in text or " " in text.strip() or ":" in text else datetime.combine(moment.date(), _MORNING)
