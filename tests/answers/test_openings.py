"""What stops a mistake opens the answer: whoever reads only the first sentences meets the rule that speaks against what was proposed."""

from __future__ import annotations

import pytest
from tests.answers.conftest import Ask

from ivigil.answers.answer import Answer
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.questions import SHARED, Opener

EVIDENCE = load_evidence()
ANYWHERE = "US"


def cited(made: Answer) -> set[str]:
    return {name for sentence in made.short for name in sentence.statements}


def texts(made: Answer) -> str:
    return " ".join(sentence.text for sentence in made.short)


def spoken(wording: str) -> str:
    """A wording as somebody would write it: no star, no dots."""
    return " ".join(part.rstrip("*").lstrip("*") for part in wording.split() if part != "...")


def in_words(evidence: Evidence, opener: Opener) -> str:
    """A question from the first wording of each list and a name of each thing that the opener asks for."""
    parts = []
    for listed in opener.words:
        first = listed[0]
        parts.append(spoken(evidence.word_lists[first.removeprefix(SHARED)].words[0] if first.startswith(SHARED) else first))
    parts += [evidence.facts[name].label for name in opener.facts[:1]]
    parts += [evidence.indications[name].name.clinical.partition(" (")[0] for name in opener.indications[:1]]
    parts += [next(one.brand for one in evidence.products_at(ANYWHERE) if one.contains.get(name) == "yes") for name in opener.holds[:1]]
    return f"IVIG: {', '.join(parts)}?"


@pytest.mark.parametrize("opener", [one for one in EVIDENCE.openers.values() if one.show], ids=lambda one: one.id)
def test_every_opener_opens(opener: Opener, ask: Ask) -> None:
    """One wording of each list, with what must be named, and its first sentences stand in the short answer, whatever else is asked."""
    made = ask(in_words(EVIDENCE, opener), jurisdiction=opener.places[0] if opener.places else ANYWHERE)
    entries = {name for name in opener.show if name in EVIDENCE.statements}
    assert not entries or entries & cited(made)


@pytest.mark.parametrize(("question", "way"), [
    ("Can I give Hizentra IV?", "subcutaneous route only"),
    ("can I give Xembify intravenously", "subcutaneous route only"),
    ("Is it ok to give Cuvitru into the port?", "subcutaneous route only"),
    ("can Privigen go under the skin", "into a vein only"),
    ("Gammagard S/D under the skin", "into a vein only"),
])
def test_a_route_that_a_product_does_not_go_is_refused_first(question: str, way: str, ask: Ask) -> None:
    """Hizentra, Xembify and Cuvitru are labelled under the skin, Privigen and Gammagard S/D into a vein: this stands before anything else."""
    assert way in ask(question).short[0].text


def test_a_product_that_goes_both_ways_is_not_called_otherwise(ask: Ask) -> None:
    """Gamunex-C is labelled for both routes."""
    assert "only" not in ask("Can I give Gamunex-C under the skin in primary immunodeficiency?").short[0].text


@pytest.mark.parametrize(("question", "place", "said"), [
    ("9-month-old needs IVIG tonight and only Flebogamma DIF is on the shelf. Fine, right?", "EU", "safety.sorbitol.under-2"),
    ("HyQvia for a woman allergic to hyaluronidase?", "US", "safety.hyaluronidase"),
    ("Flebogamma or Privigen in hereditary fructose intolerance?", "EU", "safety.sorbitol.hfi"),
    ("Can Octagam 10 % be given to a diabetic?", "US", "safety.maltose.meter"),
    ("Known hyperprolinaemia. Privigen is all right as long as it runs slowly?", "US", "safety.proline"),
])
def test_what_a_product_holds_and_who_asks_come_together(question: str, place: str, said: str, ask: Ask) -> None:
    """Sorbitol below 2 years and in fructose intolerance, hyaluronidase, maltose and meters, proline: the statement opens the answer."""
    assert said in cited(ask(question, jurisdiction=place))


def test_of_two_products_the_one_without_is_named(ask: Ask) -> None:
    """Flebogamma DIF holds sorbitol, Privigen none: both are said."""
    said = texts(ask("Flebogamma or Privigen in hereditary fructose intolerance?", jurisdiction="EU"))
    assert "Privigen contains no sorbitol" in said
    assert "contains sorbitol" in said


def test_a_rule_on_what_a_product_does_not_hold_is_left_out(ask: Ask) -> None:
    """Octagam holds maltose and no sucrose: the rule on sucrose and the kidney does not stand in an answer about it."""
    made = ask("Can Octagam 10 % be given to a diabetic?")
    assert not [one.text for one in made.sentences if "contains sucrose" in one.text]


def test_the_dose_of_another_product_is_no_answer(ask: Ask) -> None:
    """The dose of HyQvia in CIDP was not read: neither Privigen's nor any other intravenous dose stands in its place."""
    made = ask("HyQvia for CIDP dose")
    assert made.short[0].text.startswith("No dose of HyQvia for")
    assert not [one.text for one in made.short if "2 g/kg" in one.text]


