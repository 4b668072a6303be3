"""Conditions in three-valued logic: one tree, judged for one patient with reasons and for columns of many.

The language only compares. It cannot compute, loop, call or fail at run time; an unknown fact gives unknown in both forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from ivigil.basis.facts import Fact, Facts, Value
from ivigil.basis.logic import Truth, negate
from ivigil.basis.quantity import UNITS, Quantity, UnitProblem, parse_quantity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Operator = Literal["all", "any", "not", "yes", ">", ">=", "<", "<=", "is", "is not", "in"]


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What a condition came to: ``decided_by`` names the known facts that settled it, ``undecided`` the unknown ones that could still."""

    truth: Truth
    decided_by: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()


Judge = Callable[[Mapping[str, Fact]], Verdict]
"""A condition made ready to be judged on the facts of a patient."""
Test = Callable[[Mapping[str, Fact]], Truth]
"""A condition made ready for its truth alone."""
Holds = Callable[[Value], Truth]
"""What a comparison comes to for a value."""


_JOINS = {"all", "any"}


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """One node of a condition tree. ``number`` is in the base unit of its dimension; ``text`` is the line as written."""

    op: Operator
    of: tuple[Condition, ...] = ()
    fact: str = ""
    number: float = 0.0
    unit: str = ""
    words: tuple[str, ...] = ()
    text: str = ""

    @cached_property
    def judged_on(self) -> Judge:
        """Made when the condition is first judged and kept: one condition is judged for many patients."""
        if self.op in _JOINS:
            names = [leaf.fact for leaf in leaves(self)]
            return _joined([_part(part) for part in self.of], decisive=self.op == "any", repeats=len(set(names)) < len(names))
        compared = _part(self)
        return _compared(compared) if compared.fact else _negated(self.of[0].judged_on)

    @cached_property
    def truth_on(self) -> Test:
        """:attr:`judged_on` where the reasons are not asked for: it stops at the first part that settles it."""
        if self.op in _JOINS:
            return _settled([_part(part) for part in self.of], decisive=self.op == "any")
        compared = _part(self)
        return _tested(compared) if compared.fact else _denied(self.of[0].truth_on)


_COMPARISON = re.compile(r"^(?P<fact>[a-z][a-z0-9_.\-]*)\s*(?:(?P<op>>=|<=|>|<|is not|is|in)\s+(?P<value>.+))?$")


def parse_condition(written: Any) -> Condition:
    """Read the YAML form: a line, a list (read as ``all``), or a mapping with ``all``, ``any`` or ``not``.

    Raises:
        ValueError: not a condition; the message names the remedy after a semicolon.
    """
    if isinstance(written, str):
        return _line(written)
    if isinstance(written, list):
        return Condition("all", tuple(parse_condition(part) for part in written))
    if isinstance(written, dict) and len(written) == 1:
        (key, parts), = written.items()
        if key in {"all", "any"} and isinstance(parts, list) and parts:
            return Condition("all" if key == "all" else "any", tuple(parse_condition(part) for part in parts))
        if key == "not":
            return Condition("not", (parse_condition(parts),))
    raise ValueError(f"{written!r} is not a condition; write a comparison, or 'all:', 'any:' or 'not:' over comparisons")


def _line(line: str) -> Condition:
    match = _COMPARISON.match(" ".join(line.split()))
    if match is None:
        raise ValueError(f"'{line}' is not a comparison; write for example 'age > 65 year' or 'has.sepsis'")
    fact, value = match["fact"], match["value"]
    op = cast("Operator | None", match["op"])
    if op is None:
        return Condition("yes", fact=fact, text=line)
    if op in {"is", "is not"} and value in {"yes", "no"}:
        flag = Condition("yes", fact=fact, text=line)
        return flag if (op == "is") == (value == "yes") else Condition("not", (flag,), text=line)
    if op in {"is", "is not"}:
        return Condition(op, fact=fact, words=(value,), text=line)
    if op == "in":
        words = tuple(word.strip() for word in value.strip("[]").split(","))
        return Condition("in", fact=fact, words=words, text=line)
    try:
        quantity = parse_quantity(value)
    except UnitProblem as error:
        try:
            return Condition(op, fact=fact, number=float(value), text=line)
        except ValueError:
            why, _, remedy = str(error).partition("; ")
            unknown = "is not a unit known here" in why
            raise ValueError(f"{why} in '{line}'; {remedy}" if unknown else f"'{value}' in '{line}' is not a quantity; write a number and its unit") from None
    return Condition(op, fact=fact, number=quantity.canonical, unit=quantity.unit, text=line)


