"""From a published model and a person to parameters: printed typical values, covariates, and how far patients scatter around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from ivigil.basis.quantity import Quantity
from ivigil.evidence.kinetics import LeanMass, Model, Parameter, Scaling, Variation
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics import kernels, saturable
from ivigil.pharmacokinetics.kernels import Array

UNITS = {"CL": "L/day", "Q": "L/day", "Vc": "L", "Vp": "L", "ka": "/day", "kel": "/day"}
"""The unit each parameter is computed in; bioavailabilities are bare fractions."""
Values = dict[str, Array]
"""Parameters of one or many individuals under their names, in the units of ``UNITS``; all arrays have one shape."""


class Person(msgspec.Struct, frozen=True):
    """What the models ask of a person: kg, cm, years, g/L; None is unknown."""

    weight: float
    height: float | None = None
    age: float | None = None
    sex: Literal["male", "female", ""] = ""
    igm: float | None = None
    indication: str = ""
    purpose: str = ""


class CannotCompute(ValueError):
    """A model cannot be computed for this person; the message says what is missing or wrong."""


def setting(evidence: Evidence, name: str, unit: str = "") -> float:
    """A number of ``pharmacokinetics/settings.yaml`` in a unit."""
    span = evidence.forecast_settings[name].value
    return Quantity(span.high, span.unit).in_unit(unit) if unit else span.high


def most_believable(evidence: Evidence) -> float:
    """The largest course in g/kg that is no slip; infinite where the evidence has no such limit."""
    limit = evidence.dose_limits.get("course-plausible")
    return limit.at_most.in_unit("g/kg") if limit is not None and limit.at_most is not None else float("inf")


def lean_mass(person: Person, evidence: Evidence) -> tuple[float, LeanMass]:
    """Lean body mass in kg and the formula it came from: Boer for adults by sex, Peters below the age of the settings.

    Raises:
        CannotCompute: height, sex or age is unknown, or the result lies outside the believable share of the weight.
    """
    adult_from = setting(evidence, "lean-mass-adult-from", "year")
    if person.height is None:
        raise CannotCompute("lean body mass needs the height, which is unknown")
    if person.age is None:
        raise CannotCompute("lean body mass needs the age, which is unknown")
    wanted = "" if person.age < adult_from else person.sex
    if person.age >= adult_from and not wanted:
        raise CannotCompute("lean body mass of an adult needs the sex, which is unknown")
    formula = next(item for item in evidence.lean_mass.values() if item.sex == wanted)
    if formula.shape == "linear":
        constant = formula.constant.in_unit("kg") if formula.constant is not None else 0.0
        mass = formula.per_weight * person.weight + formula.per_height * person.height + constant
    else:
        mass = formula.times * formula.factor * person.weight**formula.weight_exponent * person.height**formula.height_exponent
    share = evidence.forecast_settings["lean-mass-share"].value
    if not share.holds(100 * mass / person.weight):
        raise CannotCompute(f"the lean body mass comes to {mass:.1f} kg, {100 * mass / person.weight:.0f} % of the weight, outside {share}")
    return mass, formula


def typical_values(model: Model, person: Person, evidence: Evidence) -> dict[str, float]:
    """The typical parameters for this person, with the clearance worked out where the model prints a rate constant.

    Raises:
        CannotCompute: a covariate the model needs is unknown.
    """
    covariates = _Covariates(model, person, evidence)
    found = {name: _typical(parameter, UNITS.get(name, ""), person, covariates) for name, parameter in model.parameters.items()}
    if "kel" in found:
        found["CL"] = found["kel"] * found["Vc"]
    if model.saturable is not None:
        found["Vc"] = model.saturable.Vc.in_unit("L/kg") * person.weight
        found["Vp"] = model.saturable.Vp.in_unit("L/kg") * person.weight
        found["Q"] = model.saturable.Q.in_unit("L/kg/day") * person.weight
    return found


def typical_baseline(model: Model, person: Person, evidence: Evidence) -> float:
    """The endogenous IgG the model itself gives this person (g/L). An unknown IgM counts as the reference."""
    baseline = model.baseline
    return _typical(Parameter(value=baseline.value, scaled=baseline.scaled, branches=baseline.branches, cites=()), "g/L", person,
                    _Covariates(model, person, evidence))


class _Covariates:
    """The covariates of one person as ratios to the references of one model."""

    def __init__(self, model: Model, person: Person, evidence: Evidence) -> None:
        self.model, self.person, self.evidence = model, person, evidence

    def ratio(self, scaled: Scaling) -> float:
        """The covariate over its reference."""
        if scaled.by == "weight":
            return self.person.weight / scaled.reference.in_unit("kg")
        if scaled.by == "igm":
            return self.person.igm / scaled.reference.in_unit("g/L") if self.person.igm else 1.0
        mass, _ = lean_mass(self.person, self.evidence)
        within = self.model.lean_mass_within
        if within is not None:
            mass = min(max(mass, within.low), within.high)
        return mass / scaled.reference.in_unit("kg")


def _typical(parameter: Parameter, unit: str, person: Person, covariates: _Covariates) -> float:
    value: Quantity | float = parameter.value
    times = 1.0
    for branch in parameter.branches:
        if person.indication in branch.indications:
            value = branch.value if branch.value is not None else value
            times = branch.times if branch.times is not None else times
    number = value.in_unit(unit) if isinstance(value, Quantity) else value
    if parameter.scaled is not None:
        number *= covariates.ratio(parameter.scaled) ** parameter.scaled.exponent
    return number * times


def log_variance(variation: Variation | None, *, capped: bool = True) -> float:
    """The variance of the log of a parameter: as printed, or ``ln(1 + cv ** 2)`` of the printed coefficient of variation."""
    if variation is None:
        return 0.0
    if variation.variance is not None:
        return variation.variance
    cv = variation.cv or 0.0
    if capped and variation.cap_cv is not None:
        cv = min(cv, variation.cap_cv)
    return float(np.log1p(cv * cv))


def scatter(model: Model) -> tuple[tuple[str, ...], Array]:
    """The parameters that differ between patients, and the covariance of their log deviations (extreme printed values capped)."""
    names = tuple(name for name, parameter in model.parameters.items() if parameter.varies is not None)
    omega = np.diag([log_variance(model.parameters[name].varies) for name in names]) if names else np.zeros((0, 0))
    for pair in model.covariances:
        first, second = (names.index(name) for name in pair.between)
        omega[first, second] = omega[second, first] = pair.value
    return names, omega


def individual_values(model: Model, typical: Mapping[str, float], names: tuple[str, ...], etas: Array) -> Values:
    """Parameters ``typical x exp(eta)`` of individuals, one row of ``etas`` each; a bioavailability is held at 1 or below."""
    count = etas.shape[0]
    found: Values = {name: np.full(count, value) for name, value in typical.items()}
    for column, name in enumerate(names):
        found[name] = found[name] * np.exp(etas[:, column])
    for name in found:
        if name.startswith("F_"):
            found[name] = np.minimum(found[name], 1.0)
    if "kel" in found:
        found["CL"] = found["kel"] * found["Vc"]
    return found


def modes_of(values: Mapping[str, Array | float], route: str = "subcutaneous") -> kernels.Modes:
    """The exponentials of a linear model's parameters, with a depot for ``route`` where the model has one and the route goes through it."""
    depot = values.get({"intravenous": "", "facilitated-subcutaneous": "F_fscig"}.get(route, "F_sc"))
    absorption = values.get("ka") if depot is not None else None
    return kernels.modes(values["CL"], values["Vc"], values.get("Q"), values.get("Vp"), absorption, 1.0 if depot is None else depot)


def catabolism_of(model: Model, values: Mapping[str, Array | float], route: str = "subcutaneous") -> saturable.Catabolism:
    """The constants of the saturable model for these parameters."""
    assert model.saturable is not None
    printed = model.saturable
    depot = values["F_fscig"] if route == "facilitated-subcutaneous" else values["F_sc"]
    return saturable.Catabolism(printed.kint.in_unit("/day"), printed.J.in_unit("g/L/day"), printed.Km.in_unit("g/L"), printed.floor.in_unit("/day"),
                                values["Vc"], values["Vp"], values["Q"], values["ka"], depot)


def residual_sd(model: Model, level: NDArray[Any] | float) -> NDArray[Any] | None:
    """Standard deviation of the residual error at total IgG (g/L), as precise as the level is given: additive and proportional parts; None when not read."""
    residual = model.residual
    if residual is None:
        return None
    additive, share = (residual.additive**2, residual.proportional**2) if residual.form == "sd" else (residual.additive, residual.proportional)
    total = np.asarray(level)
    return np.asarray(np.sqrt(total * total * share + additive))
