"""A dose that belongs to somebody else, or to several days: the mother's for the newborn, the crisis dose outside it, a course on one day."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import pytest

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.form import form_of
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, 9)
DOSED = {"dose.per_day", "dose.per_interval", "dose.course_total", "dose.weekly", "course.days", "vials.choice", "infusion.day-1"}
"""Lines that a plan has only when a dose was worked out."""

MAN_56: dict[str, Any] = {"sex": "male", "age": "56 year", "weight": "82 kg", "height": "178 cm"}
WOMAN_45: dict[str, Any] = {"sex": "female", "age": "45 year", "weight": "75 kg", "height": "168 cm", "pregnancy": {"status": "not-pregnant"}}
PREGNANT: dict[str, Any] = {"sex": "female", "age": "30 year", "weight": "74 kg", "height": "166 cm",
                            "pregnancy": {"status": "pregnant", "weeks": 24, "pre_pregnancy_weight": "68 kg"}}
NEWBORN: dict[str, Any] = {"sex": "female", "age": "11 day", "weight": "3.1 kg", "height": "50 cm"}
REVIEWED: dict[str, Any] = {"conditions": [], "medicines": [], "allergies": [], "infusions": [], "problem_list_reviewed": "2026-11-20",
                            "medicines_reviewed": "2026-11-20", "allergies_reviewed": "2026-11-20", "infusions_complete": True, "blood_group": "O",
                            "results": {"creatinine": {"value": "60 umol/L", "on": "2026-11-20"}, "haemoglobin": {"value": "130 g/L", "on": "2026-11-20"},
                                        "iga": {"value": "1.2 g/L", "on": "2026-11-20"}}}


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def planned(place: str, person: dict[str, Any], order: dict[str, Any] | None = None, **more: Any) -> Plan:
    written = {"id": "hazard", **REVIEWED, **person, **({"order": order} if order else {}), **more}
    return plan(form_of(written, {}, "hazard", evidence().facts), evidence(), Context(place, DAY, START))


def text_of(made: Plan, name: str) -> str:
    line = made.line(name)
    assert line is not None, name
    return line.text


def questions(made: Plan) -> set[str]:
    return {question.fact for question in made.questions}


def dosed(made: Plan) -> set[str]:
    return {line.id for line in made.lines} & DOSED


def rule_of(made: Plan) -> str:
    line = made.line("dose.regimen")
    return line.because.rule if line is not None else ""


# --- the mother's dose ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FNAIT", "fetal and neonatal alloimmune thrombocytopenia", "fnait-maternal", "antenatal NAIT"])
@pytest.mark.parametrize("place", ["CA-ON", "UK-ENG"])
def test_a_newborn_with_fnait_never_gets_the_mothers_dose(name: str, place: str) -> None:
    """11 days old, 3.1 kg: 3 g every week is the mother's 1 g/kg. A name that both diseases carry means the newborn's own, once; the mother's gives no dose."""
    for made in (planned(place, NEWBORN, {"indication": name}), planned(place, NEWBORN, conditions=[{"name": name}])):
        assert not rule_of(made).startswith("fnait-maternal.")
        assert made.status != "complete"
        if dosed(made):
            assert made.indication == "nait-neonate"
            assert text_of(made, "course.days") == "3.1 g on one day, on 20 Nov 2026."


def test_a_pregnant_woman_keeps_her_dose_in_fnait() -> None:
    """The guard is for the newborn: the mother gets 1 g/kg every week, 61.89 kg of Ontario weight rounded to 60 g."""
    made = planned("CA-ON", PREGNANT, {"indication": "fnait-maternal"}, answers={"has.sibling_intracranial_haemorrhage": "no"})
    assert rule_of(made) == "fnait-maternal.ontario"
    assert "60 g on one day" in text_of(made, "course.days")


@pytest.mark.parametrize("place", ["CA-ON", "CA", "UK-ENG"])
def test_a_man_never_gets_the_dose_for_pregnancy_in_itp(place: str) -> None:
    """A man of 56 under the disease of pregnancy: the plan says whom it is meant for and works out nothing."""
    made = planned(place, MAN_56, {"indication": "itp-pregnancy"})
    assert not dosed(made)
    assert made.status == "no-evidence"
    assert "is meant for Pregnancy" in text_of(made, "indication.population")
    assert "is for: Pregnancy" in text_of(made, "dose.regimen")
    assert dosed(planned(place, PREGNANT, {"indication": "itp-pregnancy"}))


# --- a course on one day ----------------------------------------------------------------------------------------------


def test_adem_maintenance_of_2_g_per_kg_is_never_one_day_in_ontario() -> None:
    """0.4-2 g/kg is printed without days: the range is asked about, and 2 g/kg as a course comes on 2 days (131.55 g, 65 g on each)."""
    asked = planned("CA-ON", WOMAN_45, {"indication": "adem-tm", "phase": "maintenance"})
    assert not dosed(asked)
    assert "course.dose" in questions(asked)
    ordered = planned("CA-ON", WOMAN_45, {"indication": "adem-tm", "phase": "maintenance", "dose": "2 g/kg", "each": "course"})
    assert "65 g on each of 2 consecutive days" in text_of(ordered, "course.days")
    unclear = planned("CA-ON", WOMAN_45, {"indication": "adem-tm", "phase": "maintenance", "dose": "2 g/kg"})
    assert not dosed(unclear)
    assert "Is that the whole course, or the dose of each day?" in text_of(unclear, "dose.order")


