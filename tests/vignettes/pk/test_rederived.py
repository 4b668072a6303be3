"""What the models are held to, worked out again without a line of the program: matrix exponentials and scipy's solver on the printed parameters, copied
here from the sources once more. Typical curves of every linear model, the checks over several models, and the saturable model.

Each test states what the independent number is and that the program gives the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics.checks import outcomes
from ivigil.pharmacokinetics.curves import total_over
from ivigil.pharmacokinetics.history import Given
from ivigil.pharmacokinetics.typical import Person, typical_baseline, typical_values

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
OTHERS = {
    "cheng-2026": Card(0.308, 3.59, 1.08, 7.37, baseline=5.67),
    "tortorici-2021": Card(0.435 * (WEIGHT / 82) ** 0.615, 4.69 * (WEIGHT / 82) ** 0.773, 0.50 * (WEIGHT / 82) ** 0.615, 1.87 * (WEIGHT / 82) ** 0.773, 0.439,
                           0.824, 12.5),
    "li-2024a": Card(0.05784 * 6.59 * (LEAN / 56.54) ** 2.23, 6.59 * (LEAN / 56.54) ** 2.23, baseline=20.2),
    "li-2024b": Card(0.05832 * 6.48 * (LEAN / 56.54) ** 2.17, 6.48 * (LEAN / 56.54) ** 2.17, baseline=20.2),
    "davda-2014": Card(0.200, 3.61, 0.747, 2.75, 0.282, 0.744, 0.0),
    "tegenge-2020": Card(0.0027, 0.008, 0.045, 0.055, baseline=5.0),
}
"""The other linear models, for the same man; that of very small neonates carries no weight and is asked for a gram all the same."""


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


def course(card: Card, doses: list[tuple[float, float]], days: list[float], *, depot: bool) -> list[float]:
    """Infused IgG (g/L) on some days after doses (day, grams), each into the depot at once or into the vein over four hours: from one moment of change to the
    next by the matrix exponential of depot, central, peripheral and the running infusion.
    """
    rates = np.zeros((4, 4))
    rates[:3, :3] = [[-card.ka, 0, 0], [card.ka, -(card.CL + card.Q) / card.Vc, card.Q / card.Vp], [0, card.Q / card.Vc, -card.Q / card.Vp]]
    rates[1, 3] = 1.0
    changes = sorted({*days, *(day for day, _ in doses), *(day + HOURS_4 for day, _ in doses if not depot)})
    state, now, found = np.zeros(4), 0.0, {}
    for moment in changes:
        state, now = expm(rates * (moment - now)) @ state, moment
        found[moment] = float(state[1] / card.Vc)
        for day, grams in doses:
            if depot and day == moment:
                state[0] += card.F * grams
            elif not depot and moment in (day, day + HOURS_4):
                state[3] += grams / HOURS_4 if moment == day else -grams / HOURS_4
    return [found[day] for day in days]


DAYS = [0.05, 0.5, 2.0, 6.9, 13.0, 27.9, 28.1, 40.0, 83.5, 120.0]


@pytest.mark.parametrize(("name", "route"), [(name, "intravenous") for name in (*CARDS, *OTHERS)]
                         + [(name, "subcutaneous") for name, card in (*CARDS.items(), *OTHERS.items()) if card.F != 1.0])
def test_typical_curve_of_every_linear_model(name: str, route: Route) -> None:
    """From the first hours through distribution to the third interval: within 1e-6 of the independent curve."""
    card = {**CARDS, **OTHERS}[name]
    depot = route == "subcutaneous"
    doses = [(7.0 * week, 7.0) for week in range(12)] if depot else [(0.0, 28.0), (28.0, 28.0), (56.0, 28.0)]
    evidence = load_evidence()
    model = evidence.models[name]
    person = Person(WEIGHT, HEIGHT, 40.0, "male", None, "")
    values = {key: np.array([value]) for key, value in typical_values(model, person, evidence).items()}
    baseline = typical_baseline(model, person, evidence)
    given = [Given(day, grams, route, 0.0 if depot else HOURS_4) for day, grams in doses]
    assert baseline == pytest.approx(0.0 if name == "dumas-2019" else card.baseline, abs=1e-12)
    curve = total_over(model, values, baseline, given, np.array(DAYS))[:, 0] - baseline
    assert curve == pytest.approx(course(card, doses, DAYS, depot=depot), rel=1e-6)


def test_every_linear_model_has_its_card_here() -> None:
    """A new model must be worked out again too."""
    assert {*CARDS, *OTHERS} == {name for name, model in load_evidence().models.items() if model.family == "linear"}


def test_slope_of_li_2022_is_the_printed_one_of_a_bolus() -> None:
    """64.4 mg/dL with a bolus, which rounds to the printed 64; 64.6 with the 4-hour infusion of the check."""
    bolus, infusion = (100 * trough(CARDS["li-2022"], 7.0, 28.0, length=length) for length in (0.0, HOURS_4))
    assert (round(bolus, 1), round(infusion, 1)) == (64.4, 64.6)
    assert computed()["slope.li-2022", "li-2022"] == pytest.approx(infusion, rel=1e-3)


def spread(troughs: list[float]) -> float:
    """Coefficient of variation in %."""
    return float(100 * np.std(troughs, ddof=1) / np.mean(troughs))


def test_spread_of_the_models_with_one_baseline() -> None:
    """16.9 % of eight models, 19.7 % of the six with subcutaneous data, 19.2 % of these on subcutaneous doses: the printed numbers, from 4.0 g/L."""
    both = [name for name, card in CARDS.items() if card.F != 1.0]
    everyone = [trough(card, 28.0, 28.0, length=0.0) + 4.0 for card in CARDS.values()]
    paired = [trough(CARDS[name], 28.0, 28.0, length=0.0) + 4.0 for name in both]
    weekly = [trough(CARDS[name], 7.0, 7.0, depot=True) + 4.0 for name in both]
    for check, troughs, printed in (("spread.intravenous", everyone, 16.9), ("spread.intravenous-paired", paired, 19.7), ("spread.subcutaneous", weekly, 19.2)):
        assert round(spread(troughs), 1) == printed
        assert next(value for (name, _), value in computed().items() if name == check) == pytest.approx(spread(troughs), rel=3e-3)  # a bolus
    assert round(float(np.median(everyone)), 1) == 8.4


@pytest.mark.parametrize("name", ["landersdorfer-2013", "zhang-2020", "luo-2020", "navarro-mora-2022", "li-2022"])
@pytest.mark.parametrize(("check", "weeks", "low", "high"), [("biweekly.trough", 2, 92, 108), ("four-weekly.trough", 4, 86, 95)])
def test_longer_interval_over_weekly_trough(name: str, check: str, weeks: int, low: float, high: float) -> None:
    """Within the intervals that the source prints for its ratios: 94.8-95.3 % every two weeks, 86.1-87.7 % every four."""
    share = 100 * total(name, 7.0 * weeks, 7.0 * weeks, depot=True) / total(name, 7.0, 7.0, depot=True)
    assert low <= share <= high
    assert computed()[check, name] == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize("name", ["landersdorfer-2013", "zhang-2020", "luo-2020", "navarro-mora-2022", "li-2022"])
def test_dose_factor_of_the_published_difference(name: str) -> None:
    """Weekly doses under the skin that lie the published 73.4 mg/dL above 4-weekly ones into a vein are 1.05-1.27 times the latter: between 1 and 1.37."""
    factor = computed()["scig-over-ivig", name]
    assert 1.0 <= factor <= 1.37
    assert 100 * (total(name, 7.0 * factor, 7.0, depot=True) - total(name, 28.0, 28.0)) == pytest.approx(73.4, rel=1e-3)


def test_facilitated_doses_over_intravenous_ones() -> None:
    """Total exposure by areas alone: 90.9 % at the same dose, 93.7 % at the 108 % of the trial, which prints 93.3 %."""
    card = CARDS["li-2022"]
    same, more = (100 * (28.0 * 0.794 * factor / card.CL + 28 * 6.15) / (28.0 / card.CL + 28 * 6.15) for factor in (1.0, 1.08))
    assert round(same, 1) == 90.9
    assert computed()["facilitated-total", "li-2022"] == pytest.approx(more, rel=1e-4)


def test_facilitated_doses_every_two_weeks_in_place_of_four() -> None:
    """The trough rises by 9.6 % and exposure stays; no printed figure was read to compare."""
    card = CARDS["li-2022"]._replace(F=0.794)
    evidence = load_evidence()
    person = Person(WEIGHT, HEIGHT, 40.0, "male", None, "")
    values = {key: np.array([value]) for key, value in typical_values(evidence.models["li-2022"], person, evidence).items()}
    ends = []
    for weeks in (2, 4):
        days = 7.0 * weeks
        given = [Given(days * number, 7.0 * weeks, "facilitated-subcutaneous", 0.0) for number in range(80 // weeks)]
        ends.append(float(total_over(evidence.models["li-2022"], values, 6.15, given, np.array([0.0, 560.0]))[1, 0]))
        assert ends[-1] == pytest.approx(trough(card, 7.0 * weeks, days, depot=True) + 6.15, rel=1e-5)
    assert round(100 * (ends[0] / ends[1] - 1), 1) == 9.6


@pytest.mark.parametrize("dose", [0.4, 0.5, 0.6])
def test_area_after_a_first_dose_in_the_median_child(dose: float) -> None:
    """Cheng 2026: the integral of the matrix exponential over 28 days, plus 28 x 5.67; a bolus adds 0.03 %."""
    size = 18.6 / 70
    clearance, flow = 0.308 * size**0.75, 1.08 * size**0.75
    rates = np.array([[-(clearance + flow) / (3.59 * size), flow / (7.37 * size)], [flow / (3.59 * size), -flow / (7.37 * size)]])
    area = np.linalg.solve(rates, (expm(28 * rates) - np.eye(2)) @ [dose * 18.6, 0.0])[0] / (3.59 * size) + 28 * 5.67
    assert computed()[f"area.cheng-2026.{dose:g}", "cheng-2026"] == pytest.approx(area, rel=1e-3)


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
    """24.4 % on day 14, which rounds to the printed 24."""
    fall = 100 * (1 - saturable(12.0, [(float(day), 0.4) for day in range(5)], 14.0)[2] / VOLUME)
    assert round(fall) == 24
    assert computed()["saturable.autoantibody-14", "saturable-fcrn"] == pytest.approx(fall, rel=1e-3)


def test_rise_of_the_saturable_trough_per_dose() -> None:
    """Both ends of the printed 33-51 mg/dL are met: 33.2 with 4 g/L untreated from 0.5 to 0.6 g/kg, 50.8 with 0.7 g/L from 0.3 to 0.4.

    These are the two endogenous levels that the policy assumes in deficiency, each at the end of the printed doses.
    """
    def rise(untreated: float, low: float, high: float) -> float:
        ends = [saturable(untreated, [(28.0 * number, dose) for number in range(40)], 28.0 * 40)[0] / VOLUME for dose in (low, high)]
        return float(100 * (ends[1] - ends[0]) / (10 * (high - low)))

    assert round(rise(4.0, 0.5, 0.6)) == 33
    assert round(rise(0.7, 0.3, 0.4)) == 51
    assert computed()["saturable.slope", "saturable-fcrn"] == pytest.approx(rise(4.0, 0.3, 0.6), rel=2e-3)
