"""Is a sentence of an answer carried by what it cites? Judged from the evidence, the question and the record, never from what the answer claims."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from tools.answer_forecast import DATE, told
from tools.question_set import folded

from ivigil.answers.answer import Answer, Sentence
from ivigil.basis.quantity import UNITS, UnitProblem, unit_named
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.plan import plan

Number = tuple[float, str, float]
"""A number, the dimension of its unit (empty without one), and the factor to the base unit."""
CONVERSIONS = (60.0, 1000.0, 100.0, 7.0, 24.0, 0.45359237, 6.35029318, 2.54, 0.3, 0.6, 1.2, 1.0)
"""Factors between units that arithmetic may use: hours, grams and milligrams, percent, weeks, days, pounds, stones,
inches; mg/min to mL/h of a 20, 10 and 5 % product."""


FOREIGN = 0.5
"""The share of a composed sentence's words that may be the program's own."""
STEM = 5
_WORD = re.compile(r"[^\W\d_]{3,}")


_NUMBER = re.compile(r"(?<![\w.,*^/])(?<![a-z]-)([0-9]+(?:\.[0-9]+)?)(?![\w*^]*[*^][0-9]|\.[0-9]|[a-z]+-[a-z])")
_MORE = re.compile(r"\s?(?:-|,|to |or |and )\s?[0-9]")
_UNIT = re.compile(r"\s?(10[*^]9/l|[a-zµ%/\[][\w%/*\[\].{}^²]*)")
_NO_UNITS = frozenset({"a", "in", "d", "c", "m", "l"})
"""What is a unit elsewhere and an ordinary word or letter behind a number here: 817 a patient, 2 in 100."""


class Judged(NamedTuple):
    """One sentence: whether it is carried, why not, and how many of its numbers stand where they should."""

    carried: bool
    why: str
    numbers: int
    exact: int


class Made(NamedTuple):
    """A plan, as far as answers quote it."""

    lines: frozenset[str]
    rows: frozenset[tuple[str | float | None, ...]]


class Support:
    """What each statement carries, and the judgement of sentences against it."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.numbers = {statement.id: frozenset(numbers(" ; ".join([statement.says, statement.plain, *_texts(statement.values)])))
                        for statement in evidence.statements.values()}
        self.provenance = _provenance(evidence)
        self.words = _words_told(evidence)
        self.names = _names(evidence)

    def judge(self, sentence: Sentence, answer: Answer, record: Record | None) -> Judged:
        """One sentence of an answer."""
        if sentence.kind == "statement":
            heard = {text for name in sentence.statements if (one := self.evidence.statements.get(name)) for text in (one.says, one.plain) if text}
            count = len(numbers(sentence.text))
            same = sentence.text in heard
            return Judged(same, "" if same else "is not what a cited statement says", count, count if same else 0)
        if sentence.kind == "frame":
            count = len(numbers(sentence.text))
            return Judged(not count, "a number in words of our own" if count else "", count, 0)
        missing = [name for name in sentence.statements if name not in self.evidence.statements]
        if missing:
            return Judged(False, f"cites what is not there: {', '.join(missing)}", 0, 0)
        if sentence.kind == "plan-line":
            return self._plan_line(sentence, answer, record)
        if sentence.kind == "forecast":
            return self._forecast_line(sentence, answer, record)
        if not sentence.statements and sentence.kind == "entry":
            return Judged(False, "cites nothing", 0, 0)
        if sentence.kind == "entry" and self._strange(sentence):
            count = len(numbers(sentence.text))
            return Judged(False, f"words from nowhere: {', '.join(sorted(self._strange(sentence)))}", count, count)
        return self._counted(sentence.text, sentence.statements, answer, record, worked_out=sentence.kind == "calculation")

    def _strange(self, sentence: Sentence) -> frozenset[str]:
        """The words of a composed sentence that neither its statements nor the entries made from them use, when these are more than half of its words."""
        said = words_of(sentence.text)
        strange = said.difference(*(self.words[name] for name in sentence.statements))
        return strange if len(strange) > FOREIGN * len(said) else frozenset()

    def judge_row(self, row: Iterable[Any], cites: Iterable[str], answer: Answer, record: Record | None) -> Judged:
        """One row of a table: as it stands in a table of the plan, or with its numbers from what is cited."""
        cells = tuple(row)
        if record is not None and cells in made_for(self.evidence, record, answer.jurisdiction, answer.as_of).rows:
            count = len(numbers(_joined(cells)))
            return Judged(True, "", count, count)
        return self._counted(_joined(cells), tuple(cites), answer, record, worked_out=False)

    def _counted(self, text: str, cites: tuple[str, ...], answer: Answer, record: Record | None, *, worked_out: bool) -> Judged:
        wanted = numbers(self._without_names(text))
        known = {number for name in cites for number in self.numbers.get(name, ())}
        known |= {*numbers(answer.question), *_of_record(record)}
        whence = {number for name in cites for number in numbers(self.provenance[name])}
        unknown = [number for number in wanted if not _held(number, known) and (number[1] or not _held(number, whence))]
        if unknown and worked_out:
            unknown = _not_worked_out(wanted, unknown, {*numbers(answer.question), *_of_record(record), *(number for number in known if _held(number, wanted))})
        why = f"numbers from nowhere: {', '.join(f'{number[0]:g} {number[1]}'.strip() for number in unknown)}" if unknown else ""
        return Judged(not unknown, why, len(wanted), len(wanted) - len(unknown))

    def _plan_line(self, sentence: Sentence, answer: Answer, record: Record | None) -> Judged:
        count = len(numbers(sentence.text))
        if record is None:
            return Judged(False, "a line of a plan without a record", count, 0)
        said = sentence.text in made_for(self.evidence, record, answer.jurisdiction, answer.as_of).lines
        return Judged(said, "" if said else "no line of the plan", count, count if said else 0)

    def _forecast_line(self, sentence: Sentence, answer: Answer, record: Record | None) -> Judged:
        """Its values are bare there, in columns under their unit, so numbers alone are compared."""
        wanted = numbers(DATE.sub(" ", self._without_names(sentence.text)))
        if record is None or not sentence.statements:
            return Judged(False, "a forecast without a record" if record is None else "cites nothing", len(wanted), 0)
        known = {number for number, _, _ in (*numbers(told(self.evidence, record, answer.jurisdiction, answer.as_of)), *numbers(answer.question))}
        missing = [number for number, _, _ in wanted if number not in known]
        why = f"not in the forecast: {', '.join(f'{number:g}' for number in missing)}" if missing else ""
        return Judged(not missing, why, len(wanted), len(wanted) - len(missing))

    def _without_names(self, text: str) -> str:
        for name in self.names:
            if name in text:
                text = text.replace(name, " ")
        return text


