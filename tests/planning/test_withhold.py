"""--least-review: amounts that rest on unreviewed evidence are withheld, what protects stays."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import pytest
from tests.plans import golden

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.review import WEAKEST_FIRST
from ivigil.evidence.shapes import Verdict
from ivigil.patient.read import read_record
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

_DAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


def _plan(evidence: Evidence, least: str, name: str = "dermatomyositis-us") -> Plan:
    (record,) = read_record(golden.PATIENTS / f"{name}.yaml", evidence.facts, {one.id: one.codes for one in evidence.products.values()})
    context = msgspec.convert({"jurisdiction": "US", "as_of": _DAY, "start": datetime(2026, 11, 20, 9), "least_review": least}, Context)
    return plan(record, evidence, context)


def _approved(evidence: Evidence, names: set[str]) -> Evidence:
    verdicts = tuple(Verdict(status="approved", by=name, date="2026-11-20") for name in ("A", "B"))
    statements = {name: msgspec.structs.replace(one, reviews=verdicts) if name in names else one for name, one in evidence.statements.items()}
    return msgspec.structs.replace(evidence, statements=statements)


@pytest.mark.parametrize("least", ["rejected", "submitted"])
def test_nothing_is_withheld_unless_asked(evidence: Evidence, least: str) -> None:
    """The evidence is submitted, so asking for submitted evidence shows all that no one rejected."""
    made = _plan(evidence, least)
    assert made.line("review.withheld") is None
    assert made.line("course.days") is not None


def test_amounts_go_and_warnings_stay(evidence: Evidence) -> None:
    """Without any approval no dose, rate or vial is shown, and every warning without an amount is; the plan says so and is not complete."""
    whole, left = _plan(evidence, "rejected"), _plan(evidence, "approved")
    told = left.line("review.withheld")
    assert told is not None
    assert told.urgency == "warning"
    assert left.status == "needs-answers"
    shown = {line.id for line in left.lines}
    assert not shown & {"dose.regimen", "course.days", "vials.choice", "infusion.start", "infusion.day-1"}
    protecting = {line.id for line in whole.lines if line.urgency == "critical" or line.act == "avoid" or (line.urgency == "warning" and line.act == "check")}
    assert protecting
    assert protecting <= shown
    assert len(whole.lines) - len(left.lines) + 1 == int(told.text.split()[0])


def test_where_to_give_it_is_no_amount(evidence: Evidence) -> None:
    """A warning to give it in a staffed place chooses a place, no amount: it stays, as every warning does that gives nothing."""
    whole, left = _plan(evidence, "rejected"), _plan(evidence, "approved")
    place = whole.line("infusion.place")
    assert place is not None
    assert (place.act, place.urgency) == ("choose", "warning")
    assert left.line("infusion.place") is not None
    warned = {line.id for line in whole.lines if line.urgency == "warning" and line.value is None and line.table is None
              and line.section not in {"dosing", "product", "vials"}}
    assert warned <= {line.id for line in left.lines}


def test_references_are_those_of_the_lines_shown(evidence: Evidence) -> None:
    """A withheld line leaves no source behind that nothing cites."""
    left = _plan(evidence, "approved")
    cited = {cite for line in left.lines for cite in line.because.cites}
    cited |= {cite for line in left.lines for other in (*line.because.disputed_by, *line.because.instead_of) for cite in other.cites}
    assert all(set(reference.statements) <= cited for reference in left.references)


def test_approved_statements_bring_their_line_back(evidence: Evidence) -> None:
    """Approving what the dose line rests on shows that line, and not the ones below it that rest on more."""
    whole = _plan(evidence, "rejected")
    dose = whole.line("dose.regimen")
    assert dose is not None
    left = _plan(_approved(evidence, set(dose.because.cites)), "approved")
    assert left.line("dose.regimen") is not None
    assert left.line("infusion.day-1") is None


def test_the_weakest_review_decides(evidence: Evidence) -> None:
    """Of two statements under a line the weaker one counts, for every pair of states."""
    one, two = list(evidence.statements)[:2]
    made = _approved(evidence, {one})
    assert made.support_of((one,)).review == "approved"
    assert made.support_of((one, two)).review == "submitted"
    assert WEAKEST_FIRST.index("rejected") < WEAKEST_FIRST.index("submitted") < WEAKEST_FIRST.index("approved")
