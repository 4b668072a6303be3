"""The clock times of a FHIR record say on which side of an infusion blood was drawn, and only where they do."""

from __future__ import annotations

from typing import Any

import pytest

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.patient.fhir import records_of
from ivigil.patient.fhir_times import moment_of

PRODUCTS = {"gammagard-liquid-us": Codes(rxnorm=("1809671",))}
Register = dict[str, FactDefinition]


def _drawn(register: Register, sample: dict[str, Any], *infusions: dict[str, Any]) -> str:
    """What the record says of one IgG of 31 Aug 2026 beside infusions of that day."""
    level = {"resourceType": "Observation", "id": "igg", "status": "final", "subject": {"reference": "Patient/1"},
             "code": {"coding": [{"system": "http://loinc.org", "code": "2465-3"}]},
             "valueQuantity": {"value": 6.0, "unit": "g/L", "system": "http://unitsofmeasure.org", "code": "g/L"}, **sample}
    given = [{"resourceType": "MedicationAdministration", "id": str(place), "status": "completed", "subject": {"reference": "Patient/1"},
              "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1809671"}]}, **times}
             for place, times in enumerate(infusions)]
    for order in ([level, *given], [*given, level]):
        (record,) = records_of([{"resourceType": "Patient", "id": "1"}, *order], register, PRODUCTS)
        (result,) = [result for result in record.results if result.test == "igg"]
    return result.drawn


PERIOD = {"effectivePeriod": {"start": "2026-08-31T09:00:00-04:00", "end": "2026-08-31T12:30:00-04:00"}}


@pytest.mark.parametrize(("sample", "expected"), [
    ({"effectiveDateTime": "2026-08-31T08:40:00-04:00"}, "before-infusion"),
    ({"effectiveInstant": "2026-08-31T08:40:00.000-04:00"}, "before-infusion"),
    ({"effectiveDateTime": "2026-08-31T10:15:00-04:00"}, "after-infusion"),
    ({"effectiveDateTime": "2026-08-31T12:45:00Z"}, "before-infusion"),
    ({"effectiveDateTime": "2026-08-31T13:10:00Z"}, "after-infusion"),
    ({"effectiveDateTime": "2026-08-31T09:00:00-04:00"}, ""),
    ({"effectiveDateTime": "2026-08-31"}, ""),
    ({"effectiveDateTime": "2026-08-31T08:40:00"}, ""),
    ({"issued": "2026-08-31T08:40:00-04:00"}, ""),
    ({"effectiveDateTime": "2026-08-30T08:40:00-04:00"}, ""),
])
def test_a_sample_lies_before_or_after_the_infusion_of_its_day(register: Register, sample: dict[str, Any], expected: str) -> None:
    """09:00 in New York is 13:00 UTC; without a time, without a zone, at the same minute or from the time of publication nothing is said."""
    assert _drawn(register, sample, PERIOD) == expected


def test_of_two_infusions_the_first_counts_and_both_must_have_their_time(register: Register) -> None:
    """A sample between two infusions of a day is no trough; beside an infusion without a time nothing is said."""
    later = {"effectiveDateTime": "2026-08-31T15:00:00-04:00"}
    between = {"effectiveDateTime": "2026-08-31T13:00:00-04:00"}
    assert _drawn(register, between, PERIOD, later) == "after-infusion"
    assert _drawn(register, between, later) == "before-infusion"
    assert _drawn(register, between, later, {"effectiveDateTime": "2026-08-31"}) == ""


@pytest.mark.parametrize("text", [None, 7, "", "T", "2026-13-01T00:00:00Z", "2026-08-31T25:00:00Z", "yesterdayT10:00Z", ["2026-08-31T08:40:00Z"]])
def test_what_is_no_moment_is_none(text: object) -> None:
    """Whatever a writer put there."""
    assert moment_of(text) is None
