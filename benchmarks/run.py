"""Measures the speed of ivigil and writes ``benchmarks/results.md``.

Run ``python benchmarks/run.py`` in a checkout with ivigil installed. Every figure is the median of several runs and stands beside an
outside yardstick measured in the same run, as a ratio: ratios travel between machines, seconds do not. Nothing here fails by time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ivigil.basis.logic import sign
from ivigil.basis.quantity import UNITS, Quantity
from ivigil.evidence.compile import compile_evidence
from ivigil.evidence.conditions import Condition, judge, judge_columns, leaves
from ivigil.evidence.files import packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.facts import facts_of
from ivigil.patient.read import read_record
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.plan import plan
from ivigil.rendering.json import plan_json

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from tools.installed import as_installed  # noqa: E402 - found through the line above

EXAMPLE = ROOT / "patients" / "itp-adult-us.yaml"
AS_OF = date(2026, 11, 20)
MILLION = 1_000_000


@dataclass(frozen=True)
class Row:
    """One line of the table: seconds of the work and of the yardstick, and the budget in words."""

    work: str
    seconds: float
    yardstick: str
    against: float
    budget: str = ""
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as table cells."""
        return (self.work, shown(self.seconds), self.budget or "-", self.yardstick, shown(self.against), f"{self.seconds / self.against:.3g}", self.note)


def shown(seconds: float) -> str:
    """A time with a unit that suits it."""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def median(work: Callable[[], Any], runs: int, times: int = 1) -> float:
    """The median time of one call in seconds, over ``runs`` rounds of ``times`` calls, after one round that does not count."""
    work()
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - began) / times)
    return statistics.median(found)


