"""What to tell the patient, in plain words: before, on the day, after, vaccines, and when to call."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.basis.because import Urgency
from ivigil.basis.quantity import Quantity
from ivigil.evidence.care import Advice
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route, SafetyRule
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.product_facts import planned_route
from ivigil.planning.reasons import reasons

TOPICS = ("before", "day", "after", "home", "how-it-works", "vaccines", "when-to-call", "red-flag")


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """One line per topic; nothing for a plan that must not be given, or without an indication."""
    if draft.blocked or draft.indication is None:
        return draft
    return draft.saying(*_topics(draft, evidence, context), *_told_by_rules(draft, evidence))


def _topics(draft: Draft, evidence: Evidence, context: Context) -> Iterable[Line]:
    places = {*evidence.places(context.jurisdiction), ""}
    route = planned_route(draft)
    observed = next((line.value for line in draft.lines if line.id == "monitoring.observe"), None)
    for topic in TOPICS:
        fitting = [entry for entry in evidence.advice_on.get(topic, ()) if entry.jurisdiction in places and _fits(entry, draft, route, observed)]
        if fitting:
            urgency: Urgency = "warning" if topic == "red-flag" else "info"
            yield Line(f"advice.{topic}", "advice", "tell", urgency, " ".join(entry.say for entry in fitting),
                       reasons(evidence, draft.facts, cites=tuple(cite for entry in fitting for cite in entry.cites), entries=fitting))


def _fits(entry: Advice, draft: Draft, route: Route, observed: Quantity | None) -> bool:
    if entry.indications and (draft.indication is None or draft.indication.id not in entry.indications):
        return False
    if entry.routes and route not in entry.routes:
        return False
    if entry.observe is not None and (observed is None or observed.canonical != entry.observe.canonical):
        return False
    return entry.when is None or truth_of(entry.when, draft.facts) is True


def _told_by_rules(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    told: dict[str, SafetyRule] = {}
    for constraint in draft.constraints:
        if constraint.act.act == "tell" and constraint.act.say:
            told.setdefault(constraint.act.say, constraint.rule)
    if told:
        yield Line("advice.for-you", "advice", "tell", "info", " ".join(told),
                   reasons(evidence, draft.facts, cites=tuple(cite for rule in told.values() for cite in rule.cites), entries=told.values()))
