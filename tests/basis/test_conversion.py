"""Types are learnt once, by one thread: what crashed a worker of the service under load."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from ivigil.basis.conversion import convert, from_json, msgpack_decoder

RUNS, THREADS = 8, 8

FIRST_USE = f"""
import sys, threading
sys.setswitchinterval(1e-6)
import msgspec
from ivigil.basis.conversion import convert, from_json, msgpack_decoder, type_info
from ivigil.evidence.shapes import Indication, Product, Statement
from ivigil.patient.written import PatientFile
from ivigil.planning.line import Plan

kinds = [Plan, PatientFile, Indication, Product, Statement]
plain = {{"schema": "x", "id": "x", "lines": [{{"id": "x", "why": {{}}}}], "order": {{"dose": {{}}}}, "name": {{}}}}
text, packed = msgspec.json.encode(plain), msgspec.msgpack.encode(plain)
together = threading.Barrier({THREADS})

def use(number):
    ways = (lambda kind: convert(plain, kind), lambda kind: from_json(text, kind), lambda kind: msgpack_decoder(kind).decode(packed), type_info)
    together.wait()
    for kind in kinds[number % 2:] + kinds[:number % 2]:
        try:
            ways[number % len(ways)](kind)
        except msgspec.ValidationError:
            continue

threads = [threading.Thread(target=use, args=(number,)) for number in range({THREADS})]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("whole")
"""
"""Eight threads use types with shared parts for the first time, and switch as often as they can. With msgspec itself most such runs crash."""


class Point(msgspec.Struct, frozen=True):
    """A type to convert to."""

    x: int
    on: str = ""


@pytest.mark.parametrize("run", range(RUNS))
def test_the_first_use_of_types_in_many_threads_does_not_crash(run: int) -> None:
    """Each run in a process of its own, where nothing is learnt yet."""
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "whole\n"), f"run {run}: {done.stderr[-2000:]}"


def test_values_and_refusals_are_those_of_msgspec() -> None:
    """Strict where asked, and the same errors."""
    assert convert({"x": 1}, Point) == from_json(b'{"x": 1}', Point) == msgpack_decoder(Point).decode(msgspec.msgpack.encode({"x": 1})) == Point(1)
    assert convert({"x": "2"}, Point, strict=False) == Point(2)
    with pytest.raises(msgspec.ValidationError):
        convert({"x": "2"}, Point)
    with pytest.raises(msgspec.ValidationError):
        from_json(b'{"x": "2"}', Point)
    with pytest.raises(msgspec.DecodeError):
        from_json(b"{", Point)
