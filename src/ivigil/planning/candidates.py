"""Judges the products of a market for one patient: what speaks against each, what for it, and its place in the ranking."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import mul
from typing import Any

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.logic import Truth
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.conditions import Condition, truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import rules_in_force
from ivigil.evidence.shapes import Act, Product, Route, SafetyRule, Severity
from ivigil.planning import safety, vials
from ivigil.planning.draft import Context, Draft
from ivigil.planning.product_facts import Bearer, bearer_of, is_called, labelled_for_age, labelled_rows, personal_facts, planned_route
from ivigil.planning.wording import lower_first

VOLUME_MATTERS = ("risk.volume",)
"""Facts that make the volume matter, so that the stronger solution ranks first."""
IGA_MATTERS = ("has.iga_deficiency", "has.anti_iga")
"""Facts that make the IgA content matter."""


class _Found(msgspec.Struct, frozen=True):
    """What the product rules say of a product: those that fired, why it must not be given, and what an unanswered question keeps ``open``.

    ``unanswered`` counts the rules kept open, ``about`` holds the headings of those that fired, by severity.
    """

    rules: tuple[SafetyRule, ...]
    barring: tuple[str, ...]
    cites: tuple[str, ...]
    open: tuple[str, ...]
    unanswered: int
    about: dict[Severity, list[str]]


class Seeking(msgspec.Struct, frozen=True):
    """What the choice is about, worked out once for all candidates.

    ``facts`` hold the planned ``route``. ``rules`` are the product rules in force that can still fire, ``open_rules`` those of them that are not
    settled without knowing the product, ``found`` what was found for products on which these come to the same. ``preferring`` are rules on the
    course with what they prefer. ``grams`` is the dose of a day.
    """

    draft: Draft
    evidence: Evidence
    context: Context
    bearer: Bearer
    route: Route
    ordered: str
    facts: Facts
    rules: tuple[SafetyRule, ...]
    open_rules: tuple[SafetyRule, ...]
    found: dict[tuple[Truth, ...], _Found]
    preferred: tuple[Condition, ...]
    preferring: tuple[tuple[SafetyRule, tuple[Condition, ...]], ...]
    grams: float
    iga_matters: bool
    volume_matters: bool


class Candidate(msgspec.Struct, frozen=True):
    """One product of the market, judged.

    ``excluded`` holds the reasons against it, ``notes`` what was weighed, ``open`` the contraindications that an unanswered question keeps
    open, ``key`` its place in the ranking, ``rules`` those that fired.
    """

    product: Product
    excluded: tuple[str, ...]
    notes: tuple[str, ...]
    cites: tuple[str, ...]
    key: tuple[Any, ...]
    open: tuple[str, ...] = ()
    rules: tuple[SafetyRule, ...] = ()


class _Weighed(msgspec.Struct, frozen=True):
    """What notes and ranking of an eligible product rest on.

    ``unmet`` counts the wishes of rules that it does not meet. ``about`` holds the headings of the rules that fired, by severity; ``covered`` says
    that the label's population holds the patient.
    """

    unmet: int
    about: dict[Severity, list[str]]
    open: int
    ordered: bool
    continued: bool
    labelled: bool
    covered: bool
    rates_read: bool
    waste: float
    vials: int


def seeking_for(draft: Draft, evidence: Evidence, context: Context) -> Seeking:
    """The choice of a product for this patient."""
    route = planned_route(draft)
    facts = draft.facts
    if "order.route" not in facts:
        facts = facts.having([Fact("order.route", route, Origin("derived", how="planned route"))])
    # What is settled without knowing the product is settled for all; only the rest is judged for each.
    settled = safety.judge_product(facts, evidence, context)
    preferring = ((rule, _preferred(rule.then)) for rule in rules_in_force(evidence, "course", context.jurisdiction, context.as_of))
    return Seeking(
        draft=draft,
        evidence=evidence,
        context=context,
        bearer=bearer_of(draft),
        route=route,
        ordered=asked_for(draft, context),
        facts=facts,
        rules=tuple([rule for rule, truth in settled if truth is not False]),
        open_rules=tuple([rule for rule, truth in settled if truth is None]),
        found={},
        preferred=_preferred(constraint.act for constraint in draft.constraints),
        preferring=tuple((rule, wanted) for rule, wanted in preferring if wanted),
        grams=_grams_per_day(draft),
        iga_matters=_any(draft.facts, IGA_MATTERS) or any(constraint.act.prefer == "lowest-iga" for constraint in draft.constraints),
        volume_matters=_any(draft.facts, VOLUME_MATTERS),
    )


def _preferred(acts: Iterable[Act]) -> tuple[Condition, ...]:
    """What ``prefer-product`` acts wish of a product."""
    return tuple(act.condition for act in acts if act.act == "prefer-product" and act.condition is not None)


def candidate_of(product: Product, draft: Draft, evidence: Evidence, context: Context) -> Candidate:
    """What speaks against and for one product in this patient."""
    return judged(product, seeking_for(draft, evidence, context))


def judged(product: Product, seeking: Seeking) -> Candidate:
    """:func:`candidate_of` for one of many products."""
    supply = tuple(_supply(product, seeking.context))
    indication = seeking.bearer.indication
    covered = labelled_for_age(product, indication, seeking.bearer.facts) if indication else None
    ruled_out = (*supply, *_label_bars(product, seeking, covered))
    if supply or (ruled_out and seeking.route not in product.routes):
        return Candidate(product, ruled_out, (), (), ())
    known = {**seeking.facts.by_id, **product.facts_by_id}
    for fact in personal_facts(product, seeking.bearer, covered):
        known[fact.id] = fact
    never = seeking.evidence.ruled_out_by(product)
    truths = tuple([False if rule.id in never else rule.when.truth_on(known) for rule in seeking.open_rules])
    found = seeking.found.get(truths)
    if found is None:
        found = seeking.found[truths] = _found(seeking, truths)
    if ruled_out or found.barring:
        # A label that does not cover the patient must not hide that the product could harm.
        return Candidate(product, (*ruled_out, *found.barring), (), found.cites, (), rules=found.rules)
    weighed = _weighed(product, seeking, known, found, covered=covered is True)
    return Candidate(product, (), tuple(_notes(product, seeking, weighed)), found.cites, _key(product, seeking, weighed), found.open, found.rules)


def _found(seeking: Seeking, truths: tuple[Truth, ...]) -> _Found:
    """What the rules say of every product for which the open ones come to these truths."""
    settled = dict(zip([rule.id for rule in seeking.open_rules], truths, strict=True))
    rules = tuple([rule for rule in seeking.rules if settled.get(rule.id, True) is True])
    # A contraindication that only an unanswered question keeps open makes a product second choice among equals.
    still_open = [rule for rule in seeking.open_rules if rule.severity == "contraindicated" and settled[rule.id] is None]
    about: dict[Severity, list[str]] = {"avoid": [], "caution": [], "info": []}
    for rule in rules:
        about.setdefault(rule.severity, []).append(rule.about)
    return _Found(
        rules=rules,
        barring=tuple([rule.say for rule in rules if rule.severity == "contraindicated" and safety.override_for(seeking.draft, rule.id, rule.code) is None]),
        cites=tuple(dict.fromkeys([cite for rule in rules for cite in rule.cites])),
        open=tuple(dict.fromkeys([lower_first(rule.about) for rule in still_open])),
        unanswered=len(still_open),
        about=about,
    )


def _weighed(product: Product, seeking: Seeking, known: Mapping[str, Fact], found: _Found, *, covered: bool) -> _Weighed:
    last = seeking.bearer.last
    waste, count = vials_needed(product, seeking.grams)
    return _Weighed(
        unmet=_preferences_unmet(seeking, known),
        about=found.about,
        open=found.unanswered,
        ordered=is_ordered(product, seeking.ordered),
        continued=last is not None and is_called(product, last.product),
        labelled=seeking.bearer.indication in product.labelled_in,
        covered=covered,
        rates_read=product.id in seeking.evidence.rates_read,
        waste=waste,
        vials=count,
    )


def vials_needed(product: Product, grams: float) -> tuple[float, int]:
    """The least overshoot in grams and the vials that make it; nought of both when the sizes were not read."""
    return _overshoot(vials.product_sizes(product), vials.milligrams(grams))


@lru_cache(maxsize=1024)
def _overshoot(sizes: tuple[int, ...], need: int) -> tuple[float, int]:
    """:func:`vials_needed` of any product with these sizes: many share them."""
    if not sizes or need <= 0:
        return 0.0, 0
    counts = vials.best_vials(sizes, need)
    made = sum(map(mul, sizes, counts))
    return Quantity(float(made - need), "mg").in_unit("g"), sum(counts)


def _supply(product: Product, context: Context) -> Iterable[str]:
    status = product.status
    if status.state == "licensed" and not (status.until or context.stock or context.formulary):
        return
    day = context.as_of.isoformat()
    first = context.start.date()
    stocked = any(vials.of_product(item, product) and item.count > 0 and vials.in_date(item, first) for item in context.stock)
    if status.state == "announced" and (not status.until or day <= status.until):
        yield f"Not yet on the market. {status.say}".strip()
    if status.until and day > status.until and status.state != "announced" and not stocked:
        yield f"No longer on the market since {status.until}."
    elif status.state == "discontinued" and not status.until:
        yield "Discontinued."
    if context.stock and not stocked:
        yield "Not in stock."
    if context.formulary and not any(is_called(product, name) for name in context.formulary):
        yield "Not on the formulary."


def _label_bars(product: Product, seeking: Seeking, covered: Truth) -> Iterable[str]:
    route, indication = seeking.route, seeking.bearer.indication
    # A product ordered without a route is meant for its own.
    if route not in product.routes and (seeking.draft.record.order.route or not is_ordered(product, seeking.ordered)):
        yield f"Not for {_words(route)} use; only {' or '.join(_words(one) for one in product.routes)}."
    for row in product.barred:
        # A bar that names the subcutaneous route in the register is judged with that route only.
        if row.indication == indication and route != "intravenous" and (row.who is None or truth_of(row.who, seeking.bearer.facts) is not False):
            yield row.say or "Barred by its label in this indication."
    if covered is False:
        rows = labelled_rows(product, indication) or product.labelled
        limits = " or ".join(dict.fromkeys(row.who.text for row in rows if row.who is not None and row.who.text))
        yield f"Outside the label's population ({limits})." if limits else "Outside the label's population."


def _notes(product: Product, seeking: Seeking, weighed: _Weighed) -> Iterable[str]:
    if weighed.ordered:
        yield "ordered"
    if seeking.bearer.last is not None:
        yield "same brand as last time" if weighed.continued else "switch of brand"
    if seeking.bearer.indication:
        yield "label indications not read" if not product.labelled else "labelled" if weighed.labelled else "off-label in this indication"
    severities: tuple[Severity, ...] = ("avoid", "caution")
    for severity in severities:
        if weighed.about[severity]:
            yield f"{severity}: {', '.join(weighed.about[severity])}"
    if seeking.route == "intravenous" and not weighed.rates_read:
        yield "rates not read"
    if product.stabiliser is None:
        yield "stabiliser not read"
    if seeking.iga_matters:
        yield "IgA not read" if product.iga is None else f"IgA {'at most' if product.iga.kind == 'max' else 'about'} {product.iga.value}"
    if seeking.volume_matters:
        yield f"{number_text(product.percent)} % solution"
    if weighed.waste > 0:
        yield f"whole vials exceed the dose of a day by {number_text(weighed.waste)} g"


def _key(product: Product, seeking: Seeking, weighed: _Weighed) -> tuple[Any, ...]:
    """The order of preference; smaller is better. A product to avoid comes last unless it was ordered."""
    iga = product.iga
    # A typical value is never set against a maximum: limits first, then typical values, then what was not read.
    iga_place = (iga is None, iga is not None and iga.kind == "typical", iga.value.canonical / product.percent if iga is not None else 0.0)
    return (
        not weighed.ordered,
        len(weighed.about["avoid"]),
        not weighed.continued,
        # Where the IgA content matters, one that nobody read is never set above one that is known.
        seeking.iga_matters and iga is None,
        len(weighed.about["caution"]),
        weighed.unmet,
        len(weighed.about["info"]),
        not weighed.labelled,
        not weighed.covered,
        not weighed.rates_read,
        weighed.open,
        product.stabiliser is None,
        -product.percent if seeking.volume_matters else 0.0,
        iga_place if seeking.iga_matters else (),
        weighed.waste,
        -product.percent,
        weighed.vials,
        product.brand.lower(),
        product.id,
    )


def _preferences_unmet(seeking: Seeking, known: Mapping[str, Fact]) -> int:
    """How many ``prefer-product`` acts of fired rules this product does not meet; rules on the course that already hold count too."""
    wanted = list(seeking.preferred)
    for rule, preferred in seeking.preferring:
        if rule.when.truth_on(known) is True:
            wanted += preferred
    return sum([one.truth_on(known) is not True for one in wanted])


def _grams_per_day(draft: Draft) -> float:
    dose = draft.dose
    return 0.0 if dose is None else dose.grams / dose.days.low if dose.days.low > 0 and not dose.single_day else dose.grams


def asked_for(draft: Draft, context: Context) -> str:
    """The product that the context or the order names, as written."""
    return context.product or draft.record.order.product


def is_ordered(product: Product, name: str) -> bool:
    """Whether this product is the one named."""
    return bool(name) and is_called(product, name)


def _any(facts: Facts, names: tuple[str, ...]) -> bool:
    return any(facts.flag(name) for name in names)


def _words(route: str) -> str:
    return route.replace("-", " ")
