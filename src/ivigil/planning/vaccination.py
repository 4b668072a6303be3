"""Live-vaccine dates after immunoglobulin, vaccines that do not count, exempt vaccines, the immune state, and exposures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from ivigil.basis.because import Alternative
from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.care import AntibodyInterval, Exposure, ProtectedIf, Vaccine, VaccineRule
from ivigil.evidence.conditions import judge, truth_of
from ivigil.evidence.interval_tables import INTRAVENOUS, SUBCUTANEOUS, Tables
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Jurisdiction
from ivigil.planning.antibody_interval import Deferral, Given, wait_of
from ivigil.planning.antibody_products import antibodies, repeats
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import NO_FACTS, reasons
from ivigil.planning.vaccine_history import by_dose, not_counting, planned_too_early, trusted, unrecognised, warned
from ivigil.planning.wording import day_text, listed

_IMMUNE_STATE = "immune-state"
_SIDES = (Column("Jurisdiction"), Column("Not before"), Column("Wait"), Column("By"))
_Told = tuple[tuple[str, date, Quantity, str], ...]


class _Side(msgspec.Struct, frozen=True):
    """What the table of one jurisdiction says: the deciding deferral, and whether this is the table applied."""

    jurisdiction: Jurisdiction
    applied: bool
    deferral: Deferral

    @property
    def edition(self) -> str:
        """What the date rests on, as the table is called."""
        return self.deferral.interval.edition or self.deferral.interval.id

    @property
    def says(self) -> tuple[str, date, Quantity, str]:
        """What a reader is told: equal for two vaccines that share a line."""
        return self.jurisdiction.id, self.deferral.until, self.deferral.wait, self.edition

    @property
    def row(self) -> tuple[str | float | None, ...]:
        """The row of the table that sets the jurisdictions side by side."""
        where = f"{self.jurisdiction.id} (applied)" if self.applied else self.jurisdiction.id
        return where, day_text(self.deferral.until), _length(self.deferral.wait), self.edition


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Everything about vaccines that this course and the record's history decide."""
    if draft.indication is None or not evidence.vaccines:
        return draft
    given = Given(evidence, antibodies(draft, evidence, context))
    draft = draft.saying(*_live(draft, evidence, context, given), *_own_intervals(draft, evidence, context, given))
    draft = draft.saying(*_not_known(draft, evidence, context, given))
    draft = draft.saying(*not_counting(draft, evidence, context, given), *planned_too_early(draft, evidence, context, given), *unrecognised(draft, evidence))
    draft = _immune_state(draft, evidence)
    draft = draft.saying(*_exempt(evidence), *_exposed(draft, evidence, context, given))
    return _rules(draft, evidence, context)


class _Dated(msgspec.Struct, frozen=True):
    """A vaccine that antibody products make wait: the tables that decide here, and those of every jurisdiction that has a table of its own."""

    vaccine: Vaccine
    here: Tables
    everywhere: tuple[Tables, ...]


@kept
def _dated(evidence: Evidence, jurisdiction: str) -> tuple[_Dated, ...]:
    tables, places = evidence.interval_tables, evidence.places(jurisdiction)
    return tuple(_Dated(vaccine, tables.of(places, vaccine.antigens),
                        tuple(tables.of(evidence.places(one.id), vaccine.antigens) for one in evidence.vaccine_tables))
                 for vaccine in evidence.vaccines_by_interval.get("yes", ()))


