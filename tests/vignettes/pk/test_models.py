"""Every model reproduces what is printed of it: the checks of ``evidence/pharmacokinetics/checks.yaml``, each with assumptions and deviations."""

from __future__ import annotations

from functools import lru_cache

import pytest

from ivigil.evidence.load import load_evidence
from ivigil.pharmacokinetics.checks import MEASURES, Outcome, outcomes


@lru_cache(maxsize=1)
def everything() -> tuple[Outcome, ...]:
    return outcomes(load_evidence())


@pytest.mark.parametrize("one", everything(), ids=lambda one: f"{one.check} {one.model}")
def test_an_output_stays_within_its_declared_range(one: Outcome) -> None:
    """A drift of the kernels, the parameters or the units fails here."""
    assert one.holds, f"{one.value:g} {one.unit}, expected {one.expected}: {one.say}"


@pytest.mark.parametrize("model", sorted(load_evidence().models))
def test_every_model_is_checked(model: str) -> None:
    """Against its exposure identity at least, or, if saturable, its half-lives."""
    named = {name for check in load_evidence().model_checks.values() for name in check.models}
    assert model in named


def test_every_measure_is_used() -> None:
    """A measure nobody checks is not proved."""
    assert {check.measure for check in load_evidence().model_checks.values()} == set(MEASURES)


def test_every_check_says_what_it_assumes() -> None:
    """Assumptions and deviations stand beside the number."""
    assert all(len(check.say) > 20 for check in load_evidence().model_checks.values())


def test_exposure_is_integrated_from_the_curve() -> None:
    """The identity is proved to 0.1 % for every linear model and every route it has, not taken from the kernel's own area."""
    proved = {(one.check.split(".")[1], one.model) for one in everything() if one.measure == "exposure"}
    for model in load_evidence().models.values():
        if model.family == "linear":
            assert any(name == model.id for _, name in proved)
            if "F_sc" in model.parameters:
                assert ("subcutaneous", model.id) in proved
