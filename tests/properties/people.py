"""Hypothesis strategies for patients: believable bodies, conditions, medicines, results, reviewed lists or not, and an order.

A :class:`Person` holds plain numbers in the units that ivigil counts in; :func:`written` puts them down as a record would, in SI or in US
units, so that a property can ask whether the plan cares.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ivigil.basis.quantity import Quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.body import BMI_BELIEVABLE
from ivigil.patient.form import form_of
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

AS_OF = date(2026, 11, 20)

RENAL = ("chronic kidney disease", "acute kidney injury", "diabetes mellitus", "dehydration", "sepsis", "monoclonal gammopathy")
THROMBOSIS = ("deep vein thrombosis", "factor V Leiden", "immobility", "central venous catheter", "hypertension", "hyperlipidaemia", "smoking",
              "coronary artery disease", "peripheral arterial disease", "atrial fibrillation", "obesity", "hyperviscosity", "cryoglobulinaemia")
VOLUME = ("heart failure", "low cardiac output", "fluid overload", "end stage renal disease")
OTHER = ("asthma", "migraine", "epilepsy", "IgA deficiency", "osteoarthritis", "pneumonia", "hypothyroidism")
MEDICINES = ("furosemide 40 mg", "ibuprofen 400 mg", "prednisone 20 mg", "metformin 500 mg", "ramipril 5 mg", "gentamicin", "ethinylestradiol", "paracetamol",
             "insulin glargine", "aspirin 75 mg", "rituximab")
ADULT_INDICATIONS = ("itp-adult", "pid", "cidp", "gbs", "mmn", "mg-exacerbation", "dermatomyositis", "sid", "cll")
CHILD_INDICATIONS = ("itp-child", "pid", "kawasaki", "gbs", "mis-c")
JURISDICTIONS = ("US", "UK-ENG", "AU", "CA-ON", "EU")

# (age in years from which it holds, median weight kg, median height cm): round figures of growth charts, only to keep the two consistent.
_GROWTH = ((0, 3.4, 50), (1, 9.5, 75), (2, 12, 87), (5, 18, 109), (10, 32, 138), (14, 50, 163), (18, 68, 170), (120, 68, 168))

QUICK = settings(max_examples=int(os.environ.get("IVIGIL_EXAMPLES", "40")), deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""The same examples on every run, so that a failure is always a change of the program; set IVIGIL_EXAMPLES to look further."""


@dataclass(frozen=True)
class Person:
    """A made patient: ages in years, weight in kg, height in cm, results in the unit named."""

    sex: str
    age: float
    weight: float
    height: float | None
    indication: str
    jurisdiction: str
    conditions: tuple[str, ...] = ()
    medicines: tuple[str, ...] = ()
    reviewed: bool = False
    creatinine_umol_l: float | None = None
    haemoglobin_g_l: float | None = None
    igg_g_l: float | None = None
    platelets_10_9_l: float | None = None
    lvef_percent: float | None = None
    blood_group: str = ""
    last_infusion_days: int | None = None
    tolerated: bool = False
    history_complete: bool = False
    last_vaccine_days: int | None = None

    @property
    def born(self) -> date:
        """Half a month off any birthday, so that a shift of weeks moves nobody over an age limit."""
        return AS_OF - timedelta(days=round(self.age * 365.25) + 15)


@st.composite
def people(draw: st.DrawFn, indications: tuple[str, ...] | None = None, jurisdictions: tuple[str, ...] = JURISDICTIONS) -> Person:
    """Any patient of any age, with an indication that suits it unless ``indications`` says which."""
    age = draw(st.one_of(st.integers(0, 17), st.integers(18, 64), st.integers(65, 99)))
    below, above = _neighbours(age)
    share = (age - below[0]) / (above[0] - below[0])
    height = (below[2] + share * (above[2] - below[2])) * draw(st.sampled_from((0.93, 0.97, 1.0, 1.04, 1.08)))
    weight = (below[1] + share * (above[1] - below[1])) * draw(st.sampled_from((0.75, 0.9, 1.0, 1.15, 1.4, 1.8) if age >= 5 else (0.85, 1.0, 1.15)))
    # An odd fraction keeps doses off the exact middle between two roundings, where the last bit of a float would decide.
    weight, height = round(weight, 1) + 0.0373, round(height, 1)
    if not BMI_BELIEVABLE.holds(weight / (height / 100) ** 2):
        weight = round(22 * (height / 100) ** 2, 1) + 0.0373
    fitting = indications or (ADULT_INDICATIONS if age >= 18 else CHILD_INDICATIONS)
    return Person(
        sex=draw(st.sampled_from(("female", "male"))), age=age, weight=weight, height=draw(st.sampled_from((height, height, height, None))),
        indication=draw(st.sampled_from(fitting)), jurisdiction=draw(st.sampled_from(jurisdictions)),
        conditions=tuple(draw(st.lists(st.sampled_from((*RENAL, *THROMBOSIS, *VOLUME, *OTHER)), max_size=4, unique=True))),
        medicines=tuple(draw(st.lists(st.sampled_from(MEDICINES), max_size=3, unique=True))),
        reviewed=draw(st.booleans()),
        creatinine_umol_l=draw(st.none() | st.sampled_from((31.7, 62.3, 88.9, 141.3, 260.7, 571.9))),
        haemoglobin_g_l=draw(st.none() | st.sampled_from((78.3, 99.1, 121.7, 152.9))),
        igg_g_l=draw(st.none() | st.sampled_from((0.83, 3.17, 4.93, 7.77, 11.3))),
        platelets_10_9_l=draw(st.none() | st.sampled_from((4.3, 18.7, 47.1, 233.3))),
        lvef_percent=draw(st.none() | st.sampled_from((28.3, 44.7, 61.1))),
        blood_group=draw(st.sampled_from(("", "A", "B", "AB", "O"))),
        last_infusion_days=draw(st.none() | st.sampled_from((7, 28, 55, 57, 200))), tolerated=draw(st.booleans()), history_complete=draw(st.booleans()),
        last_vaccine_days=draw(st.none() | st.sampled_from((5, 13, 15, 400))),
    )


