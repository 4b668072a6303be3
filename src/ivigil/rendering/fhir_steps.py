"""Each line of a plan as the FHIR R4 resource that fits what it says: a request, a task, an issue, a recommendation, a message.

All of them are proposals in draft. Nothing is worked out here; a line that has no place of its own in R4 is a Task with its words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Product
from ivigil.planning.line import Line, Plan
from ivigil.rendering.fhir_dosage import COURSE, dosage_instructions
from ivigil.rendering.fhir_parts import LINES, RXNORM, TERMS, Resource, coding, concept, name_of, quantity

INDICATIONS = "urn:ivigil:indication"
PRODUCTS = "urn:ivigil:product"
PATIENTS = "urn:ivigil:patient"
_ATC = "http://www.whocc.no/atc"
_LOINC = "http://loinc.org"
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_ORDERED = ("dosing", "product", "vials", "infusion")
_ISSUE_SECTIONS = ("safety", "indication")
_SEVERITY = {"critical": "high", "warning": "moderate", "info": "low"}
_PRIORITY = {"critical": "stat", "warning": "urgent", "info": "routine"}
_TESTS = "Tests"


class Steps:
    """The resources of one plan, made once each and known by their ``urn:uuid`` names."""

    def __init__(self, plan: Plan, evidence: Evidence) -> None:
        self.plan = plan
        self.root = root_of(plan)
        self.product = product_of(plan, evidence)
        self.subject = patient_of(plan)
        self.on = plan.as_of.isoformat()
        self.resources: dict[str, Resource] = {}
        self.behind: dict[str, list[Line]] = {}
        self.order = self._order() if plan.line(COURSE) is not None and plan.status not in {"blocked", "no-evidence"} else None

    def of(self, line: Line) -> Resource:
        """The resource that stands for a line."""
        if line.urgency != "info" and (line.section in _ISSUE_SECTIONS or line.act in {"avoid", "ask"}) and line.section != "vaccination":
            return self._kept(line, self._issue(line))
        if line.section in _ISSUE_SECTIONS and line.section == "safety":
            return self._kept(line, self._issue(line))
        if line.section in _ORDERED and line.act in {"give", "choose"} and self.order is not None:
            self.behind.setdefault(self.order["id"], []).append(line)
            return self.order
        if line.section == "vaccination" and line.act in {"wait", "avoid"}:
            return self._kept(line, self._recommendation(line))
        if line.section == "monitoring" and line.table is not None and line.table.columns[0].name == _TESTS:
            return self._kept(line, self._tests(line))
        if line.act == "tell":
            return self._kept(line, self._message(line))
        return self._kept(line, self._task(line))

    def _kept(self, line: Line, resource: Resource) -> Resource:
        named = {**resource, "id": name_of(self.root, line.id)}
        self.resources[named["id"]] = named
        self.behind.setdefault(named["id"], []).append(line)
        return named

    # --- the order ----------------------------------------------------------------------------------------------------

    def _order(self) -> Resource:
        plan = self.plan
        standing = plan.line("indication.standing")
        name = standing.text.partition(": ")[0] if standing is not None else plan.indication
        resource: Resource = {
            "resourceType": "MedicationRequest",
            "id": name_of(self.root, "order"),
            "status": "draft",
            "intent": "proposal",
            "medicationCodeableConcept": self._medicine(),
            "subject": self.subject,
            "authoredOn": self.on,
            "reasonCode": [concept(name, coding(INDICATIONS, plan.indication))],
            "note": [{"text": line.text} for line in plan.lines if line.id in {COURSE, "vials.choice", "course.rounding"}],
            "dosageInstruction": dosage_instructions(plan),
        }
        course = plan.line(COURSE)
        if course is not None and course.value is not None:
            resource["dispenseRequest"] = {"quantity": quantity(course.value)}
        self.resources[resource["id"]] = resource
        return resource

    def _medicine(self) -> Resource:
        choice = self.plan.line("product.choice")
        label = choice.text.partition("): ")[0] + ")" if choice is not None and "): " in choice.text else choice.text.rstrip(".") if choice is not None else ""
        words = f"{label}, human normal immunoglobulin" if label else "human normal immunoglobulin"
        if self.product is None:
            return concept(words)
        codes = self.product.codes
        codings = [coding(PRODUCTS, self.product.id, self.product.brand), *(coding(_ATC, code) for code in codes.atc)]
        if len(codes.rxnorm) == 1:  # several name packs or strengths, of which none is all of the order
            codings.append(coding(RXNORM, codes.rxnorm[0]))
        return concept(words, *codings)

    # --- the other lines ----------------------------------------------------------------------------------------------

    def _issue(self, line: Line) -> Resource:
        return {
            "resourceType": "DetectedIssue",
            "status": "final",
            "code": concept(line.because.rule or line.id, coding(LINES, line.id)),
            "severity": _SEVERITY[line.urgency],
            "patient": self.subject,
            "identifiedDateTime": self.on,
            "implicated": [reference(self.order)] if self.order is not None else [],
            "detail": line.text,
        }

    def _tests(self, line: Line) -> Resource:
        assert line.table is not None
        tests = "; ".join(str(row[0]) for row in line.table.rows)
        return {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            "priority": _PRIORITY[line.urgency],
            "code": concept(tests, coding(LINES, line.id)),
            "subject": self.subject,
            "occurrenceDateTime": line.when.isoformat() if line.when is not None else None,
            "authoredOn": self.on,
            "note": [{"text": line.text}],
        }

    def _recommendation(self, line: Line) -> Resource:
        vaccines, _, _ = line.text.partition(": ")
        status = "contraindicated" if line.act == "avoid" else "not yet to be given"
        codings = [coding(f"{TERMS}/immunization-recommendation-status", "contraindicated")] if line.act == "avoid" else []
        earliest = {"code": concept("Earliest date to give", coding(_LOINC, "30981-5", "Earliest date to give")),
                    "value": line.when.isoformat()} if line.when is not None else None
        return {
            "resourceType": "ImmunizationRecommendation",
            "patient": self.subject,
            "date": self.on,
            "recommendation": [{
                "vaccineCode": [concept(vaccines)],
                "forecastStatus": concept(status, *codings),
                "forecastReason": [concept("antibodies in immunoglobulin" if line.act == "wait" else "the state of the patient's defences")],
                "dateCriterion": [earliest] if earliest is not None else [],
                "description": line.text,
            }],
        }

    def _message(self, line: Line) -> Resource:
        return {
            "resourceType": "CommunicationRequest",
            "status": "draft",
            "priority": _PRIORITY[line.urgency],
            "category": [concept(line.section, coding(LINES, line.id))],
            "subject": self.subject,
            "payload": [{"contentString": line.text}, *({"contentString": row} for row in _rows(line))],
            "authoredOn": self.on,
        }

    def _task(self, line: Line) -> Resource:
        return {
            "resourceType": "Task",
            "status": "draft",
            "intent": "proposal",
            "priority": _PRIORITY[line.urgency],
            "code": concept(line.act, coding(LINES, line.id)),
            "description": line.text,
            "for": self.subject,
            "authoredOn": self.on,
            "executionPeriod": {"start": line.when.isoformat()} if line.when is not None else None,
            "note": [{"text": row} for row in _rows(line)],
        }


def root_of(plan: Plan) -> str:
    """What names all resources of a plan: the same plan gives the same names, another plan other ones."""
    return hashlib.sha256(msgspec.json.encode(plan)).hexdigest()


def reference(resource: Resource) -> Resource:
    """A reference to a resource of the same Bundle."""
    return {"reference": f"urn:uuid:{resource['id']}"}


def patient_of(plan: Plan) -> Resource:
    """The patient by FHIR id, or by identifier where the record's id is none."""
    if _FHIR_ID.fullmatch(plan.patient):
        return {"reference": f"Patient/{plan.patient}"}
    return {"type": "Patient", "identifier": {"system": PATIENTS, "value": plan.patient}}


def product_of(plan: Plan, evidence: Evidence) -> Product | None:
    """The product that the plan chose, by its brand in the plan's market."""
    choice = plan.line("product.choice")
    if choice is None:
        return None
    fitting = [product for product in evidence.products_at(plan.jurisdiction) if choice.text.startswith(f"{product.brand} (")]
    return fitting[0] if len(fitting) == 1 else None


def _rows(line: Line) -> Iterator[str]:
    """The rows of a line's table as sentences: heading and cell, one after the other."""
    for row in line.table.rows if line.table is not None else ():
        yield "; ".join(_cells(line, row))


def _cells(line: Line, row: Iterable[Any]) -> Iterator[str]:
    assert line.table is not None
    for column, cell in zip(line.table.columns, row, strict=True):
        if cell not in (None, ""):
            shown = f"{cell:g}" if isinstance(cell, float) else str(cell)
            yield f"{column.name}: {shown} {column.unit}".strip() if column.name else shown
