"""What is watched before, during and after: vital signs, laboratory tests with dates, thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

import msgspec

from ivigil.basis.because import Alternative, UsedFact
from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity, Span, UnitProblem, parse_quantity, parse_span
from ivigil.evidence.care import Monitoring, Test, Vitals, When
from ivigil.evidence.conditions import judge, truth_of
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import SafetyRule
from ivigil.planning import follow_up
from ivigil.planning.draft import Context, Draft
from ivigil.planning.follow_up import CALENDAR
from ivigil.planning.line import Column, Line, NotRaised, Table
from ivigil.planning.product_facts import planned_route
from ivigil.planning.reasons import NO_FACTS, reasons, shown, texts
from ivigil.planning.safety import leaf_facts
from ivigil.planning.wording import day_text, days_text, listed

_TEST_COLUMNS = (Column("Tests"), Column("What the result would change"))


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Lines in the order of the day: tests before, vital signs, tests during and after with dates, then thresholds, targets and review.

    A blocked plan keeps the tests before, which may settle it, and the targets; nothing is dated after an infusion that is not given.
    """
    if draft.indication is None:
        return draft
    rules: list[tuple[Monitoring, Line]] = []
    for phase in ("before",) if draft.blocked else ("before", "during", "after"):
        found, draft = _tests(draft, evidence, context, phase)
        draft = draft.saying(*(line for _, line in found))
        rules.extend(found)
        if phase == "before" and not draft.blocked:
            draft = draft.saying(*_vitals(draft, evidence, context))
    asked = () if draft.blocked else tuple(_from_rules(draft, evidence, context, [rule for rule, _ in rules]))
    watched = {test for rule, _ in rules for test in rule.tests} | {act.act.test for act in draft.constraints if act.act.act == "monitor"}
    draft = draft.saying(*(line for _, line in asked), *(() if draft.blocked else _thresholds(evidence, watched)))
    return draft.saying(*follow_up.lines(draft, evidence, context))


def _tests(draft: Draft, evidence: Evidence, context: Context, phase: str) -> tuple[list[tuple[Monitoring, Line]], Draft]:
    found: list[tuple[Monitoring, Line]] = []
    undecided: list[tuple[str, tuple[str, ...], str]] = []
    silent: list[NotRaised] = []
    assert draft.indication is not None
    for rule in _laboratory(evidence, phase, draft.indication.id, context.jurisdiction):
        uses: tuple[str, ...] = ()
        if rule.when is not None:
            verdict = judge(rule.when, draft.facts)
            if verdict.truth is None:
                undecided.append((rule.id, evidence.underlying(verdict.undecided, draft.facts), "info"))
            if verdict.truth is False:
                silent.append(NotRaised(rule.id, "Monitoring", "the condition does not hold", texts(draft.facts, verdict.decided_by)))
            if verdict.truth is not True:
                continue
            uses = leaf_facts(verdict.decided_by, draft.facts, evidence)
        found.append((rule, _test_line(rule, draft, evidence, context, uses)))
    return found, msgspec.structs.replace(draft, undecided=(*draft.undecided, *undecided), not_raised=(*draft.not_raised, *silent))


@kept
def _laboratory(evidence: Evidence, phase: str, indication: str, jurisdiction: str) -> tuple[Monitoring, ...]:
    """The rules on tests of one phase that speak of an indication and a place."""
    places = evidence.places(jurisdiction)
    return tuple(rule for rule in evidence.laboratory.values() if rule.at == phase and (not rule.indications or indication in rule.indications)
                 and (not rule.jurisdictions or not set(places).isdisjoint(rule.jurisdictions)))


class _Asked(msgspec.Struct, frozen=True):
    """What a rule on tests comes to whoever the patient is: its line and sentence, the facts its tests give, and its table."""

    line: str
    say: str
    measured: tuple[str, ...]
    table: Table
    tests: tuple[Test, ...]


@kept
def _asked(evidence: Evidence, name: str) -> _Asked:
    rule = evidence.laboratory[name]
    tests, measured = evidence.measures[name]
    return _Asked(f"monitoring.{name.partition('.')[2] or name}", rule.say.rstrip("."), measured if rule.at == "before" else (),
                  Table(_TEST_COLUMNS, ((listed(tests), rule.changes),)), tuple(evidence.tests[test] for test in rule.tests))


