"""Fits simulated patients with ivigil and with an independent solver, and writes ``docs/fit-fidelity.md``.

``python tools/check_fits.py`` takes about twenty minutes on two idle cores with numba; ``--case 5`` renews one row, ``--subjects 200`` is a quick look that
writes nothing. Needs scipy, and numba with ``--fast``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from tools.independent_fit import Person, Plain, error_sd, independent_fit, levels, objective, own  # noqa: E402

from ivigil.pharmacokinetics.fit_model import Baseline, Covariance, Effect, FitModel, Parameter, Residual, Structure  # noqa: E402 - found through the line above
from ivigil.pharmacokinetics.individualise import Fits, fit_many  # noqa: E402

Floats = NDArray[np.float64]
PAGE = ROOT / "docs" / "fit-fidelity.md"
WITHIN = 1e-3
"""The relative difference of a parameter that counts as the same."""
WORSE = 1e-6
MORE = 60
"""Starts of the independent solver where it first gave another answer."""


class Case(NamedTuple):
    """A structure to check, how it is dosed, and how often it is sampled."""

    name: str
    model: FitModel
    route: str
    samples: int


def _parameters(etas: dict[str, float], typical: dict[str, float], exponents: dict[str, float]) -> dict[str, Parameter]:
    return {name: Parameter(value, (Effect("WT", 70.0, exponents[name]),) if name in exponents else (), omega2=etas.get(name, 0.0))
            for name, value in typical.items()}


_SIZE = {"CL": 0.75, "Vc": 0.7, "Vp": 0.8}
CASES = (
    Case("one compartment, IV; proportional; 2 etas, 3 levels",
         FitModel(Structure(1), _parameters({"CL": 0.075, "Vc": 0.14}, {"CL": 0.15, "Vc": 4.0}, {"CL": 0.75}), Residual(prop_sd=0.06)), "iv", 3),
    Case("two compartments, IV; combined variance; baseline unknown; 4 etas, 4 levels",
         FitModel(Structure(2), _parameters({"CL": 0.08, "Vc": 0.037, "Vp": 0.09}, {"CL": 0.15, "Vc": 3.06, "Q": 0.474, "Vp": 1.93}, _SIZE),
                  Residual(add_sd=0.82, prop_sd=0.053), Baseline(4.0, omega2=0.215)), "iv", 4),
    Case("two compartments, IV; combined SD; full omega; 5 etas, 4 levels",
         FitModel(Structure(2), _parameters({"CL": 0.12, "Vc": 0.1, "Q": 0.15, "Vp": 0.1}, {"CL": 0.2, "Vc": 3.6, "Q": 0.75, "Vp": 2.75}, _SIZE),
                  Residual(add_sd=0.3, prop_sd=0.06, kind="combined-sd"), Baseline(5.0, omega2=0.2),
                  (Covariance(("CL", "Vc"), 0.06), Covariance(("Vc", "Vp"), 0.05), Covariance(("CL", "Vp"), 0.03))), "iv", 4),
    Case("two compartments, SC and IV; additive; ka and F differ; 4 etas, 4 levels",
         FitModel(Structure(2, True), _parameters({"CL": 0.08, "Vc": 0.04, "ka": 0.4, "F": 0.05},
                                                  {"CL": 0.15, "Vc": 3.06, "Q": 0.474, "Vp": 1.93, "ka": 0.246, "F": 0.705}, _SIZE),
                  Residual(add_sd=0.9), Baseline(4.0)), "both", 4),
    Case("one compartment, SC; proportional; 4 etas, 3 levels",
         FitModel(Structure(1, True), _parameters({"CL": 0.075, "Vc": 0.14, "ka": 0.3}, {"CL": 0.15, "Vc": 4.0, "ka": 0.3, "F": 0.7}, {"CL": 0.6}),
                  Residual(prop_sd=0.08), Baseline(4.0, omega2=0.1)), "sc", 3),
    Case("two compartments, SC and IV, very wide etas (cv up to 250 %); 6 etas, 4 levels",
         FitModel(Structure(2, True), _parameters({"CL": 0.122, "Vc": 0.619, "Q": 0.321, "Vp": 2.0, "ka": 0.263, "F": 0.0996},
                                                  {"CL": 0.138, "Vc": 3.95, "Q": 0.26, "Vp": 4.44, "ka": 0.444, "F": 0.676}, _SIZE),
                  Residual(add_sd=0.0795, prop_sd=0.1005), Baseline(4.0)), "both", 4),
)
SATURABLE = Case("saturable, two compartments, IV courses then SC; proportional; 3 etas, 4 levels",
                 FitModel(Structure(2, True, "saturable"),
                          _parameters({"kint": 0.0025, "Vc": 0.04}, {"Vc": 3.01, "Q": 1.498, "Vp": 3.01, "ka": 0.439, "F": 0.824, "kint": 0.401, "J": 21.5,
                                                                     "Km": 52.2, "floor": 0.0198}, {"Vc": 1.0, "Vp": 1.0, "Q": 1.0}),
                          Residual(prop_sd=0.08), Baseline(12.0, omega2=0.09)), "courses", 4)
"""The saturable model as it stands in the evidence, at 70 kg, with made-up differences between people: none were ever published."""
EVERY = (*CASES, SATURABLE)


def plain(model: FitModel) -> Plain:
    """The model as the independent solver reads it."""
    parts: dict[str, Parameter | Baseline] = {**model.parameters, "baseline": model.baseline}
    exponents = {name: float(part.covariates[0].exponent or 0.0) for name, part in parts.items() if part.covariates}
    return Plain({name: part.typical for name, part in parts.items()}, exponents, model.etas, model.omega, model.residual.add_sd, model.residual.prop_sd,
                 model.residual.kind == "combined-sd")


def simulate(case: Case, number: int, seed: int, samples: int | None = None) -> tuple[list[Person], Floats]:
    """Patients with doses for four months, mostly troughs and some levels soon after a dose, and their true etas."""
    source = np.random.default_rng(seed)
    model = plain(case.model)
    etas = source.multivariate_normal(np.zeros(len(model.etas)), model.omega, number)
    people = []
    for eta in etas:
        weight = round(float(np.clip(70 * np.exp(0.3 * source.normal()), 20, 140)), 1)
        times, amounts, depot = _doses(case.route, weight)
        duration = np.where(depot, 0.0, round(float(source.uniform(0.1, 0.25)), 3))
        person = Person(times, amounts, depot, duration, np.zeros(0), np.zeros(0), weight)
        count = case.samples if samples is None else samples
        anywhere, spread = source.random(count) < 0.3, source.uniform(0.5, 110, count)
        troughs = 28.0 * source.choice(np.arange(1, 5), count, replace=count > 4) - source.uniform(0.05, 2, count)
        when: Floats = np.sort(np.round(np.where(anywhere, spread, troughs), 3))
        when[1:] += 0.001 * (np.diff(when) == 0)
        f = levels(own(model, eta, weight), person, when)
        people.append(person._replace(time=when, level=np.maximum(np.round(f + error_sd(model, f) * source.normal(size=count), 3), 0.05)))
    return people, etas


def _doses(route: str, weight: float) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Times, grams, and whether each dose goes under the skin."""
    monthly = np.arange(5) * 28.0
    weekly = np.arange(17) * 7.0 if route == "sc" else 60 + np.arange(9) * 7.0
    infused = np.full(2 if route == "both" else 5, round(0.4 * weight))
    under = np.full(len(weekly), round(0.1 * weight, 1))
    if route == "courses":
        times, amounts = np.r_[np.arange(5.0), 21.0, 42.0, weekly], np.r_[infused, np.full(2, round(weight)), 3 * under]
    else:
        times = {"iv": monthly, "sc": weekly, "both": np.r_[monthly[:2], weekly]}[route]
        amounts = {"iv": infused, "sc": under, "both": np.r_[infused, under]}[route]
    return times, amounts, np.zeros(len(times), dtype=bool) if route == "iv" else np.ones(len(times), dtype=bool) if route == "sc" else times >= 60


