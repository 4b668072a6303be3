"""The sentences that must open an answer: without them somebody who reads no further would be led into a mistake."""

from __future__ import annotations

from collections.abc import Iterator

from ivigil.answers import things
from ivigil.answers.against_label import against_label
from ivigil.answers.diseases import Here, against_everywhere, standing
from ivigil.answers.openers import opening
from ivigil.answers.person import of_person
from ivigil.answers.said import Said, entry_said, plain_for, said_of, statement_said
from ivigil.answers.understand import Question
from ivigil.answers.words import Phrases, words_of
from ivigil.evidence.conditions import facts_named, truth_of
from ivigil.evidence.shapes import Product, SafetyRule

MOST = 4
"""Sentences that open an answer."""
_ROUTES: dict[str, tuple[str, ...]] = {
    "intravenous": (
        *("iv", "intravenous*", "into a vein", "into the vein", "in a vein", "by vein", "through a vein", "into a cannula", "as a drip", "by drip"),
        *("port", "picc", "central line"),
    ),
    "subcutaneous": ("subcutaneous*", "under the skin", "sc", "subcut*", "sub q", "subq", "beneath the skin", "into the belly", "into the tummy"),
    "intramuscular": ("im", "intramuscular*", "into a muscle", "into the muscle", "into muscle"),
    "oral": ("orally", "by mouth", "given oral", "swallow it", "drink it", "as a drink", "as a tablet"),
    "inhaled": ("inhaled", "inhale it", "nebulis*", "nebuliz*", "as a spray", "into the lung", "into the lungs"),
    "intrathecal": ("intrathecal*", "into the spine", "into the spinal fluid", "lumbar route"),
    "other": ("intravitreal*", "into the eye", "rectal*", "intraperitoneal*", "intraosseous*", "intradermal*", "into a bone", "into the bone", "topical*"),
}
_ROUTE_WORDS: Phrases[str] = Phrases((wording, route) for route, listed in _ROUTES.items() for wording in listed)
_UNDER_THE_SKIN = "safety.route.subcutaneous-only"
_WORST_FIRST = ("contraindicated", "avoid", "caution", "info", "none")
_GRAVE = {"contraindicated", "avoid"}
_CONTAINS = "product.contains_"
_PERSON = {"age", "sex", "height", "weight"}
_MOST_PRODUCTS = 4
_HANDLED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("dilut", "saline", "dextrose", "mix", "flush", "chloride"), ("dilution", "flush")),
    "filter": ("filter",),
    "latex": ("latex",),
}


def foremost(here: Here, question: Question) -> list[Said]:
    """What opens the answer, worst first: what bars a product, what its label says against the question, the openers, a verdict against the use."""
    told = [*barred(here, question), *against_label(here, question), *opening(here, question), *_against(here, question)]
    return list(dict.fromkeys(told))[:MOST]


def barred(here: Here, question: Question) -> list[Said]:
    """A vaccine or product that is not for the person asked about, or does not go the way asked about: this stands before any sum."""
    live = things.no_live(here, question.vaccines, question.facts)
    return [*live, *_ended(here, question), *_routes(here, question), *_mixed(here, question), *_unfit(here, question)]


def _ended(here: Here, question: Question) -> Iterator[Said]:
    """That a named product is no longer supplied, and what took its place."""
    for product in things.one_a_brand(things.chosen(here, question.products))[:_MOST_PRODUCTS]:
        if product.status.state == "discontinued":
            for cite in product.status.cites[:1]:
                told = statement_said(here.evidence, cite, here.audience)
                if told is not None:
                    yield told


def _mixed(here: Here, question: Question) -> Iterator[Said]:
    """How a named product is handled, where that is asked: what it may be diluted and flushed with, its filter, latex."""
    asked = frozenset(aspect for start, aspects in _HANDLED.items() if any(word.fold.startswith(start) for word in question.words) for aspect in aspects)
    if not asked or (plain_for(here.audience) and asked != {"latex"}):
        return
    for product in things.one_a_brand(things.chosen(here, question.products))[:1]:
        yield from things.handled(here, product, asked)


def _routes(here: Here, question: Question) -> Iterator[Said]:
    """By which way a named product goes, where the question names a way that it does not go."""
    if not question.products:
        return
    asked = {match.value for match in _ROUTE_WORDS.found(question.words)}
    for product in things.one_a_brand(things.chosen(here, question.products))[:_MOST_PRODUCTS]:
        ways = {"subcutaneous" if route == "facilitated-subcutaneous" else route for route in product.routes}
        rows = [row for row in product.barred if row.indication in question.indications and row.say] if "subcutaneous" in asked else []
        yield from (entry_said(here.evidence, f"{things.called(here, product)}: {row.say}", row.cites) for row in rows)
        if asked and not asked <= ways and not rows:
            yield from _only(here, product)


def _only(here: Here, product: Product) -> Iterator[Said]:
    cites = [name for name in (f"{product.id}.composition", f"{product.id}.label") if name in here.evidence.statements]
    if plain_for(here.audience):
        return
    if "intravenous" not in product.routes:
        yield entry_said(here.evidence, f"{things.called(here, product)} is for the subcutaneous route only", (_UNDER_THE_SKIN, *cites))
    elif set(product.routes) == {"intravenous"}:
        yield entry_said(here.evidence, f"{things.called(here, product)} is for use into a vein only", cites)


def _unfit(here: Here, question: Question) -> Iterator[Said]:
    """What the safety rules say of a named product for somebody of that age, with those facts; all that bars it, where just that is asked."""
    products = things.one_a_brand(things.chosen(here, question.products))[:_MOST_PRODUCTS]
    own = of_person(question, tuple(name for name in question.facts if here.evidence.facts[name].kind == "yes_no"))
    whom = "contraindications" in question.topics
    if not products or not (own.by_id or whom):
        return
    rules = [rule for rule in here.evidence.every_rule.values() if not rule.jurisdictions or set(rule.jurisdictions) & set(here.places)]
    rules = sorted((rule for rule in rules if _held_in(rule)), key=lambda one: _WORST_FIRST.index(one.severity))
    seen: set[str] = set()
    free: list[Said] = []
    for product in products:
        known = own.having(list(product.facts))
        for rule in rules:
            about = facts_named(rule.when)
            truth = truth_of(rule.when, known)
            held = [name for name in _held_in(rule) if (fact := product.facts_by_id.get(name)) is not None and fact.value is True]
            if held and ((truth is True and about & own.by_id.keys()) or (whom and truth is None and rule.severity in _GRAVE)):
                yield from _ruled(here, rule, things.called(here, product))
                seen.add(rule.id)
            elif truth is False and about & own.by_id.keys() - _PERSON:
                free += list(_free_of(here, product, rule))
    yield from free


def _held_in(rule: SafetyRule) -> list[str]:
    """What a product must hold for the rule to concern it."""
    return sorted(name for name in facts_named(rule.when) if name.startswith(_CONTAINS))


def _free_of(here: Here, product: Product, rule: SafetyRule) -> Iterator[Said]:
    """That a product does not hold what a rule is about, beside one that does."""
    absent = [name.removeprefix(_CONTAINS) for name in _held_in(rule) if (fact := product.facts_by_id.get(name)) is not None and fact.value is False]
    if absent and product.contains_cites and not plain_for(here.audience) and rule.severity in _GRAVE:
        yield entry_said(here.evidence, f"{things.called(here, product)} contains no {' or '.join(absent).replace('_', ' ')}", product.contains_cites)


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