_VALUE = re.compile(r'"value":([0-9.]+),"unit":"([^"]*)"')
_PLANS: dict[tuple[str, str, date], Made] = {}


def made_for(evidence: Evidence, record: Record, jurisdiction: str, day: date) -> Made:
    """The sentences and table rows of the plan made for a record there and then, starting at nine in the morning."""
    key = (record.id, jurisdiction, day)
    if key not in _PLANS:
        lines = plan(record, evidence, Context(jurisdiction, day, datetime.combine(day, time(9)))).lines
        _PLANS[key] = Made(frozenset(line.text for line in lines), frozenset(row for line in lines if line.table is not None for row in line.table.rows))
    return _PLANS[key]


def _joined(cells: Iterable[Any]) -> str:
    return " ; ".join(str(cell) for cell in cells if cell is not None)


@lru_cache(maxsize=16384)
def numbers(text: str) -> tuple[Number, ...]:
    """Every number of a text with its unit, whatever way the unit is spelt. The unit behind a range or a list belongs to all of it."""
    text = folded(text)
    found: list[Number] = []
    waiting: list[float] = []
    for match in _NUMBER.finditer(text):
        waiting.append(float(match[1]))
        rest = text[match.end():]
        if _MORE.match(rest):
            continue
        unit = _UNIT.match(rest)
        dimension, factor = _unit(unit[1]) if unit is not None else ("", 1.0)
        found += [(value, dimension, factor) for value in waiting]
        waiting = []
    return (*found, *((value, "", 1.0) for value in waiting))


def _unit(text: str) -> tuple[str, float]:
    if text in _NO_UNITS:
        return "", 1.0
    try:
        known = UNITS[unit_named(text.rstrip(".,;:)"))]
    except UnitProblem:
        return "", 1.0
    return known.dimension, known.factor


def _texts(values: dict[str, Any]) -> Iterator[str]:
    for value in values.values():
        yield from (str(item) for item in (value if isinstance(value, list) else [value]))


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(1e-12, abs(one), abs(other))


def _held(number: Number, among: Iterable[Number]) -> bool:
    """True if the same amount stands there: the same number with the same unit or none, or the same in another unit of the dimension."""
    value, dimension, factor = number
    for other, dimension_there, factor_there in among:
        if _close(value, other) and (not dimension or not dimension_there or (dimension == dimension_there and _close(factor, factor_there))):
            return True
        if dimension and dimension == dimension_there and _close(value * factor, other * factor_there):
            return True
    return False


