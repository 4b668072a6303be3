"""Replays order-sign calls against ``ivigil serve`` on loopback at a fixed pace and writes ``benchmarks/results-cds-hooks.md``.

Run ``python benchmarks/cds_hooks.py [--rate 200] [--seconds 10] [--workers 2]`` in a checkout with the extra ``web``. Requests start on
their times whether or not earlier ones are answered (open loop), so waiting counts. Beside it, in the same run, stands a yardstick: an
empty application on the same server that reads the same bytes as JSON and answers with an empty card list. Bounded in count and time;
nothing fails by time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIGN = "/cds-services/ivigil-order-sign"
MOST_REQUESTS = 20_000
MOST_SECONDS = 60
CONNECTIONS = 48
UCUM, LOINC, SNOMED = "http://unitsofmeasure.org", "http://loinc.org", "http://snomed.info/sct"

YARDSTICK = '''
import json
from fastapi import FastAPI, Request, Response

app = FastAPI()

@app.post("/cds-services/{name}")
async def call(request: Request, name: str) -> Response:
    json.loads(await request.body())
    return Response(b'{"cards":[]}', media_type="application/json")
'''


@dataclass(frozen=True)
class Measured:
    """Answers in milliseconds, by rank, what was not answered with cards, and the processor time of the server for each call."""

    sent: int
    failed: int
    p50: float
    p90: float
    p99: float
    longest: float
    rate: float
    processor: float = 0.0


def call(number: int) -> bytes:
    """One call: a patient with a chart of 60 resources, and every third time an order with a slip."""
    def observation(name: str, code: str, value: float, unit: str, month: int = 11) -> dict[str, Any]:
        return {"resourceType": "Observation", "id": name, "status": "final", "subject": {"reference": "Patient/p"}, "effectiveDateTime": f"2026-{month:02}-10",
                "code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}

    chart = [observation("w", "29463-7", 60 + number % 30, "kg"), observation("h", "8302-2", 172, "cm")]
    chart += [observation(f"c{month}", "2160-0", 0.9 + month / 100, "mg/dL", month) for month in range(1, 12)]
    chart += [observation(f"g{month}", "2465-3", 600 + month, "mg/dL", month) for month in range(1, 12)]
    chart += [{"resourceType": "Condition", "id": f"d{place}", "subject": {"reference": "Patient/p"}, "clinicalStatus": {"coding": [{"code": "active"}]},
               "code": {"coding": [{"system": SNOMED, "code": code}]}} for place, code in enumerate(("38341003", "44054006", "40956001"))]
    chart += [{"resourceType": "Immunization", "id": f"v{place}", "status": "completed", "patient": {"reference": "Patient/p"},
               "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]}, "occurrenceDateTime": f"20{10 + place % 15}-10-01"}
              for place in range(33)]
    dose = {"value": 2 if number % 3 == 0 else 0.4, "unit": "g/kg", "system": UCUM, "code": "g/kg"}
    order = {"resourceType": "MedicationRequest", "id": "r", "status": "draft", "intent": "order", "subject": {"reference": "Patient/p"},
             "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1809671"}]},
             "reasonCode": [{"coding": [{"system": SNOMED, "code": "40956001"}]}],
             "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "count": 5}},
                                    "doseAndRate": [{"doseQuantity": dose}]}]}
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1961-05-05"}
    body = {"hook": "order-sign", "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))),
            "context": {"patientId": "p", "userId": "Practitioner/1", "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]}},
            "prefetch": {"patient": patient, "chart": {"resourceType": "Bundle", "entry": [{"resource": one} for one in chart]}}}
    return json.dumps(body).encode()


class Caller:
    """One kept-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, body: bytes) -> tuple[int, bytes]:
        """The status and body of one answer."""
        if self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        assert self.reader is not None
        head = f"POST {SIGN} HTTP/1.1\r\nhost: 127.0.0.1:{self.port}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length"))
        return int(answer.split(b" ", 2)[1]), await self.reader.readexactly(length)


