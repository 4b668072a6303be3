"""An independent reading of event tables: each subject alone, by numerical integration or by sums of exponentials. Shares no code with the package."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

Row = dict[str, Any]
Own = Callable[[Row], dict[str, float]]
"""The individual parameters that a row's covariates give."""


def doses_of(rows: list[Row]) -> list[tuple[float, float, int, float, int, bool]]:
    """Every single dose: time, amount, compartment, duration, index of its row, whether it was written out from addl. Resets are not applied."""
    out = []
    for index, row in enumerate(rows):
        if row["evid"] not in (1, 4):
            continue
        duration = row["amt"] / row["rate"] if row.get("rate", 0) > 0 else 0.0
        out += [(row["time"] + number * row.get("ii", 0.0), row["amt"], int(row["cmt"]), duration, index, number > 0)
                for number in range(int(row.get("addl", 0)) + 1)]
    return out


def by_integration(rows: list[Row], own: Own, depot: bool, hold: str = "next") -> list[float]:
    """The prediction of every evid-0 and evid-2 row, by an adaptive integrator between all changes. States: depot, central, peripheral."""
    central = 1 if not depot else 2
    changes: list[tuple[float, float, str, Any]] = []
    doses = doses_of(rows)
    resets = [(index, row["time"]) for index, row in enumerate(rows) if row["evid"] in (3, 4)]
    for time, amount, cmt, duration, index, further in doses:
        end = min([when for at, when in resets if at > index], default=math.inf)
        if further and time >= end:
            continue
        changes.append((time, -1.0 if further else index + 0.5, "dose", (amount, cmt, duration, end, index if not further else None)))
    for index, row in enumerate(rows):
        changes.append((row["time"], float(index), "row", index))
    changes.sort(key=lambda item: (item[0], item[1]))
    state, now, out = np.zeros(3), changes[0][0], {}
    running: list[tuple[float, float, int]] = []  # (end, rate, state index)
    times = [row["time"] for row in rows]

    def holding(after: float) -> dict[str, float]:
        """Parameters on the way to a time just after ``after``."""
        if hold == "next":
            later = [row for row, time in zip(rows, times, strict=True) if time > after]
            return own(later[0] if later else rows[-1])
        return own([row for row, time in zip(rows, times, strict=True) if time <= after][-1])

    def flow(until: float) -> None:
        nonlocal state, now, running
        while now < until:
            stop = min([until, *(end for end, _, _ in running)], default=until)
            stop = min([stop, *(time for time in times if time > now)])
            p = holding(now)
            rate = np.zeros(3)
            for _, strength, place in running:
                rate[place] += strength
            k = np.array([[-p.get("ka", 0.0), 0, 0], [p.get("ka", 0.0), -(p["CL"] + p.get("Q", 0.0)) / p["Vc"], p.get("Q", 0.0) / p.get("Vp", 1.0)],
                          [0, p.get("Q", 0.0) / p["Vc"], -p.get("Q", 0.0) / p.get("Vp", 1.0)]])
            if stop > now:
                done = solve_ivp(lambda t, y, k=k, rate=rate: k @ y + rate, (now, stop), state, method="DOP853", rtol=1e-12, atol=1e-13)
                state = done.y[:, -1]
            now = stop
            running = [item for item in running if item[0] > now]

    for time, _, kind, what in changes:
        flow(time)
        if kind == "dose":
            amount, cmt, duration, end, index = what
            place = 1 if cmt == central else 0
            if place == 0:
                if index is not None:
                    p = own(rows[index])
                elif hold == "next":
                    p = own(next((row for row in rows if row["time"] >= time), rows[-1]))
                else:
                    p = own([row for row in rows if row["time"] < time][-1])
                amount = amount * p.get("F", 1.0)
            if duration:
                running.append((min(time + duration, end), amount / duration, place))
            else:
                state[place] += amount
        else:
            row = rows[what]
            if row["evid"] in (0, 2):
                p = own(row)
                out[what] = state[1] / p["Vc"] + p.get("baseline", 0.0)
            if row["evid"] in (3, 4):
                state, running = np.zeros(3), []
    return [out[index] for index in sorted(out)]


def by_sums(rows: list[Row], p: dict[str, float], depot: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The prediction of every evid-0 row for constant parameters and no reset: sums over doses of exponentials with macro constants.

    Coefficients follow Gibaldi and Perrier, Pharmacokinetics, 2nd ed., chapter 2.
    """
    k10, k12 = p["CL"] / p["Vc"], p.get("Q", 0.0) / p["Vc"]
    k21 = p["Q"] / p["Vp"] if p.get("Q", 0.0) else 1.0
    total = k10 + k12 + k21
    root = math.sqrt(total * total - 4 * k10 * k21)
    alpha, beta = (total + root) / 2, (total - root) / 2
    parts = [((k21 - alpha) / (beta - alpha), alpha), ((k21 - beta) / (alpha - beta), beta)] if k12 else [(1.0, k10)]
    when = np.array([row["time"] for row in rows if row["evid"] == 0], dtype=float)
    out = np.full(len(when), p.get("baseline", 0.0))
    central = 2 if depot else 1
    for time, amount, cmt, duration, _, _ in doses_of(rows):
        since = np.maximum(when - time, 0.0)
        on = when > time
        for weight, rate in parts:
            if cmt == central:
                if duration:
                    shape = (np.exp(-rate * np.maximum(since - duration, 0)) - np.exp(-rate * since)) / (rate * duration)
                else:
                    shape = np.exp(-rate * since)
            else:
                ka = p["ka"]
                amount_in = p.get("F", 1.0)
                shape = amount_in * ka / (ka - rate) * (np.exp(-rate * since) - np.exp(-ka * since))
            out = out + on * amount / p["Vc"] * weight * shape
    return out


def steady_state(p: dict[str, float], amount: float, cmt: int, duration: float, interval: float, after: np.ndarray[Any, Any],
                 depot: bool) -> np.ndarray[Any, Any]:
    """Central concentration at times within an interval at steady state, from matrix exponentials and a linear system."""
    k = np.array([[-p.get("ka", 0.0), 0, 0], [p.get("ka", 0.0), -(p["CL"] + p.get("Q", 0.0)) / p["Vc"], p.get("Q", 0.0) / p.get("Vp", 1.0)],
                  [0, p.get("Q", 0.0) / p["Vc"], -p.get("Q", 0.0) / p.get("Vp", 1.0)]])
    used = [place for place in range(3) if (place != 0 or depot) and (place != 2 or p.get("Q", 0.0))]
    k = k[np.ix_(used, used)]
    place = used.index(1 if cmt == (2 if depot else 1) else 0)
    entry = np.eye(len(used))[place] * amount * (p.get("F", 1.0) if depot and cmt == 1 else 1.0)

    def one(t: float) -> Any:
        if not duration:
            return expm(k * t) @ entry
        during = min(t, duration)
        filled = np.linalg.solve(k, (expm(k * during) - np.eye(len(used))) @ entry / duration)
        return expm(k * (t - during)) @ filled

    start = np.linalg.solve(np.eye(len(used)) - expm(k * interval), one(interval))
    return np.array([(expm(k * t) @ start + one(t))[used.index(1)] / p["Vc"] for t in after])
