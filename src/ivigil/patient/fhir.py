"""FHIR R4 resources to records: lenient about shape, strict about meaning.

Codes decide, never display texts. A quantity without a unit known here is left out with a note, never guessed. What could not be used
and matters is kept as notes of the record, which :mod:`ivigil.patient.firewall` turns into questions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.basis.quantity import UNITS, Quantity, UnitProblem, unit_named
from ivigil.patient.facts import in_register_unit, index_of, plain_ndc
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

Resource = dict[str, Any]

SYSTEMS: dict[str, str] = {
    "http://loinc.org": "loinc", "http://snomed.info/sct": "snomed", "http://hl7.org/fhir/sid/icd-10-cm": "icd10", "http://hl7.org/fhir/sid/icd-10": "icd10",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm", "http://hl7.org/fhir/sid/ndc": "ndc", "http://hl7.org/fhir/sid/cvx": "cvx",
    "http://www.whocc.no/atc": "atc", "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "hcpcs",
}
"""The code systems that ivigil matches on, by their FHIR URI."""

_UCUM = "http://unitsofmeasure.org"
_COUNTED = {"final", "amended", "corrected"}
_IG_ATC = "J06BA"
_IG_SNOMED = {"116805008", "16609791000119102"}
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
_WORDS = {"10828004": "positive", "260385009": "negative"}
_NO_KNOWN_ALLERGY = "716186003"
_ANAPHYLAXIS = "39579001"
_ROUTES: dict[str, Literal["intravenous", "subcutaneous"]] = {
    "47625008": "intravenous", "255560000": "intravenous", "34206005": "subcutaneous", "263887005": "subcutaneous",
}
_EVERY = {"d": "day", "wk": "week", "mo": "month", "a": "year"}
_IG_TEXT = re.compile(r"\b(immun(?:e|o)[ -]?globulins?|ivig|scig|human normal immunoglobulin|gamma ?globulin)\b", re.IGNORECASE)


class FhirReader:
    """Collects resources of any order and number of patients; :meth:`records` gives one record each.

    ``facts`` is the register: its codes say which results are read. ``products`` maps product ids to their codes, by which an order or a
    given dose is known as immunoglobulin (beside ATC J06BA, CVX and the SNOMED CT procedure codes).
    """

    def __init__(self, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None, place: str = "") -> None:
        self.facts = facts
        self.index = index_of(facts)
        self.place = place
        self.products: dict[tuple[str, str], str] = {}
        for product, codes in (products or {}).items():
            for system, values in (("rxnorm", codes.rxnorm), ("ndc", codes.ndc), ("hcpcs", codes.hcpcs), ("snomed", codes.snomed)):
                for value in values:
                    self.products.setdefault((system, plain_ndc(value) if system == "ndc" else value), product)
        self.patients: dict[str, _Patient] = {}
        self.named: dict[str, str] = {}
        self.medications: dict[str, Resource] = {}
        self.waiting: list[tuple[str, Resource]] = []
        self.stray: list[tuple[str, Resource]] = []
        self.seen = 0

    def add_bundle(self, bundle: Resource) -> None:
        """Every resource of a Bundle of any type; an entry's ``fullUrl`` becomes a name by which others may refer to it."""
        resources: list[Resource] = []
        for entry in _maps(bundle.get("entry")):
            resource = _map(entry.get("resource"))
            if not resource:
                continue
            full, kind, name = _text(entry.get("fullUrl")), _text(resource.get("resourceType")), _text(resource.get("id"))
            if full and not name:
                resource = {**resource, "id": full.rsplit("/", 1)[-1].rsplit(":", 1)[-1]}
                name = resource["id"]
            if full and kind:
                self.named[full] = f"{kind}/{name}"
            resources.append(resource)
        for resource in resources:
            if resource.get("resourceType") == "Bundle":
                self.add_bundle(resource)
            else:
                self.add(resource)

    def add(self, resource: Resource) -> None:
        """One resource; types that say nothing about planning are passed over."""
        kind = resource.get("resourceType")
        if not isinstance(kind, str):
            return
        self.seen += 1
        if kind == "Patient":
            self._patient(_text(resource.get("id")) or "unnamed").who(resource)
        elif kind == "Medication":
            self.medications[f"Medication/{_text(resource.get('id'))}"] = resource
        elif kind == "Bundle":
            self.add_bundle(resource)
        elif kind in _TAKEN:
            subject = self._subject(resource)
            if subject is None:
                self.stray.append((kind, resource))
            elif not subject:
                return
            elif kind in _WAITING:
                self.waiting.append((subject, resource))
            else:
                getattr(self._patient(subject), _TAKEN[kind])(resource)

    def records(self) -> list[Record]:
        """One record per patient, in the order met. Resources without a subject go to the only patient, if there is only one."""
        people = [patient for patient in self.patients.values() if patient.met] or list(self.patients.values())
        if self.stray and len(people) <= 1:
            owner = people[0] if people else self._patient("unnamed")
            for kind, resource in self.stray:
                if kind in _WAITING:
                    self.waiting.append((owner.id, resource))
                else:
                    getattr(owner, _TAKEN[kind])(resource)
            self.stray = []
            people = people or [owner]
        for subject, resource in self.waiting:
            patient = self.patients.get(subject) or self._patient(subject)
            getattr(patient, _TAKEN[resource["resourceType"]])(resource)
        self.waiting = []
        if not people:
            people = list(self.patients.values())
        return [patient.record() for patient in people]

    def _patient(self, name: str) -> _Patient:
        patient = self.patients.get(name)
        if patient is None:
            patient = self.patients[name] = _Patient(name, self)
        return patient

    def _subject(self, resource: Resource) -> str | None:
        """The patient's id; empty when the subject is a group, a device or a contained newborn, None when there is no subject."""
        reference = _text(_map(resource.get("subject") or resource.get("patient")).get("reference"))
        if not reference:
            return None
        kind, _, name = self.resolve(reference).rpartition("/")
        return name.rsplit(":", 1)[-1] if kind in {"Patient", ""} and not name.startswith("#") else ""

    def resolve(self, reference: str) -> str:
        """A reference as ``Type/id``: bundle-internal names, absolute URLs and version suffixes are undone."""
        if reference in self.named:
            return self.named[reference]
        parts = reference.split("/_history/", maxsplit=1)[0].split("/")
        return "/".join(parts[-2:])

    def medication(self, resource: Resource) -> Resource:
        """The medication concept of a request, statement or administration, wherever it is kept."""
        concept = _map(resource.get("medicationCodeableConcept"))
        if concept:
            return concept
        reference = _text(_map(resource.get("medicationReference")).get("reference"))
        if reference.startswith("#"):
            found = next((item for item in _maps(resource.get("contained")) if item.get("id") == reference[1:]), {})
        else:
            found = self.medications.get(self.resolve(reference), {}) if reference else {}
        concept = _map(found.get("code"))
        if concept:
            return concept
        display = _text(_map(resource.get("medicationReference")).get("display"))
        return {"text": display} if display else {}

    def immunoglobulin(self, concept: Resource) -> str | None:
        """The product id of an immunoglobulin, an empty text when only the class is known, None when it is something else."""
        codes = codes_of(concept)
        for code in codes:
            product = self.products.get((code.system, plain_ndc(code.code) if code.system == "ndc" else code.code))
            if product is not None:
                return product
            if (code.system == "atc" and code.code.startswith(_IG_ATC)) or (code.system == "snomed" and code.code in _IG_SNOMED):
                return ""
        # Text counts only where the writer gave no code at all; a display never does.
        return "" if not codes and _IG_TEXT.search(_text(concept.get("text"))) else None


