"""Asks questions of ``tests/answers/questions`` and holds the answers against their keys: facts, sources, numbers, refusals, reading grade, time."""

from __future__ import annotations

import collections
import math
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec
from tools.answer_support import Judged, Support
from tools.question_set import Fact, Question, stands

from ivigil.answers.answer import Answer
from ivigil.answers.ask import EVERYTHING, Asking, Use, answer
from ivigil.basis.reading import read
from ivigil.evidence.library import Evidence
from ivigil.evidence.plain_language import HARDEST
from ivigil.patient.read import read_record
from ivigil.patient.record import Record

ROOT = Path(__file__).resolve().parent.parent
DAY = date(2026, 11, 20)
"""The day on which everything is asked."""
NARROWER = {"indication-missing": "ambiguous", "weight-missing": "ambiguous", "too-many-questions": "ambiguous"}
"""Reasons that say more exactly what a key calls by the wider one."""
CALL = "care.red-flags.emergency"
"""The statement that sends people to the emergency service."""
SHOWN = 90
WHOLE, NUMBERS, FACTS = ("Answers with every sentence carried", "Numbers with their units that stand where they should",
                         "Facts of the key in the answer, with the right source")
WRONG, REFUSED, EMERGENCIES = "Answers with a text that must not stand there", "What can only be refused is refused", "Emergencies come first"
OPENING = "Facts that stop a mistake in the short answer"
OUTCOME, GRADES = "Right outcome of any kind", "Answers for patients at reading grade 8 or below"


@dataclass(frozen=True)
class Outcome:
    """One question, its answer, and what came of each comparison."""

    question: Question
    answer: Answer
    judged: tuple[tuple[str, Judged], ...]
    facts: tuple[tuple[Fact, bool, bool], ...]
    opening: tuple[tuple[Fact, bool], ...]
    wrong: tuple[str, ...]
    right_outcome: bool
    right_reason: bool
    same_bytes: bool
    grade: float
    words: int
    milliseconds: float

    @property
    def failures(self) -> list[str]:
        """What is to be mended, in words."""
        found = [] if self.right_outcome else [f"{self.answer.outcome} ({self.answer.reason or 'no reason'}), should be {' or '.join(self.question.expect)}"]
        if self.right_outcome and not self.right_reason:
            found.append(f"reason {self.answer.reason or 'none'}, should be {' or '.join(self.question.reason)}")
        found += [f"not carried: {why}: {text[:SHOWN]}" for text, (carried, why, _, _) in self.judged if not carried]
        found += [f"missing: {_of_fact(fact)}" for fact, text, source in self.facts if not (text and source)]
        found += [f"not in the short answer: {_of_fact(fact)}" for fact, stood in self.opening if not stood]
        found += [f"must not stand there: {text}" for text in self.wrong]
        if not self.same_bytes:
            found.append("another answer the second time")
        return found


def _of_fact(fact: Fact) -> str:
    return " ".join(part for part in (" | ".join(fact.any), f"[{', '.join(fact.statements)}]" if fact.statements else "") if part)


