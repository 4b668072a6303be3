"""Chooses the regimen and the dosing weight and works out the dose, keeping course totals, daily doses and doses per interval apart.

"2 g/kg over 5 days" and "2 g/kg a day for 5 days" differ fivefold. The three readings are three types here, an order that could be read
in two ways is asked about, and a dose above a limit is never computed through.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal, assert_never

import msgspec

from ivigil.basis.because import Alternative
from ivigil.basis.facts import Fact, Origin
from ivigil.basis.quantity import Quantity, Span, number_text
from ivigil.evidence.doses import ONE_DAY, CourseTotal, DoseForm, PerDay, PerInterval, course_span, described, every_text, form_of, is_dose
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import HeightFormula, Jurisdiction, WeightPolicy
from ivigil.planning.dose_form import course_grams, grams_of, read_order
from ivigil.planning.dose_limits import caps, exceeds, limit_caps, limit_line, limits_in_force, policy_caps, regimen_caps
from ivigil.planning.draft import Context, Dose, Draft
from ivigil.planning.line import Act, Column, Line, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.regimen import choose_regimen, ordered_product
from ivigil.planning.regimen import printed as printed_regimens
from ivigil.planning.safety import OVERRIDE_POLICY, override_for
from ivigil.planning.weight import Weighing, above, settle, weigh_all

ORDER = "dose.order"
"""The line about an order that cannot be used as written; also the name under which a prescriber confirms it in writing."""
_WEIGHTS = (Column("Policy"), Column("Where"), Column("Weight", "kg"), Column("Course", "g"), Column("State"), Column("Why"))


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Set the regimen, the dosing weight and the dose, and add the facts ``course.dose`` and ``course.dose_30_days``."""
    if draft.blocked or draft.indication is None:
        return draft
    regimen, lines, undecided = choose_regimen(draft, evidence, context)
    draft = msgspec.structs.replace(draft.saying(*lines), regimen=regimen, undecided=draft.undecided + undecided)
    form, worked, draft = _dose_form(draft, evidence)
    weighings = weigh_all(evidence, draft.facts, context.as_of, draft.indication.id if draft.indication else "")
    asked = _policy_named(draft, evidence, context)
    settled, passed = settle(asked, weighings)
    if form is not None and worked is not None and settled is not None and settled.kg is not None and draft.record.order.dose is not None:
        checked = _check_order(draft, evidence, context, form, worked, settled.kg)
        if checked is not None:
            draft, worked = checked, None
    draft = _weight_lines(draft, evidence, context, settled, passed, weighings, form, worked)
    if form is None or worked is None or settled is None or settled.kg is None:
        product = ordered_product(draft, evidence, context)
        switched = product is not None and bool(product.switch)  # its weekly dose follows from the intravenous one, by the label's factor
        if regimen is None and draft.record.order.dose is None and not switched:
            return msgspec.structs.replace(draft, no_evidence=True)
        return draft
    return _work_out(draft, evidence, context, form, worked, settled)


# --- the dose as regimen or order give it -----------------------------------------------------------------------------


def _dose_form(draft: Draft, evidence: Evidence) -> tuple[DoseForm | None, float | None, Draft]:
    """The form of the dose and the value it is worked at (in the amount's own unit); a question instead where either is open."""
    printed = form_of(draft.regimen) if draft.regimen is not None else None
    order = draft.record.order
    if order.dose is not None:
        ordered = read_order(order, printed)
        if ordered.form is None:
            return None, None, _refuse(draft, evidence, ordered.question)
        return ordered.form, ordered.form.amount.low, draft
    unread = next((note for note in draft.record.notes if note.about == "order.dose"), None)
    if unread is not None:
        why = unread.why.rstrip(".")
        return None, None, _refuse(draft, evidence, f"The ordered dose is not planned: {why}. Give it in g or g/kg, per day, per course or per interval.")
    regimen = draft.regimen
    if printed is None or regimen is None:
        return printed, None, draft
    as_printed = described(printed)
    printed, draft = _ordered_interval(draft, evidence, printed)
    if isinstance(printed, PerDay) and order.days is not None and printed.days.holds(order.days):
        printed = msgspec.structs.replace(printed, days=Span(order.days, order.days))
    if printed.amount.single:
        return printed, printed.amount.low, draft
    worked = regimen.dose.worked_at
    if worked is None:
        text = f"The regimen prints a range, {as_printed}; choose the dose."
        line = Line("dose.range", "dosing", "ask", "warning", text, reasons(evidence, draft.facts, rule=regimen.id, cites=regimen.cites))
        return printed, None, msgspec.structs.replace(draft.saying(line), undecided=(*draft.undecided, ("dose.range", ("course.dose",), "avoid")))
    text = f"The regimen prints a range, {as_printed}; worked at {worked} until the prescriber chooses."
    line = Line("dose.range", "dosing", "choose", "info", text, reasons(evidence, draft.facts, rule=regimen.id, cites=regimen.cites), value=worked)
    return printed, worked.in_unit(printed.amount.unit), draft.saying(line)


