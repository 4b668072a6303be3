"""Patients and contexts for the tests of dose, course, vials and cost, on the evidence files that those steps read."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, parse_quantity
from ivigil.evidence.compile import compile_evidence
from ivigil.evidence.files import read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Indication, Product, Regimen, RegimenDose, Vials
from ivigil.patient.record import Order, Override, PastInfusion, Record
from ivigil.planning import cost, course, dosing, vials
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line

_PARTS = ("facts.yaml", "jurisdictions.yaml", "sources/", "statements/", "weight-policies/", "rounding/", "dose-limits/", "indications/", "products/")
AUTUMN = date(2026, 11, 21)
MONDAY = datetime(2026, 11, 23, 9, 0)


@cache
def evidence() -> Evidence:
    """The evidence that dosing reads; rules and the rest are left out."""
    folder = Path(__file__).resolve().parents[2] / "evidence"
    return compile_evidence([file for file in read_folder(folder) if file.name.startswith(_PARTS)]).evidence


def known(**values: str | bool) -> Facts:
    """Facts by id (two underscores stand for the dot); a text that starts with a digit is a quantity. BMI follows from weight and height."""
    found: dict[str, bool | Quantity | str] = {}
    for key, value in values.items():
        found[key.replace("__", ".")] = parse_quantity(value) if isinstance(value, str) and value[0].isdigit() else value
    weight, height = found.get("weight"), found.get("height")
    if isinstance(weight, Quantity) and isinstance(height, Quantity):
        found["bmi"] = Quantity(weight.in_unit("kg") / height.in_unit("m") ** 2, "kg/m2")
    return Facts(Fact(name, value, Origin("record")) for name, value in found.items())


MAN = known(weight="100 kg", height="175 cm", sex="male", age="50 year")
CHILD = known(weight="34 kg", height="128 cm", sex="male", age="7 year")


def context(jurisdiction: str, **more: object) -> Context:
    """A context of November 2026 with the course starting on Monday the 23rd."""
    return msgspec.structs.replace(Context(jurisdiction=jurisdiction, as_of=AUTUMN, start=MONDAY), **more)


def product(*sizes: str, percent: float = 10.0) -> Product:
    """A made-up intravenous product of the US market with these vial sizes."""
    return Product(id="sample-us", brand="Sample", maker="Maker", market="US", routes=("intravenous",), percent=percent,
                   vials=Vials(sizes=tuple(parse_quantity(size) for size in sizes), cites=("rounding.least-waste",)))


def regimen(dose: RegimenDose, **more: object) -> Regimen:
    """A made-up regimen of the US that stands on a real statement."""
    base = Regimen(id="sample.regimen", authority="sample", jurisdiction="US", phase="acute", dose=dose, cites=("limit.course-total-not-each-day",))
    return msgspec.structs.replace(base, **more)


def with_regimens(*regimens: Regimen) -> Indication:
    """A real indication with these regimens instead of its own."""
    return msgspec.structs.replace(evidence().indications["gbs"], regimens=regimens)


def draft(indication: str | Indication, facts: Facts, order: Order | None = None, *, product: Product | None = None,
          infusions: tuple[PastInfusion, ...] = (), overrides: tuple[Override, ...] = ()) -> Draft:
    """A draft as it reaches the dosing step."""
    found = evidence().indications[indication] if isinstance(indication, str) else indication
    record = Record(id="sample", order=order or Order(), infusions=infusions, overrides=overrides)
    return Draft(record=record, facts=facts, indication=found, product=product)


def dosed(start: Draft, where: Context) -> Draft:
    """After the dosing step."""
    return dosing.step(start, evidence(), where)


def planned(start: Draft, where: Context) -> Draft:
    """After dosing, course, vials and cost."""
    for step in (dosing.step, course.step, vials.step, cost.step):
        start = step(start, evidence(), where)
    return start


def line(plan: Draft, name: str) -> Line:
    """The line with this id; it must be there."""
    found = [one for one in plan.lines if one.id == name]
    assert found, f"no line {name}; there are {[one.id for one in plan.lines]}"
    return found[0]


def lines(plan: Draft) -> set[str]:
    """The ids of all lines."""
    return {one.id for one in plan.lines}