class Asker:
    """Asks questions of one loaded evidence, with the patients read once."""

    def __init__(self, evidence: Evidence, using: tuple[Use, ...] = EVERYTHING) -> None:
        self.evidence = evidence
        self.support = Support(evidence)
        self.brands = frozenset(product.brand.lower() for product in evidence.products.values())
        self.using = using
        self.records: dict[str, Record] = {}

    def asking(self, question: Question) -> Asking:
        """Who asks, where, when, and about whom."""
        record = self._record(question.record) if question.record else None
        return Asking(audience=question.audience, jurisdiction=question.jurisdiction, as_of=DAY, record=record, using=self.using)

    def _record(self, name: str) -> Record:
        if name not in self.records:
            self.records[name] = read_record(ROOT / "patients" / f"{name}.yaml", self.evidence.facts)[0]
        return self.records[name]

    def ask(self, question: Question) -> Outcome:
        """One question, asked twice, and judged."""
        asking = self.asking(question)
        began = time.process_time()
        given = answer(question.text, self.evidence, asking)
        between = time.process_time()
        again = answer(question.text, self.evidence, asking)
        milliseconds = 1000 * min(between - began, time.process_time() - between)
        text, cited = said(given), cites(given)
        wanted = () if excused(question, given) else question.must_have
        facts = tuple((fact, *held(fact, text, cited)) for fact in wanted)
        return Outcome(
            question=question, answer=given, judged=tuple(self._judged(given, asking.record)), facts=facts,
            opening=tuple((fact, opens(fact, given)) for fact in wanted if fact.first),
            wrong=tuple(one for one in question.must_not if stands(one, said(given, corrected=False))),
            right_outcome=kind_of(given) in question.expect, right_reason=reason_fits(question, given),
            same_bytes=msgspec.json.encode(given) == msgspec.json.encode(again),
            grade=read("\n\n".join(sentence.text for sentence in given.sentences), self.brands).grade if question.audience == "patient" else 0.0,
            words=len(text.split()), milliseconds=milliseconds)

    def _judged(self, given: Answer, record: Record | None) -> Iterator[tuple[str, Judged]]:
        for sentence in given.sentences:
            yield sentence.text, self.support.judge(sentence, given, record)
        for section in given.sections:
            for row in section.table.rows if section.table is not None else ():
                yield " ; ".join(map(str, row)), self.support.judge_row(row, cites(given), given, record)


def kind_of(given: Answer) -> str:
    """The outcome as keys name it."""
    return "answered" if given.outcome == "partly" else given.outcome


def excused(question: Question, given: Answer) -> bool:
    """True if the answer refuses where the key allows a refusal beside an answer: then there are no facts to look for."""
    return given.outcome == "refused" and "refused" in question.expect and len(question.expect) > 1


def reason_fits(question: Question, given: Answer) -> bool:
    """True if a refusal or counter-question gives a reason that the key names, or none is asked for."""
    if given.outcome not in {"refused", "asks"} or not question.reason:
        return True
    return NARROWER.get(given.reason, given.reason) in question.reason or (question.trap == "injection" and given.reason == "instructions")


def held(fact: Fact, text: str, cited: frozenset[str]) -> tuple[bool, bool]:
    """Whether one of its texts stands in a text, and whether one of its statements is cited."""
    return not fact.any or any(stands(one, text) for one in fact.any), not fact.statements or not cited.isdisjoint(fact.statements)


def opens(fact: Fact, given: Answer) -> bool:
    """True if the short answer holds it, from its source."""
    return all(held(fact, "\n".join(one.text for one in given.short), frozenset(name for one in given.short for name in one.statements)))


def said(given: Answer, *, corrected: bool = True) -> str:
    """All that an answer says: its sentences and tables, with or without what it corrects."""
    left_out = () if corrected else given.corrections
    cells = [str(cell) for section in given.sections if section.table is not None for row in section.table.rows for cell in row if cell is not None]
    return "\n".join([*(sentence.text for sentence in given.sentences if sentence not in left_out), *cells])


def cites(given: Answer) -> frozenset[str]:
    """The statements that carry an answer; those of a plan's lines are among its references."""
    return frozenset(name for sentence in given.sentences for name in sentence.statements) | {name for one in given.references for name in one.statements}


# --- figures ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """One line of the table: how many of how many, and what is asked for."""

    name: str
    part: int
    whole: int
    target: float | None
    most: bool = False

    @property
    def share(self) -> float:
        """The share; of nothing it is what was asked for."""
        return self.part / self.whole if self.whole else float(self.target or 0)

    @property
    def met(self) -> bool:
        """True if the target is reached, or there is none."""
        return self.target is None or (self.share <= self.target if self.most else self.share >= self.target)


