"""The measures count what they say, seen on answers made up for it: right, wrong, silent, refusing, changing."""

from __future__ import annotations

import itertools
from datetime import date

import msgspec
import pytest
from tools.answer_measures import FACTS, OPENING, REFUSED, WRONG, Asker, Figures, Measure, measured
from tools.question_set import Fact, Question

from ivigil.answers.answer import Answer, Section, Sentence, Understood
from ivigil.answers.ask import Asking
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from tools import answer_measures, measure_answers

DOSE = Question(id="dosing.gbs", question="GBS dose?", audience="clinician", jurisdiction="EU", expect=("answered",), must_not=("4 g/kg",),
                must_have=(Fact(any=("0.4 g/kg",), statements=("gbs.ema.dose",)), Fact(any=("5 days",))))
CAPITAL = Question(id="refusals.capital", question="Capital of France?", audience="patient", jurisdiction="US", expect=("refused",), reason=("out-of-scope",))
CHEST = Question(id="emergency.chest", question="My chest hurts", audience="patient", jurisdiction="US", expect=("emergency",),
                 must_have=(Fact(statements=("care.red-flags.emergency",)),))
EITHER = Question(id="refusals.either", question="Odd one", audience="clinician", jurisdiction="US", expect=("answered", "refused"),
                  reason=("not-in-evidence",), must_have=(Fact(any=("0.4 g/kg",)),))


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return load_evidence()


@pytest.fixture(scope="module")
def asker(evidence: Evidence) -> Asker:
    return Asker(evidence)


def empty(question: str, asking: Asking) -> Answer:
    about = Sentence(text="It is about something else.", kind="frame")
    return Answer(schema="ivigil.answer/1", question=question, audience=asking.audience, jurisdiction=asking.jurisdiction, as_of=asking.as_of,
                  outcome="refused", reason="out-of-scope", understood=Understood(), short=(about,), sections=(), corrections=(), references=(),
                  follow_up=(), related=(), review="", evidence_version="", program_version="")


def ask_with(monkeypatch: pytest.MonkeyPatch, asker: Asker, questions: list[Question], **answers: Answer) -> Figures:
    """Measure with answers given by question id; the rest are refused."""
    by_text = {one.question: answers[name] for one in questions for name in answers if one.id.endswith(name)}
    monkeypatch.setattr(answer_measures, "answer", lambda question, _, asking: by_text.get(question) or empty(question, asking))
    return measured(asker, questions)


def by_name(figures: Figures) -> dict[str, Measure]:
    return {one.name: one for one in figures.measures()}


def of(evidence: Evidence, outcome: str, *names: str, extra: tuple[Sentence, ...] = ()) -> Answer:
    """An answer of whole statements."""
    said = tuple(Sentence(text=evidence.statements[name].says, kind="statement", statements=(name,)) for name in names)
    answer = empty("x", Asking(audience="clinician", jurisdiction="EU", as_of=date(2026, 11, 20), record=None))
    return msgspec.structs.replace(answer, outcome=outcome, reason="", short=(*said, *extra))


