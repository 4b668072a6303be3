"""What must hold for the plan of any patient (DESIGN section 8)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import date, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.properties.people import AS_OF, QUICK, RENAL, THROMBOSIS, VOLUME, Person, evidence, people, plan_for, with_condition, written

from ivigil.basis.problems import BadInput
from ivigil.patient.form import read_form
from ivigil.planning.draft import Context
from ivigil.planning.line import Line, Plan, Table
from ivigil.planning.plan import plan
from ivigil.rendering.json import plan_json, read_plan

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY = re.compile(r"\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}\b")
_RANK = {"info": 0, "warning": 1, "critical": 2}


def near(first: float, second: float) -> bool:
    """Equal but for the last printed digit."""
    return math.isclose(first, second, rel_tol=1e-3, abs_tol=0.011)


def same_text(first: str, second: str) -> bool:
    """The same words, and numbers that differ by no more than a last digit."""
    return _NUMBER.sub("#", first) == _NUMBER.sub("#", second) and all(
        near(float(one), float(other)) for one, other in zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True))


def same_cells(first: Table | None, second: Table | None) -> bool:
    if first is None or second is None:
        return first is second
    if len(first.rows) != len(second.rows):
        return False
    for one, other in zip(first.rows, second.rows, strict=True):
        for cell, twin in zip(one, other, strict=True):
            if isinstance(cell, float) and isinstance(twin, float):
                if not near(cell, twin):
                    return False
            elif isinstance(cell, str) and isinstance(twin, str):
                if not same_text(cell, twin):
                    return False
            elif cell != twin:
                return False
    return True


def rows_of(line: Line) -> Iterator[dict[str, str | float | None]]:
    """The rows of a line's table by heading and unit."""
    assert line.table is not None
    names = [f"{column.name} {column.unit}".strip() for column in line.table.columns]
    for row in line.table.rows:
        yield dict(zip(names, row, strict=True))


def number(value: str | float | None) -> float:
    assert isinstance(value, float)
    return value


@given(people())
@QUICK
def test_other_units_give_the_same_plan(person: Person) -> None:
    """But for the question whether so heavy a weight in kg was meant in lb: that is about the unit."""
    metric, pounds = plan_for(person), plan_for(person, us_units=True)
    assume(not any(line.id.startswith("safety.confirm.") for made in (metric, pounds) for line in made.lines))
    assert metric.status == pounds.status
    assert [line.id for line in metric.lines] == [line.id for line in pounds.lines]
    for one, other in zip(metric.lines, pounds.lines, strict=True):
        assert (one.urgency, one.act, one.when) == (other.urgency, other.act, other.when), one.id
        assert same_text(one.text, other.text), (one.id, one.text, other.text)
        assert same_cells(one.table, other.table), one.id
    assert [question.fact for question in metric.questions] == [question.fact for question in pounds.questions]


@given(people(indications=("cidp", "gbs", "pid", "mmn"), jurisdictions=("US", "EU")), st.sampled_from((*RENAL, *THROMBOSIS, *VOLUME)))
@QUICK
def test_more_risk_is_never_less_caution(person: Person, condition: str) -> None:
    """Another risk factor never raises a rate cap, shortens a course or takes a warning away."""
    assume(condition not in person.conditions)
    product = {"US": "privigen-us", "EU": "privigen-eu"}[person.jurisdiction]
    before, after = plan_for(person, product=product), plan_for(with_condition(person, condition), product=product)
    found = {line.id: line for line in after.lines}
    for line in before.lines:
        if line.section == "safety" and line.urgency != "info":
            assert line.id in found, f"{condition} removed {line.id}"
            assert _RANK[found[line.id].urgency] >= _RANK[line.urgency], f"{condition} made {line.id} less urgent"
    if before.status == "blocked":
        assert after.status == "blocked"
    caps = [_cap(made) for made in (before, after)]
    if caps[0] is not None and caps[1] is not None:
        assert caps[1] <= caps[0] * (1 + 1e-9), f"{condition} raised the cap from {caps[0]} to {caps[1]} mL/h"
    days = [_days(made) for made in (before, after)]
    if days[0] is not None and days[1] is not None:
        assert days[1] >= days[0], f"{condition} shortened the course"


def _cap(made: Plan) -> float | None:
    """The highest flow of any day in mL/h."""
    flows = [number(row["Pump mL/h"]) for line in made.lines if line.id.startswith("infusion.day-") for row in rows_of(line)]
    return max(flows, default=None)


def _days(made: Plan) -> int | None:
    line = made.line("course.days")
    return len(line.table.rows) if line is not None and line.table is not None else None


@given(people())
@QUICK
def test_rates_stay_below_their_cap_and_volumes_add_up(person: Person) -> None:
    """No step runs above the cap, and the steps of a day give its whole volume."""
    made = plan_for(person)
    limits = made.line("infusion.cap")
    for line in made.lines:
        if not line.id.startswith("infusion.day-") or line.table is None:
            continue
        rows = list(rows_of(line))
        if "Pump mL/h" not in rows[0]:
            continue
        flows = [number(row["Pump mL/h"]) for row in rows]
        assert flows == sorted(flows), f"{line.id}: a step is slower than the one before"
        if limits is not None and limits.table is not None:
            lowest = min(number(row["Pump mL/h"]) for row in rows_of(limits) if row["Pump mL/h"] is not None)
            assert max(flows) <= lowest + 1e-6
        volumes = [row["Volume mL"] for row in rows]
        assert line.value is not None
        if None not in volumes:
            assert math.isclose(sum(number(volume) for volume in volumes), line.value.value, rel_tol=1e-6, abs_tol=1e-3)
        assert math.isclose(number(rows[-1]["Total mL"]), line.value.value, rel_tol=1e-6, abs_tol=1e-3)