def _live(draft: Draft, evidence: Evidence, context: Context, given: Given) -> Iterable[Line]:
    """One line per group of live vaccines that share the deciding interval and date; waits that are over say nothing."""
    tables: dict[tuple[Tables, ...], tuple[list[_Side], _Told]] = {}
    groups: dict[tuple[str, bool, _Told], list[tuple[Vaccine, Deferral, list[_Side]]]] = {}
    for dated in _dated(evidence, context.jurisdiction):
        deciding = given.latest_in(dated.here)
        if deciding is not None:
            vaccine = dated.vaccine
            beside = by_dose(evidence, deciding, vaccine, given)
            if deciding.until > context.as_of or (beside is not None and beside.until > context.as_of):
                if dated.everywhere not in tables:
                    beside_each_other = _side_by_side(evidence, context, dated.everywhere, given)
                    tables[dated.everywhere] = beside_each_other, tuple([side.says for side in beside_each_other])
                sides, told = tables[dated.everywhere]
                groups.setdefault((deciding.interval.id, warned(deciding, beside, vaccine), told), []).append((vaccine, deciding, sides))
    for members in groups.values():
        yield _deferral_line(draft, evidence, context, members, given)


def _deferral_line(draft: Draft, evidence: Evidence, context: Context, members: list[tuple[Vaccine, Deferral, list[_Side]]],
                   given: Given) -> Line:
    first, deciding, sides = members[0]
    interval, until = deciding.interval, deciding.until
    beside = by_dose(evidence, deciding, first, given)
    goes_on = repeats(draft)
    notes = _going_on(evidence, context.jurisdiction) if goes_on else ()
    lead = "no date while treatment goes on; if this course were the last, not before" if goes_on else "not before"
    names = listed([vaccine.name for vaccine, _, _ in members])
    said = [f"{names}: {lead} {day_text(until)}, {_length(deciding.wait)} after {deciding.antibody.label}."]
    if beside is not None:
        said.append(f"By dose not before {day_text(beside.until)}, {_length(beside.wait)} after.")
        if warned(deciding, beside, first) and interval.warn:
            said.append(interval.warn)
    said += [f"{listed(part.vaccines).capitalize()} may be impaired for up to {_length(part.impaired_up_to)}; check {part.test}." for part in interval.extra
             if not set(part.vaccines).isdisjoint(first.antigens)]
    if interval.at_high_risk is not None:
        said.append(f"While the risk of the disease is high, not before {day_text(add(deciding.antibody.on, interval.at_high_risk.wait))}.")
    disputes = _disputes(evidence, context, first, given, sides, until)
    others = [Alternative(other.antibody.label, f"would end {day_text(other.until)}; the latest date wins", other.interval.cites)
              for other in _other_courses(given, deciding, evidence.places(context.jurisdiction), first.antigens) if other.until > context.as_of]
    cites = (*interval.cites, *first.cites, *(beside.interval.cites if beside is not None else ()), *[cite for note in notes for cite in note.cites])
    because = reasons(evidence, draft.facts, cites=cites, uses=("course.dose",), rule=interval.id, reading=interval.reading, instead_of=others,
                      entries=(*[vaccine for vaccine, _, _ in members], *((beside.interval,) if beside is not None else ()), *notes),
                      disputed_by=disputes, calculation=f"{deciding.antibody.label}: {day_text(deciding.antibody.on)} + {deciding.wait} = {day_text(until)}")
    table = Table(_SIDES, tuple([side.row for side in sides]), note="; ".join([f"not read: {gap}" for gap in interval.not_read]))
    when = None if goes_on else trusted(evidence, deciding, first, given).until
    return Line(f"vaccination.{first.id}", "vaccination", "wait", "warning", " ".join(said), because, when=when, table=table)


def _length(wait: Quantity) -> str:
    """``11 months``."""
    return f"{number_text(wait.value)} {wait.unit}{'' if wait.value == 1 else 's'}"


def _other_courses(given: Given, deciding: Deferral, places: tuple[str, ...], antigens: tuple[str, ...]) -> Iterable[Deferral]:
    """The longest deferral of each course other than the deciding one."""
    if not any(dose.closing and dose is not deciding.antibody for dose in given.doses):
        return ()
    best: dict[str, Deferral] = {}
    found = given.deferrals(places, antigens)
    for deferral in found:
        if deferral.antibody.closing and deferral.antibody != found[0].antibody:
            best.setdefault(deferral.antibody.label, deferral)
    return best.values()


