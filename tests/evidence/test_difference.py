"""Two evidence folders compared as written, in a few lines of YAML."""

from __future__ import annotations

import pytest

from ivigil.basis.problems import BadInput
from ivigil.evidence.difference import Change, difference, value_text
from ivigil.evidence.files import EvidenceFile

INDICATION = """\
id: x
name: {clinical: X}
standing:
  - {authority: a, jurisdiction: US, verdict: supports, cites: [s]}
regimens:
  - {id: x.one, phase: acute, dose: {course_total: 2 g/kg, over_days: 2-5}}
  - {id: x.two, phase: acute, dose: {per_day: 1 g/kg, days: 2}}
"""


def changes(old: str, new: str, name: str = "indications/x.yaml") -> list[Change]:
    """The changes of the only entry that differs."""
    found = difference([EvidenceFile(name, old)], [EvidenceFile(name, new)])
    if not found.entries:
        return []
    entry, = found.entries
    assert entry.kind == "changed"
    return list(entry.changes)


def test_a_key_deep_inside_is_named_by_the_ids_around_it() -> None:
    """A reviewer sees which regimen changed, and how."""
    assert changes(INDICATION, INDICATION.replace("over_days: 2-5", "over_days: 5")) == [Change("regimens[x.one].dose.over_days", "2-5", "5")]
    assert changes(INDICATION, INDICATION.replace("verdict: supports", "verdict: against")) == [Change("standing[a, US].verdict", "supports", "against")]


def test_items_come_go_and_change_places() -> None:
    """A regimen that is new, one that is gone, and an order that means a preference."""
    one, two = INDICATION.splitlines(keepends=True)[-2:]
    head = INDICATION.removesuffix(one + two)
    assert changes(INDICATION, head + one) == [Change("regimens[x.two]", "{id: x.two, phase: acute, dose: {per_day: 1 g/kg, days: 2}}", None)]
    assert changes(head + two, INDICATION)[0].old is None
    assert changes(INDICATION, head + two + one) == [Change("regimens (order)", "x.one, x.two", "x.two, x.one")]


def test_rates_of_a_product_are_known_by_what_they_are_for() -> None:
    """Rate rows have no id."""
    text = "id: p\nrates:\n  - {for: [pid], start: {rate: 1 mg/kg/min}}\n  - {for: [pid], infusion: first, start: {rate: 0.5 mg/kg/min}}\n"
    assert changes(text, text.replace("0.5 mg", "0.3 mg"), "products/p.yaml") == [
        Change("rates[[pid], first].start.rate", "0.5 mg/kg/min", "0.3 mg/kg/min")]


def test_lists_without_names_are_compared_item_by_item() -> None:
    """Two rows alike in every name; the one that differs is shown whole on both sides."""
    text = "id: p\nrates:\n  - {for: [pid], note: a}\n  - {for: [pid], note: b}\n"
    assert changes(text, text.replace("note: b", "note: c"), "products/p.yaml") == [
        Change("rates", "{for: [pid], note: b}", None), Change("rates", None, "{for: [pid], note: c}")]


def test_a_number_is_not_a_text_and_yes_is_not_one() -> None:
    """What YAML reads otherwise is a change, although Python calls some of it equal."""
    assert changes("id: x\nnote: true\n", "id: x\nnote: 1\n") == [Change("note", "true", "1")]
    assert value_text({"a": [None, False, 1.5]}) == "{a: [null, false, 1.5]}"


def test_moving_an_entry_to_another_file_or_changing_examples_is_no_change() -> None:
    """File names are free, and cases are no content; risk groups are a part of their own."""
    rule = "- {id: r, when: has.sepsis}\n- {id: g, group: true, when: has.sepsis}\n"
    old = [EvidenceFile("safety/a.yaml", rule), EvidenceFile("cases/safety/a.yaml", "- {name: x}\n")]
    new = [EvidenceFile("safety/b.yaml", rule), EvidenceFile("cases/safety/a.yaml", "- {name: y}\n")]
    assert difference(old, new).entries == ()
    assert [(entry.part, entry.kind) for entry in difference([], new).entries] == [("rules", "added"), ("groups", "added")]


def test_every_problem_of_both_sides_is_told() -> None:
    """Broken YAML, an entry without an id, a file in no place."""
    old = [EvidenceFile("statements/a.yaml", "- id: [\n"), EvidenceFile("nowhere/b.yaml", "id: b\n")]
    new = [EvidenceFile("statements/c.yaml", "- says: no id\n")]
    with pytest.raises(BadInput) as refused:
        difference(old, new)
    assert {problem.place for problem in refused.value.problems} >= {"statements/a.yaml", "nowhere/b.yaml", "statements/c.yaml"}
