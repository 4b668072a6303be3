"""Everything at once against ``ivigil serve``, with workers killed and the database taken away; proves that nothing is lost or wrong.

Run ``python benchmarks/mixed_load.py [--minutes 10] [--workers 2] [--database sqlite|postgresql|URL]`` in a checkout with the extras
``web`` and, for PostgreSQL, ``postgres``. ``postgresql`` starts a server of its own where its programs are installed; a URL must lead to
an empty database. Thirteen callers (people at pages, programs with tokens, a record system with signed calls) plan, save, read back,
delete, forecast, ask, judge, report, sign in and out, and know what each answer must be. Writes ``benchmarks/results-mixed-load.md`` and
ends with 1 when anything was lost or wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "src")]

from benchmarks.mixed import proof as proofs
from benchmarks.mixed.callers import Caller
from benchmarks.mixed.expected import Expected
from benchmarks.mixed.faults import Faults
from benchmarks.mixed.ledger import Ledger
from benchmarks.mixed.postgres import NotHere, PostgresServer
from benchmarks.mixed.service import Service

from ivigil.service.store import Store

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 60.0
"""Minutes at most."""


@dataclass
class Load:
    """One run: what was asked, what came, what was proven."""

    minutes: float
    database: str
    workers: int
    ledger: Ledger = field(default_factory=Ledger)
    proof: proofs.Proof = field(default_factory=proofs.Proof)
    told: list[str] = field(default_factory=list)
    memory: dict[int, list[float]] = field(default_factory=dict)
    seconds: float = 0.0


def crew(service: Service, expected: Expected, ledger: Ledger) -> list[tuple[Caller, Mapping[str, Callable[[], None]], float]]:
    """Who calls, what each does, and how long each rests on average between two acts."""
    def caller(who: str, number: int) -> Caller:
        return Caller(who, service, expected, ledger, random.Random(number))

    def acts(one: Caller, *names: str) -> Mapping[str, Callable[[], None]]:
        return {name: getattr(one, name) for name in names}

    found: list[tuple[Caller, Mapping[str, Callable[[], None]], float]] = []
    jobs: list[tuple[str, float, tuple[str, ...]]] = [
        ("anna", 0.05, ("page_plan", "page_save", "page_read", "read_back")),
        ("anna", 0.05, ("page_save", "rest_save", "read_back", "forget")),
        ("ben", 0.05, ("rest_plan", "forecast", "question", "fhir")),
        ("ben", 0.05, ("rest_save", "read_back", "forget", "page_read")),
        ("ben", 0.05, ("rest_save", "rest_plan")),
        ("vera", 0.1, ("rest_plan", "read_back", "refused_save", "evidence", "trail")),
        ("rosa", 1.0, ("judge", "evidence")),
        ("remy", 1.0, ("judge", "rest_plan")),
        ("adam", 0.3, ("trail", "read_back")),
        ("vera", 1.0, ("come_and_go",)),
        ("record system", 0.05, ("cards_for", "report")),
        ("record system", 0.05, ("cards_for", "report", "replay")),
        ("record system", 0.02, ("cards_for",)),
    ]
    for number, (who, pause, names) in enumerate(jobs):
        one = caller(who, number)
        found.append((one, acts(one, *names), pause))
    return found


def run(load: Load, folder: Path, server: PostgresServer | None) -> None:
    """The load with its faults, then the proof."""
    service = Service(folder, load.database, load.workers)
    os.environ["IVIGIL_CACHE"] = str(folder / "cache")  # compiled once, for the service and for what is expected; nothing of it stays
    service.prepare()
    expected = Expected(service.evidence)
    service.start()
    try:
        _under_load(load, service, expected, server)
        load.proof.that("the service is ready after the load", [] if service.ready_within(60) else ["it is not"])
        load.proof.that("and ends in good order when told to", [] if (code := service.end()) == 0 else [f"exit code {code}"])
        service.start()
        _prove(load, service, expected)
    finally:
        service.end()


def _under_load(load: Load, service: Service, expected: Expected, server: PostgresServer | None) -> None:
    faults = Faults(service, load.ledger, server, minutes=load.minutes)
    began = faults.began
    ends = began + load.minutes * 60

    def over() -> bool:
        return time.monotonic() >= ends and faults.finished

    threads = [threading.Thread(target=one.run, args=(acts, over, pause), daemon=True) for one, acts, pause in crew(service, expected, load.ledger)]
    threads.append(threading.Thread(target=faults.run, daemon=True))
    for thread in threads:
        thread.start()
    while not over():
        for pid, size in service.memory().items():
            load.memory.setdefault(pid, []).append(size)
        time.sleep(1)
    for thread in threads:
        thread.join(150)
    load.seconds = time.monotonic() - began
    load.told = faults.told
    load.proof.that("every caller came to an end", [f"{thread.name} hangs" for thread in threads if thread.is_alive()])
    load.proof.that(f"{len(faults.told)} faults were made", [] if len(faults.told) == len(faults.plan()) else ["not all"])
    lost = load.ledger.unexplained(faults.kills)
    load.proof.that(f"only what a killed worker held was cut off ({len(load.ledger.cuts)} of {sum(load.ledger.right.values())} requests)",
                    [f"{cut.what}: {cut.why} after {cut.broke - cut.began:.1f} s, {cut.began - began:.1f} s into the load" for cut in lost])
    load.proof.that(f"every killed worker was replaced ({faults.killed} killed)", [] if service.whole_within(120) else [f"{len(service.pids())} live"])


def _prove(load: Load, service: Service, expected: Expected) -> None:
    ledger, proof = load.ledger, load.proof
    proof.that(f"all {sum(ledger.right.values())} answers were right, byte for byte, and {sum(ledger.refused.values())} were refused cleanly", ledger.wrong)
    store = Store.at(load.database)
    try:
        proof.that(f"all {len(ledger.plans)} acknowledged plans are there byte for byte, all {len(ledger.forgotten)} deleted ones gone, none is half",
                   proofs.kept_plans(ledger, store, expected))
        proof.that(f"the audit trail of {store.audit.verify().entries} entries is unbroken and agrees with what is kept", proofs.trail(ledger, store))
        proof.that(f"all {len(ledger.feedback)} acknowledged reports of the record system are there", proofs.feedback(ledger, store))
    finally:
        store.database.close()
    proof.that(f"all {len(ledger.verdicts)} acknowledged verdicts are there after a restart", proofs.verdicts(ledger, service))
    proof.that(f"none of {len(ledger.left)} sessions that were signed out lives on", proofs.sessions(ledger, service))
    proof.that("the log holds no failure of the program and no patient", proofs.log(service, expected))
    most = max((max(values) for values in load.memory.values()), default=0.0)
    proof.that(f"a worker takes {most:.0f} MB at most", proofs.memory(load.memory))


def page(load: Load) -> str:
    """The results as a page."""
    ledger = load.ledger
    kind = "PostgreSQL" if load.database.startswith("postgresql") else "SQLite"
    lines = ["# Mixed load with faults", "", "Written by `python benchmarks/mixed_load.py`; do not edit.", "",
             f"{load.seconds / 60:.1f} minutes, {load.workers} workers, {kind}, 13 callers on the same machine with {os.cpu_count()} cores "
             f"(load of the machine in the last minutes: {', '.join(f'{one:.1f}' for one in os.getloadavg())}). "
             f"{sum(ledger.right.values()) / max(load.seconds, 1):.0f} right answers a second.", "",
             "## What was broken on purpose", "", *(f"- {one}" for one in load.told), "", "## What holds", "", *(f"- {one}" for one in load.proof.held), ""]
    if load.proof.broken:
        lines += ["## What does not hold", "", *(f"- {one}" for one in load.proof.broken), ""]
    lines += ["## What was asked", "",
              "*Refused* is 503 with `Retry-After` while the database was away; *cut off* is a connection that a killed worker held.", "",
              "| | Right | Refused | Cut off | Slowest right answer, s |", "|---|---:|---:|---:|---:|"]
    for name in sorted({*ledger.right, *ledger.refused}):
        cut = sum(one.what == name for one in ledger.cuts)
        lines.append(f"| {name} | {ledger.right[name]} | {ledger.refused[name]} | {cut} | {ledger.slowest.get(name, 0.0):.1f} |")
    lines += ["", f"Memory: {proofs.growth(load.memory)}."]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run it and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql (a server of its own), or the URL of an empty database")
    parser.add_argument("--out", default=str(ROOT / "benchmarks" / "results-mixed-load.md"), help="where the page is written")
    parser.add_argument("--keep", default="", help="a folder for the service's files, kept afterwards; default: a temporary one")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        folder = Path(asked.keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="ivigil-load-")))
        folder.mkdir(parents=True, exist_ok=True)
        server = None
        url = f"sqlite:///{folder / 'store.db'}" if asked.database == "sqlite" else asked.database
        if asked.database == "postgresql":
            try:
                server = stack.enter_context(PostgresServer())
            except NotHere as error:
                raise SystemExit(str(error)) from None
            url = server.url
        load = Load(min(asked.minutes, LONGEST), url, asked.workers)
        run(load, folder, server)
    text = page(load)
    print(text)
    Path(asked.out).write_text(text, encoding="utf-8")
    return 1 if load.proof.broken else 0


if __name__ == "__main__":
    sys.exit(main())