def _test_line(rule: Monitoring, draft: Draft, evidence: Evidence, context: Context, uses: Iterable[str]) -> Line:
    asked = _asked(evidence, rule.id)
    facts = draft.facts.by_id
    measured = [fact for fact in asked.measured if fact in facts]
    known = "".join([f" On record: {evidence.labels.get(fact, fact)} {_on_record(shown(facts[fact], draft.facts))}." for fact in measured])
    windows = [] if rule.trigger else [window for moment in rule.times if (window := _window(moment, draft, context)) is not None]
    dates = f" ({listed([days_text(*window) for window in windows])})" if windows else ""
    because = reasons(evidence, draft.facts, cites=rule.cites, rule=rule.id, reading=rule.reading, uses=(*uses, *asked.measured), entries=asked.tests)
    return Line(asked.line, "monitoring", "check", "info", f"{asked.say}{dates}.{known}", because,
                when=min([first for first, _ in windows], default=None), table=asked.table)


def _on_record(fact: UsedFact) -> str:
    return f"{fact.value}{f', {day_text(fact.on)}' if fact.on else ''}{', out of date' if fact.stale else ''}"


def last_moment(draft: Draft, context: Context) -> datetime:
    """When the course ends: the end of the last scheduled infusion, else the start time on the last day."""
    if draft.ends is not None:
        return draft.ends
    last = draft.days[-1].on if draft.days else context.start.date()
    return datetime.combine(last, context.start.time())


def _window(moment: When, draft: Draft, context: Context) -> tuple[date, date] | None:
    """The first and last date of a relative time, or None for times that are not dates of this course."""
    end = last_moment(draft, context)
    if moment.after == "end" and moment.day is not None:
        return end.date() + timedelta(days=int(moment.day.low)), end.date() + timedelta(days=int(moment.day.high))
    if moment.after and moment.within is not None:
        begins = _begins(moment.after, end, draft, context)
        return None if begins is None else _dates(begins, moment.within)
    if moment.every is not None and moment.every.unit in CALENDAR:
        return _dates(end, moment.every)
    return None


def _begins(after: str, end: datetime, draft: Draft, context: Context) -> datetime | None:
    """What a time is counted from: the end of the course, the first dose where this is it, or the last trough on record."""
    if after == "end":
        return end
    if after == "first dose":
        return context.start if draft.facts.flag("ig.first_ever") else None
    level = draft.facts.get("igg") if after == "last trough" else None
    return datetime.combine(level.origin.on, context.start.time()) if level is not None and level.origin.on is not None else None


def _dates(begins: datetime, span: Span) -> tuple[date, date]:
    """A single length (within 24 h) begins at once, a range (24-48 h) at its lower end."""
    edges = (span.high if span.unit in CALENDAR else 0.0, span.high) if span.single else (span.low, span.high)
    if span.unit in CALENDAR:
        return add(begins.date(), Quantity(edges[0], span.unit)), add(begins.date(), Quantity(edges[1], span.unit))
    first, last = (begins + timedelta(days=Quantity(edge, span.unit).canonical) for edge in edges)
    return first.date(), last.date()


def _vitals(draft: Draft, evidence: Evidence, context: Context) -> Iterable[Line]:
    applied = next((one for one in evidence.vitals.values() if one.default), None)
    if applied is None:
        return
    if not applied.routes or planned_route(draft) in applied.routes:
        yield _vitals_line(evidence, applied.id, context.jurisdiction)
    yield from _observation(applied, draft, evidence)


@kept
def _vitals_line(evidence: Evidence, name: str, jurisdiction: str) -> Line:
    applied, places = evidence.vitals[name], evidence.places(jurisdiction)
    others = tuple(Alternative(one.name, one.say, one.cites) for one in evidence.vitals.values() if one is not applied and one.jurisdiction in places)
    return Line("monitoring.vitals", "monitoring", "check", "info", applied.say,
                reasons(evidence, NO_FACTS, cites=applied.cites, rule=applied.id, disputed_by=others, reading=applied.reading))


