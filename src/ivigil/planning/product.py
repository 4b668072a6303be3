"""Chooses the product: every one of the market is judged for this patient, ranked or rejected, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ivigil.basis.because import Alternative, Urgency
from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, number_text
from ivigil.evidence.conditions import Verdict, truth_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.select import in_force
from ivigil.evidence.shapes import Act, Product, SafetyRule, Severity
from ivigil.planning import safety, vials
from ivigil.planning.draft import Context, Draft
from ivigil.planning.line import Column, Line, Table
from ivigil.planning.product_facts import is_called, labelled_for_age, labelled_rows, last_immunoglobulin, planned_route, product_facts
from ivigil.planning.product_remarks import RANKING, remarks
from ivigil.planning.reasons import reasons
from ivigil.planning.wording import lower_first

VOLUME_MATTERS = ("risk.volume",)
"""Facts that make the volume matter, so that the stronger solution ranks first."""
IGA_MATTERS = ("has.iga_deficiency", "has.anti_iga")
"""Facts that make the IgA content matter."""


Judged = Sequence[tuple[SafetyRule, Verdict]]
"""Rules with their verdicts."""


class Candidate(msgspec.Struct, frozen=True):
    """One product of the market, judged.

    ``excluded`` holds the reasons against it, ``notes`` what was weighed, ``open`` the contraindications that an unanswered question keeps
    open, ``key`` its place in the ranking, ``rules`` those that fired.
    """

    product: Product
    excluded: tuple[str, ...]
    notes: tuple[str, ...]
    cites: tuple[str, ...]
    key: tuple[Any, ...]
    open: tuple[str, ...] = ()
    rules: tuple[SafetyRule, ...] = ()


def step(draft: Draft, evidence: Evidence, context: Context) -> Draft:
    """Rank the market's products for this patient, set the first as chosen and add its facts; blocked when none is left."""
    if draft.blocked or draft.indication is None:
        return draft
    markets = evidence.jurisdictions[context.jurisdiction].markets
    # What is settled without knowing the product is settled for all; only the rest is judged for each.
    judged = safety.judge_product(_with_route(draft.facts, draft), evidence, context)
    candidates = [candidate_of(product, draft, evidence, context, judged) for product in evidence.products.values() if product.market in markets]
    eligible = sorted((one for one in candidates if not one.excluded), key=lambda one: one.key)
    # A question that is open for every product tells none apart.
    common = set.intersection(*(set(one.open) for one in eligible)) if eligible else set()
    eligible = [_naming_open(one, common) for one in eligible]
    rejected = sorted((one for one in candidates if one.excluded), key=lambda one: one.product.brand)
    refused = _ordered_lines(candidates, eligible, draft, evidence, context)
    draft = draft.saying(*refused)
    if refused and eligible:
        draft = msgspec.structs.replace(draft, undecided=(*draft.undecided, (refused[0].id, ("order.product",), "contraindicated")))
    if not eligible:
        text = "No product of this market may be given to this patient. Every one and its reason stands in the table."
        line = Line(
            "product.blocked",
            "product",
            "avoid",
            "critical",
            text,
            reasons(evidence, draft.facts, cites=(RANKING, *_all_cites(rejected)), entries=_behind(rejected)),
            table=_table((), rejected),
        )
        return msgspec.structs.replace(draft.saying(line), blocked=(*draft.blocked, "product.none-left"))
    chosen = eligible[0]
    product = chosen.product
    draft = msgspec.structs.replace(draft, product=product, facts=draft.facts.having(product_facts(product, draft)))
    lines = [_choice_line(eligible, draft, evidence), _ranking_line(eligible, rejected, draft, evidence)]
    lines += remarks(product, draft, evidence, context)
    return draft.saying(*lines)


