"""Chooses the regimen in force, and keeps what lost and who elsewhere says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from ivigil.basis.because import Alternative
from ivigil.evidence.conditions import judge, truth_of, written
from ivigil.evidence.doses import DoseForm, course_span, described, dose_text, form_of
from ivigil.evidence.kept import kept_with
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force, regimens_elsewhere, regimens_here
from ivigil.evidence.shapes import Indication, Product, Regimen
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.product_facts import is_called, planned_route
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text


class Printed(msgspec.Struct, frozen=True):
    """What the evidence says of one regimen, whoever the patient is: its authority, its form, a course in g/kg, and the dose in words.

    ``offered`` names the authority too, ``disputing`` the cap as well, ``who`` is whom it is for.
    """

    authority: str
    form: DoseForm | None
    course: tuple[float, float] | None
    said: str
    offered: str
    disputing: str
    who: str


@kept_with
def printed(evidence: Evidence, indication: Indication) -> Mapping[str, Printed]:
    """Every regimen of an indication as it is printed, by id."""
    return {regimen.id: _printed(regimen, evidence) for regimen in indication.regimens}


def _printed(regimen: Regimen, evidence: Evidence) -> Printed:
    form, authority = form_of(regimen), evidence.authority(regimen)
    said = described(form) if form is not None else (regimen.say or "A dose that is not per body weight")
    return Printed(authority, form, course_span(regimen), said, f"{authority}: {said}", f"{authority}: {dose_text(regimen)}",
                   written(regimen.when, evidence.labels) if regimen.when is not None else "")


Undecided = tuple[tuple[str, tuple[str, ...], str], ...]
"""Rule, unknown facts and severity, as the draft collects them."""


def ordered_product(draft: Draft, evidence: Evidence, context: Context) -> Product | None:
    """The product that the context or the order names, in a market of the jurisdiction; None when none is named or known."""
    name = context.product or draft.record.order.product
    if not name:
        return None
    if name in evidence.products:
        return evidence.products[name]
    markets = evidence.jurisdictions[context.jurisdiction].markets
    return next((product for product in evidence.products.values() if product.market in markets and is_called(product, name)), None)


def choose_regimen(draft: Draft, evidence: Evidence, context: Context) -> tuple[Regimen | None, list[Line], tuple[tuple[str, tuple[str, ...], str], ...]]:
    """The regimen in force, its line with what lost and who disagrees, and the facts that could still decide otherwise."""
    assert draft.indication is not None
    order = draft.record.order
    product = ordered_product(draft, evidence, context)
    words = printed(evidence, draft.indication)
    here = regimens_here(evidence, draft.indication, context.jurisdiction, context.as_of)
    lost: dict[str, str] = {}
    candidates: list[Regimen] = []
    phase = order.phase
    for regimen in here:
        if regimen.when is not None and truth_of(regimen.when, draft.facts) is False:
            lost[regimen.id] = f"is for: {words[regimen.id].who}"
        elif product is not None and regimen.products and product.id not in regimen.products:
            lost[regimen.id] = f"is printed for other products than {product.brand}"
        elif (order.route and regimen.route != order.route) or (not order.route and product is not None and regimen.route not in product.routes):
            lost[regimen.id] = f"is for the {regimen.route} route"
        elif phase and not _serves(regimen, phase):
            lost[regimen.id] = f"is for the {regimen.phase} phase"
        else:
            candidates.append(regimen)
    named = next((regimen for regimen in draft.indication.regimens if regimen.id == order.regimen), None)
    labelled = next((regimen for regimen in candidates if product is not None and product.id in regimen.products), None)
    chosen = named or labelled or next(iter(candidates), None)
    if chosen is None:
        return None, _none_chosen(draft, evidence, context, here, lost), ()
    away = chosen.jurisdiction == "international"
    why = ("the order names it" if named else f"the label of {product.brand} prints it" if labelled and product else
           f"no regimen of {context.jurisdiction} was read for this" if away else "first in force here")
    others = [regimen for regimen in here if regimen.id != chosen.id and regimen.phase == chosen.phase]
    disputes = [alternative for regimen, alternative in _disputing(evidence, draft.indication, context.jurisdiction, context.as_of, chosen.id)
                if regimen.when is None or truth_of(regimen.when, draft.facts) is not False]
    where = chosen.jurisdiction or "everywhere"
    own = words[chosen.id]
    text = f"{own.said}. {own.authority}{f', {chosen.edition}' if chosen.edition else ''} ({where}); {why}."
    if chosen.companion:
        text += f" Given with {chosen.companion}."
    if chosen.say:
        text += f" {chosen.say}"
    verdict = judge(chosen.when, draft.facts) if chosen.when is not None else None
    because = reasons(
        evidence, draft.facts, rule=chosen.id, cites=chosen.cites, uses=("order.phase", "order.route", *(verdict.decided_by if verdict else ())),
        instead_of=[Alternative(words[regimen.id].offered, lost.get(regimen.id, "comes later in the order of preference"), regimen.cites)
                    for regimen in others],
        disputed_by=disputes)
    lines = [Line("dose.regimen", "dosing", "choose", "info", text, because)]
    if chosen.repeat:
        lines.append(Line("dose.repeat", "dosing", "check", "info", f"Repeat: {chosen.repeat}",
                          reasons(evidence, draft.facts, rule=chosen.id, cites=chosen.cites)))
    undecided = ((chosen.id, verdict.undecided, "caution"),) if verdict is not None and verdict.truth is None else ()
    return chosen, lines, undecided


@kept_with
def _disputing(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date, chosen: str) -> tuple[tuple[Regimen, Alternative], ...]:
    """The regimens of other places that give another dose in the same phase by the same route, each as a dispute with the chosen one."""
    words = printed(evidence, indication)
    own = next(regimen for regimen in indication.regimens if regimen.id == chosen)
    return tuple((regimen, Alternative(words[regimen.id].disputing, f"in force in {regimen.jurisdiction}, not in {jurisdiction}", regimen.cites))
                 for regimen in regimens_elsewhere(evidence, indication, jurisdiction, as_of)
                 if regimen.id != chosen and regimen.phase == own.phase and regimen.route == own.route
                 and (words[regimen.id].form, regimen.cap) != (words[chosen].form, own.cap))


_ALIKE = ({"acute", "induction"}, {"maintenance", "replacement"})
"""Words that authorities use for one phase: first treatment, and treatment that goes on."""


def _serves(regimen: Regimen, phase: str) -> bool:
    """Whether a regimen is printed for this phase of treatment."""
    return phase in {regimen.phase, *regimen.also_phases} or any({phase, regimen.phase} <= alike for alike in _ALIKE)


def _none_chosen(draft: Draft, evidence: Evidence, context: Context, here: tuple[Regimen, ...], lost: dict[str, str]) -> list[Line]:
    """What authorities elsewhere do is shown, and not used: there is no silent default country."""
    assert draft.indication is not None
    words = printed(evidence, draft.indication)
    others = [regimen for regimen in regimens_elsewhere(evidence, draft.indication, context.jurisdiction, context.as_of)
              if regimen.when is None or truth_of(regimen.when, draft.facts) is not False]
    lapsed = _lapsed(draft, evidence, context)
    cites = tuple(cite for regimen in (*here, *others) for cite in regimen.cites)
    if not cites:
        return lapsed
    # Under the skin a dose may still come from changing over; that step says so, or that it cannot.
    by_weight = planned_route(draft) == "intravenous"
    text = f"No dose {'' if by_weight else 'by weight '}in force in {context.jurisdiction} fits this patient and order; "
    text += "none is worked out." if by_weight else "under the skin it comes from changing over, where the product's label prints how."
    if lost:
        text += f" What is in force {'; '.join(dict.fromkeys(lost.values()))}."
    because = reasons(
        evidence, draft.facts, cites=cites, uses=("order.phase", "order.route"), entries=(*here, *others),
        instead_of=[Alternative(words[regimen.id].offered, lost.get(regimen.id, "does not fit"), regimen.cites) for regimen in here],
        disputed_by=[Alternative(words[regimen.id].disputing, f"in force in {regimen.jurisdiction}", regimen.cites) for regimen in others])
    return [Line("dose.regimen", "dosing", "choose", "warning" if by_weight else "info", text, because), *lapsed]


def _lapsed(draft: Draft, evidence: Evidence, context: Context) -> list[Line]:
    """Doses of this place that would serve but for their dates: the reader hears that they lapsed, or begin later, and that none is used."""
    assert draft.indication is not None
    words = printed(evidence, draft.indication)
    known, order = {*evidence.places(context.jurisdiction), "international", ""}, draft.record.order
    out = [regimen for regimen in draft.indication.regimens
           if regimen.jurisdiction in known and not in_force(regimen.valid, context.as_of)
           and (regimen.when is None or truth_of(regimen.when, draft.facts) is not False)
           and (not order.phase or _serves(regimen, order.phase)) and (not order.route or regimen.route == order.route)]
    if not out:
        return []
    said = "; ".join(f"{words[regimen.id].disputing}{f', {regimen.edition}' if regimen.edition else ''} ({regimen.jurisdiction or 'everywhere'}), "
                     f"{_out_of_force(regimen, context)}" for regimen in out)
    text = f"Not in force on {day_text(context.as_of)}, and not planned from: {said}. No dose that took its place was read."
    because = reasons(evidence, draft.facts, rule=out[0].id, cites=tuple(cite for regimen in out for cite in regimen.cites),
                      uses=("order.phase", "order.route"), entries=out)
    return [Line("dose.lapsed", "dosing", "check", "warning", text, because)]


def _out_of_force(regimen: Regimen, context: Context) -> str:
    if regimen.valid.end and regimen.valid.end < context.as_of.isoformat():
        return f"lapsed on {day_text(date.fromisoformat(regimen.valid.end))}"
    return f"holds from {day_text(date.fromisoformat(regimen.valid.start))}"
