"""Starts the service: one process, or several workers behind one port, and ends it without cutting an answer short."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from ivigil.basis.conversion import from_json
from ivigil.basis.problems import BadInput
from ivigil.evidence.files import packaged_folder
from ivigil.evidence.load import load_evidence
from ivigil.planning.choices import SiteProfile
from ivigil.service import connection
from ivigil.service.app import application
from ivigil.service.hospital import Hospital
from ivigil.service.metrics import SHARED
from ivigil.service.settings import Settings
from ivigil.service.store import Store
from ivigil.service.store.database import default_url
from ivigil.service.store.marks import EVIDENCE
from ivigil.service.workers import supervise

log = logging.getLogger("ivigil.service")

STARTED_WITH = "IVIGIL_STARTED_WITH"
"""Names the file in which a worker finds how it was started."""
GRACE = 20
"""Seconds that answers under way have to finish when the service is told to end."""

PATIENCE = 60
"""Seconds without a sign of life before a worker counts as hung. A dead one is seen at once; one that starts on a busy machine needs time to load."""


class Start(msgspec.Struct, frozen=True):
    """How the service was asked to start."""

    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    evidence: str = ""
    overlay: str = ""
    site: SiteProfile = SiteProfile()
    settings: Settings = Settings()
    database: str = ""
    certificate: str = ""
    key: str = ""


def serve(start: Start) -> None:
    """Run until told to end (SIGTERM, SIGINT)."""
    tell()
    if start.workers == 1:
        signal.signal(signal.SIGTERM, _ended)
        uvicorn.Server(uvicorn.Config(made(start), **_options(start))).run()
        return
    folder = tempfile.mkdtemp(prefix="ivigil-")  # readable by its owner only: the site profile and the settings pass through it
    try:
        counts, told = Path(folder, "counts"), Path(folder, "start.json")
        counts.mkdir()
        told.write_bytes(msgspec.json.encode(start))
        os.environ[SHARED], os.environ[STARTED_WITH] = str(counts), str(told)
        supervise(uvicorn.Config("ivigil.service.run:worker", factory=True, workers=start.workers, **_options(start)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ended(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM before the service listens, and once more from uvicorn after everything is answered: an end in good order either way.

    Raises:
        SystemExit: always, with 0.
    """
    raise SystemExit(0)


def made(start: Start) -> FastAPI:
    """The application with its evidence."""
    store = Store.at(start.database or default_url())
    seen = store.marks.of(EVIDENCE)  # before the files are read: a verdict that comes between is read twice rather than not at all
    evidence = load_evidence(Path(start.evidence) if start.evidence else None, Path(start.overlay) if start.overlay else None)
    folders = (Path(start.evidence) if start.evidence else packaged_folder(), *([Path(start.overlay)] if start.overlay else []))
    connection.ARRIVAL = start.settings.limits.arrival
    hospital = Hospital(evidence, start.site, start.settings.limits, folders)
    _frozen()
    return application(hospital, start.settings, store, seen, _frozen)


def _frozen() -> None:
    """Keep the collector away from the evidence, which stays for long: walking it again and again would make one answer in a hundred slow."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def worker() -> FastAPI:
    """The application of one worker process, which the supervisor starts again when it dies.

    Raises:
        SystemExit: it cannot start now, because the database is away or the evidence was broken meanwhile; the log says why, and it is tried again.
    """
    tell()
    try:
        return made(from_json(Path(os.environ[STARTED_WITH]).read_bytes(), Start))
    except BadInput as error:
        for problem in error.problems:
            log.error("this worker cannot start: %s", problem)
        raise SystemExit(1) from None
    except SQLAlchemyError as error:
        log.error("this worker cannot start: database: %s", type(error).__name__)
        raise SystemExit(1) from None


def tell() -> None:
    """One line a request on standard error: number, method, door, status, time. Never an address or a body. A crash of native code says where it was."""
    faulthandler.enable(sys.__stderr__ or sys.stderr)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    for chatty in ("httpx", "httpcore", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _options(start: Start) -> dict[str, Any]:
    return {
        "host": start.host, "port": start.port, "http": connection.Connection, "loop": "asyncio", "ws": "none", "lifespan": "on",
        "log_config": None, "access_log": False, "server_header": False, "h11_max_incomplete_event_size": start.settings.limits.header,
        "timeout_keep_alive": 10, "timeout_graceful_shutdown": GRACE, "timeout_worker_healthcheck": PATIENCE, "backlog": 1024, "limit_concurrency": 512,
        "proxy_headers": start.settings.behind_proxy, "forwarded_allow_ips": "127.0.0.1,::1" if start.settings.behind_proxy else None,
        "ssl_certfile": start.certificate or None, "ssl_keyfile": start.key or None,
    }
