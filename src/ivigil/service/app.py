"""The one application behind all doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from anyio import to_thread
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
from ivigil.service.packed import Packed
from ivigil.service.renewal import Renewal
from ivigil.service.settings import Settings
from ivigil.service.store import Store
from ivigil.service.store.marks import EVIDENCE


def application(
    hospital: Hospital, settings: Settings | None = None, store: Store | None = None, seen: int | None = None, settle: Callable[[], object] | None = None
) -> FastAPI:
    """The service for one hospital. Without a store everything kept is gone with the process.

    ``seen`` is how often the store said that the evidence was changed before it was read; ``settle`` is called when evidence was renewed.
    Handlers find ``settings``, ``store`` and ``metrics`` under ``request.app.state``, the hospital by ``hospital.hospital_of``, and who asks by
    ``auth.who.person_of``.
    """
    settings = settings or Settings()
    store = store or Store.in_memory()
    app = FastAPI(title="ivigil", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=_living)
    app.state.hospital = hospital
    app.state.settings = settings
    app.state.store = store
    app.state.identity_service = IdentityService(settings.openid, f"{settings.own_origin}/sign-in/openid/back") if settings.openid.issuer else None
    app.state.open_record = open_record
    app.state.metrics = Metrics(__version__, hospital.evidence.version)
    app.state.renewal = Renewal(app, store, store.marks.of(EVIDENCE) if seen is None else seen, settle)
    install(app, getattr(pages, "error_page", None))
    for door in (operations, doors, api, cards, fhir, smart, pages):
        app.include_router(door.router)
    app.add_middleware(Gate, settings=settings, store=store)  # the last one added is the first to see a request
    app.add_middleware(Limited, settings=settings)
    app.add_middleware(Packed)
    app.add_middleware(Edge, settings=settings, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _living(app: FastAPI) -> AsyncIterator[None]:
    """What runs beside the requests, and what is written before the end."""
    looking = asyncio.create_task(app.state.renewal.run())
    yield
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await to_thread.run_sync(app.state.store.settle)
