"""``ivigil fit``: a model file and an event table in, one line per subject out."""

from __future__ import annotations

import csv
import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.output import BAD_INPUT, Progress, counted, note, report, write
from ivigil.rendering.plain_text import clean

if TYPE_CHECKING:
    from ivigil.pharmacokinetics.fit_model import FitModel
    from ivigil.pharmacokinetics.individualise import Fits

_LARGEST_MODEL = 1_000_000
_NAMED = 10
"""Subjects that a note names one by one."""
_FAR = 5.0
"""Standard deviations of the population beyond which nobody is expected."""


class Choices(msgspec.Struct, frozen=True):
    """The options of ``ivigil fit``."""

    levels: str = ""
    out: str = ""
    predictions: str = ""
    posterior: int = 0
    seed: int = 0
    hold: str = "next"
    fast: bool = False
    threads: int = 1


def run_fit(model_file: str, events_file: str, choices: Choices) -> int:
    """Fit, write the table, list the bad rows. Exit code 2 when nobody could be fitted, else 0."""
    from ivigil.pharmacokinetics.fit_model import read_fit_model
    from ivigil.pharmacokinetics.individualise import fit_many

    problems: list[Problem] = []
    model = events = levels = None
    try:
        model = _published(model_file) or read_fit_model(_text(model_file, _LARGEST_MODEL), model_file)
    except BadInput as error:
        problems += error.problems
    for name in (events_file, choices.levels):
        try:
            table = read_csv(name) if name else None
            events, levels = (table, levels) if name is events_file else (events, table)
        except BadInput as error:
            problems += error.problems
    if choices.fast and importlib.util.find_spec("numba") is None:
        problems.append(Problem("--fast", 0, "", "the compiled kernels need numba, which is not installed", "install ivigil[fast], or leave --fast out"))
    if problems or model is None or events is None:
        return report(problems, f"{counted(len(problems), 'problem')} in the input; nothing was fitted:")
    try:
        with Progress("Fitting") as progress:
            fits = fit_many(model, events, levels, hold="last" if choices.hold == "last" else "next", posterior=choices.posterior, seed=choices.seed,
                            fast=choices.fast, threads=choices.threads, places=(events_file, choices.levels), heading=1, report=progress)
        write(fits_csv(fits), choices.out)
        if choices.predictions:
            write(predictions_csv(fits), choices.predictions)
    except BadInput as error:
        return report(error.problems, f"{counted(len(error.problems), 'problem')} in the input; nothing was fitted:")
    failed = sum(word.startswith("failed") for word in fits.status)
    if fits.problems:
        report(fits.problems, f"{counted(len(fits.problems), 'problem')} in the rows; these subjects were left out:")
    doubtful = doubtful_fits(fits)
    if doubtful:
        listed = ", ".join(clean(name) for name in doubtful[:_NAMED]) + (f" and {len(doubtful) - _NAMED} more" if len(doubtful) > _NAMED else "")
        note(f"{counted(len(doubtful), 'fit')} to doubt (levels missed by more than chance allows, or a patient unlike any of the model's); "
             f"check units, times and doses: {listed}")
    note(f"{counted(len(fits.ids) - failed, 'subject')} fitted, {failed} not.")
    return BAD_INPUT if failed == len(fits.ids) else 0


def doubtful_fits(fits: Fits) -> list[str]:
    """The subjects whose squared weighted residuals exceed the number of levels by more than four of their own standard deviations, or with an eta more
    than five standard deviations of the population out.
    """
    import numpy as np

    from ivigil.pharmacokinetics.individualise import POOR_FIT

    misfit = np.bincount(fits.level_table.subject, np.nan_to_num(fits.level_table.residual) ** 2, len(fits.ids))
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.max(np.nan_to_num(np.abs(fits.eta) * np.sqrt(fits.shrinkage) / fits.se), axis=1, initial=0.0)
    return [fits.ids[place] for place in np.flatnonzero((misfit > fits.levels + POOR_FIT * np.sqrt(2 * fits.levels)) | (out > _FAR))]


