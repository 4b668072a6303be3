"""The interface in OpenAPI 3.1, made from the routes and the shapes that they read and write."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ivigil import __version__
from ivigil.basis.conversion import json_schema_components
from ivigil.rendering.json import plan_schema
from ivigil.rendering.why import Node
from ivigil.service.api.questions import Question
from ivigil.service.api.request import Envelope
from ivigil.service.errors import Refusal

ABOUT = (
    "Plans immunoglobulin therapy from a patient record; every line of a plan carries its source. For qualified health professionals.\n\n"
    "Planning, reasons and forecasts are pure functions of what is sent: sending a request again gives the same bytes and the same ETag, and nothing is kept, "
    "so no idempotency key is needed. Errors have one shape (application/problem+json) with every problem, its place, cause and remedy."
)
OPERATIONS = ("/healthz", "/readyz", "/metrics")
"""CDS Hooks and FHIR describe themselves, as their standards say."""
TAGS = [
    {"name": "plan", "description": "Plans, reasons, forecasts. Nothing is kept."}, {"name": "saved plans", "description": "Kept for their owner alone."},
    {"name": "evidence", "description": "What the evidence holds, and schemas."}, {"name": "operations", "description": "For those who run the service."},
]


class _Saved(msgspec.Struct):
    """A saved plan: where it and its record are, and what it was made from. ``changes`` are answers given on a page beside a FHIR record."""

    id: str
    made: str
    as_of: str
    choices: dict[str, str]
    evidence_version: str
    program_version: str
    plan: str
    record: str
    reproduced: str = ""
    changes: dict[str, Any] = {}


class _Reasons(msgspec.Struct):
    """Why a line stands, down to the record and the place in the source."""

    line: str
    evidence_version: str
    plan_evidence_version: str
    reasons: list[Node]


@lru_cache(maxsize=4)
def description(app: FastAPI) -> bytes:
    """The OpenAPI document of this application, as bytes."""
    document = get_openapi(title="ivigil", version=__version__, openapi_version="3.1.0", description=ABOUT, routes=app.routes, tags=TAGS)
    document["paths"] = {path: operations for path, operations in document["paths"].items() if path.startswith("/api/") or path in OPERATIONS}
    for operations in document["paths"].values():
        for operation in operations.values():
            _tidied(operation)
    components = document.setdefault("components", {})
    components["schemas"] = {**_schemas(), **{name: one for name, one in components.get("schemas", {}).items() if "ValidationError" not in name}}
    components["headers"] = {"RequestId": {"description": "The number of the request, to quote when something went wrong.", "schema": {"type": "string"}}}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A token from 'ivigil users token'."},
        "session": {"type": "apiKey", "in": "cookie", "name": "__Host-ivigil", "description": "The session of a person who signed in."},
    }
    document["security"] = [{"token": []}, {"session": []}, {}]
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _tidied(operation: dict[str, Any]) -> None:
    """Each parameter once, our own description of it winning; no answer of another shape than ours."""
    own = {(one["in"], one["name"]): one for one in operation.get("parameters", [])}
    operation["parameters"] = list(own.values())
    responses = operation["responses"]
    for status in ("200", "422"):
        content = responses.get(status, {}).get("content", {})
        if status == "422" and "application/json" in content:
            del content["application/json"]
            if not content:
                del responses[status]
    if "200" in responses and any(status in responses for status in ("201", "204")):
        del responses["200"]


def _schemas() -> dict[str, Any]:
    _, schemas = json_schema_components([Envelope, Question, Refusal, _Saved, _Reasons], ref_template="#/components/schemas/{name}")
    schemas["Request"] = {**schemas.pop("Envelope"), "additionalProperties": True, "description": (
        "`record` (a record or FHIR resource as JSON, or any record as text) with choices beside it. A body without `record` is itself the record.")}
    schemas["Request"]["properties"]["record"] = {"oneOf": [{"type": "object"}, {"type": "string"}, {"type": "array"}]}
    schemas["Question"]["properties"]["record"] = {"oneOf": [{"type": "object"}, {"type": "string"}], "description": "A patient record: its plan is quoted."}
    schemas["Question"]["additionalProperties"] = False
    text = msgspec.json.encode(plan_schema()["$defs"]).replace(b"#/$defs/", b"#/components/schemas/")
    named = {"_Saved": "SavedPlan", "_Reasons": "Reasons"}
    return {**{named.get(name, name): one for name, one in schemas.items()}, **msgspec.json.decode(text)}
