"""Divides the dose over days and rounds it: the fewest days that regimen, constraints and limits allow, in whole vials where possible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta

import msgspec

from ivigil.basis.facts import Fact, Origin
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.doses import form_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import rules_in_force
from ivigil.evidence.shapes import Act, DoseLimit, Rounding, SafetyRule
from ivigil.planning.dose_form import course_grams
from ivigil.planning.dose_limits import caps, limit_line, limits_in_force, undecided_limits
from ivigil.planning.draft import Context, Day, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.vials import fewest_vials, milligrams, nearest_makeable, usable_sizes
from ivigil.planning.weight import above
from ivigil.planning.wording import day_text, days_text, interval

_PER_GRAM = Quantity(1, "g").in_unit("mg")


class Asked(msgspec.Struct, frozen=True):
    """Somebody who asks for more days: a rule or a limit, in words, with its statements. ``per_day`` is a most in g/kg on one day."""

    days: int
    about: str
    cites: tuple[str, ...]
    by: SafetyRule | DoseLimit
    per_day: float | None = None


class Rounded(msgspec.Struct, frozen=True):
    """The grams of each day and, in words, how they came about."""

    parts: tuple[float, ...]
    how: str


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Set the days with their grams and volumes, and the facts ``course.days``, ``course.dose_per_day`` and ``course.volume_per_day``."""
    if draft.blocked or draft.dose is None:
        return draft
    dose = draft.dose
    usual, order_line = _usual_days(draft, evidence)
    per_kg = dose.grams / dose.weight
    asked = list(_asked(draft, evidence, context, usual))
    count = max([usual, *(one.days for one in asked)])
    bound = min([one.per_day * dose.weight for one in asked if one.per_day is not None], default=math.inf)
    policy = rounding_policy(draft, evidence, context)
    most = min([cap.grams for cap in caps(draft, evidence, context)], default=math.inf)
    rounded = round_course(policy, dose.grams, count, usable_sizes(draft.product, context), most=most, most_per_day=bound,
                           intravenous=draft.regimen is None or draft.regimen.route == "intravenous")
    concentration = draft.product.grams_per_ml if draft.product is not None else 0.0
    first = draft.first_day or context.start.date()
    days = tuple(Day(number + 1, first + timedelta(days=number), grams, grams / concentration if concentration else 0.0)
                 for number, grams in enumerate(rounded.parts))
    draft = msgspec.structs.replace(draft, days=days, undecided=(*draft.undecided, *undecided_limits(draft, evidence, context)))
    draft = msgspec.structs.replace(draft, facts=draft.facts.having(_facts(draft, per_kg / count)))
    draft = draft.saying(*order_line, *_days_lines(draft, evidence, usual, asked))
    if policy is not None:
        draft = draft.saying(_rounding_line(draft, evidence, policy, rounded))
    return draft.saying(*_volume_line(draft, evidence), *_limit_lines(draft, evidence, context, per_kg / count))


# --- days -------------------------------------------------------------------------------------------------------------


def _dose_line(draft: Draft) -> str:
    return f"dose.{draft.dose.form}" if draft.dose is not None else ""


def _usual_days(draft: Draft, evidence: Evidence) -> tuple[int, tuple[Line, ...]]:
    """The days before any constraint: as ordered when the regimen allows it, else the fewest it prints."""
    assert draft.dose is not None
    span, ordered = draft.dose.days, draft.record.order.days
    if ordered is None or span.holds(ordered):
        return int(ordered if ordered is not None and draft.dose.form == "course_total" else span.low), ()
    used = ordered if ordered > span.high and draft.dose.form == "course_total" else int(span.low)
    text = f"{ordered} days are ordered; the regimen prints {span}. {used} {'day is' if used == 1 else 'days are'} planned."
    cites = draft.regimen.cites if draft.regimen is not None else ()
    return used, (Line("course.order-days", "dosing", "check", "warning", text,
                       reasons(evidence, draft.facts, cites=cites, calculation=f"order: {ordered} days", follows=(_dose_line(draft),),
                               entries=(draft.regimen,))),)


