"""Subcutaneous and facilitated subcutaneous infusions: dose from the intravenous one, sites, volume and rate per site, ramp-up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from ivigil.basis.dates import add
from ivigil.basis.logic import Truth
from ivigil.basis.quantity import Quantity, Span, number_text
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import Product, RampUp, SubcutaneousSchedule, Switch
from ivigil.planning import rates
from ivigil.planning.dosing import course_facts
from ivigil.planning.draft import Context, Day, Dose, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import is_called, planned_route
from ivigil.planning.rates import Rung
from ivigil.planning.reasons import reasons
from ivigil.planning.regimen import ordered_product
from ivigil.planning.wording import day_text

WEEKLY = "dose.weekly"
"""The line about the weekly dose."""
UNREAD = "ivigil-policy.rates-unread"
WEEKLY_PARTS = "ivigil-policy.weekly-under-skin"
UNKNOWN_HISTORY = "ivigil-policy.unknown-history-is-first"

COLUMNS = (
    Column("Step"),
    Column("From"),
    Column("To"),
    Column("Each site", "mL/h"),
    Column("All sites", "mL/h"),
    Column("Volume", "mL"),
    Column("Total", "mL"),
)
"""Columns of a day's table; volumes are those of all sites together."""


class Sites(msgspec.Struct, frozen=True):
    """How one infusion is shared out: ``volume`` in mL per site, rates in mL/h; None where the label was not read."""

    count: int
    volume: float
    sessions: int = 1
    rate: float | None = None
    rate_all: float | None = None


class Weekly(msgspec.Struct, frozen=True):
    """A weekly subcutaneous dose in grams: what it was worked out from and what supports it."""

    grams: float
    calculation: str
    cites: tuple[str, ...]
    said: str = ""


def dose_step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Set the weekly dose under the skin where the plan so far is for a vein or longer intervals.

    Runs before safety for an ordered product, so that dose rules can be judged, and again once a product is chosen for the others.
    """
    product = draft.product or ordered_product(draft, evidence, context)
    if draft.blocked or product is None or draft.indication is None or is_weekly(draft) or any(line.id == WEEKLY for line in draft.lines):
        return draft
    weekly = weekly_dose(product, draft, context)
    start = _first_day(product, draft, context)
    draft = draft.saying(_weekly_line(product, draft, evidence, weekly, start, context))
    weight = draft.dose.weight if draft.dose is not None else draft.facts.number("weight", "kg")
    if weekly is None or not weight:
        return draft
    per_kg = weekly.grams / weight
    dose = Dose("per_interval", per_kg, weekly.grams, Span(1, 1), weight, draft.dose.policy if draft.dose is not None else "", every=Quantity(1, "week"))
    facts = draft.facts.having(course_facts(draft, context, dose, WEEKLY))
    return msgspec.structs.replace(draft, dose=dose, facts=facts, first_day=start)


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Add the sites and rates of each infusion day, and the ramp-up of a facilitated product."""
    product = draft.product
    days = draft.days
    if draft.blocked or product is None or draft.indication is None or not days:
        return draft
    first = first_under_skin(product, draft)
    row = schedule_for(product, draft, first)
    if row is None:
        text = f"The sites and rates of {product.brand} for this patient were not read; use its label. No rate table is given."
        return draft.saying(Line("infusion.not-read", "infusion", "ask", "warning", text, reasons(evidence, draft.facts, cites=(UNREAD,), entries=(product,))))
    lines = [_sites_line(product, row, draft, evidence, days, first, context)]
    lines += [line for day in days if (line := _day_line(product, row, draft, evidence, context, day)) is not None]
    ramp = ramp_up_for(product, draft) if first is not False else None
    if ramp is not None:
        lines.append(_ramp_up_line(product, ramp, draft, evidence, context))
    return draft.saying(*lines)


def is_weekly(draft: Draft) -> bool:
    """Whether the planned dose can be given under the skin as it stands: facilitated, or weekly or more often."""
    if planned_route(draft) != "subcutaneous":
        return True
    return draft.dose is not None and draft.dose.every is not None and draft.dose.every.in_unit("week") <= 1


