"""What the typed entries of products, rates, vaccines, facts, tests and mechanisms say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, entry_said, frame, plain_for, said_of, statement_said
from ivigil.evidence.care import AntibodyInterval, Vaccine
from ivigil.evidence.conditions import facts_named
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import PrintedRate, Product, RateSchedule, SafetyRule, SubcutaneousSchedule

_SEVERITY = {"contraindicated": "contraindicated", "avoid": "avoid", "caution": "caution"}
_WORST_FIRST = ("contraindicated", "avoid", "caution", "info", "none")
_INTRAVENOUS = {"igiv", "igsc"}


def chosen(here: Here, names: Iterable[str]) -> list[Product]:
    """Of the products named, those of the markets of the place; where there are none, the others."""
    products = [here.evidence.products[name] for name in names]
    markets = here.evidence.jurisdictions[here.jurisdiction].markets
    own = [product for product in products if product.market in markets]
    return own or products


def called(here: Here, product: Product) -> str:
    """The brand, with its strength where a market has two, and its market when that is not the place's own."""
    strengths = {other.percent for other in here.evidence.products.values() if other.brand == product.brand and other.market == product.market}
    markets = here.evidence.jurisdictions[here.jurisdiction].markets
    strength = f" {product.percent:g} %" if len(strengths) > 1 else ""
    return f"{product.brand}{strength}{'' if product.market in markets else f' ({product.market})'}"


def about_product(here: Here, product: Product) -> Iterator[Said]:
    """Strength, stabiliser, excipients, IgA, vials, label and handling of one product, as its label prints them."""
    evidence, name = here.evidence, called(here, product)
    if plain_for(here.audience):
        for statement in evidence.statements.values():
            if statement.id.startswith(f"{product.id}.") and statement.plain:
                told = statement_said(evidence, statement.id, here.audience)
                if told is not None:
                    yield told
        return
    if product.status.cites and product.status.say:
        yield entry_said(evidence, f"{name}: {product.status.say}", product.status.cites)
    if product.stabiliser is not None:
        present = [word.replace("_", " ") for word, answer in product.contains.items() if answer == "yes" and word != "corn_derived"]
        absent = [word.replace("_", " ") for word, answer in product.contains.items() if answer == "no" and word not in {"corn_derived", "polysorbate_80"}]
        text = f"{name}: stabiliser {product.stabiliser.name}"
        text += f"; contains {', '.join(present)}" if present else ""
        text += f"; contains no {', '.join(absent)}" if absent else ""
        yield entry_said(evidence, text.replace(" polysorbate 80", " polysorbate"), (*product.stabiliser.cites, *product.contains_cites))
    if product.iga is not None:
        yield entry_said(evidence, f"{name}: IgA {'at most' if product.iga.kind == 'max' else 'typically'} {product.iga.value}", product.iga.cites)
    if product.sodium is not None:
        yield entry_said(evidence, f"{name}: sodium {'at most' if product.sodium.kind == 'max' else 'typically'} {product.sodium.value}", product.sodium.cites)
    if product.vials is not None:
        yield entry_said(evidence, f"{name}: vials of {', '.join(str(size) for size in product.vials.sizes)}", product.vials.cites)
    for row in product.labelled:
        indication = evidence.indications[row.indication]
        yield entry_said(evidence, f"{name}, on the label: {indication.name.clinical}", row.cites)
    if product.handling is not None:
        rows = (
            ("storage", product.handling.storage),
            ("dilution", product.handling.dilution),
            ("flush", product.handling.flush),
            ("filter", product.handling.filter),
            ("latex", product.handling.latex),
        )
        yield from (entry_said(evidence, f"{name}, {word}: {text}", product.handling.cites) for word, text in rows if text)
    yield from (entry_said(evidence, f"{name}: {remark.say}", remark.cites) for remark in product.reactions)


