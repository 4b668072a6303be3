"""Facts: what is known about one patient, each with where it came from. Absent is unknown, never no."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from ivigil.basis.quantity import Quantity, Span

Stage = Literal["patient", "product", "course"]
"""When in planning a fact becomes known."""

Value = bool | Quantity | str
"""A yes/no, a quantity in the fact's own unit, or a word."""


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes by which records name a thing; an ICD-10 entry stands for itself and everything below it."""

    loinc: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    icd10: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    ndc: tuple[str, ...] = ()
    cvx: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()
    hcpcs: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


class Molar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One analyte printed two ways: 1 ``per`` equals ``factor`` ``unit``."""

    unit: str
    per: str
    factor: float


class FactDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """An entry of the facts register: the only names that rules may use."""

    id: str
    kind: Literal["quantity", "yes_no", "choice", "text"]
    label: str
    ask: str = ""
    unit: str = ""
    stage: Stage = "patient"
    source: Literal["conditions", "medicines", "allergies", "results", "history", "order", "derived", "body", "product"] = "conditions"
    codes: Codes = Codes()
    names: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    fresh: Quantity | None = None
    plausible: Span | None = None
    molar: Molar | None = None
    history_counts: bool = False
    routine: bool = True
    note: str = ""


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a value came from: ``where`` names the record field or FHIR resource, ``on`` its date, ``how`` a derivation."""

    where: str
    on: date | None = None
    how: str = ""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One known value with its origin. ``stale`` marks a value older than the register allows."""

    id: str
    value: Value
    origin: Origin
    stale: bool = False


class Facts(Mapping[str, Fact]):
    """An immutable set of facts; :meth:`having` gives a new one with more.

    ``by_id`` is a plain mapping, for places that look up many. ``as_shown`` keeps how facts are shown, since lines show the same ones again and
    again; the sets made by :meth:`having` share it.
    """

    __slots__ = ("as_shown", "by_id")

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self.by_id: Mapping[str, Fact] = {fact.id: fact for fact in facts}
        self.as_shown: dict[str, tuple[Fact, Any]] = {}

    def __getitem__(self, key: str) -> Fact:
        return self.by_id[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_id)

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, key: object) -> bool:
        return key in self.by_id

    def get(self, key: str, default: Any = None) -> Any:
        """The fact under ``key``, or ``default`` when it is unknown."""
        return self.by_id.get(key, default)

    def beginning(self, prefix: str) -> tuple[str, ...]:
        """The ids that begin with ``prefix``."""
        return tuple(key for key in self.by_id if key.startswith(prefix))

    def having(self, facts: Iterable[Fact]) -> Facts:
        """These facts and the new ones; a new value for a known id replaces it."""
        known = dict(self.by_id)
        for fact in facts:
            known[fact.id] = fact
        new = Facts()
        new.by_id, new.as_shown = known, self.as_shown
        return new

    def quantity(self, key: str) -> Quantity | None:
        """The quantity under ``key``, or None when unknown."""
        fact = self.by_id.get(key)
        return fact.value if fact is not None and isinstance(fact.value, Quantity) else None

    def number(self, key: str, unit: str) -> float | None:
        """The bare number under ``key`` in ``unit``, or None when unknown."""
        quantity = self.quantity(key)
        return None if quantity is None else quantity.in_unit(unit)

    def flag(self, key: str) -> bool | None:
        """Yes, no or unknown."""
        fact = self.by_id.get(key)
        return fact.value if fact is not None and isinstance(fact.value, bool) else None

    def word(self, key: str) -> str | None:
        """The chosen word, or None when unknown."""
        fact = self.by_id.get(key)
        return fact.value if fact is not None and isinstance(fact.value, str) else None