def table_of(people: Iterable[Person], depot: bool) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Doses and levels of many people as two event tables."""
    doses: dict[str, list[Any]] = {name: [] for name in ("ID", "time", "evid", "amt", "cmt", "rate", "WT")}
    drawn: dict[str, list[Any]] = {name: [] for name in ("ID", "time", "DV", "WT")}
    for number, person in enumerate(people):
        for time_, amount, into, duration in zip(person.dose_time, person.amount, person.into_depot, person.duration, strict=True):
            compartment, rate = 1 if into or not depot else 2, amount / duration if duration else 0.0
            for name, value in zip(doses, (number, time_, 1, amount, compartment, rate, person.weight), strict=True):
                doses[name].append(value)
        for time_, level in zip(person.time, person.level, strict=True):
            for name, value in zip(drawn, (number, time_, level, person.weight), strict=True):
                drawn[name].append(value)
    return doses, drawn


class Tally(NamedTuple):
    """What a comparison found."""

    subjects: int
    same: int
    worse: int
    better: int
    largest: float
    failed: int
    second: int
    again: int = 0


def differ(fits: Fits, theirs: list[tuple[Floats, float]]) -> Floats:
    """The largest relative difference of a parameter, per patient."""
    apart: Floats = np.max(np.abs(np.expm1(fits.eta - np.array([item[0] for item in theirs]))), axis=1)
    return apart


def _weighed(case: Case, people: list[Person], fits: Fits) -> Floats:
    """The objective of our answers: our own, or for the saturable model, which both programs integrate with a small error, that of the other program."""
    if not case.model.saturable:
        return fits.objective
    model = plain(case.model)
    inverse: Floats = np.linalg.inv(model.omega).astype(np.float64)
    return np.array([objective(eta, model, person, inverse) for eta, person in zip(fits.eta, people, strict=True)])


def compare(case: Case, people: list[Person], fits: Fits, theirs: list[tuple[Floats, float]]) -> Tally:
    """Parameters within a thousandth, objectives worse and better than the independent solver's."""
    value = np.array([item[1] for item in theirs])
    same = differ(fits, theirs) < WITHIN
    rise = _weighed(case, people, fits) - value
    return Tally(len(people), int(same.sum()), int((rise > WORSE).sum()), int((rise < -WORSE).sum()), float(np.max(rise)),
                 sum(word.startswith("failed") for word in fits.status), fits.status.count("second-start"))


