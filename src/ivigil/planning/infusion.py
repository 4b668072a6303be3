"""Turns a label's rates into the mL/h table of each day: first rate, steps, the cap that binds and its name, clock times.

Only what the label prints is shown as label. Steps between a printed start and a printed maximum come from the label's own steps or
increments, or from a site-policy ramp that was asked for and is shown as policy; otherwise the table holds the two printed rates.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ivigil.basis.because import Alternative, Urgency
from ivigil.basis.logic import Truth, any_of
from ivigil.basis.quantity import Quantity, Span, UnitProblem, number_text, parse_quantity
from ivigil.evidence.conditions import judge
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import InfusionPolicy, Product, Ramp, RateSchedule, SafetyRule
from ivigil.planning import rates, subcutaneous
from ivigil.planning.draft import Context, Day, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import planned_route
from ivigil.planning.rates import Rung
from ivigil.planning.reasons import reasons

RATE_WEIGHT = "ivigil-policy.rate-weight"
UNREAD = "ivigil-policy.rates-unread"
OFF_LABEL = "ivigil-policy.off-label-rate"
UNKNOWN_HISTORY = "ivigil-policy.unknown-history-is-first"
ORDERED = "ivigil-policy.ordered-rate"

COLUMNS = (
    Column("Step"),
    Column("From"),
    Column("To"),
    Column("Rate", "mg/kg/min"),
    Column("Rate", "mL/kg/h"),
    Column("Pump", "mL/h"),
    Column("Volume", "mL"),
    Column("Total", "mL"),
)
"""Columns of a day's table."""


class Cap(msgspec.Struct, frozen=True):
    """An upper limit in mL/h with its working, who sets it and why."""

    name: str
    flow: float
    working: str
    cites: tuple[str, ...]
    rule: str = ""


class Setting(msgspec.Struct, frozen=True):
    """What all rates of one plan rest on: the product, its schedule, the weight in kg and the pump's increment in mL/h."""

    product: Product
    row: RateSchedule
    weight: float
    increment: float
    increment_cites: tuple[str, ...]
    first: Truth
    off_label: bool

    def flow(self, rate: Quantity, also: Quantity | None = None) -> float:
        """A rate of this product in this patient as mL/h; of two printed readings the lower."""
        return rates.restrictive(rate, also, self.product.percent, self.weight)

    def cap(self, name: str, rate: Quantity, also: Quantity | None, cites: tuple[str, ...], rule: str = "") -> Cap:
        """A printed, decided or ordered limit with its working."""
        return Cap(name, self.flow(rate, also), self.working(rate, also), cites, rule)

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


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Add the rate lines and one table per treatment day; refuse with one line where the rates were not read."""
    if draft.blocked or draft.product is None or draft.indication is None:
        return draft
    if planned_route(draft) != "intravenous":
        return subcutaneous.step(draft, evidence, context)
    if draft.dose is None or not draft.days:
        return draft
    setting = _setting(draft, draft.product, evidence, context)
    if isinstance(setting, Line):
        return draft.saying(setting)
    ramp, ramp_lines = _ramp(setting, draft, evidence, context)
    caps = caps_of(setting, draft, evidence, context, ramp)
    binding = min(caps, key=lambda cap: cap.flow)
    lines = [_weight_line(setting, draft, evidence)]
    if setting.off_label:
        lines.append(_off_label_line(setting, draft, evidence))
    lines += _ordered_lines(setting, draft, evidence, caps)
    start = min(setting.flow(setting.row.start.rate, setting.row.start.also), binding.flow)
    if setting.down(start) <= 0:
        return draft.saying(*lines, _too_slow_line(setting, draft, evidence, start))
    lines += [_start_line(setting, draft, evidence, start, binding), _cap_line(setting, draft, evidence, caps, binding), *ramp_lines]
    rungs = rungs_of(setting, binding.flow, ramp)
    lines += [_day_line(setting, draft, evidence, context, day, rungs, ramp) for day in draft.days]
    lines += _too_long_lines(setting, draft, evidence, rungs, binding)
    return draft.saying(*lines)


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
        if in_force(row.valid, context.as_of) and row.percent in {0, product.percent} and (row.who is None or judge(row.who, draft.facts).truth is not False)
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


def caps_of(setting: Setting, draft: Draft, evidence: Evidence, context: Context, ramp: Ramp | None = None) -> list[Cap]:
    """Every limit on the rate, the label's maximum first. An order above the others is no limit and is left out."""
    row, product = setting.row, setting.product
    caps = [setting.cap(f"label maximum of {product.brand}", row.maximum.rate, row.maximum.also, row.cites)]
    if _extended_asked(setting, draft) and row.extended is not None:
        caps = [setting.cap(f"extended label maximum of {product.brand}, as ordered", row.extended.rate, row.extended.also, row.cites)]
    caps += _risk_caps(setting, draft, evidence)
    volume = min(volume_of(day, product) for day in draft.days)
    if draft.regimen is not None and draft.regimen.hours is not None and draft.regimen.hours.unit:
        hours = Quantity(draft.regimen.hours.low, draft.regimen.hours.unit)
        caps.append(_time_cap("infusion time in the regimen", volume, hours, draft.regimen.cites))
    for constraint in draft.constraints:
        if constraint.act.act == "hours-at-least" and constraint.act.hours is not None:
            caps.append(_time_cap(f"rule '{constraint.rule.about}'", volume, constraint.act.hours, constraint.rule.cites, constraint.rule.id))
    if ramp is not None and ramp.steps and ramp.steps[-1].hold is None:
        caps.append(setting.cap(f"last step of the ramp '{ramp.name}'", ramp.steps[-1].rate, ramp.steps[-1].also, ramp.cites))
    pump = draft.record.order.pump_max or context.pump_max
    if pump is not None:
        caps.append(setting.cap("maximum of the pump", pump, None, (ORDERED,)))
    ordered = draft.record.order.rate_max
    if ordered is not None and not _above(setting.flow(ordered), min(cap.flow for cap in caps)):
        caps.append(setting.cap("rate ordered", ordered, None, (ORDERED,)))
    return caps


