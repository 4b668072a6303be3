"""What the typed entries of products, rates, vaccines, facts, tests and mechanisms say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ivigil.answers.amounts import Amounts
from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, entry_said, frame, plain_for, said_of, statement_said
from ivigil.answers.words import folds_of
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.care import AntibodyInterval, Vaccine
from ivigil.evidence.conditions import facts_named, truth_of
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import PrintedRate, Product, RateSchedule, SafetyRule, SubcutaneousSchedule, Switch

_SEVERITY = {"contraindicated": "contraindicated", "avoid": "avoid", "caution": "caution"}
_WORST_FIRST = ("contraindicated", "avoid", "caution", "info", "none")
_INTRAVENOUS = {"igiv", "igsc"}


def chosen(here: Here, names: Iterable[str]) -> list[Product]:
    """Of the products named, those of the markets of the place; of a brand that has none there, the others."""
    products = [here.evidence.products[name] for name in names]
    markets = here.evidence.jurisdictions[here.jurisdiction].markets
    at_home = {product.brand.partition(" ")[0] for product in products if product.market in markets}
    return [product for product in products if product.market in markets or product.brand.partition(" ")[0] not in at_home]


def one_a_brand(products: Iterable[Product]) -> list[Product]:
    """Of each brand and strength the first: those of several markets say the same."""
    kept: dict[tuple[str, float], Product] = {}
    for product in products:
        kept.setdefault((product.brand, product.percent), product)
    return list(kept.values())


def called(here: Here, product: Product) -> str:
    """The brand, with its strength where a market has two, and its market when that is not the place's own."""
    strengths = {other.percent for other in here.evidence.products.values() if other.brand == product.brand and other.market == product.market}
    markets = here.evidence.jurisdictions[here.jurisdiction].markets
    strength = f" {product.percent:g} %" if len(strengths) > 1 else ""
    return f"{product.brand}{strength}{'' if product.market in markets else f' ({product.market})'}"


_ASPECTS: dict[str, tuple[str, ...]] = {
    "stabiliser": (
        "stabil",
        "excipient",
        "sucrose",
        "maltose",
        "sorbitol",
        "proline",
        "glucose",
        "glycine",
        "polysorbate",
        "sugar",
        "contain",
        "ingredient",
        "albumin",
        "hyaluron",
    ),
    "iga": ("iga",),
    "sodium": ("sodium", "salt"),
    "vials": ("vial", "bottle", "size", "come"),
    "label": ("label", "approv", "licens", "indicat", "used"),
    "storage": ("stor", "fridge", "stand", "refrigerat", "temperature", "shelf", "keep", "kept", "room", "expir", "freez"),
    "dilution": ("dilu", "saline", "glucose", "dextrose"),
    "flush": ("flush",),
    "filter": ("filter",),
    "latex": ("latex",),
    "reactions": ("side", "reaction", "effect", "adverse"),
    "osmolality": ("osmol", "ph"),
    "isoagglutinin": ("isoagglutinin", "hemolysis", "anti"),
}
"""The words by which one aspect of a product is asked for."""


def about_product(here: Here, product: Product, words: frozenset[str]) -> list[Said]:
    """Strength, stabiliser, excipients, IgA, vials, label and handling of one product, as its label prints them; the aspect asked for first."""
    if plain_for(here.audience):
        statements = [one for one in here.evidence.statements.values() if one.id.startswith(f"{product.id}.") and one.plain]
        kept = [said for aspect, said in _aspects(here, product) if aspect == "storage" and any(word.startswith(_ASPECTS["storage"]) for word in words)]
        return [*kept, *(told for one in statements if (told := statement_said(here.evidence, one.id, here.audience)) is not None)]
    asked = asked_aspects(words)
    rows = list(_aspects(here, product))
    fitting = [said for aspect, said in rows if aspect in asked]
    return fitting if fitting else [said for _, said in rows]


def asked_aspects(words: frozenset[str]) -> frozenset[str]:
    """What of a product is asked about, of all that labels print."""
    return frozenset(aspect for aspect, starts in _ASPECTS.items() if any(word.startswith(starts) for word in words))


