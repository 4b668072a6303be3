"""The dosing weight: every weight policy worked out for the patient, and the one that holds here.

Authorities disagree on the weight a dose is calculated on. Each policy is data; this module only does the arithmetic and says, for each
policy, what it gives, whether it is in force for this patient, and why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache

import msgspec

from ivigil.basis.facts import Facts
from ivigil.basis.logic import Truth
from ivigil.basis.quantity import number_text
from ivigil.evidence.conditions import Condition, judge, written
from ivigil.evidence.kept import kept_with
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import BySex, HeightFormula, WeightPolicy
from ivigil.planning.wording import day_text

ACTUAL = "actual"
"""The policy that stands in when another cannot be worked out."""


class Weighing(msgspec.Struct, frozen=True):
    """One weight policy for one patient.

    ``kg`` is None when it cannot be worked out. ``applicable`` is true when the policy is in force and meant for this patient.
    ``formula_kg`` is set when the formula gave more than the actual weight, so that the plan can say so. ``provisional`` marks an actual
    weight that stands in until the facts in ``missing`` are known.
    """

    policy: WeightPolicy
    applicable: bool
    kg: float | None
    why: str
    calculation: str = ""
    formula_kg: float | None = None
    uses: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    provisional: bool = False


class _Body(msgspec.Struct, frozen=True):
    """The measures a policy works on: kg, cm and sex, and the fact the weight came from."""

    weight: float
    measured: float
    height: float | None
    sex: str | None
    weight_fact: str


def ideal_weight(formula: HeightFormula, height: float, sex: str | None) -> float | None:
    """Ideal body weight in kg for a height in cm.

    None when the formula needs a sex that is not male or female, or gives no weight above nought at this height.
    """
    if formula.shape == "exponential":
        if formula.factor is None or isinstance(formula.base, BySex):
            return None
        return formula.factor.in_unit("kg") * math.pow(formula.base, formula.exponent_per_cm * height)
    if sex not in {"male", "female"} or not isinstance(formula.base, BySex) or formula.slope is None or formula.above is None or formula.slope_per is None:
        return None
    base, slope = (formula.base.male, formula.slope.male) if sex == "male" else (formula.base.female, formula.slope.female)
    excess = height - formula.above.in_unit("cm")
    if excess <= 0 and formula.below_base == "base":
        return base.in_unit("kg")
    kg = base.in_unit("kg") + slope.in_unit("kg") * excess / formula.slope_per.in_unit("cm")
    return kg if kg > 0 else None


def weigh_all(evidence: Evidence, facts: Facts, as_of: date, indication: str = "") -> dict[str, Weighing]:
    """Every weight policy of the evidence for this patient, by policy id. ``indication`` is an id; some rules except indications."""
    measured = _measured(facts)
    return {policy.id: _weigh(policy, evidence, facts, measured, as_of, indication) for policy in evidence.weight_policies.values()}


def weigh(policy: WeightPolicy, evidence: Evidence, facts: Facts, as_of: date, indication: str = "") -> Weighing:
    """What one policy gives for this patient on ``as_of``. Never raises for a missing fact: it is named in ``missing``."""
    return _weigh(policy, evidence, facts, _measured(facts), as_of, indication)


def _weigh(policy: WeightPolicy, evidence: Evidence, facts: Facts, measured: _Measured, as_of: date, indication: str) -> Weighing:
    if policy.population is not None:
        verdict = judge(policy.population, facts)
        if verdict.truth is None:
            return Weighing(policy, False, None, f"not known whether it is meant for this patient ({_labels(verdict.undecided, evidence)})",
                            missing=verdict.undecided)
        if verdict.truth is False:
            return Weighing(policy, False, None, f"meant for: {_in_words(evidence, policy.population)}", uses=verdict.decided_by)
    weighing = _worked(policy, evidence, facts, measured, indication)
    if not in_force(policy.valid, as_of):
        return msgspec.structs.replace(weighing, applicable=False, why=f"{_validity(policy.valid.start, policy.valid.end)}; {weighing.why}")
    return weighing


def settle(first: str, weighings: Mapping[str, Weighing]) -> tuple[Weighing | None, tuple[Weighing, ...]]:
    """The weighing that holds when ``first`` is asked for, and those passed over on the way.

    A policy that is not in force, or not meant for this patient, names the one that takes its place; where the chain ends without one,
    actual weight stands in, marked provisional with what is missing.
    """
    passed: list[Weighing] = []
    name = first
    while name in weighings and all(name != one.policy.id for one in passed):
        weighing = weighings[name]
        if weighing.applicable:
            return weighing, tuple(passed)
        passed.append(weighing)
        name = weighing.policy.else_use
    actual = weighings.get(ACTUAL)
    if actual is None or not actual.applicable:
        return None, tuple(passed)
    missing = tuple(dict.fromkeys(name for one in passed for name in one.missing))
    return msgspec.structs.replace(actual, provisional=bool(missing), missing=actual.missing + missing), tuple(passed)


@kept_with
def _in_words(evidence: Evidence, condition: Condition) -> str:
    """Whom a policy, or the formula of a policy, is meant for."""
    return written(condition, evidence.labels)


def _worked(policy: WeightPolicy, evidence: Evidence, facts: Facts, measured: _Measured, indication: str) -> Weighing:
    body, missing = _body(policy, measured, indication)
    if body is None:
        return Weighing(policy, True, None, "the weight is not on record", missing=missing)
    actual = f"{number_text(body.weight)} kg"
    uses = [body.weight_fact]
    if missing:
        return Weighing(policy, True, body.weight, f"not on record: {_labels(missing, evidence)}; {actual} stands in", uses=tuple(uses), missing=missing,
                        provisional=True)
    if policy.gives == "actual" or policy.formula is None:
        return Weighing(policy, True, body.weight, _source_of(body), uses=tuple(uses))
    if policy.when is not None:
        verdict = judge(policy.when, facts)
        uses.extend(verdict.decided_by)
        if verdict.truth is None:
            return Weighing(policy, True, body.weight, f"not on record: {_labels(verdict.undecided, evidence)}; {actual} stands in", uses=tuple(uses),
                            missing=verdict.undecided, provisional=True)
        if verdict.truth is False:
            return Weighing(policy, True, body.weight, f"{_source_of(body)}; the formula is for: {_in_words(evidence, policy.when)}", uses=tuple(uses))
    return _by_formula(policy, evidence, body, tuple(dict.fromkeys(uses)))


def _by_formula(policy: WeightPolicy, evidence: Evidence, body: _Body, uses: tuple[str, ...]) -> Weighing:
    assert policy.formula is not None
    formula = evidence.formulas[policy.formula.ideal]
    by_sex = formula.shape == "linear"
    missing = (("height",) if body.height is None else ()) + (("sex",) if by_sex and body.sex not in {"male", "female"} else ())
    if body.height is None or missing:
        return Weighing(policy, True, body.measured, f"not on record: {_labels(missing, evidence)}; {number_text(body.measured)} kg stands in", uses=uses,
                        missing=missing, provisional=True)
    uses = tuple(dict.fromkeys((*uses, "height", *(("sex",) if by_sex else ()))))
    ideal = ideal_weight(formula, body.height, body.sex)
    if ideal is None:
        return Weighing(policy, True, body.measured, f"{formula.name} gives no weight at this height; actual weight is used", uses=uses)
    share = policy.when_over_ideal
    if share is not None and not above(body.weight, ideal * (1 + share.in_unit("%") / 100)):
        return Weighing(policy, True, body.weight, f"{_source_of(body)}; not more than {share} above the ideal {number_text(ideal)} kg", uses=uses)
    kg, calculation = ideal, f"ideal weight ({formula.name}) = {number_text(ideal)} kg"
    if policy.gives == "adjusted":
        kg = ideal + policy.formula.factor * (body.weight - ideal)
        calculation += (f"; {number_text(ideal)} + {number_text(policy.formula.factor)} x ({number_text(body.weight)} - {number_text(ideal)})"
                        f" = {number_text(kg)} kg")
    named = f"{policy.gives} weight"
    if above(kg, body.measured):
        if policy.never_above_actual is False:
            return Weighing(policy, True, kg, f"{named}; this is more than the actual {number_text(body.measured)} kg", calculation, kg, uses)
        who = "the authority's rule" if policy.never_above_actual is True else "ivigil's guard"
        return Weighing(policy, True, body.measured, f"the formula gives {number_text(kg)} kg, more than the actual weight, which is used instead ({who})",
                        calculation, kg, uses)
    return Weighing(policy, True, kg, named, calculation, uses=uses)


class _Measured(msgspec.Struct, frozen=True):
    """The measures on record, read once for all policies: kg, kg before the pregnancy, cm, sex."""

    weight: float | None
    before_pregnancy: float | None
    height: float | None
    sex: str | None
    pregnant: Truth


def _measured(facts: Facts) -> _Measured:
    return _Measured(facts.number("weight", "kg"), facts.number("pre_pregnancy_weight", "kg"), facts.number("height", "cm"), facts.word("sex"),
                     facts.flag("has.pregnancy"))


def _body(policy: WeightPolicy, on_record: _Measured, indication: str) -> tuple[_Body | None, tuple[str, ...]]:
    """The measures as the policy takes them, and the facts that it needs but which are unknown."""
    fact = "weight"
    missing: tuple[str, ...] = ()
    if policy.pregnancy and indication not in policy.pregnancy_except and on_record.pregnant:
        if on_record.before_pregnancy is not None:
            fact = "pre_pregnancy_weight"
        else:
            missing = ("pre_pregnancy_weight",)
    weight, height = on_record.weight if fact == "weight" else on_record.before_pregnancy, on_record.height
    if weight is None:
        return None, (fact,)
    measured = weight
    if "weight" in policy.truncate and _whole(weight) > 0:
        weight = _whole(weight)
    if height is not None and "height" in policy.truncate:
        height = _whole(height)
    return _Body(weight, measured, height, on_record.sex, fact), missing


def _whole(value: float) -> float:
    """Cut to a whole number; a float a hair below a whole one counts as that one."""
    nearest = round(value)
    return float(nearest) if math.isclose(value, nearest) else float(math.floor(value))


def above(value: float, bound: float) -> bool:
    """True when ``value`` is more than ``bound`` by more than float error."""
    return value > bound and not math.isclose(value, bound)


def _source_of(body: _Body) -> str:
    return "pre-pregnancy weight" if body.weight_fact == "pre_pregnancy_weight" else "actual weight"


def _labels(names: Iterable[str], evidence: Evidence) -> str:
    return ", ".join(evidence.labels.get(name, name.replace("_", " ")) for name in names)


@lru_cache(maxsize=256)
def _validity(start: str, end: str) -> str:
    parts = [f"from {day_text(date.fromisoformat(start))}" if start else "", f"to {day_text(date.fromisoformat(end))}" if end else ""]
    return f"not in force (valid {' '.join(part for part in parts if part)})"
