"""What the evidence covers and what it does not: who was read on what, how, what runs out, what nothing uses, what was not read, what has no example."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Literal, get_args

import msgspec

from ivigil.evidence.files import KINDS
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import Indication, Product, ReviewStatus, Valid
from ivigil.evidence.uses import uses

Field = Literal["standing", "criteria", "dose", "review"]
FIELDS: dict[Field, str] = {"standing": "S", "criteria": "C", "dose": "D", "review": "R"}
"""What is read of an authority on an indication, with the letter of its cell; ``review`` is a review or stop rule."""
PRODUCT_FIELDS = ("rates", "vials", "iga", "sodium", "excipients", "labelled", "codes")
READINGS = ("seen twice", "seen once", "second-hand", "remembered", "decided")
REVIEWS: tuple[ReviewStatus, ...] = get_args(ReviewStatus)
SHOWN = ("rules", "interactions", "indications", "products")
"""The parts whose entries are shown by examples."""
EVERYWHERE = "international"
_NOT_READ_STANDING = "not-read"
_DOSE = re.compile(r"\bdos(e|es|ing)\b", re.IGNORECASE)


class Cell(msgspec.Struct, frozen=True):
    """What was read of one authority on one indication, for one place.

    ``read`` names the fields that rest on a document, ``unseen`` those that rest on memory or a decision only.
    """

    indication: str
    authority: str
    jurisdiction: str
    read: tuple[Field, ...]
    unseen: tuple[Field, ...] = ()

    @property
    def marks(self) -> str:
        """``S C D R``: capitals for what was read, small letters for memory and decisions, ``-`` for what was not read."""
        return marks(self.read, self.unseen)


class Ending(msgspec.Struct, frozen=True):
    """An entry whose validity is over, or ends within a year."""

    part: str
    id: str
    ends: str
    expired: bool


class ExpiredPlace(msgspec.Struct, frozen=True):
    """An indication and a place of which only expired rows of this field are left."""

    indication: str
    jurisdiction: str
    field: Field


class Gap(msgspec.Struct, frozen=True):
    """What one entry says was not read."""

    part: str
    id: str
    texts: tuple[str, ...]


class ProductRow(msgspec.Struct, frozen=True):
    """Which fields of a product were read."""

    id: str
    market: str
    read: tuple[str, ...]


class Examples(msgspec.Struct, frozen=True):
    """How many examples show each entry of one part; ``without`` names the entries that none shows."""

    part: str
    counts: dict[str, int]
    without: tuple[str, ...]


class Coverage(msgspec.Struct, frozen=True):
    """The whole account, for one version of the evidence and one day.

    ``readings`` counts statements by how they were read and where they stand in review. ``orphans`` are statements that no entry and no dispute
    uses. ``places`` are the jurisdictions, and
    ``international`` for what holds in none of them. ``no_dose_no_gap`` are indications that print no regimen and do not say that a dose was not read.
    """

    version: str
    as_of: str
    cells: tuple[Cell, ...]
    readings: dict[str, dict[ReviewStatus, int]]
    products: tuple[ProductRow, ...]
    endings: tuple[Ending, ...]
    expired_only: tuple[ExpiredPlace, ...]
    orphans: dict[str, tuple[str, ...]]
    gaps: tuple[Gap, ...]
    examples: tuple[Examples, ...]
    indications: tuple[str, ...]
    places: tuple[str, ...]
    no_dose_no_gap: tuple[str, ...]

    def at(self, indication: str, jurisdiction: str) -> Cell:
        """What was read of all authorities of one place on an indication, joined."""
        mine = [cell for cell in self.cells if (cell.indication, cell.jurisdiction) == (indication, jurisdiction)]
        read = tuple(field for field in FIELDS if any(field in cell.read for cell in mine))
        return Cell(indication, "", jurisdiction, read, tuple(field for field in FIELDS if field not in read and any(field in cell.unseen for cell in mine)))


def marks(read: Iterable[Field], unseen: Iterable[Field] = ()) -> str:
    """The letters of a cell."""
    known, remembered = set(read), set(unseen)
    return " ".join(letter if field in known else letter.lower() if field in remembered else "-" for field, letter in FIELDS.items())


def coverage(evidence: Evidence, as_of: date, examples: dict[str, int] | None = None) -> Coverage:
    """The account of ``evidence`` on ``as_of``. ``examples`` counts the examples of each entry by id, as ``check.examples_of`` does; None leaves them out."""
    used = uses(evidence)
    orphans: dict[str, list[str]] = {}
    for statement in evidence.statements.values():
        if not used[statement.id]:
            orphans.setdefault(_reading(statement.read, statement.readings), []).append(statement.id)
    readings: dict[str, dict[ReviewStatus, int]] = {reading: dict.fromkeys(REVIEWS, 0) for reading in READINGS}
    for statement in evidence.statements.values():
        readings[_reading(statement.read, statement.readings)][evidence.review_states[statement.id]] += 1
    return Coverage(
        version=evidence.version,
        as_of=as_of.isoformat(),
        cells=tuple(cell for indication in evidence.indications.values() for cell in _cells(evidence, indication, as_of)),
        readings=readings,
        products=tuple(ProductRow(product.id, product.market, tuple(_fields_of(product))) for product in evidence.products.values()),
        endings=tuple(sorted(_endings(evidence, as_of), key=lambda one: (one.ends, one.id))),
        expired_only=tuple(_expired_only(evidence, as_of)),
        orphans={reading: tuple(orphans[reading]) for reading in READINGS if reading in orphans},
        gaps=tuple(gap for part, entry in _entries(evidence) for gap in _gaps(part, entry)),
        examples=tuple(_shown(evidence, part, examples) for part in SHOWN) if examples is not None else (),
        indications=tuple(evidence.indications),
        places=(*evidence.jurisdictions, EVERYWHERE),
        no_dose_no_gap=tuple(one.id for one in evidence.indications.values() if not one.regimens and not any(map(_DOSE.search, one.not_read))),
    )


def _reading(read: str, readings: int) -> str:
    return ("seen twice" if readings > 1 else "seen once") if read == "seen" else read


# --- indications ------------------------------------------------------------------------------------------------------


def _rows(evidence: Evidence, indication: Indication) -> Iterator[tuple[Field, str, str, Valid, tuple[str, ...]]]:
    """Field, authority, place, validity and statements of every row; a remark without authority or place takes those of its first statement."""
    for standing in indication.standing:
        if standing.verdict != _NOT_READ_STANDING:
            yield "standing", standing.authority, standing.jurisdiction, standing.valid, standing.cites
    for criterion in indication.criteria:
        yield "criteria", criterion.authority, criterion.jurisdiction, criterion.valid, criterion.cites
    for regimen in indication.regimens:
        yield "dose", regimen.authority, regimen.jurisdiction, regimen.valid, regimen.cites
    for remark in (*indication.review, *indication.stop):
        statement = next((evidence.statements[cite] for cite in remark.cites if cite in evidence.statements), None)
        source = evidence.sources.get(statement.source) if statement is not None else None
        place = remark.jurisdiction or (statement.jurisdiction if statement is not None else "") or (source.jurisdiction if source is not None else "")
        yield "review", remark.authority or (statement.source if statement is not None else ""), place, remark.valid, remark.cites


def _cells(evidence: Evidence, indication: Indication, as_of: date) -> Iterator[Cell]:
    found: dict[tuple[str, str], tuple[set[Field], set[Field]]] = {}
    for field, authority, place, valid, cites in _rows(evidence, indication):
        if valid.end and valid.end < as_of.isoformat():
            continue
        read, unseen = found.setdefault((authority, place or EVERYWHERE), (set(), set()))
        (unseen if evidence.support_of(cites).read in {"remembered", "decided"} else read).add(field)
    for (authority, place), (read, unseen) in found.items():
        yield Cell(indication.id, authority, place, tuple(field for field in FIELDS if field in read),
                   tuple(field for field in FIELDS if field in unseen - read))


def _expired_only(evidence: Evidence, as_of: date) -> Iterator[ExpiredPlace]:
    for indication in evidence.indications.values():
        rows: dict[tuple[str, Field], list[Valid]] = {}
        for field, _, place, valid, _ in _rows(evidence, indication):
            rows.setdefault((place or EVERYWHERE, field), []).append(valid)
        for (place, field), valids in rows.items():
            if all(valid.end and valid.end < as_of.isoformat() for valid in valids):
                yield ExpiredPlace(indication.id, place, field)


# --- everything else --------------------------------------------------------------------------------------------------


def _fields_of(product: Product) -> Iterator[str]:
    held: dict[str, Any] = {
        "rates": product.rates or product.subcutaneous, "vials": product.vials, "iga": product.iga, "sodium": product.sodium,
        "excipients": product.contains, "labelled": product.labelled,
        "codes": any(getattr(product.codes, name) for name in product.codes.__struct_fields__),
    }
    yield from (name for name in PRODUCT_FIELDS if held[name])


def _entries(evidence: Evidence) -> Iterator[tuple[str, Any]]:
    for part in dict.fromkeys([*(part for _, part, _ in KINDS), "groups"]):
        for entry in getattr(evidence, part).values():
            yield part, entry


def _inside(node: Any) -> Iterator[msgspec.Struct]:
    """A struct and every struct inside it."""
    if isinstance(node, msgspec.Struct):
        yield node
        for name in node.__struct_fields__:
            yield from _inside(getattr(node, name))
    elif isinstance(node, tuple | list):
        for item in node:
            yield from _inside(item)


def _endings(evidence: Evidence, as_of: date) -> Iterator[Ending]:
    soon = _a_year_after(as_of).isoformat()
    for part, entry in _entries(evidence):
        for one in _inside(entry):
            valid = getattr(one, "valid", None)
            if isinstance(valid, Valid) and valid.end and valid.end <= soon:
                name = getattr(one, "id", "") or f"{entry.id} ({getattr(one, 'authority', '') or part.rstrip('s')})"
                yield Ending(part, name, valid.end, not in_force(Valid(end=valid.end), as_of))


def _a_year_after(day: date) -> date:
    """The same day a year later; the last of February for a leap day."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def _gaps(part: str, entry: Any) -> Iterator[Gap]:
    texts = tuple(text for one in _inside(entry) for text in getattr(one, "not_read", ()))
    if texts:
        yield Gap(part, entry.id, texts)


def _shown(evidence: Evidence, part: str, examples: dict[str, int]) -> Examples:
    counts = {name: examples.get(name, 0) for name in getattr(evidence, part)}
    return Examples(part, counts, tuple(name for name, count in counts.items() if not count))
