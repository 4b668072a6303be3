"""Errors as FHIR OperationOutcome: every problem an issue with its place, its cause and its remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import Response

from ivigil.basis.problems import Problem

MEDIA_TYPE = "application/fhir+json"
_CODES = {400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 412: "incomplete", 413: "too-long", 415: "not-supported", 422: "processing",
          429: "throttled"}


def outcome(status: int, problems: Iterable[Problem]) -> dict[str, Any]:
    """The OperationOutcome of an answer with this status."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(_CODES.get(status, "exception"), problem) for problem in problems]}


def outcome_response(status: int, problems: Iterable[Problem], headers: Mapping[str, str] | None = None, media_type: str = MEDIA_TYPE) -> Response:
    """The OperationOutcome as an answer."""
    return Response(msgspec.json.encode(outcome(status, problems)), status, dict(headers or {}), media_type)


def _issue(code: str, problem: Problem) -> dict[str, Any]:
    issue: dict[str, Any] = {"severity": "error", "code": code, "details": {"text": f"{problem.what}: {problem.why}" if problem.what else problem.why}}
    if problem.remedy:
        issue["diagnostics"] = problem.remedy
    return issue