def _not_worked_out(wanted: Iterable[Number], unknown: list[Number], inputs: set[Number]) -> list[Number]:
    """Those that come neither from one operation on two inputs or earlier results, nor from a product over a divisor that the sentence writes out."""
    have = {value for value, _, _ in inputs} | {value * factor for value, _, factor in inputs}
    written = [number[0] for number in wanted if number not in unknown]
    for number in wanted:
        if number in unknown and (_comes_from(number[0], have) or _comes_from_three(number[0], written)):
            unknown = [other for other in unknown if other != number]
            have |= {number[0], number[0] * number[2]}
    return unknown


def _comes_from(value: float, have: set[float]) -> bool:
    slack = _slack(value)
    for one, other in itertools.product(have, repeat=2):
        for result in (one * other, one / other if other else None, one + other, one - other):
            if result is not None and any(abs(result * factor - value) <= slack or abs(result / factor - value) <= slack for factor in CONVERSIONS):
                return True
    return False


def _comes_from_three(value: float, written: list[float]) -> bool:
    """One number times the second over the third, all of them written in the sentence: ``30 g x 1.37 / 4 weeks``."""
    return any(third and abs(one * other / third - value) <= _slack(value) for one, other, third in itertools.permutations(written, 3))


def _slack(value: float) -> float:
    """Half of the last digit that is written."""
    return 0.5 * 10.0 ** -len(repr(value).partition(".")[2].rstrip("0")) + 1e-9


def _of_record(record: Record | None) -> tuple[Number, ...]:
    return numbers(_VALUE.sub(r"\1 \2", msgspec.json.encode(record).decode())) if record is not None else ()


def words_of(text: str) -> frozenset[str]:
    """The beginnings of the words of a text, those of one and two letters left out."""
    return frozenset(word[:STEM] for word in _WORD.findall(folded(text)))


def _words_told(evidence: Evidence) -> defaultdict[str, frozenset[str]]:
    """For each statement its own words and those of every entry that cites it: what is inside it, what it stands in, and what the ids in it are called."""
    called = {name: words_of(str(msgspec.to_builtins(source))) for name, source in evidence.sources.items()}
    called |= {name: words_of(place.name) for name, place in evidence.jurisdictions.items()}
    called |= {name: words_of(f"{one.name.clinical} {one.name.plain}") for name, one in evidence.indications.items()}
    told: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    for statement in evidence.statements.values():
        told[statement.id] = words_of(f"{statement.says} {statement.plain}")
    for part in evidence.__struct_fields__:
        entries = getattr(evidence, part)
        if isinstance(entries, dict) and part not in {"sources", "statements", "facts", "local"}:
            for name, found in _citing(msgspec.to_builtins(list(entries.values()), enc_hook=str), called, frozenset()):
                told[name] |= found
    return told


def _citing(value: Any, called: dict[str, frozenset[str]], outer: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _citing(item, called, outer)
    elif isinstance(value, dict):
        here = [item for key, item in value.items() if key == "also_called" or not isinstance(item, list | tuple)]
        own = outer.union(*(_named(text, called) for text in _strings(here)))
        inside = own.union(*(_named(text, called) for text in _strings(value)))
        for key in ("cites", "contains_cites"):
            for name in value.get(key) or ():
                yield name, inside
        for item in value.values():
            yield from _citing(item, called, own)


def _named(text: str, called: dict[str, frozenset[str]]) -> frozenset[str]:
    return words_of(re.sub("[-_.]", " ", text)) | called.get(text, frozenset())


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _provenance(evidence: Evidence) -> defaultdict[str, str]:
    """Editions, years and titles that go with a statement: they say where it stands and are no claims."""
    told: defaultdict[str, str] = defaultdict(str)
    for statement in evidence.statements.values():
        sources = [evidence.sources.get(name) for name in (statement.source, *statement.also)]
        told[statement.id] = " ; ".join([statement.where, *(str(msgspec.to_builtins(source)) for source in sources if source is not None)])
    for indication in evidence.indications.values():
        for entry in (*indication.standing, *indication.regimens, *indication.criteria):
            for name in entry.cites:
                told[name] += f" ; {getattr(entry, 'edition', '')} ; {getattr(entry, 'tier', '')}"
    return told


def _names(evidence: Evidence) -> tuple[str, ...]:
    """Names that hold numbers and claim nothing: products, indications, vaccines. The longest first."""
    found = {name for product in evidence.products.values() for name in (product.brand, f"{product.brand} {product.percent:g} %")}
    found |= {name for indication in evidence.indications.values() for name in (indication.name.clinical, indication.name.plain, *indication.also_called)}
    return tuple(sorted((name for name in found if any(letter.isdigit() for letter in name)), key=lambda name: (-len(name), name)))
