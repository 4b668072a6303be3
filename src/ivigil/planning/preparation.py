"""What premedication and hydration share: which rules apply, which offers fit this patient, and their doses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec

from ivigil.basis.quantity import UNITS, Quantity, number_text
from ivigil.evidence.care import Offer, Preparation
from ivigil.evidence.conditions import judge
from ivigil.evidence.library import Evidence
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, NotRaised, Section, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import clock

_COLUMNS = (Column("Give"), Column("Dose"), Column("Route"), Column("When"))


def prepared(draft: Draft, evidence: Evidence, context: Context, section: Section, rules: Mapping[str, Preparation]) -> Draft:
    """A line for every rule that holds, a question for every undecided one, a near miss for the rest."""
    places = set(evidence.places(context.jurisdiction))
    for rule in rules.values():
        if rule.jurisdictions and not places & set(rule.jurisdictions):
            continue
        if rule.when is None:
            draft = draft.saying(_line(rule, draft, evidence, context, section, ()))
            continue
        verdict = judge(rule.when, draft.facts)
        if verdict.truth is None:
            asked = (rule.id, evidence.underlying(verdict.undecided, draft.facts), "info")
            draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, asked))
        elif verdict.truth:
            draft = draft.saying(_line(rule, draft, evidence, context, section, verdict.decided_by))
        else:
            facts = {name: str(draft.facts[name].value) for name in verdict.decided_by}
            draft = msgspec.structs.replace(draft, not_raised=(*draft.not_raised, NotRaised(rule.id, rule.about, "the condition does not hold", facts)))
    return draft


def _line(rule: Preparation, draft: Draft, evidence: Evidence, context: Context, section: Section, uses: Iterable[str]) -> Line:
    fitting = [offer for offer in rule.offer if offer.who is None or judge(offer.who, draft.facts).truth is True]
    rows = tuple((offer.drug + (f" (instead of {offer.instead_of})" if offer.instead_of else ""), dose_text(offer, draft), offer.route, _time(offer, rule, context))
                 for offer in fitting)
    calculation = "; ".join(filter(None, (_calculation(offer, draft) for offer in fitting)))
    cites = (*rule.cites, *(cite for offer in fitting for cite in offer.cites))
    because = reasons(evidence, draft.facts, cites=cites, uses=(*uses, *(("weight",) if calculation else ())), rule=rule.id, reading=rule.reading,
                      calculation=calculation)
    return Line(f"{section}.{rule.id.partition('.')[2] or rule.id}", section, "avoid" if rule.refuse else "give", "info", rule.say, because,
                table=Table(_COLUMNS, rows) if rows else None)


def dose_text(offer: Offer, draft: Draft) -> str:
    """The dose for this patient: a fixed amount as printed, a dose per kg worked out on the actual weight and held to its maximum."""
    if offer.dose is None:
        return "as ordered"
    amount = _per_kg_amount(offer, draft)
    text = str(offer.dose) if amount is None else f"{amount} ({offer.dose})"
    limit = f", at most {offer.max} in {offer.per}" if offer.max is not None and offer.per is not None else ""
    over = f" over {offer.over}" if offer.over is not None else ""
    return f"{text}{over}{limit}"


def _per_kg_amount(offer: Offer, draft: Draft) -> Quantity | None:
    weight = draft.facts.number("weight", "kg")
    if offer.dose is None or not offer.dose.unit.endswith("/kg") or weight is None:
        return None
    unit = offer.dose.unit.removesuffix("/kg")
    amount = Quantity(offer.dose.low * weight, unit)
    if offer.max_dose is not None and offer.max_dose.dimension == UNITS[unit].dimension and offer.max_dose.canonical < amount.canonical:
        return offer.max_dose
    return amount


def _calculation(offer: Offer, draft: Draft) -> str:
    amount, weight = _per_kg_amount(offer, draft), draft.facts.number("weight", "kg")
    if amount is None or weight is None:
        return ""
    capped = f", held to {offer.max_dose}" if offer.max_dose is not None and amount == offer.max_dose else ""
    return f"{offer.drug}: {offer.dose} x {number_text(weight)} kg{capped} = {amount}"


def _time(offer: Offer, rule: Preparation, context: Context) -> str:
    if offer.minutes_before is None:
        return rule.at
    early = context.start - timedelta(days=Quantity(offer.minutes_before.high, offer.minutes_before.unit).canonical)
    late = context.start - timedelta(days=Quantity(offer.minutes_before.low, offer.minutes_before.unit).canonical)
    return f"{offer.minutes_before} before ({clock(early)}-{clock(late)})"
