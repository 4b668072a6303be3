"""Live-vaccine dates after immunoglobulin, vaccines that do not count, exempt vaccines, the immune state, and exposures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from ivigil.basis.because import Alternative
from ivigil.basis.dates import add
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.care import AntibodyInterval, Vaccine
from ivigil.evidence.conditions import judge
from ivigil.evidence.library import Evidence
from ivigil.patient.record import PastInfusion, Vaccination
from ivigil.planning.antibody_interval import INTRAVENOUS, SUBCUTANEOUS, Antibody, Deferral, deferrals, interval_of_label, judged, wait_of
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text, listed

_REPEATING = ("replacement", "maintenance")
_COURSE_GROUPING = "ivigil-policy.course-grouping"


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Everything about vaccines that this course and the record's history decide."""
    antibodies = (*past_antibodies(draft, evidence), *_this_course(draft, context))
    if draft.indication is None or not evidence.vaccines:
        return draft
    draft = draft.saying(*_live(draft, evidence, context, antibodies), *_own_intervals(draft, evidence, antibodies))
    draft = draft.saying(*_not_counting(draft, evidence, context, antibodies), *_planned(draft, evidence, context, antibodies))
    draft = _immune_state(draft, evidence)
    return draft.saying(*_exempt(draft, evidence), *_exposed(draft, evidence, context, antibodies))


def past_antibodies(draft: Draft, evidence: Evidence) -> tuple[Antibody, ...]:
    """Past antibody products as courses: infusions that follow each other within the window of the evidence count together.

    The dose per kg uses the weight on record. An unknown dose stays unknown and takes the longest wait.
    """
    weight = draft.facts.number("weight", "kg")
    blood_products = {interval.product for interval in evidence.antibody_intervals.values() if interval.product}
    windows = next((interval.sum_over for interval in evidence.antibody_intervals.values() if interval.sum_over), {})
    purpose = draft.indication.purpose if draft.indication is not None else ""
    courses: list[Antibody] = []
    for infusion in sorted(draft.record.infusions, key=lambda one: one.on):
        kind = _kind(infusion, blood_products)
        grams = infusion.dose.in_unit("g") if infusion.dose is not None and infusion.dose.dimension == "mass" else None
        dose = grams / weight if grams is not None and weight and kind in {INTRAVENOUS, SUBCUTANEOUS} else None
        window = windows.get(kind)
        last = courses[-1] if courses else None
        if last is not None and window is not None and last.kind == kind and infusion.on - last.on <= timedelta(days=window.canonical):
            together = None if last.dose is None or dose is None else last.dose + dose
            courses[-1] = Antibody(infusion.on, kind, together, purpose, _label(infusion, together))
        else:
            courses.append(Antibody(infusion.on, kind, dose, purpose, _label(infusion, dose)))
    return tuple(courses)


def _kind(infusion: PastInfusion, blood_products: set[str]) -> str:
    slug = "-".join(infusion.product.lower().split())
    if slug in blood_products:
        return slug
    return SUBCUTANEOUS if "subcutaneous" in infusion.route else INTRAVENOUS


def _label(infusion: PastInfusion, dose: float | None) -> str:
    amount = f"{number_text(dose)} g/kg" if dose is not None else "dose not on record"
    return f"{infusion.product or 'immunoglobulin'} on {day_text(infusion.on)} ({amount})"


def _this_course(draft: Draft, context: Context) -> tuple[Antibody, ...]:
    dose = draft.facts.number("course.dose", "g/kg")
    if dose is None or draft.indication is None or draft.blocked:
        return ()
    last = draft.days[-1].on if draft.days else context.start.date()
    subcutaneous = draft.product is not None and "intravenous" not in draft.product.routes or draft.facts.word("order.route") in {"subcutaneous", "facilitated-subcutaneous"}
    return (Antibody(last, SUBCUTANEOUS if subcutaneous else INTRAVENOUS, dose, draft.indication.purpose, f"this course ({number_text(dose)} g/kg, last dose {day_text(last)})"),)


def _repeats(draft: Draft) -> bool:
    return draft.regimen is not None and draft.regimen.phase in _REPEATING and draft.dose is not None and draft.dose.every is not None


def _live(draft: Draft, evidence: Evidence, context: Context, antibodies: tuple[Antibody, ...]) -> Iterable[Line]:
    """One line per group of live vaccines that share the deciding interval and date."""
    places = evidence.places(context.jurisdiction)
    groups: dict[tuple[date, str], list[tuple[Vaccine, list[Deferral]]]] = {}
    for vaccine in evidence.vaccines.values():
        if vaccine.antibody_interval == "yes":
            found = deferrals(evidence, places, vaccine.antigens, antibodies)
            if found:
                groups.setdefault((found[0].until, found[0].interval.id), []).append((vaccine, found))
    for (until, _), members in groups.items():
        yield _deferral_line(draft, evidence, context, until, members, antibodies)


