"""Premedication and hydration: doses by weight with their maxima, clock times, refusals, and what is asked when it is not known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest
from tests.planning.care_sample import asked, cases_of, context, draft, evidence, ids, known, line, rows

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.care import Offer
from ivigil.evidence.check import PlacedCase
from ivigil.evidence.conditions import judge
from ivigil.patient.record import Allergy, Code
from ivigil.planning import hydration, premedication
from ivigil.planning.draft import Draft
from ivigil.planning.preparation import dose_text

ROOM_FOR_FLUID: dict[str, Any] = {"risk.volume": "no", "has.fluid_restriction": "no"}


def _premedication(facts: dict[str, Any], **more: Any) -> Draft:
    return premedication.step(draft("kawasaki", facts, **more), evidence(), context())


def _hydration(facts: dict[str, Any], **more: Any) -> Draft:
    return hydration.step(draft("kawasaki", facts, **more), evidence(), context())


def _offers(plan: Draft) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in rows(line(plan, "premedication.offer"))}


def test_paracetamol_for_a_child_is_worked_out_on_the_weight() -> None:
    """15 mg/kg x 12 kg = 180 mg; at most 60 mg/kg in 24 h."""
    plan = _premedication({"age": "2 year", "weight": "12 kg"}, course=2)
    assert _offers(plan)["paracetamol"] == ["180 mg (15 mg/kg), at most 60 mg/kg in 24 h", "oral", "30-60 min before (08:00-08:30)"]
    assert "paracetamol: 15 mg/kg x 12 kg = 180 mg" in line(plan, "premedication.offer").because.calculation
    assert line(plan, "premedication.offer").because.facts["weight"].value == "12 kg"


def test_a_dose_by_weight_is_held_to_its_maximum() -> None:
    """A boy of 17 who weighs 80 kg: 15 mg/kg is 1200 mg, held to 1 g."""
    plan = _premedication({"age": "17 year", "weight": "80 kg"}, course=2)
    assert _offers(plan)["paracetamol"][0].startswith("1000 mg (15 mg/kg)")
    assert "held to 1 g = 1000 mg" in line(plan, "premedication.offer").because.calculation


def test_exactly_at_the_maximum_nothing_is_held() -> None:
    """15 mg/kg x 66 kg = 990 mg is below 1 g."""
    assert "held" not in line(_premedication({"age": "17 year", "weight": "66 kg"}, course=2), "premedication.offer").because.calculation


@pytest.mark.parametrize(("age", "paracetamol", "cetirizine"), [
    ("18 year", "650-1000 mg, at most 4 g in 24 h", "10 mg"), ("12 year", "600 mg", "10 mg"), ("11 year", "600 mg", "5-10 mg"),
    ("5 year", "600 mg", "2.5-5 mg"), ("6 month", "600 mg", "2.5 mg"), ("5 month", "600 mg", ""),
    ("0.05 year", "400 mg (10 mg/kg)", ""),  # 18 days
])
def test_age_bands(age: str, paracetamol: str, cetirizine: str) -> None:
    """Each band of the evidence, at 40 kg so that 15 mg/kg is 600 mg and 10 mg/kg 400 mg; below 6 months no cetirizine was read."""
    offers = _offers(_premedication({"age": age, "weight": "40 kg"}, course=2))
    assert offers["paracetamol"][0].startswith(paracetamol)
    assert offers.get("cetirizine", [""])[0] == cetirizine


def test_clock_times_count_back_from_the_start() -> None:
    """30-60 min before 09:00 is 08:00-08:30; before 00:20 it is the evening before."""
    late = premedication.step(draft("kawasaki", {"age": "40 year"}, course=2), evidence(), context(start=datetime(2026, 11, 20, 0, 20)))
    assert _offers(late)["cetirizine"][2] == "30-60 min before (23:20-23:50)"


def test_without_a_weight_the_dose_per_kg_is_printed_and_the_weight_asked() -> None:
    """No number is made up."""
    plan = _premedication({"age": "2 year"}, course=2)
    assert _offers(plan)["paracetamol"][0] == "15 mg/kg, at most 1 g, at most 60 mg/kg in 24 h"
    assert asked(plan)["premedication.offer"] == ("weight",)


def test_without_an_age_nothing_is_offered_and_the_age_asked() -> None:
    """An age band is never guessed."""
    plan = _premedication({"weight": "12 kg"}, course=2)
    assert line(plan, "premedication.offer").table is None
    assert "age" in asked(plan)["premedication.offer"]


@pytest.mark.parametrize(("allergy", "withheld"), [
    (Allergy(substance="Paracetamol"), "paracetamol"),
    (Allergy(substance="acetaminophen (rash)"), "paracetamol"),
    (Allergy(codes=(Code(system="rxnorm", code="0", display="cetirizine hydrochloride"),)), "cetirizine"),
    (Allergy(substance="Tylenol"), "paracetamol"),
])
def test_a_medicine_the_patient_is_allergic_to_is_not_offered(allergy: Allergy, withheld: str) -> None:
    """By any name the evidence knows, in text or code; the other offer stays, and the line says why."""
    plan = _premedication({"age": "40 year"}, course=2, allergies=(allergy,))
    offer = line(plan, "premedication.offer")
    assert withheld not in _offers(plan)
    assert len(_offers(plan)) == 1
    assert f"not offered: {withheld}" in offer.text
    assert offer.urgency == "warning"


def test_a_resolved_or_other_allergy_changes_nothing() -> None:
    """Penicillin is no paracetamol."""
    allergies = (Allergy(substance="penicillin"), Allergy(substance="paracetamol", status="resolved"))
    assert set(_offers(_premedication({"age": "40 year"}, course=2, allergies=allergies))) == {"paracetamol", "cetirizine"}


@pytest.mark.parametrize("factor", [{"has.renal_insufficiency": "yes"}, {"age": "66 year"}, {"takes.nephrotoxic_drug": "yes"}, {"egfr": "59 mL/min/1.73m2"}])
def test_an_nsaid_is_refused_with_a_kidney_risk_factor(factor: dict[str, str]) -> None:
    """The same group as the safety rule, and the fact behind it is shown."""
    refused = line(_premedication(factor, course=0.4), "premedication.no-nsaid")
    assert refused.act == "avoid"
    assert list(refused.because.facts) == list(factor)


def test_a_steroid_asks_for_the_glucose_first() -> None:
    """After a grade 2 reaction a steroid is considered; glucose not on record is asked, on record it is shown."""
    assert "glucose" in asked(_premedication({"ig.last_reaction_grade": "2", "age": "40 year"}))["premedication.steroid"]
    known_glucose = _premedication({"ig.last_reaction_grade": "2", "age": "40 year", "glucose": "5 mmol/L"})
    assert "premedication.steroid" not in asked(known_glucose)
    assert line(known_glucose, "premedication.steroid").because.facts["glucose"].value == "5 mmol/L"
    assert [row[0] for row in rows(line(known_glucose, "premedication.steroid"))] == ["hydrocortisone", "prednisone (instead of hydrocortisone)"]


def test_a_silent_rule_keeps_its_reason_and_an_undecided_one_asks() -> None:
    """A low dose in a patient without migraine or reaction: near miss. Migraine unknown: asked."""
    silent = _premedication({"course.dose": "0.4 g/kg", "has.migraine": "no", "ig.last_reaction_grade": "0"})
    assert {miss.rule: miss.facts for miss in silent.not_raised}["premedication.offer"]["has.migraine"] == "no"
    assert asked(_premedication({"course.dose": "0.4 g/kg", "ig.last_reaction_grade": "0"}))["premedication.offer"] == ("has.migraine",)


def test_saline_is_10_ml_per_kg_up_to_500_ml() -> None:
    """20 kg: 200 mL. 70 kg: 700 mL, held to 500 mL."""
    for weight, expected in (("20 kg", "200 mL (10 mL/kg) over 30-60 min"), ("70 kg", "500 mL (10 mL/kg) over 30-60 min")):
        given = rows(line(_hydration({**ROOM_FOR_FLUID, "has.sepsis": "yes", "weight": weight}), "hydration.saline"))
        assert given == [["sodium chloride 0.9 %", expected, "intravenous", "before"]]


@pytest.mark.parametrize("bar", [{"has.heart_failure": "yes"}, {"egfr": "29 mL/min/1.73m2"}, {"lvef": "34 %"}, {"has.fluid_restriction": "yes"}])
def test_saline_is_suppressed_where_volume_harms(bar: dict[str, str]) -> None:
    """Heart failure, a weak heart, hardly any kidney function or a fluid limit: no bolus, and the plan says so."""
    plan = _hydration({"has.sepsis": "yes", "weight": "70 kg", **bar})
    assert "hydration.saline" not in ids(plan)
    assert line(plan, "hydration.no-bolus").act == "avoid"


def test_saline_waits_for_what_is_not_known() -> None:
    """A risk factor with an unknown heart: asked, not given."""
    plan = _hydration({"has.sepsis": "yes", "weight": "70 kg"})
    assert "hydration.saline" not in ids(plan)
    assert "has.heart_failure" in asked(plan)["hydration.saline"]


@pytest.mark.parametrize("stopped", [{"blocked": ("x",)}, {"no_evidence": True}])
def test_nothing_is_offered_for_a_plan_that_is_not_given(stopped: dict[str, Any]) -> None:
    """Neither medicine nor fluid."""
    course = msgspec.structs.replace(draft("kawasaki", {"age": "40 year", "has.volume_depletion": "yes"}, course=2), **stopped)
    assert premedication.step(course, evidence(), context()).lines == ()
    assert hydration.step(course, evidence(), context()).lines == ()


def test_a_range_by_weight_keeps_both_ends() -> None:
    """10-15 mg/kg x 20 kg = 200-300 mg, the upper end held to 250 mg; without a dose it is as ordered."""
    offer = Offer(drug="x", dose=Span(10, 15, "mg/kg"), max_dose=Quantity(0.25, "g"))
    assert dose_text(offer, draft(facts={"weight": "20 kg"})) == "200-250 mg (10-15 mg/kg)"
    assert dose_text(Offer(drug="x"), draft()) == "as ordered"


@pytest.mark.parametrize("placed", cases_of("premedication", "hydration"))
def test_the_examples_of_the_evidence(placed: PlacedCase) -> None:
    """Each rule fires, stays silent or asks as its example says."""
    truth = judge(evidence().conditions[placed.rule], known(placed.case.facts)).truth
    assert {True: "fires", False: "silent", None: "asks"}[truth] == placed.case.expect
