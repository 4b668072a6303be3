"""A small register for the tests of the patient package, and where the shared samples lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import Problem
from ivigil.basis.shapes import Shaper
from ivigil.basis.strict_yaml import read_yaml

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
- {id: age, kind: quantity, unit: year, from: body, label: Age, plausible: 0-120 year}
- {id: weight, kind: quantity, unit: kg, from: body, label: Body weight, fresh: 30 day, plausible: 0.3-400 kg, codes: {loinc: [29463-7, 3141-9, 8335-2]}}
- {id: height, kind: quantity, unit: cm, from: body, label: Height, fresh: 365 day, plausible: 20-250 cm, codes: {loinc: [8302-2]}}
- {id: bmi, kind: quantity, unit: kg/m2, from: body, label: Body mass index, plausible: 5-120 kg/m2, codes: {loinc: [39156-5]}}
- {id: blood_group, kind: choice, from: results, choices: [A, B, AB, O], label: Blood group, codes: {loinc: [883-9]}}
- {id: igg, kind: quantity, unit: g/L, from: results, label: Serum IgG, fresh: 180 day, plausible: 0-150 g/L, codes: {loinc: [2465-3]}}
- {id: iga, kind: quantity, unit: g/L, from: results, label: Serum IgA, plausible: 0-100 g/L, codes: {loinc: [2458-8]}}
- id: creatinine
  kind: quantity
  unit: umol/L
  from: results
  label: Serum creatinine
  fresh: 30 day
  plausible: 5-3000 umol/L
  codes: {loinc: [2160-0, 38483-4]}
  molar: {unit: umol/L, per: mg/dL, factor: 88.42}
- {id: egfr, kind: quantity, unit: mL/min/1.73m2, from: results, label: Estimated GFR, plausible: 0-250 mL/min/1.73m2, codes: {loinc: [33914-3]}}
- {id: haemoglobin, kind: quantity, unit: g/L, from: results, label: Haemoglobin, plausible: 10-280 g/L, codes: {loinc: [718-7]}}
- {id: platelets, kind: quantity, unit: 10*9/L, from: results, label: Platelets, plausible: 0-5000 10*9/L, codes: {loinc: [777-3]}}
- {id: systolic_bp, kind: quantity, unit: "mm[Hg]", from: results, label: Systolic blood pressure, plausible: "30-300 mm[Hg]", codes: {loinc: [8480-6]}}
- {id: temperature, kind: quantity, unit: Cel, from: results, label: Temperature, plausible: 25-45 Cel, codes: {loinc: [8310-5]}}
- {id: has.anti_iga, kind: yes_no, from: results, label: Antibodies to IgA, codes: {loinc: [13312-4]}, names: [anti-IgA]}
- id: has.diabetes_mellitus
  kind: yes_no
  label: Diabetes mellitus
  codes: {icd10: [E10, E11], snomed: ["44054006"]}
  names: [diabetes, diabetes mellitus, type 2 diabetes]
- id: has.renal_insufficiency
  kind: yes_no
  label: Kidney disease
  codes: {icd10: [N18]}
  names: [chronic kidney disease, CKD, renal disease, end stage renal disease]
- {id: has.severe_renal_failure, kind: yes_no, label: Severe kidney failure, codes: {icd10: [N18.4, N18.5]}, names: [CKD stage 4, end stage renal disease]}
- id: has.past_thrombosis
  kind: yes_no
  label: Past clot
  history_counts: true
  codes: {icd10: [I63, I82], snomed: ["230690007"]}
  names: [stroke, DVT, history of stroke]
- id: has.recent_stroke
  kind: yes_no
  from: derived
  fresh: 3 month
  label: Recent stroke
  codes: {icd10: [I63], snomed: ["230690007"]}
  names: [recent stroke, stroke]
- {id: has.sepsis, kind: yes_no, label: Sepsis, codes: {icd10: [A41]}, names: [sepsis]}
- {id: has.smoking, kind: yes_no, label: Smoking, names: [smoker]}
- {id: has.obesity, kind: yes_no, label: Obesity, codes: {icd10: [E66]}, names: [obesity, severe obesity]}
- {id: has.pregnancy, kind: yes_no, label: Pregnancy, codes: {snomed: ["72892002"]}, names: [pregnancy, pregnant]}
- {id: has.breast_feeding, kind: yes_no, label: Breast-feeding, names: [breast-feeding]}
- {id: has.past_ig_anaphylaxis, kind: yes_no, from: allergies, label: Anaphylaxis to immunoglobulin, names: [anaphylaxis to immunoglobulin]}
- {id: has.past_ig_hypersensitivity, kind: yes_no, from: allergies, label: Hypersensitivity, names: [human immunoglobulin, immunoglobulin, IVIG]}
- {id: has.past_ig_reaction, kind: yes_no, from: history, label: Reaction before, codes: {icd10: [T50.Z15]}}
- {id: has.past_ig_headache, kind: yes_no, from: history, label: Headache before}
- {id: has.past_aseptic_meningitis, kind: yes_no, label: Aseptic meningitis, history_counts: true, names: [aseptic meningitis]}
- {id: takes.nsaid, kind: yes_no, from: medicines, label: NSAID, names: [ibuprofen, naproxen]}
- {id: takes.loop_diuretic, kind: yes_no, from: medicines, label: Loop diuretic, names: [furosemide]}
- {id: planned.plasma_exchange, kind: yes_no, from: order, label: Plasma exchange, names: [plasma exchange]}
- {id: planned.home_infusion, kind: yes_no, from: order, label: Home infusion}
- {id: allergy.corn, kind: yes_no, from: allergies, label: Corn allergy, names: [corn, maize], codes: {snomed: ["418626004"]}}
- {id: ig.first_ever, kind: yes_no, from: history, label: First ever}
- {id: ig.weeks_since_last, kind: quantity, unit: week, from: history, label: Since last, plausible: 0-6000 week}
- {id: ig.last_reaction_grade, kind: choice, from: history, label: Grade, choices: ["0", "1", "2", "3", "4"]}
- {id: ig.hospital_infusions, kind: choice, from: history, label: Hospital infusions, choices: ["0", "1", "2"]}
- {id: ig.early_hospital_reaction, kind: yes_no, from: history, label: Early reaction}
- {id: ig.blood_product_last_year, kind: yes_no, from: history, label: Blood product}
- {id: order.route, kind: choice, from: order, label: Route, choices: [intravenous, subcutaneous]}
- {id: product.iga, kind: quantity, unit: ug/mL, stage: product, from: product, label: IgA content}
"""


