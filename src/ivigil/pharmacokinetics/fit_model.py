"""A model to fit: structure, typical parameters, covariates, person-to-person variance, residual error. Read from MODEL.yaml or built in Python."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from ivigil.basis.conversion import json_schema
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import Lines, read_yaml
from ivigil.pharmacokinetics.linear import BASELINE, CL, PARAMETERS, Floats
from ivigil.pharmacokinetics.saturable_steps import FLOOR, SATURABLE

Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]


class Effect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a parameter follows a column: ``(value / reference) ^ exponent``, or ``factor ^ value`` (a yes/no column multiplies by the factor or by 1)."""

    on: str
    reference: Positive | None = None
    exponent: float | None = None
    factor: Positive | None = None


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``typical x effects x exp(eta)``; the variance of eta is ``omega2``, or ``ln(1 + cv^2)`` where the apparent cv is given."""

    typical: Positive
    covariates: tuple[Effect, ...] = ()
    omega2: NotNegative = 0.0
    cv: NotNegative = 0.0

    @property
    def variance(self) -> float:
        """The variance of eta."""
        return self.omega2 or math.log1p(self.cv**2)


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column that holds the level before the first ever dose, where it is known, and how uncertain it is (apparent cv)."""

    column: str
    cv: Positive


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The person's own immunoglobulin, constant under all that is given. ``measured`` wins where its column holds a value."""

    typical: NotNegative = 0.0
    covariates: tuple[Effect, ...] = ()
    omega2: NotNegative = 0.0
    cv: NotNegative = 0.0
    measured: Measured | None = None

    @property
    def variance(self) -> float:
        """The variance of eta where nothing was measured."""
        return self.omega2 or math.log1p(self.cv**2)


class Covariance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An off-diagonal element of omega."""

    between: tuple[str, str]
    covariance: float


Kind = Literal["combined-variance", "combined-sd"]


class Residual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Residual error of a level f: variance ``add_sd^2 + prop_sd^2 f^2``, or standard deviation ``add_sd + prop_sd f``. One of them may be 0."""

    add_sd: NotNegative = 0.0
    prop_sd: NotNegative = 0.0
    kind: Kind = "combined-variance"


class LeanMass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lean body mass (kg) as a column of its own, from weight (kg), height (cm), sex (1 or m is male, 0 or f female) and age (years).

    ``boer`` is made for adults, ``peters`` for children, ``by-age`` is Peters below 14 years and Boer from then on. The result is held ``within`` two bounds.
    """

    formula: Literal["boer", "peters", "by-age"]
    weight: str = "WT"
    height: str = "HT"
    sex: str = "SEX"
    age: str = "AGE"
    within: tuple[Positive, Positive] | None = None


class Structure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One or two compartments; with ``depot``, compartment 1 of the table is the depot and 2 the central one, without it 1 is central.

    ``catabolism: saturable``: the fractional rate from plasma is ``max(kint - J / (Km + C), floor)``, C being total IgG, and production is constant.
    """

    compartments: Literal[1, 2]
    depot: bool = False
    catabolism: Literal["linear", "saturable"] = "linear"


class FitModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that ``fit_many`` needs to know of a model. Clearance is given as ``CL``, or as ``kel`` with ``CL = kel Vc``; a saturable model has
    ``kint``, ``J``, ``Km`` and ``floor`` in its place.
    """

    structure: Structure
    parameters: dict[str, Parameter]
    residual: Residual
    baseline: Baseline = Baseline()
    covariances: tuple[Covariance, ...] = ()
    lean_mass: dict[str, LeanMass] = {}
    name: str = ""
    note: str = ""

    @property
    def saturable(self) -> bool:
        """Whether catabolism speeds up with total IgG."""
        return self.structure.catabolism == "saturable"

    @property
    def columns_of_parameters(self) -> tuple[str, ...]:
        """The columns of every array of parameters of this model."""
        return SATURABLE if self.saturable else PARAMETERS

    @property
    def etas(self) -> tuple[str, ...]:
        """The parameters that differ between people, in the order of every array of etas."""
        names = ("kel", *(name for name in self.columns_of_parameters if name != "baseline"))
        free = [name for name in names if name in self.parameters and self.parameters[name].variance > 0]
        return (*free, "baseline") if self.baseline.variance > 0 or self.baseline.measured is not None else tuple(free)

    @property
    def omega(self) -> Floats:
        """The covariance of the etas. A baseline that is only known where it was measured gets the variance of the measurement."""
        names = self.etas
        out = np.zeros((len(names), len(names)))
        for place, name in enumerate(names):
            out[place, place] = self.baseline_variance if name == "baseline" else self.parameters[name].variance
        for item in self.covariances:
            first, second = (names.index(name) for name in item.between)
            out[first, second] = out[second, first] = item.covariance
        return out

    @property
    def baseline_variance(self) -> float:
        """The variance of the baseline's eta."""
        measured = self.baseline.measured
        return self.baseline.variance or (math.log1p(measured.cv**2) if measured is not None else 0.0)

    @property
    def design(self) -> Floats:
        """What each eta adds to the logarithm of each parameter, in the order of ``columns_of_parameters``."""
        columns = self.columns_of_parameters
        out = np.zeros((len(columns), len(self.etas)))
        for place, name in enumerate(self.etas):
            out[CL if name == "kel" else columns.index(name), place] = 1.0
            if name == "Vc" and "kel" in self.parameters:
                out[CL, place] = 1.0
        return out

    def columns(self) -> tuple[str, ...]:
        """Every column of the table that the model reads."""
        wanted: list[str] = []
        for part in self._parts:
            wanted += [effect.on for effect in part.covariates]
        out = [name for name in wanted if name not in self.lean_mass]
        for name in wanted:
            mass = self.lean_mass.get(name)
            if mass is not None:
                out += [mass.weight, mass.height]
                out += [mass.sex] if mass.formula != "peters" else []
                out += [mass.age] if mass.formula == "by-age" else []
        return tuple(dict.fromkeys(out))

    def log_columns(self) -> tuple[str, ...]:
        """The columns that must be above 0 because a power is taken of them."""
        return tuple(dict.fromkeys(effect.on for part in self._parts for effect in part.covariates if effect.exponent is not None))

    @property
    def _parts(self) -> list[Parameter | Baseline]:
        return [*self.parameters.values(), self.baseline]


def read_fit_model(text: str, place: str) -> FitModel:
    """A model from the text of a MODEL.yaml.

    Raises:
        BadInput: every problem of the file.
    """
    plain, lines = read_yaml(text, place)
    problems: list[Problem] = []
    model = Shaper().read(plain if plain is not None else {}, FitModel, place, lines, (), problems)
    if model is not None:
        problems += check_model(model, place, lines)
    if problems or model is None:
        raise BadInput(problems)
    return model