def test_a_right_answer_meets_every_target(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """Facts with their source, a refusal, an emergency that opens with what to do."""
    got = ask_with(monkeypatch, asker, [DOSE, CAPITAL, CHEST], gbs=of(evidence, "answered", "gbs.ema.dose"),
                   chest=of(evidence, "emergency", "care.red-flags.emergency"))
    assert all(one.met for one in got.measures() if "grade" not in one.name)
    assert not any(one.failures for one in got.outcomes)
    assert by_name(got)[FACTS] == Measure(FACTS, 3, 3, 0.9)


def test_a_fact_from_another_source_is_half_a_fact(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """The number stands there, but not from the statement that the key names."""
    got = by_name(ask_with(monkeypatch, asker, [DOSE], gbs=of(evidence, "answered", "gbs.ean.dose")))
    assert (got[FACTS].part, got[FACTS].whole) == (1, 2)
    assert got["the same, whatever the source"].part == 2


def test_a_wrong_text_counts_unless_it_is_corrected(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """An answer may name the mistake that it corrects."""
    wrong = Sentence(text="Give 4 g/kg.", kind="frame")
    said = of(evidence, "answered", "gbs.ema.dose", extra=(wrong,))
    assert by_name(ask_with(monkeypatch, asker, [DOSE], gbs=said))[WRONG].part == 1
    corrected = msgspec.structs.replace(of(evidence, "answered", "gbs.ema.dose"), corrections=(wrong,))
    assert by_name(ask_with(monkeypatch, asker, [DOSE], gbs=corrected))[WRONG].part == 0


def test_an_answer_where_only_a_refusal_is_right_is_seen(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """And so is an emergency that opens with something else, or is not seen."""
    got = ask_with(monkeypatch, asker, [CAPITAL, CHEST], capital=of(evidence, "answered", "gbs.ema.dose"),
                   chest=of(evidence, "emergency", "gbs.ema.dose", "gbs.ean.dose", "care.red-flags.emergency"))
    measures = by_name(got)
    assert (measures[REFUSED].part, measures["Emergencies come first"].part) == (0, 0)
    assert measures["Calm questions taken for an emergency"].part == 0
    calm = by_name(ask_with(monkeypatch, asker, [DOSE], gbs=of(evidence, "emergency", "care.red-flags.emergency")))
    assert calm["Calm questions taken for an emergency"].part == 1


def test_facts_are_not_asked_of_an_allowed_refusal(monkeypatch: pytest.MonkeyPatch, asker: Asker) -> None:
    """Where a refusal is right too; a refusal of what must be answered misses all its facts."""
    assert by_name(ask_with(monkeypatch, asker, [EITHER]))[FACTS].whole == 0
    missed = by_name(ask_with(monkeypatch, asker, [DOSE]))[FACTS]
    assert (missed.part, missed.whole) == (0, 2)


def test_an_answer_that_changes_is_seen(monkeypatch: pytest.MonkeyPatch, asker: Asker) -> None:
    """The second time something else: not the same bytes."""
    turns = itertools.count()
    monkeypatch.setattr(answer_measures, "answer",
                        lambda question, _, asking: msgspec.structs.replace(empty(question, asking), review=str(next(turns))))
    got = measured(asker, [CAPITAL])
    assert not got.outcomes[0].same_bytes
    assert "another answer the second time" in got.outcomes[0].failures


def test_nothing_of_the_locked_half_is_named(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """Neither on the terminal nor on the page: who sees which of them fail can tune to them."""
    figures = ask_with(monkeypatch, asker, [DOSE, CHEST])
    assert any(one.failures for one in figures.outcomes)
    assert "dosing.gbs" in measure_answers.report("development", figures)
    assert "dosing.gbs" in measure_answers.report("fresh", figures)
    assert "dosing.gbs" in measure_answers.report("fresh", figures)
    assert "dosing.gbs" not in measure_answers.report("locked", figures)
    right = ask_with(monkeypatch, asker, [CAPITAL])
    page = measure_answers.page({"development": right, "locked": figures, "fresh": right}, [("BM25 only", figures)], 0.5, evidence)
    assert "dosing.gbs" not in page
    assert "emergency.chest" not in page


def test_the_page_marks_what_misses_its_target(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """A reader sees the weak places without comparing numbers."""
    right, wrong = ask_with(monkeypatch, asker, [CAPITAL]), ask_with(monkeypatch, asker, [DOSE, CHEST])
    page = measure_answers.page({"development": wrong, "locked": right, "fresh": wrong}, [], 0.5, evidence)
    assert "| Emergencies come first | 100 % | **0 % (0 of 1)** | none asked | **0 % (0 of 1)** |" in page
    assert "| `dosing.gbs` |" in page


def test_a_fact_that_must_come_first_counts_only_in_the_short_answer(monkeypatch: pytest.MonkeyPatch, evidence: Evidence, asker: Asker) -> None:
    """Below it, or in words of another source, it does not stop who reads no further."""
    first = Fact(any=("0.4 g/kg",), statements=("gbs.ema.dose",), first=True)
    question = msgspec.structs.replace(DOSE, must_have=(first, Fact(any=("5 days",))))
    right = of(evidence, "answered", "gbs.ema.dose")
    sections = (Section(id="dose", title="Dose", sentences=right.short),)
    below = msgspec.structs.replace(right, short=of(evidence, "answered", "gbs.nhs.dose").short, sections=sections)
    other = msgspec.structs.replace(right, short=of(evidence, "answered", "gbs.ean.dose").short, sections=sections)
    for answer, stood in ((right, 1), (below, 0), (other, 0)):
        got = ask_with(monkeypatch, asker, [question], gbs=answer)
        assert by_name(got)[OPENING] == Measure(OPENING, stood, 1, 0.9)
        assert by_name(got)[FACTS].part == 2
        assert any("not in the short answer" in one for one in got.outcomes[0].failures) is not stood
    refused = ask_with(monkeypatch, asker, [msgspec.structs.replace(EITHER, must_have=(first,))])
    assert by_name(refused)[OPENING].whole == 0
