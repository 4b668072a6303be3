"""Answers and orders on their way into a record: the written form takes them in, FHIR keeps them beside it."""

from __future__ import annotations

import string

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivigil.basis.strict_yaml import read_yaml
from ivigil.service.changes import Changes, carried, changed_text, changes_in, is_fhir, written_text

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Time proves nothing here: the machine may be busy."""
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_VALUES = st.recursive(
    st.booleans() | st.integers(-9999, 9999) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_lowercase + "_.", min_size=1, max_size=8), inner, max_size=3),
    max_leaves=12,
)


@CALM
@given(st.dictionaries(st.text(string.ascii_lowercase + "_", min_size=1, max_size=10), _VALUES, min_size=1, max_size=6))
def test_a_record_written_out_reads_as_the_same_record(document: dict[str, object]) -> None:
    """Whatever a text holds (quotes, line breaks, brackets, words such as no), the strict reader finds it again."""
    assert read_yaml(written_text(document), "record")[0] == document


@CALM
@given(st.dictionaries(_TEXT.filter(bool), _TEXT, max_size=4), _TEXT)
def test_changes_carried_by_a_page_come_back(answers: dict[str, str], weight: str) -> None:
    """What a hidden field carries is what was there."""
    changes = Changes(answers=answers, weight=weight)
    assert changes_in(carried(changes)) == (changes if changes else Changes())


def test_without_a_change_the_text_stays_as_it_was_written() -> None:
    """Comments and layout are kept until something is changed."""
    text = "# mine\nid: x\n"
    assert changed_text(text, Changes()) == text


def test_later_answers_win_and_values_are_added_to_their_history() -> None:
    """An answer replaces an earlier one; a new weight and result stand behind the earlier ones; an emptied part of the order goes."""
    text = "id: x\nweight: 70 kg\nresults: {igg: 3 g/L}\nanswers: {has.sepsis: yes}\norder: {dose: 1 g/kg, days: 2}\n"
    changes = Changes(answers={"has.sepsis": "no"}, weight="71 kg", results={"igg": "4 g/L"}, order={"dose": "", "days": "5"}, on="2026-11-20")
    value, _ = read_yaml(changed_text(text, changes), "record")
    assert value["answers"] == {"has.sepsis": "no"}
    assert value["weight"] == ["70 kg", {"value": "71 kg", "on": "2026-11-20"}]
    assert value["results"]["igg"] == ["3 g/L", {"value": "4 g/L", "on": "2026-11-20"}]
    assert value["order"] == {"days": 5}


def test_fhir_is_told_from_the_written_form() -> None:
    """A Bundle, a list of resources and NDJSON are FHIR; the written form in JSON is not."""
    assert is_fhir('{"resourceType": "Bundle"}')
    assert is_fhir('[{"resourceType": "Patient"}]')
    assert is_fhir('{"resourceType":"Patient"}\n{"resourceType":"Observation"}')
    assert not is_fhir('{"id": "x", "weight": "70 kg"}')
    assert not is_fhir("id: x")
