"""Questions about the coming IgG of one patient: the numbers of ``ivigil forecast``, its models as sources, its own reason where there is none."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivigil.answers.answer import Answer, Audience
from ivigil.answers.ask import Asking, answer
from ivigil.basis.quantity import Quantity
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.read import read_record
from ivigil.patient.record import Condition, Measurement, Record
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for
from ivigil.planning.wording import day_text
from ivigil.rendering.forecast_json import forecast_plain

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 20)
OWN = "examples/pid-with-levels"


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def patient(name: str) -> Record:
    (record,) = read_record(ROOT / f"{name}.yaml", evidence().facts, {product.id: product.codes for product in evidence().products.values()})
    return record


def asked(question: str, record: Record | None, audience: Audience = "clinician") -> Answer:
    return answer(question, evidence(), Asking(audience, "US", DAY, record))


def lines(made: Answer) -> list[str]:
    return [sentence.text for sentence in made.sentences if sentence.kind == "forecast"]


def forecast(record: Record, **regimen: str) -> dict[str, Any]:
    """What ``ivigil forecast --format json`` prints."""
    plain: dict[str, Any] = json.loads(msgspec.json.encode(forecast_plain(forecast_for(record, Asked(**regimen), Wanted(), evidence(), DAY), "")))  # type: ignore[arg-type]
    return plain


def on(days: float) -> str:
    return day_text(DAY + timedelta(days=int(days)))


@pytest.mark.parametrize(("question", "regimen"), [
    ("What will the trough be?", {}),
    ("What will the next trough be on 0.6 g/kg every 3 weeks?", {"dose": "0.6 g/kg", "every": "3 week"}),
    ("Predict the trough on 40 g every 4 weeks.", {"dose": "40 g", "every": "4 week"}),
])
def test_the_trough_is_that_of_the_forecast(question: str, regimen: dict[str, str]) -> None:
    """The level before the next dose, its range, the steady state, and what the first model rests on."""
    record = patient(OWN)
    plain, made = forecast(record, **regimen), asked(question, record)
    first, coming = plain["models"][0], plain["regimen"]
    at = int(coming["start"] + coming["every"])
    place = plain["days"].index(float(at))
    low, _, high = (row[place] for row in plain["bands"]["together"])
    said = lines(made)[0]
    lead = next(one for one in made.short if one.kind == "forecast")
    assert lead.text == said
    assert f"{on(at)}: {first['summary']['next_trough']:.1f} g/L (9 in 10: {low:.1f} to {high:.1f})" in said
    assert f"steady state {first['summary']['trough']:.1f} to {first['summary']['peak']:.1f} g/L" in said
    assert first["name"] in said
    assert any(name.startswith(f"pk.{first['model']}.") for name in lead.statements)
    assert lead.sources


@pytest.mark.parametrize("level", [5.0, 7.0, 9.0, 20.0, 0.5])
def test_when_it_falls_below_a_level_is_read_off_the_curve(level: float) -> None:
    """The first day after today on which the curve of the first model is below it after having been above: within a day of the daily curve of the JSON."""
    record = patient(OWN)
    plain = forecast(record)
    total = [(day, value) for day, value in zip(plain["days"], plain["models"][0]["total"], strict=True) if day >= 0]
    falls = next((day for (_, before), (day, value) in pairwise(total) if value < level <= before), None)
    said = next(text for text in lines(asked(f"When does the IgG fall below {level:g} g/L?", record)) if "below" in text)
    if falls is None:
        assert "does not fall below" in said or "stays below" in said
    else:
        dates = [datetime.strptime(found, "%d %b %Y").date() for found in re.findall(r"falls below [^;]*? on (\d+ \w{3} \d{4})", said)]
        assert abs((dates[0] - DAY).days - falls) <= 1
    assert ("is below" in said.split(";")[0]) == (total[0][1] < level)


def test_units_of_the_question_are_those_of_the_asker() -> None:
    """500 mg/dL is 5 g/L."""
    record = patient(OWN)
    one, other = (next(text for text in lines(asked(f"When will it fall below {level}?", record)) if "below" in text) for level in ("5 g/L", "500 mg/dL"))
    assert one == other


def test_the_half_life_and_the_next_level_are_those_of_the_forecast() -> None:
    """With the definition of the half-life, and the days that are nearly as good."""
    record = patient(OWN)
    plain = forecast(record)
    summary = plain["models"][0]["summary"]
    half = lines(asked("What is the half-life of this patient?", record))[0]
    assert f"{summary['half_life']:.0f} days" in half
    assert summary["half_life_means"] in half
    next_level = lines(asked("When should the next level be drawn?", record))[0]
    for key in ("day", "first", "last"):
        assert on(plain["next_level"][key]) in next_level


def test_without_a_dose_on_record_it_is_the_planned_one() -> None:
    """30 g every four weeks from today, as the plan says; and that it is the plan's is said."""
    record = patient("patients/pid-adult-us")
    plain = forecast(record, dose="30 g", every="4 week", route="intravenous", start="2026-11-20")
    said = lines(asked("What will the trough be?", record))
    assert f"{plain['models'][0]['summary']['next_trough']:.1f} g/L" in said[0]
    assert any("those of the plan" in text for text in said)


