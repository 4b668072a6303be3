"""The one application behind all doors."""

from __future__ import annotations

from fastapi import FastAPI

from ivigil import __version__
from ivigil.service import api, cards, fhir, pages
from ivigil.service.hospital import Hospital


def application(hospital: Hospital) -> FastAPI:
    """The service for one hospital. Handlers find it as ``request.app.state.hospital``."""
    app = FastAPI(title="ivigil", version=__version__, docs_url=None, redoc_url=None)
    app.state.hospital = hospital
    for door in (api, cards, fhir, pages):
        app.include_router(door.router)
    return app
