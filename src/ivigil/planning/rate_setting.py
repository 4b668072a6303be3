"""What all rates of one plan rest on: the schedule that applies, the weight, the pump, and a printed rate as mL/h."""

from __future__ import annotations

import msgspec

from ivigil.basis.logic import Truth, any_of
from ivigil.basis.quantity import Quantity, Span, number_text
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import InfusionPolicy, Product, RateSchedule
from ivigil.planning import rates
from ivigil.planning.draft import Context, Day, Draft
from ivigil.planning.line import Line
from ivigil.planning.reasons import reasons

UNREAD = "ivigil-policy.rates-unread"


class Cap(msgspec.Struct, frozen=True):
    """An upper limit in mL/h with its working, who sets it and why; ``by`` is the entry of the evidence that does."""

    name: str
    flow: float
    working: str
    cites: tuple[str, ...]
    rule: str = ""
    by: object = None


class Setting(msgspec.Struct, frozen=True):
    """What all rates of one plan rest on: the product, its schedule, the weight in kg and the pump's increment in mL/h."""

    product: Product
    row: RateSchedule
    weight: float
    increment: float
    increment_cites: tuple[str, ...]
    first: Truth
    off_label: bool
    increment_by: InfusionPolicy | None = None

    def flow(self, rate: Quantity, also: Quantity | None = None) -> float:
        """A rate of this product in this patient as mL/h; of two printed readings the lower."""
        return rates.restrictive(rate, also, self.product.percent, self.weight)

    def cap(self, name: str, rate: Quantity, also: Quantity | None, cites: tuple[str, ...], rule: str = "", by: object = None) -> Cap:
        """A printed, decided or ordered limit with its working."""
        return Cap(name, self.flow(rate, also), self.working(rate, also), cites, rule, by)

    def working(self, rate: Quantity, also: Quantity | None = None) -> str:
        """``4 mg/kg/min x 70 kg at 10 % = 168 mL/h``."""
        both = f"{rate} (also printed {also}; the lower binds)" if also is not None else str(rate)
        patient = f" x {number_text(self.weight)} kg" if "body mass" in rate.dimension else ""
        strength = f" at {number_text(self.product.percent)} %" if "mass rate" in rate.dimension or also is not None else ""
        return f"{both}{patient}{strength} = {number_text(self.flow(rate, also))} mL/h"

    def down(self, flow: float) -> float:
        """The flow as the pump can be set, never above it."""
        return rates.round_down(flow, self.increment)

    def text(self, flow: float) -> str:
        """``168 mL/h (4 mg/kg/min)``."""
        return f"{number_text(self.down(flow))} mL/h ({number_text(rates.mass_rate(flow, self.product.percent, self.weight))} mg/kg/min)"


def first_infusion(draft: Draft) -> Truth:
    """Whether the patient counts as new to the product: never treated, another brand, or a gap that a rule calls long."""
    if any(constraint.act.act == "start" for constraint in draft.constraints):
        return True
    gap_known = False if "ig.weeks_since_last" in draft.facts else None
    return any_of((draft.facts.flag("ig.first_ever"), draft.facts.flag("product.switched"), gap_known))


def rate_weight(draft: Draft) -> float | None:
    """The weight in kg that rates are reckoned on: actual weight, or the dosing weight where that is lower."""
    known = [weight for weight in (draft.facts.number("weight", "kg"), draft.dose.weight if draft.dose is not None else None) if weight]
    return min(known, default=None)


def schedule_for(product: Product, draft: Draft, context: Context, weight: float, first: Truth) -> tuple[RateSchedule, bool] | None:
    """The label's schedule for the indication, and whether none is printed for it so that the product's most restrictive one stands in.

    Of several that fit, the most restrictive is taken. An unknown history is read as a first infusion.
    """
    rows = [
        row
        for row in product.rates
        if in_force(row.valid, context.as_of) and row.percent in {0, product.percent} and (row.who is None or truth_of(row.who, draft.facts) is not False)
    ]
    labelled = [row for row in rows if draft.indication is not None and draft.indication.id in row.indications]
    pool = labelled or rows
    number = "later" if first is False else "first"
    pool = [row for row in pool if row.infusion in {"any", number}] or pool
    if not pool:
        return None

    def speed(row: RateSchedule) -> tuple[float, float]:
        return (
            rates.restrictive(row.maximum.rate, row.maximum.also, product.percent, weight),
            rates.restrictive(row.start.rate, row.start.also, product.percent, weight),
        )

    return min(pool, key=speed), not labelled


def volume_of(day: Day, product: Product) -> float:
    """The day's volume in mL."""
    return day.volume or Quantity(day.grams, "g").in_unit("mg") / rates.strength(product.percent)


def setting_of(draft: Draft, product: Product, evidence: Evidence, context: Context) -> Setting | Line:
    """What the rates rest on, or the line that refuses a schedule because the product's rates were not read."""
    weight = rate_weight(draft)
    first = first_infusion(draft)
    found = schedule_for(product, draft, context, weight, first) if weight else None
    if found is None or weight is None or _remembered(found[0], evidence):
        text = f"The rates of {product.brand} were not read; use its label. No rate table is given."
        return Line("infusion.not-read", "infusion", "ask", "warning", text, reasons(evidence, draft.facts, cites=(UNREAD,), entries=(product,)))
    row, off_label = found
    increment, policy = _increment(draft, evidence, context)
    return Setting(product, row, weight, increment, policy.cites if policy is not None else (), first, off_label, policy)


def _remembered(row: RateSchedule, evidence: Evidence) -> bool:
    return any(evidence.statements[cite].read == "remembered" for cite in row.cites if cite in evidence.statements)


def _increment(draft: Draft, evidence: Evidence, context: Context) -> tuple[float, InfusionPolicy | None]:
    named = draft.record.order.pump_increment or context.pump_increment
    if named is not None:
        return named.in_unit("mL/h"), None
    fitting = [policy for policy in evidence.infusion_policies.values() if policy.increment is not None and holds(policy, draft)]
    finest = min(fitting, key=lambda policy: policy.increment.canonical if policy.increment is not None else 0.0, default=None)
    return (finest.increment.in_unit("mL/h"), finest) if finest is not None and finest.increment is not None else (0.0, None)


def holds(policy: InfusionPolicy, draft: Draft) -> bool:
    """Whether a site policy applies to this patient for certain."""
    return policy.when is None or truth_of(policy.when, draft.facts) is True


def one_reading(row: RateSchedule, evidence: Evidence) -> bool:
    """Whether no statement behind a schedule has been read twice."""
    found = [evidence.statements[cite] for cite in row.cites if cite in evidence.statements]
    return bool(found) and not any(statement.readings > 1 for statement in found)


def above(flow: float, limit: float) -> bool:
    """Whether a flow is above a limit by more than float dust."""
    return rates.tidy(flow) > rates.tidy(limit)


def hours_in(span: Span | None) -> float | None:
    """The longer end of a printed time in hours: the slower reading."""
    return None if span is None else hours_of(Quantity(span.high, span.unit))


def hours_of(time: Quantity | None) -> float | None:
    """A time in hours, None staying None."""
    return None if time is None else time.in_unit("h")
