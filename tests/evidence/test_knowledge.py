"""Mechanisms, words and lessons are whole, and written for those who read them."""

from __future__ import annotations

import re

import pytest

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

LONGEST = 14
"""Words in a sentence for patients."""
QUESTIONS = ["travel", "work", "faith", "shortage", "cost", "home", "tested", "hepatitis-c", "vaccines", "pregnancy", "blood-tests", "refuse", "how-it-works"]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def test_every_mechanism_has_its_strength(evidence: Evidence) -> None:
    """Thirteen mechanisms; what is shown in people, supported or debated is told apart, and a debated one says or cites why."""
    by_strength: dict[str, set[str]] = {}
    for mechanism in evidence.mechanisms.values():
        by_strength.setdefault(mechanism.strength, set()).add(mechanism.id)
    assert sum(map(len, by_strength.values())) == len(evidence.mechanisms) == 13
    assert by_strength["human"] == {"replacement"}
    assert by_strength["debated"] == {"inhibitory-receptor", "adhesion-apoptosis"}


def test_sentences_for_patients_are_short(evidence: Evidence) -> None:
    """A lesson, a word or the plain side of a mechanism is read in one breath."""
    texts = {**{one.id: one.plain for one in evidence.mechanisms.values()}, **{one.id: one.plain for one in evidence.terms.values()},
             **{one.id: one.say for one in evidence.lessons.values()}}
    long = [(name, part) for name, text in texts.items() for part in re.split(r"[.;?] ", text) if len(part.split()) > LONGEST]
    assert not long


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_patients_ask_is_answered(evidence: Evidence, question: str) -> None:
    """The questions that no plan answers have a lesson."""
    assert evidence.lessons[f"education.{question}"].question.endswith("?")


def test_no_two_words_share_a_name(evidence: Evidence) -> None:
    """A word looked up leads to one meaning."""
    names = [name.lower() for term in evidence.terms.values() for name in (term.term, *term.also_called)]
    assert len(names) == len(set(names))