def _time_cap(name: str, volume: float, hours: Quantity, cites: tuple[str, ...], rule: str = "") -> Cap:
    """The rate at which the volume (mL) lasts at least so long."""
    time = hours.in_unit("h")
    working = f"{number_text(volume)} mL / {number_text(time)} h = {number_text(volume / time)} mL/h"
    return Cap(f"{name}, at least {number_text(time)} h", volume / time, working, cites, rule)


def rungs_of(setting: Setting, cap: float, ramp: Ramp | None = None) -> list[Rung]:
    """The rates of one day as the pump is set, up to ``cap`` (mL/h): label steps, label increments, or a ramp; else start and cap only."""
    row = setting.row
    every = _hours(row.increase.every) if row.increase is not None else None
    start = Rung(setting.flow(row.start.rate, row.start.also), _hours(row.start.hold))
    if prints_steps(row):
        by = setting.flow(row.increase.by) if row.increase is not None and row.increase.by is not None else 0.0
        between = [Rung(setting.flow(one.rate, one.also), _hours(one.hold) or every) for one in row.steps]
        found = rates.ladder(Rung(start.flow, start.hold or every), between, cap, by=by, every=every)
    elif ramp is not None:
        pace = _hours_of(ramp.every)
        between = [Rung(setting.flow(one.rate, one.also), _hours(one.hold) or pace) for one in ramp.steps]
        longest = max((hold for hold in (start.hold, pace) if hold is not None), default=None)
        found = rates.ladder(Rung(start.flow, longest), [rung for rung in between if rung.flow > start.flow], cap, times=ramp.multiply_by, every=pace)
    else:
        found = rates.ladder(Rung(start.flow, start.hold or every), (), cap)
    rungs: list[Rung] = []
    for rung in found:
        flow = setting.down(rung.flow)
        if rungs and flow == rungs[-1].flow:
            # Two rates that the pump cannot tell apart are one step.
            last = rungs.pop()
            rung = Rung(flow, None if rung.hold is None or last.hold is None else last.hold + rung.hold)
        rungs.append(Rung(flow, rung.hold))
    return rungs


def prints_steps(row: RateSchedule) -> bool:
    """Whether the label itself prints rates between start and maximum."""
    return bool(row.steps) or (row.increase is not None and row.increase.by is not None)


def volume_of(day: Day, product: Product) -> float:
    """The day's volume in mL."""
    return day.volume or Quantity(day.grams, "g").in_unit("mg") / rates.strength(product.percent)


def _setting(draft: Draft, product: Product, evidence: Evidence, context: Context) -> Setting | Line:
    weight = rate_weight(draft)
    first = first_infusion(draft)
    found = schedule_for(product, draft, context, weight, first) if weight else None
    if found is None or weight is None or _remembered(found[0], evidence):
        text = f"The rates of {product.brand} were not read; use its label. No rate table is given."
        return Line("infusion.not-read", "infusion", "ask", "warning", text, reasons(evidence, draft.facts, cites=(UNREAD,)))
    row, off_label = found
    increment, cites = _increment(draft, evidence, context)
    return Setting(product, row, weight, increment, cites, first, off_label)


