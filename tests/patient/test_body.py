"""Body formulas against their published values, and the choice among measurements."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.facts import FactDefinition
from ivigil.basis.quantity import Quantity, Span
from ivigil.patient.body import age_on, bedside_schwartz, body_mass_index, ckd_epi_2021, latest
from ivigil.patient.record import Measurement, Record

WEIGHT = FactDefinition(id="weight", kind="quantity", label="Weight", unit="kg", plausible=Span(0.3, 400, "kg"))
AS_OF = date(2026, 11, 20)


def test_body_mass_index_in_pounds_and_inches() -> None:
    """US clinics write pounds and inches; the index must not depend on that."""
    assert body_mass_index(Quantity(154, "lb"), Quantity(66, "in")).value == pytest.approx(24.86, abs=0.01)


@pytest.mark.parametrize(("creatinine", "age", "female", "expected"), [
    (0.9, 55, True, 75.5), (1.0, 50, False, 91.7), (3.0, 70, False, 21.7), (0.6, 30, True, 123.8),
])
def test_ckd_epi_2021(creatinine: float, age: float, female: bool, expected: float) -> None:
    """Values worked by hand from the printed equation; the first is the worked example of a published explanation (about 76)."""
    assert ckd_epi_2021(creatinine, age, female=female).value == pytest.approx(expected, rel=0.01)


def test_ckd_epi_refuses_children_and_nought() -> None:
    """The equation was made for adults; nought would divide."""
    with pytest.raises(ValueError, match="adults"):
        ckd_epi_2021(0.5, 12, female=True)
    with pytest.raises(ValueError, match="above nought"):
        ckd_epi_2021(0, 40, female=True)


@given(st.floats(0.2, 15), st.floats(18, 100), st.booleans())
def test_more_creatinine_never_means_more_filtration(creatinine: float, age: float, female: bool) -> None:
    """A wrong sign in an exponent would show here, on both sides of the bend."""
    assert ckd_epi_2021(creatinine * 1.1, age, female=female).value < ckd_epi_2021(creatinine, age, female=female).value


def test_latest_believable_by_date_and_last_written_of_a_day() -> None:
    """Records hold several weights a day, slips and later dates; the choice must be the same each time."""
    items = (Measurement(value=Quantity(70, "kg"), on=date(2026, 11, 1)), Measurement(value=Quantity(71, "kg"), on=date(2026, 11, 1)),
             Measurement(value=Quantity(7000, "kg"), on=date(2026, 11, 10)), Measurement(value=Quantity(90, "kg"), on=date(2026, 12, 1)))
    chosen = latest(items, WEIGHT, AS_OF)
    assert chosen.measurement == items[1]
    assert chosen.implausible == (items[2],)


def test_a_value_must_fit_the_age_at_which_it_was_measured() -> None:
    """A child weight of an adult is old, not wrong; the same weight measured now is a slip."""
    record = Record(id="x", born=date(1980, 1, 1))
    as_child = Measurement(value=Quantity(12, "kg"), on=date(1982, 1, 2))
    as_adult = Measurement(value=Quantity(12, "kg"), on=date(2026, 1, 1))
    assert latest((as_child,), WEIGHT, AS_OF, record).measurement == as_child
    assert latest((as_child, as_adult), WEIGHT, AS_OF, record).implausible == (as_adult,)


def test_age_from_birth_or_as_written() -> None:
    """Infants come with an age in months, and a birth ahead is no age."""
    assert age_on(Record(id="x", born=date(2000, 11, 21)), AS_OF) is not None
    age = age_on(Record(id="x", age=Quantity(18, "month")), AS_OF)
    assert age is not None
    assert age.value == pytest.approx(1.5)
    assert age_on(Record(id="x", born=date(2027, 1, 1)), AS_OF) is None
    assert age_on(Record(id="x"), AS_OF) is None


@pytest.mark.parametrize(("creatinine", "height", "expected"), [(0.4, 100, 103.25), (0.5, 100, 82.6), (0.3, 77.47, 106.65)])
def test_bedside_schwartz(creatinine: float, height: float, expected: float) -> None:
    """0.413 x height / creatinine: 100 cm and 0.4 mg/dL give 103, 0.5 mg/dL gives 82.6 (published worked examples)."""
    assert bedside_schwartz(creatinine, height, 5).value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("creatinine", "age"), [(0.4, 0.5), (0.4, 18), (0, 5)])
def test_bedside_schwartz_refuses_infants_adults_and_nought(creatinine: float, age: float) -> None:
    """The equation was made for children from 1 to 18 years."""
    with pytest.raises(ValueError, match=r"creatinine|children"):
        bedside_schwartz(creatinine, 100, age)
