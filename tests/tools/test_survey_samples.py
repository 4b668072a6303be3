"""The sample survey: on made patients always, on a slice of the shared samples where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.read import read_records
from tools import survey_samples as survey

MADE = Path(__file__).resolve().parents[1] / "fixtures" / "survey"
SAMPLES = survey.samples_folder()


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


@pytest.fixture(scope="module")
def made(evidence: Evidence) -> survey.Survey:
    people = survey.raw_people(survey.folder_resources(MADE))
    return survey.survey(read_records(MADE, evidence.facts, survey.codes_of(evidence)), people, evidence)


def test_every_made_patient_is_planned_everywhere(made: survey.Survey) -> None:
    """Five patients, one of them dead, for five indications in three jurisdictions."""
    assert not made.crashes
    assert (made.people, made.dead) == (5, 1)
    assert sum(sum(counter.values()) for counter in made.statuses.values()) == 5 * 5 * 3
    assert not made.refused


def test_the_plain_count_sees_what_was_put_in(made: survey.Survey) -> None:
    """Counted by hand from the fixture: a stopped smoker, a closed pregnancy and a diagnosis after death do not count."""
    assert dict(made.present) == {
        "Age over 65": 2, "Heart failure": 1, "Diabetes mellitus": 1, "Atrial fibrillation": 1, "Hypertension": 1, "High blood fats": 1, "Loop diuretic": 1,
        "Obesity": 2, "Filtration rate below 60": 1, "Past stroke or heart attack": 1, "Smoking": 1, "Migraine": 1, "Pregnancy": 1,
    }


def test_every_risk_factor_is_raised_in_every_plan(made: survey.Survey) -> None:
    """What the plain count sees, every plan names; migraine from 2 g/kg on."""
    for factor in survey.FACTORS:
        if factor.name in {"Migraine", "Filtration rate below 60"}:
            continue
        for name in survey.INDICATIONS:
            for place in survey.JURISDICTIONS:
                assert made.raised[factor.name, name, place] == made.present[factor.name], (factor.name, name, place)
    assert made.raised["Migraine", "cidp", "US"] == 1


def test_a_difference_comes_with_its_reason(made: survey.Survey) -> None:
    """The dead man's creatinine is newer than his printed filtration rate."""
    assert not made.missed
    assert list(made.extra) == [("Filtration rate below 60", "the creatinine is newer than the printed rate; the rate is worked out from it (CKD-EPI 2021)")]
    assert made.unexplained == 0


def test_the_report_is_a_table_with_every_factor(made: survey.Survey, evidence: Evidence) -> None:
    """The survey page shows each risk factor, counted in the raw data and in the plans."""
    text = survey.report({"made": made}, evidence)
    assert "75 plans, 0 crashes" in text
    for factor in survey.FACTORS:
        assert f"| {factor.name} |" in text


def test_a_difference_without_a_reason_fails_the_run(evidence: Evidence) -> None:
    """The survey must not pass over what it cannot explain."""
    people = survey.raw_people(survey.folder_resources(MADE))
    people["made-healthy"].conditions.append({"id": "x", "code": {"coding": [{"code": "88805009"}]}, "clinicalStatus": {"coding": [{"code": "active"}]}})
    healthy = [record for record in read_records(MADE, evidence.facts) if record.id == "made-healthy"]
    assert survey.survey(healthy, people, evidence).missed == {("Heart failure", survey.WITHOUT_REASON): 1}


@pytest.mark.skipif(SAMPLES is None or not (SAMPLES / "synthea-bundles-original").is_dir(), reason="the shared samples are not here")
def test_a_slice_of_the_shared_samples(evidence: Evidence) -> None:
    """Two published bundles: no crash, nothing missed without a reason. The whole survey takes a minute: tools/survey_samples.py."""
    assert SAMPLES is not None
    found = survey.Survey()
    for path in sorted((SAMPLES / "synthea-bundles-original").glob("*.json*"))[:2]:
        survey.survey(read_records(path, evidence.facts, survey.codes_of(evidence)), survey.raw_people(survey.bundle_resources(path)), evidence, found)
    assert not found.crashes
    assert found.people == 2
    assert found.unexplained == 0