def _asked(draft: Draft, evidence: Evidence, context: Context, usual: int) -> Iterator[Asked]:
    """Everybody who asks for more days than usual: rules that fired, rules about the unsplit course, and dose limits."""
    assert draft.dose is not None
    dose = draft.dose
    per_kg = dose.grams / dose.weight
    for constraint in draft.constraints:
        if constraint.act.act == "split" and (constraint.act.condition is None or truth_of(constraint.act.condition, draft.facts) is not False):
            yield _by_act(constraint.act, constraint.rule, per_kg, usual, int(dose.days.high))
    if dose.form != "per_interval" or dose.days.high > 1:
        unsplit = draft.facts.having([Fact("course.days", Quantity(usual, "day"), Origin(_dose_line(draft))),
                                      Fact("course.dose_per_day", Quantity(per_kg / usual, "g/kg"), Origin(_dose_line(draft)))])
        for rule in rules_in_force(evidence, "course", context.jurisdiction, context.as_of):
            acts = [act for act in rule.then if act.act == "split"]
            if acts and truth_of(rule.when, unsplit):
                for act in acts:
                    yield _by_act(act, rule, per_kg, usual, int(dose.days.high))
    for limit in limits_in_force(draft, evidence, context):
        days = _by_limit(limit, per_kg, usual, int(dose.days.high), single=dose.single_day or dose.form != "course_total")
        if days > usual:
            yield Asked(days, limit.about, limit.cites, limit)


def _by_act(act: Act, rule: SafetyRule, per_kg: float, usual: int, most: int) -> Asked:
    """A split without a number asks for the most days that the regimen prints; a single-day regimen stays single then."""
    per_day = act.per_day_at_most.in_unit("g/kg") if act.per_day_at_most is not None else None
    if per_day is None and not act.days_at_least:
        return Asked(max(usual, most), rule.about, rule.cites, rule)
    return Asked(max(usual, act.days_at_least, _days_for(per_kg, per_day) if per_day else 0), rule.about, rule.cites, rule, per_day)


def _by_limit(limit: DoseLimit, per_kg: float, usual: int, most: int, *, single: bool) -> int:
    """The days a limit asks for. A limit on one day that only wants confirmation never goes beyond the days that the regimen prints."""
    if limit.measure == "days" and limit.then == "split":
        return max(usual, limit.at_least)
    if limit.measure == "per_day" and limit.at_most is not None and not single:
        return max(usual, min(_days_for(per_kg, limit.at_most.in_unit("g/kg")), most))
    return usual


def _days_for(per_kg: float, per_day: float) -> int:
    days = per_kg / per_day
    return round(days) if math.isclose(days, round(days)) else math.ceil(days)


def _days_lines(draft: Draft, evidence: Evidence, usual: int, asked: list[Asked]) -> Iterable[Line]:
    assert draft.dose is not None
    days, dose = draft.days, draft.dose
    count = len(days)
    same = len({day.grams for day in days}) == 1
    when = f"on {day_text(days[0].on)}" if count == 1 else days_text(days[0].on, days[-1].on)
    text = (f"{number_text(days[0].grams)} g on one day, {when}." if count == 1 else
            f"{number_text(days[0].grams)} g on each of {count} consecutive days, {when}." if same else
            f"{count} consecutive days, {when}: {', '.join(number_text(day.grams) for day in days)} g.")
    if draft.dose.every is not None:
        text += f" Repeated every {interval(draft.dose.every)}."
    rows = tuple((float(day.number), day_text(day.on), day.grams, day.volume or None) for day in days)
    table = Table((Column("Day"), Column("Date"), Column("Dose", "g"), Column("Volume", "mL")), rows)
    whole = sum(day.grams for day in days)
    spread = f"over {count} {'day' if count == 1 else 'days'}"
    calculation = f"{number_text(dose.grams)} g {spread} = {number_text(dose.grams / count)} g a day before rounding"
    cites = draft.regimen.cites if draft.regimen is not None else ()
    yield Line("course.days", "dosing", "give", "info", text,
               reasons(evidence, draft.facts, rule=draft.regimen.id if draft.regimen else "", cites=cites, calculation=calculation,
                       follows=(_dose_line(draft),)),
               value=Quantity(whole, "g"), when=days[0].on, table=table)
    deciding = [one for one in asked if one.days == count > usual]
    if deciding:
        about = "; ".join(dict.fromkeys(one.about for one in deciding))
        beyond = f" The regimen prints {dose.days} {'day' if dose.days.high == 1 else 'days'}." if count > dose.days.high else ""
        text = f"Given over {count} days instead of {usual} because of: {about}.{beyond}"
        yield Line("course.split", "dosing", "give", "warning" if beyond else "info", text,
                   reasons(evidence, draft.facts, cites=tuple(cite for one in deciding for cite in one.cites), calculation=calculation,
                           follows=("course.days",), entries=[one.by for one in deciding]))


# --- rounding ---------------------------------------------------------------------------------------------------------


