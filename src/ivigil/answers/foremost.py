"""The sentences that must open an answer: without them somebody who reads no further would be led into a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ivigil.answers import things
from ivigil.answers.diseases import Here, against_everywhere, standing
from ivigil.answers.openers import opening
from ivigil.answers.said import Said, entry_said, plain_for, said_of
from ivigil.answers.understand import Question
from ivigil.answers.words import Phrases, words_of
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import facts_named, truth_of
from ivigil.evidence.shapes import Product, SafetyRule

MOST = 4
"""Sentences that open an answer."""
_AGE = re.compile(r"\b(\d{1,3}(?:\.\d)?)[\s-]*(years?|yrs?|y|months?|mo|weeks?|wks?|days?)[\s-]*(?:old\b|of age\b|o\b)")
_AGED = re.compile(
    r"\b(?:is|am|i'm|he's|she's|aged|age)\s+(\d{1,3})\b"
    r"(?!\s*(?:[-–.,]\s*\d|%|[a-z]{0,2}g\b|g/|m[lm]|[um]mol|u\b|cm|in\b|days?|weeks?|months?|hours?|h\b|min))"
)
_UNITS = {"y": "year", "m": "month", "w": "week", "d": "day"}
_OLDEST = 120
_ROUTES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("intravenous", ("iv", "intravenous*", "into a vein", "into the vein", "in a vein", "by vein", "through a vein", "into a cannula", "as a drip", "by drip")),
    ("subcutaneous", ("subcutaneous*", "under the skin", "sc", "subcut*", "sub q", "subq", "beneath the skin", "into the belly", "into the tummy")),
    ("intramuscular", ("im", "intramuscular*", "into a muscle", "into the muscle", "into muscle")),
)
_ROUTE_WORDS: Phrases[str] = Phrases((wording, route) for route, listed in _ROUTES for wording in listed)
_INTO = {"intravenous": "into a vein", "subcutaneous": "under the skin", "facilitated-subcutaneous": "under the skin with hyaluronidase"}
_WORST_FIRST = ("contraindicated", "avoid", "caution", "info", "none")
_GRAVE = {"contraindicated", "avoid"}


def foremost(here: Here, question: Question) -> list[Said]:
    """What opens the answer, worst first: the route of a product, what bars it, what the openers say, and a verdict against the use asked about."""
    told = [*_routes(here, question), *_barred(here, question), *opening(here, question), *_against(here, question)]
    return list(dict.fromkeys(told))[:MOST]


def age_in(text: str) -> Quantity | None:
    """The age of a person in a question, in the unit that it was written in."""
    lowered = text.lower().replace("’", "'")
    match = _AGE.search(lowered)
    if match is not None:
        return Quantity(float(match[1]), _UNITS[match[2][0]])
    aged = _AGED.search(lowered)
    return Quantity(float(aged[1]), "year") if aged is not None and int(aged[1]) <= _OLDEST else None


def _routes(here: Here, question: Question) -> Iterator[Said]:
    """By which way a named product goes, where the question names a way that it does not go."""
    if not question.products:
        return
    asked = {match.value for match in _ROUTE_WORDS.found(question.words)}
    for product in things.chosen(here, question.products)[:2]:
        ways = {"subcutaneous" if route == "facilitated-subcutaneous" else route for route in product.routes}
        if not asked or asked <= ways:
            continue
        yield from _only(here, product)


def _only(here: Here, product: Product) -> Iterator[Said]:
    cites = [name for name in (f"{product.id}.composition", f"{product.id}.label") if name in here.evidence.statements]
    ways = " or ".join(_INTO[route] for route in product.routes)
    rule = ("safety.route.subcutaneous-only",) if set(product.routes) <= {"subcutaneous", "facilitated-subcutaneous"} else ()
    if plain_for(here.audience):
        return
    yield entry_said(here.evidence, f"{things.called(here, product)} is for use {ways} only", (*rule, *cites))


def _barred(here: Here, question: Question) -> Iterator[Said]:
    """What the safety rules say of a named product for somebody of that age, with those facts; all that bars it, where just that is asked."""
    origin = Origin("question")
    own = [Fact(name, True, origin) for name in question.facts if here.evidence.facts[name].kind == "yes_no"]
    age = age_in(question.text)
    own += [Fact("age", age, origin)] if age is not None else []
    products = things.chosen(here, question.products)[:2]
    whom = "contraindications" in question.topics and bool(products)
    if not products or not (own or whom):
        return
    rules = [rule for rule in here.evidence.every_rule.values() if not rule.jurisdictions or set(rule.jurisdictions) & set(here.places)]
    seen: set[str] = set()
    for product in products:
        known = Facts(own).having(list(product.facts))
        named = {fact.id for fact in own}
        firing = [rule for rule in rules if facts_named(rule.when) & named and _of_product(rule) and truth_of(rule.when, known) is True]
        if whom:
            firing += [rule for rule in rules if rule not in firing and rule.severity in _GRAVE and _of_product(rule) and truth_of(rule.when, known) is None]
        for rule in sorted(firing, key=lambda one: _WORST_FIRST.index(one.severity)):
            if rule.id in seen:
                continue
            seen.add(rule.id)
            yield from _ruled(here, rule, things.called(here, product))


def _of_product(rule: SafetyRule) -> bool:
    return any(name.startswith("product.contains") for name in facts_named(rule.when))


def _ruled(here: Here, rule: SafetyRule, name: str) -> Iterator[Said]:
    if plain_for(here.audience):
        yield from said_of(here.evidence, rule.id, here.audience)
        return
    severity = f" ({rule.severity})" if rule.severity in _GRAVE else ""
    yield entry_said(here.evidence, f"{name} - {rule.about}{severity}: {rule.say.replace('this product', name)}", rule.cites)


def _against(here: Here, question: Question) -> Iterator[Said]:
    """The verdict on the disease named first, where every authority that was read speaks against its treatment."""
    if not question.indications:
        return
    first = here.evidence.indications[question.indications[0]]
    if against_everywhere(first):
        yield from list(standing(here, first))[:1]


def mentioned_first(question: Question, names: tuple[str, ...], here: Here) -> tuple[str, ...]:
    """The indications in the order in which a question names them."""
    folds = [word.fold for word in question.words]

    def place(name: str) -> int:
        entry = here.evidence.indications[name]
        starts = []
        for called in (entry.name.clinical, *entry.also_called):
            pieces = [word.fold for word in words_of(called)]
            starts += [at for at in range(len(folds)) if pieces and folds[at : at + len(pieces)] == pieces]
        return min(starts, default=len(folds))

    return tuple(sorted(names, key=place))
