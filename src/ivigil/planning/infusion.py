"""Turns a label's rates into the mL/h table of each day: first rate, steps, the cap that binds and its name, clock times.

Only what the label prints is shown as label. Steps between a printed start and a printed maximum come from the label's own steps or
increments, or from a site-policy ramp that was asked for and is shown as policy; otherwise the table holds the two printed rates.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from ivigil.basis.because import Alternative, Urgency
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Product, Ramp, RateSchedule
from ivigil.planning import rates, subcutaneous
from ivigil.planning.draft import Context, Day, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import planned_route
from ivigil.planning.rate_caps import ORDERED, caps_of, whose
from ivigil.planning.rate_setting import (
    UNREAD,
    Cap,
    Setting,
    above,
    hours_in,
    hours_of,
    one_reading,
    rate_weight,
    setting_of,
    volume_of,
)
from ivigil.planning.rates import Rung
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text, days_text, lower_first

RATE_WEIGHT = "ivigil-policy.rate-weight"
OFF_LABEL = "ivigil-policy.off-label-rate"
UNKNOWN_HISTORY = "ivigil-policy.unknown-history-is-first"
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


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Add the rate lines and one table per treatment day; refuse with one line where the rates were not read."""
    if draft.blocked or draft.product is None or draft.indication is None:
        return draft
    if planned_route(draft) != "intravenous":
        return subcutaneous.step(draft, evidence, context)
    if draft.dose is None or not draft.days:
        return draft
    setting = setting_of(draft, draft.product, evidence, context)
    if isinstance(setting, Line):
        return draft.saying(setting, *_limits_all_the_same(draft, draft.product, evidence))
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
    alike = [tuple(days) for _, days in groupby(draft.days, key=lambda day: (day.grams, volume_of(day, setting.product)))]
    lines += [_days_line(setting, draft, evidence, context, days, rungs, ramp) for days in alike]
    lines += _too_long_lines(setting, draft, evidence, rungs, binding)
    return msgspec.structs.replace(draft.saying(*lines), ends=_end(setting, draft.days[-1], rungs, context))


def _end(setting: Setting, day: Day, rungs: list[Rung], context: Context) -> datetime:
    """When the day's infusion is in, if every step is tolerated."""
    hours = rates.climb(rungs, volume_of(day, setting.product))[-1].end or 0.0
    return datetime.combine(day.on, context.start.time()) + timedelta(days=Quantity(hours, "h").canonical)


def rungs_of(setting: Setting, cap: float, ramp: Ramp | None = None) -> list[Rung]:
    """The rates of one day as the pump is set, up to ``cap`` (mL/h): label steps, label increments, or a ramp; else start and cap only."""
    row = setting.row
    every = hours_in(row.increase.every) if row.increase is not None else None
    start = Rung(setting.flow(row.start.rate, row.start.also), hours_in(row.start.hold))
    if prints_steps(row):
        by = setting.flow(row.increase.by) if row.increase is not None and row.increase.by is not None else 0.0
        between = [Rung(setting.flow(one.rate, one.also), hours_in(one.hold) or every) for one in row.steps]
        found = rates.ladder(Rung(start.flow, start.hold or every), between, cap, by=by, every=every)
    elif ramp is not None:
        pace = hours_of(ramp.every)
        between = [Rung(setting.flow(one.rate, one.also), hours_in(one.hold) or pace) for one in ramp.steps]
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
    return Line("infusion.off-label", "infusion", "check", "warning", text,
                reasons(evidence, draft.facts, cites=(OFF_LABEL, *setting.row.cites), entries=(setting.row,)))


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
        why = f" ({', '.join(dict.fromkeys(lower_first(rule.about) for rule in naive))})" if naive else ""
        parts.append(f"Handled as a first infusion{why}: begin here, raise slowly, and observe closely.")
        cites += [cite for rule in naive for cite in rule.cites]
    elif setting.first is None:
        urgency = "warning"
        parts.append("Earlier infusions are not fully known, so this is planned as a first infusion.")
        cites.append(UNKNOWN_HISTORY)
    if one_reading(row, evidence):
        parts.append("These rates rest on one reading; check them against the label of the pack.")
    because = reasons(
        evidence,
        draft.facts,
        cites=cites,
        uses=("ig.first_ever", "ig.weeks_since_last", "product.switched", "weight"),
        rule=naive[0].id if naive else "",
        calculation=setting.working(row.start.rate, row.start.also),
        reading=row.note,
        entries=(row, *naive, *((binding.by,) if start < printed else ())),
    )
    return Line("infusion.start", "infusion", "give", urgency, " ".join(parts), because, value=Quantity(setting.down(start), "mL/h"))