class _Patient:
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
        self.orders: list[tuple[str, Order, tuple[Note, ...]]] = []
        self.notes: list[Note] = []
        self.origins: dict[str, str] = {}

    def record(self) -> Record:
        order, notes = Order(), tuple(self.notes)
        if self.orders:
            _, order, own = max(self.orders, key=lambda item: item[0])
            notes += own
            if len(self.orders) > 1:
                notes += (Note(about="order", why=f"{len(self.orders)} immunoglobulin orders are open; the newest was taken", origin=order.origin),)
        group = self.group[1] if self.group else ""
        origins = dict(self.origins)
        if self.group:
            origins["blood_group"] = self.group[2]
        return Record(id=self.id, sex=self.sex, born=self.born, died=self.died, deceased=self.deceased,
                      weights=tuple(self.weights), heights=tuple(self.heights),
                      conditions=tuple(self.conditions), medicines=tuple(self.medicines), allergies=tuple(self.allergies), allergies_reviewed=self.no_allergy,
                      results=tuple(self.results), blood_group=group, pregnancy=self.pregnancy,  # type: ignore[arg-type]
                      infusions=tuple(sorted(self.infusions, key=lambda item: item.on)), vaccinations=tuple(self.vaccinations), order=order,
                      origins=origins, notes=notes, place=self.reader.place, fhir=True)

    def leave(self, about: str, why: str, origin: str) -> None:
        self.notes.append(Note(about=about, why=why, origin=origin))

    def who(self, resource: Resource) -> None:
        self.met = True
        origin = f"Patient/{self.id}"
        gender = resource.get("gender")
        if gender in {"male", "female", "other"}:
            self.sex = gender
            self.origins["sex"] = f"{origin} gender"
        text = _text(resource.get("birthDate"))
        self.born = day_of(text) if len(text) >= 7 else None
        if self.born is not None:
            self.origins["born"] = f"{origin} birthDate"
        if text and len(text) < 10:
            self.leave("age", f"the birth date '{text}' is not complete", origin)
        self.died = day_of(resource.get("deceasedDateTime"))
        self.deceased = self.died is not None or resource.get("deceasedBoolean") is True

    # --- observations ------------------------------------------------------------------------------------------------

    def observation(self, resource: Resource) -> None:
        origin = _origin(resource)
        on = _when(resource, "effective") or day_of(resource.get("issued"))
        usable = resource.get("status") in _COUNTED
        self.measured(resource, origin, on, usable)
        for component in _maps(resource.get("component")):
            self.measured(component, origin, on, usable)

    def measured(self, resource: Resource, origin: str, on: date | None, usable: bool) -> None:
        codes = codes_of(_map(resource.get("code")))
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
        written = _map(resource.get("valueQuantity"))
        if not written:
            if any(key.startswith("value") for key in resource):
                self.leave(definition.id, "the value is not a quantity with a unit", origin)
            return
        value = quantity_of(written, definition)
        if isinstance(value, str):
            self.leave(definition.id, value, origin)
            return
        comparator = written.get("comparator")
        if definition.id in {"weight", "height"}:
            if comparator:
                self.leave(definition.id, f"'{comparator}{value}' is not a measurement", origin)
                return
            estimated = any(code.code == "8335-2" for code in codes)
            (self.weights if definition.id == "weight" else self.heights).append(Measurement(value=value, on=on, origin=origin, estimated=estimated))
            return
        upper = next((quantity_of(_map(item.get("high")), definition) for item in _maps(resource.get("referenceRange")) if item.get("high")), None)
        self.results.append(Result(test=definition.id, codes=codes, value=value, on=on, below=comparator in {"<", "<="}, above=comparator in {">", ">="},
                                   upper_limit=upper if isinstance(upper, Quantity) else None, origin=origin))

    def word(self, definition: FactDefinition, resource: Resource, codes: tuple[Code, ...], origin: str, on: date | None) -> None:
        concept = _map(resource.get("valueCodeableConcept"))
        values = codes_of(concept)
        text = _text(resource.get("valueString")) or _text(concept.get("text"))
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
        word = word or (text.strip() if not values else "")
        if word:
            self.results.append(Result(test=definition.id, codes=codes, word=word, on=on, origin=origin))

    # --- conditions, procedures, allergies ----------------------------------------------------------------------------

    def condition(self, resource: Resource) -> None:
        verified = _coded(resource.get("verificationStatus"))
        if verified == "entered-in-error":
            return
        clinical = _coded(resource.get("clinicalStatus"))
        abated = any(key.startswith("abatement") and value is not False for key, value in resource.items())
        over = clinical in {"inactive", "remission", "resolved"} or (abated and clinical not in {"recurrence", "relapse"})
        if clinical == "active" and abated:
            until = _when(resource, "abatement")
            over = until is not None
        concept = _map(resource.get("code"))
        self.conditions.append(Condition(
            name=_own_text(concept), codes=codes_of(concept, with_text=True), status="resolved" if over else "active",
            since=_when(resource, "onset") or day_of(resource.get("recordedDate")), until=_when(resource, "abatement") if over else None,
            verified=_VERIFIED.get(verified, "confirmed"), origin=_origin(resource)))

    def procedure(self, resource: Resource) -> None:
        if resource.get("status") != "completed":
            return
        codes = codes_of(_map(resource.get("code")), with_text=True)
        on = _when(resource, "performed")
        named = {code.code for code in codes if code.system == "snomed"}
        if named & (_IG_SNOMED | _TRANSFUSION_SNOMED):
            if on is None:
                self.leave("ig.weeks_since_last", "an infusion without a date was not used", _origin(resource))
                return
            kind: AntibodyKind = "immunoglobulin" if named & _IG_SNOMED else "blood-product"
            self.infusions.append(PastInfusion(on=on, kind=kind, codes=codes, origin=_origin(resource)))
        elif self.reader.index.coded(codes):
            self.conditions.append(Condition(codes=codes, status="resolved", since=on, until=on, origin=_origin(resource)))

    def allergy(self, resource: Resource) -> None:
        if _coded(resource.get("verificationStatus")) in {"refuted", "entered-in-error"}:
            return
        concept = _map(resource.get("code"))
        codes = codes_of(concept, with_text=True)
        if any(code.code == _NO_KNOWN_ALLERGY for code in codes):
            self.no_allergy = day_of(resource.get("recordedDate"))
            return
        reactions = _maps(resource.get("reaction"))
        told: list[str] = []
        extra: list[Code] = []
        for reaction in reactions:
            extra += codes_of(_map(reaction.get("substance")))
            told += ["anaphylaxis" if any(code.code == _ANAPHYLAXIS for code in codes_of(shown)) else _shown(shown)
                     for shown in _maps(reaction.get("manifestation"))]
            told.append(_text(reaction.get("description")))
        severities = {_text(reaction.get("severity")) for reaction in reactions}
        severity: Literal["mild", "moderate", "severe", "unknown"] = (
            "severe" if "severe" in severities else "moderate" if "moderate" in severities else "mild" if "mild" in severities else "unknown")
        status = _coded(resource.get("clinicalStatus"))
        self.allergies.append(Allergy(substance=_own_text(concept) or _text(concept.get("text")), codes=(*codes, *extra), severity=severity,
                                      reaction="; ".join(item for item in told if item),
                                      status="resolved" if status in {"inactive", "resolved"} else "active", origin=_origin(resource)))

    # --- medicines, orders, infusions, vaccines -----------------------------------------------------------------------

    def request(self, resource: Resource) -> None:
        status = _text(resource.get("status"))
        if status == "entered-in-error" or resource.get("doNotPerform") is True:
            return
        concept = self.reader.medication(resource)
        if not concept:
            return
        origin = _origin(resource)
        product = self.reader.immunoglobulin(concept)
        open_order = status in {"draft", "active", "on-hold", ""}
        if product is not None:
            if open_order:
                order, notes = self.ordered(resource, product, concept, origin)
                self.orders.append((_text(resource.get("authoredOn")), order, notes))
            else:
                self.leave("ig.first_ever", f"an immunoglobulin order with status {status} is on record, but no infusion with a date", origin)
            return
        planned = status == "draft" or resource.get("intent") in {"proposal", "plan"}
        self.medicines.append(Medicine(name=_own_text(concept), codes=codes_of(concept, with_text=True),
                                       status="planned" if planned else "active" if open_order or status == "unknown" else "stopped",
                                       since=day_of(resource.get("authoredOn")), origin=origin))

    def statement(self, resource: Resource) -> None:
        status = _text(resource.get("status"))
        concept = self.reader.medication(resource)
        if status in {"entered-in-error", "not-taken"} or not concept:
            return
        origin = _origin(resource)
        if self.reader.immunoglobulin(concept) is not None:
            self.leave("ig.first_ever", "a statement says that immunoglobulin is or was taken, but no infusion with a date", origin)
            return
        state: Literal["active", "stopped", "planned"] = "planned" if status == "intended" else "stopped" if status in {"completed", "stopped"} else "active"
        self.medicines.append(Medicine(name=_own_text(concept), codes=codes_of(concept, with_text=True), status=state, since=_when(resource, "effective"),
                                       origin=origin))

    def administration(self, resource: Resource) -> None:
        status = _text(resource.get("status"))
        concept = self.reader.medication(resource)
        if status not in {"completed", "in-progress", "stopped", "on-hold"} or not concept:
            return
        origin, on = _origin(resource), _when(resource, "effective")
        product = self.reader.immunoglobulin(concept)
        if product is None:
            active = status in {"in-progress", "on-hold"}
            self.medicines.append(Medicine(name=_own_text(concept), codes=codes_of(concept, with_text=True), status="active" if active else "stopped",
                                           since=on, until=None if active else on, origin=origin))
            return
        if on is None or status == "on-hold":
            self.leave("ig.weeks_since_last", "an immunoglobulin infusion without a date was not used", origin)
            return
        dosage = _map(resource.get("dosage"))
        dose = _usable(dosage.get("dose"), {"mass", "mass per body mass"})
        if dosage.get("dose") and dose is None:
            self.leave("ig.dose", f"the dose '{_written(dosage.get('dose'))}' given on {on} has no unit that can be read as grams", origin)
        lot = next((_text(_map(item.get("batch")).get("lotNumber")) for item in _maps(resource.get("contained"))), "")
        self.infusions.append(PastInfusion(on=on, product=product or _text(concept.get("text")), codes=codes_of(concept, with_text=True), lot=lot, dose=dose,
                                           route=_route(dosage), rate_max=_usable(dosage.get("rateQuantity"), _RATES), origin=origin))

    def ordered(self, resource: Resource, product: str, concept: Resource, origin: str) -> tuple[Order, tuple[Note, ...]]:
        """The order of an immunoglobulin request; a dose in pieces or of no known unit stays empty and is noted."""
        notes: list[Note] = []
        instruction = next(iter(_maps(resource.get("dosageInstruction"))), {})
        rate = next(iter(_maps(instruction.get("doseAndRate"))), {})
        written = rate.get("doseQuantity")
        dose = _usable(written, {"mass", "mass per body mass", "volume"})
        if dose is not None and dose.dimension == "volume":
            notes.append(Note(about="order.dose", why=f"the dose is ordered as a volume ({dose}); state it in grams", origin=origin))
            dose = None
        elif written and dose is None:
            notes.append(Note(about="order.dose", why=f"the dose '{_written(written)}' cannot be read as grams; state it in g or g/kg", origin=origin))
        elif rate.get("doseRange"):
            notes.append(Note(about="order.dose", why="the dose is a range; choose one", origin=origin))
        repeat = _map(_map(instruction.get("timing")).get("repeat"))
        each: Literal["course", "day", "interval", ""] = ""
        every: Quantity | None = None
        days: int | None = None
        period, unit = repeat.get("period"), _EVERY.get(_text(repeat.get("periodUnit")), "")
        if isinstance(period, (int, float)) and unit and dose is not None:
            if unit == "day" and period == 1:
                each, count = "day", repeat.get("count")
                days = count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else None
                bounds = _usable(repeat.get("boundsDuration"), {"time"})
                days = days or (round(bounds.in_unit("day")) if bounds is not None else None)
            else:
                each, every = "interval", Quantity(float(period), unit)
        reasons = [_map(item) for item in _list(resource.get("reasonCode"))]
        indication = next((code.code for reason in reasons for code in codes_of(reason)), "") or next((_text(reason.get("text")) for reason in reasons), "")
        if not indication:
            notes.append(Note(about="order.indication", why="the order names no indication", origin=origin))
        if not product:
            notes.append(Note(about="order.product", why=f"the product of the order is not known by its code: {_shown(concept)}", origin=origin))
        route = _route(instruction)
        events = [day_of(item) for item in _list(_map(instruction.get("timing")).get("event"))]
        start = next((str(event) for event in events if event is not None), "")
        order = Order(indication=indication, product=product, route=route if route != "intramuscular" else "", dose=dose, each=each, days=days, every=every,
                      rate_max=_usable(rate.get("rateQuantity"), _RATES), start=start,
                      prescriber=_text(_map(resource.get("requester")).get("display")), origin=origin)
        return order, tuple(notes)

    def immunization(self, resource: Resource) -> None:
        if resource.get("status") != "completed":
            return
        codes = codes_of(_map(resource.get("vaccineCode")), with_text=True)
        on, origin = _when(resource, "occurrence"), _origin(resource)
        label = _shown(_map(resource.get("vaccineCode")))
        kind = next((_CVX_KINDS[code.code.lstrip("0") or "0"] for code in codes if code.system == "cvx" and code.code.lstrip("0") in _CVX_KINDS), None)
        if on is None:
            self.leave("vaccinations", f"{label or 'a vaccination'} has no exact date and was not used", origin)
        elif kind is not None:
            self.infusions.append(PastInfusion(on=on, kind=kind, product=label, codes=codes, lot=_text(resource.get("lotNumber")),
                                               dose=_usable(resource.get("doseQuantity"), {"mass"}), route=_route(resource), origin=origin))
        else:
            self.vaccinations.append(Vaccination(vaccine=label, codes=codes, on=on, origin=origin))


