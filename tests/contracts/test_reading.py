"""Patients can read what is written for them: no text above grade 8, half of them at grade 6 or below."""

from __future__ import annotations

import statistics
import time
from functools import lru_cache

from ivigil.basis.reading import read, weight_of
from ivigil.evidence.compile import Compiled, compile_evidence
from ivigil.evidence.files import EvidenceFile, packaged_folder, read_folder
from ivigil.evidence.plain_language import HARDEST, brand_names, hard_texts, patient_texts


@lru_cache(maxsize=1)
def compiled() -> Compiled:
    return compile_evidence(read_folder(packaged_folder()))


def texts() -> list[str]:
    return [text for entry in compiled().entries for _, text in patient_texts(entry)]


def test_no_text_for_patients_is_above_the_highest_grade() -> None:
    """What `ivigil evidence check` demands holds for the evidence as it is."""
    assert list(hard_texts(compiled())) == []


def test_half_of_the_texts_are_at_grade_six_or_below() -> None:
    """Most sentences are easier than the limit."""
    grades = [read(text, brand_names(compiled())).grade for text in texts()]
    assert len(grades) > 200
    assert statistics.median(grades) <= 6
    assert max(round(grade, 1) for grade in grades) <= HARDEST


def test_every_kind_of_patient_text_is_graded() -> None:
    """A statement's plain words, advice, what a rule tells, a lesson, a glossary term and a mechanism; names of indications are not."""
    hard = "Administration necessitates simultaneous immunological observation."
    files = [
        EvidenceFile("statements/a.yaml", f"- {{id: a, source: s, says: x, read: seen, plain: {hard}}}\n"),
        EvidenceFile("advice/a.yaml", f"- {{id: b, topic: day, say: {hard}, cites: [a]}}\n"),
        EvidenceFile("safety/a.yaml", f"id: c\nabout: x\nseverity: info\nwhen: has.x\nsay: {hard}\n"
                                        f"then: [{{act: tell, say: {hard}}}, {{act: report, say: {hard}}}]\ncites: [a]\n"),
        EvidenceFile("education/a.yaml", f"id: d\ntopic: x\nquestion: Why?\nsay: {hard}\ncites: [a]\n"),
        EvidenceFile("glossary/a.yaml", f"id: e\nterm: x\nplain: {hard}\ncites: [a]\n"),
        EvidenceFile("mechanisms/a.yaml", f"id: f\nname: x\nsay: {hard}\nplain: {hard}\nstrength: human\ncites: [a]\n"),
        EvidenceFile("indications/a.yaml", f"id: g\nname: {{clinical: X, plain: {hard}}}\npurpose: none\n"),
    ]
    found = list(hard_texts(compile_evidence(files)))
    assert [(problem.place, problem.line, problem.what) for problem in found] == [
        ("statements/a.yaml", 1, "a: plain"), ("advice/a.yaml", 1, "b: say"), ("safety/a.yaml", 6, "c: then.0.say"), ("education/a.yaml", 4, "d: say"),
        ("glossary/a.yaml", 3, "e: plain"), ("mechanisms/a.yaml", 4, "f: plain"),
    ]


def test_the_row_names_the_grade_and_the_cause() -> None:
    """Who reads it knows which words to change, or which sentence to cut."""
    long = "You may go home when the nurse has looked at you and all of it is as good as it was on the day you came in to us, and no one has seen a change."
    problem, = hard_texts(compile_evidence([EvidenceFile("advice/a.yaml", f"- {{id: b, topic: day, say: '{long}', cites: [a]}}\n")]))
    assert "36 words in the sentence 'You may go ...'" in problem.why
    assert "grade 10.3" in problem.why
    problem, = hard_texts(compile_evidence([EvidenceFile("advice/a.yaml", "- {id: b, topic: day, say: Intravenous hydration., cites: [a]}\n")]))
    assert "long words Intravenous (4 syllables), hydration (3 syllables)" in problem.why
    assert problem.remedy


def test_four_thousand_sentences_take_less_than_a_third_of_a_second() -> None:
    """The check stays quick when the evidence has grown."""
    many = [f"{text} {number}" for number in range(4000 // len(texts()) + 1) for text in texts()][:4000]
    weight_of.cache_clear()
    took = []
    for _ in range(3):
        start = time.perf_counter()
        for text in many:
            read(text)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.3
