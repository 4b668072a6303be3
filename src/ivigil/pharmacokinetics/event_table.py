"""Event tables: columns to checked numbers. A row that cannot be right refuses its subject, with place, cause and remedy; the others go on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ivigil.basis.problems import BadInput, Problem
from ivigil.pharmacokinetics.fit_model import FitModel, LeanMass
from ivigil.pharmacokinetics.linear import Floats, Whole

Flags = NDArray[np.bool_]
COLUMNS = ("ID", "time", "evid", "amt", "cmt", "rate", "ii", "addl", "ss", "DV", "mdv")
"""The columns with a fixed meaning; capitals do not matter. All others are covariates."""
_BLANK = {"", ".", "na", "nan", "null"}
_WORDS = {"m": 1.0, "male": 1.0, "f": 0.0, "female": 0.0, "depot": -1.0, "central": -2.0}
_MOST_DOSES = 100_000
ADULT_FROM = 14.0
"""Years from which Boer's formula is used by-age (evidence, trap 5.9)."""
LEAN_SHARE = (0.40, 0.98)
"""Lean mass over weight outside which the formula was used where it does not hold (evidence, trap 5.9)."""
Events = Mapping[str, Sequence[Any] | NDArray[Any]]


class Table(NamedTuple):
    """Checked rows, ordered by subject and then as given. ``depot`` marks doses into the depot, ``level`` rows whose level counts, ``ask`` those without."""

    ids: list[str]
    subject: Whole
    time: Floats
    evid: Whole
    amount: Floats
    depot: Flags
    duration: Floats
    interval: Floats
    more: Whole
    steady: Flags
    dv: Floats
    level: Flags
    row: Whole
    covariates: dict[str, Floats]
    levels_first: bool


class Found:
    """Problems of rows, and the subjects they refuse."""

    def __init__(self, places: tuple[str, str], second: int, subject: Whole, row: Whole, lines: Whole, ids: list[str]) -> None:
        self.places, self.second, self.subject, self.row, self.lines, self.ids = places, second, subject, row, lines, ids
        self.problems: list[Problem] = []
        self.refused: dict[int, str] = {}
        self._first: dict[int, int] = {}
        self._rows: dict[str, list[int]] = {}

    def flag(self, mask: Flags, column: str, why: str, remedy: str, values: NDArray[Any] | None = None) -> None:
        """One problem for each marked row; ``{}`` in ``why`` is the row's value."""
        for at in np.flatnonzero(mask):
            self.one(int(at), column, why.format(values[at]) if values is not None else why, remedy)

    def one(self, at: int, column: str, why: str, remedy: str) -> None:
        """A problem of one row, which refuses its subject; of several the first row's is kept as the reason."""
        subject = int(self.subject[at])
        line = int(self.lines[self.row[at]])
        self._rows.setdefault(column, []).append(at)
        place = self.places[int(self.row[at] >= self.second)]
        self.problems.append(Problem(place, line, f"ID {self.ids[subject]}: {column}", why, remedy))
        if line < self._first.get(subject, line + 1):
            self._first[subject] = line
            self.refused[subject] = f"{'line' if self.places[0] == self.places[1] else place} {line}, {column}: {why}"

    def already(self, column: str) -> Flags:
        """Rows refused for this column: one reason is enough."""
        out = np.zeros(len(self.row), dtype=bool)
        out[self._rows.get(column, [])] = True
        return out


def _column(values: Sequence[Any] | NDArray[Any]) -> tuple[Floats, Flags, NDArray[Any]]:
    """Numbers (NaN where blank), a mark where the text is no number, and the text."""
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        numbers = array.astype(np.float64)
        return numbers, np.isinf(numbers), array
    texts = np.array([str(value).strip() if value is not None else "" for value in array.tolist()], dtype=object)
    out, wrong = np.full(len(texts), np.nan), np.zeros(len(texts), dtype=bool)
    for at, text in enumerate(texts):
        folded = text.lower()
        if folded in _BLANK:
            continue
        try:
            out[at] = _WORDS[folded] if folded in _WORDS else float(text)
        except ValueError:
            wrong[at] = True
    return out, wrong | np.isinf(out), texts


def _named(events: Events) -> dict[str, Sequence[Any] | NDArray[Any]]:
    standard = {name.lower(): name for name in COLUMNS}
    return {standard.get(name.lower(), name): values for name, values in events.items()}


