"""What must hold for every condition of the real evidence, for any facts: rules, risk groups, tests, advice, vaccines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.people import QUICK, evidence

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.logic import sign
from ivigil.basis.quantity import UNITS, Quantity
from ivigil.evidence.conditions import Condition, facts_named, judge, judge_columns, leaves, truth_of

MADE = Origin("made")


def _conditions() -> dict[str, Condition]:
    return evidence().conditions


def _options() -> dict[str, list[Value | None]]:
    """For every fact that a condition names: unknown, and values on, below and above each threshold."""
    found: dict[str, list[Value | None]] = {}
    for condition in _conditions().values():
        for leaf in leaves(condition):
            options = found.setdefault(leaf.fact, [None])
            options += [value for value in _around(leaf) if value not in options]
    return found


def _around(leaf: Condition) -> Iterator[Value]:
    if leaf.op == "yes":
        yield from (True, False)
    elif leaf.words:
        yield from (*leaf.words, "something-else")
    else:
        unit = leaf.unit
        factor = UNITS[unit].factor if unit else 1.0
        for canonical in (leaf.number, leaf.number * 0.999, leaf.number * 1.001 + 1e-6, 0.0):
            yield Quantity(canonical / factor, unit)


def _patients() -> st.SearchStrategy[dict[str, Value | None]]:
    return st.fixed_dictionaries({fact: st.sampled_from(options) for fact, options in _options().items()})


def _facts(values: dict[str, Value | None]) -> Facts:
    return Facts(Fact(name, value, MADE) for name, value in values.items() if value is not None)


@given(st.lists(_patients(), min_size=1, max_size=4))
@QUICK
def test_columns_give_what_one_by_one_gives(patients: list[dict[str, Value | None]]) -> None:
    """Every rule of the evidence gives the same truth for a column of patients as for each alone."""
    columns: dict[str, Any] = {}
    for name in patients[0]:
        values = [patient[name] for patient in patients]
        known = next((value for value in values if value is not None), None)
        if known is None:
            continue  # unknown in everybody: no column at all
        if isinstance(known, bool):
            columns[name] = np.array([0 if value is None else sign(bool(value)) for value in values], dtype=np.int8)
        elif isinstance(known, Quantity):
            columns[name] = np.array([value.canonical if isinstance(value, Quantity) else np.nan for value in values])
        else:
            columns[name] = np.array(["" if value is None else str(value) for value in values], dtype=object)
    for name, condition in _conditions().items():
        one_by_one = [sign(judge(condition, _facts(patient)).truth) for patient in patients]
        assert judge_columns(condition, columns, len(patients)).tolist() == one_by_one, name
        assert [sign(truth_of(condition, _facts(patient))) for patient in patients] == one_by_one, name


@given(_patients(), st.data())
@QUICK
def test_learning_a_fact_never_reverses_a_decided_rule(patient: dict[str, Value | None], data: st.DataObject) -> None:
    """A rule decided on what is known stays decided whatever else is learnt."""
    unknown = [name for name, value in patient.items() if value is None]
    if not unknown:
        return
    learnt = data.draw(st.sampled_from(unknown))
    options = [value for value in _options()[learnt] if value is not None]
    after = _facts({**patient, learnt: data.draw(st.sampled_from(options))})
    before = _facts(patient)
    for name, condition in _conditions().items():
        truth = judge(condition, before).truth
        if truth is not None:
            assert judge(condition, after).truth is truth, name


@given(_patients())
@QUICK
def test_the_facts_asked_for_are_unknown_and_enough(patient: dict[str, Value | None]) -> None:
    """An undecided rule asks for unknown facts, and knowing them decides it."""
    facts = _facts(patient)
    for name, condition in _conditions().items():
        verdict = judge(condition, facts)
        assert set(verdict.decided_by) <= facts.keys() & facts_named(condition), name
        if verdict.truth is not None:
            assert not verdict.undecided, name
            continue
        assert verdict.undecided, name
        assert not set(verdict.undecided) & facts.keys(), name
        answers = {fact: next(value for value in reversed(_options()[fact]) if value is not None) for fact in verdict.undecided}
        assert judge(condition, _facts({**patient, **answers})).truth is not None, name
