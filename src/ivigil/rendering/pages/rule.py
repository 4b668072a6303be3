"""The page of a safety rule, an interaction or a risk group."""

from __future__ import annotations

from ivigil.evidence.conditions import leaves
from ivigil.evidence.examples import Examples
from ivigil.evidence.shapes import Act, RiskGroup, SafetyRule
from ivigil.rendering.pages.cards import cases, editions, examples_for, used
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import NOTHING, Markup, Part, badge, joined, pairs, paragraph, section, table, tag
from ivigil.rendering.pages.wording import SEVERITIES, place_name, valid_text

_ACTS: dict[str, str] = {
    "stop": "Do not give",
    "cap-rate": "Limit the rate",
    "start": "Start as",
    "split": "Split over more days",
    "hours-at-least": "Infuse for at least",
    "hydrate": "Hydrate",
    "no-bolus": "No routine fluid bolus",
    "premedicate": "Offer premedication",
    "no-nsaid": "No NSAID as premedication",
    "monitor": "Test",
    "observe": "Observe",
    "place": "Give it in",
    "ask": "Ask",
    "prefer-product": "Prefer a product",
    "consider-route": "Consider the route",
    "concentration": "Prepare at",
    "glucose-meter": "Use a glucose-specific meter",
    "review-drug": "Review with the prescriber",
    "vaccine-delay": "Delay live vaccines",
    "tell": "Tell the patient",
    "watch": "Watch for",
    "report": "Report",
    "second-opinion": "Ask before giving it",
}
_TO = {"label-or-policy": "to the label's limit at risk, or ivigil's own limit where the label prints none"}
_STAGES = {"patient": "from the patient alone", "product": "with the product", "course": "with the course"}


def rule_page(sheet: Sheet, part: str, entry: SafetyRule, examples: Examples) -> str:
    """A safety rule or interaction: what raises it, what it says, what follows."""
    alarm = "alarm" if entry.severity in {"contraindicated", "avoid"} else "weak" if entry.severity == "caution" else ""
    head = joined(
        (
            paragraph(badge(SEVERITIES[entry.severity], alarm)),
            paragraph(entry.say, sheet.cite(entry.cites), class_="say"),
            pairs(
                (
                    ("Id", tag("span", entry.id, class_="id")),
                    ("Code", entry.code),
                    ("Where", ", ".join(place_name(sheet.evidence, place) for place in entry.jurisdictions) or "everywhere"),
                    ("Judged", _STAGES[sheet.evidence.stage_of(entry)]),
                    ("In force", valid_text(entry.valid)),
                    ("Read as", entry.reading),
                    ("Note", entry.note),
                )
            ),
        )
    )
    acts = table("What follows when it is raised", ("Act", "What", "Only if", "Says"), [_act(sheet, act) for act in entry.then])
    return sheet.html(
        "Interaction" if part == "interactions" else "Safety rule",
        entry.about,
        sheet.local(entry.id),
        head,
        _raised(sheet, entry),
        section("What follows", acts, anchor="acts"),
        cases(sheet, examples_for(examples, part, entry.id)),
        used(sheet, part, entry.id),
        editions([(entry.id, "", entry.valid)]),
    )


def group_page(sheet: Sheet, entry: RiskGroup, examples: Examples) -> str:
    """A risk group: a condition with a name, shared by rules."""
    head = joined(
        (
            paragraph("A named condition that several rules share.", sheet.cite(entry.cites), class_="lead"),
            pairs((("Id", tag("span", entry.id, class_="id")), ("Code", entry.code), ("Read as", entry.reading), ("Note", entry.note))),
        )
    )
    return sheet.html(
        "Risk group",
        entry.about or entry.id,
        sheet.local(entry.id),
        head,
        _raised(sheet, entry),
        cases(sheet, examples_for(examples, "groups", entry.id)),
        used(sheet, "groups", entry.id),
    )


def _raised(sheet: Sheet, entry: SafetyRule | RiskGroup) -> Markup:
    named = dict.fromkeys(leaf.fact for leaf in leaves(entry.when))
    facts = joined((sheet.words.word("fact", name) for name in named), ", ")
    return section(
        "Raised when" if isinstance(entry, SafetyRule) else "Holds when",
        paragraph(sheet.words.condition(entry.when)),
        *(_group(sheet, name) for name in named),
        paragraph("Looks at: ", facts, class_="quiet"),
        paragraph("A fact that is not known is asked for; it never counts as no.", class_="quiet"),
        anchor="when",
    )


def _group(sheet: Sheet, name: str) -> Markup:
    """What a risk group stands for, so that nobody must turn the page to see it."""
    group = sheet.evidence.groups.get(name)
    return paragraph(sheet.words.to("groups", name), f" holds when: {sheet.words.condition(group.when)}") if group is not None else NOTHING


def _act(sheet: Sheet, act: Act) -> list[Part]:
    test = sheet.words.word("test", act.test) if act.test else None
    fact = sheet.words.word("fact", act.fact) if act.fact else None
    words = [
        _TO.get(act.to, f"to {act.to}" if act.to else ""),
        act.naive and f"a first infusion ({act.naive})",
        test,
        act.at and f"({act.at})",
        fact,
        act.who,
        act.what,
        act.drug,
        act.place,
        act.route,
        act.concentration,
        act.prefer,
        act.give and f"with {act.give}",
        act.before and f"before the {act.before}",
        f"at most {act.per_day_at_most} a day" if act.per_day_at_most is not None else "",
        f"at least {act.days_at_least} days" if act.days_at_least else "",
        f"{act.hours} a day" if act.hours is not None else "",
        f"for {act.duration}" if act.duration and act.act != "watch" else act.duration,
        act.until and f"until {act.until}",
    ]
    return [_ACTS[act.act], joined(words, " "), sheet.words.condition(act.condition), act.say]