def fit_model_schema() -> dict[str, Any]:
    """The JSON Schema of a MODEL.yaml."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:ivigil:fit-model:1", **json_schema(FitModel)}


def check_model(model: FitModel, place: str = "model", lines: Lines | None = None) -> list[Problem]:
    """What types cannot say: which parameters belong to the structure, which error is there, whether omega is a covariance."""
    known = lines or {}

    def problem(path: tuple[str | int, ...], why: str, remedy: str) -> Problem:
        return Problem(place, known.get(path, known.get(path[:-1], 0)), ".".join(str(part) for part in path), why, remedy)

    return [problem(path, why, remedy) for path, why, remedy in (*_of_structure(model), *_of_effects(model), *_of_errors(model))]


Finding = tuple[tuple[str | int, ...], str, str]


def _of_structure(model: FitModel) -> Iterator[Finding]:
    needed = {"Vc", *(("Q", "Vp") if model.structure.compartments == 2 else ()), *(("ka",) if model.structure.depot else ())}
    needed |= {"kint", "J", "Km"} if model.saturable else set()
    optional = {*(("floor",) if model.saturable else ("CL", "kel")), *(("F", "lag") if model.structure.depot else ())}
    kind = f"{model.structure.compartments} compartments{' and a depot' if model.structure.depot else ''}{', saturable' if model.saturable else ''}"
    for name in sorted(needed - set(model.parameters)):
        yield ("parameters",), f"'{name}' is missing", f"a model of {kind} needs it"
    for name in model.parameters:
        if name not in needed | optional:
            yield ("parameters", name), "no parameter of this structure", f"known: {', '.join(sorted(needed | optional))}"
    if not model.saturable and ("CL" in model.parameters) == ("kel" in model.parameters):
        yield ("parameters",), "clearance must be given once", "give either CL or kel"
    lag = model.parameters.get("lag")
    if lag is not None and (lag.variance or lag.covariates):
        yield ("parameters", "lag"), "a lag is fixed: it takes no eta and no covariate", "leave omega2, cv and covariates out"


def _of_effects(model: FitModel) -> Iterator[Finding]:
    parts: dict[tuple[str | int, ...], Parameter | Baseline] = {("parameters", name): part for name, part in model.parameters.items()}
    parts["baseline",] = model.baseline
    for path, part in parts.items():
        if part.omega2 and part.cv:
            yield (*path, "cv"), "omega2 and cv are both given", "keep one of them"
        for place, effect in enumerate(part.covariates):
            power, factor = effect.reference is not None and effect.exponent is not None, effect.factor is not None
            if power == factor or (factor and (effect.reference is not None or effect.exponent is not None)):
                yield (*path, "covariates", place), "an effect is a power or a factor", "give reference and exponent, or factor"
    if model.baseline.variance and not model.baseline.typical:
        yield ("baseline", "typical"), "a baseline that differs between people needs a typical value above 0", "add typical"


def _of_errors(model: FitModel) -> Iterator[Finding]:
    if not model.residual.add_sd and not model.residual.prop_sd:
        yield ("residual",), "there is no residual error", "give add_sd, prop_sd or both"
    if not model.etas:
        yield ("parameters",), "nothing differs between people", "give at least one parameter an omega2 or a cv"
    wrong = [place for place, item in enumerate(model.covariances) if any(name not in model.etas for name in item.between) or len(set(item.between)) == 1]
    for place in wrong:
        yield ("covariances", place), "a covariance is between two different parameters with an omega2 or a cv", f"choose two of {', '.join(model.etas)}"
    if model.baseline.measured is not None and any("baseline" in item.between for item in model.covariances):
        yield ("covariances",), "a measured baseline is independent of the other parameters", "leave its covariance out"
    if not wrong and model.etas and float(np.min(np.linalg.eigvalsh(model.omega))) <= 0:
        yield ("covariances",), "omega is not positive definite", "check variances and covariances"


def typical_values(model: FitModel, covariates: Mapping[str, Floats], rows: int) -> tuple[Floats, Floats]:
    """Typical parameters of every row of a table (row, parameter), and for each row what the baseline's eta is multiplied with.

    The multiplier is below 1 where the baseline was measured: the eta keeps its variance, and the measurement is surer than the population.
    """
    columns = model.columns_of_parameters
    out = np.ones((rows, len(columns)))
    names = {"kel": CL, **{name: place for place, name in enumerate(columns)}}
    if model.saturable:
        out[:, FLOOR] = 0.0
    for name, part in model.parameters.items():
        if name in names:
            out[:, names[name]] = part.typical * _effects(part.covariates, covariates, rows)
    if "kel" in model.parameters:
        out[:, CL] *= out[:, PARAMETERS.index("Vc")]
    out[:, BASELINE] = model.baseline.typical * _effects(model.baseline.covariates, covariates, rows)
    scale = np.ones(rows)
    measured = model.baseline.measured
    if measured is not None and measured.column in covariates:
        values = covariates[measured.column]
        known = np.isfinite(values)
        out[known, BASELINE] = values[known]
        scale[known] = math.sqrt(math.log1p(measured.cv**2) / model.baseline_variance)
    return out, scale


def _effects(effects: tuple[Effect, ...], covariates: Mapping[str, Floats], rows: int) -> Any:
    out = np.ones(rows)
    for effect in effects:
        values = covariates[effect.on]
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # such rows are refused
            out = out * (effect.factor**values if effect.factor is not None else (values / (effect.reference or 1.0)) ** (effect.exponent or 0.0))
    return out
