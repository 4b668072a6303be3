"""What the safety rules say of the person, and of the product, that a question names."""

from __future__ import annotations

import msgspec

from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, entry_said, plain_for, said_of
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import facts_named, truth_of
from ivigil.evidence.shapes import Product, SafetyRule

_SEVERITY = {"contraindicated": "contraindicated", "avoid": "avoid", "caution": "caution"}
_WORST_FIRST = ("contraindicated", "avoid", "caution", "info", "none")
_FEW_FACTS = 2
_AGE = "age"


class Person(msgspec.Struct, frozen=True):
    """Somebody in a question: the facts that are true of them, their age in years where it is written, and the one product asked about."""

    facts: tuple[str, ...]
    years: float | None = None
    product: Product | None = None


def of_person(here: Here, person: Person) -> list[Said]:
    """What the safety rules say: those that fire, then those that need one thing more; worst first. One that the product makes false is left out.

    For patients, what those rules have them told.
    """
    known = as_known(here, person)
    firing = _firing(here, person, known)
    own = _own(person)
    beside = [
        rule
        for rule in _rules(here)
        if rule not in firing and (named := facts_named(rule.when)) & own and len(named) <= _FEW_FACTS and truth_of(rule.when, known) is not False
    ]
    out: list[Said] = []
    for rule in (*firing, *sorted(beside, key=_worst)):
        out += said_of(here.evidence, rule.id, here.audience) if plain_for(here.audience) else [_said(here, rule)]
    for entry in (*here.evidence.premedication.values(), *here.evidence.hydration.values()):
        if not plain_for(here.audience) and entry.when is not None and truth_of(entry.when, known) is True:
            out.append(entry_said(here.evidence, entry.say, entry.cites))
    for one in here.evidence.advice.values():
        if plain_for(here.audience) and one.when is not None and truth_of(one.when, known) is True:
            out += said_of(here.evidence, one.id, here.audience)
    return out


def warned_of(here: Here, person: Person) -> list[Said]:
    """What stands before everything else: a contraindication that holds for this person with this product, and what the written age alone asks for."""
    if plain_for(here.audience):
        return []
    firing = _firing(here, person, as_known(here, person))
    first = [rule for rule in firing if rule.severity == "contraindicated" or (person.years is not None and facts_named(rule.when) == {_AGE})]
    return [_said(here, rule) for rule in first if rule.severity in _SEVERITY]


def as_known(here: Here, person: Person) -> Facts:
    """The facts named as true ones, with the risk groups that they put a patient in, the age and what the product holds."""
    origin = Origin("question")
    known = Facts(Fact(name, True, origin) for name in person.facts if here.evidence.facts[name].kind == "yes_no")
    if person.years is not None:
        known = known.having([Fact(_AGE, Quantity(person.years, "year"), origin)])
    if person.product is not None:
        known = known.having(list(person.product.facts))
    groups = [Fact(group.id, True, origin) for group in here.evidence.groups.values() if truth_of(group.when, known) is True]
    return known.having(groups) if groups else known


def _own(person: Person) -> set[str]:
    return {*person.facts, *([_AGE] if person.years is not None else [])}


def _rules(here: Here) -> list[SafetyRule]:
    return [rule for rule in here.evidence.every_rule.values() if not rule.jurisdictions or set(rule.jurisdictions) & set(here.places)]


def _firing(here: Here, person: Person, known: Facts) -> list[SafetyRule]:
    """The rules that hold for the person, worst first; what the product alone makes true is no matter of the person."""
    by_product = as_known(here, Person((), None, person.product))
    firing = [rule for rule in _rules(here) if truth_of(rule.when, known) is True and truth_of(rule.when, by_product) is not True]
    return sorted(firing, key=_worst)


def _said(here: Here, rule: SafetyRule) -> Said:
    return entry_said(here.evidence, f"{rule.about}: {rule.say}", rule.cites, _SEVERITY.get(rule.severity, ""))


def _worst(rule: SafetyRule) -> int:
    return _WORST_FIRST.index(rule.severity)
