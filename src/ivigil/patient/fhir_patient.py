"""One patient's record in the making, resource by resource."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Literal

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import Quantity
from ivigil.patient.fhir_order import RATES, ordered
from ivigil.patient.fhir_times import Times
from ivigil.patient.fhir_values import (
    Resource,
    as_map,
    as_maps,
    as_text,
    as_written,
    codes_of,
    day_of,
    origin_of,
    own_text,
    quantity_of,
    route_of,
    shown_as,
    status_of,
    usable,
    when_of,
)
from ivigil.patient.record import (
    Allergy,
    AntibodyKind,
    Code,
    Condition,
    Measurement,
    Medicine,
    Note,
    Order,
    PastInfusion,
    Pregnancy,
    Record,
    Result,
    Vaccination,
)

if TYPE_CHECKING:
    from ivigil.patient.fhir import FhirReader

_COUNTED = {"final", "amended", "corrected"}
IG_SNOMED = {"116805008", "16609791000119102"}
_TRANSFUSION_SNOMED = {"116859006"}
_CVX_KINDS: dict[str, AntibodyKind] = {
    "14": "immunoglobulin", "86": "immunoglobulin", "87": "immunoglobulin",
    "13": "hyperimmune-globulin", "29": "hyperimmune-globulin", "30": "hyperimmune-globulin", "34": "hyperimmune-globulin", "36": "hyperimmune-globulin",
    "71": "hyperimmune-globulin", "79": "hyperimmune-globulin", "117": "hyperimmune-globulin", "154": "hyperimmune-globulin", "156": "hyperimmune-globulin",
    "157": "hyperimmune-globulin", "159": "hyperimmune-globulin", "180": "hyperimmune-globulin", "181": "hyperimmune-globulin",
    "93": "monoclonal-antibody", "306": "monoclonal-antibody", "307": "monoclonal-antibody",
}
_ABO = {"112144000": "A", "278149003": "A", "112149005": "B", "278150003": "B", "278153001": "B", "165743006": "AB", "278151004": "AB", "278154007": "AB",
        "58460004": "O"}
_ABO_TEXT = re.compile(r"^\s*(?:group\s+)?(AB|A|B|O)\s*(?:[+-]|rh.*|pos.*|neg.*)?\s*$", re.IGNORECASE)
_WORDS = {"10828004": "positive", "260385009": "negative", "266919005": "no", "8517006": "no"}
"""Coded answers: positive, negative, never smoked, former smoker."""
_NO_KNOWN_ALLERGY = "716186003"
_ANAPHYLAXIS = "39579001"
_VERIFIED: dict[str, Literal["confirmed", "provisional", "differential", "refuted"]] = {
    "confirmed": "confirmed", "provisional": "provisional", "unconfirmed": "provisional", "differential": "differential", "refuted": "refuted",
}


class FhirPatient:
    """One patient's record in the making."""

    def __init__(self, name: str, reader: FhirReader) -> None:
        self.id, self.reader, self.met = name, reader, False
        self.sex: Literal["male", "female", "other", "unknown"] = "unknown"
        self.born: date | None = None
        self.died: date | None = None
        self.deceased = False
        self.weights: list[Measurement] = []
        self.heights: list[Measurement] = []
        self.results: list[Result] = []
        self.conditions: list[Condition] = []
        self.medicines: list[Medicine] = []
        self.allergies: list[Allergy] = []
        self.no_allergy: date | None = None
        self.infusions: list[PastInfusion] = []
        self.vaccinations: list[Vaccination] = []
        self.pregnancy: Pregnancy | None = None
        self.group: tuple[date, str, str] | None = None
        self.orders: list[tuple[bool, str, Order, tuple[Note, ...]]] = []
        self.notes: list[Note] = []
        self.origins: dict[str, str] = {}
        self.times = Times()

    def record(self) -> Record:
        """The finished record; of several open orders a draft is taken before a signed one, then the newest, and it is said so."""
        order, notes = Order(), tuple(self.notes)
        if self.orders:
            draft, _, order, own = max(self.orders, key=lambda item: item[:2])
            notes += own
            if len(self.orders) > 1:
                which = "the draft" if draft and sum(item[0] for item in self.orders) == 1 else "the newest"
                notes += (Note(about="order", why=f"{len(self.orders)} immunoglobulin orders are open; {which} was taken", origin=order.origin),)
        group = self.group[1] if self.group else ""
        origins = dict(self.origins)
        if self.group:
            origins["blood_group"] = self.group[2]
        return Record(id=self.id, sex=self.sex, born=self.born, died=self.died, deceased=self.deceased,
                      weights=tuple(self.weights), heights=tuple(self.heights),
                      conditions=tuple(self.conditions), medicines=tuple(self.medicines), allergies=tuple(self.allergies), allergies_reviewed=self.no_allergy,
                      results=self.times.told(self.results, self.infusions), blood_group=group, pregnancy=self.pregnancy,  # type: ignore[arg-type]
                      infusions=tuple(sorted(self.infusions, key=lambda item: item.on)), vaccinations=tuple(self.vaccinations), order=order,
                      origins=origins, notes=notes, place=self.reader.place, fhir=True)

    def leave(self, about: str, why: str, origin: str) -> None:
        """Note something that could not be used."""
        self.notes.append(Note(about=about, why=why, origin=origin))

    def who(self, resource: Resource) -> None:
        """The Patient resource."""
        self.met = True
        origin = f"Patient/{self.id}"
        gender = resource.get("gender")
        if gender in ("male", "female", "other"):
            self.sex = gender
            self.origins["sex"] = f"{origin} gender"
        text = as_text(resource.get("birthDate"))
        self.born = day_of(text) if len(text) >= 7 else None
        if self.born is not None:
            self.origins["born"] = f"{origin} birthDate"
        if text and len(text) < 10:
            self.leave("age", f"the birth date '{text}' is not complete", origin)
        self.died = day_of(resource.get("deceasedDateTime"))
        self.deceased = self.died is not None or resource.get("deceasedBoolean") is True

    # --- observations ------------------------------------------------------------------------------------------------

    def observation(self, resource: Resource) -> None:
        """An Observation with its components; only final, amended and corrected ones are used."""
        origin = origin_of(resource)
        on = when_of(resource, "effective") or day_of(resource.get("issued"))
        usable = as_text(resource.get("status")) in _COUNTED
        before = len(self.results)
        self.measured(resource, origin, on, usable)
        for component in as_maps(resource.get("component")):
            self.measured(component, origin, on, usable)
        self.times.drew(resource, range(before, len(self.results)))

    def measured(self, resource: Resource, origin: str, on: date | None, usable: bool) -> None:
        """One value, if its LOINC code is in the register."""
        codes = codes_of(as_map(resource.get("code")))
        test = next((fact for code in codes if code.system == "loinc" for fact in self.reader.index.codes.get(("loinc", code.code), ())), None)
        if test is None:
            return
        definition = self.reader.facts[test]
        if not usable:
            if resource.get("status") == "preliminary":
                self.leave(test, "the result is preliminary and was not used", origin)
            return
        if definition.kind == "quantity":
            self.quantity(definition, resource, codes, origin, on)
        else:
            self.word(definition, resource, codes, origin, on)

    def quantity(self, definition: FactDefinition, resource: Resource, codes: tuple[Code, ...], origin: str, on: date | None) -> None:
        """A quantity as weight, height or result, or a note why it cannot be used."""
        written = as_map(resource.get("valueQuantity"))
        if not written:
            if any(key.startswith("value") for key in resource):
                self.leave(definition.id, "the value is not a quantity with a unit", origin)
            return
        value = quantity_of(written, definition)
        if isinstance(value, str):
            self.leave(definition.id, value, origin)
            return
        comparator = as_text(written.get("comparator"))
        if definition.id in {"weight", "height"}:
            if comparator:
                self.leave(definition.id, f"'{comparator}{value}' is not a measurement", origin)
                return
            estimated = any(code.code == "8335-2" for code in codes)
            (self.weights if definition.id == "weight" else self.heights).append(Measurement(value=value, on=on, origin=origin, estimated=estimated))
            return
        upper = next((quantity_of(as_map(item.get("high")), definition) for item in as_maps(resource.get("referenceRange")) if item.get("high")), None)
        self.results.append(Result(test=definition.id, codes=codes, value=value, on=on, below=comparator in {"<", "<="}, above=comparator in {">", ">="},
                                   upper_limit=upper if isinstance(upper, Quantity) else None, origin=origin))

    def word(self, definition: FactDefinition, resource: Resource, codes: tuple[Code, ...], origin: str, on: date | None) -> None:
        """A coded or written value: blood group, positive or negative."""
        concept = as_map(resource.get("valueCodeableConcept"))
        values = codes_of(concept)
        text = as_text(resource.get("valueString")) or as_text(concept.get("text"))
        if definition.id == "blood_group":
            group = next((_ABO[code.code] for code in values if code.code in _ABO), "")
            match = _ABO_TEXT.match(text)
            group = group or (match[1].upper() if match else "")
            if group and (self.group is None or (on or date.min) >= self.group[0]):
                self.group = (on or date.min, group, origin)
            elif not group:
                self.leave("blood_group", "the blood group could not be read", origin)
            return
        flag = resource.get("valueBoolean")
        word = "yes" if flag is True else "no" if flag is False else next((_WORDS[code.code] for code in values if code.code in _WORDS), "")
        if not word and any(code.system == "snomed" and code.code in definition.codes.snomed for code in values):
            word = "yes"
        # An answer not understood still takes the place of an older one: its bare code says neither yes nor no.
        word = word or (values[0].code if values else text.strip())
        if word:
            self.results.append(Result(test=definition.id, codes=codes, word=word, on=on, origin=origin))

    # --- conditions, procedures, allergies ----------------------------------------------------------------------------

    def condition(self, resource: Resource) -> None:
        """A Condition with its clinical and verification status."""
        verified = status_of(resource.get("verificationStatus"))
        if verified == "entered-in-error":
            return
        clinical = status_of(resource.get("clinicalStatus"))
        abated = any(key.startswith("abatement") and value is not False for key, value in resource.items())
        over = clinical in {"inactive", "remission", "resolved"} or (abated and clinical not in {"recurrence", "relapse"})
        if clinical == "active" and abated:
            until = when_of(resource, "abatement")
            over = until is not None
        concept = as_map(resource.get("code"))
        self.conditions.append(Condition(
            name=own_text(concept), codes=codes_of(concept, with_text=True), status="resolved" if over else "active",
            since=when_of(resource, "onset") or day_of(resource.get("recordedDate")), until=when_of(resource, "abatement") if over else None,
            verified=_VERIFIED.get(verified, "confirmed"), origin=origin_of(resource)))

    def procedure(self, resource: Resource) -> None:
        """A completed Procedure: an immunoglobulin infusion, a transfusion, or one that the register names."""
        if resource.get("status") != "completed":
            return
        codes = codes_of(as_map(resource.get("code")), with_text=True)
        on = when_of(resource, "performed")
        named = {code.code for code in codes if code.system == "snomed"}
        if named & (IG_SNOMED | _TRANSFUSION_SNOMED):
            if on is None:
                self.leave("ig.weeks_since_last", "an infusion without a date was not used", origin_of(resource))
                return
            kind: AntibodyKind = "immunoglobulin" if named & IG_SNOMED else "blood-product"
            self.infusions.append(PastInfusion(on=on, kind=kind, codes=codes, origin=origin_of(resource)))
        elif self.reader.index.coded(codes):
            self.conditions.append(Condition(codes=codes, status="resolved", since=on, until=on, origin=origin_of(resource)))

    def allergy(self, resource: Resource) -> None:
        """An AllergyIntolerance by substance or finding; "no known allergy" counts as a review of the list."""
        if status_of(resource.get("verificationStatus")) in {"refuted", "entered-in-error"}:
            return
        concept = as_map(resource.get("code"))
        codes = codes_of(concept, with_text=True)
        if any(code.code == _NO_KNOWN_ALLERGY for code in codes):
            self.no_allergy = day_of(resource.get("recordedDate"))
            return
        reactions = as_maps(resource.get("reaction"))
        told: list[str] = []
        extra: list[Code] = []
        for reaction in reactions:
            extra += codes_of(as_map(reaction.get("substance")))
            told += ["anaphylaxis" if any(code.code == _ANAPHYLAXIS for code in codes_of(shown)) else shown_as(shown)
                     for shown in as_maps(reaction.get("manifestation"))]
            told.append(as_text(reaction.get("description")))
        severities = {as_text(reaction.get("severity")) for reaction in reactions}
        severity: Literal["mild", "moderate", "severe", "unknown"] = (
            "severe" if "severe" in severities else "moderate" if "moderate" in severities else "mild" if "mild" in severities else "unknown")
        status = status_of(resource.get("clinicalStatus"))
        self.allergies.append(Allergy(substance=own_text(concept) or as_text(concept.get("text")), codes=(*codes, *extra), severity=severity,
                                      reaction="; ".join(item for item in told if item),
                                      status="resolved" if status in {"inactive", "resolved"} else "active", origin=origin_of(resource)))

    # --- medicines, orders, infusions, vaccines -----------------------------------------------------------------------

    def request(self, resource: Resource) -> None:
        """A MedicationRequest: an immunoglobulin order, or a medicine."""
        status = as_text(resource.get("status"))
        if status == "entered-in-error" or resource.get("doNotPerform") is True:
            return
        concept = self.reader.medication(resource)
        if not concept:
            return
        origin = origin_of(resource)
        product = self.reader.immunoglobulin(concept)
        open_order = status in {"draft", "active", "on-hold", ""}
        if product is not None:
            if open_order:
                order, notes = ordered(resource, product, concept, origin)
                self.orders.append((status == "draft", as_text(resource.get("authoredOn")), order, notes))
            else:
                self.leave("ig.first_ever", f"an immunoglobulin order with status {status} is on record, but no infusion with a date", origin)
            return
        planned = status == "draft" or as_text(resource.get("intent")) in {"proposal", "plan"}
        self.medicines.append(Medicine(name=own_text(concept), codes=codes_of(concept, with_text=True),
                                       status="planned" if planned else "active" if open_order or status == "unknown" else "stopped",
                                       since=day_of(resource.get("authoredOn")), origin=origin))

    def statement(self, resource: Resource) -> None:
        """A MedicationStatement; for immunoglobulin it proves no infusion with a date."""
        status = as_text(resource.get("status"))
        concept = self.reader.medication(resource)
        if status in {"entered-in-error", "not-taken"} or not concept:
            return
        origin = origin_of(resource)
        if self.reader.immunoglobulin(concept) is not None:
            self.leave("ig.first_ever", "a statement says that immunoglobulin is or was taken, but no infusion with a date", origin)
            return
        state: Literal["active", "stopped", "planned"] = "planned" if status == "intended" else "stopped" if status in {"completed", "stopped"} else "active"
        self.medicines.append(Medicine(name=own_text(concept), codes=codes_of(concept, with_text=True), status=state, since=when_of(resource, "effective"),
                                       origin=origin))

    def administration(self, resource: Resource) -> None:
        """A MedicationAdministration: an immunoglobulin infusion, or a medicine."""
        status = as_text(resource.get("status"))
        concept = self.reader.medication(resource)
        if status not in {"completed", "in-progress", "stopped", "on-hold"} or not concept:
            return
        origin, on = origin_of(resource), when_of(resource, "effective")
        product = self.reader.immunoglobulin(concept)
        if product is None:
            active = status in {"in-progress", "on-hold"}
            self.medicines.append(Medicine(name=own_text(concept), codes=codes_of(concept, with_text=True), status="active" if active else "stopped",
                                           since=on, until=None if active else on, origin=origin))
            return
        if on is None or status == "on-hold":
            self.leave("ig.weeks_since_last", "an immunoglobulin infusion without a date was not used", origin)
            return
        dosage = as_map(resource.get("dosage"))
        dose = usable(dosage.get("dose"), {"mass", "mass per body mass"})
        if dosage.get("dose") and dose is None:
            self.leave("ig.dose", f"the dose '{as_written(dosage.get('dose'))}' given on {on} has no unit that can be read as grams", origin)
        lot = next((as_text(as_map(item.get("batch")).get("lotNumber")) for item in as_maps(resource.get("contained"))), "")
        self.times.started(resource, origin)
        self.infusions.append(PastInfusion(on=on, product=product or as_text(concept.get("text")), codes=codes_of(concept, with_text=True), lot=lot, dose=dose,
                                           route=route_of(dosage), rate_max=usable(dosage.get("rateQuantity"), RATES), origin=origin))

    def immunization(self, resource: Resource) -> None:
        """An Immunization: a vaccine, or an antibody product that was recorded as one."""
        if resource.get("status") != "completed":
            return
        codes = codes_of(as_map(resource.get("vaccineCode")), with_text=True)
        on, origin = when_of(resource, "occurrence"), origin_of(resource)
        label = shown_as(as_map(resource.get("vaccineCode")))
        kind = next((_CVX_KINDS[code.code.lstrip("0") or "0"] for code in codes if code.system == "cvx" and code.code.lstrip("0") in _CVX_KINDS), None)
        if on is None:
            self.leave("vaccinations", f"{label or 'a vaccination'} has no exact date and was not used", origin)
        elif kind is not None:
            self.infusions.append(PastInfusion(on=on, kind=kind, product=label, codes=codes, lot=as_text(resource.get("lotNumber")),
                                               dose=usable(resource.get("doseQuantity"), {"mass"}), route=route_of(resource), origin=origin))
        else:
            self.vaccinations.append(Vaccination(vaccine=label, codes=codes, on=on, origin=origin))
