"""The answers hold the thresholds that were set for them, on both halves of the questions; where one is not reached yet, they may not fall back.

Time is measured by ``tools/measure_answers.py``, not here.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from tools.answer_measures import EMERGENCIES, FACTS, GRADES, REFUSED, WRONG, Asker, Figures, measured
from tools.question_set import HALVES, Half, read_questions

from ivigil.evidence.load import load_evidence

MEDIAN_GRADE = 6
NOT_YET = {FACTS: 0.77, REFUSED: 0.75, EMERGENCIES: 0.9, WRONG: 0.01, GRADES: 0.92}
"""What was reached where the target is missed. ``docs/answer-quality.md`` shows each in bold; who reaches the target takes it out of this table."""


@lru_cache(maxsize=2)
def figures(half: Half) -> Figures:
    return measured(Asker(load_evidence()), read_questions(half))


NAMES = [one.name for one in Figures().measures() if one.target is not None]


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_is_held(name: str, half: Half) -> None:
    """Support, exact numbers, facts, nothing wrong said, refusals, emergencies, determinism, reading grade. Of the locked half only counts are told."""
    got = figures(half)
    measure = next(one for one in got.measures() if one.name == name)
    assert measure.whole
    failing = [one.question.id for one in got.outcomes if one.failures] if half == "development" else []
    kept = name in NOT_YET and (measure.share <= NOT_YET[name] if measure.most else measure.share >= NOT_YET[name])
    assert measure.met or kept, f"{measure.part} of {measure.whole}, wanted {measure.target}; {' '.join(failing)}"


def test_no_excuse_outlives_its_reason() -> None:
    """A threshold that both halves reach is no longer in the table of those that are missed."""
    reached = {name for name in NOT_YET if all(one.met for half in HALVES for one in figures(half).measures() if one.name == name)}
    assert not reached, "reached now; take it out of NOT_YET"


@pytest.mark.parametrize("half", HALVES)
def test_patients_can_read_it(half: Half) -> None:
    """Half of the answers to patients at reading grade 6 or below."""
    assert figures(half).median_grade <= MEDIAN_GRADE
