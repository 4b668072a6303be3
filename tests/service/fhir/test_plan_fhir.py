"""Plans as FHIR R4: valid by two independent checks, complete, the same every time, and readable again."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.service.fhir.definitions import Definitions

from ivigil.basis.quantity import Quantity
from ivigil.evidence.load import load_evidence
from ivigil.patient.fhir import records_of
from ivigil.planning.choices import Choices, SiteProfile
from ivigil.planning.line import Plan
from ivigil.rendering.fhir import guidance_fhir, plan_fhir, plans_fhir
from ivigil.rendering.fhir_dosage import days_of, repeats_every
from ivigil.service.hospital import Hospital

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 11, 21)
RECORDS = sorted(path.stem for path in (ROOT / "patients").glob("*.yaml"))
PLACES = {"us": "US", "uk": "UK-ENG", "ontario": "CA-ON", "au": "AU", "eu": "EU"}

Json = dict[str, Any]


@cache
def hospital() -> Hospital:
    """A hospital on the packaged evidence."""
    return Hospital(load_evidence(), SiteProfile())


@cache
def planned(name: str) -> Plan:
    """The plan of an example record in its place."""
    data = (ROOT / "patients" / f"{name}.yaml").read_bytes()
    return hospital().plan_of(data, Choices(jurisdiction=PLACES[name.rsplit("-", 1)[-1]]), TODAY)


def bundle(name: str) -> Json:
    """The Bundle of an example record."""
    found: Json = json.loads(plan_fhir(planned(name), hospital().evidence))
    return found


def resources(name: str, kind: str = "") -> list[Json]:
    """The resources of a kind."""
    return [entry["resource"] for entry in bundle(name)["entry"] if kind in ("", entry["resource"]["resourceType"])]


def test_the_checks_find_mistakes(definitions: Definitions) -> None:
    """What is wrong in a known way is found, so that silence means something."""
    good = resources("pid-adult-us", "RequestGroup")[0]
    assert definitions.faults(good) == []
    assert any("intent" in fault for fault in definitions.faults({key: value for key, value in good.items() if key != "intent"}))
    assert any("status" in fault for fault in definitions.faults(good | {"status": "planned"}))
    assert any("unknown" in fault for fault in definitions.faults(good | {"steps": 1}))
    assert any("authoredOn" in fault for fault in definitions.faults(good | {"authoredOn": "21.11.2026"}))
    assert any("subject" in fault for fault in definitions.faults(good | {"subject": [good["subject"]]}))
    leafless = good | {"action": [{"title": "x"}]}
    assert any("rqg-1" in fault for fault in definitions.broken(leafless))


def test_the_checks_pass_the_examples_of_the_standard(definitions: Definitions, samples: Path) -> None:
    """HL7's own examples of the kinds we write are found valid by both checks, so that a fault found is one."""
    for kind in ("CarePlan", "RequestGroup", "MedicationRequest", "ImmunizationRecommendation", "DetectedIssue", "Provenance", "GuidanceResponse"):
        for line in (samples / "hl7-r4-examples" / f"{kind}.ndjson").read_text(encoding="utf-8").splitlines()[:3]:
            example = json.loads(line)
            found = [fault for fault in definitions.faults(example) if "_" not in fault and "not among the definitions" not in fault]
            assert found == [], (kind, example.get("id"))
            if "contained" not in example:  # R4 words the rule on contained resources (dom-3) in a way that the library refuses
                assert definitions.broken(example) == [], (kind, example.get("id"))


@pytest.mark.parametrize("name", RECORDS)
def test_every_example_plan_is_valid(definitions: Definitions, name: str) -> None:
    """Structure, types and bindings by one check, invariants by the other; of many alike only a few are evaluated, which is slow."""
    made = bundle(name)
    assert definitions.faults(made) == []
    seen: Counter[str] = Counter()
    for resource in resources(name):
        seen[resource["resourceType"]] += 1
        if seen[resource["resourceType"]] <= 2:
            assert definitions.broken(resource) == []


