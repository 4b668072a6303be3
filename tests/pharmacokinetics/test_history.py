"""Doses and levels of a record: nothing is dropped silently, and no level is taken for what it is not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.pharmacokinetics.people import ADULT, TODAY, evidence, facts, infusion, level, record

from ivigil.basis.quantity import Quantity
from ivigil.pharmacokinetics.history import History, filled_back, history_of

MONTHS = tuple(infusion(day) for day in (-84, -56, -28))


def history(known: dict[str, Any] | None = None, **parts: Any) -> History:
    return history_of(record(**parts), ADULT, facts(**(known or {})), evidence(), TODAY)


def kinds(found: History) -> list[str]:
    return [remark.kind for remark in found.remarks]


def test_doses_are_grams_on_days() -> None:
    """g/kg through the weight; a vein takes four hours, a depot no time."""
    found = history(infusions=(infusion(-28, "0.4 g/kg"), infusion(-7, "7 g", "subcutaneous")))
    assert [(dose.day, dose.grams) for dose in found.doses] == [(-28, 28.0), (-7, 7.0)]
    assert [dose.length for dose in found.doses] == [pytest.approx(4 / 24), 0.0]


@pytest.mark.parametrize(("parts", "kind"), [
    ({"infusions": (msgspec.structs.replace(infusion(-28), dose=None),)}, "dose-missing"),
    ({"infusions": (msgspec.structs.replace(infusion(-28), dose=Quantity(250, "mL")),)}, "dose-missing"),
    ({"infusions": (infusion(-28, "0 g"),)}, "dose-impossible"),
    ({"infusions": (msgspec.structs.replace(infusion(-28), dose=Quantity(-28, "g")),)}, "dose-impossible"),
    ({"infusions": (infusion(-28, "28 g/kg"),)}, "dose-impossible"),
    ({"infusions": (infusion(-28, "28000 g"),)}, "dose-impossible"),
    ({"infusions": (infusion(-28, product="Privigenx"),)}, "product-unknown"),
    ({"infusions": (infusion(-28, product="Water"),)}, "product-unknown"),
    ({"infusions": MONTHS, "results": (level(-10, "9 g/L"), level(-38, "9 mg/dL"))}, "unit-slip"),
    ({"infusions": (infusion(-28, route=""),)}, "route-assumed"),
    ({"infusions": (infusion(-28, kind="monoclonal-antibody"),)}, "other-antibody"),
    ({"infusions": (infusion(-28), infusion(-28))}, "same-day-doses"),
    ({"infusions": (infusion(3),)}, "dose-ahead"),
    ({"results": (level(None, "8 g/L"),)}, "level-undated"),
    ({"results": (level(3, "8 g/L"),)}, "level-ahead"),
    ({"results": (level(-3, "0 g/L"),)}, "not-believable"),
    ({"results": (level(-3, "450 g/L"),)}, "not-believable"),
    ({"results": (level(-3, "8 mmol/L"),)}, "not-believable"),
    ({"results": (level(-3, "8 g/L"), level(-3, "9 g/L"))}, "same-day-levels"),
    ({"results": (level(-3, "0.07 g/L", below=True),)}, "below-quantification"),
    ({"infusions": MONTHS, "results": (level(-28, "9 g/L"),)}, "same-day-as-infusion"),
    ({"infusions": MONTHS, "results": (level(-27, "20 g/L"),)}, "in-distribution"),
    ({"infusions": MONTHS, "results": (level(-5, "9 g/L"),)}, "between-infusions"),
])
def test_every_doubt_has_its_remark(parts: dict[str, Any], kind: str) -> None:
    """Typed, so that a reader and a program can tell them apart."""
    assert kind in kinds(history(**parts))


@pytest.mark.parametrize("name", ["", "Privigen", "privigen-us", "Privigen 10 % solution for infusion", "IVIG", "Human normal immunoglobulin", "Gamunex-C"])
def test_products_that_are_known_or_name_no_brand_raise_no_doubt(name: str) -> None:
    """A strength or a form behind a brand does not make it another product."""
    assert kinds(history(infusions=(infusion(-28, product=name),))) == []


def test_a_dose_that_cannot_be_is_not_counted_and_a_brand_is_suggested() -> None:
    """The reason is in words, with the place; doses of an unknown product count, since their grams are known."""
    found = history(infusions=(infusion(-56, "0 g"), infusion(-28, product="Privigenx"), infusion(-14, product="Privigenx")))
    assert [dose.day for dose in found.doses] == [-28, -14]
    (doubt,) = [remark.say for remark in found.remarks if remark.kind == "product-unknown"]
    assert "(Privigen?)" in doubt
    assert any("0 g is not above 0" in remark.say for remark in found.remarks)


def test_a_level_a_hundredth_of_the_others_is_not_used() -> None:
    """mg/dL and g/L; a level before treatment may truly be so low, and one level alone cannot tell."""
    found = history(infusions=MONTHS, results=(level(-38, "9 mg/dL"), level(-10, "9 g/L"), level(-40, "8 g/L")))
    assert [(one.value, one.usable) for one in found.levels] == [(8.0, True), (pytest.approx(0.09), False), (9.0, True)]
    assert history(infusions=MONTHS, results=(level(-38, "9 mg/dL"),)).levels[0].usable
    before = history(infusions=MONTHS, infusions_complete=True, results=(level(-200, "9 mg/dL"), level(-10, "9 g/L")))
    assert before.before_treatment[0].value == pytest.approx(0.09)


def test_levels_are_usable_or_not() -> None:
    """A limit, a wrong time and an impossible number cannot stand for the curve; a level between infusions can."""
    found = history(infusions=MONTHS, results=(level(-28, "9 g/L"), level(-27, "20 g/L"), level(-20, "0.1 g/L", below=True), level(-10, "9 g/L")))
    assert [one.usable for one in found.levels] == [False, False, False, True]


def test_a_level_five_days_after_a_dose_is_out_of_distribution() -> None:
    """The boundary of the policy; a depot dose has no such phase."""
    assert history(infusions=MONTHS, results=(level(-24, "9 g/L"),)).levels[0].usable is False
    assert history(infusions=MONTHS, results=(level(-23, "9 g/L"),)).levels[0].usable is True
    assert history(infusions=(infusion(-28, route="subcutaneous"),), results=(level(-27, "9 g/L"),)).levels[0].usable is True


def test_a_baseline_lies_before_a_complete_list() -> None:
    """Only a list that says it is complete shows the first immunoglobulin ever."""
    before = (level(-200, "3 g/L"),)
    assert history(infusions=MONTHS, infusions_complete=True, results=before).before_treatment[0].value == 3.0
    assert history(infusions=MONTHS, results=before).before_treatment == ()
    assert history(infusions=MONTHS, infusions_complete=True, results=(level(-10, "3 g/L"),)).before_treatment == ()
    assert history(infusions=MONTHS, infusions_complete=True, results=(level(-84, "3 g/L"),)).before_treatment == ()


@pytest.mark.parametrize(("known", "value", "used"), [
    ({"has__severe_antibody_deficiency": True}, "5.9 g/L", True), ({"has__severe_antibody_deficiency": True}, "6 g/L", False),
    ({"has__agammaglobulinaemia": True}, "5 g/L", True), ({"has__agammaglobulinaemia": True}, "5.8 g/L", False), ({}, "9 g/L", True),
])
def test_a_baseline_too_high_for_the_deficiency_was_drawn_on_treatment(known: dict[str, Any], value: str, used: bool) -> None:
    """It is not used, and the list of infusions is no longer believed complete; specific antibody deficiency may have normal IgG."""
    found = history(known, infusions=MONTHS, infusions_complete=True, results=(level(-200, value),))
    assert bool(found.before_treatment) is used
    assert found.complete is used
    assert ("baseline-doubtful" in kinds(found)) is not used


def test_a_short_record_is_filled_back_and_said() -> None:
    """Steady state on the recorded pattern, never silently; not when the record is complete or long enough."""
    short = history(infusions=(infusion(-56), infusion(-28)))
    doses, remarks = filled_back(short, None, evidence())
    assert [remark.kind for remark in remarks] == ["steady-state-assumed"]
    assert sum(dose.assumed for dose in doses) == len(doses) - 2 > 20
    assert filled_back(history(infusions=(infusion(-28),), infusions_complete=True), 28.0, evidence())[1] == ()
    assert filled_back(history(infusions=(infusion(-112), infusion(-28))), None, evidence())[1] == ()
    assert [remark.kind for remark in filled_back(history(infusions=(infusion(-28),)), None, evidence())[1]] == ["history-short"]
    assert [remark.kind for remark in filled_back(history(), 28.0, evidence())[1]] == ["no-dose-on-record"]
