"""The six checks whose range was changed after the first run, worked out again without a line of the program: matrix exponentials and scipy's solver
on the printed parameters, copied here from the sources once more.

Each test states what the independent number is, that the program gives the same, and whether the printed figure is met.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from ivigil.evidence.load import load_evidence
from ivigil.pharmacokinetics.checks import outcomes

WEIGHT, HEIGHT = 70.0, 170.0
LEAN = 0.407 * WEIGHT + 0.267 * HEIGHT - 19.2
HOURS_4 = 4 / 24


class Card(NamedTuple):
    """Parameters of a 70 kg, 170 cm man: L/day, L, 1/day; endogenous IgG as each authors had it."""

    CL: float
    Vc: float
    Q: float = 1e-9  # one compartment: as good as none
    Vp: float = 1.0
    ka: float = 1.0
    F: float = 1.0
    baseline: float = 4.0


CARDS = {
    "landersdorfer-2013": Card(0.142, 3.94, 0.252, 4.18, 0.439, 0.660),
    "dumas-2019": Card(0.09216, 4.01, ka=0.096, F=0.739),
    "tortorici-2019": Card(0.152 * (WEIGHT / 72) ** 0.796, 3.08 * (WEIGHT / 72) ** 1.1, 0.825, 1.8),
    "luo-2020": Card(0.139 * (WEIGHT / 58.7) ** 0.881, 4.01 * (WEIGHT / 58.7) ** 0.501, 0.300, 3.51, 0.506, 0.668),
    "zhang-2020": Card(0.138 * (WEIGHT / 66) ** 0.768, 3.95 * (WEIGHT / 66) ** 0.448, 0.260, 4.44, 0.444, 0.676),
    "lee-2021": Card(0.0624 * (WEIGHT / 27) ** 0.88, 2.77 * (WEIGHT / 27) ** 0.66, baseline=0.7),
    "li-2022": Card(0.183 * (LEAN / 47) ** 0.75, 3.01 * LEAN / 47, 0.353 * (LEAN / 47) ** 0.75, 1.40 * LEAN / 47, 0.395, 0.705, 6.15),
    "navarro-mora-2022": Card(0.150 * (WEIGHT / 65.7) ** 0.744, 3.06 * (WEIGHT / 65.7) ** 0.686, 0.474, 1.93 * (WEIGHT / 65.7) ** 1.04, 0.246, 0.705),
}
"""The eight models of primary immunodeficiency in adults."""


@lru_cache(maxsize=1)
def computed() -> dict[tuple[str, str], float]:
    """What the program gives, by check and model."""
    return {(one.check, one.model): one.value for one in outcomes(load_evidence())}


def trough(card: Card, grams: float, every: float, *, length: float = HOURS_4, depot: bool = False) -> float:
    """Infused IgG (g/L) just before a dose once doses repeat for ever: depot, central and peripheral amounts through the matrix exponential."""
    rates = np.array([[-card.ka, 0, 0], [card.ka, -(card.CL + card.Q) / card.Vc, card.Q / card.Vp], [0, card.Q / card.Vc, -card.Q / card.Vp]])
    if depot or length == 0:
        whole = expm(rates * every)
        after = np.linalg.solve(np.eye(3) - whole, np.array([card.F * grams, 0, 0]) if depot else np.array([0, grams, 0]))
        return float((whole @ after)[1] / card.Vc)
    mean = np.zeros((4, 4))  # one more state that stands still and feeds the infusion
    mean[:3, :3], mean[1, 3] = rates, grams / length
    during = expm(mean * length)
    later = expm(rates * (every - length))
    return float(np.linalg.solve(np.eye(3) - later @ during[:3, :3], later @ during[:3, 3])[1] / card.Vc)


def total(name: str, grams: float, every: float, *, depot: bool = False) -> float:
    return trough(CARDS[name], grams, every, depot=depot) + CARDS[name].baseline


def test_slope_of_li_2022_is_the_printed_one_of_a_bolus() -> None:
    """64.4 mg/dL with a bolus, which rounds to the printed 64; 64.6 with the 4-hour infusion of the check. Settled."""
    assert round(100 * trough(CARDS["li-2022"], 7.0, 28.0, length=0.0)) == 64
    assert computed()["slope.li-2022", "li-2022"] == pytest.approx(100 * trough(CARDS["li-2022"], 7.0, 28.0), rel=1e-3)


def test_spread_of_eight_models_is_about_17_per_cent_with_one_baseline() -> None:
    """16.9 % when all eight start from 4.0 g/L, which is the printed "about 17 %"; 20.8 % with the baselines the authors had, as the check has it.

    Which baselines the library took was not read: open.
    """
    own = np.array([total(name, 28.0, 28.0) for name in CARDS])
    shared = np.array([trough(card, 28.0, 28.0) + 4.0 for card in CARDS.values()])
    assert 100 * shared.std(ddof=1) / shared.mean() == pytest.approx(16.9, abs=0.05)
    spread = next(value for (check, _), value in computed().items() if check == "spread.pid")
    assert spread == pytest.approx(100 * own.std(ddof=1) / own.mean(), rel=1e-3)


@pytest.mark.parametrize("name", ["landersdorfer-2013", "zhang-2020", "luo-2020", "navarro-mora-2022", "li-2022"])
def test_two_weekly_over_weekly_trough(name: str) -> None:
    """94.8-95.3 %. The source prints no number ("near-identical exposure"), so the range stays ours: open."""
    share = 100 * total(name, 14.0, 14.0, depot=True) / total(name, 7.0, 7.0, depot=True)
    assert 94.8 <= share <= 95.3
    assert computed()["biweekly", name] == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize("name", ["landersdorfer-2013", "zhang-2020", "luo-2020"])
def test_weekly_under_the_skin_less_four_weekly_into_a_vein(name: str) -> None:
    """111.7-128.2 mg/dL with the factor 1.37: at and above the upper end of the published interval (31.7-119.2). With 1.30 it is 84.7-97.2, inside.

    The factors of the studies behind the interval were not read: open.
    """
    def rise(factor: float) -> float:
        return 100 * (total(name, 7.0 * factor, 7.0, depot=True) - total(name, 28.0, 28.0))

    assert computed()["scig-over-ivig", name] == pytest.approx(rise(1.37), rel=1e-3)
    assert 31.7 <= rise(1.30) <= 119.2


KINT, J, KM, FLOOR, VOLUME, FLOW = 0.401, 21.5, 52.2, 0.0198, 0.043, 0.0214
"""The saturable model as calibrated, per kg."""


def loss(level: float) -> float:
    return max(KINT - J / (KM + level), FLOOR)


def saturable(start: float, doses: list[tuple[float, float]], until: float) -> np.ndarray:
    """Amounts per kg of IgG and of a tracer antibody in both compartments, from rest at ``start`` g/L; doses (day, g/kg) over four hours."""
    made = loss(start) * start * VOLUME

    def slope(_: float, amount: np.ndarray, rate: float) -> np.ndarray:
        level, out, tracer, tracer_out = amount / VOLUME
        gone = loss(level)
        return np.array([made + rate - gone * amount[0] - FLOW * (level - out), FLOW * (level - out),
                         loss(start) * VOLUME - gone * amount[2] - FLOW * (tracer - tracer_out), FLOW * (tracer - tracer_out)])

    state, now = np.array([start * VOLUME, start * VOLUME, VOLUME, VOLUME]), 0.0
    for day, grams in [*doses, (until, 0.0)]:
        for end, rate in ((day, 0.0), (day + HOURS_4, grams / HOURS_4)):
            if end > now and now < until:
                state, now = solve_ivp(slope, (now, end), state, args=(rate,), rtol=1e-9, atol=1e-12).y[:, -1], end
    return state


def test_fall_of_an_autoantibody_after_2_g_per_kg() -> None:
    """24.4 % on day 14, which rounds to the printed 24. Settled."""
    fall = 100 * (1 - saturable(12.0, [(float(day), 0.4) for day in range(5)], 14.0)[2] / VOLUME)
    assert round(fall) == 24
    assert computed()["saturable.autoantibody-14", "saturable-fcrn"] == pytest.approx(fall, rel=1e-3)


def test_rise_of_the_saturable_trough_per_dose() -> None:
    """Both ends of the printed 33-51 mg/dL are met: 33.2 with 4 g/L untreated from 0.5 to 0.6 g/kg, 50.8 with 0.7 g/L from 0.3 to 0.4. Settled.

    These are the two endogenous levels that the policy assumes in deficiency, each at the end of the printed doses.
    """
    def rise(untreated: float, low: float, high: float) -> float:
        ends = [saturable(untreated, [(28.0 * number, dose) for number in range(40)], 28.0 * 40)[0] / VOLUME for dose in (low, high)]
        return float(100 * (ends[1] - ends[0]) / (10 * (high - low)))

    assert round(rise(4.0, 0.5, 0.6)) == 33
    assert round(rise(0.7, 0.3, 0.4)) == 51
    assert computed()["saturable.slope", "saturable-fcrn"] == pytest.approx(rise(4.0, 0.3, 0.6), rel=2e-3)
