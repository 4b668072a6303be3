"""The shapes of the pharmacokinetic evidence: published population models, which of them is for whom, and what each is checked against."""

from __future__ import annotations

from typing import Literal

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition
from ivigil.evidence.shapes import Cited, Route, Shape

CovariateName = Literal["weight", "lean-mass", "igm"]


class Scaling(Shape, frozen=True):
    """A typical value times ``(by / reference) ** exponent``, as printed."""

    by: CovariateName
    reference: Quantity
    exponent: float


class Variation(Shape, frozen=True):
    """How a parameter differs between patients, as printed: an apparent coefficient of variation or a log-scale variance, as fractions.

    ``omega2 = ln(1 + cv ** 2)``. ``cap_cv`` bounds an extreme printed value where virtual patients are drawn.
    """

    cv: float | None = None
    variance: float | None = None
    cap_cv: float | None = None


class Branch(Shape, frozen=True, rename={"indications": "for"}):
    """Another typical value, or a factor on it, for some indications."""

    indications: tuple[str, ...]
    value: Quantity | None = None
    times: float | None = None
    say: str = ""


class Parameter(Cited, frozen=True):
    """One typical value: a quantity with its unit, or a bare fraction."""

    value: Quantity | float
    scaled: Scaling | None = None
    branches: tuple[Branch, ...] = ()
    varies: Variation | None = None
    say: str = ""


class Baseline(Cited, frozen=True):
    """Endogenous IgG, added to the infused IgG as a constant, and how the authors came to it."""

    how: Literal["fixed", "estimated", "observed", "subtracted", "cohort-median", "not-reported"]
    value: Quantity | float
    scaled: Scaling | None = None
    branches: tuple[Branch, ...] = ()
    varies: Variation | None = None
    range: Span | None = None
    say: str = ""


class Residual(Cited, frozen=True):
    """Residual error as printed: additive in g/L (or its square) and proportional as a fraction, both as ``sd`` or both as ``variance``."""

    form: Literal["sd", "variance"]
    additive: float = 0.0
    proportional: float = 0.0
    say: str = ""


class Domain(Cited, frozen=True):
    """The patients the model was made from; indications of the purpose ``borrowed_purpose`` that have no model of their own may borrow this one."""

    indications: tuple[str, ...]
    routes: tuple[Route, ...]
    borrowed_purpose: Literal["replacement", "immunomodulation", ""] = ""
    weight: Span | None = None
    age: Span | None = None
    course_at_least: Quantity | None = None
    course_below: Quantity | None = None
    patients: int = 0
    say: str = ""


class Saturable(Cited, frozen=True):
    """Catabolism that speeds up with total IgG: rate ``max(kint - J / (Km + C), floor)`` from plasma, production constant."""

    kint: Quantity
    J: Quantity
    Km: Quantity
    floor: Quantity
    Vc: Quantity
    Vp: Quantity
    Q: Quantity


class Response(Cited, frozen=True):
    """An indirect response to IgG above baseline: ``d/dt = kin - (1 - Imax E / (C50 + E)) kout R`` with ``kin = start kout``."""

    name: str
    start: Quantity
    kout: Quantity
    C50: Quantity
    Imax: float
    meaningful: Quantity | None = None
    varies: Variation | None = None
    residual: Residual | None = None


class Caveat(Cited, frozen=True):
    """What to know before trusting the model; said always, or when ``when`` holds."""

    say: str
    when: Condition | None = None
    refuses: bool = False


class Covariance(Shape, frozen=True):
    """A printed covariance of two log-scale deviations."""

    between: tuple[str, ...]
    value: float


