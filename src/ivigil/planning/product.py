"""Chooses the product: every one of the market is judged for this patient, ranked or rejected, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from ivigil.basis.because import Alternative, Urgency
from ivigil.basis.quantity import number_text
from ivigil.evidence.library import Evidence
from ivigil.planning.candidates import VOLUME_MATTERS, Candidate, asked_for, is_ordered, judged, seeking_for
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import facts_for, is_called, labelled_rows
from ivigil.planning.product_remarks import RANKING, remarks
from ivigil.planning.reasons import reasons


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Rank the market's products, choose the first and add its facts; blocked when none is left. Without a dose only an ordered one is judged."""
    if draft.blocked or draft.indication is None or (draft.no_evidence and not asked_for(draft, context)):
        return draft
    seeking = seeking_for(draft, evidence, context)
    candidates = [judged(product, seeking) for product in evidence.products_at(context.jurisdiction)]
    eligible = sorted((one for one in candidates if not one.excluded), key=lambda one: one.key)
    # A question that is open for every product tells none apart.
    common = set.intersection(*(set(one.open) for one in eligible)) if eligible else set()
    eligible = [_naming_open(one, common) for one in eligible]
    rejected = sorted((one for one in candidates if one.excluded), key=lambda one: one.product.brand)
    refused = _ordered_lines(candidates, eligible, draft, evidence, context)
    draft = draft.saying(*refused)
    if refused and eligible:
        draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, (refused[0].id, ("order.product",), "contraindicated")))
    if not eligible:
        text = "No product of this market may be given to this patient. Every one and its reason stands in the table."
        line = Line(
            "product.blocked",
            "product",
            "avoid",
            "critical",
            text,
            reasons(evidence, draft.facts, cites=(RANKING, *_all_cites(rejected)), entries=_behind(rejected)),
            table=_table((), rejected),
        )
        return msgspec.structs.replace(draft.saying(line), blocked=(*draft.blocked, "product.none-left"))
    chosen = eligible[0]
    product = chosen.product
    draft = msgspec.structs.replace(draft, product=product, facts=draft.facts.having(facts_for(product, seeking.bearer)))
    lines = [_choice_line(eligible, draft, evidence), _ranking_line(eligible, rejected, draft, evidence)]
    lines += remarks(product, draft, evidence, context)
    return draft.saying(*lines)


def _naming_open(candidate: Candidate, common: set[str]) -> Candidate:
    own = [about for about in candidate.open if about not in common]
    return msgspec.structs.replace(candidate, notes=(*candidate.notes, f"still open: {', '.join(own)}")) if own else candidate


def _all_cites(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([cite for one in candidates for cite in one.cites]))


def _behind(candidates: Iterable[Candidate]) -> Iterator[object]:
    """The products judged and the rules that fired for them."""
    return (entry for one in candidates for entry in (one.product, *one.rules))


def _ordered_lines(candidates: list[Candidate], eligible: list[Candidate], draft: Draft, evidence: Evidence, context: Context) -> list[Line]:
    name = asked_for(draft, context)
    if not name or any(is_ordered(one.product, name) for one in eligible):
        return []
    following = f" {eligible[0].product.brand} comes next and needs a new order." if eligible else ""
    refused = [one for one in candidates if is_ordered(one.product, name)]
    if refused:
        why = " ".join(refused[0].excluded)
        text = f"{refused[0].product.brand} was ordered and is refused: {why}{following}"
    else:
        elsewhere = [product for product in evidence.products.values() if is_called(product, name)]
        near = [one.product.brand for one in candidates if one.product.brand.lower().startswith(name.strip().lower())]
        why = f"only its label for {', '.join(product.market for product in elsewhere)} was read" if elsewhere else "no product is called so in the evidence"
        why = f"it may mean {' or '.join(near)}" if near else why
        text = f"'{name}' was ordered, but it is no product of this market: {why}.{following}"
    because = reasons(evidence, draft.facts, cites=(RANKING, *_all_cites(refused)), entries=_behind(refused))
    return [Line("product.ordered", "product", "avoid", "critical", text, because)]


def _choice_line(eligible: list[Candidate], draft: Draft, evidence: Evidence) -> Line:
    chosen = eligible[0]
    product = chosen.product
    because_of = f": {'; '.join(chosen.notes)}" if chosen.notes else ""
    text = f"{product.brand} ({number_text(product.percent)} %, {product.maker}){because_of}."
    label = labelled_rows(product, draft.indication.id) if draft.indication is not None else ()
    cites = (RANKING, *(cite for row in label for cite in row.cites), *(product.vials.cites if product.vials is not None else ()))
    others = [Alternative(one.product.brand, "; ".join(one.notes) or "ranks lower", one.cites) for one in eligible[1:]]
    because = reasons(
        evidence,
        draft.facts,
        cites=cites,
        uses=("product.labelled_for_indication", "product.switched", "has.iga_deficiency", *VOLUME_MATTERS),
        instead_of=others,
        entries=_behind((chosen,)),
    )
    urgency: Urgency = "warning" if any(note.startswith("avoid") for note in chosen.notes) else "info"
    return Line("product.choice", "product", "choose", urgency, text, because)


def _ranking_line(eligible: list[Candidate], rejected: list[Candidate], draft: Draft, evidence: Evidence) -> Line:
    text = f"{len(eligible)} {'product' if len(eligible) == 1 else 'products'} may be given, {len(rejected)} may not."
    because = reasons(evidence, draft.facts, cites=(RANKING, *_all_cites((*eligible, *rejected))), follows=("product.choice",),
                      entries=_behind((*eligible, *rejected)))
    return Line("product.ranking", "product", "record", "info", text, because, table=_table(eligible, rejected))


def _table(eligible: Iterable[Candidate], rejected: Iterable[Candidate]) -> Table:
    rows: list[tuple[str | float | None, ...]] = [
        (float(place), one.product.brand, one.product.percent, "eligible", "; ".join(one.notes)) for place, one in enumerate(eligible, start=1)
    ]
    rows += [(None, one.product.brand, one.product.percent, "rejected", " ".join(one.excluded)) for one in rejected]
    return Table((Column("Rank"), Column("Product"), Column("Strength", "%"), Column("Result"), Column("Reason")), tuple(rows))
