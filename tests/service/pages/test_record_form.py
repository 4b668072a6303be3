"""The fill-in form: made from the register, posted as a record in the written form, each problem beside its field, nothing typed ever lost."""

from __future__ import annotations

import html
import re

from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

from ivigil.basis.strict_yaml import read_yaml
from ivigil.service.hospital import Hospital
from ivigil.service.pages.record_form import errors_of, groups_of, record_in

FILLED = {
    "form": "1",
    "jurisdiction": "US",
    "indication": "itp-adult",
    "p:id": "case-1",
    "p:sex": "female",
    "p:born": "1990-02-11",
    "p:weight": "154",
    "p:weight:unit": "lb",
    "p:height": "1.7",
    "p:height:unit": "m",
    "o:dose": "1",
    "o:dose:unit": "g/kg",
    "o:each": "day",
    "o:days": "2",
    "r:creatinine": "0.9",
    "r:creatinine:unit": "mg/dL",
    "r:creatinine:on": "2026-11-18",
    "f:has.sepsis": "no",
    "l:medicines": "furosemide 40 mg daily\r\nibuprofen",
    "d:medicines_reviewed": "2026-11-18",
}


def test_the_form_offers_every_fact_that_can_be_told_of_a_patient(us_hospital: Hospital) -> None:
    """Each fact of the register that holds of the patient has exactly one field; risks and doses are worked out and have none."""
    names = [one.name for group in groups_of(us_hospital.evidence) for one in group.inputs]
    assert len(names) == len(set(names))
    offered = {name.partition(":")[2] for name in names if name.startswith(("f:", "r:"))}
    own = {"age", "weight", "height", "bmi", "sex", "blood_group", "order.route", "order.indication", "order.phase", "gestation", "pre_pregnancy_weight"}
    expected = {fact.id for fact in us_hospital.evidence.facts.values() if fact.stage == "patient" and not fact.id.startswith(("risk.", "course."))} - own
    assert offered == expected


def test_a_filled_form_is_planned(client: TestClient) -> None:
    """154 lb are 69.85 kg (0.45359237 kg a pound): 1 g/kg a day for two days is 70 g a day in whole vials."""
    answer = client.post("/plan", data=FILLED)
    assert answer.status_code == 200
    page = Page(answer.text)
    assert "70 g on each of 2 consecutive days" in page.text
    record, _ = read_yaml(page.fields["record"], "record")
    assert record["results"]["creatinine"] == {"value": "0.9 mg/dL", "on": "2026-11-18"}
    assert record["medicines"] == ["furosemide 40 mg daily", "ibuprofen"]
    assert record["order"]["indication"] == "itp-adult"


def test_what_is_empty_is_unknown(us_hospital: Hospital) -> None:
    """An empty form makes a record that says nothing: no answer, no list, no date."""
    empty = {one.name: "" for group in groups_of(us_hospital.evidence) for one in group.inputs}
    assert read_yaml(record_in(empty, "2026-11-20"), "record")[0] == {"id": "patient"}


def test_an_empty_list_that_was_checked_says_none(us_hospital: Hospital) -> None:
    """No allergies with the day somebody looked is written down; the bare empty list is not."""
    record, _ = read_yaml(record_in({"d:allergies_reviewed": "2026-11-18", "l:allergies": " "}, "2026-11-20"), "record")
    assert record == {"id": "patient", "allergies_reviewed": "2026-11-18", "allergies": []}


def test_each_problem_stands_beside_its_field_and_nothing_typed_is_lost(client: TestClient) -> None:
    """A weight in words, an impossible day and a result without number are all told at once, next to where they were typed."""
    wrong = {**FILLED, "p:weight": "seventy", "p:born": "1990-13-45", "r:igg": "low?", "r:igg:unit": "g/L"}
    answer = client.post("/plan", data=wrong)
    assert answer.status_code == 422
    for name in ("p:weight", "p:born", "r:igg"):
        assert f'id="{name}-error"' in answer.text, name
    for value in ("seventy", "low?", "case-1", "furosemide 40 mg daily"):
        assert html.escape(value) in answer.text
    assert re.search(r'value="lb" selected', answer.text)


def test_a_typed_unit_wins_over_the_chosen_one() -> None:
    """Somebody who writes 154 lb into the number means pounds, whatever the selection says."""
    record, _ = read_yaml(record_in({"p:weight": "154 lb", "p:weight:unit": "kg"}, "2026-11-20"), "record")
    assert record["weight"]["value"] == "154 lb"


def test_earlier_infusions_are_written_with_their_reactions() -> None:
    """A row without reaction leaves it unknown; none says it went well; a grade is kept."""
    form = {
        "i:0:on": "2026-10-20",
        "i:0:dose": "30",
        "i:0:dose:unit": "g",
        "i:0:reaction": "none",
        "i:1:on": "2026-09-20",
        "i:1:reaction": "2",
        "i:2:on": "2026-08-20",
    }
    record, _ = read_yaml(record_in(form, "2026-11-20"), "record")
    assert record["infusions"] == [
        {"on": "2026-10-20", "dose": "30 g", "reaction": "none"},
        {"on": "2026-09-20", "reaction": {"grade": 2}},
        {"on": "2026-08-20"},
    ]


def test_problems_of_the_record_find_their_fields(us_hospital: Hospital) -> None:
    """Keys with positions and parts (weight[0].value) lead to the field that holds them."""
    from ivigil.basis.problems import Problem

    found = errors_of(
        groups_of(us_hospital.evidence), [Problem("record", 3, "weight[0].value", "no number", "write one"), Problem("record", 4, "infusions[1].dose", "x")]
    )
    assert found == {"p:weight": "no number: write one", "i:1:dose": "x"}