def _ordered_interval(draft: Draft, evidence: Evidence, printed: DoseForm) -> tuple[DoseForm, Draft]:
    """The regimen at the ordered interval where it prints that one too; else as printed, with a warning."""
    every, span = draft.record.order.every, printed.every
    if every is None or span is None or draft.regimen is None:
        return printed, draft
    ordered = every.in_unit(span.unit)
    if span.holds(ordered):
        return msgspec.structs.replace(printed, every=Span(every.value, every.value, every.unit)), draft
    text = f"Ordered {every_text(Span(every.value, every.value, every.unit))}; the regimen prints {every_text(span)}, which is planned."
    line = Line("dose.order-interval", "dosing", "check", "warning", text, reasons(evidence, draft.facts, rule=draft.regimen.id, cites=draft.regimen.cites))
    return printed, draft.saying(line)


def _refuse(draft: Draft, evidence: Evidence, text: str, cites: tuple[str, ...] = (), calculation: str = "", act: Act = "ask") -> Draft:
    """The order is not computed through: a critical line and a question in its place."""
    limits = [limit for limit in evidence.dose_limits.values() if limit.then == "refuse-unless-cited"]
    grounds = cites or (draft.regimen.cites if draft.regimen is not None else ()) or tuple(cite for limit in limits for cite in limit.cites)
    because = reasons(evidence, draft.facts, cites=grounds or (OVERRIDE_POLICY,), calculation=calculation, entries=(draft.regimen, *limits))
    line = Line(ORDER, "dosing", act, "critical", text, because)
    return msgspec.structs.replace(draft.saying(line), undecided=(*draft.undecided, (ORDER, ("course.dose",), "contraindicated")))


# --- weight -----------------------------------------------------------------------------------------------------------


def _policy_named(draft: Draft, evidence: Evidence, context: Context) -> str:
    """The weight policy asked for: by the site or request, the order, the regimen itself, or the jurisdiction."""
    regimen = draft.regimen.weight if draft.regimen is not None else ""
    wanted = (context.weight_policy, draft.record.order.weight_policy, regimen, evidence.jurisdictions[context.jurisdiction].weight_policy)
    return next((name for name in wanted if name in evidence.weight_policies), "")


def _formula(policy: WeightPolicy, evidence: Evidence) -> Iterable[HeightFormula]:
    return (evidence.formulas[policy.formula.ideal],) if policy.formula is not None else ()


def _default_of(policy: WeightPolicy, evidence: Evidence, context: Context) -> Iterable[Jurisdiction]:
    """The jurisdiction, where the policy is its default."""
    here = evidence.jurisdictions[context.jurisdiction]
    return (here,) if here.weight_policy == policy.id and not context.weight_policy else ()


