"""The curve behind the outlook as a line of the plan: dates and levels that a picture or a leaflet can draw without working anything out anew."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from ivigil.evidence.library import Evidence
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text, days_text

if TYPE_CHECKING:  # the arithmetic is loaded by the step, when it is asked for
    from ivigil.pharmacokinetics.forecast import Forecast, ModelCurve

LINE = "outlook.curve"
MEASURED, TODAY, BEFORE, HIGHEST, BETWEEN = "measured", "today", "before the dose", "highest after the dose", ""
"""What the column *When* says of a row."""
COLUMNS = (Column("Date"), Column("When"), Column("IgG", "g/L"), Column("9 in 10 from", "g/L"), Column("9 in 10 to", "g/L"))

_WORDS = {"today": TODAY, "before": BEFORE, "highest": HIGHEST, "between": BETWEEN}
_DOUBTED = {"clearance-alarm", "fit-poor"}
"""Remarks of the forecast with which a curve is for its checkers only."""
_OPEN = {"baseline-assumed", "baseline-uncertain", "baseline-doubtful"}
"""Remarks that leave open how high the whole curve lies."""


def curve_line(made: Forecast, draft: Draft, evidence: Evidence, context: Context, cites: tuple[str, ...], uses: tuple[str, ...]) -> Line | None:
    """The points of the first model's curve with the range of nine in ten.

    None where the curve is borrowed from other patients, or where the levels on record speak against it: such a curve is read beside its warnings, and a
    table or a picture would drop them.
    """
    first = made.curves[0]
    if (first.verdict.fit != "fits" and not first.individual) or any(remark.kind in _DOUBTED for remark in made.remarks):
        return None
    from ivigil.pharmacokinetics.points import shown_until

    rows = tuple(_rows(made, first, context))
    whose = "of this patient, fitted to the levels" if first.individual else "of a typical patient like this one"
    last = context.as_of + timedelta(days=int(shown_until(made)))
    text = f"IgG from {days_text(context.as_of, last)} on the planned dose: the curve {whose} ({first.name})."
    unsure = not first.individual and any(remark.kind in _OPEN for remark in made.remarks)
    note = "The level before treatment is not known, so the whole curve may lie higher or lower." if unsure else ""
    return Line(LINE, "outlook", "record", "info", text, reasons(evidence, draft.facts, cites=cites, uses=uses, entries=(evidence.models[first.model],)),
                table=Table(COLUMNS, rows, note))


def _rows(made: Forecast, first: ModelCurve, context: Context) -> Iterator[tuple[str | float | None, ...]]:
    from ivigil.pharmacokinetics.points import BACK, points_of

    for level in made.history.levels:
        if level.usable and level.day >= -BACK:
            yield _date(context, level.day), MEASURED, round(level.value, 1), None, None
    band = made.bands.together if made.bands is not None else None
    for point in points_of(made):
        at = int(abs(made.times - point.day).argmin())
        ends = (round(float(band[0, at]), 1), round(float(band[-1, at]), 1)) if band is not None else (None, None)
        yield _date(context, point.day), _WORDS[point.when], round(float(first.total[at]), 1), *ends


def _date(context: Context, day: float) -> str:
    return day_text(context.as_of + timedelta(days=int(day // 1)))