@pytest.mark.parametrize("name", RECORDS)
def test_every_line_is_a_step_and_every_reference_is_kept(name: str) -> None:
    """No line is lost, ids are unique, and what is referred to is in the Bundle."""
    plan, made = planned(name), bundle(name)
    names = [entry["fullUrl"] for entry in made["entry"]]
    assert len(set(names)) == len(names)
    steps = [step for group in resources(name, "RequestGroup")[0]["action"] for step in group["action"]]
    assert Counter(step["code"][0]["text"] for step in steps) == Counter(line.id for line in plan.lines)
    assert {step["resource"]["reference"] for step in steps} <= set(names)
    told = {entity["what"]["identifier"]["value"] for one in resources(name, "Provenance") for entity in one["entity"]}
    assert told == {cite for line in plan.lines for cite in line.because.cites}


@pytest.mark.parametrize("name", RECORDS)
def test_the_order_gives_what_the_plan_gives(name: str) -> None:
    """Doses add up to the course, rates never pass the limit, and the order read again asks for the same."""
    plan = planned(name)
    orders = resources(name, "MedicationRequest")
    if not days_of(plan) or plan.status in {"blocked", "no-evidence"}:
        assert orders == []
        return
    (order,) = orders
    course = plan.line("course.days")
    assert course is not None
    assert course.value is not None
    doses = [(one["doseAndRate"][0]["doseQuantity"]["value"], one["timing"]) for one in order["dosageInstruction"] if "doseQuantity" in one["doseAndRate"][0]]
    total = sum(value * (len(timing["event"]) if "event" in timing else timing["repeat"].get("count", 1)) for value, timing in doses)
    assert total == pytest.approx(course.value.in_unit("g"))
    cap = plan.line("infusion.cap")
    rates = [one["doseAndRate"][0]["rateQuantity"]["value"] for one in order["dosageInstruction"] if "rateQuantity" in one["doseAndRate"][0]]
    if cap is not None and cap.value is not None and rates:
        assert max(rates) <= cap.value.value
    products = {product.id: product.codes for product in hospital().evidence.products.values()}
    record = records_of([{"resourceType": "Patient", "id": plan.patient}, order], hospital().evidence.facts, products)[0]
    assert record.order.dose is not None
    assert record.order.product == order["medicationCodeableConcept"]["coding"][0]["code"]
    assert record.order.dose.value * (record.order.days or 1 if record.order.each == "day" else 1) == pytest.approx(course.value.in_unit("g"))


def test_the_interval_is_read_from_every_repeated_course() -> None:
    """The words of the plan and the timing of the order say the same interval."""
    assert repeats_every(planned("pid-adult-us")) == Quantity(4, "week")
    repeat = resources("pid-adult-us", "MedicationRequest")[0]["dosageInstruction"][0]["timing"]["repeat"]
    assert (repeat["period"], repeat["periodUnit"]) == (4, "wk")
    for name in RECORDS:
        course = planned(name).line("course.days")
        if course is not None:
            assert ("epeated every" in course.text) is (repeats_every(planned(name)) is not None)


def test_the_same_plan_gives_the_same_bytes() -> None:
    """Names come from the plan alone; two plans never share one."""
    evidence = hospital().evidence
    one, other = planned("pid-adult-us"), planned("itp-adult-us")
    assert plan_fhir(one, evidence) == plan_fhir(one, evidence)
    both = json.loads(plans_fhir([one, other], [], evidence))
    names = [entry["fullUrl"] for entry in both["entry"]]
    assert len(set(names)) == len(names)


def test_guidance_leads_to_the_care_plan(definitions: Definitions) -> None:
    """The GuidanceResponse names the CarePlan as its result and says whether answers are wanting."""
    made = json.loads(guidance_fhir(planned("itp-bare-us"), hospital().evidence))
    first, second = (entry["resource"] for entry in made["entry"][:2])
    assert (first["resourceType"], second["resourceType"]) == ("GuidanceResponse", "CarePlan")
    assert first["result"]["reference"] == made["entry"][1]["fullUrl"]
    assert first["status"] == "data-required"
    assert definitions.faults(made) == []
    assert definitions.broken(first) == []
