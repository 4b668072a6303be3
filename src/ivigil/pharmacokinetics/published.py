"""A published model as one that ``fit_many`` can fit to event tables in g, g/L and days; and why some cannot be fitted at all."""

from __future__ import annotations

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity
from ivigil.evidence import kinetics
from ivigil.evidence.kinetics import Model
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.fit_model import Baseline, Covariance, Effect, FitModel, LeanMass, Parameter, Residual, Structure
from ivigil.pharmacokinetics.typical import UNITS, log_variance, setting

WEIGHT, HEIGHT, SEX, AGE, IGM, SECONDARY, FACILITATED, LEAN = "WT", "HT", "SEX", "AGE", "IGM", "SECONDARY", "FACILITATED", "LBM"
"""The columns that stand for what models ask: kg, cm, 1 or m for male, years, g/L, 1 for secondary deficiency, 1 for facilitated doses; LBM is worked out."""


def why_not_fitted(model: Model) -> str:
    """Empty where a model can be fitted to levels; else what its source does not give. No number is invented for it."""
    varies = any(parameter.varies is not None for parameter in model.parameters.values())
    missing = [what for what, there in (("variation between patients", varies), ("residual error", model.residual is not None)) if not there]
    return f"its source gives no usable {' and no usable '.join(missing)}" if missing else ""


def fit_model_of(model: Model, evidence: Evidence) -> FitModel:
    """The published model for event tables. Its baseline is a parameter: the model's own value, with its printed variation or that of the policy.

    Raises:
        BadInput: the model cannot be fitted.
    """
    why = why_not_fitted(model)
    if why or model.residual is None:
        raise BadInput([Problem(model.id, 0, "", f"cannot be fitted: {why}", "choose another; 'ivigil models list' shows which can be fitted")])
    residual, parts = model.residual, {}
    for name, printed in model.parameters.items():
        if name == "F_fscig":
            continue
        value = printed.value.in_unit(UNITS[name]) if isinstance(printed.value, Quantity) else printed.value
        effects = _effects(printed, value)
        if name == "F_sc" and "F_fscig" in model.parameters:
            facilitated = model.parameters["F_fscig"].value
            assert isinstance(facilitated, float)
            effects = (*effects, Effect(FACILITATED, factor=facilitated / value))
        parts["F" if name == "F_sc" else name] = Parameter(value, effects, omega2=log_variance(printed.varies))
    sd = residual.form == "sd"
    typical = model.baseline.value.in_unit("g/L") if isinstance(model.baseline.value, Quantity) else model.baseline.value
    baseline = Baseline()
    if typical:
        own = log_variance(model.baseline.varies)
        baseline = Baseline(typical, _effects(model.baseline, typical), omega2=own, cv=0.0 if own else setting(evidence, "baseline-cv", "%") / 100)
    bounds = model.lean_mass_within
    mass = LeanMass("by-age", WEIGHT, HEIGHT, SEX, AGE, (bounds.low, bounds.high) if bounds is not None else None)
    lean = {LEAN: mass} if any(part.scaled is not None and part.scaled.by == "lean-mass" for part in model.parameters.values()) else {}
    return FitModel(Structure(2 if "Q" in parts else 1, "ka" in parts), parts,
                    Residual(residual.additive if sd else residual.additive**0.5, residual.proportional if sd else residual.proportional**0.5),
                    baseline, tuple(Covariance((_plain(pair.between[0]), _plain(pair.between[1])), pair.value) for pair in model.covariances), lean, model.name)


def _plain(name: str) -> str:
    return "F" if name == "F_sc" else name


def _effects(printed: kinetics.Parameter | kinetics.Baseline, value: float) -> tuple[Effect, ...]:
    """Covariates and branches of a printed value; every branch of these models is for secondary deficiency."""
    out = []
    if printed.scaled is not None:
        column, unit = {"weight": (WEIGHT, "kg"), "lean-mass": (LEAN, "kg"), "igm": (IGM, "g/L")}[printed.scaled.by]
        out.append(Effect(column, printed.scaled.reference.in_unit(unit), printed.scaled.exponent))
    for branch in printed.branches:
        other = branch.value.in_unit("L") / value if branch.value is not None else branch.times or 1.0
        out.append(Effect(SECONDARY, factor=other))
    return tuple(out)
