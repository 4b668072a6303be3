"""What treatment is measured by: IgG targets side by side, outcome measures, review and stop rules, and tests it disturbs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal

from ivigil.basis.because import Alternative
from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity
from ivigil.evidence.care import ReviewPoint
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.kept import kept, kept_with
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import Indication, Remark
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import NO_FACTS, reasons
from ivigil.planning.wording import day_text

CALENDAR = {"day", "week", "month", "year"}
"""Units that are counted on the calendar; hours and minutes run from a moment."""


def lines(draft: Draft, evidence: Evidence, context: Context) -> Iterable[Line]:
    """Targets always; outcome measures, review, stop rules and disturbed tests only for a treatment that is given."""
    if draft.indication is None:
        return
    yield from _targets(draft, evidence, draft.indication, context)
    if not draft.blocked:
        yield from _outcomes(evidence, draft.indication.id)
        yield from _reviews(draft, evidence, draft.indication, context)
        yield from _interference(draft, evidence)


@kept_with
def _of_here(evidence: Evidence, indication: Indication, about: Literal["targets", "review", "stop"], jurisdiction: str, as_of: date) -> tuple[Remark, ...]:
    """The remarks of an indication that hold at a place."""
    places = {*evidence.places(jurisdiction), "", "international"}
    remarks: tuple[Remark, ...] = getattr(indication, about)
    return tuple(remark for remark in remarks if remark.jurisdiction in places and in_force(remark.valid, as_of))


def _targets(draft: Draft, evidence: Evidence, indication: Indication, context: Context) -> Iterable[Line]:
    """What each authority aims for, nearest first, with the last level; those of other places are shown as such."""
    if indication.purpose != "replacement":
        return
    places = evidence.places(context.jurisdiction)
    targets = [target for target in evidence.targets.values() if target.purpose == "replacement" and not target.superseded_by]
    here = sorted((target for target in targets if target.jurisdiction in {*places, ""}),
                  key=lambda target: places.index(target.jurisdiction) if target.jurisdiction else len(places))
    own = _of_here(evidence, indication, "targets", context.jurisdiction, context.as_of)
    abroad = tuple(Alternative(target.jurisdiction, target.say, target.cites) for target in targets if target not in here)
    if not here and not own:
        return
    level = draft.facts.get("igg")
    known = f" Last IgG {level.value}{f', {day_text(level.origin.on)}' if level.origin.on else ''}." if level is not None else " No IgG level is on record."
    rows = (*((remark.jurisdiction or "general", remark.say) for remark in own), *((target.jurisdiction or "general", target.say) for target in here),
            *((f"{other.what} (elsewhere)", other.why) for other in abroad))
    text = f"{(own[0].say if own else here[0].say).rstrip('.')}.{known}"
    cites = (*(cite for remark in own for cite in remark.cites), *(cite for target in here for cite in target.cites))
    yield Line("monitoring.target", "monitoring", "check", "info", text,
               reasons(evidence, draft.facts, cites=cites, uses=("igg",), disputed_by=abroad, entries=(*own, *here)),
               table=Table((Column("Where"), Column("Target")), rows))


@kept
def _outcomes(evidence: Evidence, indication: str) -> tuple[Line, ...]:
    found = [outcome for outcome in evidence.outcomes.values() if indication in outcome.indications]
    if not found:
        return ()
    rows = tuple((measure.measure, measure.change or "no smallest change read") for outcome in found for measure in outcome.measures)
    text = " ".join(dict.fromkeys(outcome.say or "Record these at baseline and at review." for outcome in found))
    return (Line("monitoring.outcomes", "monitoring", "record", "info", text,
                 reasons(evidence, NO_FACTS, cites=tuple(cite for outcome in found for cite in outcome.cites), rule=found[0].id, entries=found),
                 table=Table((Column("Measure"), Column("Change that matters")), rows)),)


def _reviews(draft: Draft, evidence: Evidence, indication: Indication, context: Context) -> Iterable[Line]:
    """The review points of the indication, and the general ones of a treatment that goes on where they name no date; the earliest date counts."""
    own: list[Remark | ReviewPoint] = list(_of_here(evidence, indication, "review", context.jurisdiction, context.as_of))
    general = _general_reviews(evidence, indication.id)
    goes_on = (draft.dose is not None and draft.dose.every is not None) or (draft.regimen is not None and draft.regimen.phase in {"maintenance", "replacement"})
    used = own if any(point.at is not None for point in own) or not goes_on else [*own, *general]
    if used:
        when = min((_reached(context.start, point.at) for point in used if point.at is not None), default=None)
        text = " ".join(dict.fromkeys(f"{point.say.rstrip('.')}." for point in used)) + (f" First review by {day_text(when)}." if when is not None else "")
        others = tuple(Alternative("general review point", point.say, point.cites) for point in general if used is own)
        yield Line("monitoring.review", "monitoring", "check", "info", text,
                   reasons(evidence, draft.facts, cites=tuple(cite for point in used for cite in point.cites), instead_of=others, entries=used), when=when)
    yield from _stops(evidence, indication, context.jurisdiction, context.as_of)


@kept_with
def _stops(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[Line, ...]:
    stops = _of_here(evidence, indication, "stop", jurisdiction, as_of)
    if not stops:
        return ()
    return (Line("monitoring.stop", "monitoring", "check", "info", " ".join(f"{remark.say.rstrip('.')}." for remark in stops),
                 reasons(evidence, NO_FACTS, cites=tuple(cite for remark in stops for cite in remark.cites), entries=stops)),)


@kept
def _general_reviews(evidence: Evidence, indication: str) -> tuple[ReviewPoint, ...]:
    return tuple(point for point in evidence.reviews.values() if not point.indications or indication in point.indications)


def _reached(start: datetime, length: Quantity) -> date:
    """The day a time after the start falls on, in calendar units or in hours."""
    return add(start.date(), length) if length.unit in CALENDAR else (start + timedelta(days=length.canonical)).date()


def _interference(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    affected = tuple([entry.id for entry in evidence.interference.values() if entry.when is None or truth_of(entry.when, draft.facts) is not False])
    if affected:
        yield _interference_line(evidence, affected)


@kept
def _interference_line(evidence: Evidence, names: tuple[str, ...]) -> Line:
    affected = [evidence.interference[name] for name in names]
    rows = tuple((entry.test, entry.effect, entry.lasts, entry.advice) for entry in affected)
    return Line("monitoring.interference", "monitoring", "tell", "info", "Tests that immunoglobulin disturbs; tell the laboratory and every clinic.",
                reasons(evidence, NO_FACTS, cites=tuple(cite for entry in affected for cite in entry.cites), entries=affected),
                table=Table((Column("Test"), Column("Effect"), Column("How long"), Column("Advice")), rows))
