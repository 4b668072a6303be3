"""The plan page without any script: a record in, answers and changes taken in, every problem shown, nothing of the record ever markup."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

from ivigil.planning.choices import Choices
from ivigil.rendering.json import plan_json
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital

ROOT = Path(__file__).resolve().parents[3]
ITP = (ROOT / "patients" / "itp-adult-us.yaml").read_text(encoding="utf-8")
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"resource": {"resourceType": "Patient", "id": "one", "gender": "female", "birthDate": "1990-02-11"}},
        {
            "resource": {
                "resourceType": "Observation",
                "id": "w",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
                "effectiveDateTime": "2026-11-18",
                "valueQuantity": {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
            }
        },
    ],
}


def _plan(client: TestClient, **fields: str) -> Page:
    answer = client.post("/plan", data={"record": ITP, "jurisdiction": "US", **fields})
    assert answer.status_code == 200, answer.text[:2000]
    return Page(answer.text)


def test_a_pasted_record_becomes_a_plan_that_names_its_sources(client: TestClient) -> None:
    """The dose is the arithmetic of the record (143 lb at 1 g/kg a day, 65 g after rounding), with numbered sources."""
    page = _plan(client)
    assert "65 g on each of 2 consecutive days" in page.text
    assert "source-1" in page.ids
    assert page.fields["record"] == ITP


def test_an_uploaded_file_takes_the_place_of_the_text(client: TestClient) -> None:
    """A file that is chosen is planned, whatever stands in the text field."""
    answer = client.post("/plan", data={"record": "nonsense", "jurisdiction": "US"}, files={"file": ("a.yaml", ITP.encode(), "application/yaml")})
    assert answer.status_code == 200
    assert "65 g on each of 2 consecutive days" in Page(answer.text).text


def test_every_example_opens_with_one_click(client: TestClient) -> None:
    """Each address on the start page gives a plan."""
    addresses = [value for name, value in Page(client.get("/plan").text).addresses if name == "href" and "example=" in value]
    assert len(addresses) == len(list((ROOT / "patients").glob("*.yaml")))
    for address in addresses:
        assert client.get(address).status_code == 200, address


def test_an_answer_is_taken_into_the_record_and_what_changed_is_told(client: TestClient) -> None:
    """A yes to kidney disease makes the plan again, names what differs, and stands in the record for the command line."""
    page = _plan(client)
    again = Page(client.post("/plan", data={**page.fields, "a:has.renal_insufficiency": "yes"}).text)
    assert "What changed" in again.text
    assert 'has.renal_insufficiency: "yes"' in again.fields["record"]
    assert "kidney" in again.text.lower()


def test_the_plan_is_that_of_the_command_line_with_the_kept_record(client: TestClient, us_hospital: Hospital) -> None:
    """Record and plan as downloaded after two answers belong together, byte for byte."""
    page = _plan(client)
    page = Page(client.post("/plan", data={**page.fields, "a:has.sepsis": "no", "a:creatinine": "0.9", "u:creatinine": "mg/dL"}).text)
    record = client.post("/plan/record", data=page.fields).text
    made = us_hospital.plan_of(record.encode(), Choices(jurisdiction="US"), today())
    assert client.post("/plan/json", data=page.fields).text == plan_json(made)
    assert '"0.9 mg/dL"' in record


def test_a_result_counts_on_the_day_it_was_given(client: TestClient) -> None:
    """A number typed today is dated today, so that it is fresh; earlier values stay."""
    page = _plan(client)
    page = Page(client.post("/plan", data={**page.fields, "a:igg": "4.1", "u:igg": "g/L"}).text)
    assert f'{{"value": "4.1 g/L", "on": "{today().isoformat()}"}}' in page.fields["record"]


def test_a_changed_dose_is_planned_and_compared(client: TestClient) -> None:
    """0.4 g/kg a day for 5 days instead of 1 g/kg for 2 is told line by line."""
    page = _plan(client)
    answer = client.post("/plan", data={**page.fields, "o:dose": "0.4", "o:dose:unit": "g/kg", "o:each": "day", "o:days": "5"})
    assert answer.status_code == 200
    again = Page(answer.text)
    assert "What changed" in again.text
    assert '"dose": "0.4 g/kg"' in again.fields["record"]
    assert '"days": 5' in again.fields["record"]


def test_another_place_and_product_are_planned_at_once(client: TestClient) -> None:
    """A change of jurisdiction shows the plan of that place and its difference."""
    page = _plan(client)
    again = Page(client.post("/plan", data={**page.fields, "jurisdiction": "CA-ON"}).text)
    assert "What changed" in again.text
    assert again.fields["was:jurisdiction"] == "CA-ON"


def test_a_change_that_cannot_be_made_leaves_the_plan_and_what_was_typed(client: TestClient) -> None:
    """5 g/kg a day is refused by the unit firewall; the plan before stands, the 5 stays in its field, the record is unchanged."""
    page = _plan(client)
    answer = client.post("/plan", data={**page.fields, "o:dose": "5"})
    assert answer.status_code == 422
    again = Page(answer.text)
    assert "This change was not made" in again.text
    assert "above 2.2 g/kg" in again.text
    assert "65 g on each of 2 consecutive days" in again.text
    assert again.fields["o:dose"] == "5"
    assert again.fields["record"] == page.fields["record"]


def test_all_problems_of_record_and_choices_are_listed_and_the_input_is_kept(client: TestClient) -> None:
    """A bare number, an unknown key and an unknown place come together, with the text still in its field."""
    record = "id: x\nweight: 70\ncolour: blue\n"
    answer = client.post("/plan", data={"record": record, "jurisdiction": "Mars"})
    assert answer.status_code == 422
    page = Page(answer.text)
    for word in ("70 has no unit", "colour", "Mars"):
        assert word in page.text
    assert "weight: 70" in answer.text


@pytest.mark.parametrize("record", ["", "   ", "[]", "{", "id: 'x", "\x00\x01", "- 1", "a: &b 1\nc: *b", json.dumps({"resourceType": "Bundle"})])
def test_what_is_no_record_is_refused_in_words(client: TestClient, record: str) -> None:
    """Nothing, half a bracket, binary, anchors and an empty Bundle all get a cause and a remedy, never a failure of ours."""
    answer = client.post("/plan", data={"record": record, "jurisdiction": "US"})
    assert answer.status_code == 422
    assert "Nothing was planned" in answer.text


def test_the_record_is_never_markup(client: TestClient) -> None:
    """Script, quotes and markup in every free text of a record come out as text."""
    bad = "</textarea><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
    record = json.dumps(
        {
            "id": bad,
            "note": bad,
            "sex": "female",
            "born": "1990-01-01",
            "weight": "70 kg",
            "conditions": [bad],
            "medicines": [bad],
            "allergies": [{"substance": bad, "reaction": bad}],
            "order": {"indication": "itp-adult", "prescriber": bad},
        }
    )
    answer = client.post("/plan", data={"record": record, "jurisdiction": "US"})
    assert answer.status_code == 200
    page = Page(answer.text)
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "{{ 7*7 }}" in page.text
    assert json.loads(page.fields["record"])["id"] == bad
    assert not [name for _, name in page.attributes if name.startswith("on")]


def test_answers_stay_beside_a_fhir_record_which_cannot_be_edited(client: TestClient) -> None:
    """The Bundle is carried unchanged; indication and answers are planned with it and survive the next request."""
    bundle = json.dumps(BUNDLE)
    page = Page(client.post("/plan", data={"record": bundle, "jurisdiction": "US", "indication": "itp-adult"}).text)
    page = Page(client.post("/plan", data={**page.fields, "a:has.sepsis": "no", "o:dose": "1", "o:dose:unit": "g/kg", "o:each": "day", "o:days": "2"}).text)
    assert page.fields["record"] == bundle
    assert json.loads(page.fields["changes"])["answers"] == {"has.sepsis": "no"}
    assert "70 g on each of 2 consecutive days" in page.text
    again = Page(client.post("/plan", data={**page.fields, "a:has.fever": "no"}).text)
    assert json.loads(again.fields["changes"])["answers"] == {"has.fever": "no", "has.sepsis": "no"}


def test_each_line_opens_its_reasons_down_to_the_source(client: TestClient) -> None:
    """The tree of a dose line names its calculation, its statements and where their source is found; without a script it is a page of its own."""
    page = _plan(client)
    part = client.post("/plan/why", data={**page.fields, "line": "course.days"}, headers={"hx-request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "rests on" in part.text
    assert "found at" in part.text
    whole = client.post("/plan/why", data={**page.fields, "line": "course.days"})
    assert "<html" in whole.text
    assert client.post("/plan/why", data={**page.fields, "line": "no.such.line"}).status_code == 422


def test_no_address_holds_anything_of_the_patient(client: TestClient) -> None:
    """Every link and form of a plan names pages and entries of the evidence, never the record."""
    page = _plan(client)
    for _, address in page.addresses:
        assert "example-itp-adult-us" not in address
        assert "64.86" not in address


def test_a_file_that_unpacks_to_more_than_the_service_reads_is_refused(client: TestClient) -> None:
    """A small gzip bomb is named as such and never unpacked whole; so is a record too long for the strict reader."""
    bomb = gzip.compress(b"[" + b" " * 60_000_000)
    answer = client.post("/plan", data={"jurisdiction": "US"}, files={"file": ("a.gz", bomb, "application/gzip")})
    assert answer.status_code == 422
    assert "larger than" in Page(answer.text).text
    long = "id: x\n" + "# filler\n" * 40_000
    answer = client.post("/plan", data={"record": long, "jurisdiction": "US", "was:jurisdiction": "US", "a:has.sepsis": "no"})
    assert answer.status_code == 422
    assert "larger than" in Page(answer.text).text


def test_a_gzipped_file_is_read(client: TestClient) -> None:
    """A record that was packed for the way is planned like any other."""
    answer = client.post("/plan", data={"jurisdiction": "US"}, files={"file": ("a.yaml.gz", gzip.compress(ITP.encode()), "application/gzip")})
    assert answer.status_code == 200


def test_what_forbids_treatment_stands_above_the_dose(client: TestClient) -> None:
    """On a blocked plan the critical lines come before the plan at a glance, so that no number is read without them."""
    text = client.get("/plan?example=iga-deficient-anti-iga-uk&jurisdiction=UK-ENG").text
    assert "BLOCKED" in text
    assert text.index('id="critical-title"') < text.index('id="glance-title"')


def test_the_headline_of_live_vaccines_names_a_vaccine_and_its_date(client: TestClient) -> None:
    """Read across a bed, a date alone does not say of what; where treatment goes on there is no date, and that is said."""
    once = Page(client.post("/plan", data={"record": ITP, "jurisdiction": "US"}).text).text
    assert re.search(r"Live vaccine MMR: not before \d\d? [A-Z][a-z]{2} 20\d\d MMR \(measles, mumps, rubella\)", once)
    monthly = (ROOT / "patients" / "pid-adult-us.yaml").read_text(encoding="utf-8")
    going_on = Page(client.post("/plan", data={"record": monthly, "jurisdiction": "US"}).text).text
    assert "Live vaccine MMR: no date while treatment goes on MMR (measles" in going_on


def test_the_change_of_brand_is_asked_as_what_yes_and_no_answer(client: TestClient) -> None:
    """A question beside yes and no must be one that yes and no answer; yes makes the first-infusion handling, no takes the question away."""
    page = Page(client.post("/plan", data={"record": ITP, "jurisdiction": "US"}).text)
    asked = "Is this a different brand from last time?"
    assert asked in page.text
    yes = Page(client.post("/plan", data={**page.fields, "a:product.switched": "yes"}).text).text
    assert "Treat it as a first infusion" in yes
    assert asked not in yes
    assert asked not in Page(client.post("/plan", data={**page.fields, "a:product.switched": "no"}).text).text


@pytest.mark.parametrize("address", ["/plan", "/compare", "/forecast"])
def test_pages_about_a_record_begin_alike(client: TestClient, address: str) -> None:
    """An example that nobody knows is named and not found, an empty form is asked again, and an example of the list opens its page."""
    unknown = client.get(address, params={"example": "nothing"})
    assert unknown.status_code == 404
    assert "no example has this name" in Page(unknown.text).text
    assert client.get(address).status_code == 200
    empty = client.post(address, data={"record": " "})
    assert empty.status_code == 422
    assert "no record is given" in Page(empty.text).text
