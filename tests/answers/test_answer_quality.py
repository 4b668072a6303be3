"""The answers hold the thresholds that were set for them, on both halves of the questions. Time is measured by ``tools/measure_answers.py``, not here."""

from __future__ import annotations

from functools import lru_cache

import pytest
from tools.answer_measures import Asker, Figures, measured
from tools.question_set import HALVES, Half, read_questions

from ivigil.evidence.load import load_evidence

MEDIAN_GRADE = 6


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
    failing = [one.question.id for one in got.outcomes if one.failures] if half == "development" else []
    assert measure.met, f"{measure.part} of {measure.whole}, wanted {measure.target}; {' '.join(failing)}"


@pytest.mark.parametrize("half", HALVES)
def test_patients_can_read_it(half: Half) -> None:
    """Half of the answers to patients at reading grade 6 or below."""
    assert figures(half).median_grade <= MEDIAN_GRADE