def _observation(schedule: Vitals, draft: Draft, evidence: Evidence) -> Iterable[Line]:
    """The longer observation for patients who need it, and for those of whom it is not known; a fired rule may ask for more."""
    verdict = judge(schedule.extra_when, draft.facts) if schedule.extra_when is not None else None
    longer = verdict is not None and verdict.truth is not False and schedule.observe_extra is not None
    wait = schedule.observe_extra if longer else schedule.observe
    asked = [(length, one.rule) for one in draft.constraints if one.act.act == "observe" and (length := _length(one.act.duration)) is not None]
    longest = max(asked, key=lambda item: item[0].canonical, default=None)
    text = schedule.say_extra if longer and schedule.say_extra else f"Keep the patient under observation for {wait} after the end."
    cites = schedule.cites
    entries: tuple[object, ...] = ()
    if longest is not None and (wait is None or longest[0].canonical > wait.canonical):
        wait, rule = longest
        entries = (rule,)
        text, cites = f"Keep the patient under observation for {wait} after the end.", (*cites, *rule.cites)
    elif longer and verdict is not None and verdict.truth is None:
        unknown = evidence.underlying(verdict.undecided, draft.facts)[:1]
        text = f"{text} The longer time holds because not all is known ({listed([evidence.labels.get(name, name) for name in unknown]).lower()})."
    if wait is not None:
        uses = leaf_facts(verdict.decided_by, draft.facts, evidence) if verdict is not None else ()
        because = reasons(evidence, draft.facts, cites=cites, rule=schedule.id, uses=uses, entries=entries)
        yield Line("monitoring.observe", "monitoring", "wait", "info", text, because, value=wait)


def _length(written: str) -> Quantity | None:
    try:
        return parse_quantity(written)
    except UnitProblem:
        return None


_IN_WORDS = {"before": "before the infusion", "during": "during the infusion", "": "as the rule says"}


def _from_rules(draft: Draft, evidence: Evidence, context: Context, laboratory: list[Monitoring]) -> Iterable[tuple[str, Line]]:
    """Tests that fired safety rules ask for at a time that no laboratory rule names for them, with dates."""
    asking = [constraint for constraint in draft.constraints if constraint.act.act == "monitor" and constraint.act.test]
    covered = {covering for rule in laboratory for covering in _covering(evidence, rule.id)}
    wanted: dict[str, dict[str, tuple[SafetyRule, ...]]] = {}
    for constraint in asking:
        act = constraint.act
        possible = act.condition is None or truth_of(act.condition, draft.facts) is True
        if possible and (_measured(act.test, evidence), act.at) not in covered:
            times = wanted.setdefault(act.test, {})
            times[act.at] = (*times.get(act.at, ()), constraint.rule)
    for test, times in wanted.items():
        name = evidence.tests[test].name if test in evidence.tests else test.replace("-", " ")
        parts, first = [], None
        for at in times:
            window = _window(_moment(at), draft, context)
            first = window[0] if window is not None and (first is None or window[0] < first) else first
            parts.append(f"{at} after the end ({days_text(*window)})" if window is not None else _IN_WORDS.get(at, at))
        yield test, Line(f"monitoring.rule.{test}", "monitoring", "check", "info", f"{name}: {listed(parts)}.",
                         reasons(evidence, draft.facts, cites=tuple(cite for rules in times.values() for rule in rules for cite in rule.cites),
                                 entries=[rule for rules in times.values() for rule in rules]), when=first)


@kept
def _covering(evidence: Evidence, name: str) -> tuple[tuple[str, str], ...]:
    """What a rule on tests measures, and when."""
    rule = evidence.laboratory[name]
    return tuple((_measured(test, evidence), time) for test in rule.tests for time in (rule.at, *map(_written, rule.times)))


def _measured(test: str, evidence: Evidence) -> str:
    """Two tests that give the same fact are the same measurement."""
    return (evidence.tests[test].fact or test) if test in evidence.tests else test


def _written(moment: When) -> str:
    """A time as safety rules write it: ``36-96 h``, ``day 5-10``, ``next visit``."""
    return moment.at or (f"day {moment.day}" if moment.day is not None else str(moment.within) if moment.within is not None else "")


@lru_cache(maxsize=256)
def _moment(written: str) -> When:
    """The time a safety rule writes; what is no span stays words."""
    try:
        if re.fullmatch(r"day [0-9-]+", written):
            return When(after="end", day=parse_span(written.removeprefix("day ")))
        return When(after="end", within=parse_span(written))
    except UnitProblem:
        return When(at=written)


def _thresholds(evidence: Evidence, watched: set[str]) -> Iterable[Line]:
    return (line for test, line in _threshold_lines(evidence) if test in watched)


@kept
def _threshold_lines(evidence: Evidence) -> tuple[tuple[str, Line], ...]:
    """Every threshold as a line, with its test."""
    return tuple((one.test, Line(f"monitoring.threshold.{one.id}", "monitoring", "check", "info", f"{one.name}: {one.say} {one.then}",
                                 reasons(evidence, NO_FACTS, cites=one.cites, rule=one.id, reading=one.reading)))
                 for one in evidence.thresholds.values())
