"""The question set: large enough, in two like halves and a set written later, every founding claim asked, and every key carried by the statements it names."""

from __future__ import annotations

import collections
import itertools
from functools import lru_cache
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tools.question_set import FOLDER, HALVES, PARTS, Question, Trap, folded, read_questions, stands

from ivigil.basis.problems import BadInput
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

ROOT = Path(__file__).resolve().parents[2]
AT_LEAST, TRAPS_AT_LEAST = 300, 80


@lru_cache(maxsize=1)
def halves() -> tuple[tuple[Question, ...], ...]:
    return tuple(read_questions(half) for half in HALVES)


@lru_cache(maxsize=1)
def questions() -> tuple[Question, ...]:
    return tuple(itertools.chain.from_iterable(read_questions(part) for part in PARTS))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


@lru_cache(maxsize=1)
def words_of_statements() -> dict[str, str]:
    """What each statement may be heard as: its sentence, its plain words, and lessons, advice, words and mechanisms made from it."""
    evidence = load_evidence()
    texts = {statement.id: f"{statement.says} {statement.plain}" for statement in evidence.statements.values()}
    told = [(lesson.cites, lesson.say) for lesson in evidence.lessons.values()] + [(advice.cites, advice.say) for advice in evidence.advice.values()]
    told += [(mechanism.cites, f"{mechanism.say} {mechanism.plain}") for mechanism in evidence.mechanisms.values()]
    told += [(term.cites, term.plain) for term in evidence.terms.values()]
    for cites, text in told:
        for cite in cites:
            texts[cite] += f" {text}"
    return texts


def test_there_are_enough_questions_and_traps() -> None:
    """At least 300 questions, at least 80 of them traps, and traps of every kind in both halves."""
    assert len(questions()) >= AT_LEAST
    assert sum(one.trap is not None for one in questions()) >= TRAPS_AT_LEAST
    for half in halves():
        assert {one.trap for one in half} == {None, *get_args(Trap)}


def test_the_halves_are_alike() -> None:
    """Each topic with each kind of trap is split evenly, so that the locked half measures what the other was used for."""
    counts = [collections.Counter((one.topic, one.trap) for one in half) for half in halves()]
    assert all(abs(counts[0][kind] - counts[1][kind]) <= 1 for kind in {*counts[0], *counts[1]})
    assert abs(counts[0].total() - counts[1].total()) <= 1


def test_no_question_is_asked_twice() -> None:
    """Ids and texts are unique: a question that stands in both halves would unlock one of them."""
    assert not [name for name, count in collections.Counter(one.id for one in questions()).items() if count > 1]
    asked = collections.Counter((folded(one.question), one.record) for one in questions() if one.question.strip())
    assert not [text for text, count in asked.items() if count > 1]


def test_every_audience_and_place_asks() -> None:
    """Patients, clinicians and researchers, in the jurisdictions whose rules differ."""
    people = collections.Counter(one.audience for one in questions())
    assert min(people.values()) >= 30
    assert {"US", "UK-ENG", "EU", "CA-ON", "AU"} <= {one.jurisdiction for one in questions()}


def test_every_founding_claim_is_asked(evidence: Evidence) -> None:
    """Nothing that the founding articles say about immunoglobulin is left unasked, and no question names a claim that is not there."""
    asked = {claim for one in questions() for claim in one.claims}
    assert asked == set(evidence.claims)


def test_what_a_key_names_exists(evidence: Evidence) -> None:
    """Statements, jurisdictions and example patients."""
    for one in questions():
        assert one.jurisdiction in evidence.jurisdictions, one.id
        assert not one.record or (ROOT / "patients" / f"{one.record}.yaml").is_file(), one.id
        unknown = [name for fact in one.must_have for name in fact.statements if name not in evidence.statements]
        assert not unknown, f"{one.id}: {unknown}"


def test_a_key_is_carried_by_its_statements() -> None:
    """One of the texts stands in each statement that a fact names; only arithmetic and words of our own name none."""
    texts = words_of_statements()
    for one in questions():
        for fact in one.must_have:
            assert fact.any or fact.statements, one.id
            assert not (fact.computed and fact.statements), one.id
            loose = [name for name in fact.statements if fact.any and not any(stands(text, texts[name]) for text in fact.any)]
            assert not loose, f"{one.id}: {fact.any} stands not in {loose}"


