"""The answers hold the thresholds that were set for them, on every part of the questions.

Time is measured by ``tools/measure_answers.py``, not here.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from tools.answer_measures import OPENING, Asker, Figures, measured
from tools.question_set import HALVES, PARTS, Part, read_questions

from ivigil.evidence.load import load_evidence

MEDIAN_GRADE = 6


@lru_cache(maxsize=len(PARTS))
def figures(part: Part) -> Figures:
    return measured(Asker(load_evidence()), read_questions(part))


NAMES = [one.name for one in Figures().measures() if one.target is not None]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_is_held(name: str, part: Part) -> None:
    """Support, exact numbers, facts, nothing wrong said, refusals, emergencies, determinism, reading grade. Of the locked half only counts are told."""
    got = figures(part)
    measure = next(one for one in got.measures() if one.name == name)
    assert measure.whole or (name == OPENING and part in HALVES), "no key of the halves asks for it"
    failing = [one.question.id for one in got.outcomes if one.failures] if part != "locked" else []
    assert measure.met, f"{measure.part} of {measure.whole}, wanted {measure.target}; {' '.join(failing)}"


@pytest.mark.parametrize("part", PARTS)
def test_patients_can_read_it(part: Part) -> None:
    """Half of the answers to patients at reading grade 6 or below."""
    assert figures(part).median_grade <= MEDIAN_GRADE