@kept
def _going_on(evidence: Evidence, jurisdiction: str) -> tuple[AntibodyInterval, ...]:
    """What is read about treatment that goes on: of this place, else of any."""
    found = tuple(interval for interval in evidence.antibody_intervals.values() if interval.while_)
    places = evidence.places(jurisdiction)
    return tuple(interval for interval in found if interval.jurisdiction in places) or found


def _side_by_side(evidence: Evidence, context: Context, everywhere: tuple[Tables, ...], given: Given) -> list[_Side]:
    """What the table of every jurisdiction that has one says for the same patient."""
    own = evidence.jurisdictions[context.jurisdiction].vaccine_table
    return [_Side(jurisdiction, jurisdiction.vaccine_table == own, found) for jurisdiction, tables in zip(evidence.vaccine_tables, everywhere, strict=True)
            if (found := given.latest_in(tables)) is not None]


def _disputes(evidence: Evidence, context: Context, vaccine: Vaccine, given: Given, sides: list[_Side], here: date) -> tuple[Alternative, ...]:
    """The tables of others with another date, and what labels and notes say."""
    others = [(side.jurisdiction.name, side.deferral) for side in sides if not side.applied and side.deferral.until != here]
    disputes = [Alternative(f"{name}: {day_text(other.until)}", other.interval.say or f"waits {other.wait}", other.interval.cites) for name, other in others]
    last = max(one.on for one in given.doses)
    for interval in _said_beside(evidence, context.jurisdiction, vaccine.antigens):
        if interval.note_only:
            disputes.append(Alternative(interval.edition or interval.id, interval.say, interval.cites))
        elif interval.wait is not None:
            until = add(last, Quantity(interval.wait.high, interval.wait.unit))
            disputes.extend(() if until == here else (Alternative(f"{interval.vaccine_product} label: {day_text(until)}", interval.say, interval.cites),))
    return tuple(disputes)


@kept
def _said_beside(evidence: Evidence, jurisdiction: str, antigens: tuple[str, ...]) -> tuple[AntibodyInterval, ...]:
    """The notes of this place and the labels that speak of a vaccine with these antigens."""
    places = evidence.places(jurisdiction)
    return tuple(interval for interval in evidence.intervals_beside if not set(interval.vaccines).isdisjoint(antigens)
                 and (interval.jurisdiction in places if interval.note_only else bool(interval.vaccine_product)))


def _own_intervals(draft: Draft, evidence: Evidence, context: Context, given: Given) -> Iterable[Line]:
    """Vaccines whose own label gives the interval (dengue, live Japanese encephalitis)."""
    last = max(given.doses, key=lambda antibody: antibody.on, default=None)
    for vaccine in evidence.vaccines_by_interval.get("own", ()):
        interval = evidence.antibody_intervals.get(vaccine.interval_entry)
        wait = wait_of(interval, last) if interval is not None and last is not None else None
        if interval is None or last is None or wait is None:
            continue
        until = add(last.on, wait)
        best = add(last.on, interval.better) if interval.better is not None else until
        if best <= context.as_of:
            continue
        better = f", better not before {day_text(best)}" if interval.better is not None else ""
        lead = "no date while treatment goes on; if this course were the last, not before" if repeats(draft) else "not before"
        because = reasons(evidence, draft.facts, cites=(*interval.cites, *vaccine.cites), rule=interval.id, entries=(vaccine,),
                          calculation=f"{day_text(last.on)} + {wait} = {day_text(until)}")
        yield Line(f"vaccination.{vaccine.id}", "vaccination", "wait", "info", f"{vaccine.name}: {lead} {day_text(until)}{better}.", because,
                   when=None if repeats(draft) else until)


