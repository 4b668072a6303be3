"""Numbers and people of a question held against what the label of a named product prints: a rate, a factor, an age."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ivigil.answers import things
from ivigil.answers.diseases import Here
from ivigil.answers.person import of_person
from ivigil.answers.said import Said, entry_said, plain_for
from ivigil.answers.understand import Question
from ivigil.basis.quantity import Quantity
from ivigil.evidence.conditions import facts_named, truth_of, written
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import ExtendedRate, PrintedRate, Product, RateSchedule

_STARTS = ("start", "begin", "initial", "first")
_MOST = ("max", "most", "highest", "limit", "top")
_RAISED = re.compile(
    r"\b(?:go|going|goes|up|raise|raised|increase|increased|move|turn)\b[^.?!]{0,20}?\bto\s+(\d+(?:\.\d+)?)(?![\d.]*\d)"
    r"(?!\s*(?:[-/%]|[a-z]*g\b|m[lg]|h\b|hours?|days?|weeks?))"
)
_FACTOR = re.compile(r"\b(?:factor|ratio|multipl\w*|coefficient)\b[^.?!]{0,30}?(\d(?:\.\d+)?)\b|\b(\d\.\d+)\s+(?:factor|times)\b|\btimes\s+(\d\.\d+)\b")
_SAME = 0.02
_MOST_PRODUCTS = 2


def against_label(here: Here, question: Question) -> list[Said]:
    """What the label prints, where the question says otherwise; nothing where it agrees or is silent. A wrong number is not said again."""
    if plain_for(here.audience):
        return []
    out: list[Said] = []
    for product in things.one_a_brand(things.chosen(here, question.products))[:_MOST_PRODUCTS]:
        out += _rates(here, question, product)
        out += _factor(here, question, product)
        out += _ages(here, question, product)
    return list(dict.fromkeys(out))


def _rates(here: Here, question: Question, product: Product) -> Iterator[Said]:
    folds = [word.fold for word in question.words]
    starting = any(word.startswith(_STARTS) for word in folds)
    topmost = any(word.startswith(_MOST) for word in folds)
    rows = [row for row in product.rates if in_force(row.valid, here.as_of)]
    rows = [row for row in rows if set(row.indications) & set(question.indications)] or rows
    asked = list(question.amounts.rates)
    raised = _RAISED.search(question.text.lower())
    if raised is not None and asked:
        asked.append(Quantity(float(raised[1]), asked[0].unit))
    told: set[str] = set()
    for rate in asked:
        for row in rows:
            printed = row.start if starting else row.maximum
            same = _alike(printed, rate)
            if same is None or math.isclose(same.value, rate.value, rel_tol=_SAME):
                continue
            if not starting and not topmost and rate.value < same.value:
                continue
            if not starting and row.extended is not None and (further := _alike(row.extended, rate)) is not None and rate.value <= further.value * (1 + _SAME):
                continue
            text = _contradicted(here, product, row, "higher" if rate.value > same.value else "lower", starting)
            if text not in told:
                told.add(text)
                yield entry_said(here.evidence, text, row.cites)


def _contradicted(here: Here, product: Product, row: RateSchedule, asked: str, starting: bool) -> str:
    printed = row.start if starting else row.maximum
    names = [here.evidence.indications[name].name.clinical for name in row.indications if name in here.evidence.indications]
    where = f", {', '.join(names[:3])}" if names else ""
    also = f" ({printed.also})" if printed.also is not None else ""
    return f"{things.called(here, product)}{where}: {'start at' if starting else 'at most'} {printed.rate}{also}. The rate asked about is {asked}"


def _alike(printed: PrintedRate | ExtendedRate, rate: Quantity) -> Quantity | None:
    """The printed rate in the unit of the one asked about."""
    for one in (printed.rate, printed.also):
        if one is not None and one.dimension == rate.dimension:
            return Quantity(one.in_unit(rate.unit), rate.unit)
    return None


def _factor(here: Here, question: Question, product: Product) -> Iterator[Said]:
    found = _FACTOR.search(question.text.lower())
    if found is None:
        return
    asked = float(next(one for one in found.groups() if one))
    for row in product.switch:
        if in_force(row.valid, here.as_of) and not math.isclose(asked, row.from_intravenous, rel_tol=_SAME):
            name = things.called(here, product)
            text = f"{name}: weekly grams are {row.from_intravenous:.2f} times the intravenous grams. The factor asked about is another"
            yield entry_said(here.evidence, text, row.cites)


def _ages(here: Here, question: Question, product: Product) -> Iterator[Said]:
    """That the label does not name the disease at the age of the person asked about."""
    known = of_person(question, ())
    if "age" not in known.by_id:
        return
    for name in question.indications:
        rows = product.labelled_in.get(name, ())
        barred = [row for row in rows if row.who is not None and facts_named(row.who) == {"age"} and truth_of(row.who, known) is False]
        if rows and len(barred) == len(rows):
            row = barred[0]
            assert row.who is not None
            disease = here.evidence.indications[name].name.clinical
            text = f"{things.called(here, product)} is labelled in {disease} only for: {written(row.who, here.evidence.labels).lower()}"
            yield entry_said(here.evidence, text, row.cites)
