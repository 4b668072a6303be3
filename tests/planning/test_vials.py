"""Vials: least waste and then fewest vials, proved against trying everything; stock with lots and expiry; never two brands."""

from __future__ import annotations

from datetime import date
from itertools import product as every

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.planning.course_sample import context, draft, known, line, lines, planned, product, regimen, with_regimens

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.shapes import RegimenDose
from ivigil.planning.draft import Draft, StockItem
from ivigil.planning.vials import best_vials, fewest_vials, from_stock, nearest_makeable

SIZES = st.lists(st.sampled_from([500, 1000, 1650, 2000, 2500, 3300, 5000, 6000, 10000, 12000, 20000]), min_size=1, max_size=3, unique=True)


def _all_covers(sizes: tuple[int, ...], need: int, most: tuple[int, ...] | None = None) -> list[tuple[int, int, tuple[int, ...]]]:
    """Waste, number and counts of every cover, by trying all of them."""
    ranges = [range(min(-(-need // size), most[index] if most else need) + 1) for index, size in enumerate(sizes)]
    totals = ((sum(size * count for size, count in zip(sizes, counts, strict=True)), counts) for counts in every(*ranges))
    return [(total - need, sum(counts), counts) for total, counts in totals if total >= need]


@settings(max_examples=150, deadline=None)
@given(sizes=SIZES, need=st.integers(1, 24000))
def test_no_other_combination_is_better(sizes: list[int], need: int) -> None:
    """Trying every combination finds none with less waste, nor one with the same waste and fewer vials."""
    ordered = tuple(sorted(sizes, reverse=True))
    counts = best_vials(ordered, need)
    total = sum(size * count for size, count in zip(ordered, counts, strict=True))
    waste, number, _ = min(_all_covers(ordered, need))
    assert (total - need, sum(counts)) == (waste, number)
    assert (fewest_vials(ordered, need) is not None) == (waste == 0)


@settings(max_examples=150, deadline=None)
@given(sizes=SIZES, amount=st.integers(1, 15000), share=st.integers(0, 30))
@example(sizes=[500, 1650], amount=10200, share=1)
def test_the_nearest_makeable_amount_is_the_nearest(sizes: list[int], amount: int, share: int) -> None:
    """Of all amounts of whole vials inside the tolerance, the nearest is found, or none when there is none."""
    ordered = tuple(sorted(sizes, reverse=True))
    low, high = amount - amount * share // 100, amount + amount * share // 100
    inside = [one for one in range(low, high + 1) if one > 0 and fewest_vials(ordered, one) is not None]
    expected = min(inside, key=lambda one: (abs(one - amount), one)) if inside else None
    assert nearest_makeable(ordered, amount, low, high) == expected


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.sampled_from([1, 2, 3, 5, 6, 10]), min_size=1, max_size=3, unique=True),
       have=st.lists(st.integers(0, 3), min_size=3, max_size=3), expired=st.lists(st.integers(0, 3), min_size=3, max_size=3),
       needs=st.lists(st.integers(1, 12), min_size=1, max_size=2))
def test_limited_stock_is_shared_out_best(sizes: list[int], have: list[int], expired: list[int], needs: list[int]) -> None:
    """Over all ways to share limited stock over the days, none wastes less in all, nor uses fewer vials at that waste."""
    ordered = tuple(sorted(sizes, reverse=True))
    first = tuple(have[: len(ordered)])
    pools = [first, tuple(max(0, count - gone) for count, gone in zip(first, expired, strict=False))][: len(needs)]
    found = from_stock(ordered, pools, needs)
    options = [_all_covers(ordered, need, pool) for need, pool in zip(needs, pools, strict=True)]
    costs = [(sum(one[0] for one in choice), sum(one[1] for one in choice)) for choice in every(*options)
             if all(sum(one[2][index] for one in choice) <= first[index] for index in range(len(ordered)))]
    if found is None:
        assert not costs
    else:
        spent = [sum(size * count for size, count in zip(ordered, counts, strict=True)) - need for counts, need in zip(found, needs, strict=True)]
        assert (sum(spent), sum(map(sum, found))) == min(costs)


def test_published_least_waste_example() -> None:
    """The US billing rule: 1500 mg from 1 g and 2.5 g vials is two of 1 g (0.5 g wasted), not one of 2.5 g (1 g wasted)."""
    assert best_vials((2500, 1000), 1500) == (0, 2)


def test_days_compete_for_the_same_vials() -> None:
    """30 g and 20 g from 1 x 20, 1 x 10 and 2 x 15 g: the first day must leave the 20 g vial, or the second wastes 10 g."""
    assert from_stock((20, 15, 10), [(1, 2, 1), (1, 2, 1)], [30, 20]) == ((0, 2, 0), (1, 0, 0))


def test_sizes_are_needed() -> None:
    """Without a size above nought there is nothing to choose from."""
    with pytest.raises(ValueError, match="vial sizes"):
        best_vials((), 1000)
    with pytest.raises(ValueError, match="vial sizes"):
        best_vials((0,), 1000)


def _course(*sizes: str, days: int = 1, grams: str = "70 g", **more: object) -> Draft:
    amount = Quantity(float(grams.split()[0]), "g")
    dose = RegimenDose(course_total=Span(amount.value, amount.value, "g"), over_days=Span(days, days))
    start = draft(with_regimens(regimen(dose)), known(weight="70 kg", height="175 cm", sex="male", age="50 year"), product=product(*sizes))
    return planned(start, context("US", **more))


def _stock(size: str, count: int, lot: str = "", expires: date | None = None, name: str = "sample-us") -> StockItem:
    return StockItem(product=name, size=Quantity(float(size.split()[0]), "g"), count=count, lot=lot, expires=expires)


def test_vials_from_the_market() -> None:
    """70 g from 5, 10, 20 and 40 g vials: 40 + 20 + 10, nothing wasted."""
    plan = _course("5 g", "10 g", "20 g", "40 g")
    assert plan.days[0].vials == ((40.0, 1), (20.0, 1), (10.0, 1))
    assert plan.days[0].waste == 0
    assert line(plan, "vials.choice").because.follows == ("course.days",)


def test_waste_is_shown_in_grams() -> None:
    """An exact 7 g from 5 g vials takes two and wastes 3 g."""
    plan = _course("5 g", grams="7 g")
    assert plan.days[0].vials == ((5.0, 2),)
    assert plan.days[0].waste == pytest.approx(3.0)
    assert line(plan, "vials.choice").value == Quantity(3.0, "g")


def test_the_lot_that_expires_first_goes_first_and_expired_ones_never() -> None:
    """Starting on 23 November: a lot of 22 November is left, one of the 23rd may still be used that day, then the nearest date."""
    plan = _course("10 g", days=2, grams="40 g", stock=(
        _stock("10 g", 9, "old", date(2026, 11, 22)), _stock("10 g", 1, "today", date(2026, 11, 23)),
        _stock("10 g", 9, "late", date(2027, 12, 1)), _stock("10 g", 2, "soon", date(2027, 1, 1))))
    table = line(plan, "vials.lots").table
    assert table is not None
    assert [(row[0], row[3], row[2]) for row in table.rows] == [(1, "today", 1), (1, "soon", 1), (2, "soon", 1), (2, "late", 1)]
    assert "old" in line(plan, "vials.expired").text


def test_stock_that_does_not_cover_says_what_is_missing() -> None:
    """Two days of 40 g from 60 g in stock: day 1 is covered, day 2 lacks 20 g; another brand in stock is not touched."""
    plan = _course("20 g", days=2, grams="80 g", stock=(_stock("20 g", 3, "A", date(2027, 1, 1)), _stock("20 g", 9, "B", date(2027, 1, 1), "other-us")))
    assert plan.days[0].vials == ((20.0, 2),)
    assert plan.days[1].vials == ()
    short = line(plan, "vials.short")
    assert short.urgency == "critical"
    assert short.value == Quantity(20.0, "g")
    assert "day 2" in short.text
    assert "1 x 20 g" in short.text


def test_unread_vial_sizes_are_asked_for() -> None:
    """A product whose vial sizes were not read gets a line, not a guess."""
    plan = _course(grams="70 g")
    assert "vials.unknown" in lines(plan)
    assert plan.days[0].vials == ()
