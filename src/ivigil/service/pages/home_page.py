"""The first page, the files that every page needs, and the page of an error."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ivigil.basis.problems import Problem
from ivigil.service.errors import Refusal, Refused
from ivigil.service.pages.render import KINDS, evidence_of, page, static_files

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request) -> Response:
    """What ivigil is, and where to begin."""
    evidence = evidence_of(request)
    counts = {
        "indications": len(evidence.indications),
        "products": len(evidence.products),
        "rules": len(evidence.every_rule),
        "statements": len(evidence.statements),
        "sources": len(evidence.sources),
    }
    return page(request, "home.html", counts=counts, approved=sum(state == "approved" for state in evidence.review_states.values()))


@router.get("/static/{name}")
async def static(name: str) -> Response:
    """A file that the pages load; kept by the browser, since its address changes with its content."""
    found = static_files().get(name)
    if found is None:
        raise Refused(404, Problem("static", 0, name[:80], "there is no such file", "open one of the pages"))
    kind = KINDS["." + name.rpartition(".")[2]]
    return Response(found, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})


async def error_page(request: Request, refusal: Refusal) -> Response:
    """A refusal as a page, for people."""
    return page(request, "error.html", status=refusal.status, refusal=refusal, problems=refusal.problems)
