"""Printed parameters become individuals' parameters: covariates, branches, variation, lean mass with its refusals."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from tests.pharmacokinetics.people import ADULT, evidence

from ivigil.pharmacokinetics.typical import (
    CannotCompute,
    Person,
    individual_values,
    lean_mass,
    log_variance,
    residual_sd,
    scatter,
    typical_baseline,
    typical_values,
)


def test_weight_scales_as_printed() -> None:
    """Zhang: 0.138 (W/66)^0.768; exchange and peripheral volume carry no weight."""
    model = evidence().models["zhang-2020"]
    at_reference = typical_values(model, msgspec.structs.replace(ADULT, weight=66.0), evidence())
    small = typical_values(model, msgspec.structs.replace(ADULT, weight=33.0), evidence())
    assert at_reference["CL"] == pytest.approx(0.138)
    assert small["CL"] == pytest.approx(0.138 * 0.5**0.768)
    assert (small["Q"], small["Vp"]) == (at_reference["Q"], at_reference["Vp"])


def test_secondary_deficiency_has_its_own_values() -> None:
    """Tortorici 2019: another central volume; Cheng: clearance and baseline times a factor, 46 % lower and not 54 %."""
    secondary = msgspec.structs.replace(ADULT, indication="sid")
    tortorici, cheng = evidence().models["tortorici-2019"], evidence().models["cheng-2026"]
    ratio = typical_values(tortorici, secondary, evidence())["Vc"] / typical_values(tortorici, ADULT, evidence())["Vc"]
    assert ratio == pytest.approx(8.75 / 3.08)
    assert typical_values(cheng, secondary, evidence())["CL"] == pytest.approx(0.308 * 0.542)
    assert typical_baseline(cheng, secondary, evidence()) == pytest.approx(5.67 * 0.541)
    assert typical_baseline(cheng, msgspec.structs.replace(ADULT, igm=0.42), evidence()) == pytest.approx(5.67 * 2**0.11)


def test_a_rate_constant_becomes_a_clearance() -> None:
    """Multifocal motor neuropathy: kel x volume, with the lean mass held within 40-70 kg."""
    model = evidence().models["li-2024b"]
    heavy = typical_values(model, msgspec.structs.replace(ADULT, weight=130.0, height=200.0), evidence())
    assert heavy["Vc"] == pytest.approx(6.48 * (70 / 56.54) ** 2.17)
    assert heavy["CL"] == pytest.approx(0.05832 * heavy["Vc"])


@pytest.mark.parametrize("name", ["luo-2020", "zhang-2020"])
def test_printed_coefficients_are_round_variances(name: str) -> None:
    """Trap 4: ln(1 + cv^2) of all twelve printed coefficients is round to three figures, which confirms the rule."""
    expected = {"luo-2020": {"CL": 0.122, "Q": 0.258, "Vc": 0.614, "Vp": 2.45, "F_sc": 0.056, "ka": 0.995},
                "zhang-2020": {"CL": 0.122, "Q": 0.321, "Vc": 0.619, "Vp": 2.00, "F_sc": 0.0996, "ka": 0.263}}[name]
    parameters = evidence().models[name].parameters
    for parameter, variance in expected.items():
        assert log_variance(parameters[parameter].varies, capped=False) == pytest.approx(variance, rel=4e-3)
    assert log_variance(parameters["Vp"].varies) == pytest.approx(math.log(2))


def test_a_bioavailability_never_exceeds_one() -> None:
    """However far a virtual patient deviates."""
    model = evidence().models["zhang-2020"]
    names, _ = scatter(model)
    drawn = individual_values(model, typical_values(model, ADULT, evidence()), names, np.full((1, len(names)), 3.0))
    assert drawn["F_sc"][0] == 1.0


def test_printed_covariances_are_kept() -> None:
    """The monoclonal comparison model prints three."""
    names, omega = scatter(evidence().models["davda-2014"])
    assert omega[names.index("CL"), names.index("Vc")] == 0.0786
    assert np.allclose(omega, omega.T)


def test_residuals_are_standard_deviations_whatever_was_printed() -> None:
    """Navarro-Mora prints variances (0.817 g/L and 5.3 %), Cheng standard deviations; Luo none."""
    found = residual_sd(evidence().models["navarro-mora-2022"], 10.0)
    assert found is not None
    assert float(found) == pytest.approx(math.hypot(0.817, 0.53), rel=2e-3)
    cheng = residual_sd(evidence().models["cheng-2026"], 10.0)
    assert cheng is not None
    assert float(cheng) == pytest.approx(math.hypot(0.812, 1.17))
    assert residual_sd(evidence().models["luo-2020"], 10.0) is None


def test_lean_mass_of_the_printed_example() -> None:
    """A man of 70 kg and 170 cm has 54.68 kg by Boer."""
    mass, formula = lean_mass(ADULT, evidence())
    assert mass == pytest.approx(54.68, abs=0.005)
    assert formula.id == "boer-male"


@pytest.mark.parametrize("weight", [5.0, 14.0, 20.0, 45.0])
def test_children_are_measured_by_peters(weight: float) -> None:
    """Trap 9: lean mass of a child stays near 83-88 % of weight; Boer would give 1 % at 14 kg."""
    height = {5.0: 58.0, 14.0: 95.0, 20.0: 115.0, 45.0: 152.0}[weight]
    mass, formula = lean_mass(Person(weight, height, 6.0, "female"), evidence())
    assert formula.id == "peters"
    assert 0.80 * weight < mass < 0.92 * weight


@pytest.mark.parametrize(("person", "why"), [
    (Person(70.0, None, 40.0, "male"), "height"),
    (Person(70.0, 170.0, None, "male"), "age"),
    (Person(70.0, 170.0, 40.0, ""), "sex"),
    (Person(30.0, 130.0, 40.0, "female"), None),
    (Person(40.0, 100.0, 40.0, "female"), "outside 40-98 %"),
    (Person(40.0, 230.0, 40.0, "female"), "outside 40-98 %"),
])
def test_a_lean_mass_that_cannot_be_is_refused(person: Person, why: str | None) -> None:
    """A clearance near nought would forecast an absurd level."""
    if why is None:
        assert lean_mass(person, evidence())[0] > 0
        return
    with pytest.raises(CannotCompute, match=why):
        lean_mass(person, evidence())