def test_a_text_that_must_not_stand_is_in_no_statement_of_the_key() -> None:
    """Else a right answer would count as wrong."""
    texts = words_of_statements()
    for one in questions():
        for fact in one.must_have:
            clash = [(text, name) for text in one.must_not for name in fact.statements if stands(text, texts[name])]
            assert not clash, f"{one.id}: {clash}"


def test_every_question_can_be_judged() -> None:
    """What can only be answered has facts to look for, and what can only be refused has reasons."""
    for one in questions():
        assert one.expect, one.id
        assert one.must_have or one.expect != ("answered",), one.id
        assert one.reason or one.expect != ("refused",), one.id


def test_no_program_reads_the_questions() -> None:
    """The answers come from the evidence; nothing in the program may know the questions."""
    for path in (ROOT / "src").rglob("*.py"):
        assert "question_set" not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(("text", "inside"), [
    ("2 g/kg", "The dose is 2 g/kg over 2-5 days."), ("2 g/kg", "2 grams per kilogram in all"), ("2-5 days", "spread over 2 to 5 days"),
    ("11 %", "11% of patients"), ("48 hours", "for 48 h"), ("headache", "Headaches are common."), ("3-4 weeks", "every 3–4 weeks"),
    ("11 months", "wait 11 months."), ("GBP 54", "that is GBP 54 per gram"), ("50 10*9/L", "above 50 10*9/L at delivery"), ("[IU]", "250 [IU]"),
    ("1.37", "1.37 times"),
])
def test_a_text_is_found_however_it_is_written(text: str, inside: str) -> None:
    """Case, hyphens, spaces and the spelling of units do not matter."""
    assert stands(text, inside)


@pytest.mark.parametrize(("text", "inside"), [
    ("2 g/kg", "12 g/kg"), ("2 g/kg", "0.2 g/kg"), ("2 g/kg", "2.5 g/kg"), ("2 mg/kg", "2 mg/kg/min"), ("1 g", "1 g/kg"), ("11 %", "11.9 %"), ("rash", "crash"),
    ("1.37", "1.375"), ("4 mg/kg/min", "14 mg/kg/min"), ("5 %", "0.5 %"), ("24 h", "124 h"),
])
def test_a_number_is_found_only_whole(text: str, inside: str) -> None:
    """A longer number, another unit or the middle of a word is no hit."""
    assert not stands(text, inside)


@given(st.integers(min_value=1, max_value=999), st.sampled_from(["g/kg", "mg/kg/min", "mL/h", "%", "months", "g/L"]), st.integers(min_value=0, max_value=9))
def test_an_amount_is_found_in_itself_and_not_with_another_digit(number: int, unit: str, digit: int) -> None:
    """For every amount and unit, whatever digit is put before or behind the number."""
    text = f"{number} {unit}"
    assert stands(text, f"Give {text}.")
    assert not stands(text, f"Give {number}{digit} {unit}.")
    assert not stands(text, f"Give {digit + 1}{number} {unit}.")
    assert not stands(text, f"Give 0.{number} {unit}.")


def test_a_broken_question_is_reported_with_its_line(tmp_path: Path) -> None:
    """An unknown outcome, an unknown key and a topic in the wrong file, all at once."""
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / "dosing.yaml").write_text(
        "questions:\n  - {id: dosing.a, question: x, audience: patient, jurisdiction: US, expect: [maybe]}\n"
        "  - {id: dosing.b, question: x, audience: patient, jurisdiction: US, expect: [asks], colour: red}\n", encoding="utf-8")
    (tmp_path / "locked" / "uses.yaml").write_text(
        "questions:\n  - {id: dosing.c, question: x, audience: patient, jurisdiction: US, expect: [asks]}\n", encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        read_questions("locked", tmp_path)
    assert len(raised.value.problems) == 3
    assert [problem.place for problem in raised.value.problems] == ["locked/dosing.yaml", "locked/dosing.yaml", "locked/uses.yaml"]
    assert [problem.line for problem in raised.value.problems][:2] == [2, 3]


def test_the_readme_tells_the_number(evidence: Evidence) -> None:
    """The page beside the questions is true today, and every kind of trap is explained in it."""
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{len(questions())} questions" in page
    assert all(f"`{trap}`" in page for trap in get_args(Trap))
