"""What looks answerable and is recorded nowhere is refused by its kind; what is recorded and looks like it is answered."""

from __future__ import annotations

import pytest
from tests.answers.answers_text import text_of

from ivigil.answers.vocabulary import vocabulary_of
from ivigil.answers.words import words_of
from ivigil.evidence.library import Evidence

OTHER_MEDICINES = """
vedolizumab loading regimen, weeks and mg
inebilizumab maintenance interval in NMOSD
How many mg of argatroban per hour in HIT?
colchicine dose in Behcet
dapsone maximum daily dose in pemphigus
dose of pyridostigmine in myasthenia gravis
interaction of ciclosporin with simvastatin
""".strip().splitlines()
OWN_SCHEDULES = """
shingles vaccine: months between the two doses
how many hepatitis B jabs do I need for work
influenza vaccine doses for a 3-year-old in the first season
at what age is the rabies vaccine given
""".strip().splitlines()
NOT_RECORDED = [
    ("What is the density of Gamunex-C?", "density"), ("zinc content of Hizentra", "zinc"), ("residual tri-n-butyl phosphate in Octagam", "tri"),
    ("Kinematic viscosity of Flebogamma", "viscosity"), ("Is Hizentra halal?", "halal"), ("how heavy is the cuvitru box", "heavy"),
    ("Subgam: rate per site under the skin", "rate"), ("Ig Vena: sodium content in mg", "sodium"), ("Results of the ICE study in CIDP", "ICE"),
    ("years to live with MMN", "live"),
]  # fmt: skip
ELSEWHERE = """
IVIG criteria in Switzerland for CIDP
New Zealand criteria for IVIG in MMN
price of Privigen in Ireland
Does NHS England fund IVIG for amyloid neuropathy
who chairs the Ontario immunoglobulin panel
can I sue the hospital for my clot after ivig
""".strip().splitlines()
RECORDED = """
Does Hizentra contain polysorbate?
IgA content of Gammagard S/D
sodium content of Octagam 10 %
What does Privigen cost in the US?
can Octagam raise glucose meter readings
rituximab-associated hypogammaglobulinaemia: replacement dose
second dose of MMR after IVIG
at what age can my daughter on IVIG have her MMR
how long will I need IVIG for CIDP
aspirin dose in Kawasaki
Dose of IVIG in steroid-refractory ITP
can I go on holiday to France with my SCIG
Does Privigen raise the viscosity of blood?
""".strip().splitlines()


@pytest.mark.parametrize("question", [*OTHER_MEDICINES, *OWN_SCHEDULES, *ELSEWHERE])
def test_what_is_asked_of_something_else_is_refused(ask, question: str) -> None:  # type: ignore[no-untyped-def]
    """Another medicine, the doses of a vaccine itself, another country, another neuropathy, persons and law: nothing of immunoglobulin in their place."""
    made = ask(question)
    assert made.outcome == "refused", text_of(made)
    assert all(sentence.kind == "frame" for sentence in made.sentences)


@pytest.mark.parametrize(("question", "word"), NOT_RECORDED)
def test_what_nobody_recorded_is_named(ask, question: str, word: str) -> None:  # type: ignore[no-untyped-def]
    """A property of a known product or disease, a trial by its acronym: the word that is not recorded stands in the refusal, and no figure."""
    made = ask(question)
    assert (made.outcome, made.reason) == ("refused", "not-in-evidence"), text_of(made)
    assert word in text_of(made)
    assert not any(letter.isdigit() for sentence in made.sentences for letter in sentence.text)


@pytest.mark.parametrize("question", RECORDED)
def test_what_looks_like_it_and_is_recorded_is_answered(ask, question: str) -> None:  # type: ignore[no-untyped-def]
    """The same words where the evidence holds them, or where they only tell apart who is treated."""
    assert ask(question).outcome == "answered", text_of(ask(question))


def test_what_bars_a_product_is_said_all_the_same(ask) -> None:  # type: ignore[no-untyped-def]
    """Hizentra is for under the skin only (its label): a property that nobody recorded does not hide that."""
    assert "subcutaneous" in ask("may I give Hizentra into the vein if it is kosher").short[0].text


def test_a_refusal_says_what_may_be_asked_instead(ask) -> None:  # type: ignore[no-untyped-def]
    """Of a product whose density nobody recorded, what was recorded may be asked."""
    assert ask("What is the density of Gamunex-C?").related


@pytest.mark.parametrize("word", ["worsen", "listen", "determine", "examine", "medicine", "imagine", "loosen", "machine", "canteen", "vaccine", "clean"])
def test_no_everyday_word_ends_like_a_medicine(evidence: Evidence, word: str) -> None:
    """The stems of names of medicines are long enough that words of the language do not end in them."""
    found = vocabulary_of(evidence).outside.found(words_of(word))
    assert not [match for match in found if match.value == "drug-stems"]
