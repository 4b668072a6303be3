"""What is true of a product for this patient: composition, route, label and brand continuity as facts that rules can name."""

from __future__ import annotations

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.logic import Truth, any_of
from ivigil.basis.names import folded
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.shapes import ALLERGY_OF, Labelled, Product, Route
from ivigil.patient.record import PastInfusion, Record
from ivigil.planning.draft import Draft

_ANY_EXCIPIENT = "allergy.any_excipient"


class Bearer(msgspec.Struct, frozen=True):
    """What the facts of a product depend on in the patient, worked out once for every product that is looked at.

    ``last`` is the latest immunoglobulin on record, in words ``last_said``; ``allergens`` are what the patient is allergic to as labels name
    it, ``substances`` the active allergies as written, folded.
    """

    facts: Facts
    indication: str
    last: PastInfusion | None
    last_said: str
    allergens: tuple[str, ...]
    substances: frozenset[str]


def bearer_of(draft: Draft) -> Bearer:
    """The patient as products are looked at."""
    facts = draft.facts
    allergens = tuple(name.removeprefix("allergy.") for name in facts.beginning("allergy.") if name != _ANY_EXCIPIENT and facts.flag(name))
    substances = frozenset(folded(allergy.substance) for allergy in draft.record.allergies if allergy.status == "active")
    last = last_immunoglobulin(draft.record)
    last_said = f"last infusion {last.product} on {last.on.isoformat()}" if last is not None else "no earlier immunoglobulin"
    return Bearer(facts, draft.indication.id if draft.indication is not None else "", last, last_said, allergens, substances)


def product_facts(product: Product, draft: Draft) -> list[Fact]:
    """The ``product.*`` facts of one product. What its label does not say gives no fact: unknown is not no."""
    return facts_for(product, bearer_of(draft))


def facts_for(product: Product, bearer: Bearer) -> list[Fact]:
    """:func:`product_facts` for a patient who was looked at before."""
    return [*product.facts, *personal_facts(product, bearer, labelled_for_age(product, bearer.indication, bearer.facts))]


def personal_facts(product: Product, bearer: Bearer, covered: Truth) -> list[Fact]:
    """The ``product.*`` facts that hold for this patient and need not for another; ``covered`` is :func:`labelled_for_age`."""
    where = f"product {product.id}"
    facts: list[Fact] = []
    changed = _switched(product, bearer)
    if changed is not None:
        facts.append(Fact("product.switched", changed, Origin(where, None, bearer.last_said)))
    allergen = _holds_allergen(product, bearer)
    if allergen is not None:
        facts.append(Fact("product.contains_patient_allergen", allergen, Origin(where, None, "allergies on record against the composition")))
    if bearer.indication:
        label = Origin(where, None, "label")
        if product.labelled:
            facts.append(Fact("product.labelled_for_indication", bearer.indication in product.labelled_in, label))
        if covered is not None:
            facts.append(Fact("product.labelled_for_age", covered, label))
        facts.append(Fact("product.subcutaneous_barred", _barred(product, bearer), label))
    return facts


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
    return folded(name) in product.called


def labelled_rows(product: Product, indication: str) -> tuple[Labelled, ...]:
    """The label's rows for one indication, whatever their population."""
    return product.labelled_in.get(indication, ())


def labelled_for_age(product: Product, indication: str, facts: Facts) -> Truth:
    """Whether the label's population holds: that of the indication where it is labelled, else that of any labelled use."""
    rows = labelled_rows(product, indication) or product.labelled
    return any_of(row.who is None or truth_of(row.who, facts) for row in rows) if rows else None


def switched(product: Product, draft: Draft) -> bool | None:
    """Whether this is another brand than last time; None when the last brand is not on record."""
    return _switched(product, bearer_of(draft))


def _switched(product: Product, bearer: Bearer) -> bool | None:
    if bearer.last is None:
        return False if bearer.facts.flag("ig.first_ever") else None
    return not is_called(product, bearer.last.product)


def _barred(product: Product, bearer: Bearer) -> bool:
    """Whether the label bars the product in this indication; a bar whose population is not known to leave the patient out holds."""
    return bool(product.barred) and any(row.indication == bearer.indication and (row.who is None or truth_of(row.who, bearer.facts) is not False)
                                        for row in product.barred)


def _holds_allergen(product: Product, bearer: Bearer) -> Truth:
    if not bearer.substances.isdisjoint(product.holds):
        return True
    if bearer.allergens:
        return any_of(_holds(product, name) for name in bearer.allergens)
    return False if bearer.facts.flag(_ANY_EXCIPIENT) is False else None


def _holds(product: Product, allergen: str) -> Truth:
    """Whether the label names an excipient; how firmly other allergies bar a product is said by rules of their own."""
    if allergen in ALLERGY_OF.values():
        return False
    answer = product.contains.get(allergen)
    return None if answer is None else answer == "yes"
