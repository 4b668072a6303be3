"""What is watched before, during and after: vital signs, laboratory tests with dates, thresholds, targets, review."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import msgspec

from ivigil.basis.because import Alternative
from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.care import Monitoring, Vitals, When
from ivigil.evidence.conditions import judge
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, NotRaised, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text, days_text, listed


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Lines in the order of the day: tests before, vital signs during, tests after with dates, then thresholds, targets and review."""
    if draft.indication is None:
        return draft
    places = evidence.places(context.jurisdiction)
    before, draft = _tests(draft, evidence, context, "before")
    during, draft = _tests(draft, evidence, context, "during")
    after, draft = _tests(draft, evidence, context, "after")
    watched = {test for rule, _ in (*before, *during, *after) for test in rule.tests}
    draft = draft.saying(*(line for _, line in before))
    if not draft.blocked:
        draft = draft.saying(*_vitals(draft, evidence, places))
    draft = draft.saying(*(line for _, line in (*during, *after)), *_from_rules(draft, evidence, watched, context))
    draft = draft.saying(*_thresholds(draft, evidence, watched), *_targets(draft, evidence, places), *_outcomes(draft, evidence))
    return draft.saying(*_reviews(draft, evidence, places, context), *_interference(draft, evidence))


def _tests(draft: Draft, evidence: Evidence, context: Context, phase: str) -> tuple[list[tuple[Monitoring, Line]], Draft]:
    found: list[tuple[Monitoring, Line]] = []
    places = set(evidence.places(context.jurisdiction))
    assert draft.indication is not None
    for rule in evidence.laboratory.values():
        if rule.at != phase or rule.trigger or (rule.indications and draft.indication.id not in rule.indications):
            continue
        if rule.jurisdictions and not places & set(rule.jurisdictions):
            continue
        uses: tuple[str, ...] = ()
        if rule.when is not None:
            verdict = judge(rule.when, draft.facts)
            if verdict.truth is None:
                asked = (rule.id, evidence.underlying(verdict.undecided, draft.facts), "info")
                draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, asked))
            if verdict.truth is False:
                facts = {name: str(draft.facts[name].value) for name in verdict.decided_by}
                miss = NotRaised(rule.id, "Monitoring", "the condition does not hold", facts)
                draft = msgspec.structs.replace(draft, not_raised=(*draft.not_raised, miss))
            if verdict.truth is not True:
                continue
            uses = verdict.decided_by
        found.append((rule, _test_line(rule, draft, evidence, context, uses)))
    return found, draft


def _test_line(rule: Monitoring, draft: Draft, evidence: Evidence, context: Context, uses: Iterable[str]) -> Line:
    on_record = [(evidence.tests[test].name, draft.facts[evidence.tests[test].fact]) for test in rule.tests
                 if evidence.tests[test].fact in draft.facts and rule.at == "before"]
    known = "".join(f" On record: {name} {fact.value}{f', {day_text(fact.origin.on)}' if fact.origin.on else ''}." for name, fact in on_record)
    windows = [window for moment in rule.times if (window := _window(moment, draft, context)) is not None]
    dates = f" ({listed([days_text(*window) for window in windows])})" if windows else ""
    names = listed([evidence.tests[test].name for test in rule.tests])
    because = reasons(evidence, draft.facts, cites=rule.cites, rule=rule.id, reading=rule.reading,
                      uses=(*uses, *(evidence.tests[test].fact for test in rule.tests if rule.at == "before")))
    table = Table((Column("Tests"), Column("What the result would change")), ((names, rule.changes),))
    return Line(f"monitoring.{rule.id.partition('.')[2] or rule.id}", "monitoring", "check", "info", f"{rule.say.rstrip('.')}{dates}.{known}", because,
                when=windows[0][0] if windows else None, table=table)


def last_moment(draft: Draft, context: Context) -> datetime:
    """When the course ends: the end of the last scheduled infusion, else the start time on the last day."""
    if draft.ends is not None:
        return draft.ends
    last = draft.days[-1].on if draft.days else context.start.date()
    return datetime.combine(last, context.start.time())