def register_of(text: str, place: str) -> dict[str, FactDefinition]:
    """A register from YAML text; a test that gives a bad one fails here."""
    value, lines = read_yaml(text, place)
    problems: list[Problem] = []
    found = [Shaper().read(item, FactDefinition, place, lines, (index,), problems) for index, item in enumerate(value)]
    assert not problems, problems
    return {item.id: item for item in found if item is not None}


@pytest.fixture(scope="session")
def register() -> dict[str, FactDefinition]:
    return register_of(SMALL, "small.yaml")


@pytest.fixture(scope="session")
def whole_register() -> dict[str, FactDefinition]:
    """The register of the evidence itself."""
    return register_of((ROOT / "evidence" / "facts.yaml").read_text(encoding="utf-8"), "facts.yaml")


@pytest.fixture(scope="session")
def samples() -> Path:
    """The shared FHIR samples: IVIGIL_FHIR_SAMPLES, or beside the repository; skipped where there are none."""
    folder = Path(os.environ.get("IVIGIL_FHIR_SAMPLES") or ROOT.parent / "shared" / "fhir-samples")
    if not folder.is_dir():
        pytest.skip("the shared FHIR samples are not here")
    return folder


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return ROOT / "tests" / "fixtures" / "fhir"


@pytest.fixture(scope="session")
def patients() -> Path:
    return ROOT / "patients"
