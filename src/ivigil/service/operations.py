"""What the operators of the service ask: is it alive, can it work, how much does it do. No patient data."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ivigil import __version__
from ivigil.basis.problems import Problem
from ivigil.service.edge import loopback_caller
from ivigil.service.errors import Refused
from ivigil.service.hospital import hospital_of

router = APIRouter(tags=["operations"], responses={429: {"description": "More requests than one caller may send; never told to a caller on this machine."}})


@router.get("/healthz", summary="Is the process alive?", operation_id="health")
async def health() -> dict[str, str]:
    """Answers as long as the process can answer anything; asks neither the database nor the evidence."""
    return {"status": "alive", "program_version": __version__}


@router.get("/readyz", summary="Can it plan?", operation_id="readiness")
def readiness(request: Request) -> dict[str, str]:
    """Answers 200 when the evidence is loaded and the database answers, 503 otherwise."""
    if not request.app.state.store.database.answers():
        raise Refused(503, Problem("database", 0, "", "does not answer, or has other tables than this program",
                                   "see that it runs; 'ivigil database version' tells more"), {"retry-after": "5"})
    return {"status": "ready", "program_version": __version__, "evidence_version": hospital_of(request).evidence.version}


@router.get("/metrics", summary="Counts and times", operation_id="metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus text. By default only for a caller on this machine that no proxy speaks for."""
    allowed = request.app.state.settings.metrics
    if allowed == "off" or (allowed == "loopback" and not loopback_caller(request)):
        raise Refused(404, Problem("/metrics", 0, "", "not shown here", "ask from the machine itself, or set 'metrics: open'"))
    counts = request.app.state.metrics
    return Response(counts.text(), media_type=counts.media_type)