def recorded_aspects(here: Here, product: Product) -> frozenset[str]:
    """What of that was read for one product."""
    return frozenset(aspect for aspect, _ in _aspects(here, product))


def label_words(here: Here, product: Product) -> frozenset[str]:
    """The words of what labels print of one product."""
    return frozenset(fold for _, said in _aspects(here, product) for fold in folds_of(said.text))


def handled(here: Here, product: Product, aspects: frozenset[str]) -> list[Said]:
    """How one product is handled, in these aspects: what it is diluted and its line flushed with, the filter, latex."""
    return [said for aspect, said in _aspects(here, product) if aspect in aspects]


def _aspects(here: Here, product: Product) -> Iterator[tuple[str, Said]]:
    evidence, name = here.evidence, called(here, product)
    if product.status.cites and product.status.say:
        yield "label", entry_said(evidence, f"{name}: {product.status.say}", product.status.cites)
    if product.stabiliser is not None:
        present = [word.replace("_", " ") for word, answer in product.contains.items() if answer == "yes" and word != "corn_derived"]
        absent = [word.replace("_", " ") for word, answer in product.contains.items() if answer == "no" and word not in {"corn_derived", "polysorbate_80"}]
        text = f"{name}: stabiliser {product.stabiliser.name}"
        text += f"; contains {', '.join(present)}" if present else ""
        text += f"; contains no {', '.join(absent)}" if absent else ""
        yield "stabiliser", entry_said(evidence, text.replace(" polysorbate 80", " polysorbate"), (*product.stabiliser.cites, *product.contains_cites))
    for aspect, measured in (("iga", product.iga), ("sodium", product.sodium)):
        if measured is not None:
            text = f"{name}: {'IgA' if aspect == 'iga' else aspect} {'at most' if measured.kind == 'max' else 'typically'} {measured.value}"
            yield aspect, entry_said(evidence, text, measured.cites)
    for word, worded in (("osmolality", product.osmolality), ("pH", product.ph)):
        if worded is not None:
            yield "osmolality", entry_said(evidence, f"{name}: {word} {worded.value}", worded.cites)
    if product.isoagglutinin_reduced is not None and product.isoagglutinin_reduced.value == "yes":
        yield "isoagglutinin", entry_said(evidence, f"{name}: made with a step that lowers isoagglutinins", product.isoagglutinin_reduced.cites)
    if product.vials is not None:
        yield "vials", entry_said(evidence, f"{name}: vials of {', '.join(str(size) for size in product.vials.sizes)}", product.vials.cites)
    for row in product.labelled:
        yield "label", entry_said(evidence, f"{name}, on the label: {evidence.indications[row.indication].name.clinical}", row.cites)
    if product.handling is not None:
        handling = product.handling
        rows = (
            ("storage", handling.storage),
            ("dilution", handling.dilution),
            ("flush", handling.flush),
            ("filter", handling.filter),
            ("latex", handling.latex),
        )
        for word, text in rows:
            if text:
                yield word, entry_said(evidence, f"{name}, {word}: {text}", handling.cites)
    yield from (("reactions", entry_said(evidence, f"{name}: {remark.say}", remark.cites)) for remark in product.reactions)


def switches(here: Here, products: list[Product], amounts: Amounts, indications: tuple[str, ...] = ()) -> list[Said]:
    """How a weekly dose under the skin follows from an intravenous one, by the label of each product named; of all of the place, when none is.

    Nothing for a disease in which no label of these products gives it under the skin.
    """
    if plain_for(here.audience):
        return []
    named = [product for product in products if product.switch]
    under_skin = any("intravenous" not in product.routes for product in products)
    listed = named or ([] if under_skin else [product for product in here.evidence.products_at(here.jurisdiction) if product.switch])
    if indications:
        listed = [product for product in listed if any(set(row.indications) & set(indications) for row in product.subcutaneous)]
    out: list[Said] = []
    for product in listed:
        for row in product.switch:
            if in_force(row.valid, here.as_of):
                out.append(entry_said(here.evidence, f"{called(here, product)}: {row.say}", row.cites))
                out += _switched(amounts, row, called(here, product)) if named else []
    return sorted(out, key=lambda one: one.kind != "calculation")


