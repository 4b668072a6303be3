"""Body measures: physiological formulas with their published source, and the latest believable measurement.

These are arithmetic on a person's measures, not treatment rules; no dose, rate or treatment threshold lives here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date

import msgspec

from ivigil.basis.dates import years_between
from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import Quantity, Span, UnitProblem
from ivigil.patient.record import Measurement, Record

BMI_BELIEVABLE = Span(10, 80, "kg/m2")
"""Body mass index outside which weight and height cannot both be right (indications-and-dosing evidence, section b.2, guards)."""

BODY_BY_AGE: tuple[tuple[float, Span, Span], ...] = (
    (1 / 12, Span(0.3, 8, "kg"), Span(20, 65, "cm")),
    (1.0, Span(1.2, 18, "kg"), Span(30, 95, "cm")),
    (2.0, Span(3, 25, "kg"), Span(50, 110, "cm")),
    (5.0, Span(5, 50, "kg"), Span(60, 140, "cm")),
    (10.0, Span(8, 110, "kg"), Span(75, 185, "cm")),
    (18.0, Span(12, 280, "kg"), Span(80, 225, "cm")),
    (200.0, Span(22, 400, "kg"), Span(80, 250, "cm")),
)
"""Age below which (years), believable weight, believable height: far wider than any growth chart, to catch a wrong unit only."""


class Chosen(msgspec.Struct, frozen=True):
    """The measurement in use, and those left out because they cannot be right (newest first)."""

    measurement: Measurement | None
    implausible: tuple[Measurement, ...] = ()


def body_mass_index(weight: Quantity, height: Quantity) -> Quantity:
    """Weight in kg over the square of height in m, in kg/m2 (Quetelet index)."""
    metres = height.in_unit("m")
    return Quantity(weight.in_unit("kg") / (metres * metres), "kg/m2")


def ckd_epi_2021(creatinine_mg_dl: float, age_years: float, *, female: bool) -> Quantity:
    """Estimated filtration rate in mL/min/1.73 m2 from serum creatinine (mg/dL), for adults, without a race term.

    142 x min(Scr/k, 1)^a x max(Scr/k, 1)^-1.200 x 0.9938^age, x 1.012 if female; k 0.7 and a -0.241 (female), k 0.9 and a -0.302 (male).
    Inker LA et al. New creatinine- and cystatin C-based equations to estimate GFR without race. N Engl J Med 2021;385:1737-1749,
    as printed by the National Kidney Foundation (kidney.org, "CKD-EPI Creatinine Equation (2021)").

    Raises:
        ValueError: creatinine is not above nought, or the age is below 18 years, for which the equation was not made.
    """
    if creatinine_mg_dl <= 0:
        raise ValueError("creatinine must be above nought")
    if age_years < 18:
        raise ValueError("the equation is for adults")
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine_mg_dl / kappa
    rate = 142.0 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938**age_years * (1.012 if female else 1.0)
    return Quantity(rate, "mL/min/1.73m2")


def bedside_schwartz(creatinine_mg_dl: float, height_cm: float, age_years: float) -> Quantity:
    """Estimated filtration rate in mL/min/1.73 m2 of a child: 0.413 x height in cm / serum creatinine in mg/dL (assay traceable to IDMS).

    Schwartz GJ et al. New equations to estimate GFR in children with CKD. J Am Soc Nephrol 2009;20:629-637, as printed by the National Kidney
    Foundation (kidney.org, "Creatinine-based Bedside Schwartz Equation (2009)"), for children from 1 to 18 years.

    Raises:
        ValueError: creatinine is not above nought, or the age is outside 1 to 18 years.
    """
    if creatinine_mg_dl <= 0:
        raise ValueError("creatinine must be above nought")
    if not 1 <= age_years < 18:
        raise ValueError("the equation is for children from 1 to 18 years")
    return Quantity(0.413 * height_cm / creatinine_mg_dl, "mL/min/1.73m2")


def age_on(record: Record, on: date) -> Quantity | None:
    """Age in years on a day: from the date of birth, else the age written in the record; None when neither is known or birth lies ahead."""
    if record.born is not None:
        return Quantity(years_between(record.born, on), "year") if record.born <= on else None
    return record.age.to("year") if record.age is not None else None


def plausible(value: Quantity, span: Span | None) -> bool:
    """True when the value is a real number inside the register's plausible range (or there is none); a wrong dimension is implausible."""
    if not math.isfinite(value.value):
        return False
    if span is None:
        return value.value > 0
    try:
        return span.holds(value.in_unit(span.unit) if span.unit else value.value)
    except UnitProblem:
        return False


def span_by_age(record: Record, fact: str, on: date) -> Span | None:
    """Believable ``weight`` or ``height`` at the patient's age on a day; None when the age is unknown."""
    age = age_on(record, on)
    if age is None:
        return None
    years = age.in_unit("year")
    return next((weight if fact == "weight" else height for below, weight, height in BODY_BY_AGE if years < below), None)


def latest(measurements: Iterable[Measurement], definition: FactDefinition | None, as_of: date, record: Record | None = None) -> Chosen:
    """The newest believable measurement not after ``as_of``; undated ones count as today's. Of one day's values the last written wins.

    With the ``record``, a value must also fit the age at which it was measured.
    """
    known = [(index, item) for index, item in enumerate(measurements) if item.on is None or item.on <= as_of]
    known.sort(key=lambda pair: (pair[1].on or as_of, pair[0]), reverse=True)
    span = definition.plausible if definition is not None else None
    left_out: list[Measurement] = []
    for _, item in known:
        by_age = span_by_age(record, definition.id, item.on or as_of) if record is not None and definition is not None else None
        if plausible(item.value, span) and (by_age is None or plausible(item.value, by_age)):
            return Chosen(item, tuple(left_out))
        left_out.append(item)
    return Chosen(None, tuple(left_out))
