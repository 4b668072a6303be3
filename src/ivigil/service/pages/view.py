"""The plan as a page shows it: the arrangement of ``rendering.sheet``, with a field for each question and for everything that can be changed."""

from __future__ import annotations

import re
from html import escape

import msgspec
from markupsafe import Markup

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import UNITS
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.planning.line import Plan
from ivigil.rendering.pages.markup import spoken
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sheet import GLANCE, Asked, Row, Sheet, sheet_of

_AMOUNT = re.compile(
    r"(?<![\w.,-])([0-9]+(?:[.,][0-9]+)*(?:-[0-9]+(?:[.,][0-9]+)*)?(?: x [0-9.]+)?\s?"
    r"(?:mL/kg/h|mL/h|mg/kg/min|g/kg|mg/kg|mL|mg|kg|g)(?![\w/])|[0-9]{2}:[0-9]{2})"
)
"""Amounts and clock times, which are set larger than the words around them."""
FIRST_QUESTIONS = 6
LONG_TABLE = 6
_SHORTEST_CLAUSE = 3
"""Tables with more rows are folded away, but for those that are read at the bedside."""
OPEN_TABLES = frozenset({"course.days", "vials.choice", "infusion.cap", "premedication.offer"})


class Field(msgspec.Struct, frozen=True):
    """How a question is answered: yes/no, one of ``choices``, a number in one of ``units``, a date, or words."""

    kind: str
    label: str
    choices: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class Open(msgspec.Struct, frozen=True):
    """One question with its field."""

    asked: Asked
    field: Field


class Glance(msgspec.Struct, frozen=True):
    """One thing seen from across the bed: a word, the clause that matters, the rest, and the line."""

    word: str
    head: str
    rest: str
    row: Row


class OrderField(msgspec.Struct, frozen=True):
    """One part of the order as a form shows it: ``value`` with ``unit``, and what the record has written."""

    value: str = ""
    unit: str = ""

    @property
    def was(self) -> str:
        """The text to compare the posted one with."""
        return f"{self.value} {self.unit}".strip() if self.value else ""


class View(msgspec.Struct, frozen=True):
    """Everything that the template of a plan needs of it."""

    sheet: Sheet
    glance: tuple[Glance, ...]
    open: tuple[Open, ...]
    titles: tuple[tuple[str, str, int, int], ...]
    order: dict[str, OrderField]


def view_of(plan: Plan, record: Record, evidence: Evidence) -> View:
    """Arrange a plan for the page."""
    sheet = sheet_of(plan)
    rows = {row.id: row for row in (*sheet.critical, *(row for block in sheet.blocks for row in block.rows))}
    seen = []
    for word, ids in GLANCE:
        row = next((rows[name] for name in ids if name in rows), None)
        if row is not None:
            head, rest = _waiting(row.text) if row.section == "vaccination" else _clauses(row.text)
            seen.append(Glance(word, head, rest, row))
    open_questions = tuple(Open(asked, field_of(asked.fact, evidence.facts.get(asked.fact))) for asked in sheet.questions)
    titles = tuple((anchor_of(block.title), block.title, len(block.rows), sum(row.urgency == "warning" for row in block.rows)) for block in sheet.blocks)
    return View(sheet, tuple(seen), open_questions, titles, order_of(record))


def _waiting(text: str) -> tuple[str, str]:
    """Which vaccine waits and until when, with the whole line below: the first vaccine of the line by its short name, and the first thing said of it."""
    names, _, said = text.partition(": ")
    return f"{names.partition(' (')[0].partition(',')[0]}: {re.split(r'[;,.] |[.]$', said)[0]}", text


def _clauses(text: str) -> tuple[str, str]:
    """The first clause of a sentence and the rest; a clause never ends inside brackets."""
    for end in re.finditer(r"[:;,.] |\.$", text):
        if end.start() > _SHORTEST_CLAUSE and text.count("(", 0, end.start()) == text.count(")", 0, end.start()):
            return text[: end.start()], text[end.end() :]
    return text, ""


def order_of(record: Record) -> dict[str, OrderField]:
    """The order of a record as fields of a form."""
    order = record.order
    fields = {key: OrderField(str(getattr(order, key) or "")) for key in ("phase", "route", "each", "days", "place")}
    for key in ("dose", "every", "rate_max"):
        quantity = getattr(order, key)
        fields[key] = OrderField() if quantity is None else OrderField(f"{quantity.value:.15g}", quantity.unit)
    return fields


def field_of(fact: str, definition: FactDefinition | None) -> Field:
    """The field that answers a question; what the register does not know is a criterion or a confirmation, answered with yes or no."""
    if fact == "age":
        return Field("date", "Date of birth")
    if definition is None:
        if fact.startswith(("override:", "order.")):
            return Field("elsewhere", "")
        return Field("yes_no", "")
    if definition.kind == "quantity":
        return Field("quantity", definition.label, units=units_of(definition))
    if definition.kind == "choice" and definition.choices:
        return Field("choice", definition.label, choices=definition.choices)
    if definition.kind == "yes_no":
        return Field("yes_no", definition.label)
    return Field("text", definition.label)


def units_of(definition: FactDefinition) -> tuple[str, ...]:
    """The units a quantity may be given in, the register's own first, the other way of printing it next."""
    if not definition.unit:
        return ()
    dimension = UNITS[definition.unit].dimension
    first = [definition.unit, *([definition.molar.per, definition.molar.unit] if definition.molar is not None else [])]
    dimensions = {dimension, *(UNITS[unit].dimension for unit in first)}
    return tuple(dict.fromkeys([*first, *(name for name, unit in UNITS.items() if unit.dimension in dimensions)]))


def anchor_of(title: str) -> str:
    """The anchor of a section."""
    return "part-" + re.sub(r"[^a-z]+", "-", title.lower()).strip("-")


def folded(row: Row) -> bool:
    """True when the table of a line is folded away."""
    if row.table is None or row.id in OPEN_TABLES or row.id.startswith("infusion.day"):
        return False
    return len(row.table.rows) > LONG_TABLE or row.section == "vaccination"


def amounts(text: str) -> Markup:
    """The text with amounts and clock times marked, everything else escaped."""
    return Markup(_AMOUNT.sub(r'<b class="amount">\1</b>', escape(spoken(clean(text)))))


def ward(text: object) -> str:
    """Text as a ward writes it: units spelt out, no hidden characters."""
    return spoken(clean(str(text)))


def unit_name(unit: str) -> str:
    """A unit as a clinician writes it."""
    return spoken(f"1 {unit}").removeprefix("1 ") if unit else ""
