"""Reading: the written form, its problems, and every kind of file."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import Quantity
from ivigil.basis.strict_yaml import read_yaml
from ivigil.patient import read
from ivigil.patient.facts import facts_of
from ivigil.patient.read import patient_schema, read_form, read_record, read_records

Register = dict[str, FactDefinition]
AS_OF = date(2026, 11, 20)

FORM = """\
id: p-1
born: 1984-03-19
weight: 154 lb
height:
  - {value: 66 in, on: 2026-11-01}
  - 168 cm
conditions:
  - asthma
  - {name: CVID, icd10: D83.9, since: 2020-01-01}
results:
  iga: <0.07 g/L
  igg:
    - {value: 298 mg/dL, on: 2026-10-26, upper_limit: 16 g/L}
    - 3.4 g/L
breast_feeding: no
infusions:
  - {on: 2026-10-01, product: Privigen, dose: 30 g, reaction: none}
  - {on: 2026-09-01, product: Privigen, reaction: {grade: 2, kind: headache}}
answers: {has.sepsis: no}
order: {dose: 0.4 g/kg, every: 4 week}
"""


def problems(text: str, register: Register) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read_form(text, "p.yaml", register)
    return list(caught.value.problems)


def test_short_forms_and_origins(register: Register) -> None:
    """People write short forms; each value must still know its line."""
    record = read_form(FORM, "p.yaml", register)
    assert record.weights[0].value == Quantity(154, "lb")
    assert record.weights[0].origin == "weight (line 3)"
    assert [item.origin for item in record.heights] == ["height[0] (line 5)", "height[1] (line 6)"]
    assert record.conditions[0].name == "asthma"
    assert record.conditions[1].codes[0].code == "D83.9"
    assert [(item.test, item.below, item.origin) for item in record.results] == [
        ("iga", True, "results.iga (line 11)"), ("igg", False, "results.igg[0] (line 13)"), ("igg", False, "results.igg[1] (line 14)")]
    assert record.breast_feeding == "no"
    assert [item.tolerated for item in record.infusions] == [False, True]
    assert record.origins["born"] == "born (line 2)"
    facts = facts_of(record, register, AS_OF)
    assert facts["weight"].origin.where == "weight (line 3)"
    assert facts.flag("has.sepsis") is False


def test_every_problem_at_once_with_line_cause_and_remedy(register: Register) -> None:
    """A writer should correct a record once, not problem by problem."""
    text = """\
id: p
wieght: 70 kg
height: 170
born: 2026-02-30
sex: femal
results: {igg: 4.2, creatinin: 80 umol/L, iga: 3 kg}
order: {dose: 70 kg, days: 0}
answers: {has.sepsiss: yes, igg: often}
allergies: [none known]
"""
    found = problems(text, register)
    told = {problem.what: problem for problem in found}
    assert {"wieght", "height", "born", "sex", "results.igg"} <= set(told)
    assert told["wieght"].remedy == "did you mean 'weight'?"
    assert told["height"].line == 3
    assert "no unit" in told["height"].why
    assert told["sex"].remedy == "did you mean 'female'?"
    assert all(problem.why and problem.line for problem in found)
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)


def test_problems_of_meaning_name_the_unit_and_the_nearest_test(register: Register) -> None:
    """A misspelt test would otherwise be dropped in silence."""
    text = """\
id: p
results: {creatinin: 80 umol/L, iga: 3 kg, platelets: many}
order: {dose: 70 cm, days: 0}
answers: {has.sepsiss: yes, igg: often}
weight: 70 cm
"""
    told = {problem.what: problem for problem in problems(text, register)}
    assert told["results.creatinin"].remedy == "did you mean 'creatinine'?"
    assert "is kept in g/L" in told["results.iga"].why
    assert "not a quantity" in told["results.platelets"].why
    assert "write it in g" in told["order.dose"].remedy
    assert told["answers.has.sepsiss"].remedy == "did you mean 'has.sepsis'?"
    assert {"answers.igg", "order.days", "weight"} <= set(told)


def test_none_in_a_list_is_refused_with_the_way_to_say_it(register: Register) -> None:
    """"None known" in a list is not an entry, and without a day it proves nothing."""
    (problem,) = problems("id: p\nallergies: [NKDA]\n", register)
    assert "allergies_reviewed" in problem.remedy
    (problem,) = problems("id: p\nconditions: none\n", register)
    assert "problem_list_reviewed" in problem.remedy
    (problem,) = problems("id: p\nallergies: penicillin\n", register)
    assert "write it as '[a, b]'" in problem.remedy


@pytest.mark.parametrize("text", ["breast_feeding: NO", "weight: 1:30", "sex: on"])
def test_yaml_words_are_not_guessed(register: Register, text: str) -> None:
    """``NO`` is no word of the form, ``1:30`` no weight, ``on`` no sex: all stay text and are refused as such."""
    assert problems(f"id: p\n{text}\n", register)


def test_json_form_with_value_and_unit(register: Register) -> None:
    """Programs write value and unit apart."""
    text = json.dumps({"id": "p", "weight": {"value": 70, "unit": "kg", "on": "2026-11-01"}, "results": {"igg": [{"value": 4.2, "unit": "g/L"}]}}, indent=1)
    (record,) = read_record(text.encode(), register)
    assert record.weights[0].value == Quantity(70, "kg")
    assert record.results[0].value == Quantity(4.2, "g/L")


@pytest.mark.parametrize(("data", "why"), [
    (b"", "empty"), (b"{", "not valid JSON"), (b'{"id": "a", "id": "b"}', "twice"),
    ("id: ä".encode("latin-1"), "not UTF-8"), ("id: a".encode("utf-16"), "UTF-16"),
    (b"id: [", "not valid YAML"), (b"- a\n- b\n", "not a patient record"), (b"\x1f\x8bbroken", "damaged"), (b"[" * 50 + b"]" * 50, "nested too deeply"),
    (b"[" * 100_000, "nested too deeply"), (("id: " + "[" * 60 + "]" * 60).encode(), "nested too deeply"),
    (b"id: a\nid: b\n", "twice"), (b"42", "not a patient record"),
])
def test_unusable_input_says_why(register: Register, data: bytes, why: str) -> None:
    """Every broken file gets a reason, never a traceback."""
    with pytest.raises(BadInput, match=why):
        read_record(data, register, place="x")


def test_too_large_is_refused_before_it_is_read(register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small gzip bomb must not fill the memory."""
    monkeypatch.setattr(read, "LARGEST", 100)
    file = tmp_path / "big.yaml"
    file.write_text("id: " + "a" * 200, encoding="utf-8")
    with pytest.raises(BadInput, match="larger than 100 MB"):
        read_record(file, register)
    packed = tmp_path / "bomb.yaml.gz"
    packed.write_bytes(gzip.compress(b"id: " + b"a" * 5000))
    with pytest.raises(BadInput, match="larger than 100 MB"):
        read_record(packed, register)


