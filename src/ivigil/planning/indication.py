"""Finds the indication and shows where each authority stands; stops the plan where the authority in force advises against it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from ivigil.basis.because import Alternative
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.evidence.conditions import judge, written
from ivigil.evidence.kept import kept_with
from ivigil.evidence.library import Evidence
from ivigil.evidence.misspelt import indication_meant
from ivigil.evidence.select import elsewhere, in_force, nearest
from ivigil.evidence.shapes import Criterion, Indication, Standing
from ivigil.patient.record import Record
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import NO_FACTS, reasons
from ivigil.planning.safety import OVERRIDE_POLICY, override_for

_NOT_NAMED = "ivigil-policy.indication-named"
_GAPS = "ivigil-policy.gaps-shown"


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Settle the indication, its standing per authority, its criteria and its population."""
    found = _fitting(find_indications(draft.record, evidence, context.indication), draft, evidence)
    if len(found) != 1:
        return _not_settled(draft, evidence, found, context)
    indication = evidence.indications[found[0]]
    here = indication, context.jurisdiction, context.as_of
    draft = msgspec.structs.replace(draft, indication=indication, facts=_named(draft, indication, context))
    draft = draft.saying(_standing_line(evidence, *here))
    draft = _refused(draft, evidence, indication, context)
    draft = _criteria(draft, evidence, indication, context)
    return draft.saying(*_population(draft, evidence, indication), *_remarks(evidence, *here))


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


def _fitting(found: list[str], draft: Draft, evidence: Evidence) -> list[str]:
    """Of several indications under one code those whose population this patient may be of: a code does not tell adults from children, the age does."""
    if len(found) <= 1:
        return found
    populations = {name: evidence.indications[name].population for name in found}
    return [name for name, population in populations.items() if population is None or judge(population, draft.facts).truth is not False] or found


def _not_settled(draft: Draft, evidence: Evidence, found: list[str], context: Context) -> Draft:
    asked = context.indication or draft.record.order.indication
    if found:
        names = ", ".join(f"{evidence.indications[name].name.clinical} ({name})" for name in found)
        text = f"More than one indication fits: {names}. Name the one to plan for."
    elif asked:
        instead = indication_meant(asked, evidence)
        meant = f" {instead[:1].upper()}{instead[1:]}" if instead else ""
        text = f"'{asked}' is not an indication in the evidence.{meant} Nothing is planned without evidence."
    else:
        text = "No indication is named and no problem on record is one in the evidence. Name the indication."
    line = Line("indication.choose", "indication", "choose", "critical", text, reasons(evidence, draft.facts, cites=(_NOT_NAMED,)))
    return msgspec.structs.replace(draft.saying(line), no_evidence=True)


