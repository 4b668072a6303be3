"""All at once: whatever is wrong with a record beside whatever else, every slip is told, under its own name and line."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.partly_read import every_problem
from ivigil.patient.read import read_form
from ivigil.planning.draft import Context
from ivigil.planning.order_names import every_name
from ivigil.planning.plan import plan

AS_OF = date(2026, 11, 20)

RIGHT = """\
id: p
sex: male
born: 1961-02-14
weight: {value: 92 kg, on: 2026-11-18}
height: 178 cm
conditions: [{name: CIDP, since: 2020-01-01}, asthma]
medicines: [{name: prednisolone, since: 2026-01-01, status: active}]
results:
  igg: [{value: 9 g/L, on: 2026-10-01}, {value: 8 g/L, on: 2026-10-02}]
  creatinine: {value: 80 umol/L, on: 2026-11-01}
  haemoglobin: {value: 140 g/L, on: 2026-11-01}
infusions:
  - {on: 2026-09-01, product: Privigen, dose: 30 g, reaction: {grade: 1, kind: headache}}
  - {on: 2026-10-01, product: Privigen, dose: 30 g}
order: {indication: cidp, dose: 2 g/kg, each: course, days: 2, every: 4 week, route: intravenous}
answers: {has.sepsis: no, has.migraine: no}
"""

SLIPS = {
    "sex: male": ("sex: man", 2, "'man' is not one of"),
    "born: 1961-02-14": ("born: 2061-02-14", 3, "lies after 2026-11-20"),
    "92 kg": ("920 kg", 4, "920 kg is not a believable weight"),
    "on: 2026-11-18": ("on: 18.11.2026", 4, "'18.11.2026' is not a date"),
    "178 cm": ("1.78", 5, "1.78 has no unit"),
    "since: 2020-01-01": ("since: early", 6, "'early' is not a date"),
    "status: active": ("status: activ", 7, "'activ' is not one of"),
    "9 g/L": ("-9 g/L", 9, "-9 g/L is not a believable Serum IgG"),
    "on: 2026-10-01}, {value": ("on: 2026-13-01}, {value", 9, "'2026-13-01' is not a date"),
    "{value: 8 g/L": ("{value: 8 mmol/L", 9, "'8 mmol/L' is a substance concentration"),
    "creatinine": ("creatinin", 10, "this test is not known here"),
    "140 g/L": ("140 kg", 11, "'140 kg' is a mass, but Haemoglobin"),
    "on: 2026-11-01}\ninfusions": ("on: 2027-11-01}\ninfusions", 11, "2027-11-01 lies after 2026-11-20"),
    "grade: 1": ("grade: 7", 13, "7 is not one of"),
    "on: 2026-10-01, product": ("on: 2026-10-32, product", 14, "'2026-10-32' is not a date"),
    "indication: cidp": ("indication: cdip", 15, "'cdip' is not an indication in the evidence"),
    "dose: 2 g/kg": ("dose: 2 mg/kg", 15, "2 mg/kg comes to 0.002 g/kg"),
    "each: course": ("each: corse", 15, "'corse' is not one of"),
    "every: 4 week": ("every: monthly", 15, "'monthly' is not a quantity"),
    "route: intravenous": ("route: intravenous, weight_policy: lean", 15, "no weight policy is called 'lean'"),
    "has.sepsis: no": ("has.sepsiss: no", 16, "this fact is not known here"),
    "has.migraine: no": ("igg: often", 16, "igg"),
}


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def told(text: str) -> tuple[Problem, ...]:
    """The problems that a command or page would tell of a written record."""
    try:
        record = read_form(text, "p.yaml", evidence().facts)
    except BadInput as error:
        return every_problem(error, evidence().facts, AS_OF, lambda rest: every_name(rest, evidence()))
    try:
        plan(record, evidence(), Context(jurisdiction="US", as_of=AS_OF, start=datetime(2026, 11, 20, 9)))
    except BadInput as error:
        return error.problems
    return ()


def slipped(chosen: set[str]) -> str:
    text = RIGHT
    for right in chosen:
        assert text.count(right) == 1, right
        text = text.replace(right, SLIPS[right][0])
    return text


def test_the_right_record_has_no_problem() -> None:
    """What the slips are made in is planned."""
    assert told(RIGHT) == ()


@pytest.mark.parametrize("right", SLIPS)
def test_each_slip_alone(right: str) -> None:
    """On its line, and nothing else is said to be wrong; an indication nobody knows is no bad input where all else is right."""
    found = told(slipped({right}))
    _, line, why = SLIPS[right]
    assert [problem.line for problem in found] == ([] if "cdip" in why else [line])
    assert all(why in f"{problem.what}: {problem.why}" for problem in found)


@given(st.sets(st.sampled_from(sorted(SLIPS)), min_size=2))
def test_no_slip_hides_another(chosen: set[str]) -> None:
    """Any set of slips is told whole, in reading order, each with its line, its cause and what to do, and each once."""
    found = told(slipped(chosen))
    for right in chosen:
        _, line, why = SLIPS[right]
        if "cdip" in why and len(found) == 0:
            continue
        assert [one for one in found if one.line == line and why in f"{one.what}: {one.why}"], (right, found)
    assert [one.line for one in found] == sorted(one.line for one in found)
    assert len(set(found)) == len(found)
    assert all(one.why and one.remedy for one in found)


def test_entries_keep_their_names_when_earlier_ones_cannot_be_read() -> None:
    """The fourth level is called so though the first was left out to read the rest."""
    text = """\