def _not_known(draft: Draft, evidence: Evidence, context: Context, given: Given) -> Iterable[Line]:
    """What the dates could not be keyed on: a dose that is not on record, and an antibody product that no table names."""
    longest = evidence.longest_wait
    if longest is None:
        return
    bands = next((interval for interval in evidence.antibody_intervals.values() if interval.rows), None)
    recent = [one for one in given.doses if add(one.on, longest) > context.as_of]
    undosed = [one for one in recent if one.dose is None and one.kind in {INTRAVENOUS, SUBCUTANEOUS} and one.closing]
    if undosed and bands is not None:
        yield Line("vaccination.dose-unknown", "vaccination", "ask", "info",
                   f"The longest wait is used after {listed([one.label for one in undosed])}. Record the dose for the exact date.",
                   reasons(evidence, draft.facts, cites=bands.cites, rule=bands.id))
    unnamed = [one for one in recent if not one.kind]
    rule = evidence.vaccine_rules.get("antibody-first")
    if unnamed and rule is not None:
        names = listed([one.label.partition(" (")[0] for one in unnamed])
        yield Line("vaccination.product-unknown", "vaccination", "ask", "warning",
                   f"No interval table names {names}. Ask a vaccine specialist before a live vaccine.",
                   reasons(evidence, draft.facts, cites=rule.cites, rule=rule.id))


def _immune_state(draft: Draft, evidence: Evidence) -> Draft:
    """The immune state bars live vaccines whatever the interval; where it is not known it is asked."""
    rule = evidence.vaccine_rules.get(_IMMUNE_STATE)
    if rule is not None and rule.when is not None:
        verdict = judge(rule.when, draft.facts)
        if verdict.truth is None:
            asked = (rule.id, evidence.underlying(verdict.undecided, draft.facts), "info")
            draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, asked))
    deciding: dict[str, tuple[str, ...]] = {}
    for when, vaccines in evidence.vaccine_bars:
        verdict = judge(when, draft.facts)
        if verdict.truth:
            deciding.update((vaccine.id, verdict.decided_by) for vaccine in vaccines)
    if not deciding:
        return draft
    barred = [vaccine for vaccine in evidence.vaccines.values() if vaccine.id in deciding]
    lead = rule.say if rule is not None else "The immune state itself bars live vaccines, whatever the interval."
    cites = (*(rule.cites if rule is not None else ()), *(cite for vaccine in barred for cite in vaccine.cites))
    line = Line("vaccination.immune-state", "vaccination", "avoid", "warning", f"{lead} Not to be given: {listed([vaccine.name for vaccine in barred])}.",
                reasons(evidence, draft.facts, cites=cites, uses=dict.fromkeys(name for vaccine in barred for name in deciding[vaccine.id]),
                        rule=_IMMUNE_STATE, entries=barred))
    return draft.saying(line)


@kept
def _exempt(evidence: Evidence) -> tuple[Line, ...]:
    """The vaccines that need not wait, and those of which nothing was read."""
    lines = []
    exempt = evidence.vaccines_by_interval.get("no", ())
    if exempt:
        live = [vaccine.name for vaccine in exempt if vaccine.live == "yes"]
        cites = tuple(cite for vaccine in exempt for cite in (vaccine.exempt_cites or vaccine.cites))
        lines.append(Line("vaccination.exempt", "vaccination", "tell", "info",
                   f"No wait after immunoglobulin: every vaccine that is not live{f', and of the live ones {listed(live)}' if live else ''}.",
                   reasons(evidence, NO_FACTS, cites=cites, entries=exempt)))
    silent = [vaccine for vaccine in evidence.vaccines_by_interval.get("unknown", ()) if vaccine.live == "yes"]
    if silent:
        lines.append(Line("vaccination.not-in-evidence", "vaccination", "ask", "info",
                   f"Not in the evidence: an interval for {listed([vaccine.name for vaccine in silent])}. Ask a vaccine specialist.",
                   reasons(evidence, NO_FACTS, cites=tuple(cite for vaccine in silent for cite in vaccine.cites), entries=silent)))
    return tuple(lines)


