"""Several workers behind one port: uvicorn's supervisor, made to see at once that a worker is dead, and to say how it died."""

from __future__ import annotations

import logging
import signal

import uvicorn
from uvicorn.supervisors import multiprocess

log = logging.getLogger("ivigil.service")


class Worker(multiprocess.Process):
    """One worker, asked now and then whether it lives.

    uvicorn keeps the worker's end of the pipe open in the supervisor too. A worker that dies while it is being asked then never closes the pipe, and the
    supervisor waits the whole time that a hung worker is given, without replacing anybody and without hearing that it should end.
    """

    def start(self) -> None:
        """Start, and leave the worker's end of the pipe to the worker alone."""
        super().start()
        self.child_conn.close()

    def join(self) -> None:
        """Wait for the end, and say how it came when it was not a good one."""
        super().join()
        if self.exitcode not in {0, -signal.SIGTERM}:
            code = self.exitcode or 0
            log.error("worker %s ended %s", self.pid, f"with exit code {code}" if code > 0 else f"by {signal.Signals(-code).name}")


def supervise(config: uvicorn.Config) -> None:
    """Run ``config.workers`` workers until told to end; dead ones are replaced, SIGHUP replaces all one by one."""
    multiprocess.Process = Worker  # type: ignore[misc]
    listening = config.bind_socket()
    multiprocess.Multiprocess(config, sockets=[listening]).run()
