"""What the course uses and costs: grams, vials, waste, and money from the site's own price list."""

from __future__ import annotations

import math

from ivigil.basis.quantity import Quantity, Span, number_text
from ivigil.evidence.doses import every_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Product
from ivigil.planning.draft import Context, Day, Draft, PriceItem
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import is_called
from ivigil.planning.reasons import reasons
from ivigil.planning.vials import milligrams, vial_text


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Say what is used, what it costs by the price list given, and how much a month and a year a repeated dose takes."""
    if draft.blocked or not draft.days:
        return draft
    draft = draft.saying(_use_line(draft, evidence))
    repeated = _repeat_line(draft, evidence)
    draft = draft.saying(*([repeated] if repeated is not None else []))
    return draft.saying(_price_line(draft, evidence, context)) if draft.product is not None else draft


def _use_line(draft: Draft, evidence: Evidence) -> Line:
    grams, waste = sum(day.grams for day in draft.days), sum(day.waste for day in draft.days)
    vials = _vials(draft.days)
    count = sum(vials.values())
    held = f" from {count} {'vial' if count == 1 else 'vials'} ({vial_text(vials.items())}), {number_text(waste)} g wasted" if vials else ""
    follows = ("course.days", "vials.choice") if vials else ("course.days",)
    return Line("cost.use", "cost", "record", "info", f"The course takes {number_text(grams)} g{held}.",
                reasons(evidence, draft.facts, follows=follows,
                        calculation=f"{' + '.join(number_text(day.grams) for day in draft.days)} = {number_text(grams)} g"), value=Quantity(grams, "g"))


def _repeat_line(draft: Draft, evidence: Evidence) -> Line | None:
    """Grams a month and a year for a dose that is repeated; a range of intervals gives a range of grams."""
    dose, regimen = draft.dose, draft.regimen
    if dose is None:
        return None
    every = Span(dose.every.value, dose.every.value, dose.every.unit) if dose.every is not None else regimen.dose.every if regimen is not None else None
    if every is None or not every.unit or every.low <= 0:
        return None
    grams = sum(day.grams for day in draft.days)
    texts = {unit: _range(grams, every, unit) for unit in ("month", "year")}
    text = f"Given {every_text(every)}: {texts['month']} g a month, {texts['year']} g a year."
    return Line("cost.repeat", "cost", "record", "info", text,
                reasons(evidence, draft.facts, cites=regimen.cites if regimen is not None else (), calculation=f"{number_text(grams)} g {every_text(every)}",
                        follows=("course.days",), entries=(regimen,)),
                value=Quantity(_per(grams, every.high, every.unit, "year"), "g"))


def _per(grams: float, every: float, unit: str, period: str) -> float:
    return grams * Quantity(1, period).in_unit("day") / Quantity(every, unit).in_unit("day")


def _range(grams: float, every: Span, period: str) -> str:
    low, high = (number_text(round(_per(grams, value, every.unit, period))) for value in (every.high, every.low))
    return low if low == high else f"{low}-{high}"


def _price_line(draft: Draft, evidence: Evidence, context: Context) -> Line:
    product = draft.product
    assert product is not None
    prices = [price for price in context.prices if price.product == product.id or is_called(product, price.product)]
    wanted = evidence.jurisdictions[context.jurisdiction].currency
    currencies = sorted({price.currency for price in prices}, key=lambda name: (name != wanted, name))
    for currency in currencies:
        line = _priced(draft, evidence, product, [price for price in prices if price.currency == currency], currency)
        if line is not None:
            return line
    text = f"No price for {product.brand} stands in the price list." if context.prices else "No price list was given; no cost is worked out."
    return Line("cost.price", "cost", "record", "info", text, reasons(evidence, draft.facts, calculation="no price given", follows=("cost.use",)))


def _priced(draft: Draft, evidence: Evidence, product: Product, prices: list[PriceItem], currency: str) -> Line | None:
    """Vials at their own price, or at the price per gram of what they hold; without vials, grams. None when a price is missing."""
    per_gram = next((price.per_gram for price in prices if price.per_gram is not None and _sound(price.per_gram)), None)
    per_vial = {milligrams(price.size.in_unit("g")): price.per_vial
                for price in prices if price.size is not None and price.per_vial is not None and _sound(price.per_vial)}
    vials = _vials(draft.days)
    grams, waste = sum(day.grams for day in draft.days), sum(day.waste for day in draft.days)
    rows: list[tuple[str | float | None, ...]] = []
    total = 0.0
    for size, count in vials.items():
        price = per_vial.get(milligrams(size))
        if price is None:
            if per_gram is None:
                return None
            price = per_gram * size
        rows.append((f"{number_text(size)} g", float(count), price, price * count))
        total += price * count
    if not vials or any(not day.vials for day in draft.days):
        if per_gram is None:
            return None
        open_grams = sum(day.grams for day in draft.days if not day.vials)
        rows.append((f"{number_text(open_grams)} g", None, per_gram, per_gram * open_grams))
        total += per_gram * open_grams
    lost = total * waste / (grams + waste)
    text = f"{product.brand}: {_money(total, currency)} for the course by the price list given"
    text += f", of which {_money(lost, currency)} for {number_text(waste)} g wasted." if waste > 0 else "."
    calculation = " + ".join(f"{item}{f' x {number_text(number)}' if isinstance(number, float) else ''}: {_money(float(money or 0), currency)}"
                             for item, number, _, money in rows)
    return Line("cost.price", "cost", "record", "info", text, reasons(evidence, draft.facts, calculation=calculation, follows=("cost.use",)),
                table=Table((Column("Item"), Column("Number"), Column("Price", currency), Column("Sum", currency)), tuple(rows)))


def _sound(price: float) -> bool:
    return math.isfinite(price) and price >= 0


def _money(amount: float, currency: str) -> str:
    return f"{currency} {amount:,.2f}"


def _vials(days: tuple[Day, ...]) -> dict[float, int]:
    found: dict[float, int] = {}
    for day in days:
        for size, count in day.vials:
            found[size] = found.get(size, 0) + count
    return dict(sorted(found.items(), reverse=True))