def _joined(events: Events, observations: Events | None) -> tuple[dict[str, Any], bool]:
    """One table from one or two; rows of the second are levels."""
    first = _named(events)
    if observations is None:
        return first, False
    second = _named(observations)
    counts = [len(next(iter(part.values()), ())) for part in (first, second)]
    first.setdefault("evid", np.ones(counts[0]))
    second.setdefault("evid", np.zeros(counts[1]))
    return {name: _stacked(first.get(name), second.get(name), counts) for name in dict.fromkeys((*first, *second))}, True


def _stacked(above: Any, below: Any, counts: list[int]) -> NDArray[Any]:
    """Two columns as one, blank where a table has none; numbers stay numbers."""
    parts = [np.asarray(part) if part is not None else np.full(count, np.nan) for part, count in zip((above, below), counts, strict=True)]
    if all(part.dtype.kind in "fiub" for part in parts):
        if above is not None and below is not None and all(part.dtype.kind in "iu" for part in parts):
            return np.concatenate(parts)
        return np.concatenate([part.astype(np.float64) for part in parts])
    return np.array([None if value != value else value for part in parts for value in part.tolist()], dtype=object)


def read_table(model: FitModel, events: Events, observations: Events | None = None, places: tuple[str, str] = ("events", "observations"),
               heading: int = 0) -> tuple[Table, Found]:
    """Check a table for a model. ``observations`` may hold the levels apart; a level then comes before a dose of the same time.

    ``places`` name the tables in problems, ``heading`` counts the lines above their first rows.

    Raises:
        BadInput: columns are missing or of different lengths; nothing can be read then.
    """
    columns, levels_first = _joined(events, observations)
    wanted = ("ID", "time", *(("evid",) if levels_first is False else ()), "amt", "DV", *model.columns())
    problems = [_missing(name, columns, places[0]) for name in wanted if name not in columns]
    counts = {len(values) for values in columns.values()}
    if len(counts) > 1:
        problems.append(Problem(places[0], 0, "", "the columns differ in length", "give every column one value for each row"))
    elif counts in (set(), {0}):
        problems.append(Problem(places[0], 0, "", "the table has no row", "give dose and level rows"))
    if problems:
        raise BadInput(problems)
    rows = counts.pop()
    ids, own = _subjects(columns["ID"])
    moment, kinds = _column(columns["time"])[0], _column(columns["evid"])[0]
    if levels_first:
        order = np.lexsort((kinds != 0, _known(moment), own))
    else:
        order = np.argsort(own, kind="stable")
    subject = own[order]
    second = len(next(iter(events.values()))) if observations is not None else rows
    lines = np.r_[np.arange(second), np.arange(rows - second)] + heading + 1
    found = Found(places if observations is not None else (places[0], places[0]), second, subject, order, lines, ids)
    if levels_first:
        _check_order(own, moment, kinds, found)
    values: dict[str, Floats] = {}
    measured = model.baseline.measured
    extra = [measured.column] if measured is not None and measured.column in columns else []
    for name in dict.fromkeys((*COLUMNS[1:], *model.columns(), *extra)):
        if name not in columns:
            values[name] = np.full(rows, np.nan)
            continue
        numbers, wrong, text = _column(columns[name])
        values[name] = numbers[order]
        if np.any(wrong):
            used = wrong[order] if name not in {"amt", "rate", "ii", "addl", "ss", "DV"} else wrong[order] & _matters(name, kinds[order])
            found.flag(used, name, "'{}' is not a number", "write a bare number, with a point", text[order])
    covariates = _covariates(model, {name: values[name] for name in (*model.columns(), *extra)}, subject, found, extra)
    return _checked(model, values, subject, order, ids, covariates, levels_first, found), found


def _missing(name: str, columns: Mapping[str, Any], place: str) -> Problem:
    near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
    return Problem(place, 0, name, "this column is missing", f"did you mean '{near[0]}'?" if near else "add it, or take it out of the model")


