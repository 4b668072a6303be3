"""Finds the indication and shows where each authority stands; stops the plan where the authority in force advises against it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ivigil.basis.because import Alternative
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.evidence.conditions import judge, written
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import elsewhere, in_force, nearest
from ivigil.evidence.shapes import Criterion, Indication, Standing
from ivigil.patient.record import Record
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.safety import OVERRIDE_POLICY, override_for

_NOT_NAMED = "ivigil-policy.indication-named"
_GAPS = "ivigil-policy.gaps-shown"


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Settle the indication, its standing per authority, its criteria and its population."""
    found = find_indications(draft.record, evidence, context.indication)
    if len(found) != 1:
        return _not_settled(draft, evidence, found, context)
    indication = evidence.indications[found[0]]
    places = evidence.places(context.jurisdiction)
    here = nearest(indication.standing, places, context.as_of)
    other = elsewhere(indication.standing, places, context.as_of)
    draft = msgspec.structs.replace(draft, indication=indication, facts=_named(draft, indication, context))
    draft = draft.saying(_standing_line(draft, evidence, indication, here, other))
    draft = _refused(draft, evidence, indication, here, other)
    draft = _criteria(draft, evidence, indication, places, context)
    return draft.saying(*_remarks(draft, evidence, indication, places, context))


def _named(draft: Draft, indication: Indication, context: Context) -> Facts:
    """The facts with the settled indication by its id, whoever named it and however: rules compare ids."""
    known = draft.facts.get("order.indication")
    if known is not None and known.value == indication.id:
        return draft.facts
    origin = Origin("request") if context.indication else known.origin if known is not None else Origin("problem list")
    return draft.facts.having([Fact("order.indication", indication.id, origin)])


def find_indications(record: Record, evidence: Evidence, asked: str = "") -> list[str]:
    """The ids of the indications meant: by the request, else the order, else by the codes and names of active conditions.

    A request matches an id, any name or synonym, or a code. Among conditions on record, one that nobody treats with immunoglobulin (asthma) is
    meant only when no other is. Several ids mean that the caller has to ask.
    """
    wanted = asked or record.order.indication
    if wanted:
        return evidence.indications_called(wanted)
    found: dict[str, None] = {}
    for condition in record.conditions:
        if condition.status == "active" and condition.verified in {"confirmed", "provisional"}:
            for key in (*(code.code for code in condition.codes), condition.name):
                found.update(dict.fromkeys(evidence.indications_called(key) if key else ()))
    return [name for name in found if evidence.indications[name].purpose != "none"] or list(found)


def _not_settled(draft: Draft, evidence: Evidence, found: list[str], context: Context) -> Draft:
    asked = context.indication or draft.record.order.indication
    if found:
        names = ", ".join(f"{evidence.indications[name].name.clinical} ({name})" for name in found)
        text = f"More than one indication fits: {names}. Name the one to plan for."
    elif asked:
        text = f"'{asked}' is not an indication in the evidence. Nothing is planned without evidence."
    else:
        text = "No indication is named and no problem on record is one in the evidence. Name the indication."
    line = Line("indication.choose", "indication", "choose", "critical", text, reasons(evidence, draft.facts, cites=(_NOT_NAMED,)))
    return msgspec.structs.replace(draft.saying(line), no_evidence=True)


def _standing_line(draft: Draft, evidence: Evidence, indication: Indication, here: list[Standing], other: list[Standing]) -> Line:
    rows = tuple((evidence.authority(row), row.jurisdiction, row.edition, row.tier or row.verdict, row.verdict) for row in (*here, *other))
    table = Table((Column("Authority"), Column("Where"), Column("Edition"), Column("Says"), Column("Verdict")), rows)
    cites = tuple(cite for row in (*here, *other) for cite in row.cites)
    text = f"{indication.name.clinical}: {_summary(here)}"
    if not cites:
        return Line("indication.standing", "indication", "check", "info", text, reasons(evidence, draft.facts, cites=(_GAPS,)))
    against = tuple(Alternative(evidence.authority(row), f"{row.tier or row.verdict} ({row.jurisdiction})", row.cites)
                    for row in other if here and row.verdict == "against" and any(one.verdict == "supports" for one in here))
    return Line("indication.standing", "indication", "check", "info", text,
                reasons(evidence, draft.facts, cites=cites, disputed_by=against, entries=(*here, *other)), table=table)


def _summary(here: list[Standing]) -> str:
    read = [row for row in here if row.verdict != "not-read"]
    if not read:
        return "no authority of this jurisdiction was read; those of others are shown"
    return "; ".join(dict.fromkeys(f"{row.tier or row.verdict}" for row in read))


def judging(indication: Indication, evidence: Evidence, jurisdiction: str, as_of: date) -> list[Standing]:
    """The standings that decide in a place: its own; international ones where none of its own was read; those elsewhere where neither was."""
    places = evidence.places(jurisdiction)
    return _deciding(nearest(indication.standing, places, as_of), elsewhere(indication.standing, places, as_of))


def _deciding(here: list[Standing], other: list[Standing]) -> list[Standing]:
    own = [row for row in here if row.jurisdiction not in {"international", ""}]
    return next((read for rows in (own, here, other) if (read := [row for row in rows if row.verdict != "not-read"])), [])