def _deferral_line(draft: Draft, evidence: Evidence, context: Context, until: date, members: list[tuple[Vaccine, list[Deferral]]],
                   antibodies: tuple[Antibody, ...]) -> Line:
    first, found = members[0]
    deciding = found[0]
    names = listed([vaccine.name for vaccine, _ in members])
    repeating = _repeats(draft) and deciding.antibody.label.startswith("this course")
    notes = _going_on(evidence, context) if repeating else ()
    lead = "No date while treatment goes on; if this were the last dose, not before" if repeating else "Not before"
    rows, disputes = _elsewhere(evidence, context, first, antibodies, until)
    interval = deciding.interval
    extra = " ".join(filter(None, (interval.warn,)))
    text = f"{names}: {lead} {day_text(until)}, {deciding.wait} after the last dose. {extra}".strip()
    cites = (*interval.cites, *first.cites, *(cite for note in notes for cite in note.cites), *((_COURSE_GROUPING,) if len(antibodies) > len(_this_course(draft, context)) else ()))
    others = tuple(Alternative(other.antibody.label, f"would end {day_text(other.until)}; the latest date wins", other.interval.cites)
                   for other in _one_per_antibody(found) if other.antibody != deciding.antibody)
    because = reasons(evidence, draft.facts, cites=cites, uses=("course.dose",), rule=interval.id, reading=interval.reading,
                      calculation=f"{deciding.antibody.label}: {day_text(deciding.antibody.on)} + {deciding.wait} = {day_text(until)}",
                      instead_of=others, disputed_by=disputes)
    table = Table((Column("Jurisdiction"), Column("Not before"), Column("Wait"), Column("By")), rows,
                  note="; ".join(interval.not_read))
    return Line(f"vaccination.{first.id}", "vaccination", "wait", "warning", text, because, when=until, table=table)


def _one_per_antibody(found: list[Deferral]) -> list[Deferral]:
    best: dict[str, Deferral] = {}
    for deferral in found:
        best.setdefault(deferral.antibody.label, deferral)
    return list(best.values())


def _going_on(evidence: Evidence, context: Context) -> tuple[AntibodyInterval, ...]:
    places = evidence.places(context.jurisdiction)
    return tuple(interval for interval in evidence.antibody_intervals.values() if interval.while_ and interval.jurisdiction in places)


def _elsewhere(evidence: Evidence, context: Context, vaccine: Vaccine, antibodies: tuple[Antibody, ...], here: date
               ) -> tuple[tuple[tuple[str | float | None, ...], ...], tuple[Alternative, ...]]:
    """What every jurisdiction's table says for the same patient, side by side; those that differ are disputes."""
    rows: list[tuple[str | float | None, ...]] = []
    disputes: list[Alternative] = []
    own = evidence.jurisdictions[context.jurisdiction].vaccine_table
    seen: set[str] = set()
    for jurisdiction in evidence.jurisdictions.values():
        if not jurisdiction.vaccine_table or jurisdiction.vaccine_table in seen:
            continue
        seen.add(jurisdiction.vaccine_table)
        found = deferrals(evidence, evidence.places(jurisdiction.id), vaccine.antigens, antibodies)
        if not found:
            continue
        deferral = found[0]
        mark = "applied" if jurisdiction.vaccine_table == own else ""
        rows.append((f"{jurisdiction.id}{f' ({mark})' if mark else ''}", day_text(deferral.until), str(deferral.wait), deferral.interval.edition or deferral.interval.id))
        if not mark and deferral.until != here:
            disputes.append(Alternative(f"{jurisdiction.name}: {day_text(deferral.until)}", deferral.interval.say or f"waits {deferral.wait}", deferral.interval.cites))
    labels = [interval for interval in evidence.antibody_intervals.values()
              if interval.vaccine_product and not interval.note_only and set(interval.vaccines) & set(vaccine.antigens)]
    for label in labels:
        wait = wait_of(label, antibodies[-1])
        if wait is not None:
            disputes.append(Alternative(f"{label.vaccine_product} label", label.say, label.cites))
    return tuple(rows), tuple(disputes)


