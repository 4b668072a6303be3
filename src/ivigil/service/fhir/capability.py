"""What the FHIR door can do, as a CapabilityStatement."""

from __future__ import annotations

from ivigil.rendering.fhir_parts import Resource

PLAN = "$plan"
_URL = "urn:ivigil:operation:plan"


def capability(program: str, base: str, on: str) -> Resource:
    """The CapabilityStatement of one server; ``on`` is the day it is asked on."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": on,
        "kind": "instance",
        "software": {"name": "ivigil", "version": program},
        "implementation": {"description": "Plans immunoglobulin therapy from cited evidence", "url": f"{base}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "documentation": f"One operation, POST /fhir/{PLAN}: the body is a Bundle with a Patient (or a Parameters resource with it as 'bundle'), "
                             "the answer a Bundle led by a GuidanceResponse. No resource is stored, searched or changed here.",
            "operation": [{"name": PLAN.lstrip("$"), "definition": _URL}],
        }],
    }
