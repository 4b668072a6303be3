"""The evidence as JSON, as tables and as FHIR R4: complete, deterministic, and safe to open."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from functools import lru_cache
from typing import Any

import msgspec
import pytest

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.review import stamp_of
from ivigil.evidence.shapes import RegimenDose, Verdict
from ivigil.rendering.evidence_export import condition_written, evidence_json
from ivigil.rendering.evidence_fhir import dose_words, evidence_fhir
from ivigil.rendering.evidence_tables import cell_text, evidence_tables, safe_cell

EVIDENCE = load_evidence()


# --- JSON -----------------------------------------------------------------------------------------------------------------


def test_every_entry_is_in_the_document() -> None:
    """Part by part as many as there are, with the version at the head."""
    document = json.loads(evidence_json(EVIDENCE))
    assert (document["schema"], document["evidence_version"]) == ("ivigil.evidence/1", EVIDENCE.version)
    for part, entries in document["parts"].items():
        assert list(entries) == list(getattr(EVIDENCE, part))
    kawasaki = document["parts"]["indications"]["kawasaki"]["regimens"][0]
    assert kawasaki["dose"] == {"course_total": {"low": 2, "high": 2, "unit": "g/kg"}, "over_days": {"low": 1, "high": 1}}
    assert kawasaki["with"] == "aspirin"
    assert "when" not in kawasaki


def test_conditions_read_back_as_they_are() -> None:
    """What is exported is the language of the files."""
    for condition in EVIDENCE.conditions.values():
        assert parse_condition(condition_written(condition)) == condition


# --- tables ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def tables() -> dict[str, list[dict[str, str]]]:
    """Every table read back."""
    return {name: list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))) for name, text in evidence_tables(EVIDENCE).items()}


def test_one_row_for_each_entry_and_each_regimen() -> None:
    """Nothing is lost, and a regimen's row says which form its dose has."""
    assert len(tables()["statements.csv"]) == len(EVIDENCE.statements)
    assert len(tables()["rules.csv"]) == len(EVIDENCE.rules)
    regimens = [regimen for indication in EVIDENCE.indications.values() for regimen in indication.regimens]
    assert [row["id"] for row in tables()["regimens.csv"]] == [regimen.id for regimen in regimens]
    assert len(tables()["rates.csv"]) == sum(len(product.rates) for product in EVIDENCE.products.values())
    row = next(row for row in tables()["regimens.csv"] if row["id"] == "kawasaki.aha-2017")
    assert (row["dose_form"], row["dose_low"], row["dose_unit"], row["days"], row["sources"]) == ("course_total", "2", "g/kg", "1", "aha-2017-quotations")
    assert set(tables()["about.csv"][0].values()) == {EVIDENCE.version, ""}


def test_no_cell_is_a_formula() -> None:
    """A spreadsheet shows every cell as text."""
    starts = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
    assert not any(cell.startswith(starts) for rows in tables().values() for row in rows for cell in row.values())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "|cmd", "＝1"])
def test_a_formula_is_shown_as_text(text: str) -> None:
    """The apostrophe keeps it from being worked out."""
    assert safe_cell(text) == f"'{text}"


def test_cells_keep_their_meaning() -> None:
    """Numbers without dust, quantities with units, a missing number is empty and not nought."""
    assert [cell_text(value) for value in (10.0, 0.067, Quantity(2, "g/kg"), Span(2, 5), False)] == ["10", "0.067", "2 g/kg", "2-5", "no"]
    assert cell_text("two\nlines") == "two lines"
    assert {row["percent"] for row in tables()["rates.csv"]} & {"0", "0.0"} == set()
    assert (safe_cell("0.5 g/kg"), safe_cell("it's")) == ("0.5 g/kg", "it's")


# --- FHIR R4: names, types and cardinalities from the definitions of 4.0.1 -------------------------------------------------

_SHARED = {"resourceType": str, "id": str, "url": str, "version": str, "name": str, "title": str, "status": str, "description": str, "useContext": list,
           "jurisdiction": list, "effectivePeriod": dict, "relatedArtifact": list}