def weekly_dose(product: Product, draft: Draft, context: Context) -> Weekly | None:
    """Grams a week: the share of a longer subcutaneous interval, or the label's factor x intravenous grams / weeks between the doses.

    The intravenous dose is the planned one, else the last on record. None when the factor or the intravenous dose is not known.
    """
    dose, regimen = draft.dose, draft.regimen
    if dose is not None and dose.every is not None and regimen is not None and regimen.route == "subcutaneous":
        weeks = dose.every.in_unit("week")
        grams = dose.grams / weeks
        return Weekly(grams, f"{number_text(dose.grams)} g / {number_text(weeks)} weeks = {number_text(grams)} g a week", (*regimen.cites, WEEKLY_PARTS))
    switch = switch_for(product, draft, context)
    planned = (dose.grams, dose.every.in_unit("week"), "planned dose") if dose is not None and dose.every is not None else _last_intravenous(draft)
    if switch is None or planned is None:
        return None
    given, weeks, origin = planned
    grams = switch.from_intravenous * given / weeks
    sum_ = f"{number_text(switch.from_intravenous)} x {number_text(given)} g / {number_text(weeks)} weeks = {number_text(grams)} g a week ({origin})"
    return Weekly(grams, sum_, switch.cites, switch.say)


def switch_for(product: Product, draft: Draft, context: Context) -> Switch | None:
    """The label's rule for the weekly dose that is in force on the planning date and meant for this patient."""
    fitting = (one for one in product.switch if in_force(one.valid, context.as_of) and (one.who is None or truth_of(one.who, draft.facts) is not False))
    return next(fitting, None)


def _last_intravenous(draft: Draft) -> tuple[float, float, str] | None:
    """Grams, weeks since the one before, and origin of the last intravenous dose; None without two doses at least a week apart."""
    given = sorted((one for one in draft.record.infusions if one.route in {"intravenous", ""} and one.dose is not None), key=lambda one: one.on)
    if not given or given[-1].dose is None:
        return None
    last, dose = given[-1], given[-1].dose
    weight = draft.facts.number("weight", "kg")
    grams = dose.in_unit("g") if dose.dimension == "mass" else dose.in_unit("g/kg") * weight if weight and dose.dimension == "mass per body mass" else None
    gaps = [Quantity(float((last.on - one.on).days), "day").in_unit("week") for one in given[:-1]]
    weeks = min((gap for gap in gaps if gap >= 1), default=None)
    return (grams, weeks, f"last given on {day_text(last.on)}") if grams is not None and weeks is not None else None


def first_under_skin(product: Product, draft: Draft) -> Truth:
    """Whether the label's first-infusion limits hold, from the earlier infusions of this product under the skin; None when unknown."""
    given = [one for one in draft.record.infusions if is_called(product, one.product) and one.route in {"subcutaneous", "facilitated-subcutaneous"}]
    covered = max((row.first_infusions for row in product.subcutaneous if row.infusion == "first"), default=1)
    if len(given) >= covered:
        return False
    return True if draft.record.infusions_complete or draft.record.infusions or draft.facts.flag("ig.first_ever") else None


def schedule_for(product: Product, draft: Draft, first: Truth) -> SubcutaneousSchedule | None:
    """The label's row for the indication, person and infusion number; of several that fit, the one with the lowest rate and volume.

    An indication that the label does not name takes the most restrictive row of the product; an unknown history counts as a first infusion.
    """
    rows = [row for row in product.subcutaneous if row.who is None or truth_of(row.who, draft.facts) is not False]
    pool = [row for row in rows if draft.indication is not None and draft.indication.id in row.indications] or rows
    number = "later" if first is False else "first"
    pool = [row for row in pool if row.infusion in {"any", number}] or pool

    def size(row: SubcutaneousSchedule) -> tuple[float, float]:
        return (
            row.rate_per_site.in_unit("mL/h") if row.rate_per_site is not None else 0.0,
            row.volume_per_site.in_unit("mL") if row.volume_per_site is not None else 0.0,
        )

    return min(pool, key=size, default=None)


def ramp_up_for(product: Product, draft: Draft) -> RampUp | None:
    """The printed ramp-up for the planned interval, or None."""
    every = draft.dose.every if draft.dose is not None else None
    if every is None or planned_route(draft) != "facilitated-subcutaneous":
        return None
    return next((ramp for ramp in product.ramp_up if ramp.every.canonical == every.canonical), None)


