"""The patient record as ivigil holds it, whatever it was read from. ``docs/patient-record.md`` documents every key."""

from __future__ import annotations

from datetime import date
from typing import Literal

import msgspec

from ivigil.basis.quantity import Quantity

Answer = Literal["yes", "no", "unknown"]
Route = Literal["intravenous", "subcutaneous", "facilitated-subcutaneous", "intramuscular", ""]
AntibodyKind = Literal["immunoglobulin", "hyperimmune-globulin", "monoclonal-antibody", "blood-product"]
"""What an infusion was. Only ``immunoglobulin`` counts as earlier immunoglobulin therapy; all of them may defer live vaccines."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every part of a record: immutable, strict about unknown keys."""


class Code(Part, frozen=True, kw_only=True):
    """A code with its system: ``icd10``, ``snomed``, ``loinc``, ``rxnorm``, ``ndc``, ``cvx``, ``atc``, ``hcpcs`` (or the FHIR URI)."""

    system: str
    code: str
    display: str = ""


class Measurement(Part, frozen=True, kw_only=True):
    """A measured value. ``origin`` names the record field or FHIR resource it came from."""

    value: Quantity
    on: date | None = None
    origin: str = ""
    estimated: bool = False


class Condition(Part, frozen=True, kw_only=True):
    """A diagnosis or problem with its status; resolved ones stay as history.

    ``name`` is text that a person wrote; the display text of a code stays with the code and is never matched.
    """

    name: str = ""
    codes: tuple[Code, ...] = ()
    status: Literal["active", "resolved"] = "active"
    since: date | None = None
    until: date | None = None
    verified: Literal["confirmed", "provisional", "differential", "refuted", "entered-in-error"] = "confirmed"
    origin: str = ""

    @property
    def label(self) -> str:
        """What to show for it: the written text, else the first display or code."""
        return _label(self.name, self.codes)


class Medicine(Part, frozen=True, kw_only=True):
    """A medicine taken now, stopped, or planned."""

    name: str = ""
    codes: tuple[Code, ...] = ()
    status: Literal["active", "stopped", "planned"] = "active"
    since: date | None = None
    until: date | None = None
    dose: str = ""
    origin: str = ""

    @property
    def label(self) -> str:
        """What to show for it: the written text, else the first display or code."""
        return _label(self.name, self.codes)


class Allergy(Part, frozen=True, kw_only=True):
    """An allergy or intolerance, by text or code."""

    substance: str = ""
    codes: tuple[Code, ...] = ()
    reaction: str = ""
    severity: Literal["mild", "moderate", "severe", "unknown"] = "unknown"
    status: Literal["active", "resolved"] = "active"
    origin: str = ""

    @property
    def label(self) -> str:
        """What to show for it: the written text, else the first display or code."""
        return _label(self.substance, self.codes)


class Result(Part, frozen=True, kw_only=True):
    """A laboratory result or vital sign: ``test`` is a fact id of the register (igg, creatinine ...), ``value`` a quantity or a word.

    ``below`` and ``above`` mark a value that the laboratory reported only as a limit (``<0.07 g/L``, ``>90``). ``drawn`` tells on which side of
    an infusion of the same day the blood was taken.
    """

    test: str = ""
    codes: tuple[Code, ...] = ()
    value: Quantity | None = None
    word: str = ""
    on: date | None = None
    below: bool = False
    above: bool = False
    drawn: Literal["", "before-infusion", "after-infusion"] = ""
    upper_limit: Quantity | None = None
    origin: str = ""


class Reaction(Part, frozen=True, kw_only=True):
    """What happened at an infusion: grade 1 (mild) to 4 (life-threatening)."""

    grade: Literal[1, 2, 3, 4]
    kind: str = ""
    rate: Quantity | None = None
    note: str = ""


