"""The home page and the index of each kind that has pages of its own. They lead everywhere without any script."""

from __future__ import annotations

from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Indication
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import Markup, Part, badge, joined, link, paragraph, section, table, tag
from ivigil.rendering.pages.places import TOPICS, topics_of
from ivigil.rendering.pages.topics import HEADS, part_title
from ivigil.rendering.pages.wording import VERDICTS, place_name, read_words

INDEXES = ("indications", "products", "rules", "sources")
"""The folders with an index of their own."""
_ABOUT = {
    "indications": "who supports it, doses side by side, criteria, targets, stopping",
    "products": "composition, vials, rates, label, handling, by market",
    "rules": "safety rules, interactions and risk groups",
    "sources": "every document, and every statement taken from it",
}
_SEVERITY = {"contraindicated": "alarm", "avoid": "alarm", "caution": "weak"}


def home_page(sheet: Sheet) -> str:
    """What there is, how much of it, how it was read, and what has been reviewed."""
    evidence = sheet.evidence
    tiles = [
        _tile(f"{name}/index.html", name.capitalize() if name != "rules" else "Safety rules and interactions", counted(evidence, name), _ABOUT[name])
        for name in INDEXES
    ]
    tiles += [
        _tile(f"{topic}.html", head.title, sum(len(getattr(evidence, part)) for part in TOPICS[topic]), head.about)
        for topic, head in HEADS.items()
        if topic in topics_of(evidence)
    ]
    return sheet.html(
        "",
        "Immunoglobulin therapy: the evidence",
        paragraph("Everything ivigil plans from, written out: what each source says, where, how it was read, and what rests on it.", class_="lead"),
        section("Contents", tag("ul", Markup("\n".join(tiles)), class_="tiles"), anchor="topics"),
        section("How far it can be relied on", _reading(evidence), _reviews(evidence), anchor="reliance"),
        section("Local entries", _local(sheet), anchor="local"),
    )


def counted(evidence: Evidence, index: str) -> int:
    """How many entries an index lists."""
    return len(evidence.every_rule) + len(evidence.groups) if index == "rules" else len(getattr(evidence, index))


def _tile(target: str, name: str, count: int, about: str) -> Markup:
    return tag("li", link(target, name), f" ({count})", tag("span", about))


def _reading(evidence: Evidence) -> Markup:
    ways: dict[str, int] = {}
    for statement in evidence.statements.values():
        ways[read_words(statement)] = ways.get(read_words(statement), 0) + 1
    meaning = {
        "read twice": "two readings of the source agree",
        "read twice, same page": "two readings agree, both of one page",
        "one reading": "read once at the source",
        "policy": "decided by ivigil or the site; no source prints it",
        "not read": "general knowledge; no source for it was read",
    }
    rows: list[list[Part]] = [
        [way, str(count), meaning.get(way, "read in another document that quotes it")] for way, count in sorted(ways.items(), key=lambda one: -one[1])
    ]
    return table(f"How the {len(evidence.statements)} statements were read", ("Read", "Statements", "Meaning"), rows, numeric=(1,))


def _reviews(evidence: Evidence) -> Markup:
    states: dict[str, int] = {}
    for state in evidence.review_states.values():
        states[state] = states.get(state, 0) + 1
    words = {"submitted": "not reviewed", "under-review": "under review"}
    rows: list[list[Part]] = [[words.get(state, state), str(count)] for state, count in sorted(states.items(), key=lambda one: -one[1])]
    return table("Where the statements stand in review", ("Review", "Statements"), rows, numeric=(1,))


def _local(sheet: Sheet) -> Markup:
    rows: list[list[Part]] = []
    for key, reason in sheet.evidence.local.items():
        part, _, name = key.partition(" ")
        rows.append([sheet.words.to(part, name) if (part, name) in sheet.places.page_of else key, reason])
    return table(f"Added or replaced by the overlay {sheet.evidence.overlay}", ("Entry", "Reason"), rows)


