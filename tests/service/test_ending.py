"""The end of the service and of its workers: what is under way is answered, what is dead is seen at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
import uvicorn

from ivigil.service.workers import Worker

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_under_way_when_the_service_is_told_to_end_is_answered(workers: str, tmp_path: Path) -> None:
    """SIGTERM comes while half a record has arrived: the other half is awaited, the plan is kept and answered, and the exit code is 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "ivigil", "serve", "--port", str(port), "--workers", workers, "-j", "US", "--database", f"sqlite:///{tmp_path}/s.db"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "src"}, stdout=log, stderr=log)
    try:
        for _ in range(900):
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10, trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                assert process.poll() is None, (tmp_path / "log").read_text(encoding="utf-8")
            time.sleep(0.2)
        record = (ROOT / "patients" / "itp-adult-us.yaml").read_bytes()
        head = f"POST /api/v1/plans?as_of=2026-11-20 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(record)}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
            caller.sendall(head.encode() + record[:100])
            time.sleep(1)  # the worker has begun to read
            process.send_signal(signal.SIGTERM)
            time.sleep(1)  # and has been told to end
            caller.sendall(record[100:])
            answer = b""
            while more := caller.recv(65536):
                answer += more
        assert answer.startswith(b"HTTP/1.1 201 "), answer[:300]
        assert process.wait(60) == 0
        with socket.socket() as late:
            assert late.connect_ex(("127.0.0.1", port)) != 0, "nothing new is taken"
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


class _Sleeper(Worker):
    """A worker that never says that it lives."""

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        time.sleep(600)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL here")
def test_a_worker_that_dies_while_it_is_asked_is_seen_to_be_dead() -> None:
    """The question ends with the worker, not with the patience that is meant for hung ones."""
    one = _Sleeper(uvicorn.Config("no:app"), [])
    one.start()
    said: list[bool] = []
    asking = threading.Thread(target=lambda: said.append(one.ping(timeout=600)), daemon=True)
    asking.start()
    time.sleep(0.5)
    assert one.pid is not None
    os.kill(one.pid, signal.SIGKILL)
    asking.join(60)
    assert said == [False]
    one.join()
    assert one.exitcode == -signal.SIGKILL
