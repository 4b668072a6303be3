"""A plan arranged for reading: what stands first, which number a line and a source carry, and how each line is marked.

Every view for people (terminal, Markdown, HTML) lays out this one arrangement, so they say the same in the same order.
"""

from __future__ import annotations

import math

import msgspec

from ivigil.basis.because import Alternative, Because, Urgency
from ivigil.basis.quantity import number_text
from ivigil.planning.line import SECTIONS, Line, Plan, Question, Reference, Status, Table
from ivigil.planning.wording import day_text
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sources import known, locator

TITLES: dict[str, str] = {
    "indication": "Indication",
    "dosing": "Dose",
    "safety": "Safety",
    "product": "Product",
    "vials": "Vials",
    "infusion": "Infusion",
    "premedication": "Premedication",
    "hydration": "Hydration",
    "monitoring": "Monitoring",
    "vaccination": "Vaccination",
    "outlook": "IgG outlook",
    "cost": "Amount and cost",
    "advice": "Tell the patient",
}

STATUS: dict[Status, str] = {
    "complete": "COMPLETE - nothing holds it up",
    "needs-answers": "NEEDS ANSWERS",
    "blocked": "BLOCKED - do not give until resolved",
    "no-evidence": "NO EVIDENCE - no dose is planned",
}

MARKS: dict[Urgency, str] = {"critical": "!!", "warning": "!", "info": ""}
"""Urgency without colour."""

READ: dict[str, str] = {"decided": "policy", "remembered": "not read", "second-hand": "second-hand"}
"""How the best support of a line was read, where that needs saying; ``seen`` needs no mark."""
ONCE = "-once"
"""The ending of a way of reading that no second reader has confirmed yet."""

GLANCE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Dose", ("course.days", "dose.weekly", "dose.course_total", "dose.per_day", "dose.per_interval", "dose.order")),
    ("Product", ("vials.choice", "vials.short", "product.choice", "product.blocked")),
    ("Start", ("infusion.not-read", "infusion.start", "infusion.sites")),
    ("Limit", ("infusion.cap",)),
    ("Time", ("infusion.day-1",)),
    ("Observe", ("monitoring.observe",)),
    ("Live vaccine", ("vaccination.mmr",)),
)
"""What stands at the head of a plan: under each word the first of these lines that the plan has."""

LEGEND = (
    ("!!", "critical: act on it before anything else"),
    ("!", "warning: needs a decision"),
    ("policy", "chosen by ivigil or the site, printed by no source"),
    ("not read", "no source for it has been read; check it before use"),
    ("second-hand", "read through another source"),
    ("one reading", "read once, no second reader yet"),
    ("unreviewed", "no clinician has approved the statements used"),
    ("local", "rests on an entry of the hospital's overlay; 'ivigil why' gives the reason"),
)

PURPOSE = (
    "This plan informs qualified health professionals, who can check the basis of every line and decide themselves. It is no prescription, it does not "
    "replace the product label or local protocol, and it does not control a pump."
)


class Row(msgspec.Struct, frozen=True):
    """One line of the plan, ready to show.

    ``number`` counts lines in reading order; ``ivigil why`` accepts it in place of the id. ``when`` is the date, empty when the text has it.
    """

    number: int
    id: str
    section: str
    urgency: Urgency
    mark: str
    act: str
    text: str
    when: str
    sources: tuple[int, ...]
    badges: tuple[str, ...]
    notes: tuple[str, ...]
    table: Grid | None


class Grid(msgspec.Struct, frozen=True):
    """A table as text. ``right`` tells for each column whether its cells are numbers and align right."""

    heads: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


class Block(msgspec.Struct, frozen=True):
    """The lines of one section."""

    title: str
    rows: tuple[Row, ...]


class Asked(msgspec.Struct, frozen=True):
    """One question with its rank, and the lines and rules its answer could change."""

    rank: int
    fact: str
    mark: str
    urgency: Urgency
    ask: str
    could_change: str
    stale: bool


class Cited(msgspec.Struct, frozen=True):
    """One numbered source."""

    number: int
    text: str
    where: str
    badges: tuple[str, ...]


class Sheet(msgspec.Struct, frozen=True):
    """The whole plan in reading order: heading, the plan at a glance, critical lines, sections, questions, sources, footer."""

    status: Status
    headline: str
    heading: tuple[tuple[str, str], ...]
    glance: tuple[tuple[str, str], ...]
    critical: tuple[Row, ...]
    blocks: tuple[Block, ...]
    questions: tuple[Asked, ...]
    sources: tuple[Cited, ...]
    legend: tuple[tuple[str, str], ...]
    footer: tuple[str, ...]


def ordered(plan: Plan) -> tuple[Line, ...]:
    """The lines in reading order: critical ones first, then section by section, each in the order the plan made them."""
    rank = {section: place for place, section in enumerate(SECTIONS)}
    return tuple(sorted(plan.lines, key=lambda line: (line.urgency != "critical", rank[line.section])))


