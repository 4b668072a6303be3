"""Values that shape well and still cannot be right: dates that are none, days below one, vials that are no amount, markets that nobody buys from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec

from ivigil.basis.problems import Problem
from ivigil.evidence.compile import Entry
from ivigil.evidence.conditions import Condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Valid


def unsound(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    """The problems of one entry."""
    for valid in _validities(entry.value):
        yield from _dates(entry, valid)
    if entry.part == "indications":
        yield from _regimens(entry)
    if entry.part == "products":
        yield from _product(entry, evidence)


def _validities(node: Any) -> Iterator[Valid]:
    if isinstance(node, Valid):
        yield node
    elif isinstance(node, msgspec.Struct) and not isinstance(node, Condition):
        for field in node.__struct_fields__:
            yield from _validities(getattr(node, field))
    elif isinstance(node, tuple):
        for item in node:
            yield from _validities(item)


def _dates(entry: Entry, valid: Valid) -> Iterator[Problem]:
    days = []
    for text in (valid.start, valid.end):
        try:
            days.append(date.fromisoformat(text) if text else None)
        except ValueError:
            yield Problem(entry.file, entry.line(), entry.id, f"valid: '{text}' is not a date", "write year-month-day, for example 2026-07-01")
            return
    first, last = days
    if first is not None and last is not None and last < first:
        yield Problem(entry.file, entry.line(), entry.id, f"valid: it ends ({last}) before it begins ({first})", "correct one of the dates")


def _regimens(entry: Entry) -> Iterator[Problem]:
    seen: set[str] = set()
    for regimen in entry.value.regimens:
        if regimen.id in seen:
            yield Problem(entry.file, entry.line("regimens"), regimen.id, "two regimens have this id", "choose another id")
        seen.add(regimen.id)
        for name, span in (("over_days", regimen.dose.over_days), ("days", regimen.dose.days)):
            if span is not None and (span.low < 1 or span.unit):
                yield Problem(entry.file, entry.line("regimens"), f"{regimen.id}: {name}", f"{span} is no number of days",
                              "write whole days, for example 5 or 2-5")


def _product(entry: Entry, evidence: Evidence) -> Iterator[Problem]:
    product = entry.value
    markets = {market for place in evidence.jurisdictions.values() for market in place.markets}
    if markets and product.market not in markets:
        yield Problem(entry.file, entry.line("market"), entry.id, f"no jurisdiction buys from the market '{product.market}'",
                      f"write one of {', '.join(sorted(markets))}")
    for size in product.vials.sizes if product.vials is not None else ():
        if size.dimension != "mass":
            yield Problem(entry.file, entry.line("vials"), f"{entry.id}: vials", f"{size} is no amount of immunoglobulin",
                          "write grams of IgG, for example 10 g")