def _weight_lines(draft: Draft, evidence: Evidence, context: Context, settled: Weighing | None, passed: tuple[Weighing, ...],
                  weighings: dict[str, Weighing], form: DoseForm | None, worked: float | None) -> Draft:
    if settled is None:
        return draft
    policy = settled.policy
    missing = tuple(dict.fromkeys((*settled.missing, *(name for one in passed for name in one.missing))))
    if settled.kg is None:
        doubted = any(doubt.about == "weight" for doubt in draft.doubts)
        text = f"The body weight is {'in doubt' if doubted else 'not on record'}; no dose is worked out without it."
        line = Line("dose.weight", "dosing", "ask", "critical", text, reasons(evidence, draft.facts, rule=policy.id, cites=policy.cites))
        return msgspec.structs.replace(draft.saying(line), undecided=(*draft.undecided, ("dose.weight", missing or ("weight",), "contraindicated")))
    text = f"Dosing weight {number_text(settled.kg)} kg by '{policy.name}': {settled.why}."
    text += "".join(f" '{one.policy.name}' does not hold: {one.why}." for one in passed)
    urgent = settled.provisional or settled.formula_kg is not None
    regimen = draft.regimen
    differing = [(one.policy, one.kg) for one in weighings.values()
                 if one.applicable and one.kg is not None and not math.isclose(one.kg, settled.kg) and one.policy.id != policy.id]
    instead = []
    if regimen is not None and regimen.weight and regimen.weight not in {policy.id, *(one.policy.id for one in passed)}:
        instead.append(Alternative(f"'{evidence.weight_policies[regimen.weight].name}'" if regimen.weight in evidence.weight_policies else regimen.weight,
                                   "the regimen names it; the site or the prescriber chose another", regimen.cites))
    unknown = draft.record.order.weight_policy
    if unknown and unknown not in evidence.weight_policies:
        instead.append(Alternative(f"'{unknown}'", "the order names it; no weight policy is called so"))
    because = reasons(
        evidence, draft.facts, rule=policy.id, cites=policy.cites + tuple(cite for one in passed for cite in one.policy.cites), uses=(*settled.uses, "bmi"),
        calculation=settled.calculation, reading=policy.reading, instead_of=instead,
        entries=(*(one.policy for one in passed), *_formula(policy, evidence), *_default_of(policy, evidence, context)),
        disputed_by=[Alternative(other.name, f"{number_text(kg)} kg; {'in ' + other.jurisdiction if other.jurisdiction else 'not chosen here'}",
                                 other.cites, Quantity(kg, "kg")) for other, kg in differing])
    lines = [Line("dose.weight", "dosing", "choose", "warning" if urgent else "info", text, because, value=Quantity(settled.kg, "kg"))]
    rows, common = [], (*regimen_caps(draft, evidence), *limit_caps(draft, evidence, context))
    for one in weighings.values():
        grams = course_grams(form, worked, one.kg) if form is not None and worked is not None and one.kg is not None else None
        capped = min([grams, *(cap.grams for cap in (*common, *policy_caps(one.policy)))]) if grams is not None else None
        state = "applied" if one.policy.id == policy.id else "in force" if one.applicable else "not here"
        rows.append((one.policy.name, one.policy.jurisdiction, one.kg, capped, state, one.why))
    table = Table(_WEIGHTS, tuple(rows))
    uses = tuple(dict.fromkeys(name for one in weighings.values() for name in one.uses))
    weights = sorted({round(one.kg) for one in weighings.values() if one.kg is not None and one.applicable})
    spread = f"{number_text(weights[0])} to {number_text(weights[-1])} kg" if len(weights) > 1 else f"{number_text(weights[0])} kg" if weights else "no weight"
    lines.append(Line("dose.weights", "dosing", "check", "info", f"Dosing weight by every policy: {spread}.",
                      reasons(evidence, draft.facts, cites=evidence.weight_policy_cites, uses=uses,
                              entries=[one.policy for one in weighings.values()]), table=table))
    undecided = (("dose.weight", missing, "caution"),) if missing else ()
    return msgspec.structs.replace(draft.saying(*lines), undecided=draft.undecided + undecided)


# --- the dose in grams ------------------------------------------------------------------------------------------------


