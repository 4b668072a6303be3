"""Grams, vials, waste and money of a course, from the site's own price list only."""

from __future__ import annotations

import re
from datetime import date

import pytest
from tests.planning.course_sample import context, draft, known, line, lines, planned, product, regimen, with_regimens

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.shapes import RegimenDose
from ivigil.planning.draft import Draft, PriceItem


def _plan(dose: RegimenDose, *prices: PriceItem, sizes: tuple[str, ...] = ("5 g",)) -> Draft:
    facts = known(weight="70 kg", height="175 cm", sex="male", age="50 year")
    return planned(draft(with_regimens(regimen(dose)), facts, product=product(*sizes)), context("US", prices=prices))


SEVEN = RegimenDose(course_total=Span(7, 7, "g"), over_days=Span(1, 1))


def test_no_price_list_no_number() -> None:
    """Without a price list the line says so and holds no amount of money."""
    text = line(_plan(SEVEN), "cost.price").text
    assert "No price list" in text
    assert not re.search(r"\d", text)


def test_price_per_gram_counts_what_the_vials_hold() -> None:
    """7 g from two 5 g vials at 100 a gram cost 1000, of which 300 are wasted."""
    text = line(_plan(SEVEN, PriceItem(product="sample-us", currency="USD", per_gram=100.0)), "cost.price").text
    assert "USD 1,000.00" in text
    assert "USD 300.00 for 3 g wasted" in text


def test_price_per_vial_goes_before_price_per_gram() -> None:
    """Two 5 g vials at 450 cost 900 whatever the price of a gram; the table shows it."""
    prices = (PriceItem(product="Sample", currency="USD", size=Quantity(5, "g"), per_vial=450.0), PriceItem(product="sample-us", currency="USD", per_gram=1.0))
    table = line(_plan(SEVEN, *prices), "cost.price").table
    assert table is not None
    assert table.rows == (("5 g", 2.0, 450.0, 900.0),)


def test_a_price_of_another_product_or_an_unpriced_vial_gives_no_cost() -> None:
    """Prices of another brand or of another vial size are not borrowed."""
    other = PriceItem(product="other-us", currency="USD", per_gram=100.0)
    tens = PriceItem(product="sample-us", currency="USD", size=Quantity(10, "g"), per_vial=450.0)
    for price in (other, tens, PriceItem(product="sample-us", currency="USD", per_gram=float("nan"))):
        assert "No price for Sample" in line(_plan(SEVEN, price), "cost.price").text


def test_the_currency_of_the_jurisdiction_comes_first() -> None:
    """With a price in euros and one in dollars, a US plan counts dollars."""
    plan = _plan(SEVEN, PriceItem(product="sample-us", currency="EUR", per_gram=1.0), PriceItem(product="sample-us", currency="USD", per_gram=2.0))
    assert "USD 20.00" in line(plan, "cost.price").text


def test_a_repeated_dose_takes_grams_a_month_and_a_year() -> None:
    """28 g every 4 weeks: 28 x 30.4375 / 28 = 30 g a month, 28 x 365.25 / 28 = 365 g a year."""
    plan = _plan(RegimenDose(per_interval=Span(0.4, 0.4, "g/kg"), every=Span(4, 4, "week")), sizes=("1 g", "5 g"))
    repeated = line(plan, "cost.repeat")
    assert "30 g a month, 365 g a year" in repeated.text
    assert repeated.value is not None
    assert repeated.value.value == pytest.approx(365.25)


def test_a_range_of_intervals_gives_a_range_of_grams() -> None:
    """28 g every 3-4 weeks is 365 to 487 g a year (28 x 365.25 / 21 = 487)."""
    plan = _plan(RegimenDose(per_interval=Span(0.4, 0.4, "g/kg"), every=Span(3, 4, "week")), sizes=("1 g", "5 g"))
    assert "365-487 g a year" in line(plan, "cost.repeat").text


def test_a_single_course_is_not_projected() -> None:
    """A course that is not repeated has no yearly use."""
    plan = _plan(SEVEN)
    assert "cost.repeat" not in lines(plan)
    assert line(plan, "cost.use").value == Quantity(7.0, "g")
    assert line(plan, "course.days").when == date(2026, 11, 23)
