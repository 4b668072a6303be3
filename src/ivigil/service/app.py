"""The one application behind all doors."""

from __future__ import annotations

from fastapi import FastAPI

from ivigil import __version__
from ivigil.service import api, cards, fhir, operations, pages
from ivigil.service.edge import Edge, Limited
from ivigil.service.errors import install
from ivigil.service.hospital import Hospital
from ivigil.service.metrics import Metrics
from ivigil.service.settings import Settings


def application(hospital: Hospital, settings: Settings | None = None) -> FastAPI:
    """The service for one hospital. Handlers find it as ``request.app.state.hospital``, the settings as ``request.app.state.settings``."""
    settings = settings or Settings()
    app = FastAPI(title="ivigil", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.hospital = hospital
    app.state.settings = settings
    app.state.metrics = Metrics(__version__, hospital.evidence.version)
    install(app, getattr(pages, "error_page", None))
    for door in (operations, api, cards, fhir, pages):
        app.include_router(door.router)
    app.add_middleware(Limited, settings=settings)
    app.add_middleware(Edge, settings=settings, metrics=app.state.metrics)
    return app