def candidate_of(product: Product, draft: Draft, evidence: Evidence, context: Context, judged: Judged = ()) -> Candidate:
    """What speaks against and for one product in this patient. ``judged`` are the product rules' verdicts without knowing the product."""
    ruled_out = (*_supply(product, context), *_label_bars(product, draft, draft.facts, context))
    if ruled_out and (planned_route(draft) not in product.routes or any(_supply(product, context))):
        return Candidate(product, ruled_out, (), (), ())
    facts = _with_route(draft.facts.having(product_facts(product, draft)), draft)
    settled = judged or safety.judge_product(facts, evidence, context)
    verdicts = [(rule, verdict.truth if verdict.truth is not None else truth_of(rule.when, facts)) for rule, verdict in settled]
    findings = [rule for rule, truth in verdicts if truth is True]
    # A contraindication that only an unanswered question keeps open makes a product second choice among equals.
    open_rules = [rule for rule, truth in verdicts if truth is None and rule.severity == "contraindicated"]
    barring = [rule for rule in findings if rule.severity == "contraindicated" and safety.override_for(draft, rule.id, rule.code) is None]
    cites = tuple(dict.fromkeys(cite for rule in findings for cite in rule.cites))
    if ruled_out or barring:
        # A label that does not cover the patient must not hide that the product could harm.
        return Candidate(product, (*ruled_out, *(rule.say for rule in barring)), (), cites, (), rules=tuple(findings))
    waste, count = vials_needed(product, _grams_per_day(draft))
    notes = tuple(_notes(product, draft, findings, waste, evidence, context))
    key = _key(product, draft, facts, findings, open_rules, (waste, count), evidence, context)
    return Candidate(product, (), notes, cites, key, tuple(dict.fromkeys(lower_first(rule.about) for rule in open_rules)), tuple(findings))


def _with_route(facts: Facts, draft: Draft) -> Facts:
    if "order.route" in facts:
        return facts
    return facts.having([Fact("order.route", planned_route(draft), Origin("derived", how="planned route"))])


def _naming_open(candidate: Candidate, common: set[str]) -> Candidate:
    own = [about for about in candidate.open if about not in common]
    return msgspec.structs.replace(candidate, notes=(*candidate.notes, f"still open: {', '.join(own)}")) if own else candidate


def vials_needed(product: Product, grams: float) -> tuple[float, int]:
    """The least overshoot in grams and the vials that make it; nought of both when the sizes were not read."""
    sizes, need = vials.product_sizes(product), vials.milligrams(grams)
    if not sizes or need <= 0:
        return 0.0, 0
    counts = vials.best_vials(sizes, need)
    made = sum(size * count for size, count in zip(sizes, counts, strict=True))
    return Quantity(float(made - need), "mg").in_unit("g"), sum(counts)


def _supply(product: Product, context: Context) -> Iterable[str]:
    status = product.status
    day = context.as_of.isoformat()
    first = context.start.date()
    stocked = any(vials.of_product(item, product) and item.count > 0 and vials.in_date(item, first) for item in context.stock)
    if status.state == "announced" and (not status.until or day <= status.until):
        yield f"Not yet on the market. {status.say}".strip()
    if status.until and day > status.until and status.state != "announced" and not stocked:
        yield f"No longer on the market since {status.until}."
    elif status.state == "discontinued" and not status.until:
        yield "Discontinued."
    if context.stock and not stocked:
        yield "Not in stock."
    if context.formulary and not any(is_called(product, name) for name in context.formulary):
        yield "Not on the formulary."


def _label_bars(product: Product, draft: Draft, facts: Facts, context: Context) -> Iterable[str]:
    route = planned_route(draft)
    # A product ordered without a route is meant for its own.
    if route not in product.routes and (draft.record.order.route or not _ordered(product, draft, context)):
        yield f"Not for {_words(route)} use; only {' or '.join(_words(one) for one in product.routes)}."
    if draft.indication is None:
        return
    for row in product.barred:
        # A bar that names the subcutaneous route in the register is judged with that route only.
        if row.indication == draft.indication.id and route != "intravenous" and (row.who is None or truth_of(row.who, facts) is not False):
            yield row.say or "Barred by its label in this indication."
    if labelled_for_age(product, draft.indication.id, facts) is False:
        rows = labelled_rows(product, draft.indication.id) or product.labelled
        limits = " or ".join(dict.fromkeys(row.who.text for row in rows if row.who is not None and row.who.text))
        yield f"Outside the label's population ({limits})." if limits else "Outside the label's population."


