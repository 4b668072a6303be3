"""The answers hold the thresholds that were set for them, on every part of the questions; where one is not reached yet, they may not fall back.

Time is measured by ``tools/measure_answers.py``, not here.
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from tools.answer_measures import OPENING, REFUSED, Asker, Figures, measured
from tools.question_set import HALVES, PARTS, Part, read_questions

from ivigil.evidence.load import load_evidence

MEDIAN_GRADE = 6
NOT_YET = {REFUSED: 0.9}
"""What was reached where the target is missed. ``docs/answer-quality.md`` shows each in bold; who reaches the target takes it out of this table."""
NOT_YET_FRESH = {REFUSED: 0.97}
"""The same for the later set."""


@lru_cache(maxsize=len(PARTS))
def figures(part: Part) -> Figures:
    return measured(Asker(load_evidence()), read_questions(part))


def reached_so_far(part: Part) -> dict[str, float]:
    return NOT_YET if part in HALVES else NOT_YET_FRESH


NAMES = [one.name for one in Figures().measures() if one.target is not None]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_is_held(name: str, part: Part) -> None:
    """Support, exact numbers, facts, nothing wrong said, refusals, emergencies, determinism, reading grade. Of the locked half only counts are told."""
    got = figures(part)
    measure = next(one for one in got.measures() if one.name == name)
    assert measure.whole or (name == OPENING and part in HALVES), "no key of the halves asks for it"
    failing = [one.question.id for one in got.outcomes if one.failures] if part != "locked" else []
    so_far = reached_so_far(part)
    kept = name in so_far and (measure.share <= so_far[name] if measure.most else measure.share >= so_far[name])
    assert measure.met or kept, f"{measure.part} of {measure.whole}, wanted {measure.target}; {' '.join(failing)}"


def test_no_excuse_outlives_its_reason() -> None:
    """A threshold that both halves reach, or the later set, is no longer in the table of those that are missed."""
    reached = {name for name in NOT_YET if all(one.met for half in HALVES for one in figures(half).measures() if one.name == name)}
    assert not reached, "reached now; take it out of NOT_YET"
    reached = {one.name for one in figures("fresh").measures() if one.name in NOT_YET_FRESH and one.met}
    assert not reached, "reached now; take it out of NOT_YET_FRESH"


@pytest.mark.parametrize("part", PARTS)
def test_patients_can_read_it(part: Part) -> None:
    """Half of the answers to patients at reading grade 6 or below."""
    assert figures(part).median_grade <= MEDIAN_GRADE
