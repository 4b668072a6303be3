"""Endogenous IgG of a person under a model: measured before treatment, assumed by policy, or the model's own; and how sure that is."""

from __future__ import annotations

import msgspec
import numpy as np

from ivigil.basis.facts import Facts
from ivigil.basis.quantity import number_text
from ivigil.evidence.kinetics import Model
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.history import History, Remark
from ivigil.pharmacokinetics.typical import Person, log_variance, residual_sd, setting, typical_baseline

POLICY = ("pk-policy.baseline",)


class Endogenous(msgspec.Struct, frozen=True):
    """A level in g/L, the standard deviation of its log (nought: unknown or none), and the remark that says where it is from."""

    value: float
    log_sd: float
    remark: Remark
    measured: bool = False


def endogenous(model: Model, person: Person, history: History, facts: Facts, evidence: Evidence) -> Endogenous:
    """A pre-treatment level counts before any assumption; without one the policy decides, or the model where it estimated its own."""
    measured = [level.value for level in history.before_treatment]
    if measured:
        value = float(np.mean(measured))
        residual = residual_sd(model, value)
        log_sd = float(residual) / value / np.sqrt(len(measured)) if residual is not None else 0.0
        say = f"Baseline {number_text(value)} g/L: measured before the first immunoglobulin ({len(measured)} level{'s' if len(measured) > 1 else ''})."
        return Endogenous(value, float(log_sd), Remark("baseline-measured", say, POLICY), measured=True)
    cv = setting(evidence, "baseline-cv", "%") / 100
    spread = float(np.sqrt(np.log1p(cv * cv)))
    if person.purpose == "replacement" and facts.flag("has.agammaglobulinaemia"):
        value = setting(evidence, "baseline-agammaglobulinaemia", "g/L")
        return Endogenous(value, spread, Remark("baseline-assumed", f"Baseline {number_text(value)} g/L assumed: agammaglobulinaemia, no pre-treatment level.",
                                                POLICY))
    if model.baseline.how == "estimated":
        value = typical_baseline(model, person, evidence)
        own = np.sqrt(log_variance(model.baseline.varies)) if model.baseline.varies is not None else spread
        say = f"Baseline {number_text(value)} g/L: the model's own estimate, no pre-treatment level known."
        return Endogenous(value, float(own), Remark("baseline-assumed", say, (*model.baseline.cites, *POLICY)))
    if model.purpose == "replacement":
        value = setting(evidence, "baseline-replacement", "g/L")
        say = f"Baseline {number_text(value)} g/L assumed: no pre-treatment level is known."
        return Endogenous(value, spread, Remark("baseline-assumed", say, POLICY))
    value = typical_baseline(model, person, evidence)
    wide = f", {model.baseline.range} in its patients" if model.baseline.range is not None else ""
    say = f"Baseline {number_text(value)} g/L is that of the model{wide}: a pre-treatment level of this patient is needed; read the rise, not the total."
    return Endogenous(value, 0.0, Remark("baseline-uncertain", say, model.baseline.cites))