def _work_out(draft: Draft, evidence: Evidence, context: Context, form: DoseForm, worked: float, weighing: Weighing) -> Draft:
    kg = weighing.kg
    assert kg is not None
    assert draft.indication is not None
    each = grams_of(worked, form.amount.unit, kg)
    total = course_grams(form, worked, kg)
    ordered = draft.record.order.dose is not None
    stated = Quantity(worked, form.amount.unit)
    calculation = (f"{stated} / {number_text(kg)} kg = {number_text(each / kg)} g/kg" if stated.dimension == "mass" else
                   f"{stated} x {number_text(kg)} kg = {number_text(each)} g")
    if isinstance(form, PerDay) and form.days.low > 1:
        calculation += f"; x {number_text(form.days.low)} days = {number_text(total)} g"
    lines: list[Line] = []
    capped = next((cap for cap in caps(draft, evidence, context, weighing.policy) if cap.grams < total), None)
    uncapped = total
    if capped is not None:
        total = capped.grams
    per_kg = total / kg
    days = Span(1, 1) if isinstance(form, PerInterval) else form.days
    every = Quantity(form.every.low, form.every.unit) if form.every is not None and form.every.single else None
    kind: Literal["course_total", "per_day", "per_interval"] = (
        "course_total" if isinstance(form, CourseTotal) else "per_day" if isinstance(form, PerDay) else "per_interval")
    single = draft.regimen is not None and draft.regimen.single_day and days == ONE_DAY
    share = per_kg / days.low if kind == "per_day" else per_kg
    dose = Dose(kind, share, total, days, kg, weighing.policy.id, every, single)
    cites = draft.regimen.cites if draft.regimen is not None else ()
    text, value = _dose_text(form, each, uncapped)
    if ordered:
        text += f" As ordered ({draft.record.order.dose})."
    because = reasons(evidence, draft.facts, rule=draft.regimen.id if draft.regimen else "", cites=cites, uses=("weight", "height", "sex"),
                      calculation=calculation, follows=("dose.weight",), entries=(weighing.policy,))
    lines.append(Line(f"dose.{kind}", "dosing", "give", "info", text, because, value=Quantity(value, "g")))
    if capped is not None:
        text = f"Cut from {number_text(uncapped)} g to the most for a course, {number_text(capped.grams)} g ({capped.of})."
        lines.append(Line("dose.cap", "dosing", "give", "warning", text,
                          reasons(evidence, draft.facts, cites=capped.cites, calculation=calculation, follows=(f"dose.{kind}",), entries=(capped.by,)),
                          value=Quantity(capped.grams, "g")))
    if ordered:
        lines.extend(_order_lines(draft, evidence, uncapped, kg, calculation, f"dose.{kind}"))
    draft = msgspec.structs.replace(draft.saying(*lines), dose=dose)
    draft = draft.saying(*_limit_lines(draft, evidence, context, f"dose.{kind}"))
    return msgspec.structs.replace(draft, facts=draft.facts.having(course_facts(draft, context, dose, f"dose.{kind}")))


def _dose_text(form: DoseForm, each: float, total: float) -> tuple[str, float]:
    """The sentence and the value (g) of the dose line; ``each`` is one stated amount, before any cap."""
    match form:
        case CourseTotal():
            days = "as a single dose" if form.days == ONE_DAY else f"in total, divided over {form.days} days"
            return f"{number_text(each)} g {days}.", each
        case PerDay():
            if form.days == ONE_DAY:
                return f"{number_text(each)} g on one day.", each
            whole = number_text(total) if form.days.single else f"{number_text(total)} to {number_text(each * form.days.high)}"
            return f"{number_text(each)} g a day for {form.days} days, {whole} g in all.", each
        case PerInterval():
            return f"{number_text(each)} g{' ' + every_text(form.every) if form.every is not None else ' each time'}.", each
        case _:
            assert_never(form)


