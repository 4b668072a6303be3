"""Simulates patients, fits them, and asks whether intervals cover what they claim and whether the next trough is forecast better than by carrying the last
value forward. Writes ``docs/fit-calibration.md``; ``--subjects 300`` is a quick look that writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from tools.check_fits import CASES, Case, plain, simulate, table_of  # noqa: E402
from tools.independent_fit import Person, error_sd, levels, own  # noqa: E402

from ivigil.pharmacokinetics.individualise import Fits, fit_many  # noqa: E402 - found through the line above

Floats = NDArray[np.float64]
PAGE = ROOT / "docs" / "fit-calibration.md"
SEED = 20261122
INTERVAL = 28.0
FEWEST = 2000


def coverage(case: Case, number: int, seed: int, draws: int = 1000) -> dict[str, tuple[float, float, float]]:
    """For each eta and for a later trough: how often the 50 % and the 90 % interval hold the truth; and the median effective sample size."""
    people, etas = simulate(case, number, seed)
    doses, drawn = table_of(people, case.model.structure.depot)
    later = 130.0
    asked: dict[str, list[Any]] = {"ID": list(range(number)), "time": [later] * number, "DV": [None] * number, "evid": [2] * number,
                                    "WT": [person.weight for person in people]}
    joined = {name: [*drawn.get(name, [0] * len(drawn["ID"])), *asked[name]] for name in asked}
    order = sorted(range(len(joined["ID"])), key=lambda at: (joined["ID"][at], joined["time"][at]))
    fits = fit_many(case.model, doses, {name: [values[at] for at in order] for name, values in joined.items()}, posterior=draws, seed=seed)
    assert fits.draws is not None
    truth = np.array([levels(own(plain(case.model), eta, person.weight), person, np.array([later]))[0] for eta, person in zip(etas, people, strict=True)])
    last = np.flatnonzero(np.isnan(fits.level_table.dv))
    out = {f"eta {name}": _covered(fits.draws.eta[:, :, place], etas[:, place]) for place, name in enumerate(fits.etas)}
    out["level on day 130"] = _covered(fits.draws.levels[last], truth)
    size = float(np.median(fits.draws.ess))
    return {name: (shares[0], shares[1], size) for name, shares in out.items()}


def _covered(draws: Floats, truth: Floats) -> tuple[float, float]:
    low, high = np.quantile(draws, 0.05, axis=1), np.quantile(draws, 0.95, axis=1)
    first, third = np.quantile(draws, 0.25, axis=1), np.quantile(draws, 0.75, axis=1)
    return float(np.mean((truth > first) & (truth < third))), float(np.mean((truth > low) & (truth < high)))


class Course(NamedTuple):
    """Doses (share of 0.4 g/kg), the doses whose troughs may be measured, and the trough to forecast (interval number)."""

    name: str
    shares: tuple[float, ...]
    target: int


COURSES = (
    Course("start of therapy: the sixth trough", (1.0,) * 6, 6),
    Course("long on the same dose: the next trough", (1.0,) * 18, 18),
    Course("dose raised by half for the last two infusions", (*(1.0,) * 16, 1.5, 1.5), 18),
    Course("dose cut by half for the last two infusions", (*(1.0,) * 16, 0.5, 0.5), 18),
)


class Errors(NamedTuple):
    """Root mean square errors in g/L against the true trough."""

    prior: float
    carried: float
    fitted: float
    drawn: float


def next_trough(case: Case, course: Course, known: int, number: int, seed: int) -> Errors:
    """Forecast the target trough from the ``known`` troughs before the last changes of dose, or of the last intervals where nothing changed."""
    source = np.random.default_rng(seed)
    model = plain(case.model)
    etas = source.multivariate_normal(np.zeros(len(model.etas)), model.omega, number)
    steady = len(set(course.shares)) == 1
    last = course.target - 1 if steady else course.target - 2
    measured = np.arange(last - known + 1, last + 1)
    people, truth = [], np.empty(number)
    for place, eta in enumerate(etas):
        weight = round(float(np.clip(70 * np.exp(0.3 * source.normal()), 20, 140)), 1)
        times = INTERVAL * np.arange(len(course.shares), dtype=np.float64)
        none, grams = np.zeros(0), np.round(0.4 * weight * np.array(course.shares), 1)
        person = Person(times, grams, np.zeros(len(times), bool), np.full(len(times), 0.15), none, none, weight)
        when = INTERVAL * measured.astype(np.float64) - 0.1
        f = levels(own(model, eta, weight), person, when)
        people.append(person._replace(time=when, level=np.maximum(f + error_sd(model, f) * source.normal(size=known), 0.1)))
        truth[place] = levels(own(model, eta, weight), person, np.array([INTERVAL * course.target - 0.1]))[0]
    doses, drawn = table_of(people, False)
    for place, person in enumerate(people):
        for name, value in zip(("ID", "time", "DV", "WT"), (place, INTERVAL * course.target - 0.1, None, person.weight), strict=True):
            drawn[name].append(value)
    evid = [0 if level is not None else 2 for level in drawn["DV"]]
    fits: Fits = fit_many(case.model, doses, {**drawn, "evid": evid}, posterior=300, seed=seed)
    at = np.flatnonzero(np.isnan(fits.level_table.dv))
    assert fits.draws is not None
    carried = np.array([person.level[-1] for person in people]) if known else np.full(number, np.nan)

    def error(values: Any) -> float:
        return float(np.sqrt(np.mean((values - truth) ** 2)))

    return Errors(error(fits.level_table.typical[at]), error(carried), error(fits.level_table.individual[at]), error(np.mean(fits.draws.levels[at], axis=1)))


def page(covered: list[tuple[Case, dict[str, tuple[float, float, float]]]], errors: list[tuple[Course, list[Errors]]], number: int) -> str:
    """Both tables as a page of the documentation."""
    out = ["# Are the intervals honest, and is the forecast worth it?", "", "<!-- Made by tools/check_calibration.py; a change here is overwritten. -->", "",
           f"{number} simulated patients each, fitted with the model that made them. Real patients differ from every model, so this is the best case: it shows",
           "that the arithmetic is right, not that a model is.", "", "## Coverage", "",
           "How often the interval of the full posterior holds the true value. The 50 % interval should do so in 46-54 %, the 90 % interval in 87-93 %.", "",
           "| Structure | Of | 50 % interval | 90 % interval | Median effective draws of 1000 |", "|---|---|---:|---:|---:|"]
    for case, found in covered:
        out += [f"| {case.name} | {name} | {half:.1%} | {most:.1%} | {size:.0f} |" for name, (half, most, size) in found.items()]
    out += ["", "## The next trough", "",
            "Root mean square error (g/L) of four forecasts against the true next trough, two compartments, IV every 4 weeks, baseline unknown: the",
            "typical patient of this weight (*prior*), the last measured trough (*carried*), the fit (*fitted*), the mean of the posterior (*posterior*).",
            "Where the dose changed, all levels are from before the change.", "",
            "| Course | Levels known | Prior | Carried | Fitted | Posterior | Best |", "|---|---:|---:|---:|---:|---:|---|"]
    for course, rows in errors:
        for known, row in enumerate(rows):
            values = {"prior": row.prior, "carried": row.carried, "fitted": row.fitted, "posterior": row.drawn}
            best = min((value, name) for name, value in values.items() if np.isfinite(value))[1]
            cells = " | ".join("-" if not np.isfinite(value) else f"{value:.2f}" for value in values.values())
            out.append(f"| {course.name} | {known} | {cells} | {best} |")
    long = errors[1][1][1]
    out += ["", f"On an unchanged dose one trough carried forward errs by {long.carried:.2f} g/L and the fit by {long.fitted:.2f} g/L: the scatter of the "
            "measurement itself is most of the first. Without any level the fit is the prior."]
    return "\n".join(out) + "\n"


def main() -> int:
    """Work both tables out and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=FEWEST)
    options = parser.parse_args()
    covered = []
    for case in CASES:
        covered.append((case, coverage(case, options.subjects, SEED)))
        print(case.name, covered[-1][1], flush=True)
    errors = []
    for course in COURSES:
        errors.append((course, [next_trough(CASES[1], course, known, options.subjects, SEED) for known in range(5)]))
        print(course.name, errors[-1][1], flush=True)
    if options.subjects >= FEWEST:
        PAGE.write_text(page(covered, errors, options.subjects), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
