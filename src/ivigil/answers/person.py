"""Who a question is about, as far as it says so: age, sex, height and weight as facts."""

from __future__ import annotations

import re

from ivigil.answers.diseases import Here
from ivigil.answers.understand import Question
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, parse_quantity
from ivigil.evidence.library import Evidence

_AGE = re.compile(r"\b(\d{1,3}(?:\.\d)?)[\s-]*(years?|yrs?|y|months?|mo|weeks?|wks?|days?)[\s-]*(?:old\b|of age\b|o\b)")
_AGED = re.compile(
    r"\b(?:is|am|i'm|he's|she's|aged|age)\s+(\d{1,3})\b"
    r"(?!\s*(?:[-–.,]\s*\d|%|[a-z]{0,2}g\b|g/|m[lm]|[um]mol|u\b|cm|in\b|days?|weeks?|months?|hours?|h\b|min))"
)
_HEIGHT = re.compile(r"\b(\d{2,3}(?:\.\d+)?)\s*cm\b|\b([12]\.\d{1,2})\s*m\b")
_UNITS = {"y": "year", "m": "month", "w": "week", "d": "day"}
_OLDEST = 120
_GROWN = "policy.adult-age"
"""The statement on who counts as an adult where a source prints no age."""
_SEXES = {
    "female": {"woman", "female", "girl", "lady", "she", "her", "mother", "wife", "daughter", "grandmother", "grandma", "sister"},
    "male": {"man", "male", "boy", "gentleman", "he", "his", "him", "father", "husband", "son", "grandfather", "grandpa", "brother"},
}
_ORIGIN = Origin("question")


def age_in(text: str) -> Quantity | None:
    """The age of a person in a question, in the unit that it was written in."""
    lowered = text.lower().replace("’", "'")
    match = _AGE.search(lowered)
    if match is not None:
        return Quantity(float(match[1]), _UNITS[match[2][0]])
    aged = _AGED.search(lowered)
    return Quantity(float(aged[1]), "year") if aged is not None and int(aged[1]) <= _OLDEST else None


def height_in(text: str) -> Quantity | None:
    """The height of a person in a question."""
    match = _HEIGHT.search(text.lower())
    if match is None:
        return None
    return Quantity(float(match[1]), "cm") if match[1] else Quantity(float(match[2]) * 100, "cm")


def sex_in(question: Question) -> str:
    """Male or female, where the words of the question say just one of them."""
    folds = {word.fold for word in question.words}
    found = [sex for sex, words in _SEXES.items() if folds & words]
    return found[0] if len(found) == 1 else ""


def grown(evidence: Evidence) -> Quantity:
    """The age from which somebody counts as an adult where a source prints none."""
    return parse_quantity(str(evidence.statements[_GROWN].values["age"]))


def fitting_age(here: Here, question: Question) -> tuple[str, ...]:
    """The diseases named, that of children in place of that of adults where a child is asked about by age."""
    age = age_in(question.text)
    if age is None or age.in_unit("year") >= grown(here.evidence).in_unit("year") or any(word.fold == "adult" for word in question.words):
        return question.indications
    names = (name.replace("-adult", "-child") for name in question.indications)
    return tuple(dict.fromkeys(name if name in here.evidence.indications else own for name, own in zip(names, question.indications, strict=True)))


def of_person(question: Question, named: tuple[str, ...]) -> Facts:
    """The facts ``named`` as true ones, with the age, sex, height and weight that the question gives."""
    age, height, weight, sex = age_in(question.text), height_in(question.text), question.amounts.weight, sex_in(question)
    known = [Fact(name, True, _ORIGIN) for name in named]
    known += [Fact(name, value, _ORIGIN) for name, value in (("age", age), ("height", height), ("weight", weight)) if value is not None]
    known += [Fact("sex", sex, _ORIGIN)] if sex else []
    return Facts(known)