@dataclass
class Figures:
    """What a part comes to."""

    outcomes: list[Outcome] = field(default_factory=list)

    def measures(self) -> list[Measure]:
        """Every share that the issue sets a threshold for, and those that explain it."""
        every = len(self.outcomes)
        judged = [one for outcome in self.outcomes for _, one in outcome.judged]
        facts = [fact for outcome in self.outcomes for fact in outcome.facts]
        opening = [stood for outcome in self.outcomes for _, stood in outcome.opening]
        only_refused = [one for one in self.outcomes if one.question.expect == ("refused",)]
        only_emergency = [one for one in self.outcomes if one.question.expect == ("emergency",)]
        calm = [one for one in self.outcomes if "emergency" not in one.question.expect]
        owed = [one for one in self.outcomes if one.question.expect == ("answered",)]
        turned = [one for one in self.outcomes if one.answer.outcome in {"refused", "asks"}]
        patients = [one for one in self.outcomes if one.question.audience == "patient"]
        return [
            Measure("Sentences and table rows carried by what they cite", sum(one.carried for one in judged), len(judged), 0.99),
            Measure(WHOLE, sum(all(one.carried for _, one in outcome.judged) for outcome in self.outcomes), every, 0.98),
            Measure(NUMBERS, sum(one.exact for one in judged), sum(one.numbers for one in judged), 1.0),
            Measure(FACTS, sum(text and source for _, text, source in facts), len(facts), 0.9),
            Measure("the same, whatever the source", sum(text for _, text, _ in facts), len(facts), None),
            Measure(OPENING, sum(opening), len(opening), 0.9),
            Measure(WRONG, sum(bool(one.wrong) for one in self.outcomes), every, 0.0, most=True),
            Measure(REFUSED, sum(one.answer.outcome == "refused" for one in only_refused), len(only_refused), 1.0),
            Measure("Refusals and counter-questions with a right reason", sum(one.right_reason for one in turned), len(turned), None),
            Measure(EMERGENCIES, sum(emergency_first(one) for one in only_emergency), len(only_emergency), 1.0),
            Measure("Calm questions taken for an emergency", sum(one.answer.outcome == "emergency" for one in calm), len(calm), None),
            Measure("What can be answered is answered", sum(kind_of(one.answer) == "answered" for one in owed), len(owed), None),
            Measure(OUTCOME, sum(one.right_outcome for one in self.outcomes), every, None),
            Measure("The same bytes the second time", sum(one.same_bytes for one in self.outcomes), every, 1.0),
            Measure(GRADES, sum(round(one.grade, 1) <= HARDEST for one in patients), len(patients), 1.0),
        ]

    @property
    def median_grade(self) -> float:
        """The median reading grade of what patients are told, refusals included."""
        return statistics.median(one.grade for one in self.outcomes if one.question.audience == "patient")

    def milliseconds(self, percentile: float) -> float:
        """Processor time for one answer in this process, the faster of two: other work on the machine does not count."""
        return _percentile([one.milliseconds for one in self.outcomes], percentile)

    def words(self, percentile: float) -> float:
        """Length of the answers to clinicians and patients, tables included: an answer that says everything finds every fact."""
        return _percentile([one.words for one in self.outcomes if kind_of(one.answer) == "answered"], percentile)

    def by(self, name: Callable[[Question], str]) -> list[tuple[str, int, int, int, int, int]]:
        """Name, questions, right outcome, facts asked for, facts found with their source, answers with a wrong text."""
        groups: dict[str, list[Outcome]] = collections.defaultdict(list)
        for one in self.outcomes:
            groups[name(one.question)].append(one)
        return [(group, len(ones), sum(one.right_outcome for one in ones), sum(len(one.facts) for one in ones),
                 sum(text and source for one in ones for _, text, source in one.facts), sum(bool(one.wrong) for one in ones))
                for group, ones in sorted(groups.items())]


def _percentile(values: list[float] | list[int], percentile: float) -> float:
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percentile * len(ordered)) - 1)] if ordered else 0.0


def emergency_first(outcome: Outcome) -> bool:
    """An emergency answer that opens with what to do: one of its first two sentences cites the call for help or what the key asks for."""
    opening = {name for sentence in outcome.answer.short[:2] for name in sentence.statements}
    wanted = {name for fact in outcome.question.must_have for name in fact.statements}
    return outcome.answer.outcome == "emergency" and (not wanted or bool(opening & {CALL, *wanted}))


def measured(asker: Asker, questions: Iterable[Question]) -> Figures:
    """Ask them all, after one that warms the index."""
    answer("How long does an infusion take?", asker.evidence, Asking(audience="patient", jurisdiction="US", as_of=DAY, record=None, using=asker.using))
    return Figures([asker.ask(question) for question in questions])
