"""Questions: one per unknown fact, the most serious first, in the words of the register."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
from tests.planning.care_sample import draft, evidence

from ivigil.basis.facts import Fact, Origin
from ivigil.basis.quantity import Quantity
from ivigil.planning.line import Question
from ivigil.planning.questions import questions_of


def _questions(*undecided: tuple[str, tuple[str, ...], str], facts: dict[str, Any] | None = None) -> tuple[Question, ...]:
    return questions_of(msgspec.structs.replace(draft(facts=facts), undecided=undecided), evidence())


def test_one_question_per_fact_with_everything_it_could_change() -> None:
    """Two rules that wait for sepsis make one question; the more serious rule is named first."""
    (question,) = _questions(("low", ("has.sepsis",), "info"), ("high", ("has.sepsis",), "contraindicated"), ("low", ("has.sepsis",), "info"))
    assert question.fact == "has.sepsis"
    assert question.ask == evidence().facts["has.sepsis"].ask
    assert question.could_change == ("high", "low")
    assert question.weight == 2
    assert question.urgency == "critical"


def test_the_worst_it_could_change_ranks_before_how_much() -> None:
    """One contraindication outranks three cautions, which outrank one; then the name decides, so that the order is stable."""
    asked = _questions(("a", ("has.sepsis", "has.fever"), "caution"), ("b", ("has.sepsis",), "caution"), ("c", ("has.sepsis",), "caution"),
                       ("d", ("blood_group",), "contraindicated"), ("e", ("has.diabetes_mellitus",), "caution"))
    assert [question.fact for question in asked] == ["blood_group", "has.sepsis", "has.diabetes_mellitus", "has.fever"]


def test_what_is_rarely_on_record_comes_last_and_holds_nothing_up() -> None:
    """An ejection fraction is asked after all routine facts, without urgency."""
    assert not evidence().facts["lvef"].routine
    asked = _questions(("a", ("lvef",), "avoid"), ("b", ("has.sepsis",), "info"))
    assert [(question.fact, question.urgency) for question in asked] == [("has.sepsis", "info"), ("lvef", "info")]


def test_an_override_is_asked_in_words() -> None:
    """The rule's subject, not its id; a rule that is gone keeps its name."""
    rule = next(iter(evidence().every_rule.values()))
    known, gone = _questions((rule.id, (f"override:{rule.id}",), "avoid"), ("gone", ("override:gone",), "info"))
    assert rule.about in known.ask
    assert "who decides to go ahead" in known.ask
    assert "gone" in gone.ask


def test_a_criterion_is_asked_by_its_sentence() -> None:
    """The answer key is the criterion's id."""
    criterion = next(one for one in evidence().criteria.values() if one.when is None)
    (question,) = _questions((criterion.id, (criterion.id,), "info"))
    assert question.ask == f"Does this hold: {criterion.say}"


def test_a_stale_value_is_asked_again_with_its_last_value() -> None:
    """Once, and only when nothing else already asks for it."""
    stale = Fact("weight", Quantity(70, "kg"), Origin("record", date(2026, 1, 1)), stale=True)
    plan = msgspec.structs.replace(draft(), facts=draft().facts.having([stale]))
    (question,) = questions_of(plan, evidence())
    assert question.stale
    assert question.ask.endswith("(last known 70 kg, 2026-01-01)")
    (again,) = questions_of(msgspec.structs.replace(plan, undecided=(("x", ("weight",), "caution"),)), evidence())
    assert not again.stale


def test_nothing_unknown_means_no_question() -> None:
    """A settled plan asks for nothing."""
    assert _questions() == ()


def test_every_fact_of_the_register_can_be_asked() -> None:
    """No fact would be asked by its bare id."""
    asked = _questions(("x", tuple(evidence().facts), "info"))
    assert not [question.fact for question in asked if question.ask == question.fact]