def _neighbours(age: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    place = max(number for number, row in enumerate(_GROWTH[:-1]) if row[0] <= age)
    return _GROWTH[place], _GROWTH[place + 1]


_US = {"g/L": ("g/dL", 0.1), "umol/L": ("mg/dL", 1 / 88.42), "10*9/L": ("/uL", 1000.0)}


def written(person: Person, *, us_units: bool = False, shift: int = 0) -> dict[str, Any]:
    """The plain values of the written form; ``shift`` moves every date by so many days."""
    today = AS_OF + timedelta(days=shift)

    def quantity(value: float, unit: str) -> str:
        if us_units and unit in _US:
            other, factor = _US[unit]
            return f"{value * factor!r} {other}"
        if us_units and unit in {"kg", "cm"}:
            other = {"kg": "lb", "cm": "in"}[unit]
            return f"{Quantity(value, unit).in_unit(other)!r} {other}"
        return f"{value!r} {unit}"

    def measured(value: float, unit: str) -> dict[str, str]:
        return {"value": quantity(value, unit), "on": (today - timedelta(days=1)).isoformat()}

    form: dict[str, Any] = {
        "id": "made", "sex": person.sex, "born": (person.born + timedelta(days=shift)).isoformat(), "weight": measured(person.weight, "kg"),
        "conditions": list(person.conditions), "medicines": list(person.medicines), "infusions_complete": person.history_complete,
        "order": {"indication": person.indication},
    }
    if person.height is not None:
        form["height"] = measured(person.height, "cm")
    if person.reviewed:
        form |= {"problem_list_reviewed": today.isoformat(), "medicines_reviewed": today.isoformat(), "allergies_reviewed": today.isoformat(), "allergies": []}
    tests = (("creatinine", person.creatinine_umol_l, "umol/L"), ("haemoglobin", person.haemoglobin_g_l, "g/L"), ("igg", person.igg_g_l, "g/L"),
             ("platelets", person.platelets_10_9_l, "10*9/L"), ("lvef", person.lvef_percent, "%"))
    results = {test: measured(value, unit) for test, value, unit in tests if value is not None}
    if results:
        form["results"] = results
    if person.blood_group:
        form["blood_group"] = person.blood_group
    if person.last_infusion_days is not None and person.born < AS_OF - timedelta(days=person.last_infusion_days):
        infusion: dict[str, Any] = {"on": (today - timedelta(days=person.last_infusion_days)).isoformat(), "product": "Privigen", "dose": quantity(30.0, "g"),
                                    "route": "intravenous"}
        form["infusions"] = [infusion | ({"reaction": "none"} if person.tolerated else {})]
    if person.last_vaccine_days is not None and person.born < AS_OF - timedelta(days=person.last_vaccine_days):
        form["vaccinations"] = [{"vaccine": "MMR", "cvx": "03", "on": (today - timedelta(days=person.last_vaccine_days)).isoformat()}]
    return form


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    """The packaged evidence, read once."""
    return load_evidence()


def record_of(person: Person, *, us_units: bool = False, shift: int = 0) -> Record:
    """The person as a record."""
    return form_of(written(person, us_units=us_units, shift=shift), {}, "made.yaml", evidence().facts)


def plan_for(person: Person, *, us_units: bool = False, shift: int = 0, product: str = "") -> Plan:
    """The person's plan on AS_OF, or ``shift`` days later with every date of the record moved along."""
    day = AS_OF + timedelta(days=shift)
    context = Context(person.jurisdiction, day, datetime(day.year, day.month, day.day, 9), product=product)
    return plan(record_of(person, us_units=us_units, shift=shift), evidence(), context)


def with_condition(person: Person, condition: str) -> Person:
    """The same person with one more problem."""
    return replace(person, conditions=(*person.conditions, condition))