_RATES = {"volume rate", "volume rate per body mass", "mass rate per body mass", "mass rate"}
_VERIFIED: dict[str, Literal["confirmed", "provisional", "differential", "refuted"]] = {
    "confirmed": "confirmed", "provisional": "provisional", "unconfirmed": "provisional", "differential": "differential", "refuted": "refuted",
}
_TAKEN = {"Observation": "observation", "Condition": "condition", "Procedure": "procedure", "AllergyIntolerance": "allergy", "Immunization": "immunization",
          "MedicationRequest": "request", "MedicationStatement": "statement", "MedicationAdministration": "administration"}
_WAITING = {"MedicationRequest", "MedicationStatement", "MedicationAdministration"}


def records_of(resources: Iterable[Resource], facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None,
               place: str = "") -> list[Record]:
    """Records from resources (Bundles among them) of any order, one per patient."""
    reader = FhirReader(facts, products, place)
    for resource in resources:
        reader.add(resource)
    return reader.records()


def quantity_of(written: Resource, definition: FactDefinition | None = None) -> Quantity | str:
    """A FHIR Quantity in a unit known here and fit for the fact, or the reason why it cannot be used.

    ``mL/min`` counts as ``mL/min/1.73m2`` for eGFR alone, where laboratories commonly shorten it.
    """
    value = written.get("value")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "no number"
    code = _text(written.get("code")) if written.get("system") in {None, "", _UCUM} else ""
    units = {name for name in (_unit(code), _unit(_text(written.get("unit")))) if name}
    if not units:
        shown = _text(written.get("code")) or _text(written.get("unit"))
        return f"{value} has the unit '{shown}', which is not known here" if shown else f"{value} has no unit"
    if len(units) > 1 and not ({"mL/min", "mL/min/1.73m2"} == units and definition is not None and definition.id == "egfr"):
        factors = {(UNITS[name].dimension, UNITS[name].factor) for name in units if name != "degF"}
        if "degF" in units or len(factors) > 1:
            return f"unit text '{_text(written.get('unit'))}' and unit code '{code}' disagree"
    unit = next((name for name in (_unit(code), _unit(_text(written.get("unit")))) if name), "")
    if unit == "degF":
        quantity = Quantity((float(value) - 32.0) / 1.8, "Cel")
    elif unit == "mL/min" and definition is not None and definition.id == "egfr":
        quantity = Quantity(float(value), "mL/min/1.73m2")
    else:
        quantity = Quantity(float(value), unit)
    if definition is not None and in_register_unit(quantity, definition) is None:
        return f"{quantity} is not a unit for {definition.label or definition.id}, which is kept in {definition.unit}"
    return quantity


