"""Records and persons for the tests of the forecast."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, parse_quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.record import Measurement, Order, PastInfusion, Record, Result
from ivigil.pharmacokinetics.typical import Person

TODAY = date(2026, 11, 20)
ADULT = Person(70.0, 170.0, 40.0, "male", None, "pid", "replacement")


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def infusion(days: int, grams: str = "28 g", route: Any = "intravenous", **more: Any) -> PastInfusion:
    return PastInfusion(on=on(days), dose=parse_quantity(grams), route=route, **more)


def level(days: int | None, value: str, **more: Any) -> Result:
    return Result(test="igg", value=parse_quantity(value), on=None if days is None else on(days), **more)


def record(**parts: Any) -> Record:
    return Record(**{"id": "test", "sex": "male", "age": Quantity(40, "year"), "weights": (Measurement(value=Quantity(70, "kg")),),
                     "heights": (Measurement(value=Quantity(170, "cm")),), "order": Order(indication="pid"), **parts})


def facts(**known: Any) -> Facts:
    """Facts by id with dots written as double underscores."""
    return Facts(Fact(name.replace("__", "."), value, Origin("test")) for name, value in known.items())
