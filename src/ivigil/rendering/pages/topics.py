"""The pages that hold many small entries: vaccine intervals, monitoring, reactions, weights, supply, words and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.care import AntibodyInterval
from ivigil.evidence.examples import Examples
from ivigil.rendering.pages.cards import LAYOUTS, card, rows_table
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, bullets, joined, link, paragraph, section, table, tag
from ivigil.rendering.pages.places import KINDS, TOPICS, interval_title
from ivigil.rendering.pages.wording import place_name

PLURALS = {
    "policy": "policies",
    "formula": "formulas",
    "rounding": "rounding",
    "vital signs": "vital signs",
    "premedication": "premedication",
    "hydration": "hydration",
    "laboratory monitoring": "laboratory monitoring",
    "laboratory interference": "laboratory interference",
    "reporting": "reporting",
    "advice": "advice",
    "next dose": "the next dose",
    "reaction frequency": "how often reactions were seen",
    "reaction": "reactions: when they come and what to do first",
    "reaction step": "reaction algorithm",
    "weight policy": "weight policies",
    "band of plausibility": "bands of plausibility for entries of the evidence",
    "infusion policy": "infusion policies",
    "choice of model": "choices of model",
    "state without a forecast": "states without a forecast",
}


class Topic(msgspec.Struct, frozen=True):
    """Title and opening sentence of a topic page; a warning stands out."""

    title: str
    about: str
    warning: str = ""


HEADS: dict[str, Topic] = {
    "vaccine-intervals": Topic(
        "Vaccine intervals",
        "How long a live vaccine waits after an antibody product, by place. The wait counts from the last product; the latest date of all wins.",
    ),
    "vaccines": Topic(
        "Vaccines and exposures", "Which vaccines are live, the rules beside the interval tables, and contact with measles or varicella."
    ),
    "weights": Topic(
        "Dosing weight, rounding and dose limits",
        "How each authority chooses the weight that a dose is counted on, how doses are rounded, and where a dose is too large to be right.",
    ),
    "infusion": Topic("Infusion policies and site ladders", "What ivigil or a site decides where no label prints a number. Always shown as policy."),
    "preparation": Topic("Premedication and hydration", "What is given, or not given, before the infusion."),
    "monitoring": Topic(
        "Monitoring: tests, targets and thresholds",
        "What is measured before, during and after, what a result would change, and when treatment is reviewed.",
    ),
    "interference": Topic("Laboratory interference", "Tests that immunoglobulin or an excipient disturbs."),
    "reactions": Topic(
        "Reactions", "When reactions come, how they are graded, what to do in which order, medicines with doses, and what changes for the next dose."
    ),
    "supply": Topic(
        "Supply and prices",
        "Shortage schemes, ways of using less, figures and dated price examples.",
        "None of this is a dose. Prices are examples; a plan counts cost from the site's own list only.",
    ),
    "advice": Topic("Advice for patients", "Sentences for the patient, and general questions. Advice never holds a dose."),
    "mechanisms": Topic("Mechanisms", "How immunoglobulin acts, and how well each way is shown."),
    "glossary": Topic("Glossary", "Words of the field in words a patient understands."),
    "claims": Topic(
        "Founding claims",
        "Every claim of the articles that founded ivigil, and what the evidence does to it.",
        "A claim is what an article said. What ivigil says stands below it.",
    ),
    "models": Topic(
        "Pharmacokinetic models",
        "Published models of IgG behind the forecast: parameters as printed, whom each is for, and what it must reproduce.",
        "A forecast is no dose. Almost all parameters were read second-hand.",
    ),
    "facts": Topic("Facts", "The register: every fact about a patient that a rule may name. A fact that is not known is asked for."),
    "jurisdictions": Topic("Jurisdictions", "Where a plan is made, what is in force there, and which policies hold until the site chooses others."),
    "questions": Topic(
        "Questions in words",
        "The words by which 'ivigil ask' knows what a question is about, and the entries that answer it.",
        "Nothing here says anything clinical; what is said stands in the entries named.",
    ),
}
"""What stands at the head of each topic page."""


def topic_page(sheet: Sheet, topic: str, examples: Examples) -> str:
    """A whole topic page: the entries of each part, one part after the other."""
    head = HEADS[topic]
    parts = [part for part in TOPICS[topic] if getattr(sheet.evidence, part)]
    body = [_part(sheet, part, examples, single=len(parts) == 1) for part in parts]
    nothing = paragraph("The evidence holds no entry of this kind yet.") if not parts else NOTHING
    return sheet.html("", head.title, paragraph(head.about, class_="lead"), paragraph(head.warning, class_="warn"), *body, nothing)


def part_title(part: str) -> str:
    """``Reaction medicines``."""
    kind = KINDS[part]
    return (PLURALS.get(kind) or f"{kind}s").capitalize().replace("igg", "IgG")


def _part(sheet: Sheet, part: str, examples: Examples, *, single: bool) -> Markup:
    if part in LAYOUTS:
        return section(part_title(part), rows_table(sheet, part, part_title(part)), anchor=f"part-{part}")
    overview = _intervals(sheet) if part == "antibody_intervals" else _facts(sheet) if part == "facts" else NOTHING
    entries = getattr(sheet.evidence, part)
    groups: dict[str, list[str]] = {}
    for name, entry in entries.items():
        groups.setdefault(_group(sheet, part, entry), []).append(name)
    cards = [
        joined(
            (
                tag("h3", title, class_="group") if title else None,
                *(card(sheet, part, name, _title(sheet, part, name), examples, level=4 if title else 3) for name in names),
            ),
            "\n",
        )
        for title, names in groups.items()
    ]
    return section("Entries" if single else part_title(part), overview, *cards, anchor=f"part-{part}")


def _group(sheet: Sheet, part: str, entry: Any) -> str:
    """A heading above entries that belong together."""
    if part == "antibody_intervals":
        return place_name(sheet.evidence, entry.jurisdiction) or ("Vaccine labels" if entry.vaccine_product else "Elsewhere")
    if part in {"advice", "lessons", "claims"}:
        return str(entry.topic).replace("-", " ").capitalize()
    return ""


def _title(sheet: Sheet, part: str, name: str) -> str:
    entry = getattr(sheet.evidence, part)[name]
    if part == "antibody_intervals":
        return interval_title(entry)
    if part in {"advice", "targets", "reporting", "supply_levers", "reviews", "next_doses", "laboratory", "exposures"}:
        word = getattr(entry, "disease", "") or getattr(entry, "after", "") or getattr(entry, "purpose", "") or ", ".join(getattr(entry, "tests", ()))
        return str(word).replace("-", " ").capitalize() if word else KINDS[part].capitalize()
    if part == "reaction_steps":
        return f"Step {entry.order}, {entry.grades}"
    if part == "reaction_grades":
        return f"Grade {entry.grade}: {entry.word}" if entry.grade else entry.word.capitalize()
    if part == "prices":
        product = sheet.evidence.products.get(entry.product)
        return f"{product.brand if product is not None else 'All products'}, {place_name(sheet.evidence, entry.country)}, {entry.year}"
    title = sheet.places.title(part, name)
    return title[:1].upper() + title[1:]


def _intervals(sheet: Sheet) -> Markup:
    """Every interval in one table per place; the entries below say the rest."""
    heads = ("Antibody product", "Vaccines", "Dose", "Wait", "Remarks", "References")
    places: dict[str, list[AntibodyInterval]] = {}
    for one in sheet.evidence.antibody_intervals.values():
        places.setdefault(_group(sheet, "antibody_intervals", one), []).append(one)
    return joined(table(f"Intervals, {place}", heads, [_interval(sheet, one) for one in rows]) for place, rows in places.items())


def _interval(sheet: Sheet, one: AntibodyInterval) -> list[Part]:
    bands = [
        *(
            f"{'up to' if row.up_to is not None else 'below'} {row.up_to if row.up_to is not None else row.below}: {row.wait}"
            f"{f' ({row.purpose})' if row.purpose else ''}"
            for row in one.rows
            if row.up_to is not None or row.below is not None
        ),
        *(f"{row.purpose or 'any dose'}: {row.wait}" for row in one.rows if row.up_to is None and row.below is None),
        *([f"above that: {one.above.wait}"] if one.above is not None else []),
        *([f"while the risk of disease is high: {one.at_high_risk.wait}"] if one.at_high_risk is not None else []),
    ]
    wait = joined((_length(one.wait), f"better {one.better}" if one.better is not None else "", bullets(bands)), " ")
    remarks = [
        "a note, never a date" if one.note_only else "",
        "superseded" if one.superseded_by else "",
        f"while {one.while_} goes on" if one.while_ else "",
        "single-antigen vaccine only" if one.single_component else "",
        joined(("uses the table of ", sheet.words.to("antibody_intervals", one.follows))) if one.follows else "",
        one.warn,
    ]
    return [
        link(sheet.places.href("antibody_intervals", one.id, sheet.page), interval_title(one)),
        ", ".join(one.vaccines),
        str(one.dose or ""),
        wait or "no wait given",
        bullets(remarks),
        sheet.cite(one.cites),
    ]


def _length(wait: Span | Quantity | None) -> str:
    return "" if wait is None else "none" if isinstance(wait, Span) and wait.high == 0 else str(wait)


def _facts(sheet: Sheet) -> Markup:
    """All facts at a glance."""
    rows: Iterable[list[Part]] = (
        [link(sheet.places.href("facts", one.id, sheet.page), one.label), one.unit or one.kind.replace("_", "/"), str(one.fresh or ""), one.ask]
        for one in sheet.evidence.facts.values()
    )
    return table("All facts", ("Fact", "Value", "Old after", "Asked as"), list(rows))
