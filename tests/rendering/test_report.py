"""Reports about the evidence: readable in a terminal, harmless as Markdown, complete as JSON."""

from __future__ import annotations

import json
from datetime import date

from tests.planning.care_sample import evidence

from ivigil.evidence.coverage import coverage
from ivigil.evidence.disagreements import disagreements
from ivigil.rendering.coverage import coverage_json, coverage_report
from ivigil.rendering.disagreements import disagreements_json, disagreements_report
from ivigil.rendering.report import Report, Section, report_markdown, report_terminal

DAY = date(2026, 11, 20)


def test_text_of_the_evidence_never_becomes_markup() -> None:
    """Pipes, stars and tags of a cell are escaped; control characters go."""
    made = report_markdown(Report("A|B", (), (Section("T", (), ("H",), (("a|b *c* <d>\x1b[0m",),)),)), "<!-- mark -->")
    assert made.startswith("# A\\|B\n\n<!-- mark -->\n")
    assert r"| a\|b \*c\* \<d\>\[0m |" in made


def test_a_table_is_as_wide_as_told() -> None:
    """The last column is wrapped under itself; the rule below the heads is as long as the column."""
    text = report_terminal(Report("T", (), (Section("S", (), ("One", "Words"), (("x" * 30, "word " * 30),)),)), 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    rule = next(line for line in text.splitlines() if line.startswith("  ---"))
    assert rule.split()[0] == "-" * 30


def test_counts_come_before_the_long_lists() -> None:
    """A reader of the page meets the summaries first; the terminal leaves the long lists out and says where they are."""
    made = coverage(evidence(), DAY, {})
    full = [section.title for section in coverage_report(made, full=True).sections]
    short = [section.title for section in coverage_report(made, full=False).sections]
    assert full[:len(short)] == short
    assert {"Indications by authority", "Products by field", "Not read: indications"} <= set(full) - set(short)
    assert "--format markdown" in report_terminal(coverage_report(made, full=False), 100)


def test_the_terminal_matrix_fits_a_hundred_columns() -> None:
    """Cells lose their spaces there."""
    text = report_terminal(coverage_report(coverage(evidence(), DAY), full=False), 100)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "  gbs " in text
    assert "S-D-" in text


def test_every_disagreement_and_position_is_on_the_page() -> None:
    """Nothing is cut: each id, each statement and how it was read."""
    found = disagreements(evidence(), DAY)
    page = report_markdown(disagreements_report(found, DAY.isoformat(), {})).replace("\\", "")
    for one in found:
        assert f"{one.id}: " in page
        for position in one.positions:
            assert ", ".join(position.cites) in page


def test_json_carries_everything() -> None:
    """Schema, version, day, and every list as data."""
    found = disagreements(evidence(), DAY)
    listed = json.loads(disagreements_json(found, evidence().version, DAY.isoformat()))
    assert (listed["schema"], listed["version"], len(listed["disagreements"])) == ("ivigil.disagreements/1", evidence().version, len(found))
    made = coverage(evidence(), DAY, {})
    whole = json.loads(coverage_json(made))
    assert (whole["schema"], whole["as_of"]) == ("ivigil.coverage/1", "2026-11-20")
    assert sum(len(gap["texts"]) for gap in whole["gaps"]) == sum(len(gap.texts) for gap in made.gaps)
