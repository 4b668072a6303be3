"""How many patients are fitted in a second, against plain scipy one by one in the same run. Writes ``benchmarks/results-fits.md``.

Needs scipy, and numba for the compiled kernels (``pip install ivigil[dev,fast]``).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from tools.check_fits import CASES, Case, plain, simulate, table_of  # noqa: E402
from tools.independent_fit import objective  # noqa: E402

from ivigil.pharmacokinetics.event_table import read_table  # noqa: E402 - found through the line above
from ivigil.pharmacokinetics.fast_fit import prepared, search_fast  # noqa: E402
from ivigil.pharmacokinetics.fit_model import typical_values  # noqa: E402
from ivigil.pharmacokinetics.individualise import _fit, fit_many  # noqa: E402
from ivigil.pharmacokinetics.schedule import schedule  # noqa: E402


def best_of(runs: int, work: Callable[[], Any]) -> tuple[float, float]:
    """The shortest time by the clock and the least processor time of all threads, in seconds."""
    clock, processor = [], []
    for _ in range(runs):
        begun, used = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    return min(clock), min(processor)


def exp_floor() -> float:
    """Exponentials per second of one core."""
    values = np.linspace(-5, 0, 1_000_000)
    return 1_000_000 / best_of(7, lambda: np.exp(values))[1]


def rows_of(case: Case, number: int, slow: int, one_by_one: int, runs: int) -> list[str]:
    """The lines of the table for one structure."""
    people, _ = simulate(case, number, 1)
    columns = tuple({name: np.asarray(values) for name, values in table.items()} for table in table_of(people, case.model.structure.depot))
    few = tuple({name: values[np.asarray(table["ID"]) < slow] for name, values in table.items()} for table in columns)
    model = case.model
    fit_many(model, *few, fast=True)
    table, found = read_table(model, columns[0], columns[1])
    typical, _ = typical_values(model, table.covariates, len(table.time))
    plan = schedule(table, typical, 0.0, "next", found)
    scale, who = np.ones((number, len(model.etas))), np.arange(number)
    start, task = np.zeros((number, len(model.etas))), prepared(model, plan, table)
    simple = plain(model)
    inverse = np.linalg.inv(simple.omega)

    def scipy_alone() -> None:
        for person in people[:one_by_one]:
            minimize(objective, np.zeros(len(simple.etas)), (simple, person, inverse), method="BFGS")

    yardstick = one_by_one / best_of(2, scipy_alone)[1]
    work: list[tuple[str, int, Callable[[], Any]]] = [
        ("compiled, one search each, 1 thread", number, lambda: search_fast(task, who, scale, start, 1)),
        ("compiled, one search each, 2 threads", number, lambda: search_fast(task, who, scale, start, 2)),
        ("compiled, every start, 1 thread", number, lambda: _fit(model, table, plan, found, scale, True, 1, None)),
        ("compiled, every start, 2 threads", number, lambda: _fit(model, table, plan, found, scale, True, 2, None)),
        ("compiled, `fit_many` from columns to report, 2 threads", number, lambda: fit_many(model, *columns, fast=True, threads=2)),
        ("NumPy, `fit_many` from columns to report", slow, lambda: fit_many(model, *few)),
    ]
    out = []
    for name, count, action in work:
        clock, processor = best_of(runs if count == number else 2, action)
        out.append(f"| {case.name} | {name} | {count / clock:,.0f} | {count / processor:,.0f} | {count / processor / yardstick:,.0f} |")
    out.append(f"| {case.name} | scipy BFGS on differences, one patient after the other, one start | - | {yardstick:,.0f} | 1 |")
    return out


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results-fits.md")
    options = parser.parse_args()
    lines = [line for case in (CASES[0], CASES[1], CASES[2], CASES[3]) for line in rows_of(case, options.patients, 2_000, 60, options.runs)]
    busy = os.getloadavg()[0]
    text = "\n".join([
        "# Speed of fitting", "",
        "Written by `python benchmarks/fits.py`; do not edit. Patients per second by the clock, and per second of processor time of all threads together",
        "(what one undisturbed core does); best of several runs. *One search each* is a search from typical values only; *every start* adds the further",
        "starts that guard against a poorer valley. What travels between machines is the ratio to scipy in the same run.", "",
        f"{date.today().isoformat()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}; load at the end {busy:.1f}",
        f"(above the number of cores means that other work slowed this down); {exp_floor() / 1e6:,.0f} million exponentials per second on one core.", "",
        "| Structure | Work | By the clock | Per core-second | Times scipy |", "|---|---|---:|---:|---:|", *lines, "",
    ])
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