def test_adem_maintenance_ordered_per_interval_is_not_one_day_either() -> None:
    """2 g/kg each interval, no days: the regimen divides it over 2-5 days, so it must not come on one day (130 g)."""
    made = planned("CA-ON", WOMAN_45, {"indication": "adem-tm", "phase": "maintenance", "dose": "2 g/kg", "each": "interval"})
    line = made.line("course.days")
    assert line is None or "on one day" not in line.text


def test_chronic_itp_in_ontario_is_never_2_g_per_kg_on_one_day() -> None:
    """1-2 g/kg is worked at 1 g/kg over 2 days; 2 g/kg for the course is 65 g on each of 2 days, and 2 g/kg of nothing named is asked about."""
    order = {"indication": "itp-adult", "phase": "maintenance"}
    assert "2 consecutive days" in text_of(planned("CA-ON", WOMAN_45, order), "course.days")
    assert "65 g on each of 2 consecutive days" in text_of(planned("CA-ON", WOMAN_45, order | {"dose": "2 g/kg", "each": "course"}), "course.days")
    assert not dosed(planned("CA-ON", WOMAN_45, order | {"dose": "2 g/kg"}))


@pytest.mark.parametrize("order", [{"indication": "enterovirus"}, {"indication": "sid", "regimen": "sid.ontario-enterovirus"}])
def test_enterovirus_2_g_per_kg_is_not_given_on_one_day(order: dict[str, Any]) -> None:
    """Ontario prints one dose; that it is one day was not read. It is divided over at least 2 days, and the plan says so."""
    made = planned("CA-ON", WOMAN_45, order)
    assert "65 g on each of 2 consecutive days" in text_of(made, "course.days")
    assert "whether on one day was not read" in text_of(made, "dose.regimen")


# --- the dose for a crisis --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("indication", "condition"), [("mg-exacerbation", "Myasthenic crisis"), ("lems", "Lambert-Eaton syndrome in respiratory crisis")])
def test_a_crisis_in_england_gets_2_g_per_kg(indication: str, condition: str) -> None:
    """1 g/kg is for an exacerbation; in a respiratory or bulbar crisis it is 2 g/kg: 131.66 g, 65 g on each of 2 days."""
    made = planned("UK-ENG", WOMAN_45, {"indication": indication}, conditions=[{"name": condition}])
    assert rule_of(made) == f"{indication}.nhs-england-crisis"
    assert "65 g on each of 2 consecutive days" in text_of(made, "course.days")


@pytest.mark.parametrize("indication", ["mg-exacerbation", "myasthenic crisis", "lems"])
def test_an_unknown_crisis_is_asked_about_in_england(indication: str) -> None:
    """A reviewed problem list without the word does not deny a crisis of today: the plan asks, and names the 2 g/kg beside the 1 g/kg."""
    made = planned("UK-ENG", WOMAN_45, {"indication": indication}, conditions=[{"name": "Myasthenia gravis"}])
    assert "has.myasthenic_crisis" in questions(made)
    assert made.status == "needs-answers"
    assert "In a crisis the same line prints 2 g/kg in total." in text_of(made, "dose.regimen")


# --- contacts who need none -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indication", ["measles-pep", "varicella-pep"])
@pytest.mark.parametrize("place", ["CA-ON", "UK-ENG", "US", "AU", "EU"])
def test_a_healthy_mans_contact_gets_no_dose(indication: str, place: str) -> None:
    """Immunoglobulin after contact is for weakened immunity, pregnancy and the youngest; a healthy man of 56 gets none anywhere."""
    made = planned(place, MAN_56, {"indication": indication})
    assert not dosed(made)
    assert made.status == "no-evidence"


@pytest.mark.parametrize(("indication", "place", "days"), [
    ("measles-pep", "CA-ON", "30 g on one day"), ("varicella-pep", "CA-ON", "30 g on one day"), ("varicella-pep", "UK-ENG", "15 g on one day"),
])
def test_an_immunosuppressed_contact_keeps_the_dose(indication: str, place: str, days: str) -> None:
    """The guard is for the healthy: 0.4 g/kg of 76.71 kg in Ontario, 0.2 g/kg of 82 kg in England."""
    made = planned(place, MAN_56, {"indication": indication}, answers={"has.immunosuppression": "yes"})
    assert days in text_of(made, "course.days")


@pytest.mark.parametrize("indication", ["measles-pep", "varicella-pep"])
def test_an_unknown_immune_state_of_a_contact_is_asked_about(indication: str) -> None:
    """Where nobody reviewed the problem list the plan is not complete before the answer."""
    made = planned("CA-ON", MAN_56, {"indication": indication}, problem_list_reviewed=None)
    assert "has.immunosuppression" in questions(made)
    assert made.status == "needs-answers"
