"""Live vaccines after an antibody product: where the tables of two jurisdictions give different waits for the same product or dose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.care import AntibodyInterval
from ivigil.evidence.library import Evidence
from ivigil.evidence.positions import Disagreement, Position, position

_PLASMA_PRODUCTS = ("igiv", "igsc")
_PER_KG = "g/kg"

Found = tuple[str, str, tuple[Position, ...]]
"""Product, dose or purpose in words, and the positions."""


def differing_waits(evidence: Evidence) -> Iterator[Disagreement]:
    """One disagreement for each product, and dose band or purpose, whose wait differs between jurisdictions; antigens that agree in it are joined.

    Only rows that decide a date are compared: notes, superseded rows, labels of single vaccines and rows for a vaccine of one antigen alone are not.
    """
    antigens: dict[Found, list[str]] = {}
    for antigen, intervals in evidence.intervals_by_antigen.items():
        rows = [row for row in intervals if row.jurisdiction and not row.vaccine_product and not row.single_component]
        for found in (*_by_product(evidence, rows), *_by_dose(evidence, rows)):
            antigens.setdefault(found, []).append(antigen)
    products: dict[tuple[str, tuple[Position, ...], tuple[str, ...]], list[str]] = {}
    for (product, label, positions), joined in antigens.items():
        products.setdefault((label, positions, tuple(joined)), []).append(product)
    for (label, positions, names), kinds in products.items():
        parts = ("vaccine", "-".join(kinds), label, "-".join(names))
        yield Disagreement(".".join(_slug(part) for part in parts if part), "vaccine", "different", ("vaccine",),
                           f"Wait of live {_listed(names)} vaccine after {_listed(kinds)}{f', {label}' if label else ''}", positions)


def _by_product(evidence: Evidence, rows: list[AntibodyInterval]) -> Iterator[Found]:
    """Rows printed for a product, beside those of other places for the same product, purpose and dose; a row without purpose or dose fits every one."""
    named = [(product, row) for row in rows if row.wait is not None and not row.measure
             for product in ((row.product,) if row.product else row.products) if product not in _PLASMA_PRODUCTS or row.purpose]
    for product, group in groupby(sorted(named, key=lambda one: one[0]), key=lambda one: one[0]):
        members = [row for _, row in group]
        apart = [row for row in members if any(_comparable(row, other) and row.wait != other.wait for other in members)]
        kept = [row for row in members if any(_comparable(row, other) for other in apart)]
        for purpose in dict.fromkeys(row.purpose for row in apart):
            mine = [row for row in kept if row.purpose in {purpose, ""}]
            if len({row.wait for row in mine}) > 1:
                yield product, purpose, tuple(_printed(evidence, row) for row in mine)


def _comparable(one: AntibodyInterval, other: AntibodyInterval) -> bool:
    same_purpose = one.purpose == other.purpose or not one.purpose or not other.purpose
    return one.jurisdiction != other.jurisdiction and same_purpose and (one.dose is None or other.dose is None or one.dose == other.dose)


def _printed(evidence: Evidence, row: AntibodyInterval) -> Position:
    dose = f"; printed for {row.dose}" if row.dose is not None else ""
    return position(evidence, f"{row.wait}{dose}", row.cites, jurisdiction=row.jurisdiction, entry=row.id, edition=row.edition)


def _by_dose(evidence: Evidence, rows: list[AntibodyInterval]) -> Iterator[Found]:
    """Dose bands: the waits of every place at every edge of a band and between the edges, neighbours with the same waits joined."""
    for product in _PLASMA_PRODUCTS:
        tables = [row for row in rows if product in row.products and not row.purpose and row.measure in {"", "course.dose"}]
        edges = sorted({edge.in_unit(_PER_KG) for row in tables for band in row.rows for edge in (band.up_to, band.below) if edge is not None})
        if not edges:
            continue
        points = [edges[0] / 2, *(value for low, high in zip(edges, [*edges[1:], 2 * edges[-1]], strict=True) for value in (low, (low + high) / 2))]
        waits = [tuple((row, _wait(row, value)) for row in tables) for value in points]
        for _, run in groupby(range(len(points)), key=lambda index: waits[index]):
            span = list(run)
            here = [(row, wait) for row, wait in waits[span[0]] if wait is not None]
            if len({wait.canonical for _, wait in here}) > 1:
                yield product, _band(edges, span[0], span[-1]), tuple(_banded(evidence, row, wait) for row, wait in here)


def _wait(row: AntibodyInterval, dose: float) -> Quantity | None:
    for band in row.rows:
        if band.purpose:
            continue
        if (band.up_to is not None and dose <= band.up_to.in_unit(_PER_KG)) or (band.below is not None and dose < band.below.in_unit(_PER_KG)):
            return band.wait
    if row.above is not None:
        return row.above.wait
    return Quantity(row.wait.high, row.wait.unit) if row.wait is not None else None


def _band(edges: list[float], first: int, last: int) -> str:
    """The doses from one point to another in words; odd points are edges, even ones lie between them."""
    low = "" if first == 0 else f"from {Span(edges[first // 2], edges[first // 2], _PER_KG)}" if first % 2 else f"above {_edge(edges, first // 2 - 1)}"
    high = "" if last == 2 * len(edges) else f"up to {_edge(edges, last // 2)}" if last % 2 else f"under {_edge(edges, last // 2)}"
    return f"{low} {high}".strip()


def _edge(edges: list[float], index: int) -> str:
    return str(Quantity(edges[index], _PER_KG))


def _banded(evidence: Evidence, row: AntibodyInterval, wait: Quantity) -> Position:
    says = str(wait)
    if row.at_high_risk is not None and row.above is not None and wait == row.above.wait:
        says += f"; {row.at_high_risk.wait} at high risk"
    followed = evidence.antibody_intervals.get(row.follows)
    if followed is not None:
        says += f"; the table of {followed.jurisdiction} stands in"
    return position(evidence, says, row.cites, jurisdiction=row.jurisdiction, entry=row.id, edition=row.edition)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.")


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