def sites_for(volume: float, row: SubcutaneousSchedule, increment: float = 0.0) -> Sites | None:
    """The fewest sites and sessions that keep to the label's volume per site, number of sites and daily limit, and the rate they allow.

    ``volume`` in mL, ``increment`` of the pump in mL/h. None when the label's volume per site was not read.
    """
    if row.volume_per_site is None or volume <= 0:
        return None
    each = row.volume_per_site.in_unit("mL")
    limits = [row.max_sites * each] if row.max_sites else []
    limits += [row.max_per_day.in_unit("mL")] if row.max_per_day is not None else []
    sessions = _at_least(volume / min(limits)) if limits else 1
    portion = volume / sessions
    count = _at_least(portion / each)
    rate = row.rate_per_site.in_unit("mL/h") if row.rate_per_site is not None else None
    if rate is not None and row.rate_all_sites is not None:
        rate = min(rate, row.rate_all_sites.in_unit("mL/h") / count)
    if rate is not None:
        rate = rates.round_down(rate, increment)
    return Sites(count, portion / count, sessions, rate, None if rate is None else rate * count)


def _at_least(share: float) -> int:
    return max(1, math.ceil(rates.tidy(share)))


def _increment(draft: Draft, context: Context) -> float:
    named = draft.record.order.pump_increment or context.pump_increment
    return named.in_unit("mL/h") if named is not None else 0.0


def _volume(grams: float, product: Product) -> float:
    return Quantity(grams, "g").in_unit("mg") / rates.strength(product.percent)


def _first_day(product: Product, draft: Draft, context: Context) -> date:
    """The planned start, or later when the label asks for a wait after the last intravenous dose."""
    switch = switch_for(product, draft, context)
    last = max((one.on for one in draft.record.infusions if one.route in {"intravenous", ""}), default=None)
    start = context.start.date()
    return start if last is None or switch is None or switch.start_after is None else max(start, add(last, switch.start_after))


def _weekly_line(product: Product, draft: Draft, evidence: Evidence, weekly: Weekly | None, start: date, context: Context) -> Line:
    if weekly is None:
        known = switch_for(product, draft, context) is not None
        missing = "the intravenous dose and its interval are not known" if known else "how it follows from the intravenous dose was not read"
        text = f"No weekly dose of {product.brand} is worked out: {missing}. The prescriber has to name the weekly dose."
        return Line(WEEKLY, "dosing", "ask", "warning", text, reasons(evidence, draft.facts, cites=(UNREAD,), entries=(product,)))
    text = f"{number_text(weekly.grams)} g a week under the skin, in {number_text(_volume(weekly.grams, product))} mL, from {day_text(start)}."
    because = reasons(evidence, draft.facts, cites=weekly.cites, calculation=weekly.calculation, reading=weekly.said,
                      entries=(switch_for(product, draft, context),))
    return Line(WEEKLY, "dosing", "give", "info", text, because, value=Quantity(weekly.grams, "g"), when=start)


def _sites_line(product: Product, row: SubcutaneousSchedule, draft: Draft, evidence: Evidence, days: tuple[Day, ...], first: Truth, context: Context) -> Line:
    volume = max(_day_volume(day, product) for day in days)
    sites = sites_for(volume, row, _increment(draft, context))
    parts = []
    if sites is None:
        limit = f", at most {row.max_sites} sites" if row.max_sites else ""
        parts.append(f"{number_text(volume)} mL; the volume per site of {product.brand} was not read, so the number of sites is not given{limit}.")
    else:
        if sites.sessions > 1:
            parts.append(f"{number_text(volume)} mL is more than one session takes: share it over {sites.sessions} sessions.")
        parts.append(f"{sites.count} {'site' if sites.count == 1 else 'sites'} with {number_text(sites.volume)} mL each.")
    rate = sites.rate if sites is not None else row.rate_per_site.in_unit("mL/h") if row.rate_per_site is not None else None
    if rate is None and not row.steps:
        parts.append(f"The rates of {product.brand} were not read; use its label.")
    elif rate is not None:
        together = f", {number_text(sites.rate_all)} mL/h together" if sites is not None and sites.rate_all is not None else ""
        parts.append(f"At most {number_text(rate)} mL/h at each site{together}.")
    if row.site_distance is not None:
        parts.append(f"Keep the sites {row.site_distance} apart.")
    if row.infusion != "any":
        parts.append(f"These are the limits of {row.infusions or ('the first infusion' if row.infusion == 'first' else 'later infusions')}.")
    cites = [*row.cites, *([UNKNOWN_HISTORY] if first is None else [])]
    calculation = ""
    if sites is not None and row.volume_per_site is not None:
        calculation = (
            f"{number_text(volume)} mL / {row.volume_per_site} a site, in {sites.sessions} x {sites.count} sites = {number_text(sites.volume)} mL each"
        )
    because = reasons(evidence, draft.facts, cites=cites, uses=("weight", "age"), calculation=calculation, reading=row.note, entries=(row,))
    value = Quantity(sites.volume, "mL") if sites is not None else None
    table = _steps_table(row) if row.steps and sites is None else None
    return Line(
        "infusion.sites",
        "infusion",
        "give" if sites is not None else "ask",
        "info" if sites is not None else "warning",
        " ".join(parts),
        because,
        value=value,
        table=table,
    )


