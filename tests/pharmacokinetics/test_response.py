"""Grip strength under infused IgG: the printed equation, against an independent solver and its resting values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tests.pharmacokinetics.people import TODAY, evidence, facts, record

from ivigil.pharmacokinetics.forecast import forecast
from ivigil.pharmacokinetics.history import history_of
from ivigil.pharmacokinetics.regimen import Regimen
from ivigil.pharmacokinetics.response import indirect_response, response_in_words
from ivigil.pharmacokinetics.typical import Person

KOUT, C50, IMAX = 0.552, 9.41, 0.6066
"""Li 2024b as printed."""


@pytest.mark.parametrize("excess", [0.0, 2.0, 9.41, 30.0])
def test_a_constant_level_rests_where_the_equation_says(excess: float) -> None:
    """At rest the response over its start is 1 / (1 - Imax E / (C50 + E))."""
    share = indirect_response(np.full(2001, excess), 1 / 16, KOUT, C50, IMAX)
    assert share[-1] == pytest.approx(1 / (1 - IMAX * excess / (C50 + excess)), rel=1e-6)


def test_it_follows_a_decaying_level_as_an_ode_solver_does() -> None:
    """Against scipy at tight tolerance, on a level that falls from 20 g/L with a half-life of 12 days."""
    times = np.arange(0, 60 + 1e-9, 1 / 16)
    rate = np.log(2) / 12

    def slope(time: float, value: np.ndarray) -> np.ndarray:
        level = 20 * np.exp(-rate * time)
        return np.asarray(KOUT - (1 - IMAX * level / (C50 + level)) * KOUT * value)

    truth = solve_ivp(slope, (0, 60), np.array([1.0]), t_eval=times, rtol=1e-10, atol=1e-12).y[0]
    mine = indirect_response(20 * np.exp(-rate * times), 1 / 16, KOUT, C50, IMAX)
    assert np.max(np.abs(mine / truth - 1)) < 1e-4


def test_a_patient_with_mmn_sees_it() -> None:
    """1 g/kg every four weeks lifts it, more just after a dose than before the next; the other model of the disease has none."""
    patient = Person(75.0, 178.0, 50.0, "male", None, "mmn", "immunomodulation")
    past = history_of(record(infusions=(), infusions_complete=True), patient, facts(), evidence(), TODAY)
    made = forecast(patient, facts(), past, Regimen(75.0, 28.0, length=1 / 6), evidence(), horizon=182.0)
    found = {curve.model: curve.response for curve in made.curves}
    assert found["li-2024a"] is None
    response = found["li-2024b"]
    assert response is not None
    assert response.share[0] == pytest.approx(1.0)
    assert 1.0 < response.lowest < response.highest < 1 / (1 - IMAX)
    assert response.cites == ("pk.li-2024b.grip", "pk.li-2024b.grip-change")
    assert "4 kg counts as meaningful" in response_in_words(response)
