"""Every regimen of every indication is planned on a patient it is meant for; nothing crashes, and no dose comes from nowhere."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tools.every_regimen import DAY, PEOPLE, Tried, dose_of, page, suitable, tried

from ivigil.evidence.conditions import truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.facts import facts_of


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


@pytest.fixture(scope="module")
def found(evidence: Evidence) -> Sequence[Tried]:
    return list(tried(evidence))


def test_everything_is_tried(found: Sequence[Tried], evidence: Evidence) -> None:
    """Each indication occurs, and each regimen once."""
    assert {one.indication.id for one in found} == set(evidence.indications)
    planned = [one.regimen.id for one in found if one.regimen is not None]
    assert sorted(planned) == sorted(regimen.id for indication in evidence.indications.values() for regimen in indication.regimens)


def test_the_patient_is_one_the_regimen_is_meant_for(evidence: Evidence) -> None:
    """The population and the condition of every regimen hold for its example patient: a newborn's dose is tried on a newborn."""
    for indication in evidence.indications.values():
        for regimen in indication.regimens or (None,):
            name, record = suitable(evidence, indication, regimen, DAY)
            assert name in PEOPLE
            for condition in (indication.population, regimen.when if regimen is not None else None):
                if condition is not None:
                    assert truth_of(condition, facts_of(record, evidence.facts, DAY)) is True, (indication.id, regimen.id if regimen is not None else "", name)


def test_the_regimen_that_is_asked_for_is_the_one_planned(found: Sequence[Tried]) -> None:
    """The dose line of each plan names that regimen as its rule."""
    for one in found:
        if one.regimen is not None and one.plan.status != "blocked":
            line = one.plan.line("dose.regimen")
            assert line is not None, one.regimen.id
            assert line.because.rule == one.regimen.id


def test_a_dose_comes_only_from_a_regimen(found: Sequence[Tried]) -> None:
    """Without a regimen there is no dose, no vial and no rate, and the plan is blocked or without evidence."""
    for one in found:
        if one.regimen is None:
            assert one.plan.status in {"blocked", "no-evidence"}, one.indication.id
            assert not {line.id for line in one.plan.lines} & {"course.days", "vials.choice", "infusion.day-1", "dose.weekly"}, one.indication.id


def test_a_gap_is_said(found: Sequence[Tried]) -> None:
    """A plan without a dose tells what was not read, or who advises against."""
    for one in found:
        if one.regimen is None:
            assert one.plan.line("indication.gaps") is not None or one.plan.line("indication.against") is not None, one.indication.id


def test_the_table_tells_all(evidence: Evidence, found: Sequence[Tried]) -> None:
    """One row for each, with a dose, a choice or a reason in it."""
    text = page(evidence)
    assert text.count("\n| ") == len(found) + 1
    assert all(dose_of(one) for one in found)