def index_page(sheet: Sheet, index: str) -> str:
    """One of the four indexes."""
    title = {"indications": "Indications", "products": "Products", "rules": "Safety rules, interactions and risk groups", "sources": "Sources"}[index]
    body = {"indications": _indications, "products": _products, "rules": _rules, "sources": _sources}[index](sheet)
    return sheet.html("Index", title, body)


def _indications(sheet: Sheet) -> Markup:
    entries = sorted(sheet.evidence.indications.values(), key=lambda one: (one.name.clinical.casefold(), one.id))
    rows: list[list[Part]] = [
        [
            sheet.words.to("indications", one.id),
            ", ".join(one.also_called[:3]),
            ", ".join(one.codes.icd10),
            _verdicts(sheet, one),
            str(len(one.regimens)),
        ]
        for one in entries
    ]
    return table("All indications", ("Indication", "Also called", "ICD-10", "Standing", "Regimens"), rows, numeric=(4,))


def _verdicts(sheet: Sheet, entry: Indication) -> Markup:
    places: dict[str, list[str]] = {}
    for one in entry.standing:
        places.setdefault(VERDICTS[one.verdict], []).append(place_name(sheet.evidence, one.jurisdiction))
    return joined((f"{verdict}: {', '.join(dict.fromkeys(names))}" for verdict, names in places.items()), "; ")


def _products(sheet: Sheet) -> Markup:
    markets: dict[str, list[list[Part]]] = {}
    for one in sorted(sheet.evidence.products.values(), key=lambda product: (product.brand.casefold(), product.id)):
        state = badge(one.status.state, "alarm") if one.status.state != "licensed" else one.status.state
        markets.setdefault(one.market, []).append(
            [
                sheet.words.to("products", one.id, one.brand),
                one.maker,
                f"{one.percent:g} %",
                one.form,
                ", ".join(one.routes),
                one.stabiliser.name if one.stabiliser is not None else "not read",
                state,
                tag("span", one.id, class_="id"),
            ]
        )
    heads = ("Product", "Maker", "Strength", "Form", "Routes", "Stabiliser", "Status", "Id")
    return joined(
        (
            paragraph("Rows of one market never answer for another."),
            *(
                section(place_name(sheet.evidence, market), table(f"Products, {place_name(sheet.evidence, market)}", heads, rows))
                for market, rows in markets.items()
            ),
        )
    )


def _rules(sheet: Sheet) -> Markup:
    def rows(part: str) -> list[list[Part]]:
        return [
            [
                one.code,
                sheet.words.to(part, one.id),
                badge(one.severity, _SEVERITY.get(one.severity, "")),
                one.say,
                ", ".join(place_name(sheet.evidence, place) for place in one.jurisdictions),
            ]
            for one in sorted(getattr(sheet.evidence, part).values(), key=lambda rule: (rule.code or "~", rule.id))
        ]

    heads = ("Code", "About", "Severity", "Says", "Only in")
    groups: list[list[Part]] = [[sheet.words.to("groups", one.id), sheet.words.condition(one.when)] for one in sheet.evidence.groups.values()]
    return joined(
        (
            section("Safety rules", table("Safety rules", heads, rows("rules"))),
            section("Interactions", table("Interactions", heads, rows("interactions"))),
            section("Risk groups", table("Risk groups", ("Group", "Holds when"), groups)),
        )
    )


def _sources(sheet: Sheet) -> Markup:
    counts: dict[str, int] = {}
    for statement in sheet.evidence.statements.values():
        counts[statement.source] = counts.get(statement.source, 0) + 1
    kinds: dict[str, list[list[Part]]] = {}
    for one in sorted(sheet.evidence.sources.values(), key=lambda source: (source.title.casefold(), source.id)):
        kinds.setdefault(one.kind, []).append([sheet.words.to("sources", one.id, one.title), one.publisher, one.year, str(counts.get(one.id, 0))])
    return joined(
        section(
            part_title("sources") if not kind else kind.replace("-", " ").capitalize(),
            table(f"Sources: {kind.replace('-', ' ')}", ("Title", "Publisher", "Year", "Statements"), rows, numeric=(3,)),
        )
        for kind, rows in sorted(kinds.items())
    )