def _remembered(row: RateSchedule, evidence: Evidence) -> bool:
    return any(evidence.statements[cite].read == "remembered" for cite in row.cites if cite in evidence.statements)


def _increment(draft: Draft, evidence: Evidence, context: Context) -> tuple[float, tuple[str, ...]]:
    named = draft.record.order.pump_increment or context.pump_increment
    if named is not None:
        return named.in_unit("mL/h"), ()
    fitting = [policy for policy in evidence.infusion_policies.values() if policy.increment is not None and _holds(policy, draft)]
    finest = min(fitting, key=lambda policy: policy.increment.canonical if policy.increment is not None else 0.0, default=None)
    return (finest.increment.in_unit("mL/h"), finest.cites) if finest is not None and finest.increment is not None else (0.0, ())


def _holds(policy: InfusionPolicy, draft: Draft) -> bool:
    return policy.when is None or judge(policy.when, draft.facts).truth is True


def _risk_caps(setting: Setting, draft: Draft, evidence: Evidence) -> Iterable[Cap]:
    asked: list[SafetyRule] = []
    for constraint in draft.constraints:
        if constraint.act.act == "cap-rate":
            rule, limit = constraint.rule, _number(constraint.act.to)
            if limit is None:
                asked.append(rule)
            else:
                yield setting.cap(f"rule '{rule.about}'", limit, None, rule.cites, rule.id)
    for policy in evidence.infusion_policies.values():
        if policy.cap is not None and policy.when is not None and _holds(policy, draft):
            yield setting.cap(f"ivigil default policy, {_lower(policy.name)}", policy.cap, None, policy.cites)
    if not asked:
        return
    cites = tuple(cite for rule in asked for cite in rule.cites)
    about = ", ".join(dict.fromkeys(_lower(rule.about) for rule in asked))
    risk = setting.row.at_risk
    if risk is not None and risk.rate is not None:
        yield setting.cap(f"label limit at risk ({about})", risk.rate, risk.also, (*setting.row.cites, *cites), asked[0].id)
        return
    for policy in evidence.infusion_policies.values():
        if policy.cap is not None and policy.when is None:
            name = f"ivigil default limit at risk ({about}); the label prints no number"
            yield setting.cap(name, policy.cap, None, (*policy.cites, *cites), asked[0].id)


def _number(written: str) -> Quantity | None:
    """The rate a cap-rate act names; None for ``label-or-policy``, the label's own limit at risk or the decided one where it prints none."""
    try:
        return parse_quantity(written)
    except UnitProblem:
        return None


def _extended_asked(setting: Setting, draft: Draft) -> bool:
    """A higher label maximum is used only when it was ordered and its condition is known to hold, and never at a first infusion."""
    ordered, extended = draft.record.order.rate_max, setting.row.extended
    if ordered is None or extended is None or extended.condition is None or setting.first is not False or setting.off_label:
        return False
    return (
        _above(setting.flow(ordered), setting.flow(setting.row.maximum.rate, setting.row.maximum.also)) and judge(extended.condition, draft.facts).truth is True
    )


def _ramp(setting: Setting, draft: Draft, evidence: Evidence, context: Context) -> tuple[Ramp | None, list[Line]]:
    name = draft.record.order.ramp or context.ramp
    if not name:
        return None, []
    ramp = evidence.ramps.get(name)
    if ramp is None:
        text = f"No ramp is called '{name}'; known: {', '.join(evidence.ramps) or 'none'}. Only the label's rates are shown."
        return None, [Line("infusion.policy", "infusion", "ask", "warning", text, reasons(evidence, draft.facts, cites=(UNREAD,)))]
    because = reasons(evidence, draft.facts, cites=ramp.cites, rule=ramp.id)
    if prints_steps(setting.row):
        return None, [Line("infusion.policy", "infusion", "record", "info", f"The label prints its own steps, so the ramp '{ramp.name}' is not used.", because)]
    said = f" {ramp.say}" if ramp.say else ""
    return ramp, [
        Line("infusion.policy", "infusion", "check", "warning", f"The steps between start and maximum are site policy, not label: {ramp.name}.{said}", because)
    ]


def _weight_line(setting: Setting, draft: Draft, evidence: Evidence) -> Line:
    actual = draft.facts.number("weight", "kg")
    weight = number_text(setting.weight)
    if actual is not None and setting.weight < actual:
        text = f"Rates are reckoned on the dosing weight of {weight} kg, because it is lower than the actual {number_text(actual)} kg."
        sum_ = f"lower of actual {number_text(actual)} kg and dosing weight {weight} kg = {weight} kg"
    else:
        text, sum_ = f"Rates are reckoned on the body weight of {weight} kg.", ""
    because = reasons(evidence, draft.facts, cites=(RATE_WEIGHT,), uses=("weight",), calculation=sum_)
    return Line("infusion.weight", "infusion", "record", "info", text, because, value=Quantity(setting.weight, "kg"))


