"""Products side by side by one property: the products named, or those of the place where none is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from ivigil.answers import things
from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, entry_said, plain_for
from ivigil.answers.understand import Question
from ivigil.evidence.shapes import Measured, Product, Worded

_WHICH = {
    *("which", "lowest", "highest", "least", "most", "fewest", "any", "compare", "comparison", "differ", "difference", "versus", "vs", "list"),
    *("brand", "product", "contain", "containing"),
}
_FEWEST = 2
_MOST_NAMED = 4
_GENERAL = {"allergy.any_excipient"}
_SUGARS = ("sucrose", "maltose", "sorbitol", "proline", "glucose", "polysorbate_80", "hyaluronidase", "albumin")


class Property(msgspec.Struct, frozen=True):
    """What products are compared by: the words that ask for it, its column, and what a product says of it, with its statements."""

    id: str
    words: tuple[str, ...]
    title: str
    value: Callable[[Product], tuple[str, tuple[str, ...]] | None]


def _measured(one: Measured | None) -> tuple[str, tuple[str, ...]] | None:
    return (f"{'at most' if one.kind == 'max' else 'typically'} {one.value}", one.cites) if one is not None else None


def _worded(one: Worded | None) -> tuple[str, tuple[str, ...]] | None:
    return (one.value, one.cites) if one is not None else None


def _stabiliser(product: Product) -> tuple[str, tuple[str, ...]] | None:
    return (product.stabiliser.name, product.stabiliser.cites) if product.stabiliser is not None else None


def _vials(product: Product) -> tuple[str, tuple[str, ...]] | None:
    return (", ".join(map(str, product.vials.sizes)), product.vials.cites) if product.vials is not None else None


def _holds(name: str) -> Callable[[Product], tuple[str, tuple[str, ...]] | None]:
    return lambda product: (product.contains[name], product.contains_cites) if product.contains.get(name) in {"yes", "no"} and product.contains_cites else None


PROPERTIES: tuple[Property, ...] = (
    Property("iga", ("iga",), "IgA", lambda product: _measured(product.iga)),
    Property("sodium", ("sodium", "salt"), "Sodium", lambda product: _measured(product.sodium)),
    Property("osmolality", ("osmolality", "osmolarity"), "Osmolality", lambda product: _worded(product.osmolality)),
    Property("ph", ("ph",), "pH", lambda product: _worded(product.ph)),
    Property("stabiliser", ("stabilizer", "stabiliser", "stabilizers", "excipient", "sugar"), "Stabiliser", _stabiliser),
    Property("vials", ("vial", "bottle"), "Vials", _vials),
    *(Property(name, (name.partition("_")[0],), name.replace("_", " ").capitalize(), _holds(name)) for name in _SUGARS),
)


def compared(here: Here, question: Question) -> list[Said]:
    """One sentence a product for the property asked about, the least first; nothing where no two are compared."""
    folds = {word.fold for word in question.words}
    asked = next((one for one in PROPERTIES if folds & set(one.words)), None)
    named = things.one_a_brand(things.chosen(here, question.products))
    if plain_for(here.audience) or asked is None or question.indications:
        return []
    if len(named) >= _FEWEST:
        return _side_by_side(here, named[:_MOST_NAMED], asked)
    if named or set(question.facts) - _GENERAL or question.tests or not folds & _WHICH or not question.treatment:
        return []
    market = [one for one in here.evidence.products_at(here.jurisdiction) if one.status.state == "licensed"]
    return _side_by_side(here, [one for one in market if asked.id not in _SUGARS or one.contains.get(asked.id) == "yes"], asked)


def _side_by_side(here: Here, products: list[Product], by: Property) -> list[Said]:
    rows = [(product, value) for product in things.one_a_brand(products) if (value := by.value(product)) is not None]
    rows.sort(key=lambda row: _size(by, row[0]))
    return [one for product, value in rows for one in _said(here, product, by, value)]


def _said(here: Here, product: Product, by: Property, value: tuple[str, tuple[str, ...]]) -> Iterator[Said]:
    text, cites = value
    name = things.called(here, product)
    if by.id in _SUGARS:
        sentence = f"{name}: contains {'' if text == 'yes' else 'no '}{by.title.lower()}"
    else:
        sentence = f"{name}: {by.title if by.id in {'iga', 'ph'} else by.title.lower()} {text}"
    yield entry_said(here.evidence, sentence, cites)


def _size(by: Property, product: Product) -> float:
    """The least first, where the property is an amount."""
    measured = {"iga": product.iga, "sodium": product.sodium}.get(by.id)
    return measured.value.canonical if measured is not None else 0.0
