"""Conditions: read strictly, judged the same one by one and on columns, and never reversed by learning a fact."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import Condition, judge, judge_columns, parse_condition, truth_of, unit_of, written

_FLAGS = ["has.a", "has.b", "has.c"]
_leaf = st.one_of(
    st.sampled_from(_FLAGS),
    st.builds(lambda op, value: f"age {op} {value} year", st.sampled_from([">", ">=", "<", "<="]), st.integers(0, 5)),
    st.builds(lambda op, word: f"group {op} {word}", st.sampled_from(["is", "is not"]), st.sampled_from("AB")),
    st.just("group in A, O"),
)
conditions = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)
patients = st.fixed_dictionaries(
    {flag: st.sampled_from([True, False, None]) for flag in _FLAGS}
    | {"age": st.one_of(st.none(), st.integers(0, 5)), "group": st.sampled_from(["A", "B", "O", None])})


def _facts(patient: dict[str, Any]) -> Facts:
    def value(item: Any) -> Any:
        return Quantity(float(item), "year") if isinstance(item, int) and not isinstance(item, bool) else item

    return Facts(Fact(name, value(item), Origin("test")) for name, item in patient.items() if item is not None)


def _columns(patients_: list[dict[str, Any]]) -> dict[str, Any]:
    columns: dict[str, Any] = {flag: np.array([0 if one[flag] is None else 1 if one[flag] else -1 for one in patients_], dtype=np.int8) for flag in _FLAGS}
    columns["age"] = np.array([np.nan if one["age"] is None else one["age"] * 365.25 for one in patients_])
    columns["group"] = np.array([one["group"] or "" for one in patients_], dtype=object)
    return columns


@settings(max_examples=400)
@given(conditions, st.lists(patients, min_size=1, max_size=12))
def test_columns_agree_with_one_by_one(tree: Any, people: list[dict[str, Any]]) -> None:
    """The same rule asked of one patient and of many gives the same answers."""
    condition = parse_condition(tree)
    together = judge_columns(condition, _columns(people), len(people))
    alone = [judge(condition, _facts(person)).truth for person in people]
    assert [None if code == 0 else code == 1 for code in together] == alone
    assert [truth_of(condition, _facts(person)) for person in people] == alone


@settings(max_examples=400)
@given(conditions, patients, st.sampled_from([*_FLAGS, "age", "group"]), st.booleans(), st.integers(0, 5), st.sampled_from("ABO"))
def test_learning_a_fact_never_reverses_a_decision(tree: Any, person: dict[str, Any], name: str, flag: bool, years: int, word: str) -> None:
    """What was decided on partial knowledge stays decided; only unknowns may turn."""
    if person[name] is not None:
        return
    condition = parse_condition(tree)
    before = judge(condition, _facts(person)).truth
    after = judge(condition, _facts({**person, name: years if name == "age" else word if name == "group" else flag})).truth
    assert before is None or after == before


@settings(max_examples=400)
@given(conditions, patients)
def test_the_questions_asked_are_unknown_and_the_reasons_known(tree: Any, person: dict[str, Any]) -> None:
    """An undecided rule asks only for unknown facts; a decided one names only known facts."""
    verdict = judge(parse_condition(tree), _facts(person))
    known = {name for name, value in person.items() if value is not None}
    assert not set(verdict.undecided) & known
    assert set(verdict.decided_by) <= known
    assert (verdict.truth is None) == bool(verdict.undecided)


@settings(max_examples=300)
@given(conditions, patients, patients)
def test_the_deciding_facts_suffice(tree: Any, person: dict[str, Any], other: dict[str, Any]) -> None:
    """Keeping only the deciding facts and changing all others never changes the verdict."""
    condition = parse_condition(tree)
    verdict = judge(condition, _facts(person))
    if verdict.truth is not None:
        mixed = {name: person[name] if name in verdict.decided_by else other[name] for name in person}
        assert judge(condition, _facts(mixed)).truth == verdict.truth


def test_over_65_needs_the_unit() -> None:
    """A threshold without its unit is still a comparison, but the evidence check refuses it against a fact with a unit."""
    assert parse_condition("age > 65").unit == ""
    assert parse_condition("age > 65 year").number == pytest.approx(65 * 365.25)


@pytest.mark.parametrize("tree", ["age >", "Age > 5 year", "age > five year", {"all": []}, {"either": ["has.a"]}, 5, "has.a and has.b", "__import__('os')"])
def test_anything_else_is_refused(tree: Any) -> None:
    """The language compares; nothing else is accepted."""
    with pytest.raises(ValueError):
        parse_condition(tree)


def test_reads_back_as_words() -> None:
    """A condition can be shown to a person, with brackets where needed."""
    tree = {"all": ["has.a", {"any": ["age > 65 year", {"not": "has.b"}]}]}
    assert written(parse_condition(tree), {"has.a": "Sepsis"}) == "Sepsis and (age > 65 year or not has.b)"


def test_conditions_are_small_values() -> None:
    """Equal texts give equal trees, so that bundles and sources compare."""
    assert parse_condition("has.a") == Condition("yes", fact="has.a", text="has.a")


@pytest.mark.parametrize("line", ["has.a is yes", "has.a is not no"])
def test_is_yes_reads_like_the_fact_alone(line: str) -> None:
    """"is yes" and "is not no" say what the bare name says."""
    assert parse_condition(line) == Condition("yes", fact="has.a", text=line)


@pytest.mark.parametrize("line", ["has.a is no", "has.a is not yes"])
def test_is_no_reads_like_not(line: str) -> None:
    """"is no" and "is not yes" say what "not:" says."""
    condition = parse_condition(line)
    assert condition == Condition("not", (Condition("yes", fact="has.a", text=line),), text=line)
    assert [judge(condition, _facts({"has.a": value})).truth for value in (True, False, None)] == [False, True, None]


def test_a_refusal_names_the_line_and_the_remedy() -> None:
    """The writer of a rule sees the line as written and what to write instead."""
    with pytest.raises(ValueError, match="'age >' is not a comparison; write for example"):
        parse_condition("age >")
    with pytest.raises(ValueError, match="5 is not a condition; write a comparison"):
        parse_condition(5)
    with pytest.raises(ValueError, match="'five year' in 'age > five year' is not a quantity; write a number and its unit"):
        parse_condition("age > five year")


def test_labels_reach_every_part_and_replace_the_fact_only() -> None:
    """Labels stand in brackets and after not; a unit that is spelt like the fact stays."""
    tree = {"any": [{"all": ["has.a", "has.b"]}, {"not": "has.a"}, "day > 3 day"]}
    labels = {"has.a": "Sepsis", "has.b": "Shock", "day": "Day of illness"}
    assert written(parse_condition(tree), labels) == "(Sepsis and Shock) or not Sepsis or Day of illness > 3 day"
    assert written(parse_condition("has.a is yes"), labels) == "Sepsis"


@pytest.mark.parametrize("limit", [0.5, 1000.0])
def test_rounding_noise_never_crosses_a_threshold(limit: float) -> None:
    """A value that differs by a rounding error is the limit itself; a value beyond that is not. One by one and on columns."""
    slack = 1e-9 * max(1.0, limit)
    below, same, above = (False, False, True, True), (False, True, False, True), (True, True, False, False)
    for off, expected in ((-1.5, below), (-0.5, same), (0.5, same), (1.5, above)):
        value = limit + off * slack
        for op, truth in zip((">", ">=", "<", "<="), expected, strict=True):
            condition = Condition(op, fact="x", number=limit, text=f"x {op} {limit}")  # type: ignore[arg-type]
            assert judge(condition, Facts([Fact("x", Quantity(value, "g"), Origin("test"))])).truth is truth
            assert judge_columns(condition, {"x": np.array([value])}, 1).tolist() == [1 if truth else -1]


def test_a_value_of_another_kind_is_unknown() -> None:
    """A word where yes or no is asked, a flag where a quantity is asked: nobody knows."""
    word, flag = Facts([Fact("has.a", "A", Origin("test"))]), Facts([Fact("age", True, Origin("test"))])
    assert judge(parse_condition("has.a"), word).truth is None
    assert judge(parse_condition("age > 5 year"), flag).truth is None


def test_an_absent_column_is_unknown_throughout() -> None:
    """A cohort without a column knows nothing of that fact, for anybody."""
    truth = judge_columns(parse_condition({"any": ["has.x", {"not": "has.y"}]}), {}, 3)
    assert truth.tolist() == [0, 0, 0]
    assert truth.dtype == np.int8


def test_a_bare_list_is_all_of_it() -> None:
    """A list without a word in front of it means all of it."""
    assert parse_condition(["has.a", "has.b"]) == parse_condition({"all": ["has.a", "has.b"]})


@pytest.mark.parametrize("line", ["group in A, O", "group in [A, O]", "group in A,O"])
def test_a_choice_of_words(line: str) -> None:
    """is, is not and in compare words, and unknown words stay unknown."""
    assert parse_condition(line) == Condition("in", fact="group", words=("A", "O"), text=line)


@pytest.mark.parametrize("line", ["has.a", "group in A, O", "group is not A", "age > 5 year"])
def test_every_column_answer_is_one_byte(line: str) -> None:
    """Millions of patients fit in memory because each answer is an int8."""
    columns = {"has.a": np.array([1, -1, 0]), "group": np.array(["A", "B", ""], dtype=object), "age": np.array([1.0, 9e9, np.nan])}
    assert judge_columns(parse_condition(line), columns, 3).dtype == np.int8


def test_the_dimension_of_a_comparison() -> None:
    """A comparison measures in the dimension of its unit; flags and words in none."""
    assert unit_of(parse_condition("age > 5 year")) == unit_of(parse_condition("age > 5 day")) != ""
    assert unit_of(parse_condition("has.a")) == ""
