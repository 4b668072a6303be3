"""Measures the pharmacokinetic kernels and writes ``benchmarks/results-pharmacokinetics.md``.

Run ``python benchmarks/pharmacokinetics.py`` with ivigil and its development libraries installed. Every figure stands beside plain SciPy per
patient and beside the floors of the machine, measured in the same run: writing the same array to memory, and one exponential per output.
Nothing here fails by time. ``--quick`` takes smaller arrays.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.facts import facts_of
from ivigil.patient.read import read_records
from ivigil.pharmacokinetics import kernels, saturable
from ivigil.pharmacokinetics.forecast import forecast
from ivigil.pharmacokinetics.history import history_of, person_of
from ivigil.pharmacokinetics.regimen import Regimen

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]
from tools.installed import as_installed  # noqa: E402 - found through the line above

DAYS = 365
YEAR = kernels.doses(np.arange(13) * 28.0, 28.0, 1 / 6)
MONOGRAPH = saturable.Catabolism(0.401, 21.5, 52.2, 0.0198, 3.01, 3.01, 1.498)


def modes(patients: int) -> kernels.Modes:
    """Two-compartment patients with a scatter of clearance."""
    scatter = np.exp(0.3 * np.random.default_rng(1).standard_normal(patients))
    return kernels.modes(0.15 * scatter, np.full(patients, 3.06), np.full(patients, 0.474), np.full(patients, 1.93))


def best(work: Callable[[], Any], runs: int) -> float:
    """The median time in seconds after one round that does not count; ``CPU`` keeps the processor time of the median round."""
    work()
    found = []
    for _ in range(runs):
        began, busy = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - began, time.process_time() - busy))
    found.sort()
    CPU.append(found[len(found) // 2][1])
    return found[len(found) // 2][0]


CPU: list[float] = []


def grid_part(patients: int) -> float:
    """One process of the two-core figure: seconds for its share, after a warm round."""
    own, out = modes(patients), np.empty((DAYS, patients))
    return best(lambda: kernels.on_grid(own, YEAR, DAYS, out=out), 3)


def scipy_linear(patients: int) -> None:
    """Plain SciPy, one patient after the other, restarted at each dose."""
    for _ in range(patients):
        state = np.zeros(2)
        for dose in range(13):
            state = state + np.array([28.0, 0.0])

            def slope(_: float, y: Any) -> list[float]:
                return [-(0.15 / 3.06 + 0.474 / 3.06) * y[0] + 0.474 / 1.93 * y[1], 0.474 / 3.06 * y[0] - 0.474 / 1.93 * y[1]]

            end = min(28.0 * (dose + 1), DAYS)
            state = solve_ivp(slope, (28.0 * dose, end), state, rtol=1e-6, t_eval=np.arange(28.0 * dose, end)).y[:, -1]


def scipy_saturable(patients: int) -> None:
    """Plain SciPy for the saturable model with its tracer."""
    made = float(saturable.fractional_rate(MONOGRAPH, 12.0))
    for _ in range(patients):
        state = np.array([12.0, 12.0, 1.0, 1.0])
        for dose in range(13):
            state = state + np.array([28.0 / 3.01, 0.0, 0.0, 0.0])

            def slope(_: float, y: Any) -> list[float]:
                lost, out = max(0.401 - 21.5 / (52.2 + y[0]), 0.0198), 1.498 / 3.01
                return [made * 12 - lost * y[0] - out * (y[0] - y[1]), out * (y[0] - y[1]), made - lost * y[2] - out * (y[2] - y[3]), out * (y[2] - y[3])]

            end = min(28.0 * (dose + 1), DAYS)
            state = solve_ivp(slope, (28.0 * dose, end), state, rtol=1e-6, t_eval=np.arange(28.0 * dose, end)).y[:, -1]


def rates(patients: int, runs: int) -> dict[str, tuple[float, float | None]]:
    """Patient-years per second of everything measured, by the clock and by processor time (None where another process did the work)."""
    own, out = modes(patients), np.zeros((DAYS, patients))
    exponent = -np.random.default_rng(2).random(min(patients * DAYS, 8_000_000))

    def rate(count: float, work: Callable[[], Any]) -> tuple[float, float]:
        wall = best(work, runs)
        return count / wall, count / max(CPU[-1], 1e-9)

    found: dict[str, tuple[float, float | None]] = {
        "floor: writing the array": rate(patients, lambda: out.fill(1.0)),
        "floor: one exponential per output": rate(exponent.size / DAYS, lambda: np.exp(exponent)),
        "linear grid, NumPy, one core": rate(patients, lambda: kernels.on_grid(own, YEAR, DAYS, out=out)),
        "plain SciPy, linear, one core": rate(10, lambda: scipy_linear(10)),
        "plain SciPy, saturable, one core": rate(4, lambda: scipy_saturable(4)),
    }
    with ProcessPoolExecutor(2) as pool:
        seconds = max(pool.map(grid_part, [patients, patients]))
    found["linear grid, NumPy, two cores (two processes)"] = (2 * patients / seconds, None)
    few = modes(2000)
    times = np.sort(np.random.default_rng(3).uniform(0, DAYS, DAYS))
    found["linear, 365 arbitrary times, NumPy, one core"] = rate(2000, lambda: kernels.superposed(few, YEAR, times))
    many = patients // 10
    baselines, days = np.full(many, 12.0), np.arange(float(DAYS))
    found["saturable with tracer, NumPy, one core"] = rate(many, lambda: saturable.simulated(MONOGRAPH, baselines, YEAR, days))
    try:
        from ivigil.pharmacokinetics import fast
    except ImportError:
        return found
    fast.warm_up()
    for threads in (1, 2):
        name = "one core" if threads == 1 else "two cores (two threads)"

        def grid(threads: int = threads) -> Any:
            return fast.on_grid(own, YEAR, DAYS, threads=threads, out=out)

        def course(threads: int = threads) -> Any:
            return fast.simulated(MONOGRAPH, baselines, YEAR, days, threads)

        found[f"linear grid, numba, {name}"] = rate(patients, grid)
        found[f"saturable with tracer, numba, {name}"] = rate(many, course)
    return found


def forecast_of(path: Path, evidence: Evidence, as_of: date) -> Callable[[], Any]:
    """The forecast of one record with 28 g every four weeks."""
    record = next(iter(read_records(path, evidence.facts, {})))
    facts = facts_of(record, evidence.facts, as_of)
    person = person_of(record, facts, evidence, "pid")
    assert person is not None
    history = history_of(record, person, facts, evidence, as_of)
    return lambda: forecast(person, facts, history, Regimen(28.0, 28.0, length=1 / 6), evidence, horizon=182.0, target=7.0)


def one_forecast(runs: int) -> list[str]:
    """A forecast warm in process, and as a whole process beside a bare interpreter and one that imports the libraries."""
    evidence, as_of = load_evidence(), date(2026, 11, 20)
    warm = best(forecast_of(ROOT / "patients" / "pid-adult-us.yaml", evidence, as_of), 10 * runs)
    fitted = best(forecast_of(ROOT / "examples" / "pid-with-levels.yaml", evidence, as_of), 5 * runs)
    command = ["-m", "ivigil", "forecast", str(ROOT / "patients" / "pid-adult-us.yaml"), "--dose", "0.4 g/kg", "--every", "4 week", "--as-of", "2026-11-20"]
    with tempfile.TemporaryDirectory() as cache:
        environment = as_installed(cache)

        def process(arguments: list[str]) -> float:
            return best(lambda: subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment), runs)

        whole, bare, libraries = process(command), process(["-c", "pass"]), process(["-c", "import numpy, typer, msgspec"])
    return [f"| one forecast, six models, warm | {1e3 * warm:.1f} ms | 10 ms |",
            f"| one forecast with four levels fitted under four models, warm | {1e3 * fitted:.1f} ms | |",
            f"| `ivigil forecast`, whole process | {1e3 * whole:.0f} ms | 350 ms |",
            f"| `python -c pass` | {1e3 * bare:.0f} ms | |", f"| `python -c 'import numpy, typer, msgspec'` | {1e3 * libraries:.0f} ms | |"]


def main() -> int:
    """Measure and write the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="smaller arrays")
    quick = options.parse_args().quick
    patients, runs = (20_000, 3) if quick else (100_000, 5)
    found = rates(patients, runs)
    floor, exp_floor = found["floor: writing the array"][0], found["floor: one exponential per output"][0]
    lines = ["# Speed of the pharmacokinetic kernels", "",
             "Written by `python benchmarks/pharmacokinetics.py`; do not edit. A patient-year is 13 doses and 365 outputs. The ratios travel between machines,",
             "the figures do not. Other work on the machine lowers the first column; the second counts only the time the processor gave.", "",
             f"{date.today().isoformat()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}, "
             f"NumPy {np.__version__}, {patients:,} patients.", "",
             "| work | patient-years/s | per processor second | of the memory-write floor | of the exponential floor | times plain SciPy |",
             "|---|---:|---:|---:|---:|---:|"]
    for name, (rate, busy) in found.items():
        plain = found["plain SciPy, saturable, one core" if "saturable" in name else "plain SciPy, linear, one core"][0]
        shown = f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}"
        alone = "" if busy is None else f"{busy:,.0f}" if busy >= 100 else f"{busy:.1f}"
        lines.append(f"| {name} | {shown} | {alone} | {rate / floor:.3g} | {rate / exp_floor:.3g} | {rate / plain:,.3g} |")
    lines += ["", "| one patient | measured | budget |", "|---|---:|---:|", *one_forecast(runs), ""]
    (ROOT / "benchmarks" / "results-pharmacokinetics.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
