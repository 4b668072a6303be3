"""The judge of answers sees what is not carried: a changed word, a number from nowhere, a wrong unit, wrong arithmetic, an invented line of a plan."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from tools.answer_support import Judged, Support, made_for

from ivigil.answers.answer import Answer, Sentence, Understood
from ivigil.answers.ask import Asking, answer
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.read import read_record
from ivigil.patient.record import Record

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 20)
Kind = Literal["statement", "entry", "plan-line", "forecast", "calculation", "frame"]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


@lru_cache(maxsize=1)
def shared() -> Support:
    return Support(load_evidence())


@pytest.fixture(scope="module")
def support() -> Support:
    return shared()


@pytest.fixture(scope="module")
def record(evidence: Evidence) -> Record:
    return read_record(ROOT / "patients" / "itp-adult-us.yaml", evidence.facts)[0]


def answered(question: str, *sentences: Sentence) -> Answer:
    return Answer(schema="ivigil.answer/1", question=question, audience="clinician", jurisdiction="US", as_of=DAY, outcome="answered", reason="",
                  understood=Understood(), short=sentences, sections=(), corrections=(), references=(), follow_up=(), related=(), review="",
                  evidence_version="", program_version="")


def judged(support: Support, text: str, kind: Kind, *cites: str, question: str = "", record: Record | None = None) -> Judged:
    sentence = Sentence(text=text, kind=kind, statements=cites)
    return support.judge(sentence, answered(question, sentence), record)


def test_a_statement_is_carried_word_for_word_only(support: Support, evidence: Evidence) -> None:
    """Its own sentence and its plain words count; the sentence of another statement or with another number does not."""
    said = evidence.statements["gbs.ema.dose"]
    assert judged(support, said.says, "statement", said.id) == Judged(True, "", 3, 3)
    assert judged(support, said.plain, "statement", said.id).carried or not said.plain
    assert not judged(support, said.says, "statement", "gbs.nhs.dose").carried
    assert not judged(support, said.says.replace("0.4", "0.5"), "statement", said.id).carried
    assert not judged(support, said.says, "statement").carried


@pytest.mark.parametrize(("text", "cites", "carried"), [
    ("0.4 g/kg a day on 5 days", ["gbs.ema.dose"], True),
    ("400 mg/kg a day on 5 days", ["gbs.ema.dose"], True),
    ("0.4 grams per kilogram a day", ["gbs.ema.dose"], True),
    ("0.4 mg/kg a day on 5 days", ["gbs.ema.dose"], False),
    ("0.4 g/kg a day on 4 days", ["gbs.ema.dose"], False),
    ("0.4 g/kg a day", ["care.advice.tube"], False),
    ("0.4 g/kg a day", [], False),
    ("0.4 g/kg a day", ["no.such.statement"], False),
    ("Octagam 10 % is labelled", ["octagam10-us.dm.label"], True),
    ("Octagam 10 % at 5 %", ["octagam10-us.dm.label"], False),
])
def test_an_entry_has_its_numbers_from_its_statements(support: Support, text: str, cites: list[str], carried: bool) -> None:
    """The same amount in another unit counts, a slip of the unit does not; a name with a number in it claims nothing."""
    assert judged(support, text, "entry", *cites).carried is carried


@pytest.mark.parametrize(("text", "cites", "carried"), [
    ("European Medicines Agency: supported.", ["gbs.ema.dose"], True),
    ("Privigen, on the label: Chronic inflammatory demyelinating polyradiculoneuropathy.", ["privigen-us.cidp.label"], True),
    ("A nurse puts a small tube into a vein in your arm.", ["care.advice.tube"], True),
    ("Garlic tablets lower cholesterol within several days.", ["care.advice.tube"], False),
])
def test_an_entry_uses_the_words_of_what_it_is_made_from(support: Support, text: str, cites: list[str], carried: bool) -> None:
    """A sentence without numbers is judged by its words: those of its statements, of the entries that cite them, and the names of what these point to."""
    assert judged(support, text, "entry", *cites).carried is carried


def test_words_of_our_own_hold_no_number(support: Support) -> None:
    """A number in a heading or a refusal would be a claim without a source."""
    assert judged(support, "This is not in the evidence.", "frame").carried
    assert not judged(support, "Wait 3 months.", "frame").carried


@pytest.mark.parametrize(("text", "question", "carried"), [
    ("0.4 g/kg x 70 kg = 28 g", "70 kg with GBS", True),
    ("0.4 g/kg x 70 kg = 28 g a day, 140 g in 5 days", "70 kg with GBS", True),
    ("0.4 g/kg x 70 kg = 29 g", "70 kg with GBS", False),
    ("154 lb is 69.85 kg; 0.4 g/kg is 27.94 g", "154 lb with GBS", True),
    ("0.4 g/kg x 75 kg = 30 g", "70 kg with GBS", False),
    ("0.5 mg/kg/min for 70 kg = 21 mL/h", "rate of 0.5 mg/kg/min for 70 kg", True),
    ("0.5 mg/kg/min for 70 kg = 23 mL/h", "rate of 0.5 mg/kg/min for 70 kg", False),
    ("28 g x 5 days / 2 days = 70 g", "28 g on 2 days with GBS", True),
    ("28 g x 5 days / 2 days = 75 g", "28 g on 2 days with GBS", False),
])
def test_a_calculation_is_worked_out_from_what_is_given(support: Support, text: str, question: str, carried: bool) -> None:
    """Products, sums and conversions of numbers of the question and of the statement; nothing else."""
    assert judged(support, text, "calculation", "gbs.ema.dose", question=question).carried is carried


def test_wrong_products_hardly_ever_pass(support: Support) -> None:
    """For every weight the right grams pass. Wrong ones pass only by coincidence with other numbers of the statement: fewer than one in two hundred."""
    def judge_grams(grams: str, weight: int) -> bool:
        return judged(support, f"0.4 g/kg x {weight} kg = {grams} g", "calculation", "gbs.ema.dose", question=f"{weight} kg").carried

    weights = range(30, 151)
    assert all(judge_grams(f"{round(0.4 * weight, 1):g}", weight) for weight in weights)
    wrong = [judge_grams(f"{0.4 * weight + slip + 0.05:.2f}", weight) for weight in weights for slip in range(1, 10)]
    assert sum(wrong) * 200 < len(wrong)


def test_a_line_of_a_plan_is_in_the_plan(support: Support, evidence: Evidence, record: Record) -> None:
    """The plan is made again and compared; without a record there is none."""
    line = min(made_for(evidence, record, "US", DAY).lines)
    assert judged(support, line, "plan-line", record=record).carried
    assert not judged(support, f"{line} Perhaps.", "plan-line", record=record).carried
    assert not judged(support, line, "plan-line").carried


def test_a_line_of_a_forecast_is_in_the_forecast(support: Support, evidence: Evidence) -> None:
    """Each line that an answer gives is carried by the command's own report; one with another level, without a source or without a record is not."""
    (own,) = read_record(ROOT / "examples" / "pid-with-levels.yaml", evidence.facts)
    given = answer("What will the trough be, and when should the next level be drawn?", evidence, Asking("clinician", "US", DAY, own))
    lines = [sentence for sentence in given.sentences if sentence.kind == "forecast"]
    assert lines
    assert all(support.judge(sentence, given, own).carried for sentence in lines)
    trough = next(sentence for sentence in lines if "just before the dose" in sentence.text)
    wrong = msgspec.structs.replace(trough, text=trough.text.replace(" g/L (9 in 10", "9 g/L (9 in 10"))
    assert not support.judge(wrong, given, own).carried
    assert not support.judge(msgspec.structs.replace(trough, statements=()), given, own).carried
    assert not support.judge(trough, given, None).carried