def _one(job: tuple[FitModel, Person, int, int]) -> tuple[Floats, float]:
    return independent_fit(plain(job[0]), job[1], job[2], job[3])


def check(case: Case, number: int, seed: int, fast: bool, processes: int) -> tuple[Tally, float]:
    """Simulate, fit twice, compare; also the seconds of the independent solver for one patient."""
    people, _ = simulate(case, number, seed)
    fits = fit_many(case.model, *table_of(people, case.model.structure.depot), fast=fast and not case.model.saturable, threads=2)
    begun = time.perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        theirs = list(pool.map(_one, [(case.model, person, seed + place, 4) for place, person in enumerate(people)], chunksize=20))
        seconds = (time.perf_counter() - begun) * processes / number
        apart = np.flatnonzero(differ(fits, theirs) >= WITHIN).tolist()
        for place, better in zip(apart, pool.map(_one, [(case.model, people[place], seed + number + place, MORE) for place in apart]), strict=True):
            theirs[place] = min(theirs[place], better, key=lambda item: item[1])
    return compare(case, people, fits, theirs)._replace(again=len(apart)), seconds


def _row(found: tuple[Case, Tally]) -> str:
    case, tally = found
    return (f"| {case.name} | {tally.subjects} | {tally.again} | {tally.same / tally.subjects:.2%} | {tally.worse} | {tally.better} | {tally.failed} |"
            f" {tally.second} | {tally.largest:.1e} |")


def _kept(written: str) -> list[str]:
    """The rows of a page."""
    return [line for line in written.splitlines() if any(line.startswith(f"| {case.name} |") for case in EVERY)]


def page(rows: Iterable[str]) -> str:
    """The table as a page of the documentation; of two rows for one structure the later one stands."""
    latest = {row.split("|")[1].strip(): row for row in rows}
    out = [
        "# Do the fits find the best answer?", "", "<!-- Made by tools/check_fits.py; a change here is overwritten. -->", "",
        "Simulated patients, fitted twice: by `ivigil.pharmacokinetics.individualise.fit_many`, and one by one by an independent program that shares no",
        "code with it (sums of exponentials, scipy's BFGS on differences, four starts and one more from the best; `tools/independent_fit.py`). *Same* is every",
        "individual parameter within 0.1 % of the independent answer. *Worse* is an objective more than 1e-6 above it; *better* one more than 1e-6 below it,",
        "where the independent program stopped in a poorer valley. Where the answers differ it is *asked again*",
        "with sixty starts. The last column is the largest rise of the objective over the independent answer. The levels of the saturable model have no closed",
        "form; the independent program solves them with another method in finer steps, and both answers are weighed by its objective.", "",
        "| Structure | Patients | Asked again | Same | Worse | Better | Not settled | From a second start | Largest rise |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    out += [latest[case.name] for case in EVERY if case.name in latest]
    out += ["", "The patients have five infusions of 0.4 g/kg four weeks apart, weekly doses of 0.1 g/kg under the skin, or one after the other; the",
            "saturable ones 2 g/kg over five days, 1 g/kg twice, then 0.3 g/kg under the skin every week. 70 % of the levels are troughs."]
    return "\n".join(out) + "\n"


def main() -> int:
    """Check every case and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=4000)
    parser.add_argument("--fast", action="store_true", help="fit with the compiled kernels")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--case", type=int, action="append", help="only this structure, counted from 0: its row of the page is renewed, the others stay")
    options = parser.parse_args()
    rows = []
    for case in [EVERY[place] for place in options.case or range(len(EVERY))]:
        tally, seconds = check(case, options.subjects, options.seed, options.fast, options.processes)
        rows.append((case, tally))
        print(case.name, tally._asdict(), f"{seconds * 1000:.0f} ms each for the independent solver", flush=True)
    if options.subjects >= 4000:
        PAGE.write_text(page([*_kept(PAGE.read_text(encoding="utf-8")), *map(_row, rows)]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
