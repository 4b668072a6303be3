"""Every model reproduces what is printed of it: the checks of its vignette and those it shares, each with assumptions and deviations."""

from __future__ import annotations

from functools import lru_cache

import msgspec
import pytest

from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.load import load_evidence
from ivigil.pharmacokinetics.checks import MEASURES, Outcome, checks_of, held_to, outcomes


@lru_cache(maxsize=1)
def everything() -> tuple[Outcome, ...]:
    """The outcome of every check."""
    return outcomes(load_evidence())


@pytest.mark.parametrize("one", everything(), ids=lambda one: f"{one.check} {one.model}")
def test_an_output_stays_within_its_declared_range(one: Outcome) -> None:
    """A drift of the kernels, the parameters or the units fails here."""
    assert one.holds, f"{one.value:g} {one.unit}, expected {one.expected}: {one.say}"


def test_a_drift_is_noticed() -> None:
    """A clearance that is a hundredth off leaves the area that another program prints."""
    evidence = load_evidence()
    model = evidence.models["zhang-2020"]
    clearance = msgspec.structs.replace(model.parameters["CL"], value=Quantity(0.1394, "L/day"))
    drifted = msgspec.structs.replace(model, parameters={**model.parameters, "CL": clearance})
    off = {one.check for one in outcomes(msgspec.structs.replace(evidence, models={**evidence.models, "zhang-2020": drifted})) if not one.holds}
    assert {"area.zhang-2020.intravenous", "area.zhang-2020.subcutaneous"} <= off


@pytest.mark.parametrize("model", sorted(load_evidence().models))
def test_every_model_is_checked(model: str) -> None:
    """Against its exposure identity if linear, its half-lives if saturable, and at least one number that somebody else printed or computed."""
    measures = {check.measure for check in checks_of(model, load_evidence())}
    assert measures & {"exposure", "whole-body-half-life"}
    assert len(measures) >= 2 or model == "davda-2014"


def test_every_shared_check_and_every_measure_is_used() -> None:
    """A fact that no model is held to, or a measure nobody checks, is not proved."""
    evidence = load_evidence()
    assert all(held_to(name, evidence) for name in evidence.model_checks)
    assert {one.measure for one in everything()} == set(MEASURES)


def test_every_check_and_vignette_says_what_it_assumes() -> None:
    """Assumptions and deviations stand beside the number."""
    assert all(len(one.say) > 20 for one in everything())
    assert all(len(vignette.say) > 20 for vignette in load_evidence().vignettes.values())


def test_at_least_has_no_upper_end() -> None:
    """A level above what the source asks for holds; one below does not."""
    evidence = load_evidence()
    check = evidence.model_checks["loading"]
    for low, holds in ((1.0, True), (50.0, False)):
        other = msgspec.structs.replace(check, expected=Span(low, low, "g/L"))
        changed = msgspec.structs.replace(evidence, model_checks={**evidence.model_checks, "loading": other})
        assert {one.holds for one in outcomes(changed) if one.check == "loading"} == {holds}


def test_unknown_measures_are_named_all_at_once() -> None:
    """A check of an overlay that asks for something nobody computes is bad input, not a crash."""
    evidence = load_evidence()
    wrong = {name: msgspec.structs.replace(evidence.model_checks[name], measure="nonsense") for name in ("loading", "delta")}
    with pytest.raises(BadInput) as error:
        outcomes(msgspec.structs.replace(evidence, model_checks={**evidence.model_checks, **wrong}))
    assert [problem.what for problem in error.value.problems] == ["loading", "delta"]


def test_exposure_is_integrated_from_the_curve() -> None:
    """The identity is proved to 0.1 % for every linear model and every route it has, not taken from the kernel's own area."""
    proved = {(one.check.split(".")[1], one.model) for one in everything() if one.measure == "exposure"}
    for model in load_evidence().models.values():
        if model.family == "linear":
            assert any(name == model.id for _, name in proved)
            if "F_sc" in model.parameters:
                assert ("subcutaneous", model.id) in proved