def _off_label_line(setting: Setting, draft: Draft, evidence: Evidence) -> Line:
    name = draft.indication.name.clinical if draft.indication is not None else "this indication"
    text = f"{setting.product.brand} prints no rate for {name}; its most restrictive schedule is used ({', '.join(setting.row.indications)})."
    return Line("infusion.off-label", "infusion", "check", "warning", text, reasons(evidence, draft.facts, cites=(OFF_LABEL, *setting.row.cites)))


def _start_line(setting: Setting, draft: Draft, evidence: Evidence, start: float, binding: Cap) -> Line:
    row = setting.row
    hold = f" for {row.start.hold}" if row.start.hold is not None else ""
    printed = setting.flow(row.start.rate, row.start.also)
    parts = [f"Start at {setting.text(start)}{hold}."]
    cites = list(row.cites)
    urgency: Urgency = "info"
    if start < printed:
        parts.append(f"The label would start at {setting.text(printed)}; the {binding.name} lies below it.")
        cites += binding.cites
    naive = [constraint.rule for constraint in draft.constraints if constraint.act.act == "start"]
    if setting.first:
        urgency = "warning"
        why = f" ({', '.join(dict.fromkeys(_lower(rule.about) for rule in naive))})" if naive else ""
        parts.append(f"Handled as a first infusion{why}: begin here, raise slowly, and observe closely.")
        cites += [cite for rule in naive for cite in rule.cites]
    elif setting.first is None:
        urgency = "warning"
        parts.append("Earlier infusions are not fully known, so this is planned as a first infusion.")
        cites.append(UNKNOWN_HISTORY)
    if _one_reading(row, evidence):
        parts.append("These rates rest on one reading; check them against the label of the pack.")
    because = reasons(
        evidence,
        draft.facts,
        cites=cites,
        uses=("ig.first_ever", "ig.weeks_since_last", "product.switched", "weight"),
        rule=naive[0].id if naive else "",
        calculation=setting.working(row.start.rate, row.start.also),
        reading=row.note,
    )
    return Line("infusion.start", "infusion", "give", urgency, " ".join(parts), because, value=Quantity(setting.down(start), "mL/h"))


def _cap_line(setting: Setting, draft: Draft, evidence: Evidence, caps: list[Cap], binding: Cap) -> Line:
    rows = tuple(
        (cap.name, rates.tidy(rates.mass_rate(cap.flow, setting.product.percent, setting.weight)), setting.down(cap.flow), "binds" if cap is binding else "")
        for cap in caps
    )
    table = Table((Column("Limit"), Column("Rate", "mg/kg/min"), Column("Pump", "mL/h"), Column("")), rows)
    others = [Alternative(cap.name, f"higher, {setting.text(cap.flow)}", cap.cites) for cap in caps if cap is not binding]
    extended = setting.row.extended
    if extended is not None and not binding.name.startswith("extended"):
        others.append(Alternative(f"extended maximum {extended.rate}", extended.say or "only in special circumstances; never used unasked", setting.row.cites))
    risk = setting.row.at_risk
    practicable = " The label asks for the lowest practicable rate." if binding.rule and risk is not None and risk.practicable else ""
    text = f"No faster than {setting.text(binding.flow)}: {binding.name}.{practicable}"
    because = reasons(
        evidence,
        draft.facts,
        cites=(*binding.cites, *setting.increment_cites),
        uses=("weight",),
        rule=binding.rule,
        instead_of=others,
        calculation=binding.working,
        follows=("infusion.weight",),
    )
    return Line(
        "infusion.cap",
        "infusion",
        "give",
        "warning" if binding.rule else "info",
        text,
        because,
        value=Quantity(setting.down(binding.flow), "mL/h"),
        table=table,
    )


def _ordered_lines(setting: Setting, draft: Draft, evidence: Evidence, caps: list[Cap]) -> list[Line]:
    ordered = draft.record.order.rate_max
    if ordered is None:
        return []
    lowest = min(caps, key=lambda cap: cap.flow)
    if not _above(setting.flow(ordered), lowest.flow):
        return []
    text = f"The ordered rate of {ordered} is refused: {lowest.name} is {setting.text(lowest.flow)}."
    because = reasons(evidence, draft.facts, cites=(ORDERED, *lowest.cites), rule=lowest.rule)
    return [Line("infusion.ordered-rate", "infusion", "avoid", "critical", text, because)]


