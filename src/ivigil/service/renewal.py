"""Evidence that changes while the service runs: a verdict given at one worker counts in all of them within a second.

Every worker asks the store once a second, beside its requests, how often the evidence was changed. Where that is more often than it knows of, it
reads the evidence anew and puts it in place of the old; requests under way keep the one they began with.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from anyio import to_thread
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from ivigil.basis.problems import BadInput
from ivigil.evidence.shapes import Verdict
from ivigil.service.hospital import Hospital
from ivigil.service.store import Store
from ivigil.service.store.audit import Act
from ivigil.service.store.marks import EVIDENCE

log = logging.getLogger("ivigil.service")

EVERY = 1.0
"""Seconds between two looks at the store."""


class Renewal:
    """Keeps the hospital of one application on the newest evidence. ``settle`` is called after each change, outside of any request."""

    def __init__(self, app: FastAPI, store: Store, seen: int, settle: Callable[[], object] | None = None) -> None:
        self._app = app
        self._store = store
        self._seen = seen
        self._settle = settle
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Look, and look again, until the service ends."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self._looked()
            except SQLAlchemyError as error:
                log.warning("evidence: the store does not tell whether it changed: %s", type(error).__name__)

    async def look(self) -> bool:
        """Read the evidence anew if it was changed since it was last read; whether it was.

        Raises:
            BadInput: it was, and does not load. The old one stays in use, and the next change is awaited.
        """
        count = await to_thread.run_sync(self._store.marks.of, EVIDENCE)
        async with self._turn:
            if count == self._seen:
                return False
            self._seen = count
            await self._put(await to_thread.run_sync(self._hospital.read_anew))
            return True

    async def judge(self, act: Act, verdict: Verdict) -> tuple[str, bool]:
        """Write the verdict on ``act.about`` into the evidence, note it, tell every worker, and use it here at once.

        Gives the name of the file, and whether the evidence with the verdict is in use. It is not yet where the folder was changed by other hands too:
        then everything must be read anew, which takes seconds and is done beside the requests. One verdict is written at a time, whichever worker takes it.

        Raises:
            BadInput: nothing can be written.
        """

        def write() -> tuple[str, Hospital | None, int]:
            with self._store.database.writing() as connection:
                self._store.marks.changed(connection, EVIDENCE)
                path, after = self._hospital.judged(act.about, verdict)
                self._store.audit.add_all(connection, [act])
            return path.name, after, self._store.marks.of(EVIDENCE)

        await self._looked()  # what another worker wrote just now is read first, so that this verdict comes on top of it
        async with self._turn:
            name, after, count = await to_thread.run_sync(write)
            if after is not None and count == self._seen + 1:
                self._seen = count
                await self._put(after)
                return name, True
        return name, False

    async def _looked(self) -> None:
        """Look once; where the evidence was changed and does not load, the log says so."""
        try:
            await self.look()
        except BadInput as error:
            log.error("evidence: it changed and does not load; that of before stays in use: %s", error.problems[0] if error.problems else "")

    @property
    def _hospital(self) -> Hospital:
        found = self._app.state.hospital
        assert isinstance(found, Hospital)
        return found

    async def _put(self, hospital: Hospital) -> None:
        if hospital is self._hospital:
            return
        self._app.state.hospital = hospital
        self._app.state.metrics.evidence(hospital.evidence.version)
        log.info("evidence %s is in use", hospital.evidence.version)
        if self._settle is not None:
            await to_thread.run_sync(self._settle)