def leaves(condition: Condition) -> Iterator[Condition]:
    """Every comparison in the tree, left to right."""
    if condition.of:
        for part in condition.of:
            yield from leaves(part)
    else:
        yield condition


def facts_named(condition: Condition) -> frozenset[str]:
    """The ids of all facts the tree mentions."""
    return frozenset(leaf.fact for leaf in leaves(condition))


def written(condition: Condition, labels: Mapping[str, str] | None = None) -> str:
    """The condition as a person reads it: ``age > 65 year or Sepsis``."""
    names = labels or {}
    if condition.op in {"all", "any"}:
        parts = [f"({written(part, names)})" if part.op in {"all", "any"} and part.op != condition.op else written(part, names) for part in condition.of]
        return (" and " if condition.op == "all" else " or ").join(parts)
    if condition.op == "not":
        return f"not {written(condition.of[0], names)}"
    label = names.get(condition.fact, condition.fact)
    return label if condition.op == "yes" else condition.text.replace(condition.fact, label, 1)


def judge(condition: Condition, facts: Facts) -> Verdict:
    """The truth of a condition for one patient, with the facts that settled it or could still settle it."""
    return condition.judged_on(facts.by_id)


def truth_of(condition: Condition, facts: Facts) -> Truth:
    """The truth alone, for places that only need that."""
    return condition.truth_on(facts.by_id)


class _Part(msgspec.Struct, frozen=True):
    """A part of a tree made ready: a comparison (``fact`` and ``holds``) or a ``tree`` below; a bare or denied flag needs no ``holds``, only its ``sense``."""

    fact: str = ""
    sense: bool = True
    holds: Holds | None = None
    tree: Condition | None = None


def _part(condition: Condition) -> _Part:
    """A comparison, denied or not, in a form that is judged in place; anything else as a tree."""
    denied = condition.op == "not"
    leaf = condition.of[0] if denied else condition
    if leaf.op in _JOINS or leaf.op == "not":
        return _Part(tree=condition)
    if leaf.op == "yes":
        return _Part(leaf.fact, not denied)
    holds = _worded(leaf) if leaf.op in {"is", "is not", "in"} else _measured(leaf)
    return _Part(leaf.fact, holds=(lambda value: negate(holds(value))) if denied else holds)


def _joined(parts: list[_Part], *, decisive: bool, repeats: bool) -> Judge:
    """Any of the parts (``decisive`` true) or all of them (false): one decisive part settles it, and all decisive ones are named, not only the first.

    ``repeats`` tells that parts share facts, which are then named once.
    """
    made: list[tuple[tuple[str, ...], str, bool, Holds | None, Judge | None]] = [
        ((part.fact,), part.fact, part.sense, part.holds, part.tree.judged_on if part.tree is not None else None) for part in parts
    ]

    def judged(facts: Mapping[str, Fact]) -> Verdict:
        deciding: tuple[str, ...] = ()
        undecided: tuple[str, ...] = ()
        others: tuple[str, ...] = ()
        for named, name, sense, holds, tree in made:
            if tree is not None:
                verdict = tree(facts)
                truth, named = verdict.truth, verdict.decided_by or verdict.undecided
            else:
                fact = facts.get(name)
                if fact is None:
                    undecided += named
                    continue
                value = fact.value
                truth = holds(value) if holds is not None else value is sense if value is True or value is False else None
            if truth is None:
                undecided += named
            elif truth is decisive:
                deciding += named
            else:
                others += named
        if deciding:
            return Verdict(decisive, _each_once(deciding) if repeats else deciding)
        if undecided:
            return Verdict(None, (), _each_once(undecided) if repeats else undecided)
        return Verdict(not decisive, _each_once(others) if repeats else others)

    return judged


