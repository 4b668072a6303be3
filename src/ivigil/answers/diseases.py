"""What the typed entries of an indication say: standing by authority, criteria, doses, going on and stopping, targets, alternatives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeVar

import msgspec

from ivigil.answers.answer import Audience
from ivigil.answers.said import Said, entry_said, frame, plain_for, said_of, statement_said
from ivigil.basis.facts import Facts
from ivigil.evidence.conditions import truth_of
from ivigil.evidence.doses import dose_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import elsewhere, in_force, nearest
from ivigil.evidence.shapes import Criterion, Indication, Product, Regimen, Remark, Standing

_VERDICTS = {"supports": "supported", "conditional": "under conditions", "against": "advised against", "not-read": "not read"}
_PLAIN_VERDICTS = {
    "supports": "In {place}, it can be used for {name}.",
    "conditional": "In {place}, it can be used for {name} in some cases.",
    "against": "In {place}, it is not advised for {name}.",
}
_FEW_WORDS = 3
_LONGEST_EASY = 10
"""Letters of the longest word in a name that patients are told; a harder name is "this illness"."""
_PHASES = {
    "acute": "treatment",
    "replacement": "replacement",
    "induction": "start",
    "maintenance": "maintenance",
    "second-dose": "second dose",
    "switch": "changing over",
    "extra": "extra dose",
}
NOBODY = Facts(())
"""Nothing is known of the person."""
E = TypeVar("E", Standing, Criterion, Regimen)


class Here(msgspec.Struct, frozen=True):
    """Where and when a question is asked, for whom, of which evidence."""

    evidence: Evidence
    audience: Audience
    jurisdiction: str
    as_of: date

    @property
    def places(self) -> tuple[str, ...]:
        """The jurisdiction and the wider ones it includes."""
        return self.evidence.places(self.jurisdiction)


def by_place(here: Here, entries: Iterable[E]) -> tuple[list[E], list[E]]:
    """The entries in force of the own place (international ones among them), and those of other places."""
    listed = list(entries)
    return nearest(listed, here.places, here.as_of), elsewhere(listed, here.places, here.as_of)


def short_name(indication: Indication, audience: Audience) -> str:
    """What to call a disease in a sentence: its acronym or common name before the long one; for patients no hard name, since they named it themselves."""
    clinical = indication.name.clinical
    short = next((name for name in indication.also_called if name.isupper() and 2 < len(name) < 6), "")
    if plain_for(audience):
        plain = indication.name.plain
        easy = len(clinical.split()) < _FEW_WORDS and max(map(len, clinical.split())) <= _LONGEST_EASY
        return plain if plain and len(plain.split()) <= _FEW_WORDS else short or (clinical if easy else "this illness")
    return clinical


def standing(here: Here, indication: Indication) -> Iterator[Said]:
    """What each authority says, nearest first."""
    own, others = by_place(here, indication.standing)
    listed = own if plain_for(here.audience) and any(row.verdict != "not-read" for row in own) else [*own, *others]
    rows = [row for row in listed if row.verdict != "not-read"]
    if plain_for(here.audience):
        placed = [row for row in rows if row.jurisdiction in here.evidence.jurisdictions]
        rows = placed or [row for row in others if row.verdict != "not-read" and row.jurisdiction in here.evidence.jurisdictions]
    seen: set[str] = set()
    for row in rows:
        place = here.evidence.jurisdictions.get(row.jurisdiction)
        if plain_for(here.audience):
            text = _PLAIN_VERDICTS[row.verdict].format(
                place=_the(place.name if place is not None else row.jurisdiction), name=short_name(indication, here.audience)
            )
            if text not in seen:
                seen.add(text)
                yield entry_said(here.evidence, text, row.cites)
            continue
        where = f" ({place.name})" if place is not None else ""
        standing_so = _numbers_stand(here, row)
        tier = "" if not standing_so or row.tier.lower() in row.say.lower() else row.tier
        own_words = "; ".join(part for part in (tier, row.say) if part)
        text = f"{here.evidence.authority(row)}{where}: {_VERDICTS[row.verdict]}{f' - {own_words}' if own_words else ''}"
        yield entry_said(here.evidence, text, row.cites, "" if standing_so else row.tier, f"edition {row.edition}" if row.edition else "")


def on_labels(here: Here, indication: Indication) -> Iterator[Said]:
    """Which products of the place name the disease on their label, and what ivigil says to claims about it."""
    if plain_for(here.audience):
        return
    place = here.evidence.jurisdictions[here.jurisdiction]
    rows = [(product.brand, row.cites) for product in here.evidence.products_at(here.jurisdiction) for row in product.labelled_in.get(indication.id, ())]
    if rows:
        brands = ", ".join(dict.fromkeys(brand for brand, _ in rows))
        yield entry_said(here.evidence, f"On the label in {_the(place.name)}: {brands}", [cite for _, cites in rows for cite in cites])
    else:
        yield frame(f"No product label read for {_the(place.name)} names {indication.name.clinical}.")
    for claim in here.evidence.claims.values():
        if claim.say and claim.topic.startswith(("labelled use", "off-label use")) and any(cite.startswith(f"{indication.id}.") for cite in claim.cites):
            yield from said_of(here.evidence, claim.id, here.audience)


def criteria(here: Here, indication: Indication) -> Iterator[Said]:
    """What each authority asks for, nearest first."""
    own, others = by_place(here, indication.criteria)
    for one in (*own, *others):
        if plain_for(here.audience):
            continue
        yield entry_said(here.evidence, f"{here.evidence.authority(one)}{_where(here, one.jurisdiction)} asks for: {one.say}", one.cites)
    if not plain_for(here.audience):
        for ceiling in indication.payer_ceilings:
            yield entry_said(here.evidence, f"Authorisation limit of {ceiling.payer}, never a dose: {ceiling.amount} per {ceiling.per}", ceiling.cites)


def doses(
    here: Here, indication: Indication, phases: frozenset[str] = frozenset(), products: tuple[str, ...] = (), known: Facts = NOBODY
) -> tuple[list[Said], list[Said]]:
    """The printed doses of the own place, those of a product named first, and those of others, each in words that cannot be read in two ways.

    What is not for somebody ``known`` to be too young or too old is left out.
    """
    fitting = [one for one in indication.regimens if one.when is None or truth_of(one.when, known) is not False]
    own, others = by_place(here, fitting)
    if products:
        own, others = [_of_products(rows, [here.evidence.products[name] for name in products]) for rows in (own, others)]
    if phases:
        own, others = [[one for one in rows if one.phase in phases or set(one.also_phases) & phases] for rows in (own, others)]
    if plain_for(here.audience):
        statements = dict.fromkeys(cite for one in own for cite in one.cites)
        told = [one for cite in statements if (one := statement_said(here.evidence, cite, here.audience)) is not None]
        if not told:
            elsewhere_cites = dict.fromkeys(cite for one in others for cite in one.cites)
            told = [one for cite in elsewhere_cites if (one := statement_said(here.evidence, cite, here.audience)) is not None]
        return told[:1], []
    return [_dose(here, one) for one in own], [_dose(here, one) for one in others]


def _of_products(rows: list[Regimen], products: list[Product]) -> list[Regimen]:
    """The rows of the products named, then those of no product that go the same way; never the dose of another product."""
    named = [one for one in rows if set(one.products) & {product.id for product in products}]
    routes = {route for product in products for route in product.routes}
    return [*named, *(one for one in rows if not one.products and one.route in routes)]


def _dose(here: Here, regimen: Regimen) -> Said:
    evidence = here.evidence
    brands = dict.fromkeys(evidence.products[name].brand for name in regimen.products if name in evidence.products)
    who = [evidence.authority(regimen) + _where(here, regimen.jurisdiction)]
    if brands:
        who.append(", ".join(brands))
    parts = [f"{'; '.join(who)} - {_PHASES[regimen.phase]}: {dose_text(regimen)}"]
    if regimen.route != "intravenous":
        parts[0] += ", under the skin" if regimen.route == "subcutaneous" else ", facilitated under the skin"
    if regimen.hours is not None:
        parts[0] += f", over {regimen.hours}"
    if regimen.companion:
        parts[0] += f", with {regimen.companion}"
    parts += [f"{text.rstrip('.')}" for text in (regimen.repeat, regimen.say) if text and text not in dose_text(regimen)]
    return entry_said(evidence, ". ".join(parts), regimen.cites, f"edition {regimen.edition}" if regimen.edition else "")


def remarks(here: Here, rows: Iterable[Remark], about: str = "") -> Iterator[Said]:
    """Remarks of the own place first; those of other places name it."""
    listed = [one for one in rows if in_force(one.valid, here.as_of)]
    known = {*here.places, "", "international"}
    for one in sorted(listed, key=lambda row: row.jurisdiction not in known):
        if plain_for(here.audience):
            for cite in one.cites:
                told = statement_said(here.evidence, cite, here.audience)
                if told is not None:
                    yield told
            continue
        where = _where(here, one.jurisdiction).strip(" ()") if one.jurisdiction and one.jurisdiction not in known else ""
        text = f"{where}: {one.say}" if where else one.say
        yield entry_said(here.evidence, f"{about}: {text}" if about else text, one.cites)


def reported(here: Here, indication: Indication) -> Iterator[Said]:
    """Doses that were reported and are never planned from."""
    if plain_for(here.audience):
        return
    for one in indication.reported:
        yield entry_said(here.evidence, f"Reported, not for planning ({one.kind.replace('-', ' ')}): {one.say}", one.cites)


def against_everywhere(indication: Indication) -> bool:
    """True when every authority that was read advises against."""
    read = [row for row in indication.standing if row.verdict != "not-read"]
    return bool(read) and all(row.verdict == "against" for row in read)


def _where(here: Here, jurisdiction: str) -> str:
    entry = here.evidence.jurisdictions.get(jurisdiction)
    return f" ({entry.name})" if entry is not None else ""


def _the(place: str) -> str:
    return f"the {place}" if place.startswith(("United", "European")) else place


def _numbers_stand(here: Here, row: Standing) -> bool:
    """Whether the numbers of a tier stand in the statements that carry it; other ones are only a mark."""
    told = " ".join(here.evidence.statements[cite].says for cite in row.cites)
    return all(number in told for number in re.findall(r"\d+", row.tier))