def _steps_table(row: SubcutaneousSchedule) -> Table:
    rows = tuple(
        (str(number), one.rate.in_unit("mL/h"), one.hold.in_unit("min") if one.hold is not None else None) for number, one in enumerate(row.steps, start=1)
    )
    return Table((Column("Step"), Column("Each site", "mL/h"), Column("For", "min")), rows, "The last rate is kept until the dose is in.")


def _day_volume(day: Day, product: Product) -> float:
    return day.volume or _volume(day.grams, product)


def _day_line(product: Product, row: SubcutaneousSchedule, draft: Draft, evidence: Evidence, context: Context, day: Day) -> Line | None:
    volume = _day_volume(day, product)
    sites = sites_for(volume, row, _increment(draft, context))
    if sites is None:
        return None
    rungs = list(_rungs(row, sites, _increment(draft, context)))
    if not rungs or min(rung.flow for rung in rungs) <= 0:
        return None
    begin = datetime.combine(day.on, context.start.time())
    portion = volume / sites.sessions
    stretches = rates.climb(rungs, portion)
    rows = tuple(
        (str(number), rates.clock(begin, one.start), rates.clock(begin, one.end), rates.tidy(one.flow / sites.count), one.flow, one.volume, one.total)
        for number, one in enumerate(stretches, start=1)
    )
    session = f" in each of {sites.sessions} sessions" if sites.sessions > 1 else ""
    ends = rates.clock(begin, stretches[-1].end)
    text = f"Infusion {day.number}: {number_text(day.grams)} g, {number_text(portion)} mL{session} from {begin:%H:%M}; in by {ends} at the highest rate."
    because = reasons(evidence, draft.facts, cites=row.cites, calculation=f"{number_text(portion)} mL over {sites.count} sites", follows=("infusion.sites",),
                      entries=(row,))
    return Line(f"infusion.day-{day.number}", "infusion", "give", "info", text, because, value=Quantity(portion, "mL"), when=day.on, table=Table(COLUMNS, rows))


def _rungs(row: SubcutaneousSchedule, sites: Sites, increment: float) -> Iterable[Rung]:
    """The rates over all sites together: the printed steps per site, or the one printed limit."""
    ceiling = row.rate_all_sites.in_unit("mL/h") if row.rate_all_sites is not None else math.inf
    for one in row.steps:
        each = min(one.rate.in_unit("mL/h"), ceiling / sites.count)
        yield Rung(rates.round_down(each, increment) * sites.count, one.hold.in_unit("h") if one.hold is not None else None)
    if not row.steps and sites.rate_all is not None:
        yield Rung(sites.rate_all)


def _ramp_up_line(product: Product, ramp: RampUp, draft: Draft, evidence: Evidence, context: Context) -> Line:
    grams = draft.dose.grams if draft.dose is not None else 0.0
    rows = []
    for one in ramp.steps:
        share = grams * one.share
        on = add(context.start.date(), Quantity(float(one.week - 1), "week"))
        rows.append((str(one.infusion), float(one.week), on.isoformat(), one.fraction.value, rates.tidy(share), rates.tidy(_volume(share, product))))
    columns = (Column("Infusion"), Column("Week"), Column("Date"), Column("Share", "%"), Column("Dose", "g"), Column("Volume", "mL"))
    text = f"Ramp-up of {product.brand} to {number_text(grams)} g every {ramp.every}: {len(ramp.steps)} infusions, the full dose from the last one."
    sum_ = f"share x {number_text(grams)} g"
    because = reasons(evidence, draft.facts, cites=ramp.cites, calculation=sum_, entries=(ramp,))
    return Line("infusion.ramp-up", "infusion", "give", "warning", text, because, value=Quantity(grams, "g"), table=Table(columns, tuple(rows)))
