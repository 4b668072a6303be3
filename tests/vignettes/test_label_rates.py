"""The printed label tables, cell by cell: every case beside a product comes to the mL/h worked out by hand there, and the tables keep their invariants."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pytest

from ivigil.evidence.files import packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.planning import infusion
from ivigil.planning.draft import Context
from ivigil.planning.label_examples import LabelExample, label_draft
from ivigil.planning.worked_examples import Placed, mismatches, placed_examples

AUTUMN = date(2026, 11, 20)


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    """The packaged evidence."""
    return load_evidence()


def cases() -> list[Any]:
    """Every example beside a product."""
    placed = placed_examples(read_folder(packaged_folder()), [])
    return [pytest.param(one, id=f"{one.stem}: {one.example.name}") for one in placed if isinstance(one.example, LabelExample)]


@pytest.mark.parametrize("placed", cases())
def test_label_case(placed: Placed) -> None:
    """Each case beside a product holds: rates in mL/h, sites, factors, populations, refusals."""
    assert list(mismatches(placed, evidence(), AUTUMN)) == []


@pytest.mark.parametrize("placed", cases())
def test_the_table_of_a_label_case_is_sound(placed: Placed) -> None:
    """Whatever its rates, a table of rates rises, its volumes make the dose, and no step is above the cap."""
    example = placed.example
    if example.weight is None or example.route != "intravenous" or example.excipient or example.products:
        return
    chosen = evidence().products[example.product or placed.stem]
    place = next(entry.id for entry in evidence().jurisdictions.values() if chosen.market in entry.markets)
    day = example.on or AUTUMN
    context = Context(place, day, datetime(day.year, day.month, day.day, 9))
    lines = {line.id: line for line in infusion.step(label_draft(example, chosen, evidence(), day), evidence(), context).lines}
    if "infusion.day-1" not in lines:
        return
    table, cap = lines["infusion.day-1"].table, lines["infusion.cap"].table
    assert table is not None
    assert cap is not None
    pumped = [float(row[5] or 0) for row in table.rows]
    assert pumped == sorted(pumped)
    assert sum(float(row[6] or 0) for row in table.rows) == pytest.approx(float(table.rows[-1][7] or 0))
    assert all(row[3] is None or float(row[3]) <= float(cap.rows[0][1] or 0) + 1e-6 for row in table.rows)