def sheet_of(plan: Plan) -> Sheet:
    """Arrange a plan for reading. All text in the result is clean of control characters."""
    numbers = {cite: reference.number for reference in plan.references for cite in reference.statements}
    mixed = any(line.because.review == "approved" for line in plan.lines)
    rows = [_row(number, line, numbers, mixed) for number, line in enumerate(ordered(plan), start=1)]
    critical = tuple(row for row in rows if row.urgency == "critical")
    blocks = []
    for section in SECTIONS:
        here = tuple(row for row in rows if row.section == section and row.urgency != "critical")
        if here:
            blocks.append(Block(TITLES[section], here))
    questions = tuple(_asked(rank, question) for rank, question in enumerate(plan.questions, start=1))
    sources = tuple(_cited(reference) for reference in plan.references)
    return Sheet(
        status=plan.status,
        headline=_headline(plan),
        heading=_heading(plan),
        glance=_glance(rows, questions),
        critical=critical,
        blocks=tuple(blocks),
        questions=questions,
        sources=sources,
        legend=_legend(rows, questions, sources),
        footer=_footer(plan),
    )


def _headline(plan: Plan) -> str:
    count = len(plan.questions)
    if plan.status == "needs-answers":
        return f"{STATUS[plan.status]} - {count} to confirm"
    return STATUS[plan.status]


def _heading(plan: Plan) -> tuple[tuple[str, str], ...]:
    rows = [
        ("Patient", clean(plan.patient)),
        ("Indication", clean(plan.indication) or "not recognised"),
        ("Jurisdiction", clean(plan.jurisdiction)),
        ("As of", day_text(plan.as_of)),
    ]
    basis = _patient_basis(plan)
    if basis:
        rows.append(("Based on", basis))
    rows.append(("Review", _review(plan)))
    return tuple(rows)


def _glance(rows: list[Row], questions: tuple[Asked, ...]) -> tuple[tuple[str, str], ...]:
    """The plan in a few sentences, each with the number of the line it repeats; the warnings by name and the first questions."""
    by_id = {row.id: row for row in rows}
    found = []
    for word, ids in GLANCE:
        row = next((by_id[line_id] for line_id in ids if line_id in by_id), None)
        if row is not None:
            found.append((word, f"{row.text} (line {row.number})"))
    warnings = [f"{row.id.partition('.')[2].replace('-', ' ')} ({row.number})" for row in rows if row.section == "safety" and row.urgency != "info"]
    if warnings:
        found.append(("Warnings", ", ".join(warnings)))
    asked = [question.ask for question in questions if question.urgency != "info"][:_FIRST_QUESTIONS]
    if asked:
        found.append(("Ask first", " ".join(asked)))
    return tuple(found)


_FIRST_QUESTIONS = 3


def _review(plan: Plan) -> str:
    reviews = [line.because.review for line in plan.lines if line.because.review]
    approved = sum(review == "approved" for review in reviews)
    if not approved:
        return "no clinician has approved the evidence of this plan yet; check each line against its source"
    return f"the evidence of {approved} of {len(reviews)} lines is approved by a clinician"


def _patient_basis(plan: Plan) -> str:
    """Age, sex, weight and height as the lines used them, with the date of each measurement: what a nurse compares with the bed."""
    found: dict[str, str] = {}
    for line in plan.lines:
        for name, fact in line.because.facts.items():
            if name in {"age", "sex", "weight", "height"} and name not in found:
                dated = f" ({day_text(fact.on)})" if fact.on else ""
                found[name] = f"{name} {_age(fact.value) if name == 'age' else clean(fact.value)}{dated}"
    return ", ".join(found[name] for name in ("age", "sex", "weight", "height") if name in found)


def _age(text: str) -> str:
    """Whole years from the second birthday on, whole months before it, as people say it; the exact age stays in the line's reasons."""
    years, _, unit = text.partition(" ")
    if unit not in {"year", "years"} or not years.replace(".", "", 1).isdigit():
        return clean(text)
    return f"{int(float(years))} years" if float(years) >= 2 else f"{int(float(years) * 12)} months"


def _row(number: int, line: Line, numbers: dict[str, int], mixed: bool) -> Row:
    because = line.because
    return Row(
        number=number,
        id=line.id,
        section=line.section,
        urgency=line.urgency,
        mark=MARKS[line.urgency],
        act=line.act,
        text=clean(line.text),
        when=_when(line),
        sources=tuple(sorted({numbers[cite] for cite in because.cites if cite in numbers})),
        badges=badges_of(because, mixed),
        notes=_notes(because, numbers),
        table=grid_of(line.table) if line.table is not None else None,
    )


