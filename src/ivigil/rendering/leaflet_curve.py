"""The IgG curve of a leaflet: the points that the plan's outlook prints, in plain words, as rows and as a picture. Nothing is worked out anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from html import escape

import msgspec

from ivigil.basis.quantity import number_text
from ivigil.planning.line import Line, Plan
from ivigil.planning.outlook_curve import BEFORE, HIGHEST, LINE, MEASURED
from ivigil.planning.wording import day_text
from ivigil.rendering.leaflet_parts import Part
from ivigil.rendering.plain_text import clean

TITLE = "Your IgG level"
_WHAT = "IgG is one of the kinds of antibody in your blood."
_FORECAST = ("This is a forecast. Only a blood test shows your real level.", "Do not change your dose because of it.")
_NONE = "No curve is drawn here."
_NEEDS_LEVELS = (_NONE, "In your case only blood tests can show your level.", "Ask your team when the next one is due.")
_NO_MODEL = (_NONE, "No study that we could use was made with people like you.", "Your team goes by blood tests and by how you are.")
_UNSURE = (_NONE, "It would not be sure enough for you.", "Your team can tell you more.")
_HALF_DAY = 0.5
"""How far after its date the highest level of a day is drawn, so that the rise after a dose is seen."""


class Point(msgspec.Struct, frozen=True):
    """One row of the plan's table: days from the first row of the curve, the level in g/L, the range of nine in ten, and what the row says of itself."""

    day: float
    date: str
    level: float
    low: float | None
    high: float | None
    when: str


def curve_part(plan: Plan) -> Part | None:
    """The part of the leaflet; None for a plan without an outlook, and a plain sentence why where the outlook has no curve to draw."""
    outlook = [line for line in plan.lines if line.section == "outlook"]
    line = next((one for one in outlook if one.id == LINE), None)
    points = _points(line, plan.as_of)
    if line is None or len([point for point in points if point.when != MEASURED]) < 2:
        return Part("curve", TITLE, _why_not(outlook), lines=tuple(one.id for one in outlook)) if outlook else None
    return Part("curve", TITLE, tuple(_said(line, points)), heads=("Date", "IgG level"), rows=tuple(_rows(points)), lines=(LINE,), picture=curve_svg(points))


def _why_not(outlook: Sequence[Line]) -> tuple[str, ...]:
    if any(line.id.startswith("outlook.state.") and line.urgency != "info" for line in outlook) and not any(line.id == "outlook.igg" for line in outlook):
        return _NEEDS_LEVELS
    return _NO_MODEL if any(line.id == "outlook.no-model" for line in outlook) else _UNSURE


def _points(line: Line | None, as_of: date) -> list[Point]:
    """The rows of the plan's table in order of time."""
    if line is None or line.table is None:
        return []
    found = []
    for day, when, level, low, high in line.table.rows:
        if isinstance(day, str) and isinstance(level, float | int):
            away = (written_day(day) - as_of).days + (_HALF_DAY if when == HIGHEST else 0.0)
            found.append(Point(away, clean(day), float(level), _number(low), _number(high), str(when)))
    return sorted(found, key=lambda point: point.day)


def _number(cell: str | float | None) -> float | None:
    return float(cell) if isinstance(cell, float | int) else None


def written_day(day: str) -> date:
    """``23 Oct 2027`` as a date, in the months that :func:`day_text` writes."""
    number, month, year = day.split()
    return next(date(int(year), place, int(number)) for place in range(1, 13) if day_text(date(int(year), place, 1)).split()[1] == month)


def _said(line: Line, points: Sequence[Point]) -> Iterator[str]:
    own = "fitted to the levels" in line.text
    yield _WHAT
    yield "The line shows the level that we expect."
    yield "It is worked out from your own blood tests." if own else "It is made for a typical person like you."
    if any(point.low is not None for point in points):
        yield "The band shows where it may lie 9 times in 10." if own else "The band shows where 9 in 10 people like you would be."
    if any(point.when == MEASURED for point in points):
        yield "The dots are your blood tests."
    if line.table is not None and line.table.note:
        yield "Your level before treatment is not known. So the whole curve may lie higher or lower."
    yield "In the table, g/L means grams in each litre of blood."
    yield from _FORECAST


def _rows(points: Sequence[Point]) -> Iterator[tuple[str, str]]:
    """The measured levels, and the level before each of the next doses: the picture in words."""
    yield from ((point.date, f"{point.level:.1f} g/L in your blood test") for point in points if point.when == MEASURED)
    for point in [one for one in points if one.when == BEFORE][:_MOST_ROWS]:
        band = f", likely {point.low:.1f} to {point.high:.1f}" if point.low is not None and point.high is not None else ""
        yield point.date, f"about {point.level:.1f} g/L before the dose{band}"


_MOST_ROWS = 5
"""Coming doses in the table; the picture may show more."""
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 560, 430, 56, 14, 44, 118
_DATE = 84
"""The room that a date below the picture takes."""
_TEXT, _RULE, _BAND, _LINE, _DOT, _DOSE = "#1a1a1a", "#c9ced6", "#bcd4e6", "#1d4f73", "#9b1c1c", "#1a6b34"