def _check_order(draft: Draft, evidence: Evidence, context: Context, form: DoseForm, worked: float, kg: float) -> Draft | None:
    """A draft with the refusal when the ordered course cannot be meant, None when it may be worked out.

    Refused: more than a limit that no regimen of the plan prints. Asked about: nearer to a tenfold (hundredfold, thousandfold) slip than to any
    dose printed for the indication, unless the prescriber has confirmed it in writing.
    """
    assert draft.indication is not None
    total = course_grams(form, worked, kg)
    per_kg = total / kg
    calculation = f"{number_text(total)} g / {number_text(kg)} kg = {number_text(per_kg)} g/kg"
    printed = course_span(draft.regimen) if draft.regimen is not None else None
    limits = [limit for limit in limits_in_force(draft, evidence, context) if limit.then == "refuse-unless-cited" and exceeds(limit, per_kg)]
    if limits and (printed is None or above(per_kg, printed[1])):
        actual = draft.facts.number("weight", "kg")
        beside = f" On actual weight it is {number_text(total / actual)} g/kg." if actual is not None and not math.isclose(actual, kg) else ""
        text = f"The order is not worked out: it comes to {number_text(per_kg)} g/kg for the course. {limits[0].say}{beside}"
        return _refuse(draft, evidence, text, tuple(cite for limit in limits for cite in limit.cites), calculation, "avoid")
    spans = [one.course for one in printed_regimens(evidence, draft.indication).values() if one.course is not None]
    if not spans or override_for(draft, ORDER) is not None:
        return None
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    if round(math.log10(per_kg / min(max(per_kg, low), high))) == 0:
        return None
    text = (f"The order comes to {number_text(per_kg)} g/kg for the course; doses printed for this indication are {Span(low, high, 'g/kg')}. "
            "Check for a slip of unit or decimal point, or a daily dose written as a course.")
    return _refuse(draft, evidence, text, calculation=calculation)


def _order_lines(draft: Draft, evidence: Evidence, total: float, kg: float, calculation: str, follows: str) -> Iterable[Line]:
    """How the order stands beside the regimen, and the written confirmation of an unusual one."""
    regimen, override = draft.regimen, override_for(draft, ORDER)
    if override is not None:
        yield Line(f"{ORDER}.override", "dosing", "record", "warning", f"{override.prescriber} confirms the ordered dose: {override.reason}",
                   reasons(evidence, draft.facts, cites=(OVERRIDE_POLICY,), follows=(follows,)), when=override.on)
    span = course_span(regimen) if regimen is not None else None
    if regimen is None or span is None:
        yield Line(ORDER, "dosing", "check", "warning", f"{number_text(total)} g is worked out as ordered; no regimen of the evidence is beside it.",
                   reasons(evidence, draft.facts, calculation=calculation, follows=(follows,)))
        return
    low, high = span
    if above(low, total / kg) or above(total / kg, high):
        printed = number_text(low) if low == high else f"{number_text(low)}-{number_text(high)}"
        text = f"The order comes to {number_text(total / kg)} g/kg for the course; the regimen prints {printed} g/kg. It is worked out as ordered."
        yield Line(ORDER, "dosing", "check", "warning", text,
                   reasons(evidence, draft.facts, rule=regimen.id, cites=regimen.cites, calculation=calculation, follows=(follows,)))


def _limit_lines(draft: Draft, evidence: Evidence, context: Context, follows: str) -> Iterable[Line]:
    """Limits on the whole course that ask for confirmation or give advice."""
    assert draft.dose is not None
    for limit in limits_in_force(draft, evidence, context):
        if limit.then not in {"confirm", "advise"} or limit.at_most is None:
            continue
        value, unit = (draft.dose.grams / draft.dose.weight, "g/kg") if limit.measure == "course" else (draft.dose.grams, "g")
        if limit.measure in {"course", "grams_per_course"} and above(value, limit.at_most.in_unit(unit)):
            yield limit_line(draft, evidence, limit, Quantity(value, unit), follows)


def course_facts(draft: Draft, context: Context, dose: Dose, line: str) -> list[Fact]:
    """The course in g/kg of dosing weight, alone and with what was given in the month (30 days) before it starts."""
    per_kg = dose.grams / dose.weight
    window = int(Quantity(1, "month").in_unit("day"))
    given, counted, unread = 0.0, 0, 0
    for infusion in draft.record.infusions:
        if 0 <= (context.start.date() - infusion.on).days <= window and infusion.on < context.start.date():
            if infusion.dose is not None and is_dose(infusion.dose.unit):
                given += grams_of(infusion.dose.value, infusion.dose.unit, dose.weight) / dose.weight
                counted += 1
            else:
                unread += 1
    how = f"this course with {counted} infusions of the {window} days before it" + (f"; {unread} without a dose on record" if unread else "")
    return [Fact("course.dose", Quantity(per_kg, "g/kg"), Origin(line, how="grams of the course over the dosing weight")),
            Fact("course.dose_30_days", Quantity(per_kg + given, "g/kg"), Origin(line, how=how))]