def _published(name: str) -> FitModel | None:
    """A model of the evidence by its id, where no file is called that.

    Raises:
        BadInput: it cannot be fitted.
    """
    from ivigil.evidence.load import load_evidence
    from ivigil.pharmacokinetics.published import fit_model_of

    if Path(name).suffix or Path(name).exists():
        return None
    evidence = load_evidence()
    if name not in evidence.models:
        remedy = f"name a file that exists, or a published model: {', '.join(evidence.models)}"
        raise BadInput([Problem(clean(name), 0, "", "no such file, and no model is called that", remedy)])
    return fit_model_of(evidence.models[name], evidence)


def _text(name: str, largest: int | None = None) -> str:
    try:
        if largest is not None and Path(name).stat().st_size > largest:
            raise BadInput([Problem(name, 0, "", "the file is larger than 1 MB", "name a model file")])
        return Path(name).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise BadInput([Problem(name, 0, "", error.strerror or "the file cannot be read", "check the name")]) from None
    except UnicodeDecodeError:
        raise BadInput([Problem(name, 0, "", "the file is not UTF-8 text", "save it as UTF-8")]) from None


def read_csv(name: str) -> dict[str, list[str]]:
    """The columns of a CSV file with a heading, as text. A row of the wrong length keeps its place, with a time that says so.

    Raises:
        BadInput: there is no heading or no row, or a heading stands twice.
    """
    rows = [row for row in csv.reader(io.StringIO(_text(name))) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise BadInput([Problem(name, 1, "", "no heading and rows in it", "give a comma-separated table with a heading")])
    heading = [cell.strip() for cell in rows[0]]
    folded = [cell.lower() for cell in heading]
    twice = sorted({cell for cell in folded if folded.count(cell) > 1})
    if twice:
        raise BadInput([Problem(name, 1, cell, "the heading stands twice", "keep one column of each name") for cell in twice])
    out: dict[str, list[str]] = {cell: [] for cell in heading}
    for row in rows[1:]:
        whole = len(row) == len(heading)
        for place, cell in enumerate(heading):
            value = row[place] if place < len(row) else ""
            out[cell].append(value if whole or cell.lower() != "time" else f"a row of {len(row)} fields under a heading of {len(heading)}")
    return out


def fits_csv(fits: Fits) -> str:
    """One line per subject: status, objective, etas, parameters, standard errors, shrinkage, levels; with a posterior its size and 90 % intervals."""
    import numpy as np

    heads = ["ID", "status", "objective", *(f"eta_{name}" for name in fits.etas), *fits.names, *(f"se_{name}" for name in fits.etas),
             *(f"shrinkage_{name}" for name in fits.etas), "n_levels"]
    intervals = None
    if fits.draws is not None:
        heads += ["ess", *(f"{end}_eta_{name}" for name in fits.etas for end in ("low", "high"))]
        with np.errstate(invalid="ignore"):
            intervals = np.quantile(fits.draws.eta, (0.05, 0.95), axis=1)
    out = [heads]
    for place, name in enumerate(fits.ids):
        row = [name, fits.status[place], _number(fits.objective[place]), *map(_number, fits.eta[place]), *map(_number, fits.parameters[place]),
               *map(_number, fits.se[place]), *map(_number, fits.shrinkage[place]), str(int(fits.levels[place]))]
        if fits.draws is not None and intervals is not None:
            row += [_number(fits.draws.ess[place]), *(_number(intervals[end, place, eta]) for eta in range(len(fits.etas)) for end in (0, 1))]
        out.append(row)
    return _written(out)


def predictions_csv(fits: Fits) -> str:
    """One line per level: time, measured, typical and individual prediction, weighted residual; with a posterior the 90 % interval of the curve."""
    import numpy as np

    table = fits.level_table
    heads = ["ID", "time", "DV", "PRED", "IPRED", "IWRES"]
    intervals = None
    if fits.draws is not None:
        heads += ["low", "high"]
        intervals = np.quantile(fits.draws.levels, (0.05, 0.95), axis=1)
    out = [heads]
    for place, subject in enumerate(table.subject):
        row = [fits.ids[int(subject)], *(_number(values[place]) for values in (table.time, table.dv, table.typical, table.individual, table.residual))]
        if intervals is not None:
            row += [_number(intervals[0, place]), _number(intervals[1, place])]
        out.append(row)
    return _written(out)


def _number(value: Any) -> str:
    return "" if value != value else f"{float(value):.10g}"


def _written(rows: list[list[str]]) -> str:
    handle = io.StringIO()
    csv.writer(handle, lineterminator="\n").writerows(rows)
    return handle.getvalue()
