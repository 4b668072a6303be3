"""Slips of 10, 60, 100 and 1000 times are refused or asked about, never computed through."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import Quantity, Span
from ivigil.patient.facts import facts_of
from ivigil.patient.firewall import Findings, check
from ivigil.patient.read import read_form
from ivigil.patient.record import Condition, Measurement, Order, Record
from ivigil.patient.slips import meant

AS_OF = date(2026, 11, 20)
Register = dict[str, FactDefinition]


def person(**keys: Any) -> Record:
    base: dict[str, Any] = {"id": "x", "born": date(1980, 1, 1), "weights": (Measurement(value=Quantity(70, "kg"), on=AS_OF, origin="weight (line 3)"),),
                            "heights": (Measurement(value=Quantity(172, "cm"), on=AS_OF, origin="height (line 4)"),)}
    return Record(**{**base, **keys})


def weight(value: float, unit: str = "kg", on: date = AS_OF) -> tuple[Measurement, ...]:
    return (Measurement(value=Quantity(value, unit), on=on, origin="weight (line 3)"),)


def test_an_ordinary_record_raises_nothing(register: Register) -> None:
    """A firewall that cries at everything is switched off."""
    assert check(person(order=Order(dose=Quantity(2, "g/kg"), each="course", days=5, rate_max=Quantity(4.8, "mL/kg/h"))), register, AS_OF).problems == ()
    assert check(person(), register, AS_OF) == Findings()


@pytest.mark.parametrize(("height", "remedy"), [
    (Quantity(68, "cm"), "68 in = 172.72 cm"), (Quantity(1.75, "cm"), "1.75 m = 175 cm"), (Quantity(1750, "cm"), "1750 mm"), (Quantity(172, "in"), "172 cm"),
])
def test_height_in_the_wrong_unit_is_refused_with_the_likely_meaning(register: Register, height: Quantity, remedy: str) -> None:
    """Inches, metres and millimetres typed as centimetres, and the other way round."""
    (problem,) = check(person(heights=(Measurement(value=height, origin="height (line 4)"),)), register, AS_OF).problems
    assert problem.what == "height"
    assert problem.line == 4
    assert remedy in problem.remedy


@pytest.mark.parametrize(("value", "unit", "remedy"), [
    (7000, "kg", "did you mean"), (700, "kg", "70 kg"), (70000, "kg", "70000 g = 70 kg"), (7, "kg", "70 kg"), (70, "g", "70 kg"),
])
def test_weight_ten_or_a_thousand_times_off(register: Register, value: float, unit: str, remedy: str) -> None:
    """Lost decimal points and grams; the fact stays unknown even without the firewall."""
    found = check(person(weights=weight(value, unit)), register, AS_OF)
    assert [problem.what for problem in found.problems] == ["weight"]
    assert remedy in found.problems[0].remedy
    assert "weight" not in facts_of(person(weights=weight(value, unit)), register, AS_OF)


def test_pounds_typed_as_kilograms_are_asked(register: Register) -> None:
    """154 kg may be true: only a person can say, and then it is not asked again."""
    record = person(weights=weight(154), heights=(Measurement(value=Quantity(170, "cm")),))
    (doubt,) = check(record, register, AS_OF).doubts
    assert doubt.ask == "did you mean 154 lb = 69.85 kg?"
    assert doubt.meant is not None
    confirmed = person(weights=weight(154), heights=(Measurement(value=Quantity(170, "cm")),), answers={"confirm.weight": "yes"})
    assert check(confirmed, register, AS_OF).doubts == ()
    known = person(weights=weight(154), heights=(Measurement(value=Quantity(170, "cm")),), conditions=(Condition(name="severe obesity"),))
    assert check(known, register, AS_OF).doubts == ()


def test_a_jump_against_the_weight_before_is_asked(register: Register) -> None:
    """Pounds entered after kilograms double the weight overnight."""
    record = person(weights=(*weight(70, on=date(2026, 8, 1)), *weight(152)), heights=())
    (doubt,) = check(record, register, AS_OF).doubts
    assert doubt.ask == "did you mean 152 lb = 68.95 kg?"


def test_a_weight_no_adult_has(register: Register) -> None:
    """A value inside the general range can still be impossible at an age."""
    (problem,) = check(person(weights=weight(11.6), heights=()), register, AS_OF).problems
    assert "at the age of" in problem.why


def test_body_mass_index_nobody_has(register: Register) -> None:
    """Each of the two may be believable and both together not."""
    found = check(person(weights=weight(260), heights=(Measurement(value=Quantity(160, "cm"), origin="height (line 4)"),)), register, AS_OF)
    assert "body mass index of 101.6" in found.problems[0].why


@pytest.mark.parametrize(("order", "what", "remedy"), [
    (Order(dose=Quantity(2, "g/kg"), each="day", days=5), "order.dose", "each: course"),
    (Order(dose=Quantity(140, "g"), each="day", days=5), "order.dose", "each: course"),
    (Order(dose=Quantity(400, "g/kg"), each="course"), "order.dose", "400 mg/kg"),
    (Order(dose=Quantity(28000, "g"), each="course"), "order.dose", "28000 mg"),
    (Order(dose=Quantity(20, "g/kg"), each="course"), "order.dose", "2 g/kg"),
    (Order(dose=Quantity(70, "mg"), each="course"), "order.dose", "70 g"),
    (Order(dose=Quantity(1, "mg/kg"), each="day", days=2), "order.dose", "1 g/kg"),
    (Order(dose=Quantity(2, "g/kg"), days=5), "order.each", "each: course"),
    (Order(dose=Quantity(1, "g/kg"), each="day", days=400), "order.days", "every"),
    (Order(rate_max=Quantity(140, "mL/kg/h")), "order.rate_max", "140 mL/h"),
    (Order(rate_max=Quantity(4.8, "mL/kg/min")), "order.rate_max", "4.8 mL/kg/h"),
    (Order(rate_max=Quantity(240, "mg/kg/min")), "order.rate_max", "240 mg/kg/h"),
])
def test_dose_and_rate_slips_are_refused(register: Register, order: Order, what: str, remedy: str) -> None:
    """Milligrams for grams, a total read per day, mL/h read per kilogram, minutes for hours."""
    problems = check(person(order=order), register, AS_OF).problems
    assert what in {problem.what for problem in problems}
    assert any(remedy in problem.remedy for problem in problems)


def test_two_grams_per_kilogram_each_session_is_refused_read_literally(register: Register) -> None:
    """The published wording "2 g/kg in each sitting on 2 to 5 days" would be 4 to 10 g/kg."""
    for days in (2, 3, 4, 5):
        (problem,) = check(person(order=Order(dose=Quantity(2, "g/kg"), each="day", days=days)), register, AS_OF).problems
        assert f"{2 * days} g/kg, above 2.2 g/kg" in problem.why


def test_a_whole_rate_that_is_too_slow_is_asked(register: Register) -> None:
    """mL/kg/h written as mL/h is slow, not deadly: it is asked."""
    (doubt,) = check(person(order=Order(rate_max=Quantity(2.5, "mL/h"))), register, AS_OF).doubts
    assert doubt.ask == "did you mean 2.5 mL/kg/h?"


def test_mg_per_dl_typed_as_g_per_l(register: Register) -> None:
    """A hundredfold IgG would end a replacement that is needed."""
    record = read_form("id: p\nweight: 70 kg\nresults: {igg: 450 g/L}\n", "p.yaml", register)
    (problem,) = check(record, register, AS_OF).problems
    assert "did you mean 450 mg/dL = 4.5 g/L?" in problem.remedy
    assert "igg" not in facts_of(record, register, AS_OF)


def test_creatinine_in_the_wrong_unit(register: Register) -> None:
    """88 mg/dL is 88 umol/L with the wrong unit."""
    record = read_form("id: p\nweight: 70 kg\nresults: {creatinine: 88 mg/dL}\n", "p.yaml", register)
    (problem,) = check(record, register, AS_OF).problems
    assert "did you mean 88 umol/L" in problem.remedy


def test_dates_ahead_before_birth_and_backwards(register: Register) -> None:
    """Impossible dates show a mixed-up record; all of them are told at once."""
    text = """\
