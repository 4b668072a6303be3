"""Slips that an entry and its statement share: amounts outside every printed band, rates that fall, plain words and values that say otherwise.

The bands are evidence themselves (``plausibility/``); nothing here knows a dose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ivigil.basis.problems import Problem
from ivigil.basis.quantity import UNITS, Quantity, Span, UnitProblem, parse_span
from ivigil.evidence.compile import Entry
from ivigil.evidence.doses import course_span, form_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.numbers import carried, numbers_in, same, supports
from ivigil.evidence.shapes import Plausible, PrintedRate, Product, RateSchedule, Statement

_Path = tuple[str | int, ...]
_AMOUNTS = frozenset({
    "dose", "course_total", "per_day", "per_interval", "dose_per_day", "every", "start", "maximum", "start_volume", "maximum_volume", "wait", "hold", "volume",
    "sizes", "iga", "sodium", "trough", "hours", "age", "age_from", "temperature",
})
"""Keys of ``values`` that always carry an amount with its unit; any other key may be a count."""
_COUNTS = frozenset({
    "day", "days", "week", "weeks", "month", "months", "year", "years", "doses", "courses", "infusions", "cycles", "times", "sites", "cases", "count", "grade",
    "stage", "people", "patients", "episodes", "relapses", "sessions",
})
"""Words of a key that say what is counted: ``days: 5`` needs no unit although the sentence says 5 days."""
_BARE = re.compile(r"\d+(?:\.\d+)?(?:\s?[-–]\s?\d+(?:\.\d+)?)?")
_DUST = 1e-9
_PER_KG = {"gram": "g/kg", "milligram": "mg/kg", "millilitre": "mL/kg", "unit": "[IU]/kg"}
_SPOKEN = re.compile(r"\b(gram|milligram|millilitre|unit)s? (?:of \w+ )?(?:for (?:each|every)|per|a) kilogram\b")


def implausible(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    """The problems of one sound entry."""
    if entry.part == "statements":
        yield from _statement(entry, evidence)
    elif entry.part == "indications":
        for index, regimen in enumerate(entry.value.regimens):
            yield from _regimen(entry, regimen, ("regimens", index), evidence)
    elif entry.part == "products":
        yield from _product(entry, evidence)


def _outside(entry: Entry, path: _Path, name: str, value: Quantity, measure: str, evidence: Evidence, what: str = "") -> Iterator[Problem]:
    """A problem when ``value`` leaves the band of its measure, widened to what is excepted for ``name``.

    Another dimension than the band's is left to the checks of units.
    """
    for band in evidence.plausibility.values():
        own = band.excepted.get(name)
        ends = [end for end in (band.at_least, band.at_most, own) if end is not None]
        if band.measure != measure or any(end.dimension != value.dimension for end in ends):
            continue
        least, most = _wider(band, own)
        if least is not None and value.canonical < least.canonical * (1 - _DUST):
            why = f"{value} is less than {least}, the least that is plausible here"
        elif most is not None and value.canonical > most.canonical * (1 + _DUST):
            why = f"{value} is more than {most}, the most that is plausible here"
        else:
            continue
        yield Problem(entry.file, entry.line(*path), f"{name}: {what or _dotted(path)}", f"{why}. {band.say}",
                      f"correct it; where the source really prints it, add '{name}: {value}' under 'except' of the band '{band.id}' and cite the statement")


def _wider(band: Plausible, own: Quantity | None) -> tuple[Quantity | None, Quantity | None]:
    least, most = band.at_least, band.at_most
    if own is not None and most is not None and own.canonical > most.canonical:
        return least, own
    return (own, most) if own is not None and least is not None and own.canonical < least.canonical else (least, most)


# --- regimens ---------------------------------------------------------------------------------------------------------


def _regimen(entry: Entry, regimen: Any, path: _Path, evidence: Evidence) -> Iterator[Problem]:
    form, span = form_of(regimen), course_span(regimen)
    dose = (*path, "dose")
    key = next((name for name in ("course_total", "per_day", "per_interval") if getattr(regimen.dose, name) is not None), "dose")
    if span is not None:
        ends, measure, unit = span, "course", "g/kg"
    elif form is not None:
        days = regimen.dose.days if key == "per_day" and regimen.dose.days is not None else Span(1, 1)
        low, high = (Quantity(end, form.amount.unit).in_unit("g") for end in (form.amount.low, form.amount.high))
        ends, measure, unit = (low * days.low, high * days.high), "course-grams", "g"
    else:
        return
    what = f"dose.{key} over its days" if key == "per_day" else f"dose.{key}"
    for value in dict.fromkeys(ends):
        yield from _outside(entry, (*dose, key), regimen.id, Quantity(value, unit), measure, evidence, what)
    yield from _ends(entry, (*dose, "every"), regimen.id, regimen.dose.every, "interval", evidence)
    yield from _ends(entry, (*path, "hours"), regimen.id, regimen.hours, "infusion-time", evidence)
    worked, amount = regimen.dose.worked_at, form.amount if form is not None else None
    if worked is not None and amount is not None and (worked.dimension != Quantity(1, amount.unit).dimension or not amount.holds(worked.in_unit(amount.unit))):
        yield Problem(entry.file, entry.line(*dose, "worked_at"), f"{regimen.id}: dose.worked_at", f"{worked} lies outside the printed range {amount}",
                      "choose a value inside the range, or correct the range")


def _ends(entry: Entry, path: _Path, name: str, span: Span | None, measure: str, evidence: Evidence) -> Iterator[Problem]:
    if span is not None and span.unit:
        for value in dict.fromkeys((span.low, span.high)):
            yield from _outside(entry, path, name, Quantity(value, span.unit), measure, evidence)


# --- products ---------------------------------------------------------------------------------------------------------


def _product(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    product: Product = entry.value
    yield from _outside(entry, ("percent",), product.id, Quantity(product.percent, "%"), "strength", evidence)
    if product.iga is not None:
        yield from _outside(entry, ("iga",), product.id, product.iga.value, "iga", evidence)
    for index, size in enumerate(product.vials.sizes if product.vials is not None else ()):
        yield from _outside(entry, ("vials", "sizes", index), product.id, size, "vial", evidence)
    for index, switch in enumerate(product.switch):
        share = Quantity(switch.from_intravenous * 100, "%")
        yield from _outside(entry, ("switch", index, "from_intravenous"), product.id, share, "weekly-share", evidence)
    for index, row in enumerate(product.rates):
        yield from _schedule(entry, product, row, ("rates", index), evidence)
    for index, limits in enumerate(product.subcutaneous):
        path = ("subcutaneous", index)
        for key, measure in (("volume_per_site", "site-volume"), ("rate_per_site", "site-rate")):
            value = getattr(limits, key)
            if value is not None:
                yield from _outside(entry, (*path, key), product.id, value, measure, evidence)
        rates = [step.rate for step in limits.steps]
        for step, rate in enumerate(rates):
            yield from _outside(entry, (*path, "steps", step, "rate"), product.id, rate, "site-rate", evidence)
        yield from _rising(entry, product.id, [((*path, "steps", step, "rate"), rate.canonical, str(rate)) for step, rate in enumerate(rates)])
        if limits.rate_per_site is not None and limits.rate_all_sites is not None and limits.rate_all_sites.canonical < limits.rate_per_site.canonical:
            yield Problem(entry.file, entry.line(*path, "rate_all_sites"), f"{product.id}: {_dotted(path)}.rate_all_sites",
                          f"{limits.rate_all_sites} over all sites is less than {limits.rate_per_site} at one", "correct one of the two")


def _schedule(entry: Entry, product: Product, row: RateSchedule, path: _Path, evidence: Evidence) -> Iterator[Problem]:
    percent = row.percent or product.percent
    places: list[tuple[_Path, PrintedRate]] = [((*path, "start"), row.start)]
    places += [((*path, "steps", index), step) for index, step in enumerate(row.steps)]
    places += [((*path, "maximum"), row.maximum)]
    ladder: list[tuple[_Path, float, str]] = []
    printed: list[tuple[_Path, Quantity, Quantity | None]] = [(at, one.rate, one.also) for at, one in places]
    for key, extra in (("extended", row.extended), ("at_risk", row.at_risk)):
        if extra is not None and extra.rate is not None:
            printed.append(((*path, key), extra.rate, extra.also))
    for at, rate, also in printed:
        flows = [(key, one, _flow(one, percent)) for key, one in (("rate", rate), ("also", also)) if one is not None]
        for key, _, flow in flows:
            if flow is not None:
                yield from _outside(entry, (*at, key), product.id, Quantity(flow, "mL/kg/h"), "infusion-rate", evidence)
        both = [flow for _, _, flow in flows if flow]
        if len(both) > 1:
            apart = Quantity((max(both) / min(both) - 1) * 100, "%")
            yield from _outside(entry, (*at, "also"), product.id, apart, "rate-forms", evidence, f"{_dotted((*at, 'also'))}, apart from 'rate'")
        if flows[0][2] is not None and at[-1] != "at_risk":
            ladder.append(((*at, "rate"), flows[0][2], str(rate)))
    yield from _rising(entry, product.id, ladder)
    if row.at_risk is not None and row.at_risk.rate is not None:
        limit, most = _flow(row.at_risk.rate, percent), _flow(row.maximum.rate, percent)
        if limit is not None and most is not None and limit > most * (1 + 1e-6):
            yield Problem(entry.file, entry.line(*path, "at_risk"), f"{product.id}: {_dotted(path)}.at_risk",
                          f"the limit at risk, {row.at_risk.rate}, is above the maximum, {row.maximum.rate}", "correct one of the two")


def _rising(entry: Entry, name: str, ladder: list[tuple[_Path, float, str]]) -> Iterator[Problem]:
    """From start over steps to maximum and beyond, no rate is below the one before it."""
    for (before, low, said), (path, flow, text) in pairwise(ladder):
        if flow < low * (1 - 1e-6):
            yield Problem(entry.file, entry.line(*path), f"{name}: {_dotted(path)}", f"{text} is below {said} of {_dotted(before)}, which comes before it",
                          "check the units of both, and their order")


def _flow(rate: Quantity, percent: float) -> float | None:
    """A rate per body mass as mL/kg/h of a solution of this strength; None for a rate that is not per body mass."""
    if rate.dimension == "volume rate per body mass":
        return rate.in_unit("mL/kg/h")
    if rate.dimension == "mass rate per body mass" and percent > 0:
        return rate.in_unit("g/kg/h") / (percent / 100)
    return None


def _dotted(path: _Path) -> str:
    return ".".join(str(part) for part in path)


# --- statements -------------------------------------------------------------------------------------------------------


def _statement(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    statement: Statement = entry.value
    for key, written in statement.values.items():
        for text in map(str, written if isinstance(written, list) else [written]):
            yield from _without_unit(entry, statement, key, text)
            yield from _named_dose(entry, statement, key, text, evidence)
    held = supports(statement)
    for number, dimension, factor in numbers_in(_SPOKEN.sub(lambda match: _PER_KG[match[1]], statement.plain)):
        if not carried(number, dimension, factor, held):
            said = f"{number:g} as a {dimension}" if dimension else f"{number:g}"
            yield Problem(entry.file, entry.line("plain"), f"{entry.id}: plain", f"the words for patients hold {said}, which 'says' and 'values' do not",
                          "make them say the same; a number for patients must be one that was read")


def _without_unit(entry: Entry, statement: Statement, key: str, text: str) -> Iterator[Problem]:
    """A bare number where the key is an amount, or where the sentence gives the number a unit that the key does not name."""
    if _BARE.fullmatch(text) is None or _COUNTS & set(key.split("_")):
        return
    units = {unit for number, _, _ in numbers_in(text) for unit in _units_of(statement.says, number)}
    if key in _AMOUNTS or (units and "" not in units):
        example = next((f"{text} {unit}" for unit in sorted(units) if unit), "'2 g/kg' or '30 min'")
        yield Problem(entry.file, entry.line("values", key), f"{entry.id}: values.{key}", f"{text} has no unit",
                      f"write the number with its unit, for example {example}; a count has a key that says what is counted, such as days or courses")


def _units_of(says: str, number: float) -> Iterator[str]:
    """The unit behind each place where a sentence has this number; empty where there is none."""
    for value, dimension, factor in numbers_in(says):
        if same(value, number):
            yield next((name for name, unit in UNITS.items() if unit.dimension == dimension and same(unit.factor, factor)), "")


def _named_dose(entry: Entry, statement: Statement, key: str, text: str, evidence: Evidence) -> Iterator[Problem]:
    try:
        span = parse_span(text)
    except UnitProblem:
        return
    if span.unit and Quantity(1, span.unit).dimension == "mass per body mass":
        yield from _outside(entry, ("values", key), statement.id, Quantity(span.high, span.unit), "named-dose", evidence)