def test_files_folders_gzip_and_standard_input(register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All ways in lead to the same records; a bulk-export log among the files is passed over."""
    (tmp_path / "one.yaml").write_text("\ufeffid: one\n", encoding="utf-8")
    (tmp_path / "two.json.gz").write_bytes(gzip.compress(b'{"id": "two"}'))
    (tmp_path / "Patient.ndjson").write_text('{"resourceType": "Patient", "id": "three"}\n\n{"exportId": "x"}\n', encoding="utf-8")
    observation = {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/three"},
                   "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}, "valueQuantity": {"value": 70, "code": "kg"}}
    (tmp_path / "Observation.ndjson.gz").write_bytes(gzip.compress(json.dumps(observation).encode()))
    (tmp_path / "notes.txt").write_text("not read", encoding="utf-8")
    records = read_record(tmp_path, register)
    assert sorted(record.id for record in records) == ["one", "three", "two"]
    assert next(record for record in records if record.id == "three").weights[0].value == Quantity(70, "kg")

    class Standard:
        buffer = io.BytesIO(gzip.compress(b"id: four\n"))

    monkeypatch.setattr(sys, "stdin", Standard())
    assert [record.id for record in read_records(Path("-"), register)] == ["four"]


def test_a_bad_line_of_ndjson_is_named(register: Register, tmp_path: Path) -> None:
    """In a million lines only the number helps."""
    (tmp_path / "a.ndjson").write_text('{"resourceType": "Patient", "id": "p"}\n{"x": }\n{"id": "q"}\n', encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_record(tmp_path / "a.ndjson", register)
    assert [problem.line for problem in caught.value.problems] == [2, 3]


def test_missing_files_and_empty_folders(register: Register, tmp_path: Path) -> None:
    """A wrong path is the commonest mistake of all."""
    with pytest.raises(BadInput, match="no such file"):
        read_record(tmp_path / "none.yaml", register)
    with pytest.raises(BadInput, match="no record in this folder"):
        read_record(tmp_path, register)


def test_schema_accepts_every_example_and_refuses_a_bare_number(patients: Path) -> None:
    """The published schema and the reader must agree."""
    schema = patient_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for file in sorted(patients.glob("*.yaml")):
        value, _ = read_yaml(file.read_text(encoding="utf-8"), file.name)
        assert not [error.message for error in validator.iter_errors(value)], file.name
    assert not validator.is_valid({"id": "p", "weight": 70})
    assert not validator.is_valid({"id": "p", "wieght": "70 kg"})


PLAIN = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=12)


@given(st.dictionaries(st.sampled_from(list(read.PatientFile.__struct_fields__)), PLAIN, max_size=6))
def test_any_json_gives_a_record_or_problems(register: Register, value: dict[str, Any]) -> None:
    """Whatever is written, the answer is a record or a list of problems."""
    with contextlib.suppress(BadInput):
        assert read_record(json.dumps(value).encode(), register)


@given(st.floats(3, 300).map(lambda value: round(value, 2)), st.sampled_from(["kg", "lb", "g", "st"]))
def test_weights_survive_writing_and_reading(register: Register, number: float, unit: str) -> None:
    """No number may change on its way through YAML."""
    record = read_form(f"id: p\nweight: {number} {unit}\n", "p.yaml", register)
    assert record.weights[0].value == Quantity(number, unit)


def test_an_empty_choice_is_not_offered(register: Register) -> None:
    """A word that is no phase of treatment is told with the phases there are; leaving it out is no word to choose."""
    with pytest.raises(BadInput) as caught:
        read_form("id: a\nweight: {value: 70 kg, on: 2026-11-18}\norder: {phase: begin}\n", "a.yaml", register)
    assert any("is not one of acute, " in problem.why for problem in caught.value.problems)