@pytest.mark.parametrize("question", ["What will my trough be?", "When will my IgG fall below 7 g/L?", "What is my half life?", "When is my next level?",
                                      "What will my trough be on 1 g/kg every 2 weeks?"])
def test_a_patient_hears_plain_words_and_no_dose(question: str) -> None:
    """A forecast of what is planned with its doubt; no gram, no interval, no dose of the question."""
    made = asked(question, patient(OWN), "patient")
    said = " ".join(sentence.text for sentence in (*made.short, *(one for part in made.sections if part.id == "forecast" for one in part.sentences)))
    assert not re.search(r"\d\s*g(/kg)?\b(?!/L)", said)
    assert "0.6" not in said
    assert "42 g" not in said
    if made.reason != "individual-dose-for-patient":
        assert "This is a forecast. Only a blood test shows your real level." in " ".join(sentence.text for sentence in made.sentences)


def test_what_cannot_be_forecast_says_why() -> None:
    """A state that loses IgG, and no model: the reason is the forecast's, with its sources; a patient is sent to the team."""
    losing = msgspec.structs.replace(patient("patients/pid-adult-us"), results=(), conditions=(Condition(name="Nephrotic syndrome", codes=()),))
    said = asked("What will the trough be?", losing).short[0]
    assert said.text.startswith("IgG is not forecast without levels.")
    assert "pk.state.nephrotic" in said.statements
    child = asked("What will the IgG be?", patient("patients/itp-child-uk"))
    assert "no published model speaks" in " ".join(lines(child))
    assert "would not be sure enough" in asked("What will my IgG be?", patient("patients/itp-child-uk"), "patient").short[0].text


def test_bad_options_of_the_question_are_the_forecasts_own_words() -> None:
    """40 g/kg is no believable course; no number of it is forecast."""
    said = " ".join(sentence.text for sentence in asked("What will the trough be on 40 g/kg every 4 weeks?", patient(OWN)).sentences)
    assert "just before the dose of" not in said


@pytest.mark.parametrize("question", ["What will the trough be?", "What is the half-life of IgG?", "When does it fall below 5 g/L?"])
def test_without_a_record_nothing_is_forecast(question: str) -> None:
    """The words alone change nothing: the answer is general or refused, as before."""
    assert lines(asked(question, None)) == []


@pytest.mark.parametrize("question", ["What is the dose?", "Which vaccines may be given?", "Which trough is aimed for?", "Can it cause headache?"])
def test_nobody_gets_a_forecast_who_did_not_ask(question: str) -> None:
    """It takes longer than the rest, and a number nobody asked for is read as advice."""
    assert lines(asked(question, patient(OWN))) == []


def test_an_emergency_still_comes_first() -> None:
    """Whatever else is asked."""
    made = asked("What will my trough be? I have chest pain and cannot breathe during my infusion right now.", patient(OWN), "patient")
    assert made.outcome == "emergency"
    assert lines(made) == []


@settings(max_examples=15, deadline=None)
@given(kilograms=st.floats(45, 120).map(lambda value: round(value, 1)))
def test_for_every_weight_the_lines_are_the_forecasts(kilograms: float) -> None:
    """The same trough as ``ivigil forecast``, and the same bytes twice."""
    record = msgspec.structs.replace(patient(OWN), weights=(Measurement(value=Quantity(kilograms, "kg"), on=DAY),))
    question = "What will the trough be on 0.5 g/kg every 4 weeks?"
    made = asked(question, record)
    assert f"{forecast(record, dose='0.5 g/kg', every='4 week')['models'][0]['summary']['next_trough']:.1f} g/L" in lines(made)[0]
    assert msgspec.json.encode(made) == msgspec.json.encode(asked(question, record))