def _subjects(values: Sequence[Any] | NDArray[Any]) -> tuple[list[str], Whole]:
    """The labels in order of first appearance, and the number of each row's."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        array = np.array([str(value).strip() for value in array.tolist()])
    labels, first, inverse = np.unique(array, return_index=True, return_inverse=True)
    by_first = np.argsort(first, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_first] = np.arange(len(labels))
    return [str(label) for label in labels[by_first]], rank[inverse]


def _known(numbers: Floats) -> Floats:
    """Nought where a column is blank, or holds no number that could be used."""
    out: Floats = np.where(np.isfinite(numbers), numbers, 0.0)
    return out


def _matters(name: str, evid: Floats) -> Flags:
    dose = (evid == 1) | (evid == 4)
    out: Flags = evid == 0 if name == "DV" else dose
    return out


def _check_order(own: Whole, moment: Floats, evid: Floats, found: Found) -> None:
    """Two tables: each must be in order by itself."""
    where = np.empty(len(found.row), dtype=np.int64)
    where[found.row] = np.arange(len(found.row))
    for part in (evid == 0, evid != 0):
        rows = np.flatnonzero(part)
        rows = rows[np.argsort(own[rows], kind="stable")]
        after = rows[1:]
        for at in after[(own[after] == own[rows[:-1]]) & (moment[after] < moment[rows[:-1]])]:
            found.one(int(where[at]), "time", "earlier than the row before", "sort each subject's rows by time")


def _covariates(model: FitModel, values: dict[str, Floats], subject: Whole, found: Found, extra: list[str]) -> dict[str, Floats]:
    """Blanks carry the subject's value before (or else after) them; what a power is taken of must be above 0; lean mass is added."""
    out: dict[str, Floats] = {}
    positive = {*model.log_columns(), *(name for mass in model.lean_mass.values() for name in (mass.weight, mass.height))}
    start = np.searchsorted(subject, subject)
    for name, numbers in values.items():
        if name in extra:
            out[name] = _filled(numbers, start)
            found.flag(out[name] <= 0, name, "the measured baseline is not above 0", "leave it blank where it is not known")
            continue
        filled = _filled(numbers, start)
        found.flag(np.isnan(filled) & (start == np.arange(len(start))), name, "this subject has none", f"give {name} on at least one row")
        if name in positive:
            found.flag(filled <= 0, name, "{} is not above 0", "correct it", filled)
        out[name] = filled
    for name, mass in model.lean_mass.items():
        out[name] = lean_mass(mass, out)
        share = out[name] / out[mass.weight]
        low, high = LEAN_SHARE
        wrong = (share < low) | (share > high)
        found.flag(wrong, name, "lean mass is {:.0%} of weight; the formula does not hold here", "use peters for children, or another model", share)
        out[name] = np.clip(np.where(wrong, out[mass.weight], out[name]), *(mass.within or (None, None)))
    return out


def _filled(numbers: Floats, start: Whole) -> Floats:
    given = np.isfinite(numbers)
    if bool(np.all(given)):
        return numbers
    at = np.maximum.accumulate(np.where(given, np.arange(len(numbers)), -1))
    forward = np.where(at >= start, numbers[np.maximum(at, 0)], np.nan)
    later = np.minimum.accumulate(np.where(given, np.arange(len(numbers)), len(numbers))[::-1])[::-1]
    clipped = np.minimum(later, len(numbers) - 1)
    backward = np.where((later < len(numbers)) & (start[clipped] == start), numbers[clipped], np.nan)
    return np.where(np.isfinite(forward), forward, backward)


def lean_mass(mass: LeanMass, columns: Mapping[str, Floats]) -> Floats:
    """Lean body mass in kg: Boer 1984 (men 0.407 W + 0.267 H - 19.2, women 0.252 W + 0.473 H - 48.3) or Peters (3.8 x 0.0215 W^0.6469 H^0.7236)."""
    weight, height = columns[mass.weight], columns[mass.height]
    with np.errstate(invalid="ignore"):
        child: Floats = 3.8 * 0.0215 * np.power(weight, 0.6469) * np.power(height, 0.7236)
    if mass.formula == "peters":
        return child
    adult = np.where(columns[mass.sex] == 1, 0.407 * weight + 0.267 * height - 19.2, 0.252 * weight + 0.473 * height - 48.3)
    return np.where(columns[mass.age] < ADULT_FROM, child, adult) if mass.formula == "by-age" else adult


