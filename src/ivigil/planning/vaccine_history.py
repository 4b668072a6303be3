"""Vaccines on record against antibody products: which live ones do not count, and which are planned too early."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from ivigil.basis.because import Alternative, Urgency
from ivigil.basis.names import folded
from ivigil.evidence.care import Vaccine, VaccineRule
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Vaccination
from ivigil.planning.antibody_interval import Deferral, Given, judged
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Line
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import day_text, listed

_TOO_SOON = "given-too-soon"


def vaccine_named(evidence: Evidence, vaccination: Vaccination) -> Vaccine | None:
    """The vaccine a record means: by CVX code, by name, else the live vaccine made of exactly the antigens its text names."""
    by_code, by_name = _called(evidence)
    codes = [code.code.lstrip("0") for code in vaccination.codes if code.system in {"cvx", "http://hl7.org/fhir/sid/cvx"}]
    found = [by_code[code] for code in codes if code in by_code]
    found += [by_name[name] for name in (folded(vaccination.vaccine),) if name in by_name]
    if found:
        return min(found, key=lambda one: one[0])[1]
    dated = evidence.vaccines_by_interval.get("yes", ())
    words = set(re.findall(r"[a-z]+", vaccination.vaccine.lower()))
    antigens = {antigen for vaccine in dated for antigen in vaccine.antigens if antigen in words}
    return next((vaccine for vaccine in dated if vaccine.id in words or set(vaccine.antigens) == antigens), None)


@kept
def _called(evidence: Evidence) -> tuple[Mapping[str, tuple[int, Vaccine]], Mapping[str, tuple[int, Vaccine]]]:
    """The first vaccine, with its place in the file, of each CVX code and of each name."""
    by_code: dict[str, tuple[int, Vaccine]] = {}
    by_name: dict[str, tuple[int, Vaccine]] = {}
    for place, vaccine in enumerate(evidence.vaccines.values()):
        for code in vaccine.cvx:
            by_code.setdefault(code.lstrip("0"), (place, vaccine))
        for name in (vaccine.id, vaccine.name, vaccine.name.partition(" (")[0], *vaccine.also_called):
            if folded(name):
                by_name.setdefault(folded(name), (place, vaccine))
    return by_code, by_name


def not_counting(draft: Draft, evidence: Evidence, context: Context, given: Given) -> Iterable[Line]:
    """Live vaccines given too soon after an antibody product, or too shortly before one."""
    places = evidence.places(context.jurisdiction)
    for vaccination in dict.fromkeys(draft.record.vaccinations):
        vaccine = vaccine_named(evidence, vaccination)
        if vaccine is None or vaccine.antibody_interval != "yes" or vaccination.on > context.start.date():
            continue
        name = f"{vaccine.name} of {day_text(vaccination.on)}"
        before = Given(evidence, (one for one in given.doses if one.on <= vaccination.on))
        earlier = before.latest(places, vaccine.antigens)
        again = given.deferrals(places, vaccine.antigens)
        if not again:
            continue
        until = trusted(evidence, again[0], vaccine, given).until
        ended = trusted(evidence, earlier, vaccine, before) if earlier is not None else None
        if earlier is None or ended is None or ended.until <= vaccination.on:
            yield from _reversed(draft, evidence, places, vaccination, vaccine, name, again, until)
            continue
        rule = evidence.vaccine_rules.get(_TOO_SOON)
        state = "does not count" if earlier.until > vaccination.on else f"may not count ({earlier.interval.warn.rstrip('.')})"
        text = (f"{name} {state}: it came before {day_text(ended.until)}, the end of the wait after {ended.antibody.label}. "
                f"Repeat it, not before {day_text(until)}.")
        yield Line(f"vaccination.repeat.{vaccine.id}.{vaccination.on}", "vaccination", "record", "warning", text,
                   reasons(evidence, draft.facts, cites=(*(rule.cites if rule else ()), *earlier.interval.cites, *ended.interval.cites), rule=_TOO_SOON,
                           entries=(earlier.interval, ended.interval),
                           calculation=f"{day_text(ended.antibody.on)} + {ended.wait} = {day_text(ended.until)}"), when=until)


def _reversed(draft: Draft, evidence: Evidence, places: tuple[str, ...], vaccination: Vaccination, vaccine: Vaccine, name: str,
              again: Sequence[Deferral], until: date) -> Iterable[Line]:
    """Immunoglobulin after the vaccine: the rule of this place decides, stricter ones elsewhere are named."""
    following = [found.antibody.on for found in again if found.antibody.on >= vaccination.on and found.wait.value > 0]
    rules = [rule for rule in evidence.vaccine_rules.values() if rule.after_vaccine_keep_ig_away is not None and set(rule.vaccines) & set(vaccine.antigens)]
    began = min(following, default=None)
    broken = [] if began is None else [rule for rule in rules if judged(rule, vaccination.on, began) != "valid"]
    if began is None or not broken:
        return
    applied = next((rule for place in places for rule in rules if rule.jurisdiction == place and not rule.note_only), None)
    gap = f"immunoglobulin {(began - vaccination.on).days} days later"
    urgency: Urgency = "warning" if applied in broken else "info"
    when: date | None = until
    if applied is None:
        text, when = f"{name}: {gap}. No rule of this place was read; stricter rules elsewhere: {_places(broken)}.", None
    elif applied not in broken:
        text, when = f"{name} counts: {gap} is outside the limit here. It would not count, or be avoided, by {_places(broken)}.", None
    elif applied.then == "avoid":
        text = f"{name}: {gap}. {applied.say} Have it checked by antibody test, or repeat it, not before {day_text(until)}."
    else:
        text = f"{name} does not count: {gap}. {applied.say} Not before {day_text(until)}."
    stricter = () if applied in broken else tuple(cite for rule in broken for cite in rule.cites)
    cites = (*(applied.cites if applied is not None else ()), *stricter, *again[0].interval.cites)
    others = tuple(Alternative(_place(rule), rule.say, rule.cites) for rule in broken if rule is not applied)
    yield Line(f"vaccination.repeat.{vaccine.id}.{vaccination.on}", "vaccination", "record", urgency, text,
               reasons(evidence, draft.facts, cites=cites, rule=applied.id if applied else "", disputed_by=others,
                       entries=(again[0].interval, *(broken if stricter else ())),
                       calculation=f"{day_text(vaccination.on)} to {day_text(began)} = {(began - vaccination.on).days} days"), when=when)


def _place(rule: VaccineRule) -> str:
    return " ".join(filter(None, (rule.jurisdiction, rule.vaccine_product and f"{rule.vaccine_product} label")))


def _places(rules: list[VaccineRule]) -> str:
    return listed([_place(rule) for rule in rules])


def planned_too_early(draft: Draft, evidence: Evidence, context: Context, given: Given) -> Iterable[Line]:
    """Vaccinations planned for a date before the end of the wait, or before the dose-based date that stands beside it."""
    places = evidence.places(context.jurisdiction)
    for vaccination in dict.fromkeys(draft.record.vaccinations):
        vaccine = vaccine_named(evidence, vaccination)
        if vaccine is None or vaccine.antibody_interval != "yes" or vaccination.on <= context.start.date():
            continue
        found = given.latest(places, vaccine.antigens)
        if found is None:
            continue
        last = trusted(evidence, found, vaccine, given)
        if vaccination.on >= last.until:
            continue
        if vaccination.on < found.until:
            text = f"{vaccine.name} is planned for {day_text(vaccination.on)}, too early to count. Move it to {day_text(last.until)} or later."
        else:
            text = (f"{vaccine.name} is planned for {day_text(vaccination.on)}, after the date of {found.interval.id} but before the dose-based date. "
                    f"{found.interval.warn} Move it to {day_text(last.until)} or later, or test first.")
        yield Line(f"vaccination.move.{vaccine.id}.{vaccination.on}", "vaccination", "wait", "warning", text,
                   reasons(evidence, draft.facts, cites=(*found.interval.cites, *last.interval.cites), rule=last.interval.id, entries=(found.interval,),
                           calculation=f"{day_text(last.antibody.on)} + {last.wait} = {day_text(last.until)}"), when=last.until)


def by_dose(evidence: Evidence, deciding: Deferral, vaccine: Vaccine, given: Given) -> Deferral | None:
    """The later date of the table that the deciding interval shows beside its own."""
    also = deciding.interval.also_show
    if not also:
        return None
    other = evidence.antibody_intervals.get(also)
    beside = given.latest((other.jurisdiction,), vaccine.antigens) if other is not None else None
    return beside if beside is not None and beside.until > deciding.until else None


def trusted(evidence: Evidence, deciding: Deferral, vaccine: Vaccine, given: Given) -> Deferral:
    """The deferral a date may rest on: the deciding one, or the dose-based one where the deciding one comes with a warning."""
    beside = by_dose(evidence, deciding, vaccine, given)
    return beside if beside is not None and warned(deciding, beside, vaccine) else deciding


def warned(deciding: Deferral, beside: Deferral | None, vaccine: Vaccine) -> bool:
    """True when the deciding date is not to be trusted alone: an antigen that may be impaired for longer, after a dose as high as the warning names."""
    interval = deciding.interval
    if beside is None or not {antigen for part in interval.extra for antigen in part.vaccines} & set(vaccine.antigens):
        return False
    dose = beside.antibody.dose
    return interval.warn_from is None or dose is None or dose >= interval.warn_from.in_unit("g/kg") * _SLACK


_SLACK = 1 - 1e-9


def unrecognised(draft: Draft, evidence: Evidence) -> Iterable[Line]:
    """Vaccines on record, written as text only, whose name is none in the evidence: a live one among them would go unnoticed."""
    rule = evidence.vaccine_rules.get(_TOO_SOON)
    unknown = [one for one in dict.fromkeys(draft.record.vaccinations) if one.vaccine and not one.codes and vaccine_named(evidence, one) is None]
    if unknown and rule is not None:
        names = listed([f"{one.vaccine} ({day_text(one.on)})" for one in unknown])
        yield Line("vaccination.not-recognised", "vaccination", "ask", "info",
                   f"Not recognised among the vaccines on record: {names}. If one is live, name it or give its code.",
                   reasons(evidence, draft.facts, cites=rule.cites))