def _own_intervals(draft: Draft, evidence: Evidence, antibodies: tuple[Antibody, ...]) -> Iterable[Line]:
    """Vaccines whose own label gives the interval (dengue, live Japanese encephalitis)."""
    if not antibodies:
        return
    last = max(antibodies, key=lambda antibody: antibody.on)
    for vaccine in evidence.vaccines.values():
        interval = interval_of_label(evidence, vaccine.interval_entry) if vaccine.antibody_interval == "own" else None
        wait = wait_of(interval, last) if interval is not None else None
        if interval is None or wait is None:
            continue
        better = f", better not before {day_text(add(last.on, interval.better))}" if interval.better is not None else ""
        until = add(last.on, wait)
        because = reasons(evidence, draft.facts, cites=(*interval.cites, *vaccine.cites), rule=interval.id, calculation=f"{day_text(last.on)} + {wait} = {day_text(until)}")
        yield Line(f"vaccination.{vaccine.id}", "vaccination", "wait", "info", f"{vaccine.name}: not before {day_text(until)}{better}.", because, when=until)


def vaccine_named(evidence: Evidence, vaccination: Vaccination) -> Vaccine | None:
    """The vaccine a record means, by CVX code or by name."""
    codes = {code.code for code in vaccination.codes if code.system in {"cvx", "http://hl7.org/fhir/sid/cvx"}}
    wanted = vaccination.vaccine.lower().strip()
    for vaccine in evidence.vaccines.values():
        if codes & set(vaccine.cvx) or wanted and wanted in {vaccine.id, vaccine.name.lower(), vaccine.name.lower().partition(" (")[0]}:
            return vaccine
    words = set(wanted.replace("-", " ").replace("/", " ").split())
    return next((vaccine for vaccine in evidence.vaccines.values() if vaccine.live == "yes" and vaccine.id in words), None)


def _not_counting(draft: Draft, evidence: Evidence, context: Context, antibodies: tuple[Antibody, ...]) -> Iterable[Line]:
    """Live vaccines on record that do not count: given too soon after an antibody product, or too shortly before one."""
    places = evidence.places(context.jurisdiction)
    for vaccination in draft.record.vaccinations:
        vaccine = vaccine_named(evidence, vaccination)
        if vaccine is None or vaccine.antibody_interval != "yes" or vaccination.on > context.start.date():
            continue
        name = f"{vaccine.name} of {day_text(vaccination.on)}"
        earlier = deferrals(evidence, places, vaccine.antigens, [one for one in antibodies if one.on <= vaccination.on])
        again = deferrals(evidence, places, vaccine.antigens, antibodies)
        if earlier and earlier[0].until > vaccination.on:
            rule = evidence.vaccine_rules.get("given-too-soon")
            text = f"{name} does not count: it came before {day_text(earlier[0].until)}, the end of the wait after {earlier[0].antibody.label}. Repeat it, not before {day_text(again[0].until)}."
            yield Line(f"vaccination.repeat.{vaccine.id}.{vaccination.on}", "vaccination", "record", "warning", text,
                       reasons(evidence, draft.facts, cites=(*(rule.cites if rule else ()), *earlier[0].interval.cites), rule="given-too-soon"), when=again[0].until)
            continue
        yield from _reversed(draft, evidence, places, vaccination, vaccine, name, antibodies, again)


def _reversed(draft: Draft, evidence: Evidence, places: tuple[str, ...], vaccination: Vaccination, vaccine: Vaccine, name: str, antibodies: tuple[Antibody, ...],
              again: list[Deferral]) -> Iterable[Line]:
    rules = [rule for rule in evidence.vaccine_rules.values() if rule.after_vaccine_keep_ig_away is not None and set(rule.vaccines) & set(vaccine.antigens)]
    following = [one for one in antibodies if one.on >= vaccination.on and one.kind in {INTRAVENOUS, SUBCUTANEOUS}]
    if not following:
        return
    soonest = min(following, key=lambda one: one.on)
    began = draft.days[0].on if draft.days and soonest.label.startswith("this course") else soonest.on
    applied = next((rule for place in places for rule in rules if rule.jurisdiction == place and not rule.note_only), None)
    broken = [rule for rule in rules if judged(rule, vaccination.on, began) != "valid"]
    if not broken or not again:
        return
    gap = (began - vaccination.on).days
    if applied is not None and applied in broken and applied.then != "avoid":
        text = f"{name} does not count: immunoglobulin {gap} days later. {applied.say} Not before {day_text(again[0].until)}."
        urgency, cites = "warning", (*applied.cites, *again[0].interval.cites)
    else:
        text = f"{name}: immunoglobulin {gap} days later. {' '.join(rule.say for rule in broken)}"
        urgency, cites = "info", tuple(cite for rule in broken for cite in rule.cites)
    others = tuple(Alternative(rule.jurisdiction or rule.vaccine_product, rule.say, rule.cites) for rule in broken if rule is not applied)
    yield Line(f"vaccination.repeat.{vaccine.id}.{vaccination.on}", "vaccination", "record", "warning" if urgency == "warning" else "info", text,
               reasons(evidence, draft.facts, cites=cites, rule=applied.id if applied else "", disputed_by=others,
                       calculation=f"{day_text(vaccination.on)} to {day_text(began)} = {gap} days"), when=again[0].until)


