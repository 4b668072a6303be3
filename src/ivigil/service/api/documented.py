"""What OpenAPI says of each operation: bodies, choices, answers, and examples that a test runs."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from ivigil.planning.choices import CHOICES
from ivigil.service.api.request import ForecastChoices

EXAMPLE_RECORD = """\
id: example-itp
sex: female
born: 1984-05-02
weight: {value: 70 kg, on: 2026-11-18}
height: {value: 168 cm, on: 2026-11-18}
conditions: [Immune thrombocytopenia]
order:
  indication: itp-adult
"""
"""The record of the examples: an invented adult with immune thrombocytopenia."""

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
_REFUSED = {
    401: "Nobody is signed in, or the session has ended.", 403: "The person has not the role, or the request came from another web site.",
    404: "There is no such thing, or it is somebody else's.", 408: "The request did not arrive in time.", 413: "Too large.",
    415: "A kind of document that is not read.", 421: "Addressed to a host name that is not this service's.",
    429: "More requests than one caller may send; Retry-After says how long to wait.",
    422: "The input cannot be used; every problem is listed with place, cause and remedy.", 503: "The database does not answer, or the answer took too long.",
}
_RECORD = {"description": "A patient record: YAML, JSON or FHIR R4 (a Bundle, a list or NDJSON), also as a gzip file."}
_ENVELOPE = {"$ref": "#/components/schemas/Request"}
_TOGETHER: dict[str, Any] = {"record": EXAMPLE_RECORD, "choices": {"jurisdiction": "US", "as_of": "2026-11-20"}}
_JSON_EXAMPLES = {"record": {"summary": "Record and choices in one object", "value": _TOGETHER}}
TEXTS = {"jurisdiction": "Where the plan is made. Default: the site's.", "indication": "Indication by id, name or code. Default: the order in the record.",
         "product": "Product by id.", "weight_policy": "Dosing-weight policy by id.", "rounding": "Rounding policy by id.", "ramp": "Site rate ladder by id.",
         "as_of": "The day the plan is made for, year-month-day. Default: today.", "start": "First infusion, as 2026-11-20T09:00.",
         "least_review": "Withhold lines whose evidence is less far in review: submitted, under-review, approved.",
         "outlook": "Also forecast IgG on the planned dose: true or false.",
         "dose": "Dose of a course: 0.4 g/kg or 30 g.", "every": "Interval: 4 week, 21 day, or once.", "days": "Days over which a course is given.",
         "route": "intravenous, subcutaneous or facilitated-subcutaneous.", "target_trough": "Target trough: 7 g/L.",
         "loading": "What if: the first coming dose is this instead.", "missed": "What if: the N-th coming dose is left out.",
         "late": "What if: N:DAYS, the N-th coming dose is so many days late.", "switch": "What if: weekly doses of this subcutaneous product.",
         "model": "One model instead of those that fit.", "weeks": "How far ahead."}
_KINDS = {"days": "integer", "weeks": "integer", "outlook": "boolean"}
_EXAMPLES = {"jurisdiction": "US", "as_of": "2026-11-20", "every": "4 week", "dose": "0.4 g/kg", "weeks": 12}


_HEADERS = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}


def _query(name: str, text: str, kind: str = "string", example: Any = None, *, required: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": {"type": "integer" if name == "missed" else "string"}} if name in {"missed", "late"} else {"type": kind}
    return {"name": name, "in": "query", "required": required, "description": text, "schema": schema, **({"example": example} if example is not None else {})}


def _choices(names: tuple[str, ...], examples: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_query(name, TEXTS[name], _KINDS.get(name, "string"), _EXAMPLES.get(name) if name in examples else None)
            for name in names]


def _body(json_examples: dict[str, Any]) -> dict[str, Any]:
    written = {"schema": {"type": "string"}, "examples": {"record": {"summary": "A record as people write it", "value": EXAMPLE_RECORD}}}
    return {"required": True, "description": f"{_RECORD['description']} Or a JSON object with `record` and choices beside it; choices in the address win.",
            "content": {"application/json": {"schema": _ENVELOPE, "examples": json_examples}, "application/yaml": written,
                        "application/fhir+json": {"schema": {"type": "object", "description": "A FHIR R4 Bundle with one Patient."}},
                        "application/gzip": {"schema": {"type": "string", "format": "binary"}}}}


def _operation(name: str, summary: str, tag: str, *answers: tuple[int, str, str, dict[str, Any]], refused: tuple[int, ...] = (401, 403, 408, 413, 422, 503),
               **extra: Any) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, text, media_type, schema in answers:
        responses.setdefault(str(status), {"description": text, "content": {}, "headers": _HEADERS})
        if media_type:
            responses[str(status)]["content"][media_type] = {"schema": schema}
    for status in (*refused, 429):
        responses[str(status)] = {"description": _REFUSED[status], "content": _PROBLEM}
    return {"operation_id": name, "summary": summary, "tags": [tag], "response_class": Response, "openapi_extra": {"responses": responses, **extra}}


_PLAN_SCHEMA = {"$ref": "#/components/schemas/Plan"}
_OBJECT = {"type": "object"}
_READ = (401, 422)

PLAN = _operation("plan", "Plan one patient", "plan",
                  (200, "The plan, whatever its status: complete, needs-answers, blocked, no-evidence.", "application/json", _PLAN_SCHEMA),
                  requestBody=_body(_JSON_EXAMPLES), parameters=_choices(CHOICES, ("jurisdiction", "as_of")))
WHY = _operation("why", "The reasons of one line", "plan", (200, "The tree of reasons.", "application/json", {"$ref": "#/components/schemas/Reasons"}),
                 (200, "The tree of reasons.", "text/plain", {"type": "string"}),
                 requestBody=_body({"record": {"summary": "Record, choices and line", "value": {**_TOGETHER, "line": "dose.regimen"}}}),
                 parameters=[_query("line", "A line by id or printed number, a rule by id, or an asked fact.", example="dose.regimen"),
                             *_choices(CHOICES, ("jurisdiction", "as_of"))])
LEAFLET = _operation("leaflet", "The patient's leaflet", "plan", (200, "Large print, with the IgG curve.", "text/html", {"type": "string"}),
                     (200, "The same as text.", "text/plain", {"type": "string"}),
                     (200, "The same on paper.", "application/pdf", {"type": "string", "format": "binary"}),
                     requestBody=_body(_JSON_EXAMPLES), parameters=_choices(CHOICES, ("jurisdiction", "as_of")))
FORECAST = _operation("forecast", "Forecast IgG levels", "plan",
                      (200, "The forecast; its status says whether a model speaks for this patient.", "application/json", _OBJECT),
                      requestBody=_body({"record": {"summary": "Record and regimen", "value": {
                          "record": EXAMPLE_RECORD.replace("itp-adult", "pid"),
                          "forecast": {"dose": "0.4 g/kg", "every": "4 week", "weeks": 12, "as_of": "2026-11-20"}}}}),
                      parameters=_choices(ForecastChoices.__struct_fields__, ("dose", "every", "weeks", "as_of")))
ASK = _operation("ask", "Answer a question", "plan",
                 (200, "The answer; its outcome says whether it was answered, asks back or was refused.", "application/json", _OBJECT),
                 requestBody={"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Question"}, "examples": {
                     "question": {"summary": "A question of a clinician", "value": {"question": "What is the dose in CIDP?", "jurisdiction": "US"}}}}}})
_ID = [{"name": "identity", "in": "path", "required": True, "description": "The id of a saved plan.", "schema": {"type": "string"}}]
_SAVED = {"$ref": "#/components/schemas/SavedPlan"}
SAVE = _operation("save_plan", "Plan one patient and keep it", "saved plans", (201, "Kept; Location names it.", "application/json", _SAVED),
                  requestBody=_body(_JSON_EXAMPLES), parameters=_choices(CHOICES, ("jurisdiction", "as_of")))
SAVED = _operation("list_plans", "Your saved plans", "saved plans", (200, "Newest first.", "application/json", _OBJECT), refused=(401, 503))
ONE_SAVED = _operation("show_plan", "One saved plan, and whether it comes out the same today", "saved plans",
                       (200, "About the plan.", "application/json", _SAVED),
                       refused=(401, 404, 503), parameters=_ID)
SAVED_PLAN = _operation("saved_document", "A saved plan as it was made", "saved plans", (200, "The plan.", "application/json", _PLAN_SCHEMA),
                        refused=(401, 404, 503), parameters=_ID)
SAVED_RECORD = _operation("saved_record", "The record of a saved plan as it was sent", "saved plans",
                          (200, "The record.", "application/octet-stream", {"type": "string", "format": "binary"}), refused=(401, 404, 503), parameters=_ID)
FORGET = {"status_code": 204,
          **_operation("delete_plan", "Delete a saved plan", "saved plans", (204, "Gone.", "", {}), refused=(401, 403, 404, 503), parameters=_ID)}
AUDIT = _operation("audit", "The audit trail", "operations", (200, "Entries, oldest first.", "application/json", _OBJECT), refused=(401, 403, 422, 503))
EVIDENCE = _operation("evidence", "The evidence in use", "evidence", (200, "Version and parts.", "application/json", _OBJECT), refused=(401,))
SEARCH = _operation("search", "Search the evidence", "evidence", (200, "Entries that hold all the words.", "application/json", _OBJECT), refused=_READ,
                    parameters=[_query("q", "Words to look for.", example="kidney risk", required=True), _query("limit", "How many at most.", "integer", 5)])
_PART = {"name": "part", "in": "path", "required": True, "description": "A part of the evidence.", "schema": {"type": "string"}, "example": "products"}
PART = _operation("part", "Ids of a part", "evidence", (200, "All ids.", "application/json", _OBJECT), refused=(401, 404), parameters=[_PART])
ENTRY = _operation("entry", "One entry", "evidence", (200, "As its file writes it.", "application/json", _OBJECT), refused=(401, 404), parameters=[
    _PART, {"name": "entry", "in": "path", "required": True, "description": "The id of an entry.", "schema": {"type": "string"}, "example": "privigen-us"}])
SCHEMA = _operation("schema", "A JSON Schema", "evidence", (200, "The schema.", "application/schema+json", _OBJECT), refused=(401, 404), parameters=[
    {"name": "what", "in": "path", "required": True, "description": "patient, plan, answer, evidence or fit-model.",
     "schema": {"type": "string"}, "example": "plan"},
    _query("part", "Only this part of the evidence.")])