def rounding_policy(draft: Draft, evidence: Evidence, context: Context) -> Rounding | None:
    """The rounding in force: the one meant for this patient's group, else of the site, the weight policy applied, the jurisdiction."""
    for policy in evidence.rounding.values():
        if policy.population is not None and truth_of(policy.population, draft.facts):
            return policy
    weight = evidence.weight_policies.get(draft.dose.policy) if draft.dose is not None else None
    wanted = (context.rounding, weight.rounding if weight is not None else "", evidence.jurisdictions[context.jurisdiction].rounding)
    return next((evidence.rounding[name] for name in wanted if name in evidence.rounding), None)


def round_course(policy: Rounding | None, grams: float, count: int, sizes: tuple[int, ...], *, most: float = math.inf, most_per_day: float = math.inf,
                 intravenous: bool = True) -> Rounded:
    """The grams of each of ``count`` days for a course of ``grams``.

    ``sizes`` are vial sizes in mg, largest first, empty when unknown. No rounding goes above ``most`` g for the course or ``most_per_day`` g on
    one day, and none makes a dose nought. A policy that rounds course totals is not used on a subcutaneous dose of one interval.
    """
    exact = Rounded((grams / count,) * count, "the exact dose")
    if policy is None or policy.how == "exact":
        return exact
    if policy.applies == "each_dose" or policy.how == "within":
        return _each(policy, grams / count, count, sizes, min(most / count, most_per_day)) or exact
    if not intravenous:
        return Rounded(exact.parts, "the exact dose; the policy rounds course totals only")
    total = round_total(policy, grams)
    if above(total, most):
        total = round_total(msgspec.structs.replace(policy, how="down"), most)
    if total <= 0:
        return Rounded(exact.parts, "the exact dose; the policy would round it to nought")
    step = policy.step.in_unit("g") if policy.step is not None else 0.0
    parts = _by_step(milligrams(total), count, sizes, milligrams(step)) if step else None
    parts = parts or divide(milligrams(total), count, sizes)
    if parts is None or above(max(parts) / _PER_GRAM, most_per_day):
        return Rounded((total / count,) * count, policy.name[:1].lower() + policy.name[1:])
    return Rounded(tuple(part / _PER_GRAM for part in parts), policy.name[:1].lower() + policy.name[1:])


def round_total(policy: Rounding, grams: float) -> float:
    """A course total in g under a policy that rounds totals; nought when it is less than the smallest step."""
    if policy.step is None:
        return grams
    step = policy.step.in_unit("g")
    lower = _down(grams, step)
    if policy.how == "nearest":
        return lower if grams - lower < lower + step - grams else lower + step
    if policy.how == "vial-down" and policy.small is not None:
        # Just below a whole step the coarse rule would give less than the fine one gives at its limit; the larger of the two holds.
        small = policy.small
        return max(lower, _small_total(policy, min(grams, small.below.in_unit("g"))))
    return lower


def _small_total(policy: Rounding, grams: float) -> float:
    assert policy.small is not None
    whole = _down(grams, policy.small.step.in_unit("g"))
    for gap in policy.small.not_makeable:
        if math.isclose(whole, gap.low.in_unit("g")):
            return gap.high.in_unit("g")
    return whole


def _down(grams: float, step: float) -> float:
    """Down to a whole step; a float a hair below one counts as that one."""
    steps = grams / step
    return step * (round(steps) if math.isclose(steps, round(steps)) else math.floor(steps))


def _each(policy: Rounding, grams: float, count: int, sizes: tuple[int, ...], most: float) -> Rounded | None:
    """Every day's dose to the nearest amount of whole vials inside the tolerance, or None when there is none."""
    if not sizes or policy.tolerance is None:
        return None
    share = policy.tolerance.in_unit("%") / 100
    high = min(grams * (1 + share), most)
    found = nearest_makeable(sizes, milligrams(grams), math.ceil(milligrams(grams * (1 - share))), math.floor(milligrams(high)))
    return Rounded((found / _PER_GRAM,) * count, policy.name[:1].lower() + policy.name[1:]) if found is not None else None


def _by_step(total: int, count: int, sizes: tuple[int, ...], step: int) -> tuple[int, ...] | None:
    """A total in mg as days of whole rounding steps, where the vials make each of them: fewer vials than days split to the last gram."""
    parts = divide(total, count, (step,))
    return parts if parts is not None and all(not sizes or fewest_vials(sizes, part) is not None for part in parts) else None