def _window(moment: When, draft: Draft, context: Context) -> tuple[date, date] | None:
    """The dates of a relative time after the end of the course, or None for times that are not dates."""
    end = last_moment(draft, context)
    span = moment.within or moment.day
    if moment.after and span is not None:
        if moment.day is not None:
            return tuple(end.date() + timedelta(days=int(edge)) for edge in (span.low, span.high))  # type: ignore[return-value]
        return _after(end, span)
    if moment.every is not None and moment.every.unit in {"day", "week", "month", "year"}:
        return _dates(end.date(), moment.every)
    return None


def _after(end: datetime, span: Span) -> tuple[date, date]:
    edges = [end + timedelta(days=Quantity(edge, span.unit).canonical) for edge in (span.low, span.high)]
    return edges[0].date(), edges[1].date()


def _dates(start: date, span: Span) -> tuple[date, date]:
    return add(start, Quantity(span.low, span.unit)), add(start, Quantity(span.high, span.unit))


def _vitals(draft: Draft, evidence: Evidence, places: tuple[str, ...]) -> Iterable[Line]:
    schedules = list(evidence.vitals.values())
    applied = next((one for one in schedules if one.default), None)
    if applied is None:
        return
    others = tuple(Alternative(one.name, one.say, one.cites) for one in schedules if one is not applied and one.jurisdiction in places)
    yield Line("monitoring.vitals", "monitoring", "check", "info", applied.say,
               reasons(evidence, draft.facts, cites=applied.cites, rule=applied.id, disputed_by=others, reading=applied.reading))
    yield from _observation(applied, draft, evidence)


def _observation(schedule: Vitals, draft: Draft, evidence: Evidence) -> Iterable[Line]:
    verdict = judge(schedule.extra_when, draft.facts) if schedule.extra_when is not None else None
    longer = verdict is not None and verdict.truth is not False and schedule.observe_extra is not None
    wait = schedule.observe_extra if longer else schedule.observe
    if wait is None:
        return
    text = f"Keep the patient under observation for {wait} after the end."
    if longer and schedule.say_extra:
        text = schedule.say_extra
    because = reasons(evidence, draft.facts, cites=schedule.cites, rule=schedule.id, uses=verdict.decided_by if verdict else ())
    yield Line("monitoring.observe", "monitoring", "wait", "info", text, because, value=wait)


def _from_rules(draft: Draft, evidence: Evidence, watched: set[str], context: Context) -> Iterable[Line]:
    """Tests that fired safety rules ask for and no laboratory rule has named yet."""
    wanted: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for constraint in draft.constraints:
        act = constraint.act
        if act.act == "monitor" and act.test and act.test not in watched and act.condition is None:
            wanted.setdefault(act.test, []).append((act.at, constraint.rule.cites))
    for test, asks in wanted.items():
        name = evidence.tests[test].name if test in evidence.tests else test.replace("-", " ")
        times = listed(list(dict.fromkeys(at for at, _ in asks if at)) or ["as the rule says"])
        yield Line(f"monitoring.{test}", "monitoring", "check", "info", f"{name}: {times}.",
                   reasons(evidence, draft.facts, cites=tuple(cite for _, cites in asks for cite in cites)))


def _thresholds(draft: Draft, evidence: Evidence, watched: set[str]) -> Iterable[Line]:
    for threshold in evidence.thresholds.values():
        if threshold.test in watched:
            yield Line(f"monitoring.threshold.{threshold.id}", "monitoring", "check", "info", f"{threshold.name}: {threshold.say} {threshold.then}",
                       reasons(evidence, draft.facts, cites=threshold.cites, rule=threshold.id, reading=threshold.reading))