class PastInfusion(Part, frozen=True, kw_only=True):
    """An immunoglobulin infusion (or other antibody product) given before.

    ``tolerated`` is true only when the record says that there was no reaction; a missing reaction alone is unknown.
    """

    on: date
    kind: AntibodyKind = "immunoglobulin"
    product: str = ""
    codes: tuple[Code, ...] = ()
    lot: str = ""
    dose: Quantity | None = None
    route: Route = ""
    rate_max: Quantity | None = None
    reaction: Reaction | None = None
    tolerated: bool = False
    place: str = ""
    origin: str = ""


class Vaccination(Part, frozen=True, kw_only=True):
    """A vaccine given, or planned when the date lies ahead."""

    vaccine: str = ""
    codes: tuple[Code, ...] = ()
    on: date
    origin: str = ""


class Pregnancy(Part, frozen=True, kw_only=True):
    """Pregnancy state; ``weeks`` of gestation count on the day ``on``. The pre-pregnancy weight is kept apart from the current one."""

    status: Literal["pregnant", "not-pregnant", "unknown"]
    weeks: int | None = None
    on: date | None = None
    due: date | None = None
    pre_pregnancy_weight: Quantity | None = None
    origin: str = ""


class Override(Part, frozen=True, kw_only=True):
    """A named prescriber's written reason for going against an advice; recorded in the plan."""

    of: str
    prescriber: str
    reason: str
    on: date | None = None


class Order(Part, frozen=True, kw_only=True):
    """What the prescriber asks for; everything is optional and nothing in it is trusted unchecked."""

    indication: str = ""
    phase: Literal["acute", "replacement", "induction", "maintenance", "second-dose", "switch", "extra", ""] = ""
    regimen: str = ""
    product: str = ""
    route: Literal["intravenous", "subcutaneous", "facilitated-subcutaneous", ""] = ""
    dose: Quantity | None = None
    each: Literal["course", "day", "interval", ""] = ""
    days: int | None = None
    every: Quantity | None = None
    rate_max: Quantity | None = None
    start: str = ""
    place: Literal["hospital", "clinic", "home", ""] = ""
    prescriber: str = ""
    weight_policy: str = ""
    ramp: str = ""
    pump_increment: Quantity | None = None
    pump_max: Quantity | None = None
    origin: str = ""


class Note(Part, frozen=True, kw_only=True):
    """Something in the source that could not be used, and why; ``about`` is a fact id or an order key such as ``order.dose``."""

    about: str
    why: str
    origin: str = ""


class Record(Part, frozen=True, kw_only=True):
    """One patient. Absent lists are unknown; an empty problem list means "none" only with the date it was reviewed.

    ``place`` names the file; ``fhir`` tells a record read from FHIR from one that a person wrote; ``notes`` hold what was not usable.
    """

    id: str
    note: str = ""
    sex: Literal["male", "female", "other", "unknown"] = "unknown"
    born: date | None = None
    age: Quantity | None = None
    died: date | None = None
    deceased: bool = False
    weights: tuple[Measurement, ...] = ()
    heights: tuple[Measurement, ...] = ()
    conditions: tuple[Condition, ...] = ()
    conditions_reviewed: date | None = None
    medicines: tuple[Medicine, ...] = ()
    medicines_reviewed: date | None = None
    allergies: tuple[Allergy, ...] = ()
    allergies_reviewed: date | None = None
    results: tuple[Result, ...] = ()
    blood_group: Literal["A", "B", "AB", "O", ""] = ""
    pregnancy: Pregnancy | None = None
    breast_feeding: Answer = "unknown"
    infusions: tuple[PastInfusion, ...] = ()
    infusions_complete: bool = False
    vaccinations: tuple[Vaccination, ...] = ()
    measles_exposure: date | None = None
    varicella_exposure: date | None = None
    order: Order = Order()
    overrides: tuple[Override, ...] = ()
    answers: dict[str, str] = {}
    origins: dict[str, str] = {}
    notes: tuple[Note, ...] = ()
    place: str = ""
    fhir: bool = False


def _label(text: str, codes: tuple[Code, ...]) -> str:
    if text:
        return text
    return next((code.display or code.code for code in codes), "")
