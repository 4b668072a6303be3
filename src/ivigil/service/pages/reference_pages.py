"""The evidence, live: the reference pages of ``ivigil evidence pages`` inside the frame of the service, with search, coverage and disagreements."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from ivigil.basis.problems import Problem
from ivigil.evidence.disagreements import disagreements
from ivigil.rendering.coverage import coverage_report
from ivigil.rendering.disagreements import disagreements_report
from ivigil.rendering.report import Report
from ivigil.service.clock import today
from ivigil.service.errors import Refused
from ivigil.service.hospital import hospital_of
from ivigil.service.pages.reference import reference_of
from ivigil.service.pages.render import page

router = APIRouter(include_in_schema=False)
_LONGEST_SEARCH = 200


@router.get("/evidence")
async def home(request: Request) -> Response:
    """The address with the slash, from which the links of the pages are reckoned."""
    return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/evidence/", 307)


@router.get("/evidence/search")
async def search(request: Request) -> Response:
    """Entries that hold every word of ``q``."""
    words = request.query_params.get("q", "")[:_LONGEST_SEARCH]
    found = await run_in_threadpool(reference_of(hospital_of(request)).search, words)
    return page(request, "search.html", surface="reference", words=words, found=found)


@router.get("/evidence/coverage")
async def coverage(request: Request) -> Response:
    """What was read of whom and how, what runs out, what nothing uses."""

    def made() -> Report:
        return coverage_report(reference_of(hospital_of(request)).coverage, full=True)

    return page(request, "report.html", surface="reference", words="", report=await run_in_threadpool(made))


@router.get("/evidence/disagreements")
async def differing(request: Request) -> Response:
    """Where authorities stand apart, on everything or on one ``topic``."""
    evidence = hospital_of(request).evidence
    topic = request.query_params.get("topic", "")[:_LONGEST_SEARCH]

    def made() -> Report:
        names = {name: indication.name.clinical for name, indication in evidence.indications.items()}
        return disagreements_report(disagreements(evidence, today(), topic), today().isoformat(), names, everything=not topic)

    return page(request, "report.html", surface="reference", words="", report=await run_in_threadpool(made))


@router.get("/evidence/{name:path}")
async def reference_page(request: Request, name: str) -> Response:
    """One of the reference pages; the page of a statement is that of its source."""
    written = await run_in_threadpool(reference_of(hospital_of(request)).page, name or "index.html")
    if written is None:
        raise Refused(404, Problem("evidence", 0, name[:_LONGEST_SEARCH], "there is no such page", "search for it, or begin at the home page of the evidence"))
    return page(request, "reference.html", surface="reference", words="", written=written)
