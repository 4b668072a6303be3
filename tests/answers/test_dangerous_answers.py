"""Answers that would hurt somebody if read as they once stood: each found by asking, each with the figure worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivigil.answers.answer import Answer
from ivigil.answers.ask import Asking, answer
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """The packaged evidence."""
    return load_evidence()


def _asked(evidence: Evidence, question: str, place: str = "US") -> Answer:
    return answer(question, evidence, Asking("clinician", place, date(2026, 11, 21)))


def _short(made: Answer) -> list[str]:
    return [sentence.text for sentence in made.short]


def _all(made: Answer) -> str:
    return " ".join([*_short(made), *(sentence.text for section in made.sections for sentence in section.sentences)])


def test_the_limit_at_risk_is_reckoned_beside_the_maximum(evidence: Evidence) -> None:
    """Octagam 10 % at kidney risk: 0.03 mL/kg/min x 80 kg x 60 = 144 mL/h, the lower of the two printed forms; the maximum says for whom it is."""
    said = _short(_asked(evidence, "maximum infusion rate of Octagam 10% in ITP for an 80 kg patient with renal failure"))
    assert "Octagam 10 %, at kidney or clot risk at most: 0.03 mL/kg/min for 80 kg = 144 mL/h." in said
    assert not [one for one in said if "576" in one and "without kidney or clot risk" not in one]


def test_rates_of_another_product_do_not_stand_in_the_answer(evidence: Evidence) -> None:
    """Privigen in ITP: 4 mg/kg/min at 10 % for 70 kg is 168 mL/h; the 8 and 12 mg/kg/min of other labels are not there."""
    made = _all(_asked(evidence, "How fast may I run Privigen in ITP for 70 kg?"))
    assert "70 kg = 168 mL/h" in made
    assert "8 mg/kg/min" not in made
    assert "12 mg/kg/min" not in made


@pytest.mark.parametrize("question", ["ibuprofen dose in migraine", "ibuprofen dose in ITP", "what dose of paracetamol for a child"])
def test_the_dose_of_another_medicine_is_not_answered_with_that_of_immunoglobulin(evidence: Evidence, question: str) -> None:
    """No gram per kilogram is shown to somebody who asks for another medicine."""
    made = _asked(evidence, question)
    assert (made.outcome, made.reason) == ("refused", "other-drug")
    assert "g/kg" not in _all(made)


def test_under_the_skin_in_itp_is_answered_with_the_haematoma(evidence: Evidence) -> None:
    """Immune thrombocytopenia is not treated under the skin: no factor for changing over stands in the answer."""
    made = _asked(evidence, "Can I give Gamunex-C subcutaneously in ITP?", "UK-ENG")
    assert "haematoma" in _short(made)[0]
    assert "1.37" not in _all(made)


def test_the_dose_of_one_disease_does_not_stand_in_the_answer_about_another(evidence: Evidence) -> None:
    """Kawasaki disease is one dose of 2 g/kg: the 0.4-0.8 g/kg every 3-4 weeks of immune deficiency is not beside it."""
    made = _all(_asked(evidence, "What is the dose of IVIG in Kawasaki disease?"))
    assert "2 g/kg as a single dose" in made
    assert "Primary antibody deficiency" not in made


def test_changing_over_leads_with_the_weekly_grams(evidence: Evidence) -> None:
    """30 g x 1.37 / 4 weeks = 10.3 g a week, before general remarks on intervals."""
    said = _short(_asked(evidence, "How do I convert Privigen 30 g every 4 weeks to Hizentra?"))
    assert "Hizentra: 30 g x 1.37 / 4 weeks = 10.3 g a week." in said[:2]


IMPOSSIBLE = (
    "ITP, 1 g/kg, weight 700 kg. How many grams?",
    "CIDP loading 2 g/kg in grams please: adult man, weight 7 kg, height 178 cm",
    "2 g/kg for a newborn of 35 kg",
    "0.4 g/kg, 60 year old, 9 kg",
    "1 g/kg for 120 kg, height 105 cm, woman",
)


@pytest.mark.parametrize("question", IMPOSSIBLE)
def test_nothing_is_computed_from_a_weight_that_cannot_be_right(evidence: Evidence, question: str) -> None:
    """Outside the bounds of a patient record at that age or height: no product of dose and weight, but a question back."""
    made = _asked(evidence, question)
    assert (made.outcome, made.reason) == ("asks", "unsafe-unit")
    assert " x " not in _all(made)
    assert made.follow_up


@given(st.floats(min_value=401, max_value=1e6, allow_nan=False).map(lambda kg: round(kg, 1)))
@settings(max_examples=30, deadline=None)
def test_no_weight_beyond_every_person_is_computed_from(kg: float) -> None:
    """Nobody weighs more than 400 kg by the bounds of the record reader."""
    made = _asked(load_evidence(), f"2 g/kg over 5 days for {kg} kg, how many grams?")
    assert made.outcome == "asks"
    assert " x " not in _all(made)


@pytest.mark.parametrize("question", ["Alyglo max rate?", "A colleague says Alyglo goes from 1 to 8 mg/kg/min. May I program the pump with that?"])
def test_a_rate_that_nobody_read_is_not_told(evidence: Evidence, question: str) -> None:
    """The rate table of Alyglo was not read: neither what is remembered of it nor the number of the question stands in the answer."""
    assert "8 mg/kg/min" not in _all(_asked(evidence, question))


OWN = ["I'm 17 and 48 kg with ITP. They want to give me 48 g, is that right for me?", "I weigh 70 kg and have CIDP. How many grams?"]


@pytest.mark.parametrize("question", OWN)
def test_a_refused_own_dose_is_not_told_by_the_back_door(evidence: Evidence, question: str) -> None:
    """Under the refusal no dose per kilogram stands, from which the own dose would follow."""
    made = answer(question, evidence, Asking("patient", "UK-ENG", date(2026, 11, 21)))
    assert (made.outcome, made.reason) == ("refused", "individual-dose-for-patient")
    assert "kilogram" not in _all(made)
    assert "g/kg" not in _all(made)


def test_patients_who_name_no_disease_are_told_no_dose(evidence: Evidence) -> None:
    """Every topic as a question: no statement of a disease, and so no dose per kilogram of one, stands in the answer."""
    told = [
        topic.id
        for topic in evidence.topics.values()
        if topic.ask and "for each kilogram" in _all(answer(topic.ask, evidence, Asking("patient", "UK-ENG", date(2026, 11, 21))))
    ]
    assert not told


@pytest.mark.parametrize("brand", ["Hizentra", "Cuvitru", "Xembify", "Cutaquig"])
def test_a_product_for_use_under_the_skin_is_not_answered_with_rates_into_a_vein(evidence: Evidence, brand: str) -> None:
    """Asked whether it can be given into a vein, the first sentence says that it cannot."""
    assert _short(_asked(evidence, f"Can I give {brand} IV?"))[0] == f"{brand} is for the subcutaneous route only."


FIRST = (
    ("SCID infant on immunoglobulin: BCG, rotavirus?", "Live vaccines are contraindicated"),
    ("9-month-old needs IVIG tonight and only Flebogamma DIF is on the shelf. Fine, right?", "is under 2 years and Flebogamma DIF 5 % contains sorbitol"),
    ("Hizentra in hyperprolinaemia", "has hyperprolinaemia and Hizentra contains proline"),
    ("Can I give Gamunex-C subcutaneously in ITP?", "haematoma may form"),
)


@pytest.mark.parametrize(("question", "said"), FIRST)
def test_what_must_not_be_done_stands_first(evidence: Evidence, question: str, said: str) -> None:
    """The rule that holds for the person and the product of the question is the first sentence of the short answer."""
    assert said in _short(_asked(evidence, question))[0]


def test_a_rule_that_the_product_makes_false_is_left_out(evidence: Evidence) -> None:
    """Octagam 10 % holds maltose and no sucrose: nothing is said of a sucrose product at kidney risk."""
    assert "this product contains sucrose" not in _all(_asked(evidence, "Can Octagam 10% be given to a diabetic?"))


SUMS = (
    ("how many mL is 30 g of a 10 % product", "30 g of a 10 % product = 300 mL."),
    ("250 mL of 10 % at 100 mL/h, how long", "250 mL at 100 mL/h = 2.5 h."),
    ("140 g over 5 days, how much each day", "140 g over 5 days = 28 g a day."),
    ("45 g Gamunex-C in 500 mg units", "45 g x 1000 / 500 mg = 90 units."),
)


@pytest.mark.parametrize(("question", "said"), SUMS)
def test_sums_without_a_body_weight(evidence: Evidence, question: str, said: str) -> None:
    """30 g / 0.10 g per mL = 300 mL; 250 / 100 = 2.5 h; 140 / 5 = 28 g; 45 g / 0.5 g = 90."""
    assert said in _short(_asked(evidence, question))


def test_an_age_that_a_rule_is_about_brings_the_rule(evidence: Evidence) -> None:
    """Over 65 years the recommended dose is not exceeded; at 60 this is not said."""
    assert "not exceeded" in _all(_asked(evidence, "72 year old, anything special about rate and dose?"))
    assert "minimum practicable rate is used" not in _all(_asked(evidence, "60 year old, rate and dose?"))


def test_what_holds_of_few_people_does_not_open_an_answer_to_all(evidence: Evidence) -> None:
    """A patient who asks for the flu vaccine reads of it, not of children on aspirin; what immunoglobulin is has no dose for tetanus in it."""
    made = answer("can I have the flu jab?", evidence, Asking("patient", "UK-ENG", date(2026, 11, 20)))
    assert "not live" in _short(made)[0]
    assert "aspirin" not in _all(made)
    assert "tetanus" not in _all(_asked(evidence, "What is IVIG?")).lower()


def test_creatinine_in_two_units_gives_no_quotient(evidence: Evidence) -> None:
    """130 umol/L over 1.0 mg/dL is no rise of 130 times."""
    assert "times the value before" not in _all(_asked(evidence, "creatinine 1.0 mg/dL -> 130 umol/L after day 2 of 5, stop rule"))
    assert "120 / 80 = 1.5 times" in _all(_asked(evidence, "creatinine 80 -> 120 umol/L after day 2 of 5, stop rule"))
