"""From options and site files to a planning context: every choice checked, all problems at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.cli.output import Progress
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import ReviewStatus
from ivigil.patient.record import Record
from ivigil.planning.draft import Context, PriceItem, StockItem

T = TypeVar("T", bound=msgspec.Struct)
R = TypeVar("R")
S = TypeVar("S")

_LARGEST = 4_000_000
_MORNING = time(9)
"""When the first infusion starts if nobody says."""


class Choices(msgspec.Struct, frozen=True):
    """What was given on the command line, as text; empty when not given."""

    jurisdiction: str = ""
    indication: str = ""
    product: str = ""
    weight_policy: str = ""
    rounding: str = ""
    ramp: str = ""
    as_of: str = ""
    start: str = ""
    overlay: str = ""
    evidence: str = ""
    stock: str = ""
    prices: str = ""
    formulary: str = ""
    site: str = ""
    least_review: str = ""


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


def load(choices: Choices) -> Evidence:
    """The evidence these choices ask for, with progress while it is compiled.

    Raises:
        BadInput: a folder is missing, or the evidence has problems.
    """
    with Progress("Compiling the evidence") as progress:
        return load_evidence(_folder(choices.evidence), _folder(choices.overlay), progress)


def _folder(name: str) -> Path | None:
    return Path(name) if name else None


def context_of(choices: Choices, evidence: Evidence, today: date) -> Context:
    """The context that the options and the site profile set; an option wins over the profile.

    Raises:
        BadInput: an unknown id, a malformed date or file, a day that lies ahead - all of them listed.
    """
    found = Collected()
    profile = found.attempt(lambda: read_profile(choices.site), SiteProfile()) if choices.site else SiteProfile()
    formulary = found.attempt(lambda: _formulary(choices, profile), None)
    stock = found.attempt(lambda: _items(choices.stock, profile.stock, choices.site, StockItem), None)
    prices = found.attempt(lambda: _items(choices.prices, profile.prices, choices.site, PriceItem), None)
    as_of = found.attempt(lambda: day_of(choices.as_of, today), today)
    start = found.attempt(lambda: _start(choices.start, as_of), None)
    context = Context(
        jurisdiction=choices.jurisdiction or profile.jurisdiction,
        as_of=as_of,
        start=start or datetime.combine(as_of, _MORNING),
        indication=choices.indication,
        product=choices.product,
        weight_policy=choices.weight_policy or profile.weight_policy,
        rounding=choices.rounding or profile.rounding,
        ramp=choices.ramp or profile.ramp,
        formulary=formulary or (),
        stock=stock or (),
        prices=prices or (),
        pump_increment=profile.pump_increment,
        pump_max=profile.pump_max,
        least_review=cast("ReviewStatus", choices.least_review) or profile.least_review,
    )
    found.problems.extend(_unknown(context, evidence))
    if found.problems:
        raise BadInput(found.problems)
    return context


def records_of(name: str, evidence: Evidence) -> Iterator[Record]:
    """The patients of a file, a folder or standard input (``-``), one after the other.

    Raises:
        BadInput: the source cannot be read or holds nobody; patients before the problem have been given out.
    """
    from ivigil.patient.read import read_records

    empty = True
    for record in read_records(Path(name), evidence.facts, {product.id: product.codes for product in evidence.products.values()}):
        empty = False
        yield record
    if empty:
        raise BadInput([Problem(name, 0, "", "no patient in it", "give a patient record, a Bundle with a Patient, or a folder of NDJSON files")])


def every_problem(error: BadInput, evidence: Evidence, as_of: date) -> tuple[Problem, ...]:
    """The problems of a record that does not read, and those that the unit firewall finds in the rest of it."""
    from ivigil.patient.firewall import check
    from ivigil.patient.form import PartlyRead

    if not isinstance(error, PartlyRead):
        return error.problems
    found = check(error.rest, evidence.facts, as_of).problems
    more = [problem for problem in found if problem.what.partition(".")[0] not in error.left_out]
    return tuple(sorted((*error.problems, *more), key=lambda problem: problem.line))


def for_record(context: Context, choices: Choices, record: Record) -> Context:
    """The context for one patient: the order's start is used when the command line gives none.

    Raises:
        BadInput: the order's start is not a date and time.
    """
    if choices.start or not record.order.start:
        return context
    start = _moment(record.order.start, record.id, "order.start")
    return msgspec.structs.replace(context, start=start)


def _unknown(context: Context, evidence: Evidence) -> Iterable[Problem]:
    if not context.jurisdiction:
        choice = ", ".join(evidence.jurisdictions)
        yield Problem("--jurisdiction", 0, "", "not given", f"choose one of {choice}, or set it in a site profile (--site)")
    checks: list[tuple[str, Iterable[str], Iterable[str]]] = [
        ("--jurisdiction", [context.jurisdiction], evidence.jurisdictions),
        ("--product", [context.product], evidence.products),
        ("--weight-policy", [context.weight_policy], evidence.weight_policies),
        ("--rounding", [context.rounding], evidence.rounding),
        ("--ramp", [context.ramp], evidence.ramps),
        ("formulary", context.formulary, evidence.products),
        ("stock", [item.product for item in context.stock], evidence.products),
        ("prices", [item.product for item in context.prices], evidence.products),
    ]
    for place, given, known in checks:
        names = list(known)
        for name in given:
            if name and name not in names:
                similar = near(name, names)
                yield Problem(place, 0, "", f"'{name}' is not known", f"did you mean {', '.join(similar)}?" if similar else f"known: {', '.join(names)}")


def near(name: str, names: list[str]) -> list[str]:
    """Known names that a mistyped one may have meant, nearest first."""
    folded = {known.lower(): known for known in names}
    return [folded[match] for match in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]


def day_of(text: str, today: date) -> date:
    """The day an option names, today when it is empty.

    Raises:
        BadInput: not a date, or one that lies ahead.
    """
    if not text:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput([Problem("--as-of", 0, "", f"'{text}' is not a date", "write year-month-day, for example 2026-11-20")]) from None
    if day > today:
        raise BadInput([Problem("--as-of", 0, "", f"{day.isoformat()} lies ahead; evidence and record are known only until today, {today.isoformat()}",
                                "leave --as-of out, and give the day of treatment with --start")])
    return day


def _start(text: str, as_of: date) -> datetime | None:
    if not text:
        return None
    start = _moment(text, "--start", "")
    if start.date() < as_of:
        raise BadInput([Problem("--start", 0, "", f"{start.isoformat(' ', 'minutes')} lies before the day of the plan, {as_of.isoformat()}",
                                "give a later start, or an earlier --as-of")])
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


def read_profile(name: str) -> SiteProfile:
    """A site profile from a YAML or JSON file.

    Raises:
        BadInput: the file is missing or malformed; every problem is listed.
    """
    plain, lines = _document(name)
    return _shaped(plain if plain is not None else {}, SiteProfile, name, lines)


def _formulary(choices: Choices, profile: SiteProfile) -> tuple[str, ...]:
    name = choices.formulary or (_beside(choices.site, profile.formulary) if isinstance(profile.formulary, str) else "")
    if not name:
        return tuple(profile.formulary)
    plain, lines = _document(name)
    if not isinstance(plain, list) or not all(isinstance(entry, str) for entry in plain):
        raise BadInput([Problem(name, lines.get((), 0), "", "a formulary is a list of product ids", "write each on a line that starts with '- '")])
    return tuple(plain)


def _items(option: str, own: tuple[T, ...] | str, site: str, shape: type[T]) -> tuple[T, ...]:
    name = option or (_beside(site, own) if isinstance(own, str) else "")
    if not name:
        return tuple(own) if not isinstance(own, str) else ()
    plain, lines = _document(name)
    if not isinstance(plain, list):
        raise BadInput([Problem(name, lines.get((), 0), "", "expected a list", "write each entry on lines that start with '- '")])
    problems: list[Problem] = []
    shaper = Shaper()
    items = [shaper.read(entry, shape, name, lines, (index,), problems) for index, entry in enumerate(plain)]
    if problems:
        raise BadInput(problems)
    return tuple(item for item in items if item is not None)


def _beside(profile: str, name: str) -> str:
    return str(Path(profile).parent / name) if name else ""


def _document(name: str) -> tuple[Any, Lines]:
    return read_yaml(_text(Path(name)), name)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput([Problem(str(path), 0, "", "the file is larger than 4 MB", "name a settings file")])
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput([Problem(str(path), 0, "", error.strerror or "the file cannot be read", "check the name")]) from None
    except UnicodeDecodeError:
        raise BadInput([Problem(str(path), 0, "", "the file is not UTF-8 text", "save it as UTF-8")]) from None


def _shaped(plain: Any, shape: type[T], place: str, lines: Lines) -> T:
    problems: list[Problem] = []
    value = Shaper().read(plain, shape, place, lines, (), problems)
    if value is None:
        raise BadInput(problems)
    return value