@kept_with
def _standings(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[tuple[Standing, ...], tuple[Standing, ...]]:
    """What authorities say of an indication: those in force here, nearest first, and those of other places."""
    rows, places = indication.standing, evidence.places(jurisdiction)
    return tuple(nearest(rows, places, as_of)), tuple(elsewhere(rows, places, as_of))


@kept_with
def _standing_line(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> Line:
    here, other = _standings(evidence, indication, jurisdiction, as_of)
    rows = tuple((evidence.authority(row), row.jurisdiction, row.edition, row.tier or row.verdict, row.verdict) for row in (*here, *other))
    table = Table((Column("Authority"), Column("Where"), Column("Edition"), Column("Says"), Column("Verdict")), rows)
    cites = tuple(cite for row in (*here, *other) for cite in row.cites)
    text = f"{indication.name.clinical}: {_summary(here)}"
    if not cites:
        return Line("indication.standing", "indication", "check", "info", text, reasons(evidence, NO_FACTS, cites=(_GAPS,)))
    against = tuple(Alternative(evidence.authority(row), f"{row.tier or row.verdict} ({row.jurisdiction})", row.cites)
                    for row in other if here and row.verdict == "against" and any(one.verdict == "supports" for one in here))
    return Line("indication.standing", "indication", "check", "info", text,
                reasons(evidence, NO_FACTS, cites=cites, disputed_by=against, entries=(*here, *other)), table=table)


def _summary(here: tuple[Standing, ...]) -> str:
    read = [row for row in here if row.verdict != "not-read"]
    if not read:
        return "no authority of this jurisdiction was read; those of others are shown"
    return "; ".join(dict.fromkeys(f"{row.tier or row.verdict}" for row in read))


def judging(indication: Indication, evidence: Evidence, jurisdiction: str, as_of: date) -> list[Standing]:
    """The standings that decide in a place: its own; international ones where none of its own was read; those elsewhere where neither was."""
    here, other = _standings(evidence, indication, jurisdiction, as_of)
    own = [row for row in here if row.jurisdiction not in {"international", ""}]
    return next((read for rows in (own, here, other) if (read := [row for row in rows if row.verdict != "not-read"])), [])


@kept_with
def _judged(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[tuple[Standing, ...], bool]:
    """The authorities that decide and advise against it, and whether others among those that decide do not."""
    rows = judging(indication, evidence, jurisdiction, as_of)
    against = tuple(row for row in rows if row.verdict == "against")
    return against, len(against) < len(rows)


def _refused(draft: Draft, evidence: Evidence, indication: Indication, context: Context) -> Draft:
    """Blocks the plan where those who decide advise against it, unless a prescriber has written why not."""
    against, disputed = _judged(evidence, indication, context.jurisdiction, context.as_of)
    if not against:
        return draft
    cites = tuple(cite for row in against for cite in row.cites)
    said = "; ".join(f"{evidence.authority(row)} ({row.jurisdiction}): {row.say or row.tier or 'advises against'}" for row in against)
    if disputed:
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


@kept_with
def _asking(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[tuple[Criterion, str], ...]:
    """The criteria in force, each with its authority."""
    found = nearest(indication.criteria, evidence.places(jurisdiction), as_of)
    return tuple((criterion, evidence.authority(criterion)) for criterion in found)


def _criteria(draft: Draft, evidence: Evidence, indication: Indication, context: Context) -> Draft:
    asking = _asking(evidence, indication, context.jurisdiction, context.as_of)
    if not asking:
        return draft
    criteria = [criterion for criterion, _ in asking]
    states = [_criterion_state(criterion, draft) for criterion in criteria]
    rows = tuple((state, criterion.say, authority) for (criterion, authority), (state, _) in zip(asking, states, strict=True))
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


def _population(draft: Draft, evidence: Evidence, indication: Indication) -> Iterable[Line]:
    if indication.population is not None:
        verdict = judge(indication.population, draft.facts)
        if verdict.truth is False:
            cites = indication.regimens[0].cites if indication.regimens else (_GAPS,)
            yield Line("indication.population", "indication", "check", "warning",
                       f"{indication.name.clinical} is meant for {written(indication.population, evidence.labels)}.",
                       reasons(evidence, draft.facts, cites=cites, uses=verdict.decided_by, entries=(indication,)))


@kept_with
def _remarks(evidence: Evidence, indication: Indication, jurisdiction: str, as_of: date) -> tuple[Line, ...]:
    """Alternatives, doses that are only reported, and what was not read."""
    places = evidence.places(jurisdiction)
    known = {*places, "", "international"}
    lines = []
    alternatives = [remark for remark in indication.alternatives if in_force(remark.valid, as_of) and remark.jurisdiction in known]
    if alternatives:
        cites = tuple(cite for remark in alternatives for cite in remark.cites)
        lines.append(Line("indication.alternatives", "indication", "check", "info", " ".join(f"{remark.say.rstrip('.')}." for remark in alternatives),
                          reasons(evidence, NO_FACTS, cites=cites, entries=alternatives)))
    if indication.reported and not nearest(indication.regimens, places, as_of):
        cites = tuple(cite for dose in indication.reported for cite in dose.cites)
        said = " ".join(f"{dose.say.rstrip('.')} ({dose.kind.replace('-', ' ')})." for dose in indication.reported)
        lines.append(Line("indication.reported", "indication", "tell", "info", f"Reported, and not planned from: {said}",
                          reasons(evidence, NO_FACTS, cites=cites, entries=indication.reported)))
    if indication.not_read:
        lines.append(Line("indication.gaps", "indication", "check", "info", f"Not read: {'; '.join(indication.not_read)}.",
                          reasons(evidence, NO_FACTS, cites=(_GAPS,), entries=(indication,))))
    return tuple(lines)