def _switched(amounts: Amounts, row: Switch, name: str) -> list[Said]:
    """The weekly grams under the skin that follow from an intravenous dose in grams and its interval."""
    grams = next((dose.amount.high for dose in amounts.doses if dose.amount.single and dose.amount.unit == "g"), None)
    if grams is None or not amounts.weeks:
        return []
    weekly = number_text(round(grams * row.from_intravenous / amounts.weeks, 1))
    return [Said(f"{name}: {grams:g} g x {row.from_intravenous:.2f} / {amounts.weeks:g} weeks = {weekly} g a week.", row.cites, "calculation")]


def rates(here: Here, product: Product, indications: tuple[str, ...], amounts: Amounts) -> Iterator[Said]:
    """The printed rates of one product, those of the indication asked about first."""
    if plain_for(here.audience):
        return
    name = called(here, product)
    rows = [row for row in product.rates if in_force(row.valid, here.as_of)]
    fitting = [row for row in rows if not indications or set(row.indications) & set(indications)]
    for row in fitting or rows:
        yield entry_said(here.evidence, f"{name}{_for(here, row.indications)}: {_schedule(row)}", row.cites)
        if amounts.weight is not None:
            yield from _per_hour(product, row, amounts.weight.in_unit("kg"), name)
    under_skin = [row for row in product.subcutaneous if not indications or set(row.indications) & set(indications)]
    for one in under_skin or product.subcutaneous:
        text = _under_skin(one)
        if text:
            yield entry_said(here.evidence, f"{name}{_for(here, one.indications)}, {one.infusion} infusion: {text}", one.cites)
    if not product.rates and not product.subcutaneous:
        yield frame("No rate of this product was read.")
        yield from said_of(here.evidence, _RATES_UNREAD, here.audience)




_RATES_UNREAD = "ivigil-policy.rates-unread"


def _per_hour(product: Product, row: RateSchedule, kg: float, name: str) -> Iterator[Said]:
    """Start, limit at risk and maximum of a schedule in mL/h for a body weight. Of two printed forms of one rate the lower counts."""
    at_risk = row.at_risk
    limits = [("start", row.start.rate, row.start.also)]
    if at_risk is not None and at_risk.rate is not None:
        limits.append(("at kidney or clot risk at most", at_risk.rate, at_risk.also))
    limits.append(("at most" if at_risk is None else "without kidney or clot risk at most", row.maximum.rate, row.maximum.also))
    for word, rate, also in limits:
        reckoned = [(each, one) for one in (also, rate) if one is not None and (each := hourly(one, kg, product)) is not None]
        if reckoned:
            lowest, binding = min(reckoned, key=lambda pair: pair[0])
            yield Said(f"{name}, {word}: {binding} for {number_text(kg)} kg = {number_text(round(lowest, 1))} mL/h.", row.cites, "calculation")


def hourly(rate: Quantity, kg: float, product: Product) -> float | None:
    """A rate per body weight in mL/h; None for one that is not per body weight."""
    if rate.dimension == "volume rate per body mass":
        return rate.in_unit("mL/kg/h") * kg
    if rate.dimension == "mass rate per body mass":
        return rate.in_unit("mg/kg/h") * kg / 1000 / product.grams_per_ml
    return None


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


def no_live(here: Here, vaccines: tuple[str, ...], facts: tuple[str, ...]) -> list[Said]:
    """A live vaccine asked about for somebody who must have none: this stands before everything else."""
    conditions = [one.contraindicated_when for name in vaccines if (one := here.evidence.vaccines[name]).contraindicated_when is not None]
    known = _as_known(here, facts)
    if not any(truth_of(condition, known) is True for condition in conditions):
        return []
    return said_of(here.evidence, _NO_LIVE_PLAIN if plain_for(here.audience) else _NO_LIVE, here.audience)


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
                evidence, f"{one.name} vaccine: no antibody wait applies. Ask if a live vaccine is safe for you.", one.exempt_cites or one.cites
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
        yield from said_of(evidence, _NO_LIVE, here.audience)