def codes_of(concept: Resource, *, with_text: bool = False) -> tuple[Code, ...]:
    """The codings of a concept in systems known here. Displays come along for showing; ``with_text`` shows the concept's text instead."""
    text = _text(concept.get("text")) if with_text else ""
    found: list[Code] = []
    for coding in _maps(concept.get("coding")):
        system, code = _text(coding.get("system")), _text(coding.get("code"))
        if code and system in SYSTEMS:
            found.append(Code(system=SYSTEMS[system], code=code.strip(), display=text or _text(coding.get("display"))))
    return tuple(found)


def day_of(text: Any) -> date | None:
    """The day of a FHIR date or dateTime; a month counts as its first day, a year alone as its first of January, anything else as unknown."""
    if not isinstance(text, str) or not re.match(r"^\d{4}(-\d{2}(-\d{2})?)?(T.*)?$", text):
        return None
    day = text[:10]
    try:
        return date.fromisoformat(day if len(day) == 10 else f"{day}-01" if len(day) == 7 else f"{day}-01-01")
    except ValueError:
        return None


def _unit(text: str) -> str:
    if not text:
        return ""
    if text.casefold() in {"[degf]", "degf", "°f"}:
        return "degF"
    try:
        return unit_named(text)
    except UnitProblem:
        return ""