def test_a_row_of_a_table_is_counted_too(support: Support) -> None:
    """Numbers hide in tables as well."""
    given = answered("dose in GBS")
    assert support.judge_row(("Europe", "0.4 g/kg", None), ["gbs.ema.dose"], given, None).carried
    assert not support.judge_row(("Europe", "0.6 g/kg", 2), ["gbs.ema.dose"], given, None).carried


def test_a_row_of_a_plan_is_in_the_plan(support: Support, evidence: Evidence, record: Record) -> None:
    """Its weights, doses and dates are the plan's own; one digit more and they are from nowhere."""
    given = answered("which weight?")
    row = next(row for row in made_for(evidence, record, "US", DAY).rows if any(isinstance(cell, float) and cell % 1 for cell in row))
    assert support.judge_row(row, [], given, record).carried
    changed = tuple(cell + 0.1234567 if isinstance(cell, float) else cell for cell in row)
    assert not support.judge_row(changed, [], given, record).carried


def test_editions_and_years_say_where_it_stands(support: Support) -> None:
    """The edition of a guideline is no claim; the same number as a dose is one."""
    assert judged(support, "EMA core text, Rev 5 (2018)", "entry", "itp-adult.ema.dose").carried
    assert not judged(support, "3.7 g/kg", "entry", "itp-adult.ema.dose").carried