def _when(line: Line) -> str:
    """The date of the line, unless its sentence already says it."""
    if line.when is None or line.when.isoformat() in line.text or day_text(line.when) in line.text:
        return ""
    return day_text(line.when)


def badges_of(because: Because, mixed: bool = True) -> tuple[str, ...]:
    """The short marks of a line: how its support was read, where its review stands, and whether an overlay is behind it.

    Without any approved line (``mixed`` false) the heading says so once, and the lines do not repeat it.
    """
    way = because.read.removesuffix(ONCE)
    badges = [READ[way]] if way in READ else []
    if way != because.read:
        badges.append("one reading")
    if because.review in {"rejected", "superseded"}:
        badges.append(because.review)
    elif mixed and because.review in {"submitted", "under-review"}:
        badges.append("unreviewed")
    if because.local:
        badges.append("local")
    return tuple(badges)


def _notes(because: Because, numbers: dict[str, int]) -> tuple[str, ...]:
    notes = []
    if because.calculation:
        notes.append(clean(because.calculation))
    if because.reading:
        notes.append(f"Read as: {clean(because.reading)}")
    stale = [f"{clean(name)} {clean(fact.value)}{f' of {day_text(fact.on)}' if fact.on else ''}" for name, fact in because.facts.items() if fact.stale]
    if stale:
        notes.append(f"Old values used: {', '.join(stale)}")
    notes.extend(f"Written otherwise by {_other(other, numbers)}" for other in because.disputed_by)
    return tuple(notes)


def _other(other: Alternative, numbers: dict[str, int]) -> str:
    value = f" ({other.value})" if other.value is not None and str(other.value) not in f"{other.what} {other.why}" else ""
    cited = sorted({numbers[cite] for cite in other.cites if cite in numbers})
    refs = f" [{', '.join(str(number) for number in cited)}]" if cited else ""
    return f"{clean(other.what)}{value}: {clean(other.why)}{refs}" if other.why else f"{clean(other.what)}{value}{refs}"


def grid_of(table: Table) -> Grid:
    """A table as text, with the decimals of each column aligned."""
    heads = tuple(f"{clean(column.name)} ({clean(column.unit)})" if column.unit else clean(column.name) for column in table.columns)
    decimals = [_decimals([row[index] for row in table.rows if index < len(row)]) for index in range(len(table.columns))]
    rows = tuple(tuple(_cell(cell, places) for cell, places in zip(row, decimals, strict=False)) for row in table.rows)
    right = tuple(
        all(isinstance(row[index], float | int) or row[index] is None for row in table.rows if index < len(row))
        and any(row[index] is not None for row in table.rows if index < len(row))
        for index in range(len(table.columns))
    )
    return Grid(heads, right, rows, clean(table.note))


def _decimals(cells: list[str | float | None]) -> int:
    """The most decimals any number of a column needs, so that decimal points stand below one another."""
    return max((len(number_text(cell).partition(".")[2]) for cell in cells if isinstance(cell, int | float)), default=0)


def _cell(cell: str | float | None, places: int) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return clean(cell)
    return f"{cell:.{places}f}" if math.isfinite(cell) else number_text(cell)


def _asked(rank: int, question: Question) -> Asked:
    shown = [clean(name) for name in question.could_change[:3]]
    more = len(question.could_change) - len(shown)
    change = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
    return Asked(rank, clean(question.fact), MARKS[question.urgency], question.urgency, clean(question.ask), change, question.stale)


def _cited(reference: Reference) -> Cited:
    parts = [clean(reference.title), known(reference.publisher, reference.year)]
    text = ". ".join(part.rstrip(".") for part in parts if part)
    where = "; ".join(part for part in (locator(reference.where), clean(reference.note)) if part)
    return Cited(reference.number, f"{text}.", where, (READ[reference.read],) if reference.read in READ else ())


def _legend(rows: list[Row], questions: tuple[Asked, ...], sources: tuple[Cited, ...]) -> tuple[tuple[str, str], ...]:
    """Only the marks that this plan uses."""
    used = {row.mark for row in rows} | {question.mark for question in questions}
    used.update(badge for row in rows for badge in row.badges)
    used.update(badge for source in sources for badge in source.badges)
    return tuple((mark, meaning) for mark, meaning in LEGEND if mark in used)


def _footer(plan: Plan) -> tuple[str, ...]:
    overlay = f" with overlay {clean(plan.overlay)}" if plan.overlay else ""
    silent = len(plan.not_raised)
    return (
        f"Evidence {clean(plan.evidence_version)}{overlay}, ivigil {clean(plan.program_version)}, as of {plan.as_of.isoformat()}: "
        "the same record and these three give the same plan again.",
        f"Rules judged and not raised: {silent}. 'ivigil why RECORD ID' tells why a line stands, or why a rule was not raised.",
        PURPOSE,
    )
