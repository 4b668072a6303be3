"""What the evidence does not hold is refused, however it is asked; what it holds is answered, however it is written."""

from __future__ import annotations

import random
import re

import pytest
from tests.answers.answers_text import text_of

from ivigil.answers.find import index_of
from ivigil.answers.vocabulary import vocabulary_of
from ivigil.answers.words import folded, words_of
from ivigil.evidence.library import Evidence

UNKNOWN = """
eculizumab loading dose myasthenia
What's the dose of Nplate in ITP?
infliximab dose after IVIG fails in Kawasaki
How many mg of rituximab in pemphigus?
loading dose of magnesium sulphate in pre-eclampsia
dose of hepatitis B immunoglobulin
Immunoglobulin regimen for IgA nephropathy
Does IVIG work in endometritis?
IVIG for Brandt-Olsen disease
dose in Parvin's encephalopathy
Should polyarteritis of the gut be treated with IVIG?
is ivig used for migraine
Rate for Globimax
Veranex vial sizes
Does Intraglobin contain sucrose?
What does a gram of immunoglobulin cost in Brazil?
Is IVIG reimbursed in India?
can I get a tattoo the week after my infusion
is it ok to eat grapefruit with IVIG?
can I microwave the vial
Will the shares of plasma companies go up next quarter?
Who invented IVIG?
what will the FDA approve for IVIG next year
vet says my dog has immune anaemia, how much human IVIG for a 20 kg labrador
Can I donate blood after IVIG?
How many years have I got left with CVID?
symptoms of lupus
how do I bake sourdough bread
""".strip().splitlines()
KNOWN = """
is it alright to have a few beers after the drip
is it made from other folks' blood
how long till my platelets come up
can I go swimming afterwards
what do nurses keep an eye on
can they swap my brand
only dog tired the day after my drip, is that to be expected?
In a film somebody had anaphylaxis. How rare is that with immunoglobulin?
my aunt says people got hep C off this in the 90s, true?
autoimmune encephalitis: dose and maximum number of courses
Kawasaki at RCH Melbourne: infusion time and aspirin dose
MMN steroids
child premedication: paracetamol mg/kg and daily limit
will the antibody treatment muck up my son's coeliac or other blood tests
missed my Privigen appointment because of snow, what now?
why do they weigh me every single time before the immunoglobulin is ordered
octogam dermatomyosits dosis intervall
kawsaki imunoglobin how long does drip take
IVIG for MS?
""".strip().splitlines()


@pytest.mark.parametrize("question", UNKNOWN)
@pytest.mark.parametrize("audience", ["clinician", "patient"])
def test_what_no_statement_holds_is_refused(ask, question: str, audience: str) -> None:  # type: ignore[no-untyped-def]
    """Another drug, disease, product, place or subject: no dose, no price of something else in its place."""
    made = ask(question, audience)
    assert made.outcome == "refused", text_of(made)
    assert all(sentence.kind == "frame" for sentence in made.short)


@pytest.mark.parametrize("question", KNOWN)
def test_everyday_words_do_not_hide_what_is_known(ask, question: str) -> None:  # type: ignore[no-untyped-def]
    """Slang, a disease beside the matter, a misspelt name: the question is answered."""
    assert ask(question, "patient" if " my " in f" {question} " else "clinician").outcome == "answered"


def test_a_slip_of_the_fingers_changes_no_outcome(ask) -> None:  # type: ignore[no-untyped-def]
    """Two letters of a longer word exchanged, in questions that are answered without it."""
    chance = random.Random(5)
    asked = ["what are the usual side effects", "what to bring on infusion day", "where do you get IVIG infusions", "who is not suitable for home IVIG",
             "round 43 g to vials in Ontario", "how fast does it start working", "which weight for IVIG dosing in pregnancy in Ontario"]  # fmt: skip
    wrong = []
    for question in asked:
        for word in re.findall(r"[A-Za-z]{7,}", question):
            at = chance.randrange(2, len(word) - 2)
            typed = question.replace(word, word[:at] + word[at + 1] + word[at] + word[at + 2 :], 1)
            wrong += [typed] if ask(typed).outcome != "answered" else []
    assert not wrong


@pytest.mark.parametrize("word", ["dental", "morning", "companies", "program", "accident"])
def test_an_everyday_word_is_never_read_as_another(evidence: Evidence, ask, word: str) -> None:  # type: ignore[no-untyped-def]
    """Only what is no word is read as a known one; ``program`` is not Prograf."""
    assert vocabulary_of(evidence).everyday(folded(word))
    assert word not in ask(f"is there a {word} about IVIG side effects").understood.read_as


def test_every_synonym_means_words_of_the_evidence(evidence: Evidence) -> None:
    """A word that is searched for in place of another stands somewhere in the evidence; one that does not would be lost effort."""
    index = index_of(evidence)
    lost = [(one.id, word.fold) for one in evidence.synonyms.values() for phrase in one.means for word in words_of(phrase) if not index.knows(word.fold)]
    assert not lost


def test_the_place_in_the_question_comes_before_the_place_of_the_asker(ask) -> None:  # type: ignore[no-untyped-def]
    """Who asks in the United States what Ontario says of Behcet disease hears Ontario first."""
    made = ask("Is IVIG used for Behcet's in Ontario?")
    assert "Ontario" in made.short[0].text


def test_a_disease_is_known_by_its_words_in_another_order(ask) -> None:  # type: ignore[no-untyped-def]
    """Aplasia of red cells from parvovirus is parvovirus B19 pure red cell aplasia."""
    assert "prca-b19" in ask("Is IVIG recommended for red cell aplasia from parvovirus?").understood.indications