class Model(Shape, frozen=True):
    """One published population model. ``role`` says whether it may stand first, beside others, only when asked for, or never for a patient."""

    id: str
    name: str
    family: Literal["linear", "saturable"]
    role: Literal["first-choice", "alternative", "excluded", "reference"]
    purpose: Literal["replacement", "immunomodulation", "neonate", "none"]
    domain: Domain
    baseline: Baseline
    parameters: dict[str, Parameter] = {}
    residual: Residual | None = None
    saturable: Saturable | None = None
    response: Response | None = None
    lean_mass_within: Span | None = None
    covariances: tuple[Covariance, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    reason: str = ""
    not_read: tuple[str, ...] = ()
    note: str = ""


class ModelChoice(Cited, frozen=True, rename={"indications": "for"}):
    """Which model comes first in a situation and which stand beside it; the first entry that fits decides."""

    id: str
    say: str
    first: str
    indications: tuple[str, ...] = ()
    purpose: Literal["replacement", "immunomodulation", ""] = ""
    routes: tuple[Route, ...] = ()
    when: Condition | None = None
    beside: tuple[str, ...] = ()
    course_at_least: Quantity | None = None


class ForecastState(Cited, frozen=True, rename={"indications": "for"}):
    """A state in which IgG behaves otherwise than in any model: no forecast without levels, or a caution."""

    id: str
    say: str
    forecast: Literal["needs-levels", "caution"]
    when: Condition | None = None
    indications: tuple[str, ...] = ()


class ForecastSetting(Cited, frozen=True):
    """A number of the forecast itself that is no model's: a bound, a default, a factor for an alarm."""

    id: str
    value: Span
    say: str


class LeanMass(Cited, frozen=True):
    """Lean body mass from weight and height: ``linear`` (per_weight W + per_height H + constant) or ``power`` (factor x W ** a x H ** b x times)."""

    id: str
    name: str
    shape: Literal["linear", "power"]
    sex: Literal["male", "female", ""] = ""
    per_weight: float = 0.0
    per_height: float = 0.0
    constant: Quantity | None = None
    factor: float = 0.0
    weight_exponent: float = 0.0
    height_exponent: float = 0.0
    times: float = 0.0


class ModelCheck(Cited, frozen=True):
    """A printed or derived fact that models must reproduce: ``measure`` under the given inputs lies within ``expected``, or reaches it (``at-least``).

    ``tolerance`` widens the expected range. ``say`` states assumptions and deviations. Which models a shared check concerns stands in their vignettes.
    """

    id: str
    measure: str
    expected: Span
    say: str
    bound: Literal["between", "at-least"] = "between"
    tolerance: Quantity | None = None
    weight: Quantity | None = None
    height: Quantity | None = None
    sex: Literal["male", "female", ""] = ""
    indication: str = ""
    dose: Quantity | None = None
    loading: Quantity | None = None
    every: Quantity | None = None
    days: int = 1
    route: Route = "intravenous"
    at: Quantity | None = None
    baseline: Quantity | None = None
    difference: Quantity | None = None


class Deviation(Cited, frozen=True):
    """Where a model departs for good from what is printed, or where what is printed cannot be compared, and why."""

    say: str


class Vignette(Cited, frozen=True):
    """What the model of the same name is held to: checks of its own and shared ones, what they assume, and the deviations that stay."""

    id: str
    name: str
    say: str
    shares: tuple[str, ...] = ()
    checks: tuple[ModelCheck, ...] = ()
    deviations: tuple[Deviation, ...] = ()


KINETICS_KINDS: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("pharmacokinetics/choice.yaml", "model_choices", ModelChoice),
    ("pharmacokinetics/states.yaml", "forecast_states", ForecastState),
    ("pharmacokinetics/settings.yaml", "forecast_settings", ForecastSetting),
    ("pharmacokinetics/lean-mass.yaml", "lean_mass", LeanMass),
    ("pharmacokinetics/checks.yaml", "model_checks", ModelCheck),
    ("pharmacokinetics/*.yaml", "models", Model),
    ("pharmacokinetics/vignettes/*.yaml", "vignettes", Vignette),
)
"""Which file fills which part of the evidence, first match wins."""
