"""What the evidence holds, and the schemas of what goes in and comes out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from ivigil import __version__
from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.library import Evidence
from ivigil.evidence.search import search
from ivigil.evidence.uses import PARTS
from ivigil.patient.read import patient_schema
from ivigil.pharmacokinetics.fit_model import fit_model_schema
from ivigil.rendering.answer_json import answer_schema
from ivigil.rendering.evidence_export import plain_value
from ivigil.rendering.evidence_schema import PARTS as SCHEMA_PARTS
from ivigil.rendering.evidence_schema import evidence_schema, part_schema
from ivigil.rendering.json import plan_schema
from ivigil.service.api import documented
from ivigil.service.api.answers import kept, pretty
from ivigil.service.errors import Refused
from ivigil.service.hospital import hospital_of

router = APIRouter(prefix="/api/v1")

SCHEMAS = {"patient": patient_schema, "plan": plan_schema, "answer": answer_schema, "evidence": evidence_schema, "fit-model": fit_model_schema}
MOST_HITS = 200


def _evidence(request: Request) -> Evidence:
    return hospital_of(request).evidence


@router.get("/evidence", **documented.EVIDENCE)
def overview(request: Request) -> Response:
    """Version and parts of the evidence in use."""
    evidence = _evidence(request)
    return kept(request, pretty({
        "evidence_version": evidence.version, "program_version": __version__, "overlay": evidence.overlay,
        "parts": {part: len(getattr(evidence, part)) for part in PARTS},
    }))


@router.get("/evidence/search", **documented.SEARCH)
def find(request: Request, q: str = "", limit: int = 20) -> Response:
    """The entries that hold all the words, best first."""
    problems = []
    if not q.strip():
        problems.append(Problem("q", 0, "", "no words to look for", "write for example q=kidney risk"))
    if not 1 <= limit <= MOST_HITS:
        problems.append(Problem("limit", 0, "", f"{limit} entries cannot be listed", f"choose 1 to {MOST_HITS}"))
    if problems:
        raise BadInput(problems)
    evidence = _evidence(request)
    return kept(request, pretty({"query": q, "evidence_version": evidence.version, "hits": search(evidence, q, limit)}))


@router.get("/evidence/{part}", **documented.PART)
def part_of(request: Request, part: str) -> Response:
    """The ids of all entries of a part."""
    evidence = _evidence(request)
    return kept(request, pretty({"part": _part(part), "evidence_version": evidence.version, "ids": list(getattr(evidence, _part(part)))}))


@router.get("/evidence/{part}/{entry}", **documented.ENTRY)
def entry_of(request: Request, part: str, entry: str) -> Response:
    """One entry as its file writes it."""
    evidence = _evidence(request)
    entries: dict[str, Any] = getattr(evidence, _part(part))
    if entry not in entries:
        similar = near(entry, list(entries))
        raise Refused(404, Problem(part, 0, entry, "no entry has this id", f"did you mean {', '.join(similar)}?" if similar else "see /api/v1/evidence/search"))
    return kept(request, pretty({"part": _part(part), "id": entry, "evidence_version": evidence.version, "entry": plain_value(entries[entry])}))


@router.get("/schema/{what}", **documented.SCHEMA)
def schema(request: Request, what: str, part: str = "") -> Response:
    """A JSON Schema: the same bytes as ``ivigil schema``."""
    if what not in SCHEMAS:
        raise Refused(404, Problem("schema", 0, what, "there is no such schema", f"one of {', '.join(SCHEMAS)}"))
    if not part:
        return kept(request, pretty(SCHEMAS[what]()), "application/schema+json")
    name = part.replace("-", "_")
    if what != "evidence" or name not in SCHEMA_PARTS:
        raise Refused(404, Problem("part", 0, part, "there is no such part", f"of evidence: {', '.join(SCHEMA_PARTS)}"))
    return kept(request, pretty(part_schema(name)), "application/schema+json")


def _part(given: str) -> str:
    name = given.replace("-", "_")
    if name not in PARTS:
        similar = near(name, list(PARTS))
        remedy = f"did you mean {', '.join(similar)}?" if similar else f"parts: {', '.join(PARTS)}"
        raise Refused(404, Problem("evidence", 0, given, "there is no such part", remedy))
    return name