@given(people())
@QUICK
def test_days_add_up_to_the_course_and_vials_cover_each_day(person: Person) -> None:
    """The days make the rounded course, and the vials of a day hold its dose."""
    made = plan_for(person)
    days = made.line("course.days")
    if days is not None and days.value is not None:
        assert math.isclose(sum(number(row["Dose g"]) for row in rows_of(days)), days.value.value, rel_tol=1e-9)
    vials = made.line("vials.choice")
    if vials is not None and vials.table is not None:
        for row in rows_of(vials):
            grams = sum(int(count) * float(size) for count, size in re.findall(r"(\d+) x ([\d.]+) g", str(row["Vials"])))
            assert math.isclose(grams - number(row["Dose g"]), number(row["Waste g"]), abs_tol=1e-3)  # vials are reckoned in whole mg
            assert number(row["Waste g"]) >= -1e-9


@given(people(), st.integers(1, 2))
@QUICK
def test_moving_all_dates_by_weeks_moves_the_plan(person: Person, weeks: int) -> None:
    """A record and a day moved by weeks give the same plan moved by weeks."""
    shift = weeks * 7
    first, later = plan_for(person), plan_for(person, shift=shift)
    assert [line.id for line in first.lines] == [line.id for line in later.lines] or _same_but_dates(first, later)
    twins = {_undated(line.id): line for line in later.lines}
    for line in first.lines:
        twin = twins[_undated(line.id)]
        assert line.urgency == twin.urgency, line.id
        assert same_text(_undated(line.text), _undated(twin.text)), (line.id, line.text, twin.text)
        assert (line.when is None) == (twin.when is None)
        if line.when is not None and twin.when is not None:
            # Intervals in calendar months may gain or lose the days by which months differ.
            slack = 3 if line.section in {"vaccination", "monitoring"} else 0
            assert abs((twin.when - line.when).days - shift) <= slack, (line.id, line.when, twin.when)


def _same_but_dates(first: Plan, later: Plan) -> bool:
    return [_undated(line.id) for line in first.lines] == [_undated(line.id) for line in later.lines]


def _undated(text: str) -> str:
    return _DAY.sub("<day>", _ISO.sub("<day>", text))


@given(people())
@QUICK
def test_every_line_has_a_reason_and_every_id_in_it_exists(person: Person) -> None:
    """Each line rests on statements that exist, or on a calculation from lines that do."""
    made = plan_for(person)
    library = evidence()
    ids = [line.id for line in made.lines]
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    sources = {reference.source for reference in made.references}
    for line in made.lines:
        because = line.because
        assert because.cites or (because.calculation and because.follows), line.id
        assert set(because.follows) <= set(ids), (line.id, set(because.follows) - set(ids))
        for cite in (*because.cites, *(cite for other in (*because.instead_of, *because.disputed_by) for cite in other.cites)):
            assert cite in library.statements, (line.id, cite)
            statement = library.statements[cite]
            assert statement.read == "remembered" or (statement.through or statement.source) in sources, (line.id, cite)
    assert sources <= library.sources.keys()
    for question in made.questions:
        assert question.ask.strip()
    for silent in made.not_raised:
        assert silent.rule in library.conditions, silent.rule


@given(people())
@QUICK
def test_a_plan_comes_back_from_its_json(person: Person) -> None:
    """A plan written as JSON and read again is the same plan."""
    text = plan_json(plan_for(person))
    assert plan_json(read_plan(text, "plan.json")) == text


@given(people())
@QUICK
def test_the_same_record_gives_the_same_plan_byte_for_byte(person: Person) -> None:
    """Nothing but record, evidence and context enters a plan."""
    text = json.dumps(written(person))  # JSON is YAML
    context = Context(person.jurisdiction, AS_OF, _at_nine(AS_OF))
    texts = {plan_json(plan(read_form(text, "made.yaml", evidence().facts), evidence(), context)) for _ in range(2)}
    assert len(texts) == 1


def _at_nine(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9)


@pytest.mark.parametrize("jurisdiction", ["US", "UK-ENG", "AU", "CA-ON", "EU"])
def test_the_barest_record_is_planned_everywhere(jurisdiction: str) -> None:
    """Nothing is known but the weight and the indication: the plan asks, and does not fail; without a weight the record is refused."""
    context = Context(jurisdiction, AS_OF, _at_nine(AS_OF), indication="cidp")
    made = plan(read_form("id: bare\nweight: 70 kg\n", "bare.yaml", evidence().facts), evidence(), context)
    assert made.status in {"needs-answers", "no-evidence"}
    assert len(made.questions) > 10
    with pytest.raises(BadInput, match="weight: missing"):
        plan(read_form("id: bare\n", "bare.yaml", evidence().facts), evidence(), context)
