"""Calendar arithmetic, against dates worked out by hand."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivigil.basis.dates import add, add_months, years_between
from ivigil.basis.quantity import Quantity, UnitProblem


@pytest.mark.parametrize(("start", "months", "end"), [
    (date(2026, 3, 31), 8, date(2026, 12, 1)),     # no 31 November: the first of the next month (CDSi CALCDT-5)
    (date(2026, 3, 31), 11, date(2027, 3, 1)),     # no 31 February
    (date(2025, 11, 20), 11, date(2026, 10, 20)),
    (date(2024, 2, 29), 12, date(2025, 3, 1)),
    (date(2026, 12, 15), 1, date(2027, 1, 15)),
])
def test_months_keep_the_day_number(start: date, months: int, end: date) -> None:
    """The same day number some months later, or the first of the month after."""
    assert add_months(start, months) == end


def test_intervals_of_weeks_and_years() -> None:
    """Weeks are seven days, years twelve months."""
    assert add(date(2026, 11, 21), Quantity(3, "week")) == date(2026, 12, 12)
    assert add(date(2026, 11, 21), Quantity(1, "year")) == date(2027, 11, 21)
    with pytest.raises(UnitProblem):
        add(date(2026, 11, 21), Quantity(3, "h"))


def test_sixty_five_until_the_birthday() -> None:
    """The day before the 66th birthday is past 65 years, the 65th birthday itself is exactly 65."""
    assert years_between(date(1961, 11, 21), date(2026, 11, 21)) == 65.0
    assert 65.99 < years_between(date(1960, 11, 22), date(2026, 11, 21)) < 66.0


@given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.integers(0, 40000))
def test_age_grows_with_time(born: date, days: int) -> None:
    """A later day never makes anyone younger."""
    first = date.fromordinal(born.toordinal() + days)
    later = date.fromordinal(born.toordinal() + days + 1)
    assert years_between(born, first) < years_between(born, later)