def processes(commands: dict[str, list[str]], runs: int, environment: dict[str, str]) -> dict[str, float]:
    """The median time of whole processes, taken in turn so that a busy moment of the machine hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, env=environment, cwd=ROOT)
            if turn:
                found[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in found.items()}


def whole_processes(runs: int) -> list[Row]:
    """``ivigil plan`` and ``ivigil --help`` against a bare interpreter and against one that only imports the libraries."""
    with tempfile.TemporaryDirectory() as cache:
        environment = as_installed(cache)
        planned = ["-m", "ivigil", "plan", str(EXAMPLE), "--jurisdiction", "US", "--as-of", AS_OF.isoformat()]
        found = processes({
            "plan": planned, "help": ["-m", "ivigil", "--help"], "nothing": ["-c", "pass"], "libraries": ["-c", "import typer, rich, msgspec"],
        }, runs, environment)
    return [
        Row("`ivigil plan`, whole process", found["plan"], "`python -c pass`", found["nothing"], "0.5 s"),
        Row("`ivigil plan`, whole process", found["plan"], "`python -c 'import typer, rich, msgspec'`", found["libraries"], "0.5 s"),
        Row("`ivigil --help`", found["help"], "`python -c pass`", found["nothing"], "0.15 s"),
    ]


def in_process(evidence: Evidence, runs: int) -> list[Row]:
    """One warm plan, each example record in turn, against reading and writing the JSON of the same plans."""
    work = list(_examples(evidence))
    texts = [plan_json(plan(record, evidence, context)) for record, context in work]

    def plans() -> None:
        for record, context in work:
            plan(record, evidence, context)

    def yardstick() -> None:
        for text in texts:
            json.dumps(json.loads(text))

    one = len(work)
    return [Row("plan in process, warm, per plan", median(plans, runs) / one, "`json.loads` + `dumps` of the same plan", median(yardstick, runs) / one, "2 ms",
                f"mean of {one} example records; without forecast")]


_PLACES = {"us": "US", "uk": "UK-ENG", "eu": "EU", "au": "AU", "ontario": "CA-ON"}


def _examples(evidence: Evidence) -> Iterable[tuple[Record, Context]]:
    for path in sorted((ROOT / "patients").glob("*.yaml")):
        place = _PLACES.get(path.stem.rsplit("-", 1)[-1], "US")
        for record in read_record(path, evidence.facts):
            yield record, Context(place, AS_OF, datetime(AS_OF.year, AS_OF.month, AS_OF.day, 9))


def loading(runs: int) -> list[Row]:
    """The compiled bundle against the same data as JSON read by the standard library; and a compilation from YAML."""
    files = read_folder(packaged_folder())
    with tempfile.TemporaryDirectory() as cache:
        os.environ["IVIGIL_CACHE"] = cache
        evidence = load_evidence()
        text = msgspec.json.encode(evidence).decode()
        loaded = median(load_evidence, runs)
        yardstick = median(lambda: json.loads(text), runs)
        began = time.perf_counter()
        compile_evidence(files)
        compiled = time.perf_counter() - began
    return [
        Row("evidence bundle load (files hashed, bundle decoded)", loaded, "`json.loads` of the same data", yardstick, "60 ms", f"{len(files)} files"),
        Row("cold compilation from YAML", compiled, "`json.loads` of the same data", yardstick, "", "once per evidence version; then kept on disk"),
    ]


def rules_on_columns(evidence: Evidence, runs: int, length: int = MILLION) -> list[Row]:
    """Every risk group, safety rule and interaction on columns of a million made patients, against sorting a million floats."""
    columns = _columns(evidence, length)
    conditions = [rule.when for rule in evidence.every_rule.values()]

    def judged() -> None:
        known = dict(columns)
        for group in evidence.groups.values():
            known[group.id] = judge_columns(group.when, known, length)
        for condition in conditions:
            judge_columns(condition, known, length)

    floats = np.random.default_rng(1).random(length)
    many = f"{length:,}"
    return [Row(f"safety rules on columns, {many} patients x {len(conditions)} rules, one core", median(judged, runs), f"`numpy.sort` of {many} floats",
                median(lambda: np.sort(floats), runs), "30 s")]


def _columns(evidence: Evidence, length: int) -> dict[str, Any]:
    """A column for every fact that a rule or group names: a fifth unknown, the rest on both sides of each threshold."""
    random = np.random.default_rng(2026)
    found: dict[str, Any] = {}
    trees: list[Condition] = [*(rule.when for rule in evidence.every_rule.values()), *(group.when for group in evidence.groups.values())]
    for leaf in (leaf for tree in trees for leaf in leaves(tree)):
        if leaf.fact in found or leaf.fact in evidence.groups:
            continue
        unknown = random.random(length) < 0.2
        values: Any
        if leaf.op == "yes":
            values = random.integers(0, 2, length, dtype=np.int8) * 2 - 1
            values[unknown] = 0
        elif leaf.words:
            values = np.array([*leaf.words, "something-else"])[random.integers(0, len(leaf.words) + 1, length)]
            values[unknown] = ""
        else:
            values = random.random(length) * 2 * max(leaf.number, 1e-9)
            values[unknown] = np.nan
        found[leaf.fact] = values
    return found


def rules_one_by_one(evidence: Evidence, runs: int) -> list[Row]:
    """All rules for one patient with reasons, against evaluating as many bare comparisons in Python."""
    people = [facts_of(record, evidence.facts, context.as_of) for record, context in _examples(evidence)]
    conditions = [rule.when for rule in evidence.every_rule.values()]
    bare = [[(sign(None) if value is None else value) for value in map(_number, facts.values())] for facts in people]
    count = sum(1 for condition in conditions for _ in leaves(condition))

    def judged() -> None:
        for facts in people:
            for condition in conditions:
                judge(condition, facts)

    def yardstick() -> None:
        for values in bare:
            for place in range(count):
                _ = values[place % len(values)] > 1.0

    return [Row(f"safety rules one by one, {len(conditions)} rules with reasons, per patient", median(judged, runs, 3) / len(people),
                f"{count} bare comparisons in Python", median(yardstick, runs, 3) / len(people))]


def _number(fact: Any) -> float | None:
    return fact.value.value * UNITS[fact.value.unit].factor if isinstance(fact.value, Quantity) else None


def report(rows: list[Row], evidence: Evidence) -> str:
    """The table as Markdown."""
    heads = ("work", "median", "budget", "yardstick", "median", "ratio", "note")
    out = [
        "# Speed", "",
        "Written by `python benchmarks/run.py`; do not edit. Medians; what travels between machines is the ratio to an outside",
        "yardstick of the same run.", "",
        f"{date.today().isoformat()}, {os.cpu_count()} cores (one used), Python {sys.version.split()[0]}, evidence {evidence.version}.", "",
        "| " + " | ".join(heads) + " |", "|---|---:|---:|---|---:|---:|---|",
    ]
    out += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(out) + "\n"


def main() -> int:
    """Measure everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results.md")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    evidence = load_evidence()
    # What compiles comes last: it leaves a heap that no warm service has.
    rows = [*whole_processes(options.runs), *in_process(evidence, options.runs), *rules_one_by_one(evidence, options.runs),
            *rules_on_columns(evidence, max(3, options.runs // 2)), *loading(options.runs)]
    text = report(rows, evidence)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