@pytest.mark.parametrize(("question", "place", "right"), [
    ("Privigen max rate in CIDP, is it 80 mg/kg/min?", "US", "at most 8 mg/kg/min"),
    ("He tolerated Privigen at 8 mg/kg/min for his primary immunodeficiency. Go to 16 next time?", "US", "at most 8 mg/kg/min"),
    ("Kiovig starts at 5 mL/kg/h if I remember right?", "EU", "start at 0.5 mL/kg/h"),
    ("Switching to Hizentra - the factor is 1.53, yes?", "US", "1.37 times"),
])
def test_a_number_against_the_label_is_put_right_and_not_said_again(question: str, place: str, right: str, ask: Ask) -> None:
    """The label's row opens the answer; the wrong number stands nowhere in it."""
    made = ask(question, jurisdiction=place)
    assert right in made.short[0].text
    assert not [one.text for one in made.sentences for wrong in ("80 mg/kg/min", "16 mg/kg/min", " 5 mL/kg/h", "1.53") if wrong in one.text]


def test_a_rate_that_the_label_allows_is_not_contradicted(ask: Ask) -> None:
    """4 mg/kg/min is below the 8 mg/kg/min of Privigen in CIDP."""
    assert "asked about" not in texts(ask("May I run Privigen at 4 mg/kg/min in CIDP?"))


def test_the_dosing_weight_is_worked_out(ask: Ask) -> None:
    """Devine for a woman of 160 cm: 45.5 + 2.3 x (160 - 152.4) / 2.54 = 52.38 kg; adjusted 52.38 + 0.4 x (110 - 52.38) = 75.43 kg."""
    said = ask("160 cm 110 kg woman CIDP what dosing weight", jurisdiction="CA-ON").short[0]
    assert said.kind == "calculation"
    assert "75.43 kg" in said.text


def test_how_long_is_worked_out(ask: Ask) -> None:
    """0.4 g/kg x 62 kg = 24.8 g = 248 mL of 10 %; 8 mg/kg/min printed also as 0.08 mL/kg/min x 62 kg x 60 = 297.6 mL/h: 248 / 297.6 h = 50 min."""
    said = texts(ask("how many mL is 0.4 g/kg for 62 kg of a 10% product, and how long at max Privigen rate in PI"))
    assert "248 mL / 297.6 mL/h = 50 min" in said


def test_a_rise_of_creatinine_is_held_against_the_definition(ask: Ask) -> None:
    """130 / 80 = 1.625, above 1.5 times: the rule to hold comes with it, before the course that such a rise usually takes."""
    made = ask("creatinine 80 -> 130 after day 2 of 5, stop rule")
    assert "130 / 80 = 1.62" in made.short[0].text
    assert "is held" in made.short[1].text


def test_in_europe_the_change_of_route_is_gram_for_gram(ask: Ask) -> None:
    """60 g every 4 weeks is 15 g a week, by the 1:1 of Europe; the American factor of 1.37 does not stand there."""
    made = ask("switch 60 g Kiovig every 4 weeks to Hizentra in England", jurisdiction="UK-ENG")
    assert "= 15 g a week" in made.short[0].text
    assert "20.5" not in texts(made)


def test_a_child_below_the_age_of_the_label(ask: Ask) -> None:
    """35 g for 28 kg is 1.25 g/kg; Privigen is labelled in ITP from 15 years, and more than 1 g/kg a day needs confirmation."""
    said = texts(ask("Privigen 35 g for a 9-year-old of 28 kg with ITP, too much?"))
    assert "15 year" in said
    assert "More than 1 g/kg on one day" in said


def test_of_two_diseases_the_one_asked_about_is_answered(ask: Ask) -> None:
    """Ontario: inclusion body myositis, do not use; the dose of dermatomyositis does not stand in the short answer."""
    made = ask("Inclusion body myositis is an inflammatory myopathy so Ontario recommends IVIG like for DM?", jurisdiction="CA-ON")
    assert "inclusion-body-myositis.on5.standing" in made.short[0].statements
    assert "2 g/kg" not in texts(made)


def test_sepsis_of_a_newborn_has_no_dose(ask: Ask) -> None:
    """9 studies with 3973 infants show no benefit; a body of 900 g is no dose."""
    made = ask("premature infant 900 g sepsis prophylaxis IVIG dose")
    assert "neonatal-sepsis.cochrane" in cited(made)
    assert not [one.text for one in made.sentences if "0.4 g/kg" in one.text or "45 g" in one.text]


def test_products_are_compared_by_what_is_asked(ask: Ask) -> None:
    """Among American products sodium is least in those without any; no dose of tetanus stands in the answer."""
    made = ask("Which IVIG has lowest sodium?")
    assert "sodium typically 0 mmol/L" in made.short[0].text
    assert "g/kg" not in texts(made)


def test_a_withdrawn_product_says_so_first(ask: Ask) -> None:
    """Intragam 10 was replaced by the Australian Privigen."""
    assert "replaced by the Australian Privigen" in ask("Intragam 10 - which product took its place?", jurisdiction="AU").short[0].text


def test_an_emergency_keeps_the_warning_against_the_act(ask: Ask) -> None:
    """Adrenaline of 1 mg/mL is never given into a vein, also where the question is an emergency; the call for help stays first."""
    made = ask("Anaphylaxis to IVIG now: push 0.5 mL of adrenaline 1 mg/mL into the cannula?")
    assert made.short[0].text.startswith("This may be an emergency")
    assert "care.adrenaline.not-vein" in cited(made)


def test_a_missed_dose_of_another_medicine_is_not_answered(ask: Ask) -> None:
    """What is said of a missed infusion does not stand in an answer about a tablet."""
    assert ask("I missed my Mestinon at noon, do I double the next one?", "patient").outcome == "refused"