def _settled(parts: list[_Part], *, decisive: bool) -> Test:
    """:func:`_joined` for the truth alone."""
    made = [(part.fact, part.sense, part.holds, part.tree.truth_on if part.tree is not None else None) for part in parts]

    def truth_of_all(facts: Mapping[str, Fact]) -> Truth:
        unknown = False
        for name, sense, holds, tree in made:
            if tree is not None:
                truth = tree(facts)
            else:
                fact = facts.get(name)
                if fact is None:
                    unknown = True
                    continue
                value = fact.value
                truth = holds(value) if holds is not None else value is sense if value is True or value is False else None
            if truth is decisive:
                return decisive
            unknown = unknown or truth is None
        return None if unknown else not decisive

    return truth_of_all


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _negated(part: Judge) -> Judge:
    def judged(facts: Mapping[str, Fact]) -> Verdict:
        verdict = part(facts)
        return verdict if verdict.truth is None else Verdict(not verdict.truth, verdict.decided_by)

    return judged


def _denied(part: Test) -> Test:
    return lambda facts: negate(part(facts))


def _compared(part: _Part) -> Judge:
    """A comparison; a fact that is not there, or not of the kind compared with, is unknown."""
    # A comparison comes to one of three verdicts, which are made once.
    yes, no, unknown = Verdict(True, (part.fact,)), Verdict(False, (part.fact,)), Verdict(None, (), (part.fact,))
    name, sense, holds = part.fact, part.sense, part.holds

    def flagged(facts: Mapping[str, Fact]) -> Verdict:
        fact = facts.get(name)
        if fact is None:
            return unknown
        value = fact.value
        return yes if value is sense else no if value is True or value is False else unknown

    def judged(facts: Mapping[str, Fact]) -> Verdict:
        fact = facts.get(name)
        if fact is None or holds is None:
            return unknown
        truth = holds(fact.value)
        return unknown if truth is None else yes if truth else no

    return flagged if holds is None else judged


def _tested(part: _Part) -> Test:
    """:func:`_compared` for the truth alone."""
    name, sense, holds = part.fact, part.sense, part.holds

    def truth(facts: Mapping[str, Fact]) -> Truth:
        fact = facts.get(name)
        if fact is None:
            return None
        value = fact.value
        return holds(value) if holds is not None else value is sense if value is True or value is False else None

    return truth


def _worded(leaf: Condition) -> Holds:
    words, inside = leaf.words, leaf.op != "is not"
    return lambda value: (value in words) is inside if isinstance(value, str) else None


def _measured(leaf: Condition) -> Holds:
    """Float dust never makes a difference."""
    slack = 1e-9 * max(1.0, abs(leaf.number))
    if leaf.op in {">", "<="}:
        limit, above = leaf.number + slack, leaf.op == ">"
        return lambda value: (value.canonical > limit) is above if isinstance(value, Quantity) else None
    limit, below = leaf.number - slack, leaf.op == "<"
    return lambda value: (value.canonical < limit) is below if isinstance(value, Quantity) else None


def judge_columns(condition: Condition, columns: Mapping[str, Any], length: int) -> NDArray[np.int8]:
    """The same truth for many patients at once: 1 true, -1 false, 0 unknown.

    ``columns`` maps fact ids to arrays of ``length``: yes/no facts as int8 in the same coding, quantities as floats in the base unit of
    their dimension with NaN for unknown, words as object or string arrays with '' for unknown. An absent column is unknown throughout.
    """
    import numpy as np

    op = condition.op
    if op in {"all", "any"}:
        joined = judge_columns(condition.of[0], columns, length)
        for part in condition.of[1:]:
            joined = (np.minimum if op == "all" else np.maximum)(joined, judge_columns(part, columns, length))
        return joined
    if op == "not":
        return np.negative(judge_columns(condition.of[0], columns, length))
    column = columns.get(condition.fact)
    if column is None:
        return np.zeros(length, dtype=np.int8)
    if op == "yes":
        return np.asarray(column, dtype=np.int8)
    if op in {"is", "is not", "in"}:
        inside = np.isin(column, list(condition.words))
        truth = np.where(inside, 1, -1).astype(np.int8)
        if op == "is not":
            truth = np.negative(truth)
        truth[np.asarray(column) == ""] = 0
        return truth
    slack = 1e-9 * max(1.0, abs(condition.number))
    if op == ">":
        holds = column > condition.number + slack
    elif op == ">=":
        holds = column >= condition.number - slack
    elif op == "<":
        holds = column < condition.number - slack
    else:
        holds = column <= condition.number + slack
    truth = np.where(holds, np.int8(1), np.int8(-1))
    truth[np.isnan(column)] = 0
    return truth


def unit_of(leaf: Condition) -> str:
    """The dimension a comparison measures in, or an empty text for words and flags."""
    return UNITS[leaf.unit].dimension if leaf.unit else ""
