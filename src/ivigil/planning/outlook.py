"""What IgG will do on the plan: the next trough, the steady state and how sure both are, or why nothing can be said. Only where the context asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Regimen
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.outlook_curve import curve_line
from ivigil.planning.product_facts import planned_route
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text

if TYPE_CHECKING:  # the arithmetic is loaded by the step, when it is asked for
    from ivigil.pharmacokinetics.forecast import Forecast, ModelCurve
    from ivigil.pharmacokinetics.history import Remark
    from ivigil.pharmacokinetics.summary import Summary

CHOICE = "pk-policy.first-choices"
_USES = ("weight", "height", "age", "sex")
_WARNED = {"clearance-alarm", "fit-poor", "baseline-uncertain", "baseline-doubtful", "dose-impossible", "unit-slip"}
"""Remarks of the forecast that are warnings of the plan."""
_SAID = {"steady-state-assumed", "no-dose-on-record", "history-short", "baseline-assumed", "baseline-measured", "baseline-fitted", "levels-fitted"}
"""Remarks that say what the numbers rest on."""

COLUMNS = (Column("Model"), Column("Endogenous", "g/L"), Column("Next trough", "g/L"), Column("Steady trough", "g/L"), Column("Steady peak", "g/L"),
           Column("Half-life", "day"))
"""What each model says of a repeated dose."""
ONCE = (Column("Model"), Column("Endogenous", "g/L"), Column("Highest", "g/L"), Column("Rise at 2 weeks", "g/L"), Column("Half-life", "day"))
"""What each model says of a single course."""


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Add the outlook of the planned dose; nothing without a weight, an indication and a dose."""
    if not context.outlook or draft.blocked or draft.indication is None or draft.dose is None:
        return draft
    made = forecast_of(draft, evidence, context)
    if isinstance(made, str):
        return draft.saying(Line("outlook.no-model", "outlook", "record", "info", f"IgG is not forecast: {made}.",
                                 reasons(evidence, draft.facts, cites=(CHOICE,), uses=_USES)))
    return draft if made is None else draft.saying(*_lines(made, draft, evidence, context))


def forecast_of(draft: Draft, evidence: Evidence, context: Context) -> Forecast | str | None:
    """The forecast, in words why there is none, or None without a dose or a weight."""
    from ivigil.pharmacokinetics.for_record import Wanted
    from ivigil.pharmacokinetics.forecast import forecast
    from ivigil.pharmacokinetics.history import history_of, person_of
    from ivigil.pharmacokinetics.regimen import Regimen as Coming
    from ivigil.pharmacokinetics.typical import CannotCompute, setting

    dose, indication = draft.dose, draft.indication
    route = planned_route(draft)
    person = person_of(draft.record, draft.facts, evidence, indication.id) if indication is not None else None
    if dose is None or person is None or not dose.grams > 0:
        return None
    history = history_of(draft.record, person, draft.facts, evidence, context.as_of)
    first = draft.first_day or context.start.date()
    days = len(draft.days) or max(1, int(dose.days.low))
    coming = Coming(
        grams=sum(day.grams for day in draft.days) or dose.grams,
        every=_interval(draft.regimen, dose.every),
        days=days,
        route=route,
        start=float(max((first - context.as_of).days, 0)),
        length=setting(evidence, "infusion-hours", "day") if route == "intravenous" else 0.0,
    )
    if coming.every is not None and days > coming.every:
        return f"a course of {days} days does not fit into its interval of {number_text(coming.every)} days"
    try:
        return forecast(person, draft.facts, history, coming, evidence, horizon=Quantity(Wanted().weeks, "week").in_unit("day"))
    except CannotCompute as error:
        return str(error).rstrip(".")


def _interval(regimen: Regimen | None, every: Quantity | None) -> float | None:
    """Days between courses: the planned interval, of a printed range the longest, which leaves the lowest trough; None for a single course."""
    if every is not None:
        return every.in_unit("day")
    printed = regimen.dose.every if regimen is not None else None
    return Quantity(printed.high, printed.unit).in_unit("day") if printed is not None and printed.unit else None


def _lines(made: Forecast, draft: Draft, evidence: Evidence, context: Context) -> Iterator[Line]:
    for state in made.states:
        urgent = state.forecast == "needs-levels"
        yield Line(f"outlook.state.{state.id}", "outlook", "check", "warning" if urgent else "info", state.say,
                   reasons(evidence, draft.facts, cites=state.cites, uses=_USES, entries=(state,)))
    if made.status != "forecast":
        if made.status == "no-model":
            yield _no_model(made, draft, evidence)
        return
    first = made.curves[0]
    yield _main_line(made, first, draft, evidence, context)
    if len(made.curves) > 1 or made.regimen.every is not None:
        yield _models_line(made, draft, evidence)
    curve = curve_line(made, draft, evidence, context, model_cites(first, evidence), _USES)
    if curve is not None:
        yield curve
    if first.response is not None:
        from ivigil.pharmacokinetics.response import response_in_words

        yield Line("outlook.response", "outlook", "record", "info", response_in_words(first.response),
                   reasons(evidence, draft.facts, cites=first.response.cites, uses=_USES, entries=(evidence.models[first.model],)))
    for number, remark in enumerate(_worth_saying(made), start=1):
        warned = remark.kind in _WARNED
        yield Line(f"outlook.note.{number}", "outlook", "check" if warned else "record", "warning" if warned else "info", remark.say,
                   reasons(evidence, draft.facts, cites=remark.cites or model_cites(first, evidence), uses=_USES))


