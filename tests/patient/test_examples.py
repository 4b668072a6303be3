"""The example records: read like real ones, pass the firewall, and say what their headers promise."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ivigil.basis.facts import FactDefinition, Facts
from ivigil.patient.facts import facts_of
from ivigil.patient.firewall import check
from ivigil.patient.read import read_record

AS_OF = date(2026, 11, 20)
Register = dict[str, FactDefinition]


def facts(patients: Path, register: Register, name: str) -> Facts:
    (record,) = read_record(patients / f"{name}.yaml", register)
    return facts_of(record, register, AS_OF)


def test_there_are_enough_and_each_has_a_header(patients: Path) -> None:
    """A record without its story cannot be judged by a reader."""
    files = sorted(patients.glob("*.yaml"))
    assert len(files) >= 18
    assert all(file.read_text(encoding="utf-8").startswith("# ") for file in files)


def test_every_example_passes_the_firewall(patients: Path, whole_register: Register) -> None:
    """Examples that need excuses teach bad habits."""
    for file in sorted(patients.glob("*.yaml")):
        (record,) = read_record(file, whole_register)
        found = check(record, whole_register, AS_OF)
        assert (found.problems, found.doubts) == ((), ()), file.name
        assert record.id == f"example-{file.stem}"


@pytest.mark.parametrize(("name", "yes", "no"), [
    ("sid-cll-uk", ["has.past_thrombosis", "has.hypertension", "ig.first_ever"], ["has.recent_thrombosis", "takes.nsaid"]),
    ("cidp-elderly-thrombosis-uk", ["has.recent_stroke", "has.heart_failure", "has.renal_insufficiency"], ["has.recent_thrombosis"]),
    ("mg-crisis-ckd-us", ["has.severe_renal_failure", "has.diabetes_mellitus", "takes.loop_diuretic"], ["has.past_thrombosis"]),
    ("iga-deficient-anti-iga-uk", ["has.iga_deficiency", "has.anti_iga", "has.past_ig_anaphylaxis"], ["ig.first_ever"]),
    ("itp-pregnant-ontario", ["has.pregnancy"], ["has.past_thrombosis", "has.hypercoagulable_state"]),
    ("scid-infant-fructose-eu", ["has.scid", "has.suspected_fructose_intolerance"], ["has.hereditary_fructose_intolerance"]),
    ("gbs-underweight-us", ["allergy.corn", "has.volume_depletion"], ["allergy.polysorbate_80"]),
    ("gbs-autonomic-uk", ["has.autonomic_instability", "has.prolonged_immobilisation"], []),
    ("abmr-kidney-transplant-us", ["planned.plasma_exchange", "ig.blood_product_last_year", "has.central_venous_catheter"], []),
    ("dermatomyositis-us", ["uses.bedside_glucose_test", "takes.insulin"], []),
    ("hyperprolinaemia-us", ["has.hyperprolinaemia"], []),
])
def test_what_the_header_promises(patients: Path, whole_register: Register, name: str, yes: list[str], no: list[str]) -> None:
    """Each example exists to show something; this holds it to that."""
    found = facts(patients, whole_register, name)
    assert [key for key in yes if found.flag(key) is not True] == []
    assert [key for key in no if found.flag(key) is not False] == []


def test_an_unreviewed_list_leaves_risks_unknown(patients: Path, whole_register: Register) -> None:
    """The example with an unreviewed list must lead to questions, though it names a relative with a stroke."""
    found = facts(patients, whole_register, "itp-adult-us")
    assert found.flag("has.past_thrombosis") is None
    assert found.flag("has.diabetes_mellitus") is None
    assert found.flag("takes.oestrogen") is True


def test_units_of_every_kind(patients: Path, whole_register: Register) -> None:
    """The examples mix pounds, stones, grams, mg/dL, mmol/L and Fahrenheit on purpose."""
    assert facts(patients, whole_register, "pid-adult-us").number("igg", "g/L") == pytest.approx(2.98)
    assert facts(patients, whole_register, "mmn-au").number("creatinine", "umol/L") == pytest.approx(82)
    assert facts(patients, whole_register, "pemphigus-eu").number("weight", "kg") == pytest.approx(57.15, abs=0.01)
    assert facts(patients, whole_register, "kawasaki-infant-us").number("temperature", "Cel") == pytest.approx(39.39, abs=0.01)
    assert facts(patients, whole_register, "scid-infant-fructose-eu").number("weight", "kg") == pytest.approx(6.45)
    assert facts(patients, whole_register, "mis-c-teen-us").number("crp", "mg/L") == pytest.approx(210)


def test_weeks_since_the_last_infusion(patients: Path, whole_register: Register) -> None:
    """Ten weeks mean naive handling: the day count must be exact."""
    assert facts(patients, whole_register, "mmn-au").number("ig.weeks_since_last", "week") == pytest.approx(71 / 7)
