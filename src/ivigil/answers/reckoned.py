"""Sums that a question gives the numbers for: dosing weight, how long an infusion takes, a rise of creatinine, a change of route, billing units."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ivigil.answers import things
from ivigil.answers.diseases import Here
from ivigil.answers.person import grown, of_person
from ivigil.answers.said import Said, plain_for, said_of
from ivigil.answers.understand import Question
from ivigil.basis.facts import Fact, Origin
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import BySex, HeightFormula, Product
from ivigil.planning.weight import settle, weigh_all

_CONVERSION = "pk-policy.conversion"
_ONE_TO_ONE = {"EU", "UK"}
"""Where the change of route is gram for gram: Europe, in the statement named above."""
_INJURY, _HOLD = "safety.renal.injury", "safety.renal.injury-policy"
_UNITS = "supply.us.billing-units"
_RISE = re.compile(r"\bcreatinine\b[^.?!]{0,25}?(\d+(?:\.\d+)?)[^\d.?!]{0,15}?(?:->|→|to|then|now|up to)\s*(\d+(?:\.\d+)?)\b")
_CREATININE_UNITS = ("mg", "mol")
_BILLED = re.compile(r"\b(\d+(?:\.\d+)?)\s*g\b.*?\b(\d+)\s*mg\b\s*(?:billing\s+)?units?")
_TIMED = ("how long", "duration", "how many hours", "how much time", "hours will", "finish")
_UNDER_AN_HOUR = 1.0
_CLOSE = 0.02
_ADULT = {"adult", "man", "woman", "lady", "gentleman"}
"""Words for somebody of full age, where no age is given."""


def reckoned(here: Here, question: Question) -> list[Said]:
    """The sums, each written out, with what its factors rest on."""
    if plain_for(here.audience):
        return []
    sums = (_weight(here, question), _duration(here, question), _creatinine(here, question), _gram_for_gram(here, question), _billed(question))
    return list(dict.fromkeys(one for found in sums for one in found))


def _weight(here: Here, question: Question) -> Iterator[Said]:
    """The dosing weight by the rule of the place, where weight, height and, if the formula asks for it, sex are given."""
    place = here.evidence.jurisdictions[here.jurisdiction]
    known = of_person(question, tuple(name for name in question.facts if here.evidence.facts[name].kind == "yes_no"))
    if not {"height", "weight"} <= known.by_id.keys():
        return
    if "age" not in known.by_id and any(word.fold in _ADULT for word in question.words):
        known = known.having([Fact("age", grown(here.evidence), Origin("question"))])
    indication = question.indications[0] if question.indications else ""
    settled, _ = settle(place.weight_policy, weigh_all(here.evidence, known, here.as_of, indication))
    if settled is None or settled.kg is None or settled.policy.formula is None:
        return
    formula = here.evidence.formulas[settled.policy.formula.ideal]
    height, weight, sex = known.number("height", "cm"), known.number("weight", "kg"), known.word("sex")
    if height is None or weight is None or sex is None:
        return
    steps, kg = _steps(formula, settled.policy.formula.factor if settled.policy.gives == "adjusted" else 0.0, height, weight, sex)
    if steps and math.isclose(kg, settled.kg, abs_tol=_CLOSE):
        doses = [dose.amount.high for dose in question.amounts.doses if dose.per_kg and dose.amount.single and dose.amount.unit == "g/kg"]
        steps += [f"{number_text(each)} g/kg x {number_text(kg)} kg = {number_text(round(each * kg, 1))} g on the dosing weight" for each in doses]
        yield Said(f"{settled.policy.name}: {'; '.join(steps)}.", (*settled.policy.cites, *formula.cites), "calculation")


def _steps(formula: HeightFormula, factor: float, height: float, weight: float, sex: str) -> tuple[list[str], float]:
    """Each step of a linear formula by sex, and of the adjustment, as a sum that can be checked by hand."""
    if formula.above is None or formula.slope is None or formula.slope_per is None or not isinstance(formula.base, BySex):
        return [], 0.0
    base, slope = (formula.base.male, formula.slope.male) if sex == "male" else (formula.base.female, formula.slope.female)
    above, per = formula.above.in_unit("cm"), formula.slope_per.in_unit("cm")
    over = round(height - above, 2)
    if over <= 0:
        return [], 0.0
    times = round(over / per, 3)
    grown = round(times * slope.in_unit("kg"), 2)
    ideal = round(base.in_unit("kg") + grown, 2)
    steps = [f"{number_text(height)} cm - {number_text(above)} cm = {number_text(over)} cm"]
    steps += [f"{number_text(over)} cm / {number_text(per)} = {number_text(times)} in"] if formula.slope_per.unit != "cm" else []
    steps += [f"{number_text(times)} x {slope} = {number_text(grown)} kg", f"ideal weight {base} + {number_text(grown)} kg = {number_text(ideal)} kg"]
    if not factor:
        return steps, ideal
    excess = round(weight - ideal, 2)
    share = round(factor * excess, 2)
    kg = round(ideal + share, 2)
    steps.append(f"{number_text(weight)} kg - {number_text(ideal)} kg = {number_text(excess)} kg")
    steps.append(f"{factor:g} x {number_text(excess)} kg = {number_text(share)} kg")
    return [*steps, f"adjusted weight {number_text(ideal)} kg + {number_text(share)} kg = {number_text(kg)} kg"], kg


def _duration(here: Here, question: Question) -> Iterator[Said]:
    """How long a volume takes at the highest rate of a named product."""
    lowered = question.text.lower()
    weight = question.amounts.weight
    if weight is None or not any(word in lowered for word in _TIMED):
        return
    kg = weight.in_unit("kg")
    for product in things.one_a_brand(things.chosen(here, question.products))[:1]:
        millilitres = _volume(question, product, kg)
        rows = [row for row in product.rates if in_force(row.valid, here.as_of)]
        rows = [row for row in rows if set(row.indications) & set(question.indications)] or rows
        if millilitres is None or not rows:
            continue
        hourly_rates = [(each, one) for one in (rows[0].maximum.also, rows[0].maximum.rate) if one is not None and (each := things.hourly(one, kg, product))]
        if not hourly_rates:
            continue
        hourly, binding = min(hourly_rates, key=lambda pair: pair[0])
        hours = millilitres / hourly
        shown = f"{number_text(round(hours, 1))} h" if hours >= _UNDER_AN_HOUR else f"{number_text(round(hours * 60))} min"
        rate = f"{binding} x {number_text(kg)} kg = {number_text(round(hourly, 1))} mL/h"
        text = f"{rate}; {number_text(round(millilitres, 1))} mL / {number_text(round(hourly, 1))} mL/h = {shown}"
        yield Said(f"{text} at the highest rate alone; the slower steps before it come on top.", rows[0].cites, "calculation")


def _volume(question: Question, product: Product, kg: float) -> float | None:
    if question.amounts.volume is not None:
        return question.amounts.volume.in_unit("ml")
    percent = question.amounts.percent or product.percent
    for dose in question.amounts.doses:
        if dose.amount.single:
            grams = Quantity(dose.amount.high, dose.amount.unit)
            return (grams.in_unit("g/kg") * kg if dose.per_kg else grams.in_unit("g")) / percent * 100
    return None


def _creatinine(here: Here, question: Question) -> Iterator[Said]:
    """A rise of creatinine as a multiple of the first value, beside what counts as kidney injury."""
    found = _RISE.search(question.text.lower())
    if found is None or all(unit in found.string for unit in _CREATININE_UNITS):
        return  # two units: the quotient would mean nothing
    before, after = float(found[1]), float(found[2])
    if after > before > 0:
        times = number_text(round(after / before, 2))
        yield Said(f"Creatinine {number_text(after)} / {number_text(before)} = {times} times the value before.", (_INJURY,), "calculation")
        for name in (_HOLD, _INJURY):
            yield from said_of(here.evidence, name, here.audience)


def _gram_for_gram(here: Here, question: Question) -> Iterator[Said]:
    """In Europe the weekly grams under the skin are those into the vein, for a product whose label prints no factor."""
    grams = next((dose.amount.high for dose in question.amounts.doses if dose.amount.single and dose.amount.unit == "g"), None)
    if grams is None or not question.amounts.weeks or not _ONE_TO_ONE & {*here.places, *here.evidence.jurisdictions[here.jurisdiction].markets}:
        return
    factor = float(str(here.evidence.statements[_CONVERSION].values["eu"]))
    for product in things.one_a_brand(things.chosen(here, question.products)):
        if "intravenous" not in product.routes and not product.switch:
            weekly = number_text(round(grams * factor / question.amounts.weeks, 1))
            name, weeks = things.called(here, product), number_text(question.amounts.weeks)
            text = f"{name}: {number_text(grams)} g x {number_text(factor)} / {weeks} weeks = {weekly} g a week."
            yield Said(text, (_CONVERSION,), "calculation")


def _billed(question: Question) -> Iterator[Said]:
    found = _BILLED.search(question.text.lower())
    if found is not None:
        grams, unit = float(found[1]), float(found[2])
        yield Said(f"{number_text(grams)} g x 1000 / {number_text(unit)} mg = {number_text(round(grams * 1000 / unit, 1))} units.", (_UNITS,), "calculation")
