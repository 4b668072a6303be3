"""What fired rules ask for gets its own line, with the rule that asks, and nothing is said twice."""

from datetime import date, datetime

import msgspec

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Act, SafetyRule
from ivigil.patient.record import Record
from ivigil.planning import acts
from ivigil.planning.draft import Constraint, Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.reasons import reasons

CONTEXT = Context("US", date(2026, 11, 21), datetime(2026, 11, 21, 9, 0))


def _rule(about: str, *asked: Act) -> list[Constraint]:
    rule = SafetyRule(id="x", about=about, when=parse_condition("has.x"), say="X.", severity="caution", cites=("s",))
    return [Constraint(rule, act) for act in asked]


def _lines(*constraints: Constraint, **more: object) -> dict[str, str]:
    draft = msgspec.structs.replace(Draft(Record(id="p"), Facts(), constraints=tuple(constraints)), **more)
    return {line.id: line.text for line in acts.step(draft, Evidence(), CONTEXT).lines}


def test_two_rules_share_one_line_that_names_both() -> None:
    """Kidney injury and a recent clot both ask for another route: one line, both reasons."""
    other_route = Act(act="consider-route", route="subcutaneous")
    lines = _lines(*_rule("Kidney injury", other_route), *_rule("Recent clot", other_route))
    assert lines == {"product.route": "Consider the subcutaneous route (kidney injury and recent clot)."}


def test_a_second_opinion_names_whom_to_ask() -> None:
    """The specialist stands in the line; an abbreviation in the reason keeps its capitals."""
    lines = _lines(*_rule("IgA deficiency", Act(act="second-opinion", who="immunology")))
    assert lines == {"safety.opinion": "Ask before giving it: immunology (IgA deficiency)."}


def test_watching_ends_on_a_date() -> None:
    """Day 14 after 21 November is 5 December; 48 h after it is the 23rd."""
    lines = _lines(*_rule("Thrombosis", Act(act="watch", duration="signs of a clot", until="day 14")),
                   *_rule("Migraine", Act(act="watch", duration="severe headache", until="48 h")))
    assert "until day 14 (5 Dec 2026)" in lines["monitoring.watch"]
    assert "until 48 h (23 Nov 2026)" in lines["monitoring.watch"]


def test_what_a_preparation_line_says_is_not_said_again() -> None:
    """A hydration line makes the rules' hydrate act silent; without it the act speaks."""
    asked = _rule("Kidney injury", Act(act="hydrate", before="infusion"))
    said = Line("hydration.saline", "hydration", "give", "info", "Saline.", reasons(Evidence(), Facts(), cites=("s",)))
    assert "hydration.first" in _lines(*asked)
    assert "hydration.first" not in _lines(*asked, lines=(said,))


def test_facts_a_rule_asks_for_become_questions_only_while_unknown() -> None:
    """The blood group is asked when it is not on record, and not when it is."""
    constraint, = _rule("Blood group", Act(act="ask", fact="blood_group"))
    unknown = acts.step(Draft(Record(id="p"), Facts(), constraints=(constraint,)), Evidence(), CONTEXT)
    known = acts.step(Draft(Record(id="p"), Facts([Fact("blood_group", "A", Origin("record"))]), constraints=(constraint,)), Evidence(), CONTEXT)
    assert (unknown.undecided, known.undecided) == ((("x", ("blood_group",), "caution"),), ())


def test_a_blocked_plan_keeps_only_safety_and_product_acts() -> None:
    """Nothing is prepared or watched for an infusion that must not be given."""
    lines = _lines(*_rule("X", Act(act="second-opinion", who="allergy"), Act(act="hydrate"), Act(act="watch", duration="rash", until="day 2")), blocked=("x",))
    assert set(lines) == {"safety.opinion"}
