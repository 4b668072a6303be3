"""Whoever plans in one place sees what the others say: every disagreement on standing or dose is named in a plan."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pytest
from tests.planning.care_sample import evidence

from ivigil.basis.because import Alternative
from ivigil.basis.quantity import Quantity
from ivigil.evidence.disagreements import disagreements
from ivigil.evidence.doses import apart, form_of
from ivigil.evidence.positions import Disagreement, Position
from ivigil.evidence.shapes import Regimen
from ivigil.patient.record import Measurement, Order, Record
from ivigil.planning.draft import Context
from ivigil.planning.line import Line, Plan
from ivigil.planning.plan import plan

DAY = date(2026, 11, 20)
NEWBORN = {"hdn-newborn"}
CHILDREN = {"kawasaki", "mis-c", "jdm", "paediatric-hiv"}
ADOLESCENTS = {"itp-child"}
"""Indications of the young; everyone else is planned as an adult. At 16 years also the label that begins at 15 is concerned."""


def synthetic(indication: str, **order: Any) -> Record:
    """A bare patient of the usual age: sex, birth, weight and the order, nothing else known."""
    born, kg = (date(2026, 11, 16), 3.2) if indication in NEWBORN else (date(2018, 6, 1), 26.0) if indication in CHILDREN else (
        (date(2010, 6, 1), 55.0) if indication in ADOLESCENTS else (date(1986, 6, 1), 70.0))
    return Record(id="synthetic", sex="female", born=born, weights=(Measurement(value=Quantity(kg, "kg"), on=date(2026, 11, 18)),),
                  order=Order(indication=indication, **order))


def planned(place: str, indication: str, **order: Any) -> Plan:
    return plan(synthetic(indication, **order), evidence(), Context(place, DAY, datetime(2026, 11, 20, 9)))


@lru_cache(maxsize=1)
def found() -> tuple[Disagreement, ...]:
    return disagreements(evidence(), DAY)


def cases(kind: str) -> list[Any]:
    """Each disagreement with each of its places in which a plan can be made."""
    return [pytest.param(one, place, id=f"{one.id} in {place}") for one in found() if one.kind == kind
            for place in dict.fromkeys(position.jurisdiction for position in one.positions) if place in evidence().jurisdictions]


@pytest.mark.parametrize(("one", "place"), cases("standing"))
def test_the_plan_shows_every_side_of_a_disputed_standing(one: Disagreement, place: str) -> None:
    """Each authority, its place and its verdict stand in the table of standings, also when the plan is blocked."""
    line = planned(place, one.topics[0]).line("indication.standing")
    assert line is not None
    assert line.table is not None
    shown = {(row[0], row[1], row[4]) for row in line.table.rows}
    for position in one.positions:
        assert (position.authority, position.jurisdiction, position.says.partition(":")[0]) in shown
    assert {cite for position in one.positions for cite in position.cites} <= set(line.because.cites)


def regimen_of(one: Disagreement, position: Position) -> Regimen:
    return next(regimen for regimen in evidence().indications[one.topics[0]].regimens if regimen.id == position.entry)


def names(line: Line, other: Regimen) -> bool:
    """Whether a dose line names a regimen among what disputes it or what it was preferred to: same statements, same amount, and the cap if it has one."""
    def meant(alternative: Alternative) -> bool:
        form = form_of(other)
        assert form is not None
        return alternative.cites == other.cites and str(form.amount) in alternative.what and (other.cap is None or f"at most {other.cap}" in alternative.what)

    return any(meant(alternative) for alternative in line.because.disputed_by) or any(
        alternative.cites == other.cites for alternative in line.because.instead_of)


def rivals(one: Disagreement, mine: Regimen) -> list[Regimen]:
    """The regimens of other places and authorities in a disagreement that do not print the same dose."""
    return [other for other in (regimen_of(one, position) for position in one.positions)
            if other.jurisdiction != mine.jurisdiction and other.authority != mine.authority and apart(mine, other) != "same"]


@pytest.mark.parametrize(("one", "place"), cases("dose"))
def test_the_plan_names_the_doses_of_the_others(one: Disagreement, place: str) -> None:
    """Each regimen of the place in turn: its dose line names every dose of elsewhere that is not its own."""
    for position in one.positions:
        if position.jurisdiction != place:
            continue
        mine = regimen_of(one, position)
        line = planned(place, one.topics[0], phase=mine.phase, route=mine.route, regimen=mine.id).line("dose.regimen")
        assert line is not None
        assert line.because.rule == mine.id
        assert [other.id for other in rivals(one, mine) if not names(line, other)] == []


@pytest.mark.parametrize(("one", "place"), cases("dose"))
def test_the_dose_that_the_plan_chooses_itself_names_the_others(one: Disagreement, place: str) -> None:
    """Without a named regimen the plan's own choice, or its line for the lack of a dose, still names another position."""
    first = next(regimen_of(one, position) for position in one.positions if position.jurisdiction == place)
    made = planned(place, one.topics[0], phase=first.phase, route=first.route)
    line = made.line("dose.regimen")
    assert line is not None, made.status
    by_id = {regimen.id: regimen for regimen in evidence().indications[one.topics[0]].regimens}
    if line.because.rule in by_id:
        chosen = by_id[line.because.rule]
        assert [other.id for other in rivals(one, chosen) if not names(line, other)] == []
    else:
        assert line.because.disputed_by


def test_a_place_without_a_dose_shows_both_sides_of_gald() -> None:
    """In the United States no dose was read: the line that says so names England with 60 g and Ontario with 100 g, and nothing is worked out."""
    made = planned("US", "gald", phase="maintenance")
    line = made.line("dose.regimen")
    assert made.status == "no-evidence"
    assert line is not None
    whats = [alternative.what for alternative in line.because.disputed_by]
    assert any("at most 60 g" in what and "NHS England" in what for what in whats)
    assert any("at most 100 g" in what and "Ontario" in what for what in whats)


def test_two_caps_alone_are_a_dispute() -> None:
    """The same 1 g/kg every week with another cap is another dose: England's plan names the 100 g of Ontario."""
    line = planned("UK-ENG", "gald", phase="maintenance", regimen="gald.nhs-england-maternal").line("dose.regimen")
    assert line is not None
    assert any("1 g/kg every week, at most 100 g" in alternative.what for alternative in line.because.disputed_by)
