"""What is true of a product for this patient: composition, route, label and brand continuity as facts that rules can name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ivigil.basis.facts import Fact, Facts, Origin, Value
from ivigil.basis.logic import Truth, any_of
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.shapes import ALLERGY_OF, Labelled, Product, Route
from ivigil.patient.record import PastInfusion, Record
from ivigil.planning.draft import Draft

_ANY_EXCIPIENT = "allergy.any_excipient"


def product_facts(product: Product, draft: Draft) -> list[Fact]:
    """The ``product.*`` facts of one candidate. What its label does not say gives no fact: unknown is not no."""
    return [*product.facts, *(Fact(name, value, Origin(f"product {product.id}", how=how)) for name, value, how in _known(product, draft))]


def planned_route(draft: Draft) -> Route:
    """The route ordered, else the only one of the chosen product, else that of the regimen, else intravenous."""
    if draft.record.order.route:
        return draft.record.order.route
    if draft.product is not None and len(draft.product.routes) == 1:
        return draft.product.routes[0]
    return draft.regimen.route if draft.regimen is not None else "intravenous"


def last_immunoglobulin(record: Record) -> PastInfusion | None:
    """The latest immunoglobulin infusion whose product is on record; other antibody and blood products do not count, nor intramuscular ones."""
    named = [infusion for infusion in record.infusions
             if infusion.kind == "immunoglobulin" and infusion.product and infusion.route != "intramuscular"]
    return max(named, key=lambda infusion: infusion.on, default=None)


def is_called(product: Product, name: str) -> bool:
    """True when ``name`` is the product's id, its id without the market, its brand or another of its names, however spaced."""
    wanted = _folded(name)
    own = (product.id, product.id.removesuffix(f"-{product.market.lower()}"), product.brand, *product.also_called)
    return bool(wanted) and wanted in {_folded(one) for one in own}


def labelled_rows(product: Product, indication: str) -> tuple[Labelled, ...]:
    """The label's rows for one indication, whatever their population."""
    return tuple(row for row in product.labelled if row.indication == indication)


def labelled_for_age(product: Product, indication: str, facts: Facts) -> Truth:
    """Whether the label's population holds: that of the indication where it is labelled, else that of any labelled use."""
    rows = labelled_rows(product, indication) or product.labelled
    return any_of(True if row.who is None else truth_of(row.who, facts) for row in rows) if rows else None


def switched(product: Product, draft: Draft) -> bool | None:
    """Whether this is another brand than last time; None when the last brand is not on record."""
    last = last_immunoglobulin(draft.record)
    if last is None:
        return False if draft.facts.flag("ig.first_ever") else None
    return not is_called(product, last.product)


def _known(product: Product, draft: Draft) -> Iterator[tuple[str, Value, str]]:
    changed = switched(product, draft)
    if changed is not None:
        last = last_immunoglobulin(draft.record)
        yield "product.switched", changed, f"last infusion {last.product} on {last.on.isoformat()}" if last is not None else "no earlier immunoglobulin"
    allergen = _holds_allergen(product, draft)
    if allergen is not None:
        yield "product.contains_patient_allergen", allergen, "allergies on record against the composition"
    if draft.indication is not None:
        yield from _label(product, draft, draft.indication.id)


def _label(product: Product, draft: Draft, indication: str) -> Iterator[tuple[str, Value, str]]:
    if product.labelled:
        yield "product.labelled_for_indication", bool(labelled_rows(product, indication)), "label"
    age = labelled_for_age(product, indication, draft.facts)
    if age is not None:
        yield "product.labelled_for_age", age, "label"
    barred = any(row.indication == indication and (row.who is None or truth_of(row.who, draft.facts) is not False) for row in product.barred)
    yield "product.subcutaneous_barred", barred, "label"


def _holds_allergen(product: Product, draft: Draft) -> Truth:
    answers: list[Truth] = []
    for fact in draft.facts.beginning("allergy."):
        if fact != _ANY_EXCIPIENT and draft.facts.flag(fact):
            name = fact.removeprefix("allergy.")
            answer = product.contains.get(name)
            answers.append(False if name in ALLERGY_OF.values() else None if answer is None else answer == "yes")
    if _named_in(product, (allergy.substance for allergy in draft.record.allergies if allergy.status == "active")):
        return True
    if answers:
        return any_of(answers)
    return False if draft.facts.flag(_ANY_EXCIPIENT) is False else None


def _named_in(product: Product, substances: Iterable[str]) -> bool:
    wanted = [_folded(substance) for substance in substances]
    if not wanted:
        return False
    own = [name for name, answer in product.contains.items() if answer == "yes" and name not in ALLERGY_OF]
    if product.stabiliser is not None:
        own.append(product.stabiliser.name)
    names = {word for word in (_folded(name) for name in own) if word}
    return any(substance in names for substance in wanted)


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