def _exposed(draft: Draft, evidence: Evidence, context: Context, given: Given) -> Iterable[Line]:
    """What a contact with measles or varicella asks for, or that recent immunoglobulin counts as protection."""
    places = {*evidence.places(context.jurisdiction), ""}
    for disease, on in (("measles", draft.record.measles_exposure), ("varicella", draft.record.varicella_exposure)):
        if on is None or on > context.as_of:
            continue
        entries = [entry for entry in evidence.exposures.values() if entry.disease == disease and entry.jurisdiction in places and not entry.note_only]
        holding = [entry for entry in entries if entry.when is None or truth_of(entry.when, draft.facts) is not False]
        protecting = [entry for entry in holding if entry.protected_if is not None and _protected(entry.protected_if, on, given)]
        told = protecting or [entry for entry in holding if entry.protected_if is None or entry.give]
        if told:
            days = (context.as_of - on).days
            lead = f"{disease.capitalize()} contact on {day_text(on)} ({days} {'day' if days == 1 else 'days'} ago)."
            text = " ".join((lead, *(entry.say for entry in told), *(() if protecting else _deadlines(told, on, context.as_of))))
            because = reasons(evidence, draft.facts, cites=tuple(cite for entry in told for cite in entry.cites), entries=told,
                              reading=" ".join(filter(None, (entry.reading for entry in told))))
            yield Line(f"vaccination.exposure.{disease}", "vaccination", "check", "info" if protecting else "warning", text, because, when=on)


def _protected(rule: ProtectedIf, on: date, given: Given) -> bool:
    recent = [one for one in given.doses if timedelta(0) <= on - one.on <= timedelta(days=rule.within.canonical) and one.kind in {INTRAVENOUS, SUBCUTANEOUS}]
    least = rule.dose_at_least
    return any(least is None or (one.dose is not None and one.dose >= least.in_unit("g/kg")) for one in recent)


def _deadlines(told: list[Exposure], on: date, as_of: date) -> Iterable[str]:
    limits = [on + timedelta(days=entry.within.canonical) for entry in told if entry.within is not None]
    if limits:
        last = max(limits)
        yield f"Immunoglobulin works until {day_text(last)}." if last >= as_of else f"The time for immunoglobulin ended on {day_text(last)}."


def _rules(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """The remaining rules (same day, after a birth, household, blood tests ...) as one table; a condition that is undecided is asked."""
    shown: list[VaccineRule] = []
    uses: list[str] = []
    asked: list[tuple[str, tuple[str, ...], str]] = []
    for rule in _remaining(evidence, context.jurisdiction):
        verdict = judge(rule.when, draft.facts) if rule.when is not None else None
        if verdict is not None and verdict.truth is None:
            asked.append((rule.id, evidence.underlying(verdict.undecided, draft.facts), "info"))
        elif verdict is None or verdict.truth:
            shown.append(rule)
            uses.extend(verdict.decided_by if verdict is not None else ())
    draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, *asked))
    if not shown:
        return draft
    rows = tuple([(rule.about, rule.say) for rule in shown])
    return draft.saying(Line("vaccination.rules", "vaccination", "tell", "info", "What else holds for vaccines around immunoglobulin.",
                             reasons(evidence, draft.facts, cites=[cite for rule in shown for cite in rule.cites], uses=uses, entries=shown),
                             table=Table((Column("About"), Column("Rule")), rows)))


@kept
def _remaining(evidence: Evidence, jurisdiction: str) -> tuple[VaccineRule, ...]:
    """The rules of a place that no other line of the plan stands for."""
    places = {*evidence.places(jurisdiction), ""}
    return tuple(rule for rule in evidence.vaccine_rules.values() if rule.id != _IMMUNE_STATE and rule.after_vaccine_keep_ig_away is None
                 and not rule.table and not rule.interval_entry and rule.jurisdiction in places)