def _targets(draft: Draft, evidence: Evidence, places: tuple[str, ...]) -> Iterable[Line]:
    assert draft.indication is not None
    if draft.indication.purpose != "replacement":
        return
    targets = [target for target in evidence.targets.values() if target.purpose == "replacement" and not target.superseded_by]
    here = [target for target in targets if target.jurisdiction in {*places, ""}]
    own = [remark for remark in draft.indication.targets if remark.jurisdiction in {*places, "", "international"}]
    if not here and not own:
        return
    abroad = tuple(Alternative(target.jurisdiction, target.say, target.cites) for target in targets if target not in here)
    cites = (*(cite for remark in own for cite in remark.cites), *(cite for target in here for cite in target.cites))
    nearest_first = sorted(here, key=lambda target: places.index(target.jurisdiction) if target.jurisdiction in places else len(places))
    text = " ".join([remark.say for remark in own] or [target.say for target in nearest_first])
    level = draft.facts.get("igg")
    known = f" Last IgG {level.value}{f' on {day_text(level.origin.on)}' if level.origin.on else ''}." if level is not None else ""
    yield Line("monitoring.target", "monitoring", "check", "info", text + known, reasons(evidence, draft.facts, cites=cites, uses=("igg",), disputed_by=abroad))


def _outcomes(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    assert draft.indication is not None
    for outcome in evidence.outcomes.values():
        if draft.indication.id in outcome.indications:
            rows = tuple((measure.measure, measure.change or "no smallest change read") for measure in outcome.measures)
            yield Line("monitoring.outcomes", "monitoring", "record", "info", outcome.say or "Record these at baseline and at review.",
                       reasons(evidence, draft.facts, cites=outcome.cites, rule=outcome.id), table=Table((Column("Measure"), Column("Change that matters")), rows))


def _reviews(draft: Draft, evidence: Evidence, places: tuple[str, ...], context: Context) -> Iterable[Line]:
    assert draft.indication is not None
    start = context.start.date()
    own = [remark for remark in draft.indication.review if remark.jurisdiction in {*places, "", "international"} and in_force(remark.valid, context.as_of)]
    general = [point for point in evidence.reviews.values() if not point.indications or draft.indication.id in point.indications]
    dated = [(remark.say, remark.at, remark.cites) for remark in own] or [(point.say, point.at, point.cites) for point in general]
    if dated:
        when = min((_due(start, at) for _, at, _ in dated if at is not None), default=None)
        text = " ".join(say for say, _, _ in dated) + (f" First review by {day_text(when)}." if when is not None else "")
        others = tuple(Alternative("ivigil default policy", point.say, point.cites) for point in general) if own else ()
        yield Line("monitoring.review", "monitoring", "check", "info", text,
                   reasons(evidence, draft.facts, cites=tuple(cite for _, _, cites in dated for cite in cites), instead_of=others), when=when)
    stops = [remark for remark in draft.indication.stop if remark.jurisdiction in {*places, "", "international"}]
    if stops:
        yield Line("monitoring.stop", "monitoring", "check", "info", " ".join(remark.say for remark in stops),
                   reasons(evidence, draft.facts, cites=tuple(cite for remark in stops for cite in remark.cites)))


def _due(start: date, at: Quantity) -> date:
    """The date of a review: hours and days as elapsed time, months and years on the calendar."""
    return add(start, at) if at.unit in {"week", "month", "year"} else start + timedelta(days=at.canonical)


def _interference(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    affected = [entry for entry in evidence.interference.values() if entry.when is None or judge(entry.when, draft.facts).truth is not False]
    if affected and not draft.blocked:
        rows = tuple((entry.test, entry.effect, entry.lasts, entry.advice) for entry in affected)
        yield Line("monitoring.interference", "monitoring", "tell", "info", "Tests that immunoglobulin disturbs; tell the laboratory and every clinic.",
                   reasons(evidence, draft.facts, cites=tuple(cite for entry in affected for cite in entry.cites)),
                   table=Table((Column("Test"), Column("Effect"), Column("How long"), Column("Advice")), rows))