def divide(total: int, count: int, sizes: tuple[int, ...]) -> tuple[int, ...] | None:
    """A total in mg as ``count`` parts of whole vials that differ as little as two sizes of part can, the smaller parts first.

    None when no two amounts of whole vials make the total.
    """
    if not sizes or total <= 0:
        return None
    unit = math.gcd(*sizes)
    low = total // count // unit * unit
    while low > 0:
        if fewest_vials(sizes, low) is not None:
            if low * count == total:
                return (low,) * count
            for larger in range(count - 1, 0, -1):
                above_low, uneven = divmod(total - (count - larger) * low, larger)
                if not uneven and fewest_vials(sizes, above_low) is not None:
                    return (low,) * (count - larger) + (above_low,) * larger
        low -= unit
    return None


def _rounding_line(draft: Draft, evidence: Evidence, policy: Rounding, rounded: Rounded) -> Line:
    assert draft.dose is not None
    before, after = draft.dose.grams, sum(rounded.parts)
    change = (after - before) / before * 100
    how = f"{number_text(after)} g, not rounded" if math.isclose(before, after) else f"{number_text(before)} g becomes {number_text(after)} g ({change:+.1f} %)"
    outside = _outside_print(draft, before, after)
    text = f"Rounding: {how}; {rounded.how}.{outside}"
    return Line("course.rounding", "dosing", "give", "warning" if outside else "info", text,
                reasons(evidence, draft.facts, rule=policy.id, cites=policy.cites, calculation=how, reading=policy.say,
                        uses=("age",) if policy.population is not None else (), follows=(_dose_line(draft),)), value=Quantity(after, "g"))


def _outside_print(draft: Draft, before: float, after: float) -> str:
    """That rounding took a dose out of the range its regimen prints; empty when it did not, and where the regimen prints no range."""
    form = form_of(draft.regimen) if draft.regimen is not None else None
    if draft.dose is None or form is None or form.amount.single:
        return ""
    low, high = (course_grams(form, end, draft.dose.weight) for end in (form.amount.low, form.amount.high))
    if above(low, after) and not above(low, before):
        return f" This is below the {number_text(low)} g at which the printed range of {form.amount} begins; confirm it or choose another amount."
    if above(after, high) and not above(before, high):
        return f" This is above the {number_text(high)} g at which the printed range of {form.amount} ends; confirm it or choose another amount."
    return ""


# --- volume, limits, facts --------------------------------------------------------------------------------------------


def _facts(draft: Draft, per_day: float) -> list[Fact]:
    """Dose and volume of a day are the planned ones, before rounding: rounding to a vial must not trip a limit that the prescription keeps."""
    facts = [Fact("course.days", Quantity(len(draft.days), "day"), Origin("course.days")),
             Fact("course.dose_per_day", Quantity(per_day, "g/kg"), Origin("course.days", how="course over its days, before rounding"))]
    kg = draft.facts.number("weight", "kg")
    if kg and draft.product is not None:
        grams = draft.dose.weight * per_day if draft.dose is not None else 0.0
        volume = grams / draft.product.grams_per_ml / kg
        facts.append(Fact("course.volume_per_day", Quantity(volume, "mL/kg"), Origin("course.volume", how="a day's volume before rounding over actual weight")))
    return facts


def _volume_line(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    kg, product = draft.facts.number("weight", "kg"), draft.product
    if product is None or not kg:
        return
    volume = max(day.volume for day in draft.days)
    total = sum(day.volume for day in draft.days)
    days = " on the largest day" if len({day.volume for day in draft.days}) > 1 else " a day" if len(draft.days) > 1 else ""
    text = f"Volume for heart and kidney: {number_text(volume)} mL{days} ({number_text(volume / kg)} mL/kg), {number_text(total)} mL for the course."
    calculation = f"{number_text(max(day.grams for day in draft.days))} g / {number_text(product.grams_per_ml)} g/mL = {number_text(volume)} mL"
    yield Line("course.volume", "dosing", "check", "info", text,
               reasons(evidence, draft.facts, uses=("weight", "has.heart_failure", "has.renal_insufficiency"), calculation=calculation,
                       follows=("course.days",), entries=(product,)),
               value=Quantity(volume, "mL"))


def _limit_lines(draft: Draft, evidence: Evidence, context: Context, per_day: float) -> Iterable[Line]:
    """Limits on one day that are still exceeded."""
    for limit in limits_in_force(draft, evidence, context):
        if limit.at_most is None or limit.then not in {"confirm", "advise"}:
            continue
        if limit.measure == "per_day" and above(per_day, limit.at_most.in_unit("g/kg")):
            yield limit_line(draft, evidence, limit, Quantity(per_day, "g/kg"), "course.days")
        grams = max(day.grams for day in draft.days)
        if limit.measure == "grams_per_day" and above(grams, limit.at_most.in_unit("g")):
            yield limit_line(draft, evidence, limit, Quantity(grams, "g"), "course.days")