_NO_LIVE, _NO_LIVE_PLAIN = "care.v09", "advice.immune-state"


def _waits(here: Here, one: Vaccine, indications: tuple[str, ...]) -> Iterator[Said]:
    """The rows of the own place: that of the disease first, then the bands by dose, then what else is printed; after them those of other places."""
    rows = [
        row
        for row in here.evidence.antibody_intervals.values()
        if set(row.vaccines) & set(one.antigens or (one.id,)) and not row.superseded_by and (row.product == "igiv" or set(row.products) & _INTRAVENOUS)
    ]
    own = [row for place in (*here.places, "") for row in rows if row.jurisdiction == place]
    names = {name.split("-")[0] for name in indications}
    names |= {here.evidence.indications[name].name.clinical.partition("(")[0].strip().lower() for name in indications}
    replacing = any(here.evidence.indications[name].purpose == "replacement" for name in indications)
    of_disease = [row for row in own if row.purpose and (row.purpose in names or (replacing and row.purpose == "replacement"))]
    general = [row for row in own if row.say and not row.purpose and not row.note_only and (not row.while_ or replacing or not indications)]
    others = [row for row in own if row.purpose and not indications and row not in of_disease]
    elsewhere = [row for row in rows if row not in own and row.say and not row.note_only and not row.purpose and not row.while_]
    for row in (*of_disease, *sorted(general, key=lambda row: bool(row.while_)), *others, *elsewhere):
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


def of_facts(here: Here, facts: tuple[str, ...], products: bool = False) -> list[Said]:
    """What the safety rules say of the facts named: those that fire by them alone, then those that need one thing more; worst first.

    Where ``products`` are named, rules on what a product contains are left to what is said of these. For patients, what those rules have them told.
    """
    known = _as_known(here, facts)
    rules = [rule for rule in here.evidence.every_rule.values() if not rule.jurisdictions or set(rule.jurisdictions) & set(here.places)]
    rules = [rule for rule in rules if not products or not any(name.startswith("product.contains_") for name in facts_named(rule.when))]
    firing = [rule for rule in rules if truth_of(rule.when, known) is True]
    beside = [rule for rule in rules if rule not in firing and facts_named(rule.when) & set(known) and len(facts_named(rule.when)) <= _FEW_FACTS]
    out: list[Said] = []
    for rule in (*sorted(firing, key=_worst), *sorted(beside, key=_worst)):
        if plain_for(here.audience):
            out += said_of(here.evidence, rule.id, here.audience)
        else:
            say = rule.say.replace("this product", "the product")
            out.append(entry_said(here.evidence, f"{rule.about}: {say}", rule.cites, _SEVERITY.get(rule.severity, "")))
    for entry in (*here.evidence.premedication.values(), *here.evidence.hydration.values()):
        if not plain_for(here.audience) and entry.when is not None and truth_of(entry.when, known) is True:
            out.append(entry_said(here.evidence, entry.say, entry.cites))
    for one in here.evidence.advice.values():
        if plain_for(here.audience) and one.when is not None and truth_of(one.when, known) is True:
            out += said_of(here.evidence, one.id, here.audience)
    return out


_FEW_FACTS = 2


def _worst(rule: SafetyRule) -> int:
    return _WORST_FIRST.index(rule.severity)


def _as_known(here: Here, facts: tuple[str, ...]) -> Facts:
    """The facts named as true ones, with the risk groups that they put a patient in."""
    origin = Origin("question")
    known = Facts(Fact(name, True, origin) for name in facts if here.evidence.facts[name].kind == "yes_no")
    for group in here.evidence.groups.values():
        if truth_of(group.when, known) is True:
            known = known.having([Fact(group.id, True, origin)])
    return known


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
