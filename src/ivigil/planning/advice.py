"""What to tell the patient, in plain words: before, on the day, after, vaccines, and when to call."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.basis.because import Urgency
from ivigil.basis.quantity import Quantity
from ivigil.evidence.care import Advice
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Route, SafetyRule
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.product_facts import planned_route
from ivigil.planning.reasons import NO_FACTS, reasons

TOPICS = ("before", "day", "after", "home", "how-it-works", "vaccines", "when-to-call", "red-flag")


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """One line per topic; nothing for a plan that must not be given, or without an indication."""
    if draft.blocked or draft.indication is None:
        return draft
    return draft.saying(*_topics(draft, evidence, context), *_told_by_rules(draft, evidence))


def _topics(draft: Draft, evidence: Evidence, context: Context) -> Iterable[Line]:
    observed = next((line.value for line in draft.lines if line.id == "monitoring.observe"), None)
    indication = draft.indication.id if draft.indication is not None else ""
    for topic, entries in _entries(evidence, context.jurisdiction, indication, planned_route(draft)):
        fitting = tuple([entry.id for entry in entries if _fits(entry, draft, observed)])
        if fitting:
            yield _line(evidence, topic, fitting)


@kept
def _entries(evidence: Evidence, jurisdiction: str, indication: str, route: Route) -> tuple[tuple[str, tuple[Advice, ...]], ...]:
    """The sentences for this place, indication and route, by topic."""
    places = {*evidence.places(jurisdiction), ""}
    return tuple((topic, tuple(entry for entry in evidence.advice_on.get(topic, ()) if entry.jurisdiction in places
                               and (not entry.indications or indication in entry.indications) and (not entry.routes or route in entry.routes)))
                 for topic in TOPICS)


def _fits(entry: Advice, draft: Draft, observed: Quantity | None) -> bool:
    if entry.observe is not None and (observed is None or observed.canonical != entry.observe.canonical):
        return False
    return entry.when is None or truth_of(entry.when, draft.facts) is True


@kept
def _line(evidence: Evidence, topic: str, names: tuple[str, ...]) -> Line:
    """The sentences of one topic in one line."""
    entries = [evidence.advice[name] for name in names]
    urgency: Urgency = "warning" if topic == "red-flag" else "info"
    return Line(f"advice.{topic}", "advice", "tell", urgency, " ".join(entry.say for entry in entries),
                reasons(evidence, NO_FACTS, cites=tuple(cite for entry in entries for cite in entry.cites), entries=entries))


def _told_by_rules(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    told: dict[str, SafetyRule] = {}
    for constraint in draft.constraints:
        if constraint.act.act == "tell" and constraint.act.say:
            told.setdefault(constraint.act.say, constraint.rule)
    if told:
        yield Line("advice.for-you", "advice", "tell", "info", " ".join(told),
                   reasons(evidence, draft.facts, cites=tuple(cite for rule in told.values() for cite in rule.cites), entries=told.values()))