def _worth_saying(made: Forecast) -> Iterator[Remark]:
    yield from (remark for remark in made.remarks if remark.kind in _WARNED)
    yield from (remark for remark in made.remarks if remark.kind in _SAID)


def _no_model(made: Forecast, draft: Draft, evidence: Evidence) -> Line:
    verdict = next((one for one in made.verdicts if one.model == made.choice and one.reasons), None)
    why = f" ({'; '.join(reason.say.rstrip('.') for reason in verdict.reasons)})" if verdict is not None else ""
    cites = (cite for reason in verdict.reasons for cite in reason.cites) if verdict is not None else ()
    return Line("outlook.no-model", "outlook", "record", "info", f"IgG is not forecast: no published model speaks for this patient and dose{why}.",
                reasons(evidence, draft.facts, cites=dict.fromkeys((CHOICE, *cites)), uses=_USES))


def model_cites(curve: ModelCurve, evidence: Evidence) -> tuple[str, ...]:
    """What a model's numbers rest on: its parameters, baseline and residual error."""
    model = evidence.models[curve.model]
    parts = [part.cites for part in model.parameters.values()]
    parts += [part.cites for part in (model.saturable, model.residual) if part is not None]
    return tuple(dict.fromkeys((*(cite for some in parts for cite in some), *curve.endogenous.remark.cites)))


def _main_line(made: Forecast, curve: ModelCurve, draft: Draft, evidence: Evidence, context: Context) -> Line:
    found, plan = curve.summary, made.regimen
    whose = "this patient, fitted to the levels" if curve.individual else "a typical patient like this one"
    if plan.every is not None and found.next_trough is not None:
        at = plan.start + plan.every
        text = f"IgG just before the next dose, on {_day(context, at)}: {found.next_trough:.1f} g/L{_range(made, at)}"
        if found.trough is not None and found.peak is not None:
            count = found.steady_after_doses
            steady = f", reached after {count} {'dose' if count == 1 else 'doses'}" if count is not None else ""
            text += f"; steady state {found.trough:.1f} to {found.peak:.1f} g/L{steady}"
        value = found.next_trough
    else:
        text = f"IgG is highest on {_day(context, found.highest_on)}: {found.highest:.1f} g/L{_range(made, found.highest_on)}"
        if found.rise_after_two_weeks is not None:
            text += f"; two weeks after the first infusion it is {found.rise_after_two_weeks:.1f} g/L above the level before it"
        value = found.highest
    stretch = "; ".join(reason.say.rstrip(".") for reason in curve.verdict.reasons)
    text += f" ({curve.name}, {whose}{f'; a stretch: {stretch}' if stretch else ''})."
    grams = f"{number_text(plan.grams)} g" + (f" every {number_text(plan.every)} days" if plan.every is not None else " once")
    calculation = (f"{grams} from {_day(context, plan.start)}, half-life of infused IgG {found.half_life:.0f} days, "
                   f"endogenous IgG {number_text(round(found.baseline, 1))} g/L")
    follows = tuple(line.id for line in draft.lines if line.id == "course.days")
    return Line("outlook.igg", "outlook", "check", "info", text,
                reasons(evidence, draft.facts, cites=(*model_cites(curve, evidence), CHOICE), uses=_USES, calculation=calculation, follows=follows,
                        entries=(evidence.models[curve.model],)), value=Quantity(round(value, 1), "g/L"))


def _range(made: Forecast, day: float) -> str:
    """Where nine in ten lie on a day, everything together."""
    band = made.bands.together if made.bands is not None else None
    if band is None:
        return ""
    at = int(abs(made.times - day).argmin())
    low, *_, high = band[:, at]
    return f" (9 in 10: {low:.1f} to {high:.1f})"


def _models_line(made: Forecast, draft: Draft, evidence: Evidence) -> Line:
    repeats = made.regimen.every is not None
    rows = tuple((curve.name, *(None if cell is None else round(cell, 1) for cell in _cells(curve.summary, repeats))) for curve in made.curves)
    table = Table(COLUMNS if repeats else ONCE, rows)
    lows = [curve.summary.next_trough for curve in made.curves if curve.summary.next_trough is not None]
    between = f"; between them the next trough is {min(lows):.1f} to {max(lows):.1f} g/L" if len(lows) > 1 else ""
    count = len(made.curves)
    text = f"{count} published models speak for this patient{between}." if count > 1 else "One published model speaks for this patient."
    cites = dict.fromkeys(cite for curve in made.curves for cite in model_cites(curve, evidence))
    return Line("outlook.models", "outlook", "record", "info", text,
                reasons(evidence, draft.facts, cites=cites, uses=_USES, entries=[evidence.models[curve.model] for curve in made.curves]), table=table)


def _cells(found: Summary, repeats: bool) -> tuple[float | None, ...]:
    if repeats:
        return found.baseline, found.next_trough, found.trough, found.peak, found.half_life
    return found.baseline, found.highest, found.rise_after_two_weeks, found.half_life


def _day(context: Context, days: float) -> str:
    return day_text(context.as_of.fromordinal(context.as_of.toordinal() + int(days)))