def _too_slow_line(setting: Setting, draft: Draft, evidence: Evidence, start: float) -> Line:
    text = (
        f"The first rate of {number_text(start)} mL/h is below the pump's increment of {number_text(setting.increment)} mL/h. Use a pump with finer steps; "
        "no rate table is given."
    )
    return Line("infusion.pump", "infusion", "check", "critical", text, reasons(evidence, draft.facts, cites=(*setting.increment_cites, *setting.row.cites)))


def _too_long_lines(setting: Setting, draft: Draft, evidence: Evidence, rungs: list[Rung], binding: Cap) -> list[Line]:
    """A warning where the limits in force do not let a day's volume in within a day."""
    volume = max(volume_of(day, setting.product) for day in draft.days)
    hours = rates.climb(rungs, volume)[-1].end or 0.0
    if hours <= Quantity(1.0, "day").in_unit("h"):
        return []
    text = f"{number_text(volume)} mL take at least {number_text(hours)} h within these limits, more than a day. Plan more days or another strength or route."
    because = reasons(evidence, draft.facts, cites=binding.cites, rule=binding.rule, calculation=binding.working, follows=("infusion.cap",))
    return [Line("infusion.too-long", "infusion", "check", "critical", text, because, value=Quantity(rates.tidy(hours), "h"))]


def _day_line(setting: Setting, draft: Draft, evidence: Evidence, context: Context, day: Day, rungs: list[Rung], ramp: Ramp | None) -> Line:
    begin = datetime.combine(day.on, context.start.time())
    volume = volume_of(day, setting.product)
    stretches = rates.climb(rungs, volume)
    rows = tuple(
        (
            str(number),
            rates.clock(begin, one.start),
            rates.clock(begin, one.end),
            rates.tidy(rates.mass_rate(one.flow, setting.product.percent, setting.weight)),
            rates.tidy(rates.weight_rate(one.flow, setting.weight)),
            one.flow,
            one.volume,
            one.total,
        )
        for number, one in enumerate(stretches, start=1)
    )
    amount = f"Day {day.number}: {number_text(day.grams)} g in {number_text(volume)} mL from {begin:%H:%M}"
    ends = stretches[-1].end
    first, last = rungs[0], stretches[-1]
    rates_text = f"{number_text(first.flow)} mL/h" if len(stretches) == 1 else f"{number_text(first.flow)} mL/h rising to {number_text(last.flow)} mL/h"
    row = setting.row
    if prints_steps(row) or ramp is not None or len(rungs) == 1:
        source = f"Steps between are site policy: {ramp.name}." if ramp is not None else ""
        text = f"{amount}, {rates_text}; in by {rates.clock(begin, ends)} if every step is tolerated."
    else:
        latest = rates.clock(begin, volume / first.flow)
        pace = f" Raise every {row.increase.every} if tolerated." if row.increase is not None and row.increase.every is not None else ""
        said = f" {row.increase.say}" if row.increase is not None and row.increase.say else ""
        source = f"The label prints the start and the maximum only.{pace}{said}"
        text = f"{amount}, {rates_text} as tolerated; ends at {rates.clock(begin, ends)} at the earliest, {latest} if the start rate is kept."
    sum_ = f"{number_text(day.grams)} g / {number_text(rates.strength(setting.product.percent))} mg/mL = {number_text(volume)} mL"
    because = reasons(
        evidence,
        draft.facts,
        cites=(*row.cites, *(ramp.cites if ramp is not None else ()), *setting.increment_cites),
        uses=("weight",),
        calculation=sum_,
        follows=("infusion.weight", "infusion.cap"),
    )
    return Line(
        f"infusion.day-{day.number}", "infusion", "give", "info", text, because, value=Quantity(volume, "mL"), when=day.on, table=Table(COLUMNS, rows, source)
    )


def _one_reading(row: RateSchedule, evidence: Evidence) -> bool:
    found = [evidence.statements[cite] for cite in row.cites if cite in evidence.statements]
    return bool(found) and not any(statement.readings > 1 for statement in found)


def _above(flow: float, limit: float) -> bool:
    """Whether a flow is above a limit by more than float dust."""
    return rates.tidy(flow) > rates.tidy(limit)


def _hours(span: Span | None) -> float | None:
    """The longer end of a printed time in hours: the slower reading."""
    return None if span is None else _hours_of(Quantity(span.high, span.unit))


def _hours_of(time: Quantity | None) -> float | None:
    return None if time is None else time.in_unit("h")


def _lower(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