def _checked(model: FitModel, values: dict[str, Floats], subject: Whole, row: Whole, ids: list[str], covariates: dict[str, Floats], levels_first: bool,
             found: Found) -> Table:
    time, evid = values["time"], values["evid"]
    nameless = np.isin(subject, [number for number, label in enumerate(ids) if label.lower() in _BLANK])
    found.flag(nameless, "ID", "no ID", "name the subject of every row")
    found.flag(np.isnan(time) & ~found.already("time"), "time", "no time", "give the time of every row")
    unknown = ~((evid >= 0) & (evid <= 4) & (evid == np.floor(evid)))
    found.flag(unknown, "evid", "{} is not 0 (level), 1 (dose), 2 (other), 3 (reset) or 4 (reset and dose)", "correct it", evid)
    same = np.r_[False, subject[1:] == subject[:-1]]
    if not levels_first:
        found.flag(same & (np.diff(time, prepend=time[0]) < 0), "time", "earlier than the row before", "sort each subject's rows by time")
    dose = (evid == 1) | (evid == 4)
    depot, duration = _check_doses(model, values, dose, found)
    level = (evid == 0) & ~(values["mdv"] == 1)
    dv = values["DV"]
    found.flag(level & np.isnan(dv) & ~found.already("DV"), "DV", "a level without a value", "give it, or mark the row with mdv 1 or evid 2")
    found.flag(level & (dv <= 0), "DV", "the level {} is not above 0", "a level below quantification is not 0: leave the row out", dv)
    again = np.r_[False, (time[1:] == time[:-1]) & level[1:] & level[:-1]] & same
    found.flag(again, "time", "two levels at the same time", "keep one of them")
    doses_before = np.cumsum(dose)
    doses_before -= doses_before[np.searchsorted(subject, subject)] - dose[np.searchsorted(subject, subject)]
    if "baseline" not in model.etas:
        found.flag(level & (doses_before == 0), "time", "a level before any dose", "leave it out, or let the model's baseline differ between people")
    treated = np.bincount(subject, dose, minlength=len(ids)) > 0
    for number in np.flatnonzero(~treated):
        found.one(int(np.searchsorted(subject, number)), "amt", "this subject has no dose", "give the doses before the levels")
    return Table(ids, subject, time, evid.astype(np.int64, copy=False) if np.all(np.isfinite(evid)) else np.nan_to_num(evid).astype(np.int64),
                 np.where(dose, values["amt"], 0.0), depot, duration, _known(values["ii"]), _known(values["addl"]).astype(np.int64),
                 dose & (values["ss"] == 1), dv, level, row, covariates, levels_first)


def _check_doses(model: FitModel, values: dict[str, Floats], dose: Flags, found: Found) -> tuple[Flags, Floats]:
    amount, rate, cmt = values["amt"], _known(values["rate"]), values["cmt"]
    interval, more, steady = _known(values["ii"]), _known(values["addl"]), _known(values["ss"])
    found.flag(dose & ~(amount > 0), "amt", "the amount {} is not above 0", "give what was infused, or leave the row out", amount)
    found.flag(dose & (rate < 0), "rate", "the rate {} is below 0", "give amount over duration, or 0 for a bolus", rate)
    central = 2 if model.structure.depot else 1
    into_depot = (cmt == 1) | (cmt == -1) if model.structure.depot else np.zeros(len(cmt), dtype=bool)
    known = into_depot | (cmt == central) | (cmt == -2) | (np.isnan(cmt) & (not model.structure.depot))
    names = f"{'1 (depot), ' if model.structure.depot else ''}{central} (central)"
    found.flag(dose & ~known, "cmt", "{} is no compartment that can be dosed", f"choose {names}", cmt)
    level = values["evid"] == 0
    readable = np.isnan(cmt) | ((cmt >= -2) & (cmt <= central) & (cmt == np.floor(cmt)))
    found.flag(level & ~readable, "cmt", "{} is no compartment where a level is drawn", f"give {central}, or leave it blank", cmt)
    uncounted = (more < 0) | (more > _MOST_DOSES) | (more != np.floor(more))
    found.flag(dose & uncounted, "addl", "{} is not a number of further doses", "give a whole number", more)
    found.flag(dose & (more > 0) & ~(interval > 0), "ii", "further doses without an interval", "give ii, the time between doses")
    found.flag(dose & ~((steady == 0) | (steady == 1)), "ss", "{} is not 0 or 1", "1 asks for steady state; other values are not known here", steady)
    found.flag(dose & (steady == 1) & ~(interval > 0), "ii", "steady state without an interval", "give ii, the time between doses")
    if model.saturable:
        found.flag(dose & (steady == 1), "ss", "steady state of a saturable model is not worked out", "write the doses out, with addl")
    lag = model.parameters.get("lag")
    if lag is not None:
        found.flag(dose & (steady == 1) & into_depot, "ss", "steady state of a lagged depot is not worked out", "write the doses out")
    with np.errstate(divide="ignore", invalid="ignore"):
        duration = np.where(dose & (rate > 0), amount / rate, 0.0)
    repeated = dose & ((more > 0) | (steady == 1)) & (interval > 0)
    found.flag(repeated & (duration > interval * (1 + 1e-9)), "rate", "the infusion outlasts its interval", "infusions may not overlap; check rate and ii")
    return into_depot & dose, duration
