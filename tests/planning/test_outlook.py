"""The outlook section: only where asked, the same numbers as the forecast, every line cited."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import msgspec
import pytest

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.read import read_record
from ivigil.patient.record import Condition, Order, Record
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 11, 20)
CONTEXT = Context("US", DAY, datetime(2026, 11, 23, 9), outlook=True)


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


def patient(name: str) -> Record:
    (record,) = read_record(ROOT / f"{name}.yaml", evidence().facts, {product.id: product.codes for product in evidence().products.values()})
    return record


def planned(record: Record, **more: object) -> Plan:
    return plan(record, evidence(), msgspec.structs.replace(CONTEXT, **more))


def outlook(made: Plan) -> dict[str, str]:
    return {line.id: line.text for line in made.lines if line.section == "outlook"}


def test_it_is_there_only_when_asked_and_changes_nothing_else() -> None:
    """The other lines of the plan are the same with and without it."""
    record = patient("patients/pid-adult-us")
    with_it, without = planned(record), planned(record, outlook=False)
    assert outlook(without) == {}
    assert set(outlook(with_it)) >= {"outlook.igg", "outlook.models"}
    assert [line for line in with_it.lines if line.section != "outlook"] == list(without.lines)
    assert with_it.questions == without.questions


def test_it_says_what_the_forecast_of_the_planned_dose_says() -> None:
    """30 g (the rounded dose of the plan) every four weeks from the day of the first infusion, by the other way to a forecast."""
    record = patient("patients/pid-adult-us")
    line = planned(record).line("outlook.igg")
    made = forecast_for(record, Asked(dose="30 g", every="4 week", route="intravenous", start="2026-11-23"), Wanted(), evidence(), DAY).forecast
    assert line is not None
    assert line.value is not None
    assert line.value.value == pytest.approx(made.curves[0].summary.next_trough, abs=0.05)
    assert f"steady state {made.curves[0].summary.trough:.1f} to" in line.text
    assert "21 Dec 2026" in line.text
    assert "9 in 10" in line.text


def test_every_line_cites_what_its_models_rest_on() -> None:
    """Parameters, baseline and residual error of the first model; all are among the references."""
    made = planned(patient("patients/pid-adult-us"))
    line = made.line("outlook.igg")
    assert line is not None
    assert {"pk.navarro-mora-2022.CL", "pk.navarro-mora-2022.Vc", "pk.navarro-mora-2022.residual"} <= set(line.because.cites)
    assert all(line.because.cites for line in made.lines if line.section == "outlook")
    known = {statement for reference in made.references for statement in reference.statements}
    assert set(line.because.cites) <= known


def test_levels_make_it_this_patients_own() -> None:
    """The fit is said, and the table holds the fitted models only."""
    found = outlook(planned(patient("examples/pid-with-levels")))
    assert "fitted to the levels" in found["outlook.igg"]
    assert any("Fitted to 4 measured levels" in text for text in found.values())


def test_a_losing_state_is_not_forecast_without_levels() -> None:
    """A warning, and no number."""
    record = patient("patients/pid-adult-us")
    nephrotic = Condition(name="Nephrotic syndrome", codes=())
    made = planned(msgspec.structs.replace(record, conditions=(*record.conditions, nephrotic)))
    line = made.line("outlook.state.nephrotic")
    assert line is not None
    assert line.urgency == "warning"
    assert "outlook.igg" not in outlook(made)


def test_a_single_course_has_a_highest_level_and_a_rise() -> None:
    """Guillain-Barré syndrome borrows the model of CIDP and says so."""
    text = outlook(planned(patient("patients/gbs-underweight-us")))["outlook.igg"]
    assert "highest" in text
    assert "two weeks after" in text
    assert "borrowed" in text


def test_nothing_is_said_without_an_indication() -> None:
    """No dose is planned, so there is nothing to forecast."""
    assert outlook(planned(msgspec.structs.replace(patient("patients/pid-adult-us"), order=Order(), conditions=()))) == {}


def test_every_example_plans_with_it() -> None:
    """No example record breaks the step, and no outlook line is without a statement."""
    for path in sorted((ROOT / "patients").glob("*.yaml")):
        made = planned(patient(f"patients/{path.stem}"))
        assert all(line.because.cites for line in made.lines if line.section == "outlook"), path.stem