def _planned(draft: Draft, evidence: Evidence, context: Context, antibodies: tuple[Antibody, ...]) -> Iterable[Line]:
    """Vaccinations planned for a date that lies before the end of the wait."""
    places = evidence.places(context.jurisdiction)
    for vaccination in draft.record.vaccinations:
        vaccine = vaccine_named(evidence, vaccination)
        if vaccine is None or vaccine.antibody_interval != "yes" or vaccination.on <= context.start.date():
            continue
        found = deferrals(evidence, places, vaccine.antigens, antibodies)
        if found and vaccination.on < found[0].until:
            text = f"{vaccine.name} is planned for {day_text(vaccination.on)}, too early to count. Move it to {day_text(found[0].until)} or later."
            yield Line(f"vaccination.move.{vaccine.id}.{vaccination.on}", "vaccination", "wait", "warning", text,
                       reasons(evidence, draft.facts, cites=found[0].interval.cites, rule=found[0].interval.id), when=found[0].until)


def _immune_state(draft: Draft, evidence: Evidence) -> Draft:
    barred = [vaccine for vaccine in evidence.vaccines.values()
              if vaccine.live == "yes" and vaccine.contraindicated_when is not None and judge(vaccine.contraindicated_when, draft.facts).truth is True]
    if not barred:
        return draft
    uses = tuple(name for vaccine in barred if vaccine.contraindicated_when is not None for name in judge(vaccine.contraindicated_when, draft.facts).decided_by)
    line = Line("vaccination.immune-state", "vaccination", "avoid", "warning",
                f"The immune state itself bars live vaccines, whatever the interval: {listed([vaccine.name for vaccine in barred])}.",
                reasons(evidence, draft.facts, cites=tuple(cite for vaccine in barred for cite in vaccine.cites), uses=uses))
    return draft.saying(line)


def _exempt(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    exempt = [vaccine for vaccine in evidence.vaccines.values() if vaccine.antibody_interval == "no"]
    if exempt:
        live = listed([vaccine.name for vaccine in exempt if vaccine.live == "yes"])
        cites = tuple(cite for vaccine in exempt for cite in (vaccine.exempt_cites or vaccine.cites))
        yield Line("vaccination.exempt", "vaccination", "tell", "info", f"No wait after immunoglobulin: every vaccine that is not live, and of the live ones {live}.",
                   reasons(evidence, draft.facts, cites=cites))
    silent = [vaccine for vaccine in evidence.vaccines.values() if vaccine.antibody_interval == "unknown" and vaccine.live == "yes"]
    if silent:
        yield Line("vaccination.not-in-evidence", "vaccination", "ask", "info",
                   f"Not in the evidence: an interval for {listed([vaccine.name for vaccine in silent])}. Ask a vaccine specialist.",
                   reasons(evidence, draft.facts, cites=tuple(cite for vaccine in silent for cite in vaccine.cites)))


def _exposed(draft: Draft, evidence: Evidence, context: Context, antibodies: tuple[Antibody, ...]) -> Iterable[Line]:
    places = {*evidence.places(context.jurisdiction), ""}
    for disease, on in (("measles", draft.record.measles_exposure), ("varicella", draft.record.varicella_exposure)):
        if on is None:
            continue
        entries = [entry for entry in evidence.exposures.values() if entry.disease == disease and entry.jurisdiction in places and not entry.note_only]
        holding = [entry for entry in entries if entry.when is None or judge(entry.when, draft.facts).truth is not False]
        protecting = [entry for entry in holding if entry.protected_if is not None and _protected(entry.protected_if.within, entry.protected_if.dose_at_least, on, antibodies)]
        told = protecting or [entry for entry in holding if entry.protected_if is None]
        if told:
            since = (context.as_of - on).days
            text = f"{disease.capitalize()} contact on {day_text(on)} ({since} days ago). {' '.join(entry.say for entry in told)}"
            yield Line(f"vaccination.exposure.{disease}", "vaccination", "check", "warning", text,
                       reasons(evidence, draft.facts, cites=tuple(cite for entry in told for cite in entry.cites)), when=on)


def _protected(within: Quantity, at_least: Quantity | None, on: date, antibodies: tuple[Antibody, ...]) -> bool:
    recent = [one for one in antibodies if timedelta(0) <= on - one.on <= timedelta(days=within.canonical) and one.kind in {INTRAVENOUS, SUBCUTANEOUS}]
    return any(at_least is None or (one.dose is not None and one.dose >= at_least.in_unit("g/kg")) for one in recent)
