"""From checked rows to steps: further doses written out, infusions ended, resets and steady states placed. All subjects at once, in columns.

A record's parameters hold from the record before it to itself (``hold="next"``, as NONMEM does it), or from itself to the record after it
(``hold="last"``). A dose written out from ``addl`` comes before a record of the same time, as in NONMEM, and takes the covariates of the record
that holds there. A reset, and a steady-state dose, cancel what earlier rows had still to give.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

from ivigil.pharmacokinetics.event_table import Flags, Found, Table
from ivigil.pharmacokinetics.linear import F, Floats, Steps, Whole

Hold = Literal["next", "last"]
LEVEL, RESET, BOLUS, START, STOP, SOLVE, NOTHING = range(7)
_RANK = np.array([0, 1, 2, -9, -9, -1, -9])
"""The order in which a step does things at its end; rates change between steps and have no place in it."""
_SLACK = 1e-9
_ROUNDING = 1e-15


class Schedule(NamedTuple):
    """Steps, parameter sets and levels of all subjects, one after the other; subject ``i`` owns ``first[i]`` to ``first[i + 1]`` of each kind."""

    first_step: Whole
    dt: Floats
    rate: Floats
    depot_rate: Floats
    bolus: Floats
    depot_bolus: Floats
    steady: Floats
    reset: Flags
    level: Whole
    set: Whole
    first_level: Whole
    level_set: Whole
    row: Whole
    """The row of the checked table of each level."""
    first_set: Whole
    typical: Floats
    with_depot: Flags
    """Which subjects have anything given into the depot."""

    def block(self, who: Whole) -> Steps:
        """Some subjects side by side, padded to the longest."""
        steps, levels, sets = ((first[who], first[who + 1] - first[who]) for first in (self.first_step, self.first_level, self.first_set))
        at, there = _padded(*steps)
        at_level, level_there = _padded(*levels)
        at_set, set_there = _padded(*sets)

        def taken(values: Any, inside: Any, where: Whole, otherwise: Any) -> Any:
            return np.where(inside, values[where], otherwise) if values.size else np.full(where.shape, otherwise)

        floats = [taken(values, there, at, 0.0) for values in (self.dt, self.rate, self.depot_rate, self.bolus, self.depot_bolus, self.steady)]
        return Steps(floats[0], floats[1], floats[2], floats[3], floats[4], floats[5], taken(self.reset, there, at, False),
                     taken(self.level, there, at, -1), taken(self.set, there, at, 0),
                     taken(self.level_set, level_there, at_level, 0), taken(self.typical, set_there[:, :, None], at_set, 1.0))


def _padded(first: Whole, count: Whole) -> tuple[Whole, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    longest = int(count.max(initial=1)) or 1
    inside = np.arange(longest)[None, :] < count[:, None]
    return np.where(inside, first[:, None] + np.arange(longest)[None, :], 0), inside


class _Atoms(NamedTuple):
    """Single happenings. ``order`` sorts those of one time; ``ahead`` is time passed beside the clock (towards a steady state)."""

    subject: Whole
    time: Floats
    order: Floats
    kind: Whole
    depot: Whole
    value: Floats
    row: Whole
    own: Whole
    """1 where the row itself stands here, 0 for what follows from it."""
    ahead: Floats


def _atoms(table: Table, rows: Whole, time: Floats, order: Floats, kind: int, value: Floats, own: bool, ahead: Floats | float = 0.0) -> _Atoms:
    size = len(rows)
    return _Atoms(table.subject[rows], time, order, np.full(size, kind), table.depot[rows].astype(np.int64), value, rows, np.full(size, int(own)),
                  np.broadcast_to(np.asarray(ahead, dtype=np.float64), size))


def schedule(table: Table, typical: Floats, lag: float, hold: Hold, found: Found) -> Schedule:
    """The steps of every subject that is not refused; overlapping infusions and doses given twice are refused here."""
    rows = np.flatnonzero(~_refused(table.subject, found))
    atoms = _all_atoms(table, rows, lag)
    atoms = _without_cancelled(table, atoms)
    order = np.lexsort((atoms.order, atoms.time, atoms.subject))
    atoms = _Atoms._make(part[order] for part in atoms)
    before = len(found.refused)
    _check_doses(atoms, found)
    if len(found.refused) > before:
        kept = ~_refused(atoms.subject, found)
        atoms = _Atoms._make(part[kept] for part in atoms)
    return _steps(table, atoms, typical, hold)


def _refused(subject: Whole, found: Found) -> Flags:
    out = np.zeros(len(found.ids), dtype=bool)
    out[list(found.refused)] = True
    return out[subject]


def _all_atoms(table: Table, rows: Whole, lag: float) -> _Atoms:
    time, place = table.time, rows.astype(np.float64)
    evid = table.evid[rows]
    dose = (evid == 1) | (evid == 4)
    lagged = table.depot & (lag > 0)
    none = np.zeros(len(rows))
    out = [_atoms(table, rows[mask], time[rows[mask]], place[mask], kind, none[mask], True)
           for mask, kind in (((evid == 0) | (evid == 2), LEVEL), (evid >= 3, RESET))]
    given = rows[dose]
    if lag > 0:
        late = given[lagged[given]]
        out.append(_atoms(table, late, time[late], late.astype(np.float64), NOTHING, np.zeros(len(late)), True))
    out += _to_steady_state(table, given[table.steady[given]])
    count = table.more[given] + 1
    each = np.repeat(given, count)
    number = np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count)
    when = time[each] + number * table.interval[each] + np.where(lagged[each], lag, 0.0)
    first = (number == 0) & ~lagged[each]
    order = np.where(first, each + 0.5, -1.0)
    bolus = table.duration[each] == 0
    for own in (True, False):
        mask = bolus & (first == own)
        out.append(_atoms(table, each[mask], when[mask], order[mask], BOLUS, table.amount[each[mask]], own))
        mask = ~bolus & (first == own)
        out.append(_atoms(table, each[mask], when[mask], order[mask], START, table.amount[each[mask]] / table.duration[each[mask]], own))
    ends = each[~bolus]
    stops = when[~bolus] + table.duration[ends]
    stops -= _ROUNDING * np.abs(stops)  # so that an infusion which begins where this one ends comes after it
    out.append(_atoms(table, ends, stops, np.full(len(ends), -2.0), STOP, np.zeros(len(ends)), False))
    return _Atoms._make(np.concatenate(parts) for parts in zip(*out, strict=True))


def _to_steady_state(table: Table, rows: Whole) -> list[_Atoms]:
    """One dose and one interval from nothing, beside the clock; then the steady state that follows from what is left."""
    if not len(rows):
        return []
    at, order, length = table.time[rows], rows.astype(np.float64), table.duration[rows]
    bolus = length == 0
    out = [_atoms(table, rows, at, order + 0.1, RESET, np.zeros(len(rows)), True)]
    for mask, kind, value in ((bolus, BOLUS, table.amount), (~bolus, START, table.amount)):
        some = rows[mask]
        strength = value[some] if kind == BOLUS else value[some] / table.duration[some]
        out.append(_atoms(table, some, at[mask], order[mask] + 0.2, kind, strength, True))
    some = rows[~bolus]
    out.append(_atoms(table, some, at[~bolus], order[~bolus] + 0.3, STOP, np.zeros(len(some)), True, length[~bolus]))
    out.append(_atoms(table, rows, at, order + 0.4, SOLVE, table.interval[rows], True, table.interval[rows] - length))
    return out


def _without_cancelled(table: Table, atoms: _Atoms) -> _Atoms:
    """Leave out what a row still had to give when the next reset came."""
    resets = np.flatnonzero((table.evid >= 3) | table.steady)
    if not len(resets):
        return atoms
    follows = np.searchsorted(resets, atoms.row, side="right")
    there = follows < len(resets)
    ender = resets[np.minimum(follows, len(resets) - 1)]
    ended = there & (table.subject[ender] == atoms.subject) & (atoms.own == 0) & (atoms.time >= table.time[ender])
    return _Atoms._make(part[~ended] for part in atoms)


def _check_doses(atoms: _Atoms, found: Found) -> None:
    """Refuse overlapping infusions and two doses at once into one compartment."""
    clock = ~_towards(atoms)
    for depot in (0, 1):
        part = np.flatnonzero(clock & (((atoms.depot == depot) & ((atoms.kind >= BOLUS) & (atoms.kind <= STOP))) | (atoms.kind == RESET)))
        if not len(part):
            continue
        same = np.r_[False, atoms.subject[part][1:] == atoms.subject[part][:-1]]
        kind, time = atoms.kind[part], atoms.time[part]
        before = np.r_[NOTHING, kind[:-1]]
        twice = same & (np.diff(time, prepend=0.0) <= _SLACK * (1 + np.abs(time))) & np.isin(kind, (START, BOLUS)) & np.isin(before, (START, BOLUS))
        for at in part[twice]:
            found.one(int(atoms.row[at]), "time", "two doses at the same time into one compartment", "write them as one row, or check addl and ii")
        running = part[kind != BOLUS]
        begins = atoms.kind[running] == START
        follows = running[1:]
        overlaps = follows[(atoms.subject[follows] == atoms.subject[running[:-1]]) & begins[1:] & begins[:-1]]
        for at in np.setdiff1d(overlaps, part[twice]):
            found.one(int(atoms.row[at]), "rate", "begins while another infusion runs", "infusions into one compartment may not overlap; check time and rate")


def _towards(atoms: _Atoms) -> Flags:
    """Happenings beside the clock, on the way to a steady state."""
    part = atoms.order - np.floor(atoms.order)
    return (part > 0.05) & (part < 0.45)


def _latest(marked: Flags, start: Whole) -> Whole:
    """For every place the latest marked one at or before it within its subject, or -1."""
    at = np.maximum.accumulate(np.where(marked, np.arange(len(marked)), -1))
    return np.where(at >= start, at, -1)


def _rates_after(atoms: _Atoms, depot: int, start: Whole) -> Floats:
    """The infusion rate that holds after each happening."""
    changes = ((atoms.depot == depot) & ((atoms.kind == START) | (atoms.kind == STOP))) | (atoms.kind == RESET)
    at = _latest(changes, start)
    return np.where((at >= 0) & (atoms.kind[at] == START), atoms.value[at], 0.0)


def _steps(table: Table, atoms: _Atoms, typical: Floats, hold: Hold) -> Schedule:
    subjects = len(table.ids)
    size = len(atoms.time)
    if not size:
        empty, none, whole = np.zeros(subjects + 1, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64)
        return Schedule(empty, none, none, none, none, none, none, np.zeros(0, dtype=bool), whole, whole, empty, whole, whole, empty,
                        np.ones((1, typical.shape[1])), np.zeros(subjects, dtype=bool))
    fresh = np.r_[True, atoms.subject[1:] != atoms.subject[:-1]]
    start = np.maximum.accumulate(np.where(fresh, np.arange(size), 0))
    gap = np.where(fresh, 0.0, np.diff(atoms.time, prepend=0.0)) + atoms.ahead
    rank = _RANK[atoms.kind]
    ranked = _latest(rank > -9, start)
    behind = np.r_[-1, ranked[:-1]]
    rank_before = np.where((behind >= start) & (behind >= 0), rank[np.maximum(behind, 0)], -9)
    new = fresh | (gap > 0) | ((rank > -9) & ((rank < rank_before) | ((rank == 0) & (rank_before == 0))))
    step = np.cumsum(new) - 1
    heads = np.flatnonzero(new)
    sets, set_first, first_set = _sets(table, typical)
    holder = _holding_rows(atoms, start, hold)
    param_row = np.where(atoms.own == 1, atoms.row, holder)
    head_row = param_row[heads] if hold == "next" else np.where(fresh[heads], param_row[heads], _row_before(atoms, start)[heads])
    before = np.maximum(heads - 1, 0)
    atoms = atoms._replace(value=np.where(atoms.depot == 1, atoms.value * typical[param_row, F], atoms.value))
    rates = [np.where(fresh[heads], 0.0, _rates_after(atoms, depot, start)[before]) for depot in (0, 1)]
    bolus = [_summed(step, np.where((atoms.kind == BOLUS) & (atoms.depot == depot), atoms.value, 0.0), len(heads)) for depot in (0, 1)]
    steady = _summed(step, np.where(atoms.kind == SOLVE, table.interval[atoms.row], 0.0), len(heads))
    reset = np.bincount(step, atoms.kind == RESET, len(heads)) > 0
    read = np.flatnonzero(atoms.kind == LEVEL)
    owner = atoms.subject[read]
    first_level = np.searchsorted(owner, np.arange(subjects + 1))
    level = np.full(len(heads), -1)
    level[step[read]] = np.arange(len(read)) - first_level[owner]
    head_subject = atoms.subject[heads]
    last = np.full(subjects, -1)
    last[owner] = step[read]  # of several the last stays
    kept = np.arange(len(heads)) <= last[head_subject]
    first_step = np.searchsorted(head_subject[kept], np.arange(subjects + 1))
    rows = atoms.row[read]
    depots = np.bincount(atoms.subject, (atoms.depot == 1) & ((atoms.kind == START) | (atoms.kind == BOLUS)), subjects) > 0
    return Schedule(first_step, gap[heads][kept], rates[0][kept], rates[1][kept], bolus[0][kept], bolus[1][kept], steady[kept], reset[kept], level[kept],
                    sets[head_row][kept] - first_set[head_subject[kept]], first_level, sets[rows] - first_set[owner], rows, first_set,
                    typical[set_first], depots)


def _summed(step: Whole, values: Floats, size: int) -> Floats:
    return np.bincount(step, values, size).astype(np.float64)


def _sets(table: Table, typical: Floats) -> tuple[Whole, Whole, Whole]:
    """Runs of rows of one subject with the same typical parameters: the run of each row, the first row of each, the first of each subject."""
    changed = np.r_[True, (table.subject[1:] != table.subject[:-1]) | np.any(typical[1:] != typical[:-1], axis=1)]
    number = np.cumsum(changed) - 1
    first = np.flatnonzero(changed)
    return number, first, np.searchsorted(table.subject[first], np.arange(len(table.ids) + 1))


def _holding_rows(atoms: _Atoms, start: Whole, hold: Hold) -> Whole:
    """The row whose covariates hold at each happening that is not itself a row."""
    before = _row_before_or_at(atoms, start)
    if hold == "last":
        return before
    size = len(atoms.time)
    place = np.minimum.accumulate(np.where(atoms.own == 1, np.arange(size), size)[::-1])[::-1]
    clipped = np.minimum(place, size - 1)
    return np.where((place < size) & (atoms.subject[clipped] == atoms.subject), atoms.row[clipped], before)


def _row_before_or_at(atoms: _Atoms, start: Whole) -> Whole:
    at = _latest(atoms.own == 1, start)
    return np.where(at >= 0, atoms.row[at], atoms.row)


def _row_before(atoms: _Atoms, start: Whole) -> Whole:
    """The row of the latest record before each happening."""
    at = np.r_[-1, _latest(atoms.own == 1, start)[:-1]]
    return np.where((at >= start) & (at >= 0), atoms.row[np.maximum(at, 0)], atoms.row)