def _notes(product: Product, draft: Draft, findings: list[SafetyRule], waste: float, evidence: Evidence, context: Context) -> Iterable[str]:
    if _ordered(product, draft, context):
        yield "ordered"
    last = last_immunoglobulin(draft.record)
    if last is not None:
        yield "same brand as last time" if is_called(product, last.product) else "switch of brand"
    if draft.indication is not None:
        yield (
            "label indications not read"
            if not product.labelled
            else "labelled"
            if labelled_rows(product, draft.indication.id)
            else "off-label in this indication"
        )
    counts = {severity: [rule.about for rule in findings if rule.severity == severity] for severity in ("avoid", "caution")}
    for severity, about in counts.items():
        if about:
            yield f"{severity}: {', '.join(about)}"
    if planned_route(draft) == "intravenous" and not _rates_read(product, evidence):
        yield "rates not read"
    if _iga_matters(draft) and product.iga is not None:
        yield f"IgA {'at most' if product.iga.kind == 'max' else 'about'} {product.iga.value}"
    if _any(draft.facts, VOLUME_MATTERS):
        yield f"{number_text(product.percent)} % solution"
    if waste > 0:
        yield f"whole vials exceed the dose of a day by {number_text(waste)} g"


def _key(
    product: Product,
    draft: Draft,
    facts: Facts,
    findings: list[SafetyRule],
    open_rules: list[SafetyRule],
    needed: tuple[float, int],
    evidence: Evidence,
    context: Context,
) -> tuple[Any, ...]:
    """The order of preference; smaller is better. A product to avoid comes last unless it was ordered."""
    waste, count = needed
    last = last_immunoglobulin(draft.record)
    labelled = draft.indication is not None and bool(labelled_rows(product, draft.indication.id))
    age = draft.indication is not None and labelled_for_age(product, draft.indication.id, facts) is True
    iga = product.iga
    # A typical value is never set against a maximum: limits first, then typical values, then what was not read.
    iga_place = (iga is None, iga is not None and iga.kind == "typical", iga.value.canonical / product.percent if iga is not None else 0.0)
    return (
        not _ordered(product, draft, context),
        _count(findings, "avoid"),
        not (last is not None and is_called(product, last.product)),
        _count(findings, "caution"),
        _preferences_unmet(draft, facts, evidence, context),
        _count(findings, "info"),
        not labelled,
        not age,
        not _rates_read(product, evidence),
        len(open_rules),
        -product.percent if _any(draft.facts, VOLUME_MATTERS) else 0.0,
        iga_place if _iga_matters(draft) else (),
        waste,
        -product.percent,
        count,
        product.brand.lower(),
        product.id,
    )


def _count(findings: list[SafetyRule], severity: Severity) -> int:
    return sum(rule.severity == severity for rule in findings)


def _preferences_unmet(draft: Draft, facts: Facts, evidence: Evidence, context: Context) -> int:
    """How many ``prefer-product`` acts of fired rules this product does not meet; rules on the course that already hold count too."""
    wanted: list[Act] = [constraint.act for constraint in draft.constraints if constraint.act.act == "prefer-product"]
    for rule in evidence.rules_at("course", context.jurisdiction):
        preferring = [act for act in rule.then if act.act == "prefer-product"]
        if preferring and in_force(rule.valid, context.as_of) and truth_of(rule.when, facts) is True:
            wanted += preferring
    return sum(act.condition is not None and truth_of(act.condition, facts) is not True for act in wanted)


def _rates_read(product: Product, evidence: Evidence) -> bool:
    rows = [row.cites for row in product.rates] or [row.cites for row in product.subcutaneous]
    return any(all(evidence.statements[cite].read != "remembered" for cite in cites if cite in evidence.statements) for cites in rows)


def _grams_per_day(draft: Draft) -> float:
    dose = draft.dose
    return 0.0 if dose is None else dose.grams / dose.days.low if dose.days.low > 0 and not dose.single_day else dose.grams


def _asked(draft: Draft, context: Context) -> str:
    return context.product or draft.record.order.product


def _ordered(product: Product, draft: Draft, context: Context) -> bool:
    name = _asked(draft, context)
    return bool(name) and is_called(product, name)


