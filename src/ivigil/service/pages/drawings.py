"""Small pictures of a plan as SVG: vials to take from the shelf, the rate over time, dates of vaccines. Each repeats a table or lines beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from html import escape

from markupsafe import Markup

from ivigil.basis.quantity import number_text
from ivigil.planning.line import Line, Plan, Table
from ivigil.planning.wording import day_text
from ivigil.rendering.leaflet import Leaflet
from ivigil.rendering.plain_text import clean

_VIALS = re.compile(r"([0-9]+) x ([0-9.]+) g")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_MOST_DRAWN = 24
_WIDTH = 640


def vials_drawing(plan: Plan) -> Markup:
    """The vials of one day, each as high as its content asks; nothing when the plan names none or the days differ."""
    line = plan.line("vials.choice")
    sets = list(dict.fromkeys(_column(line.table, "Vials"))) if line is not None and line.table is not None else []
    vials = [float(size) for count, size in _VIALS.findall(sets[0]) for _ in range(int(count))] if len(sets) == 1 else []
    if not vials or len(vials) > _MOST_DRAWN:
        return Markup("")
    largest, parts, x = max(vials), [], 4.0
    for grams in sorted(vials, reverse=True):
        height = 34 + 46 * (grams / largest)
        width = 22 + 16 * (grams / largest)
        top = 96 - height
        neck, side, shoulder = width * 0.36, width * 0.14, width * 0.18
        outline = (
            f"M{x + width * 0.32:.1f} {top + 7:.1f} h{neck:.1f} v5 q0 3 {shoulder:.1f} 6 q{side:.1f} 3 {side:.1f} 8 "
            f"V92 q0 4 -4 4 H{x + 4:.1f} q-4 0 -4 -4 V{top + 26:.1f} q0 -5 {side:.1f} -8 q{shoulder:.1f} -3 {shoulder:.1f} -6 Z"
        )
        parts.append(
            f'<g class="vial"><rect class="cap" x="{x + width * 0.26:.1f}" y="{top:.1f}" width="{width * 0.48:.1f}" height="7" rx="2"/>'
            f'<path class="glass" d="{outline}"/>'
            f'<text x="{x + width / 2:.1f}" y="112" text-anchor="middle">{number_text(grams)} g</text></g>'
        )
        x += width + 12
    return _svg("vials", f"Vials for each day: {sets[0]}", x, 118, parts)


def curve_drawing(leaflet: Leaflet | None) -> Markup:
    """The IgG curve of a leaflet, the same picture as on paper; nothing where it has none."""
    return Markup("".join(part.picture for part in leaflet.parts)) if leaflet is not None else Markup("")


def rate_drawing(plan: Plan) -> Markup:
    """The pump rate over the first day, as steps; nothing unless every step has its time and rate."""
    line = next((line for line in plan.lines if line.id == "infusion.day-1"), None)
    steps = _steps(line)
    if len(steps) < 2:
        return Markup("")
    first, last, top = steps[0][0], steps[-1][1], max(rate for _, _, rate in steps)
    left, right, floor, roof = 8.0, _WIDTH - 8.0, 132.0, 26.0

    def x(minute: float) -> float:
        return left + (minute - first) / (last - first) * (right - left)

    def y(rate: float) -> float:
        return floor - rate / top * (floor - roof)

    path = f"M{x(first):.1f} {floor}" + "".join(f" V{y(rate):.1f} H{x(end):.1f}" for _, end, rate in steps) + f" V{floor} Z"
    parts = [f'<path class="steps" d="{path}"/>', f'<line class="axis" x1="{left}" x2="{right}" y1="{floor}" y2="{floor}"/>']
    taken = -100.0
    for begin, end, rate in steps:
        if x(end) - x(begin) >= 26:
            parts.append(f'<text x="{(x(begin) + x(end)) / 2:.1f}" y="{y(rate) - 6:.1f}" text-anchor="middle">{number_text(rate)}</text>')
        if x(begin) - taken >= 48:
            parts.append(f'<text class="soft" x="{x(begin):.1f}" y="150" text-anchor="{"start" if begin == first else "middle"}">{_clock(begin)}</text>')
            taken = x(begin)
    if right - taken >= 48:
        parts.append(f'<text class="soft" x="{right}" y="150" text-anchor="end">{_clock(last)}</text>')
    parts.append(f'<text class="soft" x="{left}" y="12">mL/h</text>')
    said = ", ".join(f"{number_text(rate)} mL/h from {_clock(begin)}" for begin, _, rate in steps)
    return _svg("rates", f"Pump rate over the first day: {said}, ends {_clock(last)}", _WIDTH, 156, parts)


def _steps(line: Line | None) -> list[tuple[int, int, float]]:
    """Begin and end in minutes since the first midnight, and mL/h; empty unless all are there."""
    if line is None or line.table is None:
        return []
    rates = _column(line.table, "Pump") or _column(line.table, "All sites")
    rows = list(zip(_column(line.table, "From"), _column(line.table, "To"), rates, strict=False))
    steps: list[tuple[int, int, float]] = []
    passed = 0
    for begin, end, rate in rows:
        times = [_CLOCK.search(text) for text in (begin, end)]
        if times[0] is None or times[1] is None or not rate:
            return []
        minutes = [60 * int(time[1]) + int(time[2]) for time in times if time is not None]
        for place, minute in enumerate(minutes):
            while minute < passed:
                minute += 24 * 60
            minutes[place] = passed = minute
        steps.append((minutes[0], minutes[1], float(rate)))
    return steps if steps and steps[-1][1] > steps[0][0] else []


def vaccine_drawing(plan: Plan) -> Markup:
    """When each live vaccine may be given, on one line of time from the day of the plan; nothing when no line has a date."""
    dated = [(line.when, line) for line in plan.lines if line.section == "vaccination" and line.when is not None and line.act == "wait"]
    groups: dict[date, list[Line]] = {}
    for when, line in sorted(dated, key=lambda pair: pair[0]):
        groups.setdefault(when, []).append(line)
    days = [when for when in groups if when > plan.as_of]
    if not days:
        return Markup("")
    span = (max(days) - plan.as_of).days
    left, right = 8.0, _WIDTH - 8.0
    parts = []
    height = 26 + 24 * len(days)
    for place, when in enumerate(days):
        x, y = left + (when - plan.as_of).days / span * (right - left), 40 + 24 * place
        names = ", ".join(line.id.partition(".")[2].replace("-", " ") for line in groups[when])
        anchor = "end" if x > _WIDTH / 2 else "start"
        parts.append(
            f'<line class="wait" x1="{left}" x2="{x:.1f}" y1="{y}" y2="{y}"/><circle class="day" cx="{x:.1f}" cy="{y}" r="5"/>'
            f'<text x="{x - 8 if anchor == "end" else x + 8:.1f}" y="{y - 7}" text-anchor="{anchor}"><tspan class="strong">{day_text(when)}</tspan> '
            f"{escape(clean(names)[:60])}</text>"
        )
    parts.append(f'<line class="axis" x1="{left}" x2="{left}" y1="14" y2="{height}"/><text class="soft" x="{left + 4}" y="12">{day_text(plan.as_of)}</text>')
    said = "; ".join(
        f"{', '.join(line.id.partition('.')[2].replace('-', ' ') for line in lines)} not before {day_text(when)}" for when, lines in groups.items()
    )
    return _svg("vaccines", f"Live vaccines wait: {clean(said)}", _WIDTH, height + 6, parts)


def _svg(kind: str, said: str, width: float, height: float, parts: Sequence[str]) -> Markup:
    body = "".join(parts)
    return Markup(
        f'<svg class="drawing {kind}" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(said, quote=True)}"><title>{escape(said)}</title>{body}</svg>'
    )


def _column(table: Table, name: str) -> list[str]:
    """The cells of a column as text; none when the table has no such column."""
    place = next((place for place, column in enumerate(table.columns) if column.name == name), None)
    cells = [] if place is None else [row[place] for row in table.rows]
    return ["" if cell is None else number_text(cell) if isinstance(cell, float) else str(cell) for cell in cells]


def _clock(minute: int) -> str:
    hours, minutes = divmod(minute % (24 * 60), 60)
    return f"{hours:02}:{minutes:02}"
