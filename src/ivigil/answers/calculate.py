"""Arithmetic on the amounts of a question: grams from g/kg, g/kg from grams, rates, totals. What looks like a slip is asked about, never computed through."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from ivigil.answers.amounts import Amounts, Dose
from ivigil.answers.answer import Reason
from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, frame, said_of
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.doses import form_of
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import DoseLimit
from ivigil.patient.body import BMI_BELIEVABLE, BODY_BY_AGE

_FIREWALL = "ivigil-policy.unit-firewall"
_SLIP = "claims.order-slip"
_TOTAL = "limit.course-total-not-each-day"
_A_GRAM = {"1 g"}
"""What is said of a price or a sugar, and no dose."""
_FIGURES = 3
_SMALL = 0.1


class Calculated(msgspec.Struct, frozen=True):
    """What the amounts come to; ``asks`` when they cannot be right or can be read in two ways."""

    said: tuple[Said, ...] = ()
    asks: bool = False
    reason: Reason = ""
    follow_up: tuple[str, ...] = ()
    correct: tuple[str, ...] = ()


def calculated(here: Here, amounts: Amounts, indications: tuple[str, ...]) -> Calculated:
    """Everything that can be worked out of the amounts of a question."""
    if amounts.odd:
        return _asks(
            (
                frame(f"A dose is given per kilogram of body weight. {_quoted(amounts.odd[0])} is in another unit."),
                *said_of(here.evidence, _FIREWALL, "clinician"),
            ),
            "Which dose is meant, in g per kg of body weight?",
        )
    if amounts.bare and not amounts.doses:
        return _asks(
            (
                frame(f"{_quoted(amounts.bare[0])} has no unit. Grams are a thousand times as much as milligrams."),
                *said_of(here.evidence, _FIREWALL, "clinician"),
            ),
            "Are grams or milligrams per kg meant?",
        )
    weight = amounts.weight
    if weight is not None and not _believable(here, amounts, weight):
        who = f" at {amounts.height}" if amounts.height is not None else f" at the age of {amounts.years:g} years" if amounts.years else ""
        said = (_calc(f"A body weight of {weight}{who} cannot be right"), *said_of(here.evidence, _FIREWALL, "clinician"))
        return _asks(said, "What is the body weight, with its unit?")
    out: list[Said] = []
    if weight is not None and weight.unit != "kg":
        out.append(_calc(f"{weight} = {_figures(weight.in_unit('kg'))} kg"))
    for dose in amounts.doses:
        if amounts.unit_mg and not dose.per_kg and math.isclose(_in(dose, "g")[0] * 1000, amounts.unit_mg):
            continue
        found = _per_kg(here, amounts, dose, indications) if dose.per_kg else _grams(here, amounts, dose, indications)
        if found.asks:
            return msgspec.structs.replace(found, said=(*out, *found.said))
        out += found.said
        if found.correct:
            return Calculated(tuple(out), correct=found.correct)
    out += _rates(amounts)
    out += _volumes(amounts)
    return Calculated(tuple(out))


def _believable(here: Here, amounts: Amounts, weight: Quantity) -> bool:
    """Whether the weight can be right at all, at the age and with the height that are named: the bounds are those of a patient record."""
    kg = weight.in_unit("kg")
    span = here.evidence.facts["weight"].plausible
    if span is not None and not span.holds(kg):
        return False
    by_age = next((one for below, one, _ in BODY_BY_AGE if amounts.years is not None and amounts.years < below), None)
    if by_age is not None and not by_age.holds(kg):
        return False
    return amounts.height is None or BMI_BELIEVABLE.holds(kg / amounts.height.in_unit("m") ** 2)


def _asks(said: tuple[Said, ...], *ask: str) -> Calculated:
    return Calculated(said, asks=True, reason="unsafe-unit", follow_up=ask)


def _per_kg(here: Here, amounts: Amounts, dose: Dose, indications: tuple[str, ...]) -> Calculated:
    """A dose per body weight: too small or too large to be right, a total read as a daily dose, or the grams it comes to."""
    low, high = _in(dose, "g/kg")
    smallest = printed_smallest(here.evidence)
    if high < smallest:
        text = f"{dose.amount} = {_range(low, high)} g/kg"
        meant = Quantity(dose.amount.high, "g/kg") if dose.amount.unit != "g/kg" else None
        question = f"Is {meant} meant?" if meant is not None and meant.value <= _largest(here) else "Which dose per kg is meant?"
        said = (
            _calc(text if dose.amount.unit != "g/kg" else f"The dose asked about is {dose.amount}"),
            frame("That is below every dose in the evidence, so nothing is worked out from it."),
            *said_of(here.evidence, _FIREWALL, "clinician"),
        )
        return _asks(said, question)
    out: list[Said] = []
    days = amounts.days
    daily = dose.per in {"day", "session"}
    total_low, total_high = low, high
    if daily and days is not None and days.high > 1:
        total_low, total_high = low * days.low, high * days.high
        out.append(_calc(f"{dose.amount} a {dose.per} on {_range(days.low, days.high)} days = {_range(total_low, total_high)} g/kg in total"))
    largest = _largest(here)
    if (daily and high > _most_a_day(here) and (days is None or days.high > 1)) or total_high > largest:
        usual = _usual_days(here)
        if usual is not None and daily and days is None:
            out.append(_calc(f"{dose.amount} on each of {_range(*usual)} days = {_range(low * usual[0], high * usual[1])} g/kg in total", (_TOTAL,)))
        return Calculated((*out, *said_of(here.evidence, "limit.course-plausible", "clinician")), correct=("each-session",))
    if amounts.weight is not None:
        kg = amounts.weight.in_unit("kg")
        shown = f"{_figures(kg)} kg"
        each = f" a {dose.per}" if dose.per else ""
        out.append(_calc(f"{dose.amount}{each} x {shown} = {_range(low * kg, high * kg)} g{each}"))
        if daily and days is not None and days.high > 1:
            out.append(_calc(f"{_range(total_low, total_high)} g/kg x {shown} = {_range(total_low * kg, total_high * kg)} g in total"))
        elif not daily and days is not None and days.high > 1:
            out.append(
                _calc(f"{_range(low * kg, high * kg)} g over {_range(days.low, days.high)} days = {_split(low * kg, high * kg, days.low, days.high)} g a day")
            )
        if amounts.percent:
            volume = _range(low * kg / amounts.percent * 100, high * kg / amounts.percent * 100)
            out.append(_calc(f"{_range(low * kg, high * kg)} g of a {amounts.percent:g} % product = {volume} mL"))
    limits = [limit for limit in here.evidence.dose_limits.values() if _over(limit, high, total_high, daily, indications)]
    for limit in limits[:2]:
        out += said_of(here.evidence, limit.id, "clinician")
    return Calculated(tuple(out))


def _grams(here: Here, amounts: Amounts, dose: Dose, indications: tuple[str, ...]) -> Calculated:
    """A dose in grams: with a weight the g/kg that it is, checked against what is printed; without one, a question."""
    low, high = _in(dose, "g")
    if amounts.weight is None:
        told = amounts.percent or amounts.unit_mg or amounts.days is not None
        if not indications and not told and dose.text.strip() not in _A_GRAM and (dose.per or high >= 1):
            return Calculated((*said_of(here.evidence, "claims.fixed-grams", "clinician"),), asks=False, follow_up=("What is the body weight?",))
        return Calculated()
    kg = amounts.weight.in_unit("kg")
    each = f" a {dose.per}" if dose.per else ""
    reading = _calc(f"{dose.amount}{each} for {_figures(kg)} kg = {_range(low / kg, high / kg)} g/kg{each}")
    per = high / kg
    if per < printed_smallest(here.evidence):
        meant = Quantity(dose.amount.high, "g")
        other = (
            (_calc(f"{number_text(meant.value)} g/kg{each} x {_figures(kg)} kg = {_figures(meant.value * kg)} g{each}", (_SLIP,)),)
            if meant.value <= _largest(here)
            else ()
        )
        said = (
            reading,
            frame("That is far below every dose in the evidence and may be a slip for the same number per kg. Nothing is planned from it."),
            *other,
            *said_of(here.evidence, _FIREWALL, "clinician"),
        )
        return _asks(said, f"Is {number_text(meant.value)} g per kg{each} meant?" if other else "Which dose per kg is meant?")
    days = amounts.days.high if amounts.days is not None and dose.per in {"day", "session"} else 1.0
    if per * days > _largest(here):
        return _asks(
            (reading, *said_of(here.evidence, "limit.course-plausible", "clinician")), "Is the amount in grams, and is it the whole course or one day?"
        )
    return Calculated((reading,))


def _volumes(amounts: Amounts) -> Iterator[Said]:
    """What grams, volumes, strengths and rates come to without a body weight: millilitres, grams, hours, grams a day, billing units."""
    grams = next((dose for dose in amounts.doses if not dose.per_kg and dose.amount.single and _in(dose, "g")[0] * 1000 != amounts.unit_mg), None)
    if grams is not None and amounts.weight is None:
        amount = _in(grams, "g")[0]
        if amounts.percent:
            yield _calc(f"{_figures(amount)} g of a {amounts.percent:g} % product = {_figures(amount / amounts.percent * 100)} mL")
        if amounts.days is not None and amounts.days.high > 1 and not grams.per:
            days = amounts.days
            yield _calc(f"{_figures(amount)} g over {_range(days.low, days.high)} days = {_split(amount, amount, days.low, days.high)} g a day")
    volume = amounts.volume.in_unit("mL") if amounts.volume is not None else 0.0
    if volume and amounts.percent:
        yield _calc(f"{_figures(volume)} mL of a {amounts.percent:g} % product = {_figures(volume * amounts.percent / 100)} g")
    rate = next((one.in_unit("mL/h") for one in amounts.rates if one.dimension == "volume rate"), 0.0)
    if volume and rate:
        yield _calc(f"{_figures(volume)} mL at {_figures(rate)} mL/h = {_figures(volume / rate)} h")


def _rates(amounts: Amounts) -> Iterator[Said]:
    """Rates per body weight as mL/h, where weight and strength are given."""
    if amounts.weight is None:
        return
    kg = amounts.weight.in_unit("kg")
    for rate in amounts.rates:
        if rate.dimension == "volume rate per body mass":
            per_hour = rate.in_unit("mL/kg/h")
            yield _calc(f"{rate} x {_figures(kg)} kg = {_figures(per_hour * kg)} mL/h")
        elif rate.dimension == "mass rate per body mass":
            grams = rate.in_unit("mg/kg/h") * kg / 1000
            yield _calc(f"{rate} x {_figures(kg)} kg = {_figures(grams)} g/h")
            if amounts.percent:
                yield _calc(f"{_figures(grams)} g/h of a {amounts.percent:g} % product = {_figures(grams / amounts.percent * 100)} mL/h")
        elif rate.dimension == "volume rate":
            yield _calc(f"{rate} for {_figures(kg)} kg = {_figures(rate.in_unit('mL/h') / kg)} mL/kg/h")


@kept
def printed_smallest(evidence: Evidence) -> float:
    """The smallest dose in g/kg that any regimen prints."""
    forms = [form for one in evidence.indications.values() for regimen in one.regimens if (form := form_of(regimen)) is not None]
    amounts = [Quantity(form.amount.low, form.amount.unit) for form in forms if form.amount.unit]
    return min((one.in_unit("g/kg") for one in amounts if one.dimension == "mass per body mass"), default=0.0)


def _limit(here: Here, name: str) -> DoseLimit | None:
    return here.evidence.dose_limits.get(name)


def _largest(here: Here) -> float:
    """The course beyond which nothing is computed, in g/kg."""
    limit = _limit(here, "course-plausible")
    return limit.at_most.in_unit("g/kg") if limit is not None and limit.at_most is not None else math.inf


def _most_a_day(here: Here) -> float:
    limit = _limit(here, "per-day")
    return limit.at_most.in_unit("g/kg") if limit is not None and limit.at_most is not None else math.inf


def _usual_days(here: Here) -> tuple[float, float] | None:
    """The days over which the usual total is spread, as its statement has them in its values or words."""
    statement = here.evidence.statements.get(_TOTAL)
    written = str(statement.values.get("days") or statement.values.get("over_days") or "") if statement is not None else ""
    low, _, high = written.partition("-")
    return (float(low), float(high or low)) if low.strip().isdigit() else None


def _over(limit: DoseLimit, a_day: float, total: float, daily: bool, indications: tuple[str, ...]) -> bool:
    if limit.at_most is None or limit.at_most.dimension != "mass per body mass" or (limit.indications and not set(limit.indications) & set(indications)):
        return False
    if set(limit.excepted) & set(indications):
        return False
    value = total if limit.measure == "course" else a_day if daily else 0.0
    return limit.measure in {"course", "per_day"} and value > limit.at_most.in_unit("g/kg") * (1 + 1e-9)


def _in(dose: Dose, unit: str) -> tuple[float, float]:
    return Quantity(dose.amount.low, dose.amount.unit).in_unit(unit), Quantity(dose.amount.high, dose.amount.unit).in_unit(unit)


def _calc(text: str, cites: tuple[str, ...] = ()) -> Said:
    return Said(f"{text}.", cites, "calculation")


def _figures(value: float) -> str:
    """Three figures, and whole numbers whole."""
    if value and abs(value) < 1:
        return f"{value:.{_FIGURES if abs(value) >= _SMALL else _FIGURES - 1}g}"
    return number_text(round(value, 1))


def _range(low: float, high: float) -> str:
    return _figures(low) if math.isclose(low, high) else f"{_figures(low)}-{_figures(high)}"


def _split(low: float, high: float, fewest: float, most: float) -> str:
    return _range(low / most, high / fewest)


def _quoted(text: str) -> str:
    return f"'{' '.join(text.split())}'"