def curve_svg(points: Sequence[Point]) -> str:
    """The picture: one SVG element without styles, scripts, fonts or links, in letters that stay large in print. Black and white print keeps its sense."""
    return "".join(_Picture(points).parts())


class _Picture:
    def __init__(self, points: Sequence[Point]) -> None:
        self.line = [point for point in points if point.when != MEASURED]
        self.dots = [point for point in points if point.when == MEASURED]
        self.first, self.last = points[0].day, max(point.day for point in points)
        self.top = 1.08 * max(max(point.level, point.high or 0.0) for point in points)

    def x(self, day: float) -> float:
        """Where a day lies."""
        return _LEFT + (day - self.first) / (self.last - self.first) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, level: float) -> float:
        """Where a level lies."""
        return _HEIGHT - _BOTTOM - level / self.top * (_HEIGHT - _TOP - _BOTTOM)

    def parts(self) -> Iterator[str]:
        """The picture piece by piece."""
        doses = [point for point in self.line if point.when == BEFORE]
        ends = f"from {self.line[0].date} to {self.line[-1].date}"
        said = f"Forecast of your IgG level in grams per litre {ends}: {', '.join(f'{point.level:.1f} before the dose of {point.date}' for point in doses)}."
        yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
               f'aria-label="{escape(said, quote=True)}"><title>{escape(said)}</title><rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>')
        yield from self.axes()
        band = [(point.day, point.low, point.high) for point in self.line if point.low is not None and point.high is not None]
        if band:
            upper = [f"{self.x(day):.1f},{self.y(high):.1f}" for day, _, high in band]
            lower = [f"{self.x(day):.1f},{self.y(low):.1f}" for day, low, _ in reversed(band)]
            yield f'<polygon points="{" ".join([*upper, *lower])}" fill="{_BAND}" stroke="{_LINE}" stroke-width="1"/>'
        along = " ".join(f"{self.x(point.day):.1f},{self.y(point.level):.1f}" for point in self.line)
        yield f'<polyline points="{along}" fill="none" stroke="{_LINE}" stroke-width="4" stroke-linejoin="round"/>'
        for point in self.dots:
            yield f'<circle cx="{self.x(point.day):.1f}" cy="{self.y(point.level):.1f}" r="7" fill="{_DOT}" stroke="#ffffff" stroke-width="2"/>'
        floor = _HEIGHT - _BOTTOM
        for point in (each for each in doses if each is not self.line[-1]):
            x = self.x(point.day)
            yield f'<path d="M{x:.1f} {floor + 3} l-8 15 h16 z" fill="{_DOSE}"/>'
        yield self.key(floor + 76)
        yield "</svg>"

    def axes(self) -> Iterator[str]:
        """Rules with their level on the left, and dates below where there is room."""
        step = next(size for size in (1, 2, 5, 10, 20, 50, 100) if self.top / size <= 6)
        for count in range(int(self.top / step) + 1):
            level = count * step
            yield (f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{self.y(level):.1f}" y2="{self.y(level):.1f}" stroke="{_RULE}" stroke-width="1"/>'
                   f'{self.text(_LEFT - 10, self.y(level) + 7, number_text(level), "end")}')
        yield self.text(_LEFT - 10, _TOP - 18, "g/L", "end")
        free = -float("inf")
        for point in self.line:
            day, month, _ = point.date.split()
            x = min(self.x(point.day), _WIDTH - _DATE / 2)
            if (point.when == BEFORE or point is self.line[0]) and x - _DATE / 2 >= free:
                yield self.text(x, _HEIGHT - _BOTTOM + 42, f"{day} {month}", "middle")
                free = x + _DATE / 2

    def key(self, y: float) -> str:
        """What the marks mean."""
        low = y + 30
        marks = [(0, y, f'<path d="M14 {y - 15:.0f} l-8 15 h16 z" fill="{_DOSE}"/>', "dose"),
                 (1, y, f'<line x1="0" x2="28" y1="{y - 7:.0f}" y2="{y - 7:.0f}" stroke="{_LINE}" stroke-width="4"/>', "expected level"),
                 (1, low, f'<rect width="28" height="18" y="{low - 16:.0f}" fill="{_BAND}" stroke="{_LINE}"/>', "range of 9 in 10")]
        if self.dots:
            marks.append((0, low, f'<circle cx="14" cy="{low - 7:.0f}" r="7" fill="{_DOT}"/>', "blood test"))
        return "".join(f'<g transform="translate({_LEFT + 170 * place} 0)">{mark}{self.text(36, at, word)}</g>' for place, at, mark, word in marks)

    def text(self, x: float, y: float, words: str, anchor: str = "start") -> str:
        """Words at a place."""
        return f'<text x="{x:.1f}" y="{y:.1f}" font-size="22" fill="{_TEXT}" text-anchor="{anchor}">{escape(words)}</text>'

