"""Which model may speak for whom, before any number."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.pharmacokinetics.people import ADULT, evidence, facts

from ivigil.basis.quantity import Quantity
from ivigil.evidence.shapes import Route
from ivigil.pharmacokinetics.suitability import choice_for, states_of, suitability
from ivigil.pharmacokinetics.typical import Person

IV: tuple[Route, ...] = ("intravenous",)


def fit(name: str, course: float | None = 0.4, routes: tuple[Route, ...] = IV, **changed: Any) -> tuple[str, str, bool]:
    verdict = suitability(evidence().models[name], msgspec.structs.replace(ADULT, **changed), facts(), routes, course, evidence())
    return verdict.fit, "; ".join(reason.say for reason in verdict.reasons), verdict.computable


def test_replacement_models_fit_an_adult_on_replacement() -> None:
    """And those for other diseases do not."""
    assert fit("navarro-mora-2022")[0] == "fits"
    assert fit("tortorici-2021")[0] == "does-not-fit"
    assert fit("saturable-fcrn")[0] == "does-not-fit"


def test_replacement_models_do_not_hold_at_high_doses() -> None:
    """They overpredict badly at 1-2 g/kg."""
    assert fit("navarro-mora-2022", course=0.99)[0] == "fits"
    assert fit("navarro-mora-2022", course=1.0)[0] == "does-not-fit"


def test_the_saturable_model_is_for_high_doses_only() -> None:
    """It underpredicts the rise of a replacement trough."""
    assert fit("saturable-fcrn", 0.8, indication="cidp", purpose="immunomodulation")[0] == "does-not-fit"
    assert fit("saturable-fcrn", 2.0, indication="cidp", purpose="immunomodulation")[0] == "fits"


def test_a_disease_without_a_model_borrows() -> None:
    """Guillain-Barré syndrome borrows from CIDP, and it is said."""
    verdict, why, _ = fit("tortorici-2021", 2.0, indication="gbs", purpose="immunomodulation")
    assert verdict == "stretch"
    assert "borrowed" in why


@pytest.mark.parametrize(("weight", "verdict"), [(13.0, "fits"), (10.0, "stretch"), (9.0, "does-not-fit"), (150.0, "stretch"), (180.0, "does-not-fit")])
def test_weight_decides(weight: float, verdict: str) -> None:
    """Landersdorfer was made from 13-135 kg; a quarter beyond is a stretch."""
    assert fit("landersdorfer-2013", weight=weight)[0] == verdict


def test_an_unknown_age_is_a_stretch() -> None:
    """Nothing is assumed of it."""
    assert fit("landersdorfer-2013", age=None)[:2] == ("stretch", "the age is unknown")


def test_a_route_without_bioavailability_cannot_be_computed() -> None:
    """Tortorici 2019 saw veins only; facilitated doses have one model."""
    assert not fit("tortorici-2019", routes=("subcutaneous",))[2]
    assert not fit("navarro-mora-2022", routes=("facilitated-subcutaneous",))[2]
    assert fit("li-2022", routes=("facilitated-subcutaneous",))[0] == "fits"


def test_lean_mass_refuses() -> None:
    """Trap 9: without height, or with a lean mass that cannot be, Li 2022 is not computed."""
    assert not fit("li-2022", height=None)[2]
    assert not fit("li-2022", weight=40.0, height=100.0, sex="female")[2]


def test_dumas_is_left_out_and_davda_is_no_immunoglobulin() -> None:
    """Traps 1 and the comparison card."""
    assert fit("dumas-2019")[0] == "does-not-fit"
    assert fit("davda-2014")[0] == "does-not-fit"
    assert fit("dumas-2019")[2]


CHOICES: list[tuple[Person, dict[str, Any], tuple[Route, ...], str]] = [
    (ADULT, {}, IV, "navarro-mora-2022"),
    (ADULT, {}, ("subcutaneous",), "navarro-mora-2022"),
    (ADULT, {}, ("facilitated-subcutaneous",), "li-2022"),
    (Person(20.0, 115.0, 6.0, "male", None, "pid", "replacement"), {"age": Quantity(6, "year")}, IV, "cheng-2026"),
    (Person(20.0, 115.0, 6.0, "male", None, "pid", "replacement"), {"age": Quantity(6, "year")}, ("subcutaneous",), "navarro-mora-2022"),
    (msgspec.structs.replace(ADULT, indication="cll"), {}, IV, "tortorici-2019"),
    (msgspec.structs.replace(ADULT, indication="cidp", purpose="immunomodulation"), {}, IV, "tortorici-2021"),
    (msgspec.structs.replace(ADULT, indication="mmn", purpose="immunomodulation"), {}, IV, "li-2024b"),
    (msgspec.structs.replace(ADULT, indication="gbs", purpose="immunomodulation"), {}, IV, "tortorici-2021"),
    (Person(1.1, 38.0, 0.02, "male", None, "neonatal-sepsis", "immunomodulation"), {"weight": Quantity(1.1, "kg")}, IV, "tegenge-2020"),
]


@pytest.mark.parametrize(("person", "known", "routes", "first"), CHOICES)
def test_the_first_choice_of_each_situation(person: Person, known: dict[str, Any], routes: tuple[Route, ...], first: str) -> None:
    """Section 1 of the pharmacokinetic evidence, row by row."""
    choice = choice_for(person, facts(**known), routes, evidence())
    assert choice is not None
    assert choice.first == first


@pytest.mark.parametrize(("known", "indication", "state"), [
    ({"has__nephrotic_syndrome": True}, "pid", "nephrotic"), ({"has__protein_losing_enteropathy": True}, "pid", "protein-losing-gut"),
    ({"has__severe_burns": True}, "pid", "burns"), ({}, "allo-hsct", "transplant"), ({"takes__fcrn_blocker": True}, "mg-maintenance", "fcrn-blocker"),
])
def test_states_that_lose_igg_need_levels(known: dict[str, Any], indication: str, state: str) -> None:
    """No model is published for them."""
    found = states_of(msgspec.structs.replace(ADULT, indication=indication), facts(**known), evidence())
    assert [item.id for item in found] == [state]
    assert found[0].forecast == "needs-levels"
