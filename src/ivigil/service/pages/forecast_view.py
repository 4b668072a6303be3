"""A forecast as tables and one picture: which models may speak, the numbers, how sure they are, and the doses for a target."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
import numpy as np

from ivigil.basis.quantity import number_text
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.for_record import Made
from ivigil.pharmacokinetics.forecast import Forecast, ModelCurve
from ivigil.planning.wording import day_text
from ivigil.rendering.forecast_svg import forecast_svg
from ivigil.rendering.sheet import Grid

_WORDS = {"fits": "fits", "stretch": "stretch", "does-not-fit": "does not fit"}
_STATUS = {
    "forecast": "Forecast",
    "needs-levels": "Not forecastable without levels: measure IgG, and let the levels decide.",
    "no-model": "No published model speaks for this patient and regimen; the reasons stand below.",
}
_TWO_WEEKS = 14.0


class Captioned(msgspec.Struct, frozen=True):
    """A table with its heading and a sentence below."""

    title: str
    grid: Grid
    note: str = ""


class ForecastView(msgspec.Struct, frozen=True):
    """Everything that the template of a forecast needs."""

    status: str
    made: bool
    regimen: str
    notes: tuple[str, ...]
    cautions: tuple[tuple[bool, str], ...]
    tables: tuple[Captioned, ...]
    models: Captioned
    picture: str
    said: str


def forecast_view(whole: Made, evidence: Evidence) -> ForecastView:
    """Arrange a forecast for the page."""
    made = whole.forecast
    tables = tuple(_tables(whole)) if made.curves else ()
    svg = forecast_svg(made, whole.as_of, "this patient") if made.curves else ""
    cautions = [(True, state.say) for state in made.states] + [(False, remark.say) for remark in made.remarks]
    cautions += [(False, f"{made.curves[0].name}: {caveat.say}") for caveat in (made.curves[0].verdict.caveats if made.curves else ())]
    return ForecastView(
        status=_STATUS[made.status],
        made=made.status == "forecast",
        regimen=_regimen(made, whole.as_of),
        notes=whole.chosen.notes,
        cautions=tuple(cautions),
        tables=tables,
        models=_models(made, evidence),
        picture=f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" if svg else "",
        said=f"Curve of total IgG over time by {made.curves[0].name} with bands; the tables below give its numbers." if made.curves else "",
    )


def _regimen(made: Forecast, as_of: date) -> str:
    plan = made.regimen
    every = f" every {number_text(plan.every)} days" if plan.every is not None else ", once"
    over = f" over {plan.days} days" if plan.days > 1 else ""
    loading = f", the first {number_text(plan.loading)} g" if plan.loading is not None else ""
    per_kg = plan.grams / made.person.weight
    weight = number_text(made.person.weight)
    return (
        f"{number_text(plan.grams)} g ({per_kg:.2f} g/kg at {weight} kg){over}{every}, {plan.route.replace('-', ' ')}, from {_day(as_of, plan.start)}{loading}."
    )


def _tables(whole: Made) -> Iterator[Captioned]:
    made, as_of = whole.forecast, whole.as_of
    yield _numbers(made)
    if made.bands is not None:
        yield _spread(made, as_of)
    yield from _doses_and_levels(made, as_of)
    if whole.without is not None and whole.without.curves:
        yield _compared(made, whole.without, as_of)
    if whole.options:
        yield _options(whole)


def _numbers(made: Forecast) -> Captioned:
    first = made.curves[0]
    half = f"Half-life of {first.name}: {first.summary.half_life_means}."
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    if made.regimen.every is None:
        heads = ("Model", "Endogenous (g/L)", "Highest (g/L)", "Rise at 2 weeks (g/L)", "Half-life (days)")
        rows = [
            (_named(one), _fixed(one.summary.baseline), _fixed(one.summary.highest), _fixed(one.summary.rise_after_two_weeks), f"{one.summary.half_life:.0f}")
            for one in made.curves
        ]
    else:
        heads = ("Model", "Endogenous (g/L)", "Next trough (g/L)", "Steady trough (g/L)", "Peak (g/L)", "Mean (g/L)", "Half-life (days)", "Steady after")
        rows = [
            (
                _named(one),
                _fixed(one.summary.baseline),
                _fixed(one.summary.next_trough),
                _fixed(one.summary.trough),
                _fixed(one.summary.peak),
                _fixed(one.summary.average),
                f"{one.summary.half_life:.0f}",
                _doses(one),
            )
            for one in made.curves
        ]
    notes = [half]
    if made.target is not None and made.attainment is not None:
        notes.append(f"Probability that the steady trough is {number_text(made.target)} g/L or more: {100 * made.attainment:.0f} % of virtual patients.")
    if made.target is not None and first.summary.crosses_target_on is not None:
        notes.append("The typical curve crosses the target in the time shown.")
    return Captioned("What comes of it", Grid(heads, (False, *(True for _ in heads[1:])), tuple(rows)), " ".join(notes))


def _spread(made: Forecast, as_of: date) -> Captioned:
    assert made.bands is not None
    bands = made.bands
    day = made.regimen.start + made.regimen.every if made.regimen.every is not None else _TWO_WEEKS
    at = int(np.argmin(np.abs(made.times - day)))
    named = (
        ("what the levels leave open" if made.individuals else "between patients", bands.person, "not published"),
        ("between models, lowest to highest", bands.model if len(made.curves) > 1 else None, "one model only"),
        ("assay and day to day", bands.assay, "not published"),
        ("all together", bands.together, "not published"),
    )
    rows = tuple((name, _fixed(band[0, at]), _fixed(band[2, at])) if band is not None else (name, missing, "") for name, band, missing in named)
    return Captioned(
        f"How sure, on {_day(as_of, float(made.times[at]))}", Grid(("Spread", "5th percentile (g/L)", "95th percentile (g/L)"), (False, True, True), rows)
    )


def _doses_and_levels(made: Forecast, as_of: date) -> Iterator[Captioned]:
    """Levels on record with what the curve says of them, and the doses that lie in the picture."""
    first = made.curves[0]
    measured = []
    for level in made.history.levels:
        inside = made.times[0] <= level.day <= made.times[-1]
        curve = _fixed(float(np.interp(level.day, made.times, first.total))) if inside else "-"
        measured.append((_day(as_of, level.day), number_text(level.value), curve, "yes" if level.usable else "no trough, or not sure"))
    if measured:
        grid = Grid(("Drawn", "Measured (g/L)", f"{first.name} (g/L)", "Used"), (False, True, True, False), tuple(measured))
        yield Captioned("Measured levels", grid, "" if not made.individuals else "The curve was fitted to the usable levels.")
    ahead = [(_day(as_of, dose.day), number_text(dose.grams), dose.route.replace("-", " ")) for dose in made.given if dose.day >= made.times[0]]
    if ahead:
        yield Captioned("Doses in the picture", Grid(("Day", "Dose (g)", "Route"), (False, True, False), tuple(ahead)))


def _compared(made: Forecast, without: Forecast, as_of: date) -> Captioned:
    rows = []
    for name, one in (("with the change", made), ("without it", without)):
        ahead = one.times >= one.regimen.start + (one.regimen.every or 0.0)
        total = one.curves[0].total[ahead]
        lowest = int(np.argmin(total))
        rows.append((name, f"{total[lowest]:.1f}", _day(as_of, float(one.times[ahead][lowest])), f"{total.max():.1f}", f"{total.mean():.1f}"))
    heads = ("", "Lowest (g/L)", "on", "Highest (g/L)", "Mean (g/L)")
    return Captioned("What if", Grid(heads, (False, True, False, True, True), tuple(rows)), "First model, typical patient, from the second coming dose on.")


def _options(whole: Made) -> Captioned:
    made = whole.forecast
    rows = []
    for option in whole.options:
        others = [grams for _, grams in option.grams_by_model]
        sure = f"{option.grams_sure:.0f}" if option.grams_sure is not None else "-"
        attained = f"{100 * option.attained:.0f} %" if option.attained is not None else "-"
        rows.append(
            (
                number_text(option.every),
                f"{option.grams:.1f}",
                f"{option.grams / made.person.weight:.2f}",
                f"{min(others):.0f}-{max(others):.0f}",
                sure,
                f"{option.per_year:.0f}",
                attained,
            )
        )
    heads = ("Every (days)", "Typical (g)", "g/kg", "Over models (g)", "For 9 in 10 (g)", "A year (g)", "Asked dose attains")
    note = "Not a recommendation: confirm with a level." if any(option.grams for option in whole.options) else "Endogenous IgG alone is above the target."
    return Captioned(f"Dose for a steady trough of {number_text(made.target or 0.0)} g/L", Grid(heads, tuple(True for _ in heads), tuple(rows)), note)


def _models(made: Forecast, evidence: Evidence) -> Captioned:
    used = [curve.model for curve in made.curves]
    order = list(_WORDS)
    ranked = sorted(made.verdicts, key=lambda one: (used.index(one.model) if one.model in used else len(used), order.index(one.fit)))
    rows = tuple((evidence.models[one.model].name, _WORDS[one.fit], "; ".join(reason.say.rstrip(".") for reason in one.reasons)) for one in ranked)
    return Captioned("Which models may speak", Grid(("Model", "", "Why"), (False, False, False), rows))


def _named(curve: ModelCurve) -> str:
    return f"{curve.name}, fitted" if curve.individual else curve.name


def _doses(curve: ModelCurve) -> str:
    count = curve.summary.steady_after_doses
    return "later" if count is None else f"{count} dose{'s' if count > 1 else ''}"


def _fixed(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _day(as_of: date, days: float) -> str:
    return day_text(as_of + timedelta(days=int(np.floor(days))))