def _refused(draft: Draft, evidence: Evidence, indication: Indication, here: list[Standing], other: list[Standing]) -> Draft:
    rows = _deciding(here, other)
    against = [row for row in rows if row.verdict == "against"]
    if not against:
        return draft
    cites = tuple(cite for row in against for cite in row.cites)
    said = "; ".join(f"{evidence.authority(row)} ({row.jurisdiction}): {row.say or row.tier or 'advises against'}" for row in against)
    if len(against) < len(rows):
        line = Line("indication.disputed", "indication", "check", "warning", f"Authorities disagree here. Against: {said}.",
                    reasons(evidence, draft.facts, cites=cites, entries=against))
        return draft.saying(line)
    override = override_for(draft, indication.id, f"indication.{indication.id}")
    line = Line("indication.against", "indication", "avoid", "critical" if override is None else "warning",
                f"Immunoglobulin is advised against for {indication.name.clinical}. {said}.", reasons(evidence, draft.facts, cites=cites, rule=indication.id))
    draft = draft.saying(line)
    if override is None:
        return msgspec.structs.replace(draft, blocked=(*draft.blocked, indication.id))
    recorded = Line("indication.override", "indication", "record", "warning", f"{override.prescriber} goes ahead: {override.reason}",
                    reasons(evidence, draft.facts, cites=(OVERRIDE_POLICY, *cites), entries=against), when=override.on)
    return draft.saying(recorded)


def _criteria(draft: Draft, evidence: Evidence, indication: Indication, places: tuple[str, ...], context: Context) -> Draft:
    criteria = nearest(indication.criteria, places, context.as_of)
    if not criteria:
        return draft
    states = [_criterion_state(criterion, draft) for criterion in criteria]
    rows = tuple((state, criterion.say, evidence.authority(criterion)) for criterion, (state, _) in zip(criteria, states, strict=True))
    unmet = sum(state == "not met" for state, _ in states)
    unknown = sum(state == "unknown" for state, _ in states)
    text = f"Criteria: {len(criteria) - unmet - unknown} met, {unmet} not met, {unknown} unknown."
    cites = tuple(cite for criterion in criteria for cite in criterion.cites)
    uses = tuple(name for _, names in states for name in names)
    line = Line("indication.criteria", "indication", "check", "warning" if unmet else "info", text,
                reasons(evidence, draft.facts, cites=cites, uses=uses, entries=criteria),
                table=Table((Column("State"), Column("Criterion"), Column("Authority")), rows))
    asked = tuple((criterion.id, names or (criterion.id,), "info") for criterion, (state, names) in zip(criteria, states, strict=True) if state == "unknown")
    return msgspec.structs.replace(draft.saying(line), undecided=draft.undecided + asked)


def _criterion_state(criterion: Criterion, draft: Draft) -> tuple[str, tuple[str, ...]]:
    """The state in words and the facts that decide it or are asked for."""
    answer = draft.record.answers.get(criterion.id)
    if answer in {"yes", "no"}:
        return ("met" if answer == "yes" else "not met"), ()
    if criterion.when is None:
        return "unknown", ()
    verdict = judge(criterion.when, draft.facts)
    if verdict.truth is None:
        return "unknown", verdict.undecided
    return ("met" if verdict.truth else "not met"), verdict.decided_by


def _remarks(draft: Draft, evidence: Evidence, indication: Indication, places: tuple[str, ...], context: Context) -> Iterable[Line]:
    if indication.population is not None:
        verdict = judge(indication.population, draft.facts)
        if verdict.truth is False:
            cites = indication.regimens[0].cites if indication.regimens else (_GAPS,)
            yield Line("indication.population", "indication", "check", "warning",
                       f"{indication.name.clinical} is meant for {written(indication.population, evidence.labels)}.",
                       reasons(evidence, draft.facts, cites=cites, uses=verdict.decided_by, entries=(indication,)))
    known = {*places, "", "international"}
    alternatives = [remark for remark in indication.alternatives if in_force(remark.valid, context.as_of) and remark.jurisdiction in known]
    if alternatives:
        cites = tuple(cite for remark in alternatives for cite in remark.cites)
        yield Line("indication.alternatives", "indication", "check", "info", " ".join(f"{remark.say.rstrip('.')}." for remark in alternatives),
                   reasons(evidence, draft.facts, cites=cites, entries=alternatives))
    if indication.reported and not nearest(indication.regimens, places, context.as_of):
        cites = tuple(cite for dose in indication.reported for cite in dose.cites)
        yield Line("indication.reported", "indication", "tell", "info",
                   "Reported, and not planned from: " + " ".join(f"{dose.say.rstrip('.')} ({dose.kind.replace('-', ' ')})." for dose in indication.reported),
                   reasons(evidence, draft.facts, cites=cites, entries=indication.reported))
    if indication.not_read:
        yield Line("indication.gaps", "indication", "check", "info", f"Not read: {'; '.join(indication.not_read)}.",
                   reasons(evidence, draft.facts, cites=(_GAPS,), entries=(indication,)))
