"""The JSON view is a contract: schema-checked, stable, and readable back."""

from __future__ import annotations

import json

import jsonschema
import pytest
from tests.rendering.sample import plan

from ivigil.basis.problems import BadInput, Problem
from ivigil.basis.quantity import UNITS
from ivigil.rendering.json import is_plan, plan_json, plan_schema, plans_json, read_plan


def test_a_plan_keeps_to_its_schema() -> None:
    """What is printed is what ``ivigil schema plan`` promises."""
    jsonschema.Draft202012Validator.check_schema(plan_schema())
    jsonschema.validate(json.loads(plan_json(plan())), plan_schema())


def test_round_trip_is_exact() -> None:
    """A saved plan is the plan, to the byte."""
    text = plan_json(plan())
    assert read_plan(text, "plan.json") == plan()
    assert plan_json(read_plan(text, "plan.json")) == text


def test_the_top_keys_stand_in_the_documented_order() -> None:
    """Diffs of saved plans stay readable."""
    keys = list(json.loads(plan_json(plan())))
    assert keys[:2] == ["schema", "status"]
    assert [key for key in keys if key in {"lines", "questions", "references", "not_raised"}] == ["lines", "questions", "references", "not_raised"]


def test_quantities_carry_ucum_codes() -> None:
    """Receivers read units without knowing ivigil's names."""
    document = json.loads(plan_json(plan()))
    line = next(line for line in document["lines"] if line["id"] == "dose.per_day")
    assert line["value"] == {"value": 70.0, "unit": "g"}
    assert line["because"]["facts"]["weight"]["from"] == "weights[0]"


def test_unit_codes_are_unambiguous() -> None:
    """Every unit has its own UCUM code, so reading back cannot mix two."""
    codes = [unit.ucum for unit in UNITS.values()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"schema": "ivigil.plan/9"}', '{"schema": "ivigil.plan/1", "status": "fine"}', "[" * 5000])
def test_what_is_no_plan_is_refused_with_the_file_named(text: str) -> None:
    """The message says which file and what to do."""
    with pytest.raises(BadInput) as refused:
        read_plan(text, "saved.json")
    assert refused.value.problems[0].place == "saved.json"
    assert refused.value.problems[0].remedy


def test_an_unknown_unit_in_a_saved_plan_is_refused() -> None:
    """A plan edited by hand does not slip through."""
    text = plan_json(plan()).replace('"unit": "g"', '"unit": "gr"')
    with pytest.raises(BadInput):
        read_plan(text, "saved.json")


def test_a_batch_lists_plans_and_failures() -> None:
    """Nothing is lost when one record of several is bad."""
    document = json.loads(plans_json([plan()], [("bad.yaml", (Problem("bad.yaml", 3, "weights", "no unit"),))]))
    assert document["schema"] == "ivigil.plans/1"
    assert document["plans"][0]["patient"] == "sample-1"
    assert document["failed"][0]["problems"][0]["line"] == 3


def test_a_saved_plan_is_told_from_a_record() -> None:
    """``ivigil why`` takes either."""
    assert is_plan(plan_json(plan()).encode()[:200])
    assert not is_plan(b"id: p1\nsex: male\n")