id: p
born: 1990-01-01
weight: {value: 70 kg, on: 2027-01-01}
conditions:
  - {name: asthma, since: 1980-01-01}
  - {name: sepsis, since: 2020-01-01, until: 2019-01-01, status: resolved}
infusions: [{on: 2026-12-24}]
age: 50 year
"""
    found = check(read_form(text, "p.yaml", register), register, AS_OF).problems
    assert {problem.what for problem in found} == {"weight", "asthma", "sepsis", "infusions", "age"}
    assert all(problem.line for problem in found)
    (problem,) = [item for item in check(Record(id="x", born=date(2027, 1, 1)), register, AS_OF).problems if item.what == "born"]
    assert "lies after" in problem.why


def test_contradictions_come_with_the_slips_at_once(register: Register) -> None:
    """One list of problems, whatever found them."""
    record = read_form("id: p\nweight: 70 kg\nheight: 2 cm\nconditions: [diabetes]\nanswers: {has.diabetes_mellitus: no}\n", "p.yaml", register)
    assert {problem.what for problem in check(record, register, AS_OF).problems} == {"height", "answers.has.diabetes_mellitus"}


def test_fhir_values_are_asked_about_not_refused(register: Register) -> None:
    """Nobody can edit the sending system from here."""
    found = check(person(weights=weight(700), heights=(), fhir=True), register, AS_OF)
    assert found.problems == ()
    assert found.doubts[0].about == "weight"


def test_meaning_prefers_a_sister_unit() -> None:
    """A wrong unit is likelier than a lost decimal point."""
    assert meant(Quantity(68, "cm"), Span(140, 210, "cm")) == Quantity(68, "in")
    assert meant(Quantity(5, "cm"), Span(140, 210, "cm")) is None


@given(st.floats(0.05, 2.2), st.floats(40, 120), st.sampled_from([10.0, 100.0, 1000.0]))
def test_no_slip_upward_ever_passes(register: Register, per_kg: float, kg: float, factor: float) -> None:
    """Whatever weight and dose: ten times more than the limit allows never gets through."""
    assume(per_kg * factor > 2.2)
    grams = Quantity(per_kg * kg * factor, "g")
    assert check(person(weights=weight(kg), order=Order(dose=grams, each="course")), register, AS_OF).problems


@given(st.floats(0.3, 7.2), st.floats(35, 120))
def test_no_label_rate_is_stopped(register: Register, rate: float, kg: float) -> None:
    """Rates that labels print must pass in every unit."""
    for written in (Quantity(rate, "mL/kg/h"), Quantity(rate * kg, "mL/h"), Quantity(rate * 100 / 60, "mg/kg/min")):
        found = check(person(weights=weight(kg), heights=(), order=Order(rate_max=written)), register, AS_OF)
        assert found.problems == ()
        assert found.doubts == ()


def test_a_written_record_without_a_weight_is_refused(register: Register) -> None:
    """No dose and no rate can be worked out: the problem says what to add. A FHIR record is asked about, since nobody can edit it here."""
    (problem,) = check(Record(id="x"), register, AS_OF).problems
    assert (problem.what, "weight: {value: 70 kg" in problem.remedy) == ("weight", True)
    assert check(Record(id="x", fhir=True), register, AS_OF).problems == ()
