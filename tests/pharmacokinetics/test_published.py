"""Published models on event tables: the same fits as the forecast's own, and a plain answer where a source lacks what a fit needs."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from ivigil.basis.problems import BadInput
from ivigil.evidence.load import load_evidence
from ivigil.pharmacokinetics.baseline import Endogenous
from ivigil.pharmacokinetics.fit_model import check_model
from ivigil.pharmacokinetics.history import Given, Level, Remark
from ivigil.pharmacokinetics.individualise import fit_many
from ivigil.pharmacokinetics.personal import personal_fit
from ivigil.pharmacokinetics.published import fit_model_of, why_not_fitted
from ivigil.pharmacokinetics.typical import Person, typical_baseline

EVIDENCE = load_evidence()
LACKING = {
    "luo-2020": "its source gives no usable residual error",
    "landersdorfer-2013": "its source gives no usable variation between patients and no usable residual error",
    "saturable-fcrn": "its source gives no usable variation between patients",
}
"""What the sources do not print: the notes of the evidence say where that was looked for."""


@pytest.mark.parametrize("name", sorted(EVIDENCE.models))
def test_every_model_can_be_fitted_or_says_what_its_source_lacks(name: str) -> None:
    """Three cannot; nobody invents the missing number. The others make a sound fit model."""
    model = EVIDENCE.models[name]
    assert why_not_fitted(model) == LACKING.get(name, "")
    if name in LACKING:
        with pytest.raises(BadInput, match="no usable"):
            fit_model_of(model, EVIDENCE)
    else:
        assert check_model(fit_model_of(model, EVIDENCE)) == []


@pytest.mark.parametrize(("name", "person", "levels"), [
    ("navarro-mora-2022", Person(70.0, 170.0, 40.0, "male"), (7.5, 8.6, 9.1)),
    ("zhang-2020", Person(24.0, 120.0, 8.0, "female"), (6.5, 7.0, 7.4)),
    ("li-2022", Person(62.0, 165.0, 33.0, "female"), (8.0, 8.4, 8.2)),
    ("tortorici-2019", Person(80.0, 175.0, 70.0, "male", None, "cll"), (7.0, 8.0, 8.8)),
    ("cheng-2026", Person(18.6, 108.0, 5.0, "male", 0.4, "sid"), (6.0, 7.0, 8.0)),
    ("li-2024b", Person(120.0, 190.0, 50.0, "male"), (22.0, 24.0, 24.5)),
    ("lee-2021", Person(27.0, 130.0, 9.0, "male"), (5.0, 6.1, 6.4)),
])
def test_the_fit_of_a_table_is_the_fit_of_the_forecast(name: str, person: Person, levels: tuple[float, ...]) -> None:
    """Two searches written apart, on the same published model: the same deviations, the same baseline."""
    model = EVIDENCE.models[name]
    wanted = fit_model_of(model, EVIDENCE)
    rest = typical_baseline(model, person, EVIDENCE)
    times, grams = [0.0, 28.0, 56.0], 0.4 * person.weight
    drawn = [27.0, 55.0, 83.0]
    past = [Given(day, grams, "intravenous", 4 / 24) for day in times]
    known = [Level(day, value) for day, value in zip(drawn, levels, strict=True)]
    own = personal_fit(model, person, past, known, Endogenous(rest, float(np.sqrt(wanted.baseline_variance)), Remark("baseline-assumed", "")), EVIDENCE)
    secondary = int(person.indication in {"cll", "sid"})
    covariates = {"WT": person.weight, "HT": person.height, "SEX": int(person.sex == "male"), "AGE": person.age, "IGM": person.igm or 0.21,
                  "SECONDARY": secondary, "FACILITATED": 0}
    doses: dict[str, Any] = {"ID": [1] * 3, "time": times, "evid": [1] * 3, "amt": [grams] * 3, "cmt": [-2] * 3, "rate": [grams * 6] * 3,
                             **{key: [value] * 3 for key, value in covariates.items()}}
    fits = fit_many(wanted, doses, {"ID": [1] * 3, "time": drawn, "DV": list(levels), **{key: [value] * 3 for key, value in covariates.items()}})
    assert own.individual is not None
    by_name = dict(zip(fits.etas, fits.eta[0], strict=True))
    mine = dict(zip([key for key, part in model.parameters.items() if part.varies is not None], own.individual.etas, strict=True))
    for key, value in mine.items():
        assert by_name["F" if key == "F_sc" else key] == pytest.approx(value, abs=2e-4)
    assert fits.parameters[0, fits.names.index("baseline")] == pytest.approx(own.individual.baseline, rel=2e-4)


def test_facilitated_doses_have_their_own_bioavailability() -> None:
    """The column FACILITATED scales F from 0.705 to the printed 0.794."""
    model = fit_model_of(EVIDENCE.models["li-2022"], EVIDENCE)
    (effect,) = model.parameters["F"].covariates
    assert model.parameters["F"].typical * (effect.factor or 0) == pytest.approx(0.794, rel=1e-12)


def test_a_model_without_its_residual_error_is_refused() -> None:
    """Taking the number away from a model that can be fitted makes it one that cannot."""
    model = msgspec.structs.replace(EVIDENCE.models["zhang-2020"], residual=None)
    assert why_not_fitted(model) == "its source gives no usable residual error"
