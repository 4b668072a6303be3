"""REST, versioned under /api/v1."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ivigil.service.api import evidence, plans, questions, saved
from ivigil.service.api.answers import kept
from ivigil.service.api.description import description

router = APIRouter()
for door in (plans, questions, saved, evidence):
    router.include_router(door.router)


@router.get("/api/v1/openapi.json", include_in_schema=False)
def described(request: Request) -> Response:
    """The interface in OpenAPI 3.1."""
    return kept(request, description(request.app))
