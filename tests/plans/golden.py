"""A plan as text to be kept and compared: one line per sentence, with everything it rests on; no version, no layout."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from ivigil.basis.quantity import number_text
from ivigil.evidence.library import Evidence
from ivigil.patient.read import read_record
from ivigil.planning.draft import Context
from ivigil.planning.line import Line, Plan, Question
from ivigil.planning.plan import plan

ROOT = Path(__file__).resolve().parents[2]
PATIENTS = ROOT / "patients"
GOLDEN = Path(__file__).resolve().parent / "golden"
WHY = Path(__file__).resolve().parent / "why.md"
AS_OF = date(2026, 11, 20)
START = datetime(2026, 11, 20, 9)
_PLACES = {"us": "US", "uk": "UK-ENG", "eu": "EU", "au": "AU", "ontario": "CA-ON", "jp": "JP"}
"""The last word of a record's file name says where the plan is made."""
_MARK = {"critical": "!!", "warning": "! ", "info": "  "}


def names() -> list[str]:
    """The names of all example records."""
    return sorted(path.stem for path in PATIENTS.glob("*.yaml"))


def planned(name: str, evidence: Evidence) -> Plan:
    """The plan of an example record on the day of all golden plans."""
    (record,) = read_record(PATIENTS / f"{name}.yaml", evidence.facts, {product.id: product.codes for product in evidence.products.values()})
    start = datetime.fromisoformat(record.order.start) if record.order.start else START
    return plan(record, evidence, Context(_PLACES[name.rsplit("-", 1)[-1]], AS_OF, start))


def text_of(made: Plan) -> str:
    """The whole plan, without the evidence and program version."""
    return "\n".join(_written(made)) + "\n"


def _written(made: Plan) -> Iterator[str]:
    yield f"{made.patient}: {made.indication or 'no indication'}, {made.jurisdiction}, {made.as_of}, {made.status}"
    section = ""
    for line in made.lines:
        if line.section != section:
            section = line.section
            yield from ("", f"== {section}")
        yield from _line(line)
    yield from ("", "== questions")
    for question in made.questions:
        yield _question(question)
    yield from ("", "== not raised")
    for silent in made.not_raised:
        facts = ", ".join(f"{name} {value}" for name, value in silent.facts.items())
        yield f"   {silent.rule}: {facts}" if facts else f"   {silent.rule}"


def _line(line: Line) -> Iterator[str]:
    value = f" = {line.value}" if line.value is not None else ""
    when = f" @ {line.when}" if line.when is not None else ""
    yield f"{_MARK[line.urgency]} {line.id} ({line.act}){value}{when}"
    yield f"   {line.text}"
    if line.table is not None:
        yield f"     | {' | '.join(f'{column.name} {column.unit}'.strip() for column in line.table.columns)}"
        for row in line.table.rows:
            yield f"     | {' | '.join(_cell(cell) for cell in row)}"
        if line.table.note:
            yield f"     {line.table.note}"
    because = line.because
    for name, fact in because.facts.items():
        how = f", {fact.how}" if fact.how else ""
        yield f"     fact {name}: {fact.value}{' (old)' if fact.stale else ''} <- {fact.origin}{how}"
    if because.calculation:
        yield f"     sum {because.calculation}"
    if because.reading:
        yield f"     reading {because.reading}"
    for word, others in (("instead of", because.instead_of), ("disputed by", because.disputed_by)):
        for other in others:
            yield f"     {word} {other.what}: {other.why} [{' '.join(other.cites)}]"
    rule = f"{because.rule}: " if because.rule else ""
    follows = f" after {' '.join(because.follows)}" if because.follows else ""
    marks = "" if because.review == "approved" and because.read == "seen" else f" ({', '.join(word for word in (because.read, because.review) if word)})"
    yield f"     [{rule}{' '.join(because.cites)}]{follows}{marks}"


def _cell(cell: str | float | None) -> str:
    return "-" if cell is None else number_text(cell) if isinstance(cell, float) else cell


def _question(question: Question) -> str:
    return f"{_MARK[question.urgency]} {question.fact}: {question.ask} ({question.weight}: {', '.join(question.could_change)})"


def reasons() -> dict[str, list[str]]:
    """The reasons of why.md by golden plan."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in WHY.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            name = line[3:].strip()
            found[name] = []
        elif name and line.startswith("- "):
            found[name].append(line[2:].strip())
    return found


def accept(name: str, text: str, why: str, today: date) -> None:
    """Write one golden plan and put the reason under its heading in why.md."""
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / f"{name}.txt").write_text(text, encoding="utf-8")
    before = WHY.read_text(encoding="utf-8").rstrip() if WHY.exists() else "# Why the golden plans are as they are"
    entry = f"- {today.isoformat()} {' '.join(why.split())}"
    parts = before.split(f"\n## {name}\n")
    if len(parts) == 1:
        after = f"{before}\n\n## {name}\n{entry}"
    else:
        head, tail = parts
        own, mark, rest = tail.partition("\n\n## ")
        after = f"{head}\n## {name}\n{own.rstrip()}\n{entry}{mark}{rest}"
    WHY.write_text(after + "\n", encoding="utf-8")