_ALLOWED: dict[str, dict[str, type]] = {
    "Library": {**_SHARED, "type": dict},
    "ActivityDefinition": {**_SHARED, "library": list, "kind": str, "intent": str, "productCodeableConcept": dict, "dosage": list},
    "PlanDefinition": {**_SHARED, "library": list, "type": dict, "action": list},
}
_REQUIRED = {"Library": {"status", "type"}, "ActivityDefinition": {"status"}, "PlanDefinition": {"status"}}
_INSIDE: dict[str, dict[str, type | tuple[type, ...]]] = {
    "action": {"title": str, "textEquivalent": str, "condition": list, "documentation": list, "definitionCanonical": str, "action": list},
    "condition": {"kind": str, "expression": dict},
    "expression": {"language": str, "expression": str},
    "relatedArtifact": {"type": str, "label": str, "display": str, "citation": str, "url": str, "resource": str},
    "dosage": {"text": str, "timing": dict, "route": dict, "doseAndRate": list, "maxDosePerAdministration": dict},
    "timing": {"repeat": dict},
    "repeat": {"count": int, "countMax": int, "frequency": int, "period": (int, float), "periodMax": (int, float), "periodUnit": str},
    "doseAndRate": {"doseQuantity": dict, "doseRange": dict},
    "doseQuantity": {"value": (int, float), "unit": str, "system": str, "code": str},
    "maxDosePerAdministration": {"value": (int, float), "unit": str, "system": str, "code": str},
    "doseRange": {"low": dict, "high": dict},
    "useContext": {"code": dict, "valueCodeableConcept": dict},
    "effectivePeriod": {"start": str, "end": str},
}
_INSIDE["documentation"] = _INSIDE["relatedArtifact"]
_NEEDED = {"condition": {"kind"}, "expression": {"language", "expression"}, "relatedArtifact": {"type"}, "documentation": {"type"},
           "useContext": {"code", "valueCodeableConcept"}}


@lru_cache(maxsize=1)
def resources() -> tuple[dict[str, Any], ...]:
    """Every resource of the Bundle."""
    return tuple(entry["resource"] for entry in json.loads(evidence_fhir(EVIDENCE))["entry"])


def of(kind: str) -> list[dict[str, Any]]:
    return [resource for resource in resources() if resource["resourceType"] == kind]


def test_the_bundle() -> None:
    """A collection with a full URL for each resource, each once."""
    bundle = json.loads(evidence_fhir(EVIDENCE))
    assert set(bundle) == {"resourceType", "identifier", "type", "entry"}
    assert (bundle["resourceType"], bundle["type"], bundle["identifier"]["value"]) == ("Bundle", "collection", EVIDENCE.version)
    urls = Counter(entry["fullUrl"] for entry in bundle["entry"])
    assert max(urls.values()) == 1
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", url) for url in urls)
    assert len(of("Library")) == 1
    assert len(of("ActivityDefinition")) == sum(len(indication.regimens) for indication in EVIDENCE.indications.values())
    kinds = Counter(resource["type"]["coding"][0]["code"] for resource in of("PlanDefinition"))
    assert kinds == {"eca-rule": len(EVIDENCE.every_rule), "clinical-protocol": len(EVIDENCE.indications)}


def test_every_element_is_one_of_r4_and_none_is_empty() -> None:
    """Only elements that R4 defines, of the right type, required ones present; ids, names and codes in the form that R4 demands."""
    for resource in resources():
        kind = resource["resourceType"]
        assert _REQUIRED[kind] <= set(resource)
        for key, value in resource.items():
            assert isinstance(value, _ALLOWED[kind][key]), (resource["id"], key)
        assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", resource["id"])
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", resource["name"])
        assert resource["status"] in {"draft", "active"}
        _walk(resource, resource["id"])
    ids = Counter((resource["resourceType"], resource["id"]) for resource in resources())
    assert max(ids.values()) == 1


def _walk(node: Any, where: str, key: str = "") -> None:
    if isinstance(node, dict):
        assert node, where
        if key in _INSIDE:
            assert _NEEDED.get(key, set()) <= set(node), (where, key)
            for name, value in node.items():
                assert isinstance(value, _INSIDE[key][name]), (where, key, name)
        if key == "repeat":
            assert {"frequency", "period", "periodUnit"} <= set(node)
            assert node["periodUnit"] in {"s", "min", "h", "d", "wk", "mo", "a"}
            assert all(node.get(name, 1) >= 1 for name in ("count", "countMax", "frequency"))
            assert "countMax" not in node or node["countMax"] > node["count"]
        for name, value in node.items():
            _walk(value, where, name)
    elif isinstance(node, list):
        assert node, (where, key)
        for item in node:
            _walk(item, where, key)
    else:
        assert node != "", (where, key)
        assert node is not None
        assert not isinstance(node, str) or node == node.strip(), (where, key)