def _usable(written: Any, dimensions: set[str]) -> Quantity | None:
    quantity = quantity_of(_map(written)) if written else None
    return quantity if isinstance(quantity, Quantity) and quantity.dimension in dimensions else None


def _written(written: Any) -> str:
    quantity = _map(written)
    return f"{quantity.get('value', '')} {_text(quantity.get('unit')) or _text(quantity.get('code'))}".strip()


def _route(dosage: Resource) -> Literal["intravenous", "subcutaneous", "intramuscular", ""]:
    for code in codes_of(_map(dosage.get("route"))):
        if code.code in _ROUTES:
            return _ROUTES[code.code]
        if code.code == "255559005":
            return "intramuscular"
    return ""


def _when(resource: Resource, stem: str) -> date | None:
    """The date under ``<stem>DateTime`` or the start of ``<stem>Period`` (the end for abatement)."""
    day = day_of(resource.get(f"{stem}DateTime"))
    if day is None:
        period = _map(resource.get(f"{stem}Period"))
        day = day_of(period.get("end") if stem == "abatement" else period.get("start"))
    return day or day_of(resource.get(f"{stem}Instant"))


def _origin(resource: Resource) -> str:
    return f"{resource.get('resourceType', 'resource')}/{_text(resource.get('id')) or 'unnamed'}"


def _own_text(concept: Resource) -> str:
    """The text of a concept that carries no code known here: then the words are all there is."""
    return "" if codes_of(concept) else _text(concept.get("text"))


def _shown(concept: Resource) -> str:
    return _text(concept.get("text")) or next((_text(item.get("display")) or _text(item.get("code")) for item in _maps(concept.get("coding"))), "")


def _coded(concept: Any) -> str:
    """The first code of a status concept; a bare word, as some writers send it, counts too."""
    if isinstance(concept, str):
        return concept
    return next((_text(item.get("code")) for item in _maps(_map(concept).get("coding"))), "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _maps(value: Any) -> list[Resource]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _map(value: Any) -> Resource:
    return value if isinstance(value, dict) else next(iter(_maps(value)), {}) if isinstance(value, list) else {}


def _text(value: Any) -> str:
    return value.replace("\u200b", "").strip() if isinstance(value, str) else ""


def decode(data: bytes) -> Any:
    """JSON bytes as plain values.

    Raises:
        ValueError: not JSON, or nested too deeply; the message says where.
    """
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