def rates(here: Here, product: Product, indications: tuple[str, ...]) -> Iterator[Said]:
    """The printed rates of one product, those of the indication asked about first."""
    if plain_for(here.audience):
        return
    name = called(here, product)
    rows = [row for row in product.rates if in_force(row.valid, here.as_of)]
    fitting = [row for row in rows if not indications or set(row.indications) & set(indications)]
    for row in fitting or rows:
        yield entry_said(here.evidence, f"{name}{_for(here, row.indications)}: {_schedule(row)}", row.cites)
    under_skin = [row for row in product.subcutaneous if not indications or set(row.indications) & set(indications)]
    for one in under_skin or product.subcutaneous:
        text = _under_skin(one)
        if text:
            yield entry_said(here.evidence, f"{name}{_for(here, one.indications)}, {one.infusion} infusion: {text}", one.cites)


def _schedule(row: RateSchedule) -> str:
    parts = [f"start at {_rate(row.start)}"]
    parts += [f"then {', '.join(_rate(step) for step in row.steps)}"] if row.steps else []
    if row.increase is not None and row.increase.say:
        parts.append(row.increase.say.rstrip("."))
    parts.append(f"at most {_rate(row.maximum)}")
    if row.at_risk is not None:
        parts.append(
            f"at kidney or clot risk at most {row.at_risk.rate}" if row.at_risk.rate is not None else "at kidney or clot risk the minimum practicable rate"
        )
    who = f" ({row.infusion} infusion)" if row.infusion != "any" else ""
    return f"{'; '.join(parts)}{who}"


def _rate(printed: PrintedRate) -> str:
    also = f" ({printed.also})" if printed.also is not None else ""
    hold = f" for {printed.hold}" if printed.hold is not None else ""
    return f"{printed.rate}{also}{hold}"


def _under_skin(row: SubcutaneousSchedule) -> str:
    parts = [
        f"at most {row.volume_per_site} a site" if row.volume_per_site is not None else "",
        f"at most {row.rate_per_site} a site" if row.rate_per_site is not None else "",
        f"at most {row.rate_all_sites} over all sites" if row.rate_all_sites is not None else "",
    ]
    return "; ".join(part for part in parts if part)


def _for(here: Here, indications: tuple[str, ...]) -> str:
    names = [here.evidence.indications[name].name.clinical for name in indications if name in here.evidence.indications]
    return f", {', '.join(names[:3])}" if names else ""


def vaccine(here: Here, one: Vaccine, indications: tuple[str, ...]) -> Iterator[Said]:
    """Whether a vaccine waits, and how long, place by place; what the evidence does not say of it."""
    evidence = here.evidence
    if one.antibody_interval == "unknown":
        yield frame(f"No wait between immunoglobulin and {one.name} vaccine is in the evidence. Ask the maker or a vaccination centre.")
    if plain_for(here.audience):
        known = {"yes": ("advice.live-wait",), "own": ("advice.live-wait",), "no": ("advice.not-live",) if one.live == "no" else ()}
        for name in known.get(one.antibody_interval, ()):
            yield from said_of(evidence, name, here.audience)
        if one.antibody_interval == "no" and one.live == "yes":
            yield entry_said(
                evidence, f"{one.name}: no wait is needed because of this treatment. Ask if a live vaccine is safe for you.", one.exempt_cites or one.cites
            )
        return
    if one.live == "no":
        yield entry_said(evidence, f"{one.name}: not a live vaccine; no wait after immunoglobulin", (*one.cites, *one.exempt_cites))
    elif one.antibody_interval == "no":
        yield entry_said(evidence, f"{one.name}: a live vaccine without a wait after immunoglobulin", (*one.exempt_cites, *one.cites))
    elif one.interval_entry and one.interval_entry in evidence.antibody_intervals:
        row = evidence.antibody_intervals[one.interval_entry]
        yield from _said_interval(here, row)
    if one.antibody_interval == "yes":
        yield from _waits(here, one, indications)
    if one.say:
        yield entry_said(evidence, f"{one.name}: {one.say}", one.cites)
    if one.contraindicated_when is not None:
        yield from said_of(evidence, "care.v09", here.audience)


