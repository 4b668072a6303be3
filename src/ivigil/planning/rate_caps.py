"""Every limit on an infusion rate, each with its name, its working and who sets it; the lowest binds."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.basis.quantity import Quantity, UnitProblem, number_text, parse_quantity
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import InfusionPolicy, Ramp, SafetyRule
from ivigil.planning.draft import Context, Draft
from ivigil.planning.rate_setting import Cap, Setting, above, holds, volume_of
from ivigil.planning.wording import lower_first

ORDERED = "ivigil-policy.ordered-rate"


def caps_of(setting: Setting, draft: Draft, evidence: Evidence, context: Context, ramp: Ramp | None = None) -> list[Cap]:
    """Every limit on the rate, the label's maximum first. An order above the others is no limit and is left out."""
    row, product = setting.row, setting.product
    caps = [setting.cap(f"label maximum of {product.brand}", row.maximum.rate, row.maximum.also, row.cites, by=row)]
    if _extended_asked(setting, draft) and row.extended is not None:
        caps = [setting.cap(f"extended label maximum of {product.brand}, as ordered", row.extended.rate, row.extended.also, row.cites, by=row)]
    caps += _risk_caps(setting, draft, evidence)
    volume = min(volume_of(day, product) for day in draft.days)
    if draft.regimen is not None and draft.regimen.hours is not None and draft.regimen.hours.unit:
        hours = Quantity(draft.regimen.hours.low, draft.regimen.hours.unit)
        caps.append(_time_cap("infusion time in the regimen", volume, hours, draft.regimen.cites, by=draft.regimen))
    for constraint in draft.constraints:
        if constraint.act.act == "hours-at-least" and constraint.act.hours is not None:
            caps.append(_time_cap(f"rule '{constraint.rule.about}'", volume, constraint.act.hours, constraint.rule.cites, constraint.rule.id, constraint.rule))
    if ramp is not None and ramp.steps and ramp.steps[-1].hold is None:
        caps.append(setting.cap(f"last step of the ramp '{ramp.name}'", ramp.steps[-1].rate, ramp.steps[-1].also, ramp.cites, by=ramp))
    pump = draft.record.order.pump_max or context.pump_max
    if pump is not None:
        caps.append(setting.cap("maximum of the pump", pump, None, (ORDERED,)))
    ordered = draft.record.order.rate_max
    if ordered is not None and not above(setting.flow(ordered), min(cap.flow for cap in caps)):
        caps.append(setting.cap("rate ordered", ordered, None, (ORDERED,)))
    return caps


def _time_cap(name: str, volume: float, hours: Quantity, cites: tuple[str, ...], rule: str = "", by: object = None) -> Cap:
    """The rate at which the volume (mL) lasts at least so long."""
    time = hours.in_unit("h")
    working = f"{number_text(volume)} mL / {number_text(time)} h = {number_text(volume / time)} mL/h"
    return Cap(f"{name}, at least {number_text(time)} h", volume / time, working, cites, rule, by)


def _risk_caps(setting: Setting, draft: Draft, evidence: Evidence) -> Iterable[Cap]:
    asked: list[SafetyRule] = []
    for constraint in draft.constraints:
        if constraint.act.act == "cap-rate":
            rule, limit = constraint.rule, _number(constraint.act.to)
            if limit is None:
                asked.append(rule)
            else:
                yield setting.cap(f"rule '{rule.about}'", limit, None, rule.cites, rule.id, rule)
    for policy in evidence.infusion_policies.values():
        if policy.cap is not None and policy.when is not None and holds(policy, draft):
            yield setting.cap(f"{whose(policy, evidence)} policy, {lower_first(policy.name)}", policy.cap, None, policy.cites, by=policy)
    if not asked:
        return
    cites = tuple(cite for rule in asked for cite in rule.cites)
    about = ", ".join(dict.fromkeys(lower_first(rule.about) for rule in asked))
    risk = setting.row.at_risk
    if risk is not None and risk.rate is not None:
        yield setting.cap(f"label limit at risk ({about})", risk.rate, risk.also, (*setting.row.cites, *cites), asked[0].id, setting.row)
        return
    for policy in evidence.infusion_policies.values():
        if policy.cap is not None and policy.when is None:
            name = f"{whose(policy, evidence)} limit at risk ({about}); the label prints no number"
            yield setting.cap(name, policy.cap, None, (*policy.cites, *cites), asked[0].id, policy)


def whose(policy: InfusionPolicy, evidence: Evidence) -> str:
    """Who decided a policy: ivigil, or the hospital whose overlay holds it."""
    return "hospital" if evidence.local_of((policy,)) else "ivigil default"


def _number(written: str) -> Quantity | None:
    """The rate a cap-rate act names; None for ``label-or-policy``, the label's own limit at risk or the decided one where it prints none."""
    try:
        return parse_quantity(written)
    except UnitProblem:
        return None


def _extended_asked(setting: Setting, draft: Draft) -> bool:
    """A higher label maximum is used only when it was ordered and its condition is known to hold, and never at a first infusion."""
    ordered, extended = draft.record.order.rate_max, setting.row.extended
    if ordered is None or extended is None or extended.condition is None or setting.first is not False or setting.off_label:
        return False
    return (
        above(setting.flow(ordered), setting.flow(setting.row.maximum.rate, setting.row.maximum.also)) and truth_of(extended.condition, draft.facts) is True
    )