def _iga_matters(draft: Draft) -> bool:
    return _any(draft.facts, IGA_MATTERS) or "lowest-iga" in [constraint.act.prefer for constraint in draft.constraints]


def _any(facts: Facts, names: tuple[str, ...]) -> bool:
    return any(facts.flag(name) for name in names)


def _words(route: str) -> str:
    return route.replace("-", " ")


def _all_cites(candidates: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cite for one in candidates for cite in one.cites))


def _behind(candidates: Iterable[Candidate]) -> tuple[object, ...]:
    """The products judged and the rules that fired for them."""
    return tuple(entry for one in candidates for entry in (one.product, *one.rules))


def _ordered_lines(candidates: list[Candidate], eligible: list[Candidate], draft: Draft, evidence: Evidence, context: Context) -> list[Line]:
    name = _asked(draft, context)
    if not name or any(_ordered(one.product, draft, context) for one in eligible):
        return []
    following = f" {eligible[0].product.brand} comes next and needs a new order." if eligible else ""
    refused = [one for one in candidates if _ordered(one.product, draft, context)]
    if refused:
        why = " ".join(refused[0].excluded)
        text = f"{refused[0].product.brand} was ordered and is refused: {why}{following}"
    else:
        elsewhere = [product for product in evidence.products.values() if is_called(product, name)]
        near = [one.product.brand for one in candidates if one.product.brand.lower().startswith(name.strip().lower())]
        why = f"only its label for {', '.join(product.market for product in elsewhere)} was read" if elsewhere else "no product is called so in the evidence"
        why = f"it may mean {' or '.join(near)}" if near else why
        text = f"'{name}' was ordered, but it is no product of this market: {why}.{following}"
    because = reasons(evidence, draft.facts, cites=(RANKING, *_all_cites(refused)), entries=_behind(refused))
    return [Line("product.ordered", "product", "avoid", "critical", text, because)]


def _choice_line(eligible: list[Candidate], draft: Draft, evidence: Evidence) -> Line:
    chosen = eligible[0]
    product = chosen.product
    because_of = f": {'; '.join(chosen.notes)}" if chosen.notes else ""
    text = f"{product.brand} ({number_text(product.percent)} %, {product.maker}){because_of}."
    label = labelled_rows(product, draft.indication.id) if draft.indication is not None else ()
    cites = (RANKING, *(cite for row in label for cite in row.cites), *(product.vials.cites if product.vials is not None else ()))
    others = [Alternative(one.product.brand, "; ".join(one.notes) or "ranks lower", one.cites) for one in eligible[1:]]
    because = reasons(
        evidence,
        draft.facts,
        cites=cites,
        uses=("product.labelled_for_indication", "product.switched", "has.iga_deficiency", *VOLUME_MATTERS),
        instead_of=others,
        entries=_behind((chosen,)),
    )
    urgency: Urgency = "warning" if any(note.startswith("avoid") for note in chosen.notes) else "info"
    return Line("product.choice", "product", "choose", urgency, text, because)


def _ranking_line(eligible: list[Candidate], rejected: list[Candidate], draft: Draft, evidence: Evidence) -> Line:
    text = f"{len(eligible)} {'product' if len(eligible) == 1 else 'products'} may be given, {len(rejected)} may not."
    because = reasons(evidence, draft.facts, cites=(RANKING, *_all_cites((*eligible, *rejected))), follows=("product.choice",),
                      entries=_behind((*eligible, *rejected)))
    return Line("product.ranking", "product", "record", "info", text, because, table=_table(eligible, rejected))


def _table(eligible: Iterable[Candidate], rejected: Iterable[Candidate]) -> Table:
    rows: list[tuple[str | float | None, ...]] = [
        (float(place), one.product.brand, one.product.percent, "eligible", "; ".join(one.notes)) for place, one in enumerate(eligible, start=1)
    ]
    rows += [(None, one.product.brand, one.product.percent, "rejected", " ".join(one.excluded)) for one in rejected]
    return Table((Column("Rank"), Column("Product"), Column("Strength", "%"), Column("Result"), Column("Reason")), tuple(rows))