def test_references_resolve() -> None:
    """Actions lead to their regimens, everything to the library, and the library to everything; the version is named."""
    known = {f"{resource['url']}|{resource['version']}" for resource in resources()}
    library, = of("Library")
    assert {artifact["resource"] for artifact in library["relatedArtifact"]} == known - {f"{library['url']}|{library['version']}"}
    led_to = {action["definitionCanonical"] for plan in of("PlanDefinition") for action in plan.get("action", []) if "definitionCanonical" in action}
    assert led_to == {f"{resource['url']}|{resource['version']}" for resource in of("ActivityDefinition")}
    assert all(set(resource["library"]) <= known for resource in resources() if "library" in resource)


def test_a_dose_is_a_number_only_where_one_administration_has_it() -> None:
    """A total over several days stays in words: nobody may read it as the dose of one day."""
    doses = {resource["id"]: resource["dosage"][0] for resource in of("ActivityDefinition")}
    one = doses["kawasaki.aha-2017"]
    assert one["doseAndRate"][0]["doseQuantity"] == {"value": 2, "unit": "g/kg", "system": "http://unitsofmeasure.org", "code": "g/kg"}
    for indication in EVIDENCE.indications.values():
        for regimen in indication.regimens:
            if regimen.dose.course_total is not None and regimen.dose.over_days is not None and regimen.dose.over_days.high > 1:
                assert "doseAndRate" not in doses[regimen.id]
                assert "in total for the course" in doses[regimen.id]["text"]
            elif regimen.dose.per_day is not None or regimen.dose.per_interval is not None:
                assert doses[regimen.id]["doseAndRate"]


def test_the_words_of_a_dose() -> None:
    """The three forms never sound alike."""
    grams = Span(0.4, 0.6, "g/kg")
    assert dose_words(RegimenDose(course_total=Span(2, 2, "g/kg"), over_days=Span(2, 5))) == "2 g/kg of dosing weight in total for the course, over 2-5 days"
    assert dose_words(RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(1, 1))) == "1 g/kg of dosing weight on each day, for 1 day"
    assert dose_words(RegimenDose(per_interval=grams, every=Span(3, 4, "week"))) == "0.4-0.6 g/kg of dosing weight every 3-4 weeks"


def test_citations_name_what_was_read() -> None:
    """A rule cites its source with the place; what is only remembered cites nothing, and the description says how each statement was read."""
    rule = next(resource for resource in resources() if resource["id"] == "rule-age-over-65")
    assert rule["action"][0]["condition"][0]["expression"] == {"language": "text/ivigil", "expression": "age > 65 year"}
    assert {artifact["type"] for artifact in rule["relatedArtifact"]} == {"citation"}
    assert "safety.age-over-65 (seen)" in rule["description"]
    read = {source for source, _ in EVIDENCE.read_sources.values()}
    for resource in resources():
        for artifact in resource.get("relatedArtifact", []):
            assert artifact["type"] == "composed-of" or artifact["label"] in read
            assert artifact.get("url", "http").startswith("http")


def test_active_only_when_two_people_approved_everything_under_it() -> None:
    """Everything is a draft until then."""
    assert {resource["status"] for resource in resources()} == {"draft"}
    statement = EVIDENCE.statements["safety.age-over-65"]
    verdicts = tuple(Verdict(status="approved", by=name, date="2026-11-20", of=stamp_of(statement)) for name in ("A", "B"))
    approved = {**EVIDENCE.statements, statement.id: msgspec.structs.replace(statement, reviews=verdicts)}
    evidence: Evidence = msgspec.structs.replace(EVIDENCE, statements=approved)
    active = [entry["resource"]["id"] for entry in json.loads(evidence_fhir(evidence))["entry"] if entry["resource"]["status"] == "active"]
    assert active == [f"rule-{rule.id}" for rule in EVIDENCE.every_rule.values() if rule.cites == (statement.id,)]
