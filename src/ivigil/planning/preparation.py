"""What premedication and hydration share: which rules apply, which offers fit this patient, and their doses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

import msgspec

from ivigil.basis.quantity import UNITS, Quantity, Span, number_text
from ivigil.evidence.care import Offer, Preparation
from ivigil.evidence.conditions import judge
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, NotRaised, Section, Table
from ivigil.planning.product_facts import planned_route
from ivigil.planning.reasons import reasons, texts
from ivigil.planning.safety import leaf_facts
from ivigil.planning.wording import clock, listed

_COLUMNS = (Column("Give"), Column("Dose"), Column("Route"), Column("When"))


def prepared(draft: Draft, evidence: Evidence, context: Context, section: Section, rules: Mapping[str, Preparation]) -> Draft:
    """A line for every rule that holds, a question for every undecided one, a near miss for the rest."""
    places = set(evidence.places(context.jurisdiction))
    for rule in rules.values():
        if (rule.jurisdictions and not places & set(rule.jurisdictions)) or (rule.routes and planned_route(draft) not in rule.routes):
            continue
        if rule.when is None:
            draft = _said(rule, draft, evidence, context, section, ())
            continue
        verdict = judge(rule.when, draft.facts)
        if verdict.truth is None:
            asked = (rule.id, evidence.underlying(verdict.undecided, draft.facts), "info")
            draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, asked))
        elif verdict.truth:
            draft = _said(rule, draft, evidence, context, section, leaf_facts(verdict.decided_by, draft.facts, evidence))
        else:
            miss = NotRaised(rule.id, rule.about, "the condition does not hold", texts(draft.facts, verdict.decided_by))
            draft = msgspec.structs.replace(draft, not_raised=(*draft.not_raised, miss))
    return draft


def _said(rule: Preparation, draft: Draft, evidence: Evidence, context: Context, section: Section, uses: Iterable[str]) -> Draft:
    """The line of a rule that holds; what its offers depend on and is not on record is asked."""
    judged = [(offer, judge(offer.who, draft.facts) if offer.who is not None else None) for offer in rule.offer]
    unknown = {name for _, verdict in judged if verdict is not None for name in verdict.undecided}
    unknown |= {"weight" for offer in rule.offer if offer.dose is not None and offer.dose.unit.endswith("/kg") and "weight" not in draft.facts}
    unknown |= {need for need in rule.needs if need not in draft.facts}
    if unknown:
        draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, (rule.id, evidence.underlying(sorted(unknown), draft.facts), "info")))
    who = [offer for offer, verdict in judged if verdict is None or verdict.truth]
    barred = [offer for offer in who if _allergic(offer, draft.record)]
    fitting = [offer for offer in who if offer not in barred]
    rows = tuple((f"{offer.drug} (instead of {offer.instead_of})" if offer.instead_of else offer.drug, dose_text(offer, draft), offer.route,
                  _time(offer, rule, context)) for offer in fitting)
    calculation = "; ".join(filter(None, (_calculation(offer, draft) for offer in fitting)))
    text = rule.say + (f" Allergy on record, not offered: {listed([offer.drug for offer in barred])}." if barred else "")
    cites = (*rule.cites, *(cite for offer in fitting for cite in offer.cites))
    because = reasons(evidence, draft.facts, cites=cites, uses=(*uses, *rule.needs, *(("weight",) if calculation else ())), rule=rule.id, reading=rule.reading,
                      calculation=calculation)
    return draft.saying(Line(f"{section}.{rule.id.partition('.')[2] or rule.id}", section, "avoid" if rule.refuse else "give", "warning" if barred else "info",
                             text, because, table=Table(_COLUMNS, rows) if rows else None))


def _allergic(offer: Offer, record: Record) -> bool:
    """Whether an active allergy on record names the medicine, in whatever spelling the evidence knows."""
    active = [allergy for allergy in record.allergies if allergy.status == "active"]
    if not active:
        return False
    named = " ".join(text for allergy in active for text in (allergy.substance, *(code.display for code in allergy.codes))).lower()
    return any(re.search(rf"\b{re.escape(name.lower())}\b", named) for name in (offer.drug, *offer.also_called))


def dose_text(offer: Offer, draft: Draft) -> str:
    """The dose for this patient: a fixed amount as printed, a dose per kg worked out on the actual weight and held to its maximum."""
    if offer.dose is None:
        return "as ordered"
    amount = _amount(offer, draft)
    single = f", at most {offer.max_dose}" if offer.max_dose is not None and amount is None else ""
    text = f"{offer.dose}{single}" if amount is None else f"{amount} ({offer.dose})"
    limit = f", at most {offer.max} in {offer.per}" if offer.max is not None and offer.per is not None else ""
    over = f" over {offer.over}" if offer.over is not None else ""
    return f"{text}{over}{limit}"


def _amount(offer: Offer, draft: Draft) -> Span | None:
    """The dose by weight, each end held to the maximum of one dose; None for a fixed dose or without a weight."""
    weight = draft.facts.number("weight", "kg")
    if offer.dose is None or not offer.dose.unit.endswith("/kg") or weight is None:
        return None
    unit = offer.dose.unit.removesuffix("/kg")
    most = offer.max_dose.in_unit(unit) if offer.max_dose is not None and offer.max_dose.dimension == UNITS[unit].dimension else None
    low, high = (edge * weight if most is None else min(edge * weight, most) for edge in (offer.dose.low, offer.dose.high))
    return Span(low, high, unit)


def _calculation(offer: Offer, draft: Draft) -> str:
    amount, weight = _amount(offer, draft), draft.facts.number("weight", "kg")
    if amount is None or weight is None or offer.dose is None:
        return ""
    capped = f", held to {offer.max_dose}" if amount.high < offer.dose.high * weight else ""
    return f"{offer.drug}: {offer.dose} x {number_text(weight)} kg{capped} = {amount}"


def _time(offer: Offer, rule: Preparation, context: Context) -> str:
    if offer.minutes_before is None:
        return rule.at
    early = context.start - timedelta(days=Quantity(offer.minutes_before.high, offer.minutes_before.unit).canonical)
    late = context.start - timedelta(days=Quantity(offer.minutes_before.low, offer.minutes_before.unit).canonical)
    times = clock(early) if offer.minutes_before.single else f"{clock(early)}-{clock(late)}"
    return f"{offer.minutes_before} before ({times})"
