"""FHIR R4: the traps of real data, and all shared samples."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivigil.basis.facts import Codes, FactDefinition
from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import Quantity
from ivigil.patient.facts import facts_of
from ivigil.patient.fhir import FhirReader, records_of
from ivigil.patient.fhir_values import day_of, quantity_of
from ivigil.patient.firewall import check
from ivigil.patient.read import read_record
from ivigil.patient.record import Record

AS_OF = date(2026, 11, 20)
PRODUCTS = {"gammagard-liquid-us": Codes(rxnorm=("1809671",))}
Register = dict[str, FactDefinition]


@pytest.fixture(scope="module")
def record(register: Register, fixtures: Path) -> Record:
    (found,) = read_record(fixtures / "traps-bundle.json", register, PRODUCTS)
    return found


def test_transaction_references_find_the_patient(record: Record) -> None:
    """Transaction bundles refer by urn:uuid, not by id."""
    assert record.id == "made-1"
    assert record.fhir
    assert record.born == date(1984, 3, 19)


def test_weights_in_any_unit_and_no_erroneous_one(record: Record, register: Register) -> None:
    """Pounds under a UCUM code count; an erroneous entry, though newest, does not."""
    assert [item.origin for item in record.weights] == ["Observation/w-old", "Observation/w-new"]
    facts = facts_of(record, register, AS_OF)
    assert facts.number("weight", "kg") == pytest.approx(154.5 * 0.45359237)
    assert facts["weight"].origin.where == "Observation/w-new"


def test_a_quantity_without_a_usable_unit_is_noted_not_guessed(record: Record, register: Register) -> None:
    """IgG 710 may be mg/dL or arbitrary units: a hundredfold apart."""
    assert not [item for item in record.results if item.test == "igg"]
    assert {note.origin for note in record.notes if note.about == "igg"} == {"Observation/igg-bare", "Observation/igg-arbitrary"}
    assert "igg" not in facts_of(record, register, AS_OF)


def test_unit_text_and_code_that_disagree_are_refused(record: Record) -> None:
    """Choosing either would be a guess of ten times."""
    assert "disagree" in next(note.why for note in record.notes if note.about == "haemoglobin")


def test_preliminary_results_are_shown_but_not_used(record: Record, register: Register) -> None:
    """A preliminary value may be withdrawn; no dose may rest on it."""
    assert any(note.about == "creatinine" and "preliminary" in note.why for note in record.notes)
    assert facts_of(record, register, AS_OF).number("creatinine", "umol/L") == pytest.approx(79.58, abs=0.01)


def test_shortened_egfr_unit_only_for_egfr(record: Record, register: Register) -> None:
    """Real laboratories shorten this unit; for any other test it would be an error."""
    assert facts_of(record, register, AS_OF).number("egfr", "mL/min/1.73m2") == pytest.approx(80.5)
    reason = quantity_of({"value": 80, "unit": "mL/min"}, register["creatinine"])
    assert isinstance(reason, str)


def test_components_words_and_temperatures(record: Record, register: Register) -> None:
    """Blood pressure hides in components, blood groups in codes, fever in Fahrenheit."""
    facts = facts_of(record, register, AS_OF)
    assert facts.number("systolic_bp", "mm[Hg]") == 132
    assert facts.number("temperature", "Cel") == pytest.approx(38.0)
    assert facts.word("blood_group") == "AB"
    assert facts.flag("has.anti_iga") is True


def test_conditions_by_code_status_and_verification(record: Record, register: Register) -> None:
    """Displays lie, strokes end, pregnancies stay open, and some writers send a bare status word."""
    facts = facts_of(record, register, AS_OF)
    assert facts.flag("has.diabetes_mellitus") is True
    assert facts["has.diabetes_mellitus"].origin.where == "Condition/dm"
    assert "has.sepsis" not in facts
    assert facts.flag("has.past_thrombosis") is True
    assert facts.flag("has.recent_stroke") is False
    assert facts.flag("has.renal_insufficiency") is True
    assert "has.pregnancy" not in facts


def test_allergies_as_findings_and_as_text(record: Record, register: Register) -> None:
    """Real allergies are SNOMED findings or bare text, not substances."""
    facts = facts_of(record, register, AS_OF)
    assert facts.flag("allergy.corn") is True
    assert facts.flag("has.past_ig_anaphylaxis") is True


def test_medicines(record: Record, register: Register) -> None:
    """Pack codes are too many to list: the ingredient in the name must be found; stopped ones not."""
    facts = facts_of(record, register, AS_OF)
    assert facts.flag("takes.nsaid") is True
    assert "takes.loop_diuretic" not in facts


def test_immunoglobulin_given_is_history_not_vaccination(record: Record) -> None:
    """An immunisation record holds globulins, which defer vaccines instead of being one."""
    assert [(item.kind, item.on) for item in record.infusions] == [
        ("hyperimmune-globulin", date(2026, 8, 1)), ("immunoglobulin", date(2026, 9, 22)), ("immunoglobulin", date(2026, 10, 20))]
    given = record.infusions[-1]
    assert (given.product, given.dose, given.route, given.rate_max) == ("gammagard-liquid-us", Quantity(30, "g"), "intravenous", Quantity(250, "mL/h"))
    assert [item.vaccine for item in record.vaccinations] == ["MMR"]


def test_pills_are_never_grams(record: Record, register: Register) -> None:
    """A real client sent "4 {pill}" of Gammagard; read as 4 g it would be a dose."""
    assert record.order.product == "gammagard-liquid-us"
    assert record.order.indication == "D83.9"
    assert record.order.dose is None
    doubts = check(record, register, AS_OF).doubts
    assert any(doubt.about == "order.dose" and "{pill}" in doubt.why for doubt in doubts)


def test_a_display_alone_makes_no_immunoglobulin_order(register: Register) -> None:
    """A display can hang on any code."""
    request = {"resourceType": "MedicationRequest", "id": "r", "status": "draft", "intent": "order", "subject": {"reference": "Patient/p"},
               "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1", "display": "immune globulin"}]}}
    (record,) = records_of([{"resourceType": "Patient", "id": "p"}, request], register, PRODUCTS)
    assert record.order.origin == ""


def test_orders_in_grams_per_interval(register: Register) -> None:
    """The usual replacement order must come through whole, with what it lacks noted."""
    request: dict[str, Any] = {
        "resourceType": "MedicationRequest", "id": "r", "status": "active", "intent": "order", "subject": {"reference": "Patient/p"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "J06BA02"}]},
        "dosageInstruction": [{"timing": {"repeat": {"frequency": 1, "period": 4, "periodUnit": "wk"}},
                               "doseAndRate": [{"doseQuantity": {"value": 30, "unit": "g", "code": "g"}}]}]}
    (record,) = records_of([{"resourceType": "Patient", "id": "p"}, request], register)
    assert (record.order.dose, record.order.each, record.order.every) == (Quantity(30, "g"), "interval", Quantity(4, "week"))
    assert {note.about for note in record.notes} == {"order.indication", "order.product"}


def test_no_known_allergy_is_a_review(register: Register) -> None:
    """It is the only code by which FHIR says that somebody asked."""
    nothing = {"resourceType": "AllergyIntolerance", "id": "n", "patient": {"reference": "Patient/p"}, "recordedDate": "2026-11-01",
               "code": {"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}}
    (record,) = records_of([{"resourceType": "Patient", "id": "p"}, nothing], register)
    assert record.allergies_reviewed == date(2026, 11, 1)
    assert facts_of(record, register, AS_OF).flag("allergy.corn") is False


def test_an_empty_search_set_is_no_patient(register: Register) -> None:
    """An empty search arrives as a Bundle without entries and must not become an empty plan."""
    with pytest.raises(BadInput, match="no Patient"):
        read_record(b'{"resourceType": "Bundle", "type": "searchset", "total": 0}', register)


def test_dates_in_every_precision() -> None:
    """FHIR dates may be a year, a month or an instant; impossible ones are unknown."""
    assert day_of("2014-10-09T14:58:00+11:00") == date(2014, 10, 9)
    assert day_of("2014-10") == date(2014, 10, 1)
    assert day_of("2014") == date(2014, 1, 1)
    assert day_of("2014-02-30") is None
    assert day_of(2014) is None


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
                        ["resourceType", "id", "status", "code", "coding", "system", "value", "unit", "subject", "reference", "valueQuantity",
                         "component",
                         "dosageInstruction", "doseAndRate", "doseQuantity", "timing", "repeat", "medicationCodeableConcept", "text", "reaction"]), inner,
                        max_size=4), max_leaves=20)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["Patient", "Observation", "Condition", "Procedure", "AllergyIntolerance", "Immunization", "MedicationRequest",
                        "MedicationStatement", "MedicationAdministration", "Medication", "Bundle"]),
       st.dictionaries(st.sampled_from(["id", "status", "code", "subject", "component", "valueQuantity", "dosageInstruction", "medicationCodeableConcept",
                                        "entry", "reaction", "birthDate", "contained", "referenceRange", "reasonCode", "dosage", "vaccineCode", "intent"]),
                       JSON, max_size=6))
def test_no_shape_breaks_the_reader(register: Register, kind: str, body: dict[str, Any]) -> None:
    """Real writers send objects for lists and words for objects; nothing may crash on them."""
    reader = FhirReader(register, PRODUCTS)
    reader.add({**body, "resourceType": kind})
    for record in reader.records():
        check(record, register, AS_OF)


def test_hooks_requests_of_a_real_client(register: Register, samples: Path) -> None:
    """The sandbox orders 4 or 1 pills of Gammagard: the order is known, its dose is asked, nothing is computed."""
    for name, ordered in (("order-select.json", False), ("order-sign.json", False), ("order-select-ivig.json", True), ("order-sign-ivig.json", True)):
        body = json.loads((samples / "cds-hooks-requests" / name).read_text(encoding="utf-8"))["body"]
        (record,) = records_of([*body["prefetch"].values(), body["context"]["draftOrders"]], register, PRODUCTS)
        assert (record.order.product == "gammagard-liquid-us") is ordered
        assert record.order.dose is None
        assert ("order.dose" in {doubt.about for doubt in check(record, register, AS_OF).doubts}) is ordered


def test_all_shared_patients_are_read(register: Register, samples: Path) -> None:
    """All 615 generated patients, the bundles and the HL7 examples: no crash, weights in a human range."""
    as_of = date(2021, 6, 1)
    records = read_record(samples / "synthea-615-patients", register)
    assert len(records) == 615
    alive = [record for record in records if record.died is None or record.died > as_of]
    weights = [facts_of(record, register, as_of).number("weight", "kg") for record in alive]
    assert all(weight is not None and 2 < weight < 250 for weight in weights)
    assert len(alive) > 480
    bundles = read_record(samples / "synthea-bundles-original", register)
    assert len(bundles) == 13
    assert {record.id for record in bundles} <= {record.id for record in records}
    assert len(read_record(samples / "synthea-2023-13-patients", register)) == 13
    assert read_record(samples / "hl7-r4-examples", register)


def test_a_bundle_and_its_ndjson_rows_give_the_same_facts(register: Register, samples: Path) -> None:
    """The same patients published in two forms must give the same facts."""
    as_of = date(2021, 6, 1)
    apart = {record.id: record for record in read_record(samples / "synthea-615-patients", register)}
    for record in read_record(samples / "synthea-bundles-original", register):
        if record.died is None or record.died > as_of:
            one, two = facts_of(record, register, as_of), facts_of(apart[record.id], register, as_of)
            assert {key: (fact.value, fact.origin.on) for key, fact in one.items()} == {key: (fact.value, fact.origin.on) for key, fact in two.items()}


@pytest.mark.parametrize(("newest", "expected"), [("266919005", False), ("8517006", False), ("77176002", None), ("449868002", True)])
def test_the_newest_coded_answer_takes_the_place_of_an_older_one(newest: str, expected: bool | None) -> None:
    """A smoker of 2013 who has stopped is no smoker; an answer with an unknown code leaves the question open."""
    register = {"has.smoking": FactDefinition(id="has.smoking", kind="yes_no", label="Smoking", codes=Codes(snomed=("449868002",), loinc=("72166-2",)))}
    reader = FhirReader(register)
    reader.add({"resourceType": "Patient", "id": "p"})
    for number, (on, code) in enumerate((("2013-06-10", "449868002"), ("2020-06-10", newest))):
        reader.add({"resourceType": "Observation", "id": f"o{number}", "status": "final", "subject": {"reference": "Patient/p"}, "effectiveDateTime": on,
                    "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2"}]},
                    "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": code}]}})
    (found,) = reader.records()
    assert facts_of(found, register, AS_OF).flag("has.smoking") is expected


# --- dosage instructions ----------------------------------------------------------------------------------------------


def _ordered(register: Register, *instructions: dict[str, Any]) -> Record:
    request = {"resourceType": "MedicationRequest", "id": "m", "status": "draft", "intent": "order", "subject": {"reference": "Patient/p"},
               "medicationCodeableConcept": {"text": "immunoglobulin"}, "dosageInstruction": list(instructions)}
    return records_of([{"resourceType": "Patient", "id": "p"}, request], register)[0]


def _grams(value: float, rate: float | None = None, **timing: Any) -> dict[str, Any]:
    amounts: dict[str, Any] = {"doseQuantity": {"value": value, "unit": "g"}} if value else {}
    if rate:
        amounts["rateQuantity"] = {"value": rate, "unit": "mL/h"}
    return {"doseAndRate": [amounts], **({"timing": timing} if timing else {})}


def test_a_ladder_of_rates_asks_for_no_more_than_its_top(register: Register) -> None:
    """Rates after the first dose are steps of the same infusion: the dose counts once, the highest rate is the one asked for."""
    order = _ordered(register, _grams(30, 20, repeat={"frequency": 1, "period": 1, "periodUnit": "d", "count": 2}), _grams(0, 60), _grams(0, 120)).order
    assert (str(order.dose), order.each, order.days, str(order.rate_max)) == ("30 g", "day", 2, "120 mL/h")


def test_doses_on_days_of_their_own_are_one_course(register: Register) -> None:
    """75 g on one day and 80 g on the next are a course of 155 g over 2 days."""
    order = _ordered(register, _grams(75, event=["2026-11-21"]), _grams(80, event=["2026-11-22"])).order
    assert (str(order.dose), order.each, order.days, order.start) == ("155 g", "course", 2, "2026-11-21")


def test_several_doses_that_cannot_be_one_course_are_asked_about(register: Register) -> None:
    """Two daily doses, or two on one day, are never added up: the dose stays open and is noted."""
    repeat = {"frequency": 1, "period": 1, "periodUnit": "d"}
    for pair in ((_grams(30, repeat=repeat), _grams(40, repeat=repeat)), (_grams(30, event=["2026-11-21"]), _grams(40, event=["2026-11-21"]))):
        record = _ordered(register, *pair)
        assert record.order.dose is None
        assert any(note.about == "order.dose" and "2 dosage instructions" in note.why for note in record.notes)


def test_a_draft_is_taken_before_a_signed_order(register: Register) -> None:
    """The order being written is the one to check, however new the others are."""
    def request(name: str, status: str, day: str) -> dict[str, Any]:
        return {"resourceType": "MedicationRequest", "id": name, "status": status, "intent": "order", "authoredOn": day,
                "subject": {"reference": "Patient/p"}, "medicationCodeableConcept": {"text": "immunoglobulin"}, "dosageInstruction": [_grams(30)]}

    record = records_of([{"resourceType": "Patient", "id": "p"}, request("d", "draft", "2026-01-01"), request("s", "active", "2026-11-01")], register)[0]
    assert record.order.origin == "MedicationRequest/d"
    assert any("2 immunoglobulin orders are open; the draft was taken" in note.why for note in record.notes)