id: p
weight: 70 kg
results:
  igg:
    - {value: 6, on: 2026-01-05}
    - {value: -6.1 g/L, on: 2026-02-05}
    - {value: 8 g/L, on: 2026-03-05}
    - {value: 6 mmol/L, on: 2026-04-05}
"""
    assert [(one.line, one.what) for one in told(text)] == [(5, "results.igg[0].value"), (6, "igg"), (8, "results.igg[3]")]


def test_a_key_left_out_for_its_slip_is_not_missed() -> None:
    """An infusion without a date that can be read, a result without its value: one problem each, not a second one that the key is missing."""
    text = "id: p\nweight: 70 kg\nresults: {igg: {value: 6, on: 2026-01-05}}\ninfusions: [{on: 2026-99-01, dose: 30 g}]\n"
    assert [one.what for one in told(text)] == ["results.igg.value", "infusions[0].on"]


def test_a_date_that_lies_ahead_hides_no_value_that_cannot_be() -> None:
    """Both slips of one entry are told, of a weight as of a level; a believable value with such a date has the one."""
    text = "id: p\nweight: {value: 610 kg, on: 2027-11-10}\nresults: {igg: {value: -3 g/L, on: 2027-11-10}, iga: {value: 2 g/L, on: 2027-11-10}}\n"
    assert [(one.line, one.what, "believable" in one.why) for one in told(text)] == [
        (2, "weight", False), (2, "weight", True), (3, "igg", False), (3, "iga", False), (3, "igg", True)]


def test_an_example_is_of_the_same_kind() -> None:
    """A height without a unit is shown a height, a weight a weight."""
    remedies = {one.what: one.remedy for one in told("id: p\nweight: 70\nheight: 1.78\nage: '54'\norder: {dose: 35}\n")}
    assert "'70 kg'" in remedies["weight"]
    assert "'178 cm'" in remedies["height"]
    assert "'54 year'" in remedies["age"]
    assert "'1 g/kg'" in remedies["order.dose"]


@pytest.mark.parametrize(("order", "why"), [
    ("{indication: gbs, dose: 2 g/kg, regimen: gbs.nhs-englnd}", "no regimen is called 'gbs.nhs-englnd'"),
    ("{indication: gbs, dose: 2 g/kg, weight_policy: ideall}", "no weight policy is called 'ideall'"),
])
def test_a_name_in_the_order_that_nothing_is_called_by_is_never_passed_over(order: str, why: str) -> None:
    """Another regimen or weight in its place would be another dose. The nearest name is offered."""
    (problem,) = told(f"id: p\nweight: 70 kg\nheight: 178 cm\norder: {order}\n")
    assert problem.line == 4
    assert problem.why == why
    assert problem.remedy.startswith("did you mean ")
