"""A forecast as one self-contained picture: SVG without scripts, fonts or links, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from html import escape

import numpy as np

from ivigil.basis.quantity import number_text
from ivigil.pharmacokinetics.forecast import Forecast
from ivigil.pharmacokinetics.history import Level
from ivigil.pharmacokinetics.kernels import Array
from ivigil.rendering.plain_text import clean

_WIDTH, _HEIGHT = 960, 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 18, 82, 56
_NAMES = 60
_STYLE = """
.page{fill:#fff}.text{fill:#1b1f24;font:13px system-ui,sans-serif}.small{font-size:11px}.axis{stroke:#57606a;stroke-width:1}.rule{stroke:#d0d7de;stroke-width:1}
.all{fill:#0969da;fill-opacity:.12}.person{fill:#0969da;fill-opacity:.22}.other{fill:none;stroke:#8250df;stroke-width:1;stroke-dasharray:5 3}
.first{fill:none;stroke:#0550ae;stroke-width:2}.rest{fill:none;stroke:#57606a;stroke-width:1.5;stroke-dasharray:2 3}.target{stroke:#bc4c00;stroke-width:1.5}
.dose{stroke:#1a7f37;stroke-width:1.5}.level{fill:#cf222e}.unsure{fill:none;stroke:#cf222e;stroke-width:1.5}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.text{fill:#e6edf3}.axis{stroke:#9198a1}.rule{stroke:#3d444d}.all{fill:#4493f8}.person{fill:#4493f8}
.other{stroke:#ab7df8}.first{stroke:#79c0ff}.rest{stroke:#9198a1}.target{stroke:#f0883e}.dose{stroke:#3fb950}.level{fill:#f85149}.unsure{stroke:#f85149}}
""".replace("\n", "")


def forecast_svg(made: Forecast, as_of: date, title: str) -> str:
    """The picture of a forecast: bands, the first model, the others, endogenous IgG, target, doses and measured levels.

    Raises:
        ValueError: there is no curve to draw.
    """
    if not made.curves:
        raise ValueError("there is no curve to draw")
    return "".join(_Picture(made, as_of, title).parts()) + "\n"


class _Picture:
    def __init__(self, made: Forecast, as_of: date, title: str) -> None:
        self.made, self.as_of, self.title = made, as_of, clean(title)
        bands = made.bands
        tops = [float(curve.total.max()) for curve in made.curves] + [level.value for level in self.levels] + [made.target or 0.0]
        if bands is not None and bands.together is not None:
            tops.append(float(bands.together[2].max()))
        self.top = 1.05 * max(tops)
        self.first_day, self.last_day = float(made.times[0]), float(made.times[-1])

    @property
    def levels(self) -> list[Level]:
        """Levels inside the picture."""
        return [level for level in self.made.history.levels if level.day >= self.made.times[0]]

    def x(self, day: float) -> float:
        """Where a day lies."""
        return _LEFT + (day - self.first_day) / (self.last_day - self.first_day) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, level: float) -> float:
        """Where a level lies."""
        return _HEIGHT - _BOTTOM - min(max(level, 0.0), self.top) / self.top * (_HEIGHT - _TOP - _BOTTOM)

    def parts(self) -> Iterator[str]:
        """The picture piece by piece."""
        made = self.made
        said = f"IgG forecast, {self.title}. {made.curves[0].name}: total IgG in grams per litre over time, with bands."
        yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
               f'aria-label="{escape(said, quote=True)}"><title>{escape(said)}</title><style>{_STYLE}</style>')
        yield f'<rect class="page" width="{_WIDTH}" height="{_HEIGHT}"/>'
        yield self.text(_LEFT, 22, f"IgG forecast - {self.title}")
        for line, words in enumerate(self.legend()):
            yield self.text(_LEFT, 40 + 16 * line, words, "text small")
        yield from self.axes()
        if made.bands is not None:
            for band, name in ((made.bands.together, "all"), (made.bands.person, "person")):
                if band is not None:
                    yield f'<polygon class="{name}" points="{self.around(band)}"/>'
        yield f'<line class="rest" x1="{self.x(self.first_day):.1f}" x2="{self.x(self.last_day):.1f}" {self.level_line(made.curves[0].summary.baseline)}/>'
        if made.target is not None:
            yield f'<line class="target" x1="{self.x(self.first_day):.1f}" x2="{self.x(self.last_day):.1f}" {self.level_line(made.target)}/>'
        for index, curve in reversed(list(enumerate(made.curves))):
            yield f'<polyline class="{"other" if index else "first"}" points="{self.along(curve.total)}"/>'
        yield from self.marks()
        yield "</svg>"

    def legend(self) -> tuple[str, str]:
        """What the strokes and the areas mean, in two lines."""
        first, others = self.made.curves[0], self.made.curves[1:]
        strokes = [f"solid: {first.name}{', fitted to the levels' if first.individual else ''}"]
        if others:
            named = ", ".join(curve.name for curve in others)
            strokes.append(f"dashed: {named if len(named) < _NAMES else f'{len(others)} other models'}")
        strokes.append("dotted: endogenous")
        if self.made.target is not None:
            strokes.append(f"orange: target {number_text(self.made.target)} g/L")
        areas = ["dark band: 90 % of what the levels leave open" if first.individual else "dark band: 90 % of patients", "light band: with models and assay"]
        if self.levels:
            areas.append("red: measured, hollow where it is no trough")
        return "; ".join(strokes), "; ".join(areas)

    def axes(self) -> Iterator[str]:
        """Rules with g/L on the left and dates below."""
        step = next(size for size in (0.5, 1, 2, 5, 10, 20, 50, 100, 500, 1000, np.inf) if self.top / size <= 8)
        for level in np.arange(0.0, self.top, step):
            yield f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" {self.level_line(float(level))}/>'
            yield self.text(_LEFT - 8, self.y(float(level)) + 4, number_text(float(level)), "text small", "end")
        weeks = max(1, round((self.last_day - self.first_day) / 7 / 9))
        for day in np.arange(np.ceil(self.first_day), self.last_day + 1, 7 * weeks):
            shown = (self.as_of + timedelta(days=int(day))).strftime("%d %b %y")
            yield self.text(self.x(float(day)), _HEIGHT - _BOTTOM + 18, shown, "text small", "middle")
        yield f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{_HEIGHT - _BOTTOM}" y2="{_HEIGHT - _BOTTOM}"/>'
        yield f'<line class="axis" x1="{self.x(0.0):.1f}" x2="{self.x(0.0):.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        yield self.text(self.x(0.0) + 4, _TOP + 10, "today", "text small")
        yield self.text(14, _TOP - 6, "g/L", "text small")
        yield self.text(_LEFT, _HEIGHT - 10, "Not a measurement: confirm with a level before changing treatment.", "text small")

    def marks(self) -> Iterator[str]:
        """Doses on the axis, measured levels as points; hollow ones cannot stand for the curve."""
        for dose in self.made.given:
            if dose.day >= self.first_day:
                x, y = self.x(dose.day), _HEIGHT - _BOTTOM
                yield f'<line class="dose" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 6}"/>'
        for level in self.made.history.levels:
            if level.day >= self.first_day:
                name = "level" if level.usable else "unsure"
                yield f'<circle class="{name}" cx="{self.x(level.day):.1f}" cy="{self.y(level.value):.1f}" r="4"/>'

    def along(self, total: Array) -> str:
        """A curve as points."""
        return " ".join(f"{self.x(float(day)):.1f},{self.y(float(level)):.1f}" for day, level in zip(self.made.times, total, strict=True))

    def around(self, band: Array) -> str:
        """A band as the outline of its lower and upper ends; every second point is enough."""
        days = self.made.times[::2]
        lower = [f"{self.x(float(day)):.1f},{self.y(float(level)):.1f}" for day, level in zip(days, band[0, ::2], strict=True)]
        upper = [f"{self.x(float(day)):.1f},{self.y(float(level)):.1f}" for day, level in zip(days, band[2, ::2], strict=True)]
        return " ".join([*lower, *reversed(upper)])

    def level_line(self, level: float) -> str:
        """The y coordinates of a horizontal line."""
        return f'y1="{self.y(level):.1f}" y2="{self.y(level):.1f}"'

    def text(self, x: float, y: float, words: str, name: str = "text", anchor: str = "start") -> str:
        """Words at a place."""
        return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
