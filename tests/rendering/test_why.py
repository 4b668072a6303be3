"""The tree of reasons reaches the record field and the place in the source."""

from __future__ import annotations

import msgspec
import pytest
from tests.rendering.sample import LINES, plan

from ivigil.basis.because import Because
from ivigil.basis.problems import BadInput
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Source, Statement
from ivigil.rendering.why import why_text

EVIDENCE = Evidence(
    sources={"label": Source(id="label", kind="product-label", title="Example label", publisher="Maker", where="set id 1")},
    statements={"label.itp": Statement(id="label.itp", source="label", where="dosage table, row 3", says="1 g/kg on 2 days.", read="seen", readings=2)},
)


def test_a_line_down_to_field_and_place() -> None:
    """Value, origin, calculation, statement, place, reading: all in one tree."""
    text = why_text(plan(), "dose.per_day", EVIDENCE)
    for part in ("4. dose.per_day", "1 g/kg x 70 kg = 70 g", "70 kg, from weights[0] of 2026-11-18", "1 g/kg on 2 days.", "Example label, Maker",
                 "place: dosage table, row 3", "two readings agree; review: submitted", "considered and not taken", "written otherwise by", "3. dose.weight"):
        assert part in text


def test_without_evidence_the_references_of_the_plan_are_used() -> None:
    """A saved plan explains itself."""
    assert "Example immunoglobulin, prescribing information, Maker, 2022" in why_text(plan(), "dose.per_day")


def test_the_printed_number_names_the_line_too() -> None:
    """Two people with the printed plan can say 'line 4'."""
    assert why_text(plan(), "4") == why_text(plan(), "dose.per_day")


def test_a_rule_names_its_lines() -> None:
    """Rules that fired lead to what they raised."""
    assert "5. safety.renal-risk" in why_text(plan(), "renal-risk")


def test_a_rule_not_raised_says_why_not() -> None:
    """Silence can be audited."""
    text = why_text(plan(), "haemolysis-group")
    assert "not raised because blood group is O" in text
    assert "blood_group: O" in text


def test_an_undecided_rule_leads_to_its_question() -> None:
    """What waits for an answer says which."""
    text = why_text(plan(), "haemolysis-risk")
    assert "judged and not decided" in text
    assert "Which blood group does the patient have?" in text


def test_an_unknown_id_suggests_near_ones() -> None:
    """A slip of the finger is not a dead end."""
    with pytest.raises(BadInput, match=r"did you mean dose\.per_day"):
        why_text(plan(), "dose.perday")


def test_lines_that_follow_from_one_another_end() -> None:
    """A circle in the reasons is shown once, not for ever."""
    one = msgspec.structs.replace(LINES[0], id="a", because=Because(calculation="b", follows=("b",)))
    two = msgspec.structs.replace(LINES[0], id="b", because=Because(calculation="a", follows=("a",)))
    assert "shown above" in why_text(plan(lines=(one, two)), "a")


def test_long_sentences_wrap_inside_the_tree() -> None:
    """The tree fits the width."""
    assert max(len(line) for line in why_text(plan(), "dose.per_day", EVIDENCE, 80).splitlines()) <= 80
