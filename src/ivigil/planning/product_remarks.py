"""What else is to be said about the chosen product."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.basis.because import Alternative
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.doses import described, form_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import Product, Regimen
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.product_facts import is_called, labelled_rows, last_immunoglobulin
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text

RANKING = "ivigil-policy.product-ranking"


def remarks(product: Product, draft: Draft, evidence: Evidence, context: Context) -> Iterable[Line]:
    """Off-label use, label notes, change of brand, supply, the label's own regimen, handling and gaps."""
    facts = draft.facts
    if draft.indication is not None and not labelled_rows(product, draft.indication.id):
        name = draft.indication.name.clinical
        text = (
            f"{product.brand} is not labelled for {name} in this market; this use is off-label."
            if product.labelled
            else f"What {product.brand} is labelled for was not read."
        )
        cites = tuple(cite for row in product.labelled for cite in row.cites)
        yield Line(
            "product.off-label",
            "product",
            "check",
            "warning",
            text,
            reasons(evidence, facts, cites=cites or (RANKING,), uses=("product.labelled_for_indication",), entries=(product,)),
        )
    said = [row for row in labelled_rows(product, draft.indication.id) if row.say] if draft.indication is not None else []
    if said:
        yield Line(
            "product.label-note",
            "product",
            "check",
            "info",
            " ".join(row.say for row in said),
            reasons(evidence, facts, cites=tuple(cite for row in said for cite in row.cites), entries=said),
        )
    last = last_immunoglobulin(draft.record)
    if last is not None and not is_called(product, last.product):
        text = f"Switch from {last.product} (last given {day_text(last.on)}) to {product.brand}: a change of brand; record the new brand and batch."
        yield Line("product.switch", "product", "check", "warning", text, reasons(evidence, facts, cites=(RANKING,), uses=("product.switched",)))
    if product.status.until and product.status.cites:
        yield Line(
            "product.supply",
            "product",
            "check",
            "info",
            product.status.say or f"Available until {product.status.until}.",
            reasons(evidence, facts, cites=product.status.cites, entries=(product,)),
        )
    yield from _label_regimen(product, draft, evidence, context)
    if product.handling is not None:
        handling = product.handling
        text = " ".join(
            part
            for part in (handling.dilution, handling.flush and f"Flush: {handling.flush}", handling.filter, handling.use, handling.storage, handling.latex)
            if part
        )
        yield Line("product.handling", "product", "check", "info", text, reasons(evidence, facts, cites=handling.cites, entries=(handling,)))
    if product.not_read:
        yield Line(
            "product.gaps",
            "product",
            "check",
            "info",
            f"Not read for {product.brand}: {', '.join(product.not_read)}.",
            reasons(evidence, facts, cites=("ivigil-policy.gaps-shown",), entries=(product,)),
        )


def _label_regimen(product: Product, draft: Draft, evidence: Evidence, context: Context) -> Iterable[Line]:
    applied, indication = draft.regimen, draft.indication
    if applied is None or indication is None:
        return
    own = [
        one
        for one in indication.regimens
        if product.id in one.products
        and one.phase == applied.phase
        and in_force(one.valid, context.as_of)
        and (one.when is None or truth_of(one.when, draft.facts) is not False)
    ]
    if not own or any(one.id == applied.id or one.dose == applied.dose for one in own):
        return
    text = f"The label of {product.brand} doses otherwise: {' or '.join(dict.fromkeys(_dose_text(one) for one in own))}; applied is {_dose_text(applied)}."
    cites = tuple(cite for one in own for cite in one.cites)
    disputes = [Alternative(_dose_text(one), f"label of {product.brand}", one.cites) for one in own]
    yield Line(
        "product.label-regimen", "product", "check", "warning", text,
        reasons(evidence, draft.facts, cites=(*cites, *applied.cites), disputed_by=disputes, entries=(*own, applied)),
    )


def _dose_text(regimen: Regimen) -> str:
    form = form_of(regimen)
    return described(form) if form is not None else regimen.say or "no dose read"