def _limits_all_the_same(draft: Draft, product: Product, evidence: Evidence) -> Iterable[Line]:
    """The decided limit at risk, which holds whatever the label that was not read allows."""
    weight = rate_weight(draft)
    asked = [constraint.rule for constraint in draft.constraints if constraint.act.act == "cap-rate"]
    for policy in evidence.infusion_policies.values():
        if asked and weight is not None and policy.cap is not None and policy.when is None:
            flow = rates.flow(policy.cap, product.percent, weight)
            about = ", ".join(dict.fromkeys(lower_first(rule.about) for rule in asked))
            text = (f"Whatever the label allows, no faster than {policy.cap} ({number_text(rates.round_down(flow, 1.0))} mL/h): "
                    f"{whose(policy, evidence)} limit at risk ({about}). Where the label's own limit is lower, it holds.")
            working = f"{policy.cap} x {number_text(weight)} kg at {number_text(product.percent)} % = {number_text(flow)} mL/h"
            yield Line("infusion.cap", "infusion", "check", "warning", text,
                       reasons(evidence, draft.facts, cites=(*policy.cites, *(cite for rule in asked for cite in rule.cites)), rule=asked[0].id,
                               uses=("weight",), calculation=working, entries=(policy, *asked)))


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
        entries=(*(cap.by for cap in caps), setting.increment_by),
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
    if not above(setting.flow(ordered), lowest.flow):
        return []
    text = f"The ordered rate of {ordered} is refused: {lowest.name} is {setting.text(lowest.flow)}."
    because = reasons(evidence, draft.facts, cites=(ORDERED, *lowest.cites), rule=lowest.rule, entries=(lowest.by,))
    return [Line("infusion.ordered-rate", "infusion", "avoid", "critical", text, because)]


def _too_slow_line(setting: Setting, draft: Draft, evidence: Evidence, start: float) -> Line:
    text = (
        f"The first rate of {number_text(start)} mL/h is below the pump's increment of {number_text(setting.increment)} mL/h. Use a pump with finer steps; "
        "no rate table is given."
    )
    return Line("infusion.pump", "infusion", "check", "critical", text, reasons(evidence, draft.facts, cites=(*setting.increment_cites, *setting.row.cites),
                                                                                           entries=(setting.increment_by, setting.row)))


def _too_long_lines(setting: Setting, draft: Draft, evidence: Evidence, rungs: list[Rung], binding: Cap) -> list[Line]:
    """A warning where the limits in force do not let a day's volume in within a day."""
    volume = max(volume_of(day, setting.product) for day in draft.days)
    hours = rates.climb(rungs, volume)[-1].end or 0.0
    if hours <= Quantity(1.0, "day").in_unit("h"):
        return []
    text = f"{number_text(volume)} mL take at least {number_text(hours)} h within these limits, more than a day. Plan more days or another strength or route."
    because = reasons(evidence, draft.facts, cites=binding.cites, rule=binding.rule, calculation=binding.working, follows=("infusion.cap",),
                      entries=(binding.by,))
    return [Line("infusion.too-long", "infusion", "check", "critical", text, because, value=Quantity(rates.tidy(hours), "h"))]


def _days_line(setting: Setting, draft: Draft, evidence: Evidence, context: Context, days: tuple[Day, ...], rungs: list[Rung], ramp: Ramp | None) -> Line:
    """One line and table for consecutive days that are alike; its id is that of the first of them."""
    day, last_day = days[0], days[-1]
    begin = datetime.combine(day.on, context.start.time())
    volume = volume_of(day, setting.product)
    stretches = rates.climb(rungs, volume)
    rows: tuple[tuple[str | float | None, ...], ...] = tuple(
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
    several = f"Days {day.number} to {last_day.number} ({days_text(day.on, last_day.on)}), each day"
    which = f"Day {day.number} ({day_text(day.on)})" if day is last_day else several
    amount = f"{which}: {number_text(day.grams)} g in {number_text(volume)} mL from {begin:%H:%M}"
    ends = stretches[-1].end
    first, last = rungs[0], stretches[-1]
    rates_text = f"{number_text(first.flow)} mL/h" if len(stretches) == 1 else f"{number_text(first.flow)} mL/h rising to {number_text(last.flow)} mL/h"
    row = setting.row
    if prints_steps(row) or ramp is not None or len(rungs) == 1:
        source = f"Steps between are site policy: {ramp.name}." if ramp is not None else ""
        text = f"{amount}, {rates_text}; in by {rates.clock(begin, ends)} if every step is tolerated."
    else:
        slowest = volume / first.flow
        within_a_day = slowest <= Quantity(1, "day").in_unit("h")
        slow = f"{rates.clock(begin, slowest)} if the start rate is kept" if within_a_day else "at the start rate alone it takes more than a day"
        rows = (*rows[:-1], ("highest", None, *rows[-1][2:])) if len(rows) > 1 else rows
        pace = f" Raise every {row.increase.every} if tolerated." if row.increase is not None and row.increase.every is not None else ""
        said = f" {row.increase.say}" if row.increase is not None and row.increase.say else ""
        source = f"The label prints the start and the highest rate only.{pace}{said} The steps between follow local protocol, or a ramp that is named."
        flows = f"start at {number_text(first.flow)} mL/h, at most {number_text(last.flow)} mL/h"
        text = f"{amount}, {flows}; ends at {rates.clock(begin, ends)} at the earliest, {slow}."
    sum_ = f"{number_text(day.grams)} g / {number_text(rates.strength(setting.product.percent))} mg/mL = {number_text(volume)} mL"
    because = reasons(
        evidence,
        draft.facts,
        cites=(*row.cites, *(ramp.cites if ramp is not None else ()), *setting.increment_cites),
        uses=("weight",),
        calculation=sum_,
        follows=("infusion.weight", "infusion.cap"),
        entries=(row, ramp, setting.increment_by),
    )
    return Line(
        f"infusion.day-{day.number}", "infusion", "give", "info", text, because, value=Quantity(volume, "mL"), when=day.on, table=Table(COLUMNS, rows, source)
    )


