"""Vials for each treatment day: the least waste, then the fewest vials, of one product only; from stock where stock is given.

Amounts are whole milligrams here, so that sizes such as 1.65 g or 2.5 g add up exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import add, le

import msgspec

from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Product
from ivigil.planning.draft import Context, Day, Draft, StockItem
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import is_called
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text

_LEAST_WASTE = "rounding.least-waste"
_PER_GRAM = Quantity(1, "g").in_unit("mg")

Counts = tuple[int, ...]
"""How many vials of each size, in the order of the sizes."""


class Lot(msgspec.Struct, frozen=True):
    """Vials taken from one lot on one day; ``size`` in g."""

    day: int
    size: float
    count: int
    lot: str
    expires: date | None


def milligrams(grams: float) -> int:
    """Whole milligrams."""
    return round(grams * _PER_GRAM)


def product_sizes(product: Product | None) -> tuple[int, ...]:
    """The vial sizes of a product in mg, largest first; empty when they were not read."""
    return product.vial_sizes if product is not None else ()


def usable_sizes(product: Product | None, context: Context) -> tuple[int, ...]:
    """The vial sizes in mg to plan with: those of this product in stock and in date on the first day, else those on the market."""
    if product is not None and context.stock:
        first = context.start.date()
        found = {milligrams(item.size.in_unit("g")) for item in context.stock if in_date(item, first) and item.count > 0 and of_product(item, product)}
        if found:
            return tuple(sorted(found, reverse=True))
    return product_sizes(product)


def in_date(item: StockItem, on: date) -> bool:
    """True when the lot has not expired on that day; the day of expiry itself is still good."""
    return item.expires is None or item.expires >= on


def of_product(item: StockItem, product: Product) -> bool:
    """True when a stock row names the product by id or brand."""
    return item.product == product.id or is_called(product, item.product)


# --- search -----------------------------------------------------------------------------------------------------------


def fewest_vials(sizes: tuple[int, ...], amount: int) -> int | None:
    """The fewest vials that make exactly ``amount`` mg, or None when none do. ``sizes`` in mg, largest first."""
    unit = math.gcd(*sizes) if sizes else 0
    if not unit or amount < 0 or amount % unit:
        return None
    return _table(sizes, _top(amount // unit))[amount // unit]


def best_vials(sizes: tuple[int, ...], need: int) -> Counts:
    """Counts per size that cover ``need`` mg with the least waste, then with the fewest vials.

    Exact: the table of fewest vials for every amount holds every combination, and the first amount at or above the need is the least waste.

    Raises:
        ValueError: no sizes, or a size that is not above nought.
    """
    if not sizes or min(sizes) <= 0:
        raise ValueError("vial sizes are needed, each above nought")
    return _best(sizes, -(-max(0, need) // math.gcd(*sizes)))


@lru_cache(maxsize=1024)
def _best(sizes: tuple[int, ...], at: int) -> Counts:
    """:func:`best_vials` for a need of so many units (of the sizes' greatest common divisor)."""
    unit = math.gcd(*sizes)
    table = _table(sizes, _top(at + sizes[0] // unit))
    while table[at] is None:
        at += 1
    counts = [0] * len(sizes)
    while at:
        for index, size in enumerate(sizes):
            step = size // unit
            here, before = table[at], table[at - step] if step <= at else None
            if here is not None and before is not None and before + 1 == here:
                counts[index] += 1
                at -= step
                break
    return tuple(counts)


def _top(units: int) -> int:
    """The table length for an amount: the next power of two, so that few tables serve all amounts."""
    return 1 << units.bit_length()


@lru_cache
def _table(sizes: tuple[int, ...], top: int) -> tuple[int | None, ...]:
    """The fewest vials for every amount from nought to ``top`` units (of the sizes' greatest common divisor)."""
    unit = math.gcd(*sizes)
    steps = [size // unit for size in sizes]
    fewest: list[int | None] = [0]
    for amount in range(1, top + 1):
        below = [before for step in steps if step <= amount and (before := fewest[amount - step]) is not None]
        fewest.append(min(below) + 1 if below else None)
    return tuple(fewest)


def nearest_makeable(sizes: tuple[int, ...], amount: int, low: int, high: int) -> int | None:
    """The amount in mg nearest to ``amount``, between ``low`` and ``high``, that whole vials make; the smaller of two equally near."""
    if not sizes:
        return None
    unit = math.gcd(*sizes)
    below, above = amount // unit, -(-amount // unit)
    reach = max(below - low // unit, high // unit - below, 0) + 1
    for distance in range(reach + 1):
        near = ((below - distance) * unit, (above + distance) * unit)
        for one in sorted(near, key=lambda makeable: (abs(makeable - amount), makeable)):
            if max(low, 1) <= one <= high and fewest_vials(sizes, one) is not None:
                return one
    return None


def from_stock(sizes: tuple[int, ...], pools: Sequence[Counts], needs: Sequence[int]) -> tuple[Counts, ...] | None:
    """Vials for each day from limited stock: the least total waste, then the fewest vials; None when the stock cannot cover all days.

    ``pools[d]`` counts the vials still in date on day ``d`` (never more than on the day before); ``needs[d]`` is that day's amount in mg.
    Exact: every way to cover a day from which no vial can be left out is tried, last day first. A branch is left when its bound cannot beat
    the best found, or when the same vials were already used up to the same day at no more cost.
    """
    free = [best_vials(sizes, need) for need in needs]
    if all(sum(free[day][index] for day in range(first, len(needs))) <= pools[first][index] for first in range(len(needs)) for index in range(len(sizes))):
        return tuple(free)
    covers = [_covers(sizes, pool, need) for pool, need in zip(pools, needs, strict=True)]
    if not all(covers):
        return None
    bounds = [(0, 0)]
    for cover in covers:
        bounds.append((bounds[-1][0] + cover[0][0][0], bounds[-1][1] + cover[0][0][1]))
    best: list[tuple[tuple[int, int], tuple[Counts, ...]]] = []
    reached_at: dict[tuple[int, Counts], tuple[int, int]] = {}

    def place(day: int, used: Counts, cost: tuple[int, int], chosen: tuple[Counts, ...]) -> None:
        if day < 0:
            best[:] = [(cost, chosen)]
            return
        if reached_at.get((day, used), (cost[0], cost[1] + 1)) <= cost:
            return
        reached_at[day, used] = cost
        rest = bounds[day]
        for own, counts in covers[day]:
            waste, number = cost[0] + own[0], cost[1] + own[1]
            if best and (waste + rest[0], number + rest[1] if waste + rest[0] == best[0][0][0] else 0) >= best[0][0]:
                return
            after = tuple(map(add, used, counts))
            if all(map(le, after, pools[day])):
                place(day - 1, after, (waste, number), (counts, *chosen))

    place(len(needs) - 1, (0,) * len(sizes), (0, 0), ())
    return best[0][1] if best else None


def _cost(sizes: tuple[int, ...], counts: Counts, need: int) -> tuple[int, int]:
    """Waste in mg and number of vials."""
    return sum(size * count for size, count in zip(sizes, counts, strict=True)) - need, sum(counts)


def _covers(sizes: tuple[int, ...], have: Counts, need: int) -> list[tuple[tuple[int, int], Counts]]:
    """Every way to cover ``need`` from which no vial can be left out, best first.

    Sizes run from large to small, so a cover is without a spare vial when the smallest vial in it is needed.
    """
    found: list[tuple[tuple[int, int], Counts]] = []

    def fill(index: int, left: int, counts: Counts) -> None:
        if left <= 0:
            found.append((_cost(sizes, padded := counts + (0,) * (len(sizes) - len(counts)), need), padded))
            return
        if index == len(sizes) or sum(size * count for size, count in zip(sizes[index:], have[index:], strict=True)) < left:
            return
        for count in range(min(have[index], -(-left // sizes[index])), -1, -1):
            fill(index + 1, left - count * sizes[index], (*counts, count))

    fill(0, need, ())
    return sorted(found, key=lambda cover: (cover[0], tuple(-count for count in cover[1])))


# --- step -------------------------------------------------------------------------------------------------------------


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Fill the vials and waste of every day, from the market's sizes or from stock."""
    if draft.blocked or draft.product is None or not draft.days:
        return draft
    product = draft.product
    if context.stock:
        return _stock_step(draft, evidence, context, product)
    sizes = product_sizes(product)
    if not sizes:
        text = f"The vial sizes of {product.brand} were not read; choose the vials from the packs at hand."
        return draft.saying(Line("vials.unknown", "vials", "ask", "warning", text, reasons(evidence, draft.facts, calculation=text, follows=("course.days",),
                                                                                              entries=(product,))))
    days = tuple(_filled(day, sizes, best_vials(sizes, milligrams(day.grams))) for day in draft.days)
    return msgspec.structs.replace(draft, days=days).saying(_choice_line(draft, evidence, product, days))


def _filled(day: Day, sizes: tuple[int, ...], counts: Counts) -> Day:
    vials = tuple((size / _PER_GRAM, count) for size, count in zip(sizes, counts, strict=True) if count)
    total = sum(size * count for size, count in zip(sizes, counts, strict=True))
    return msgspec.structs.replace(day, vials=vials, waste=(total - milligrams(day.grams)) / _PER_GRAM)


def vial_text(vials: Iterable[tuple[float, int]]) -> str:
    """``2 x 20 g + 1 x 10 g``."""
    return " + ".join(f"{count} x {number_text(size)} g" for size, count in vials)


def _choice_line(draft: Draft, evidence: Evidence, product: Product, days: tuple[Day, ...]) -> Line:
    rows = tuple((float(day.number), day_text(day.on), day.grams, vial_text(day.vials), float(sum(count for _, count in day.vials)), day.waste)
                 for day in days)
    table = Table((Column("Day"), Column("Date"), Column("Dose", "g"), Column("Vials"), Column("Number"), Column("Waste", "g")), rows)
    waste = sum(day.waste for day in days)
    same = len({day.vials for day in days}) == 1
    several = "; ".join(f"day {day.number}: {vial_text(day.vials)}" for day in days)
    each = f"{vial_text(days[0].vials)}{' on each day' if len(days) > 1 else ''}" if same else several
    text = f"{product.brand}: {each}. Waste {number_text(waste)} g. No other set of its vials wastes less, and none with this waste has fewer vials."
    cites = (*(product.vials.cites if product.vials is not None else ()), *((_LEAST_WASTE,) if _LEAST_WASTE in evidence.statements else ()))
    sums = (f"day {day.number}: {vial_text(day.vials)} = {number_text(day.grams + day.waste)} g for {number_text(day.grams)} g" for day in days)
    because = reasons(evidence, draft.facts, cites=cites, follows=("course.days",), calculation="; ".join(sums), entries=(product,))
    return Line("vials.choice", "vials", "give", "info", text, because, value=Quantity(waste, "g"), table=table)


def _stock_step(draft: Draft, evidence: Evidence, context: Context, product: Product) -> Draft:
    """The vials from stock: the lots that expire first are used first; what has expired on a day is not used on it."""
    items = [item for item in context.stock if of_product(item, product) and item.count > 0]
    sizes = tuple(sorted({milligrams(item.size.in_unit("g")) for item in items}, reverse=True))
    days = draft.days
    pools = [tuple(sum(item.count for item in items if milligrams(item.size.in_unit("g")) == size and in_date(item, day.on)) for size in sizes)
             for day in days]
    needs = [milligrams(day.grams) for day in days]
    covered = len(days)
    chosen: tuple[Counts, ...] | None = None
    while covered and chosen is None:
        chosen = from_stock(sizes, pools[:covered], needs[:covered]) if sizes else None
        covered -= chosen is None
    filled = tuple(_filled(day, sizes, counts) for day, counts in zip(days, chosen or (), strict=False))
    after = msgspec.structs.replace(draft, days=filled + days[len(filled):])
    lines: list[Line] = []
    if filled:
        lines.append(_choice_line(draft, evidence, product, filled))
        lots = tuple(_lots(items, filled))
        rows = tuple((float(lot.day), lot.size, float(lot.count), lot.lot or "not given", lot.expires.isoformat() if lot.expires else "not given")
                     for lot in lots)
        lines.append(Line("vials.lots", "vials", "give", "info", "Take the vials from these lots; those that expire first come first.",
                          reasons(evidence, draft.facts, calculation="lots in the order of their expiry dates", follows=("vials.choice",)),
                          table=Table((Column("Day"), Column("Size", "g"), Column("Vials"), Column("Lot"), Column("Expires")), rows)))
    if len(filled) < len(days):
        lines.append(_short_line(draft, evidence, product, items, days[len(filled):], filled))
    expired = [item for item in items if not in_date(item, days[-1].on)]
    if expired:
        what = "; ".join(f"{item.count} x {item.size} {f'lot {item.lot}, ' if item.lot else ''}expires {item.expires}" for item in expired)
        lines.append(Line("vials.expired", "vials", "avoid", "warning", f"Not used after expiry: {what}.",
                          reasons(evidence, draft.facts, calculation=f"last treatment day {days[-1].on}", follows=("course.days",))))
    return after.saying(*lines)


def _short_line(draft: Draft, evidence: Evidence, product: Product, items: list[StockItem], open_days: tuple[Day, ...],
                filled: tuple[Day, ...]) -> Line:
    usable = sum(item.count * item.size.in_unit("g") for item in items if in_date(item, open_days[0].on))
    used = sum(day.grams + day.waste for day in filled)
    need = sum(day.grams for day in open_days)
    left = max(0.0, usable - used)
    missing = max(0.0, need - left)
    which = f"day {open_days[0].number}" if len(open_days) == 1 else f"days {open_days[0].number}-{open_days[-1].number}"
    text = (f"The stock of {product.brand} does not cover {which}: {number_text(need)} g needed, {number_text(left)} g left in date, "
            f"{number_text(missing)} g missing. No other brand is mixed in.")
    sizes = product_sizes(product)
    if sizes and missing > 0:
        counts = best_vials(sizes, milligrams(missing))
        text += f" To order: {vial_text((size / _PER_GRAM, count) for size, count in zip(sizes, counts, strict=True) if count)}."
    elif missing <= 0:
        text += " The vials left do not divide over the days."
    because = reasons(evidence, draft.facts, calculation=f"{number_text(need)} g - {number_text(left)} g = {number_text(need - left)} g",
                      follows=("course.days",))
    return Line("vials.short", "vials", "check", "critical", text, because, value=Quantity(missing, "g"))


def _lots(items: list[StockItem], days: tuple[Day, ...]) -> Iterator[Lot]:
    """Which lot each vial comes from: day by day, the first to expire of those still in date; undated lots last."""
    order = sorted(items, key=lambda item: (item.expires is None, item.expires or date.max, item.lot))
    left = [item.count for item in order]
    for day in days:
        for size, count in day.vials:
            for index, item in enumerate(order):
                if count and left[index] and milligrams(item.size.in_unit("g")) == milligrams(size) and in_date(item, day.on):
                    taken = min(count, left[index])
                    left[index] -= taken
                    count -= taken
                    yield Lot(day.number, size, taken, item.lot, item.expires)
