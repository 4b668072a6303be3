"""Every row of every interval table gives the date that its example works out by hand, and the reverse rules judge both sides of their limits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.care_sample import evidence

from ivigil.basis.dates import add
from ivigil.basis.quantity import parse_span
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.files import packaged_folder
from ivigil.evidence.library import Evidence
from ivigil.planning.antibody_interval import Antibody, Deferral, Given, judged, wait_of

LABEL_ONLY = {"label.varivax", "label.qdenga", "label.imojev"}
"""Cases of a vaccine label: the national table decides, or the vaccine has no table at all."""
SHORTER_ROW = {"au-2013.measles-ig-standard"}
"""Two rows of one product differ by dose, which a record of millilitres does not settle: the longer one decides."""


def deferrals(evidence: Evidence, places: tuple[str, ...], antigens: Iterable[str], doses: Iterable[Antibody]) -> list[Deferral]:
    """The deferrals of one vaccine, worked out afresh."""
    return list(Given(evidence, doses).deferrals(places, tuple(antigens)))


def _cases(*keys: str) -> list[Any]:
    found = []
    for path in sorted((packaged_folder() / "cases" / "vaccination").glob("*.yaml")):
        document, _ = read_yaml(path.read_text(encoding="utf-8"), path.name)
        found += [pytest.param(case, id=case["name"]) for case in document if all(key in case for key in keys)]
    return found


def _antibody(case: dict[str, Any]) -> Antibody:
    span = parse_span(case["dose"]) if case["product"] in {"igiv", "igsc"} and "dose" in case else None
    factor = 1e-3 if span is not None and span.unit == "mg/kg" else 1
    return Antibody(date.fromisoformat(case["last"]), case["product"], span.high * factor if span is not None else None, case.get("for", ""))


@pytest.mark.parametrize("case", _cases("last", "vaccine"))
def test_the_date_of_a_row(case: dict[str, Any]) -> None:
    """The entry named gives the date, and so does the lookup for that place unless another entry must win there."""
    antibody, vaccine = _antibody(case), evidence().vaccines[case["vaccine"]]
    found = deferrals(evidence(), evidence().places(case["jurisdiction"]), vaccine.antigens, [antibody])
    if case["expect"] in {"no-wait", "not-in-evidence"}:
        assert vaccine.antibody_interval == ("no" if case["expect"] == "no-wait" else "unknown")
        assert not found
        return
    interval = evidence().antibody_intervals[case["rule"]]
    wait = wait_of(interval, antibody)
    assert wait is not None
    if case["expect"] == "asks":
        waits = [row.wait for row in interval.rows] + ([interval.above.wait] if interval.above else [])
        assert antibody.dose is None
        assert wait.canonical == max(one.canonical for one in waits)
        assert found[0].wait == wait
        return
    expected = date.fromisoformat(case["expect"])
    assert add(antibody.on, wait) == expected
    if "better" in case:
        assert interval.better is not None
        assert add(antibody.on, interval.better) == date.fromisoformat(case["better"])
    for name, other in case.get("also", {}).items():
        assert interval.also_show == name
        beside = wait_of(evidence().antibody_intervals[name], antibody)
        assert beside is not None
        assert add(antibody.on, beside) == date.fromisoformat(other)
    if "vaccine_product" in case:
        assert interval.vaccine_product == case["vaccine_product"]
    if vaccine.antibody_interval == "own":
        assert vaccine.interval_entry == case["rule"]
    elif case["rule"] in LABEL_ONLY | SHORTER_ROW:
        assert found[0].until > expected
    else:
        assert found[0].until == expected


@pytest.mark.parametrize("case", _cases("given", "ig"))
def test_the_reverse_rule(case: dict[str, Any]) -> None:
    """A live vaccine followed by immunoglobulin counts or not, on both sides of the limit of its place."""
    rule, vaccine = evidence().vaccine_rules[case["rule"]], evidence().vaccines[case["vaccine"]]
    about = bool(set(rule.vaccines) & set(vaccine.antigens))
    verdict = judged(rule, date.fromisoformat(case["given"]), date.fromisoformat(case["ig"])) if about else "valid"
    assert verdict == case["expect"]


def test_every_interval_in_force_has_a_dated_example() -> None:
    """No row can change without a date that shows it."""
    shown = {param.values[0]["rule"] for param in _cases("last", "vaccine")}
    needed = {interval.id for interval in evidence().antibody_intervals.values() if not (interval.note_only or interval.superseded_by or interval.while_)}
    assert needed <= shown


def test_immunoglobulin_before_the_vaccine_is_not_a_reverse_matter() -> None:
    """The reverse rule speaks only of immunoglobulin that follows; on the same day it counts as following."""
    rule = evidence().vaccine_rules["reverse.us"]
    assert judged(rule, date(2026, 3, 2), date(2026, 3, 1)) == "valid"
    assert judged(rule, date(2026, 3, 2), date(2026, 3, 2)) == "repeat"


def test_the_latest_date_comes_first_whatever_the_order() -> None:
    """2 g/kg in March ends later than 0.4 g/kg in May: 3 March + 11 months = 3 February, 3 May + 8 months = 3 January."""
    high, low = Antibody(date(2026, 3, 3), "igiv", 2.0), Antibody(date(2026, 5, 3), "igiv", 0.4)
    for both in ([high, low], [low, high]):
        assert [found.until for found in deferrals(evidence(), ("US",), ["measles"], both)] == [date(2027, 2, 3), date(2027, 1, 3)]


def test_a_superseded_edition_never_decides() -> None:
    """The current Australian page waits 6 months after packed red cells, the edition of 2013 waited 5."""
    (found,) = deferrals(evidence(), ("AU",), ["measles"], [Antibody(date(2026, 1, 10), "rbc-packed", None)])
    assert found.interval.id == "au.rbc-packed"


def test_canada_takes_the_table_it_follows_for_other_products() -> None:
    """The Canadian table was not read and follows the United States one: 6 months after packed red cells."""
    found = deferrals(evidence(), evidence().places("CA-ON"), ["measles"], [Antibody(date(2026, 1, 10), "rbc-packed", None)])
    assert [(one.until, one.interval.jurisdiction) for one in found] == [(date(2026, 7, 10), "US")]


def test_where_no_table_speaks_the_vaccine_label_does() -> None:
    """Red cells in Europe: the M-M-RVAXPRO label asks for 3 months after any blood product, the Varivax label for 5."""
    cells = [Antibody(date(2026, 1, 10), "rbc-packed", None)]
    assert deferrals(evidence(), ("EU",), ["measles"], cells)[0].until == date(2026, 4, 10)
    assert deferrals(evidence(), ("EU",), ["varicella"], cells)[0].until == date(2026, 6, 10)


def test_a_product_that_no_table_names_gives_no_date() -> None:
    """An unnamed antibody product is not treated as immunoglobulin; the step asks about it."""
    assert deferrals(evidence(), ("US",), ["measles"], [Antibody(date(2026, 1, 10), "", None)]) == []


def test_an_unknown_purpose_takes_the_longer_row() -> None:
    """Australia waits 9 months after 400 mg/kg for replacement and 8 otherwise; when it is not known which, 9."""
    bands = evidence().antibody_intervals["au.bands"]
    waits = {purpose: wait_of(bands, Antibody(date(2026, 1, 10), "igiv", 0.4, purpose)) for purpose in ("replacement", "immunomodulation", "")}
    assert {purpose: str(wait) for purpose, wait in waits.items()} == {"replacement": "9 months", "immunomodulation": "8 months", "": "9 months"}


def test_a_dose_worked_out_in_floats_stays_in_its_band() -> None:
    """3 x 0.1 + 0.1 is a hair above 0.4 and still 0.4 g/kg; 0.2 g/kg stays outside a band that ends below it."""
    us, japan = (evidence().antibody_intervals[name] for name in ("us.bands", "jp.bands"))
    assert str(wait_of(us, Antibody(date(2026, 1, 10), "igiv", 0.1 + 0.1 + 0.1 + 0.1 + 1e-16))) == "8 months"
    assert str(wait_of(japan, Antibody(date(2026, 1, 10), "igiv", 0.2 - 1e-16))) == "6 months"


@given(st.sampled_from(["us.bands", "ca.bands", "au.bands", "jp.bands", "jp.measles"]), st.floats(0.01, 6), st.floats(0.01, 6),
       st.sampled_from(["immunomodulation", ""]))
def test_more_immunoglobulin_never_shortens_the_wait(name: str, one: float, other: float, purpose: str) -> None:
    """A larger dose waits as long or longer, and an unknown dose as long as any."""
    interval = evidence().antibody_intervals[name]
    low, high, unknown = (wait_of(interval, Antibody(date(2026, 1, 10), "igiv", dose, purpose)) for dose in (min(one, other), max(one, other), None))
    assert low is not None
    assert high is not None
    assert unknown is not None
    assert low.canonical <= high.canonical <= unknown.canonical


@given(st.integers(1, 7), st.integers(0, 3), st.sampled_from(["US", "AU", "EU", "JP", "CA-ON"]), st.floats(0.05, 4))
def test_dates_shift_with_the_doses(day: int, weeks: int, place: str, dose: float) -> None:
    """Days that every month has: all doses n weeks later, all dates n weeks later."""
    given_before = [Antibody(date(2026, 3, day), "igiv", dose, "immunomodulation"), Antibody(date(2026, 5, day), "igsc", dose / 2, "replacement")]
    shifted = [msgspec.structs.replace(one, on=one.on + timedelta(weeks=weeks)) for one in given_before]
    here, later = (deferrals(evidence(), evidence().places(place), ["measles", "varicella"], each) for each in (given_before, shifted))
    assert [found.until + timedelta(weeks=weeks) for found in here] == [found.until for found in later]