async def replay(port: int, bodies: list[bytes], rate: float) -> Measured:
    """Send every body on its time; measures from that time to the last byte of the answer."""
    idle: asyncio.Queue[Caller] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(Caller(port))
    taken: list[float] = []
    failed = 0

    async def one(body: bytes, due: float) -> None:
        nonlocal failed
        caller = await idle.get()
        try:
            status, answer = await caller.ask(body)
            failed += status != 200 or b'"cards":' not in answer
        except (OSError, asyncio.IncompleteReadError):
            failed += 1
        finally:
            idle.put_nowait(caller)
        taken.append(time.perf_counter() - due)

    began = time.perf_counter()
    tasks = []
    for number, body in enumerate(bodies):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(body, due)))
    await asyncio.gather(*tasks)
    ranks = statistics.quantiles([seconds * 1000 for seconds in taken], n=100, method="inclusive")
    return Measured(len(bodies), failed, ranks[49], ranks[89], ranks[98], max(taken) * 1000, len(bodies) / (time.perf_counter() - began))


def processor_seconds(root: int) -> float:
    """The processor time that a process and its children have used; nought where the system does not tell."""
    parents: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    family, size = {root}, 0
    while size != len(family):
        size = len(family)
        family |= {one for one, (parent, _) in parents.items() if parent in family}
    return sum(parents[one][1] for one in family if one in parents)


def served(command: list[str], port: int, cwd: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A server that answers on the port."""
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(900):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        if process.poll() is not None:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        time.sleep(0.2)
    raise SystemExit("the server did not start within three minutes")


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(workers: int, rate: float, seconds: float, *, yardstick: bool) -> Measured:
    """One server, warmed up, then measured."""
    count = min(int(rate * seconds), MOST_REQUESTS)
    bodies = [call(number) for number in range(count)]
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, str(ROOT / "src")])}
        Path(folder, "yardstick.py").write_text(YARDSTICK, encoding="utf-8")
        own = [sys.executable, "-m", "ivigil", "serve", "--port", str(port), "--workers", str(workers), "--jurisdiction", "US",
               "--database", f"sqlite:///{folder}/store.db"]
        other = [sys.executable, "-m", "uvicorn", "yardstick:app", "--port", str(port), "--workers", str(workers), "--log-level", "warning"]
        process = served(other if yardstick else own, port, Path(folder), environment)
        try:
            time.sleep(3)  # every worker reads its evidence
            asyncio.run(replay(port, bodies[: max(20, count // 10)], rate / 2))
            before = processor_seconds(process.pid)
            measured = asyncio.run(replay(port, bodies, rate))
            return replace(measured, processor=(processor_seconds(process.pid) - before) * 1000 / count)
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """Measure both and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    seconds = min(asked.seconds, MOST_SECONDS)
    own = measure(asked.workers, asked.rate, seconds, yardstick=False)
    empty = measure(asked.workers, asked.rate, seconds, yardstick=True)
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    lines = ["# CDS Hooks under load", "", "Written by `python benchmarks/cds_hooks.py`; do not edit.", "",
             f"order-sign over HTTP on loopback, {asked.rate:g} requests a second asked for, {seconds:g} s, {asked.workers} workers, {os.cpu_count()} cores "
             f"(load of the machine in the last minutes: {load}). A third of the orders carries a slip and is planned twice. Budget: p99 of 50 ms.", "",
             "| | Sent | Failed | Reached, 1/s | p50, ms | p90, ms | p99, ms | Longest, ms | Processor a call, ms |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for name, one in (("ivigil", own), ("empty application", empty)):
        lines.append(f"| {name} | {one.sent} | {one.failed} | {one.rate:.0f} | {one.p50:.1f} | {one.p90:.1f} | {one.p99:.1f} | {one.longest:.1f} | "
                     f"{one.processor:.1f} |")
    processor = own.processor / max(empty.processor, 0.01)
    lines += ["", "All figures grow with what else the machine does, times of answers the most; ratios least. Judge p99 on a quiet machine only.",
              "", f"Ratio of the medians: {own.p50 / empty.p50:.1f}; of p99: {own.p99 / empty.p99:.1f}; of processor time: {processor:.1f}."]
    text = "\n".join(lines) + "\n"
    print(text)
    (ROOT / "benchmarks" / "results-cds-hooks.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
