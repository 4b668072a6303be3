"""FHIR R4 resources to records: lenient about shape, strict about meaning.

Codes decide, never display texts. A quantity without a unit known here is left out with a note, never guessed. What could not be used
and matters is kept as notes of the record, which :mod:`ivigil.patient.firewall` turns into questions.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.patient.fhir_patient import IG_SNOMED, FhirPatient
from ivigil.patient.fhir_values import Resource, as_map, as_maps, as_text, codes_of
from ivigil.patient.mentions import index_of, plain_ndc
from ivigil.patient.record import Record

_IG_ATC = "J06BA"
_IG_TEXT = re.compile(r"\b(immun(?:e|o)[ -]?globulins?|ivig|scig|human normal immunoglobulin|gamma ?globulin)\b", re.IGNORECASE)
_TAKEN = {"Observation": "observation", "Condition": "condition", "Procedure": "procedure", "AllergyIntolerance": "allergy", "Immunization": "immunization",
          "MedicationRequest": "request", "MedicationStatement": "statement", "MedicationAdministration": "administration"}
_WAITING = {"MedicationRequest", "MedicationStatement", "MedicationAdministration"}


class FhirReader:
    """Collects resources of any order and number of patients; :meth:`records` gives one record each.

    ``facts`` is the register: its codes say which results are read. ``products`` maps product ids to their codes, by which an order or a
    given dose is known as immunoglobulin (beside ATC J06BA, CVX and the SNOMED CT procedure codes).
    """

    def __init__(self, facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None, place: str = "") -> None:
        self.facts = facts
        self.index = index_of(facts)
        self.place = place
        self.products = _products_by_code(products or {})
        self.patients: dict[str, FhirPatient] = {}
        self.named: dict[str, str] = {}
        self.medications: dict[str, Resource] = {}
        self.waiting: list[tuple[str, Resource]] = []
        self.stray: list[tuple[str, Resource]] = []
        self.seen = 0

    def add_bundle(self, bundle: Resource) -> None:
        """Every resource of a Bundle of any type; an entry's ``fullUrl`` becomes a name by which others may refer to it."""
        resources: list[Resource] = []
        for entry in as_maps(bundle.get("entry")):
            resource = as_map(entry.get("resource"))
            if not resource:
                continue
            full, kind, name = as_text(entry.get("fullUrl")), as_text(resource.get("resourceType")), as_text(resource.get("id"))
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
            self._patient(as_text(resource.get("id")) or "unnamed").who(resource)
        elif kind == "Medication":
            self.medications[f"Medication/{as_text(resource.get('id'))}"] = resource
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

    def _patient(self, name: str) -> FhirPatient:
        patient = self.patients.get(name)
        if patient is None:
            patient = self.patients[name] = FhirPatient(name, self)
        return patient

    def _subject(self, resource: Resource) -> str | None:
        """The patient's id; empty when the subject is a group, a device or a contained newborn, None when there is no subject."""
        reference = as_text(as_map(resource.get("subject") or resource.get("patient")).get("reference"))
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
        concept = as_map(resource.get("medicationCodeableConcept"))
        if concept:
            return concept
        reference = as_text(as_map(resource.get("medicationReference")).get("reference"))
        if reference.startswith("#"):
            found = next((item for item in as_maps(resource.get("contained")) if item.get("id") == reference[1:]), {})
        else:
            found = self.medications.get(self.resolve(reference), {}) if reference else {}
        concept = as_map(found.get("code"))
        if concept:
            return concept
        display = as_text(as_map(resource.get("medicationReference")).get("display"))
        return {"text": display} if display else {}

    def immunoglobulin(self, concept: Resource) -> str | None:
        """The product id of an immunoglobulin, an empty text when only the class is known, None when it is something else."""
        codes = codes_of(concept)
        for code in codes:
            product = self.products.get((code.system, plain_ndc(code.code) if code.system == "ndc" else code.code))
            if product is not None:
                return product
        for code in codes:
            if (code.system == "atc" and code.code.startswith(_IG_ATC)) or (code.system == "snomed" and code.code in IG_SNOMED):
                return ""
        # Text counts only where the writer gave no code at all; a display never does.
        return "" if not codes and _IG_TEXT.search(as_text(concept.get("text"))) else None


_LAST_PRODUCTS: list[tuple[Mapping[str, Codes], dict[tuple[str, str], str]]] = []


def _products_by_code(products: Mapping[str, Codes]) -> dict[tuple[str, str], str]:
    """The product of each code. The index of the last mapping is kept, since one mapping serves many patients."""
    for known, index in _LAST_PRODUCTS:
        if known is products:
            return index
    index = {}
    for product, codes in products.items():
        index["ivigil", product] = product
        for system, values in (("rxnorm", codes.rxnorm), ("ndc", codes.ndc), ("hcpcs", codes.hcpcs), ("snomed", codes.snomed)):
            for value in values:
                index.setdefault((system, plain_ndc(value) if system == "ndc" else value), product)
    _LAST_PRODUCTS[:] = [(products, index)]
    return index


def records_of(resources: Iterable[Resource], facts: Mapping[str, FactDefinition], products: Mapping[str, Codes] | None = None,
               place: str = "") -> list[Record]:
    """Records from resources (Bundles among them) of any order, one per patient."""
    reader = FhirReader(facts, products, place)
    for resource in resources:
        reader.add(resource)
    return reader.records()


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