def _waits(here: Here, one: Vaccine, indications: tuple[str, ...]) -> Iterator[Said]:
    rows = [
        row
        for row in here.evidence.antibody_intervals.values()
        if set(row.vaccines) & set(one.antigens or (one.id,)) and not row.superseded_by and (row.product == "igiv" or set(row.products) & _INTRAVENOUS)
    ]
    own = [row for place in (*here.places, "") for row in rows if row.jurisdiction == place]
    purposes = {name.split("-")[0] for name in indications} | {
        here.evidence.indications[name].name.clinical.split("(")[0].strip().lower() for name in indications
    }
    for row in own:
        if row.say and not row.purpose and not row.note_only:
            yield from _said_interval(here, row)
    for row in own:
        if (row.purpose and (row.purpose in purposes or (row.purpose == "replacement" and not purposes))) or (
            row.purpose and not indications and row.jurisdiction == here.jurisdiction
        ):
            yield from _said_interval(here, row)
    for row in rows:
        if row not in own and row.say and not row.note_only and not row.purpose:
            yield from _said_interval(here, row)


def _said_interval(here: Here, row: AntibodyInterval) -> Iterator[Said]:
    place = here.evidence.jurisdictions.get(row.jurisdiction)
    if row.say:
        yield entry_said(here.evidence, f"{place.name if place is not None else row.vaccine_product or 'Elsewhere'}: {row.say}", row.cites)
        if row.warn:
            yield entry_said(here.evidence, row.warn, row.cites)
        return
    for cite in row.cites[:1]:
        told = statement_said(here.evidence, cite, here.audience)
        if told is not None:
            yield told


def of_facts(here: Here, facts: tuple[str, ...]) -> list[Said]:
    """What the safety rules say of the facts named, worst first; for patients what those rules have them told."""
    wanted = set(facts)
    rules = [
        rule
        for rule in here.evidence.every_rule.values()
        if _concerns(here, rule, wanted) and (not rule.jurisdictions or set(rule.jurisdictions) & set(here.places))
    ]
    rules.sort(key=lambda rule: (not facts_named(rule.when) & wanted, _WORST_FIRST.index(rule.severity)))
    out: list[Said] = []
    for rule in rules:
        if plain_for(here.audience):
            out += said_of(here.evidence, rule.id, here.audience)
        else:
            out.append(entry_said(here.evidence, f"{rule.about}: {rule.say}", rule.cites, _SEVERITY.get(rule.severity, "")))
    for entry in (*here.evidence.premedication.values(), *here.evidence.hydration.values()):
        if not plain_for(here.audience) and entry.when is not None and facts_named(entry.when) & wanted:
            out.append(entry_said(here.evidence, entry.say, entry.cites))
    for one in here.evidence.advice.values():
        if plain_for(here.audience) and one.when is not None and _names(here, facts_named(one.when)) & wanted:
            out += said_of(here.evidence, one.id, here.audience)
    return out


def _concerns(here: Here, rule: SafetyRule, wanted: set[str]) -> bool:
    named = facts_named(rule.when)
    product_only = {name for name in named if name.startswith(("product.", "course.", "order."))}
    return bool((named - product_only if named - product_only else named) & wanted) or bool(
        _names(here, named) & wanted and rule.severity in {"caution", "avoid"}
    )


def _names(here: Here, names: Iterable[str]) -> set[str]:
    out: set[str] = set()
    for name in names:
        group = here.evidence.groups.get(name)
        out |= _names(here, facts_named(group.when)) if group is not None else {name}
    return out


def mechanisms(here: Here, named: tuple[str, ...]) -> list[Said]:
    """The ways in which it acts: those named in the question, else the shown ones before the debated ones."""
    entries = here.evidence.mechanisms
    wanted = [entries[name] for name in named if name in entries]
    listed = wanted or sorted(entries.values(), key=lambda one: ("human", "supported", "debated").index(one.strength))
    most = len(listed) if wanted or not plain_for(here.audience) else 4
    return [one for entry in listed[:most] for one in said_of(here.evidence, entry.id, here.audience)]


def frequencies(here: Here, words: frozenset[str]) -> list[Said]:
    """How often a named effect was seen, study by study."""
    if plain_for(here.audience):
        return []
    rows = [row for row in here.evidence.reaction_frequencies.values() if any(word[:5] in row.outcome.lower() for word in words if len(word) > 4)]
    return [one for row in rows[:6] for one in said_of(here.evidence, row.id, here.audience)]
