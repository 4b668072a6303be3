"""A forecast as text: first which models may speak and why, then the numbers, a curve in plain characters, and what it rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from ivigil.basis.quantity import number_text
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.for_record import Made
from ivigil.pharmacokinetics.forecast import Forecast, ModelCurve
from ivigil.pharmacokinetics.kernels import Array
from ivigil.pharmacokinetics.response import response_in_words
from ivigil.pharmacokinetics.suitability import Verdict
from ivigil.pharmacokinetics.targets import Option
from ivigil.rendering.plain_text import clean

_WORDS = {"fits": "fits", "stretch": "stretch", "does-not-fit": "does not fit"}
_SHARE = {False: "of virtual patients of", True: "by what the levels leave open under"}
_ROWS = 14
_NOT_FORECAST = {
    "needs-levels": "Not forecastable without levels: measure IgG, and let the levels decide.",
    "no-model": "No published model speaks for this patient and regimen; the reasons stand above.",
}


def forecast_text(whole: Made, evidence: Evidence, width: int = 100) -> str:
    """The whole forecast of one record."""
    return "\n".join(_lines(whole, evidence, max(width, 60))) + "\n"


def _lines(whole: Made, evidence: Evidence, width: int) -> Iterator[str]:
    made, as_of, without, options = whole.forecast, whole.as_of, whole.without, whole.options
    yield clean(f"IgG forecast - {whole.record.id}, {as_of.isoformat()}")
    yield from _wrapped(_regimen(made, as_of), width)
    for say in whole.chosen.notes:
        yield from _wrapped(say, width)
    yield ""
    yield "WHICH MODELS MAY SPEAK"
    for verdict in _ordered(made):
        yield from _verdict(verdict, evidence, width)
    yield ""
    if made.states or made.remarks or made.curves:
        yield "BEFORE YOU READ THE NUMBERS"
        for state in made.states:
            yield from _wrapped(f"! {state.say}", width, "  ")
        for remark in made.remarks:
            yield from _wrapped(f"- {remark.say}", width, "  ")
        for caveat in made.curves[0].verdict.caveats if made.curves else ():
            yield from _wrapped(f"- {made.curves[0].name}: {caveat.say}", width, "  ")
        yield ""
    if made.status != "forecast":
        yield _NOT_FORECAST[made.status]
        return
    yield from _numbers(made, as_of)
    yield ""
    yield from _curve(made, as_of, width)
    yield ""
    yield from _levels(made, as_of, width)
    yield from _sampling(whole, width)
    yield from _response(made, evidence, width)
    if without is not None and without.curves:
        yield from _compared(made, without, as_of)
    if options:
        yield from _options(made, options)
    yield from _sources(made, evidence, width)


def _regimen(made: Forecast, as_of: date) -> str:
    plan = made.regimen
    per_kg = plan.grams / made.person.weight
    every = f" every {number_text(plan.every)} days" if plan.every is not None else ", once"
    over = f" over {plan.days} days" if plan.days > 1 else ""
    year = f", {plan.per_year:.0f} g a year" if plan.per_year is not None else ""
    loading = f", the first {number_text(plan.loading)} g" if plan.loading is not None else ""
    return (f"{number_text(plan.grams)} g ({per_kg:.2f} g/kg at {number_text(made.person.weight)} kg){over}{every}, {plan.route.replace('-', ' ')}, "
            f"from {_day(as_of, plan.start)}{year}{loading}.")


def _ordered(made: Forecast) -> list[Verdict]:
    """The models in use in their order, then the others, those that fit first."""
    used = [curve.model for curve in made.curves]
    order = {"fits": 0, "stretch": 1, "does-not-fit": 2}
    return sorted(made.verdicts, key=lambda verdict: (used.index(verdict.model) if verdict.model in used else len(used), order[verdict.fit]))


def _verdict(verdict: Verdict, evidence: Evidence, width: int) -> Iterator[str]:
    model = evidence.models[verdict.model]
    if verdict.fit == "does-not-fit" and model.role == "reference":
        return
    reasons = verdict.reasons[:1] if verdict.fit == "does-not-fit" else verdict.reasons
    said = "; ".join(reason.say.rstrip(".") for reason in reasons)
    head = f"  {model.name:<20} {_WORDS[verdict.fit]:<12} "
    yield from _wrapped(said, width, head, " " * 36) if said else [head.rstrip()]


def _numbers(made: Forecast, as_of: date) -> Iterator[str]:
    whose = "this patient under each model" if made.individuals else "typical patient of each model"
    yield f"WHAT COMES OF IT ({whose}; total IgG in g/L, of which endogenous is shown apart)"
    repeating = made.regimen.every is not None
    target = f" {'above target':>13}" if made.target is not None and repeating else ""
    if repeating:
        yield f"  {'model':<20} {'endogenous':>10} {'next trough':>12} {'trough':>8} {'peak':>7} {'mean':>7} {'half-life':>10} {'steady after':>13}{target}"
    else:
        yield f"  {'model':<20} {'endogenous':>10} {'highest':>8} {'rise at 2 weeks':>16} {'half-life':>10}"
    for curve in made.curves:
        yield _number_row(curve, repeating, made.target)
    first = made.curves[0]
    yield f"  Trough, peak and mean at steady state. Half-life of {first.name}: {first.summary.half_life_means}."
    if made.bands is not None:
        at = _index(made, made.regimen.start + made.regimen.every if made.regimen.every is not None else 14.0)
        yield from _spread_lines(made, at, as_of)
    if made.target is not None and made.attainment is not None:
        yield (f"  Probability that the steady trough is {number_text(made.target)} g/L or more: {100 * made.attainment:.0f} % "
               f"{_SHARE[bool(made.individuals)]} {first.name}.")
    if made.target is not None and first.summary.crosses_target_on is not None:
        yield f"  The curve first crosses {number_text(made.target)} g/L on {_day(as_of, first.summary.crosses_target_on)}."


def _number_row(curve: ModelCurve, repeating: bool, target: float | None) -> str:
    found = curve.summary
    half = f"{found.half_life:.0f} d"
    if not repeating:
        return f"  {curve.name:<20} {found.baseline:>10.1f} {found.highest:>8.1f} {_number(found.rise_after_two_weeks, '+.1f'):>16} {half:>10}"
    steady = f"{found.steady_after_doses} dose{'s' if found.steady_after_doses > 1 else ''}" if found.steady_after_doses is not None else "later"
    above = f" {_number(100 * found.above_target if found.above_target is not None else None, '.0f', ' %'):>13}" if target is not None else ""
    return (f"  {curve.name:<20} {found.baseline:>10.1f} {_number(found.next_trough, '.1f'):>12} {_number(found.trough, '.1f'):>8} "
            f"{_number(found.peak, '.1f'):>7} {_number(found.average, '.1f'):>7} {half:>10} {steady:>13}{above}")


def _number(value: float | None, form: str, unit: str = "") -> str:
    return "-" if value is None else f"{value:{form}}{unit}"


def _spread_lines(made: Forecast, at: int, as_of: date) -> Iterator[str]:
    assert made.bands is not None
    bands = made.bands
    yield f"  How sure, on {_day(as_of, float(made.times[at]))} (5th to 95th percentile, g/L):"
    person = "what the levels leave open" if made.individuals else "between patients"
    rows: list[tuple[str, Array | None]] = [(person, bands.person),
                                            ("between models (lowest to highest)", bands.model if len(made.curves) > 1 else None),
                                            ("assay and day to day", bands.assay), ("all together", bands.together)]
    for name, band in rows:
        shown = f"{band[0, at]:.1f} - {band[2, at]:.1f}" if band is not None else ("one model only" if name.startswith("between models") else "not published")
        yield f"    {name:<36} {shown}"
    if made.trough_spread is not None:
        yield f"    steady trough between models: coefficient of variation {100 * made.trough_spread:.0f} %"


def _index(made: Forecast, day: float) -> int:
    return int(np.argmin(np.abs(made.times - day)))


def _curve(made: Forecast, as_of: date, width: int) -> Iterator[str]:
    """Rows from the highest level down; ``*`` the first model, ``.`` the band of everything together, ``=`` the target, ``_`` endogenous IgG."""
    columns = width - 10
    first = made.curves[0]
    edges = np.linspace(0, made.times.size, columns + 1).astype(int).tolist()
    spans = [(low, max(high, low + 1)) for low, high in pairwise(edges)]
    band = made.bands.together if made.bands is not None else None
    top = max(float(first.total.max()), float(band[2].max()) if band is not None else 0.0, made.target or 0.0)
    step = top / _ROWS
    yield f"CURVE  * {first.name}   . all uncertainty together (90 %)   _ endogenous{'   = target' if made.target is not None else ''}"
    for row in range(_ROWS, -1, -1):
        low, high = (row - 0.5) * step, (row + 0.5) * step
        yield f"{row * step:7.1f} |" + "".join(_cell(made, first.total, band, span, low, high) for span in spans)
    yield " " * 8 + "+" + "-" * columns
    left, right = _day(as_of, float(made.times[0])), _day(as_of, float(made.times[-1]))
    yield " " * 9 + left + right.rjust(columns - len(left))


def _cell(made: Forecast, total: Array, band: Array | None, span: tuple[int, int], low: float, high: float) -> str:
    inside = total[slice(*span)]
    if inside.min() < high and inside.max() >= low:
        return "*"
    if made.target is not None and low <= made.target < high:
        return "="
    if low <= made.curves[0].summary.baseline < high:
        return "_"
    if band is not None and band[0, slice(*span)].min() < high and band[2, slice(*span)].max() >= low:
        return "."
    return " "


def _levels(made: Forecast, as_of: date, width: int) -> Iterator[str]:
    """The levels the curve was fitted to and what each model made of them; levels that cannot be used are named among the remarks."""
    done = [fit for fit in made.fits if fit.individual is not None]
    if not done:
        return
    names = {curve.model: curve.name for curve in made.curves}
    first = next(fit for fit in done if fit.model == made.curves[0].model)
    yield f"MEASURED LEVELS AND THE FIT ({made.curves[0].name}; g/L)"
    yield f"  {'drawn':<12} {'measured':>9} {'typical':>9} {'fitted':>9} {'residual':>9}"
    for used in first.levels:
        yield f"  {_day(as_of, used.day):<12} {number_text(used.value):>9} {used.typical:>9.1f} {used.own:>9.1f} {used.residual:>+9.1f}"
    yield from _wrapped("Typical: a patient of this weight before any level. Residual: measured less fitted, in standard deviations of assay and day.",
                        width, "  ", "  ")
    for fit in done:
        curve = next(one for one in made.curves if one.model == fit.model)
        ratio = f"clearance {curve.clearance_ratio:.2f} times the typical one, " if curve.clearance_ratio is not None else ""
        learnt = ", ".join(f"{name} {100 * (1 - left):.0f} %" for name, left in fit.shrinkage.items() if 1 - left >= _LEARNT)
        said = f"{ratio}baseline {curve.summary.baseline:.1f} g/L; learnt from the levels: {learnt or 'little'}"
        yield from _wrapped(said, width, f"  {names[fit.model]:<20} ", " " * 23)
    yield ""


_LEARNT = 0.05
"""Share of a variance that the levels took away, from which it is named."""


def _sampling(whole: Made, width: int) -> Iterator[str]:
    """The day on which a level would tell most."""
    found, made = whole.sampling, whole.forecast
    if found is None:
        return
    before = any(dose.day == found.day for dose in made.given)
    span = f"; {_day(whole.as_of, found.first)} to {_day(whole.as_of, found.last)} is nearly as good" if found.first < found.last else ""
    yield f"NEXT LEVEL WORTH DRAWING ({made.curves[0].name})"
    yield from _wrapped(f"{_day(whole.as_of, found.day)}{', before the infusion' if before else ''}{span}. It would narrow the trough to come from "
                        f"+/-{_NINE_IN_TEN * found.without:.1f} to +/-{_NINE_IN_TEN * found.with_it:.1f} g/L (90 %, assay apart).", width, "  ", "  ")
    yield ""


_NINE_IN_TEN = 1.645
"""Standard deviations to either side that hold nine in ten of a normal distribution."""


def _response(made: Forecast, evidence: Evidence, width: int) -> Iterator[str]:
    """What the curve of the first model with a response does to it."""
    curve = next((one for one in made.curves if one.response is not None), None)
    if curve is None or curve.response is None:
        return
    yield f"{curve.response.name.upper()} ({curve.name})"
    yield from _wrapped(response_in_words(curve.response), width, "  ", "  ")
    statement = evidence.statements[curve.response.cites[0]]
    yield from _wrapped(f"Rests on {', '.join(curve.response.cites)} ({statement.read}).", width, "  ", "  ")
    yield ""


def _compared(made: Forecast, without: Forecast, as_of: date) -> Iterator[str]:
    yield "WITH AND WITHOUT THE CHANGE (first model, typical patient, from the second coming dose on)"
    for name, one in (("as asked", made), ("without", without)):
        ahead = one.times >= one.regimen.start + (one.regimen.every or 0.0)
        total = one.curves[0].total[ahead]
        lowest = int(np.argmin(total))
        yield (f"  {name:<10} lowest {total[lowest]:.1f} g/L on {_day(as_of, float(one.times[ahead][lowest]))}, highest {total.max():.1f}, "
               f"mean {total.mean():.1f} g/L until {_day(as_of, float(one.times[-1]))}")
    yield ""


def _options(made: Forecast, options: Sequence[Option]) -> Iterator[str]:
    first = made.curves[0].name
    yield f"DOSE FOR A STEADY TROUGH OF {number_text(made.target or 0.0)} g/L ({first}; range over the models that fit)"
    if all(option.grams == 0 for option in options):
        yield "  Endogenous IgG alone is above the target in a typical patient."
        yield ""
        return
    yield f"  {'every':>8} {'typical':>9} {'g/kg':>6} {'models':>15} {'for 9 in 10':>12} {'g a year':>9} {'asked dose attains':>19}"
    for option in options:
        others = [grams for _, grams in option.grams_by_model]
        sure = f"{option.grams_sure:.0f} g" if option.grams_sure is not None else "-"
        attained = f"{100 * option.attained:.0f} %" if option.attained is not None else "-"
        between = f"{min(others):.0f}-{max(others):.0f} g"
        yield (f"  {number_text(option.every):>5} d  {option.grams:>7.1f} g {option.grams / made.person.weight:>6.2f} {between:>15} {sure:>12} "
               f"{option.per_year:>9.0f} {attained:>19}")
    yield ""


def _sources(made: Forecast, evidence: Evidence, width: int) -> Iterator[str]:
    yield "RESTS ON"
    for curve in made.curves:
        model = evidence.models[curve.model]
        cites = model.saturable.cites if model.saturable is not None else next(iter(model.parameters.values())).cites
        statement = evidence.statements[cites[0]]
        source = evidence.sources[statement.source]
        how = f", read through {evidence.sources[statement.through].title}" if statement.through else ""
        yield from _wrapped(f"{model.name}: {source.title}, {source.publisher}{how} ({statement.read}).", width, "  ", "    ")
    yield "  A forecast is no measurement: confirm with a level before changing treatment. docs/forecast.md says how far to trust it."


def _day(as_of: date, days: float) -> str:
    return (as_of + timedelta(days=int(np.floor(days)))).isoformat()


def _wrapped(text: str, width: int, lead: str = "", later: str | None = None) -> list[str]:
    later = lead + "  " if later is None else later
    return textwrap.wrap(clean(text), width, initial_indent=lead, subsequent_indent=later) or [lead]
