"""The one application behind all doors."""

from __future__ import annotations

from fastapi import FastAPI

from ivigil import __version__
from ivigil.service import api, cards, fhir, operations, pages, smart
from ivigil.service.auth import doors
from ivigil.service.auth.gate import Gate
from ivigil.service.auth.openid import IdentityService
from ivigil.service.edge import Edge, Limited
from ivigil.service.errors import install
from ivigil.service.hospital import Hospital
from ivigil.service.metrics import Metrics
from ivigil.service.opened import open_record
from ivigil.service.settings import Settings
from ivigil.service.store import Store


def application(hospital: Hospital, settings: Settings | None = None, store: Store | None = None) -> FastAPI:
    """The service for one hospital. Without a store everything kept is gone with the process.

    Handlers find ``hospital``, ``settings``, ``store`` and ``metrics`` under ``request.app.state``, and who asks by ``auth.who.person_of``.
    """
    settings = settings or Settings()
    store = store or Store.in_memory()
    app = FastAPI(title="ivigil", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.hospital = hospital
    app.state.settings = settings
    app.state.store = store
    app.state.identity_service = IdentityService(settings.openid, f"{settings.own_origin}/sign-in/openid/back") if settings.openid.issuer else None
    app.state.open_record = open_record
    app.state.metrics = Metrics(__version__, hospital.evidence.version)
    install(app, getattr(pages, "error_page", None))
    for door in (operations, doors, api, cards, fhir, smart, pages):
        app.include_router(door.router)
    app.add_middleware(Gate, settings=settings, store=store)  # the last one added is the first to see a request
    app.add_middleware(Limited, settings=settings)
    app.add_middleware(Edge, settings=settings, metrics=app.state.metrics)
    return app
