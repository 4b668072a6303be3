"""Subcutaneous and facilitated infusions: weekly dose, sites, rates and ramp-up."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import pytest

from ivigil.basis.facts import Fact, Facts, Origin
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import (
    Indication,
    Names,
    Product,
    RampUp,
    RampUpStep,
    Regimen,
    RegimenDose,
    SiteStep,
    SubcutaneousSchedule,
    Switch,
    Valid,
)
from ivigil.patient.record import Order, PastInfusion, Record
from ivigil.planning import infusion, subcutaneous
from ivigil.planning.draft import Context, Day, Dose, Draft
from ivigil.planning.line import Line

CONTEXT = Context(jurisdiction="US", as_of=date(2026, 11, 20), start=datetime(2026, 11, 23, 9, 0))


def row(infusion_number: str, volume: float | None, rate: float | None, **more: object) -> SubcutaneousSchedule:
    plain = {"for": ["pid"], "infusion": infusion_number, "cites": ["label.sc"]}
    fields = {"volume_per_site": volume and {"value": volume, "unit": "mL"}, "rate_per_site": rate and {"value": rate, "unit": "mL/h"}}
    return msgspec.convert(plain | {name: value for name, value in (fields | more).items() if value is not None}, SubcutaneousSchedule)


def product(
    *rows: SubcutaneousSchedule, switch: tuple[Switch, ...] = (), percent: float = 20.0, facilitated: bool = False, ramp_up: tuple[RampUp, ...] = ()
) -> Product:
    return Product(
        id="subiglob-us",
        brand="Subiglob",
        maker="Maker",
        market="US",
        routes=("facilitated-subcutaneous" if facilitated else "subcutaneous",),
        percent=percent,
        subcutaneous=rows,
        switch=switch,
        ramp_up=ramp_up,
    )


def draft(
    chosen: Product,
    *,
    grams: float = 14.0,
    every: Quantity | None = None,
    route: str = "subcutaneous",
    regimen_route: str = "subcutaneous",
    infusions: tuple[PastInfusion, ...] = (),
    complete: bool = True,
    dose: bool = True,
) -> Draft:
    every = every or Quantity(1, "week")
    regimen = msgspec.convert(
        {
            "id": "r",
            "authority": "a",
            "jurisdiction": "US",
            "phase": "replacement",
            "route": regimen_route,
            "cites": ["regimen"],
            "dose": {"per_interval": {"low": 0.2, "high": 0.2, "unit": "g/kg"}},
        },
        Regimen,
    )
    assert regimen.dose == RegimenDose(per_interval=Span(0.2, 0.2, "g/kg"))
    return Draft(
        msgspec.convert({"id": "p", "order": {"route": route}, "infusions_complete": complete}, Record)
        if not infusions
        else Record(id="p", order=Order(route="subcutaneous"), infusions=infusions, infusions_complete=complete),
        Facts([Fact("weight", Quantity(70, "kg"), Origin("record"))]),
        indication=Indication(id="pid", name=Names(clinical="Primary immunodeficiency"), purpose="replacement"),
        regimen=regimen,
        product=chosen,
        dose=Dose("per_interval", grams / 70, grams, Span(1, 1), 70, "actual", every) if dose else None,
        days=(Day(1, date(2026, 11, 23), grams),) if dose else (),
    )


def line(result: Draft, name: str) -> Line:
    return next(one for one in result.lines if one.id == f"infusion.{name}")


def test_sites_keep_to_volume_rate_and_all_sites_limit() -> None:
    """180 mL at 60 mL a site are 3 sites of 60; 60 mL/h a site would be 180, the limit of 120 over all leaves 40 each."""
    sites = subcutaneous.sites_for(180, row("any", 60, 60, max_sites=4, rate_all_sites={"value": 120, "unit": "mL/h"}))
    assert sites == subcutaneous.Sites(3, 60.0, 1, 40.0, 120.0)


def test_too_much_for_one_session_is_shared_out() -> None:
    """8 sites of 15 mL take 120 mL; 140 mL need 2 sessions of 70 mL in 5 sites of 14 mL."""
    sites = subcutaneous.sites_for(140, row("first", 15, 15, max_sites=8))
    assert sites is not None
    assert (sites.sessions, sites.count, sites.volume) == (2, 5, 14.0)


def test_an_exact_fit_needs_no_further_site() -> None:
    """50 mL at 25 mL a site are 2 sites, not 3."""
    sites = subcutaneous.sites_for(50, row("later", 25, 25, max_sites=8))
    assert sites is not None
    assert sites.count == 2


def test_the_daily_limit_makes_sessions() -> None:
    """1500 mL under a limit of 1200 mL a day are 2 sessions of 750 mL."""
    sites = subcutaneous.sites_for(1500, row("any", 600, None, max_sites=3, max_per_day={"value": 1200, "unit": "mL"}))
    assert sites is not None
    assert (sites.sessions, sites.count, sites.volume, sites.rate) == (2, 2, 375.0, None)


def test_volume_per_site_not_read_gives_no_number_of_sites() -> None:
    """Without the label's volume per site the number of sites stays open, and the line says so."""
    result = infusion.step(draft(product(row("any", None, 20, max_sites=8))), Evidence(), CONTEXT)
    assert "not read, so the number of sites is not given" in line(result, "sites").text
    assert all(not one.id.startswith("infusion.day") for one in result.lines)


def test_first_and_later_limits() -> None:
    """14 g of 20 % are 70 mL: at 15 mL a site 5 sites of 14 mL first, at 25 mL a site 3 sites later."""
    chosen = product(row("first", 15, 15, max_sites=8), row("later", 25, 25, max_sites=8))
    first = infusion.step(draft(chosen), Evidence(), CONTEXT)
    assert line(first, "sites").text.startswith("5 sites with 14 mL each. At most 15 mL/h at each site, 75 mL/h together.")
    # 70 mL at 75 mL/h: 56 min
    assert "in by 09:56" in line(first, "day-1").text
    given = (PastInfusion(on=date(2026, 11, 16), product="Subiglob", route="subcutaneous"),)
    later = infusion.step(draft(chosen, infusions=given), Evidence(), CONTEXT)
    assert line(later, "sites").text.startswith("3 sites with 23.33 mL each. At most 25 mL/h")


def test_first_limits_may_cover_two_infusions() -> None:
    """A label whose first row covers two infusions keeps it for the second one."""
    chosen = product(row("first", 20, 20, max_sites=4, first_infusions=2), row("later", 60, 60, max_sites=4))
    one = (PastInfusion(on=date(2026, 11, 16), product="Subiglob", route="subcutaneous"),)
    two = (*one, PastInfusion(on=date(2026, 11, 9), product="Subiglob", route="subcutaneous"))
    assert subcutaneous.first_under_skin(chosen, draft(chosen, infusions=one)) is True
    assert subcutaneous.first_under_skin(chosen, draft(chosen, infusions=two)) is False


def test_weekly_dose_from_the_planned_intravenous_one() -> None:
    """1.37 x 28 g / 4 weeks = 9.59 g a week, 47.95 mL of 20 %."""
    chosen = product(row("any", 25, 25, max_sites=8), switch=(Switch(from_intravenous=1.37, say="Factor.", cites=("label.factor",)),))
    result = subcutaneous.dose_step(draft(chosen, grams=28, every=Quantity(4, "week"), regimen_route="intravenous"), Evidence(), CONTEXT)
    weekly = result.lines[-1]
    assert weekly.id == "dose.weekly"
    assert weekly.value is not None
    assert weekly.value.value == pytest.approx(9.59)
    assert "9.59 g a week under the skin, in 47.95 mL" in weekly.text
    assert "1.37 x 28 g / 4 weeks" in weekly.because.calculation
    assert result.dose is not None
    assert (result.dose.form, result.dose.every) == ("per_interval", Quantity(1, "week"))
    assert result.dose.grams == pytest.approx(9.59)


def test_weekly_dose_from_the_last_intravenous_one_on_record() -> None:
    """Without a planned dose: 30 g three weeks after the one before, 1.37 x 30 / 3 = 13.7 g; and the label's wait of a week moves the start."""
    chosen = product(
        row("any", 25, 25, max_sites=8), switch=(Switch(from_intravenous=1.37, say="Factor.", start_after=Quantity(1, "week"), cites=("label.factor",)),)
    )
    given = tuple(PastInfusion(on=day, product="Other", route="intravenous", dose=Quantity(30, "g")) for day in (date(2026, 10, 29), date(2026, 11, 19)))
    result = subcutaneous.dose_step(draft(chosen, infusions=given, dose=False), Evidence(), CONTEXT)
    weekly = result.lines[-1]
    assert weekly.value is not None
    assert weekly.value.value == pytest.approx(13.7)
    assert (weekly.when, result.first_day) == (date(2026, 11, 26), date(2026, 11, 26))


def test_without_a_factor_no_weekly_dose_is_made_up() -> None:
    """A product whose switch rule was not read asks for the weekly dose."""
    result = subcutaneous.dose_step(draft(product(row("any", 25, 25)), grams=28, every=Quantity(4, "week"), regimen_route="intravenous"), Evidence(), CONTEXT)
    assert [one.id for one in result.lines] == ["dose.weekly"]
    assert "was not read" in result.lines[0].text


def test_a_monthly_subcutaneous_dose_is_planned_weekly() -> None:
    """28 g a month under the skin: 28 / (30.4375 / 7) = 6.44 g a week, without any factor."""
    result = subcutaneous.dose_step(draft(product(row("any", 25, 25)), grams=28, every=Quantity(1, "month")), Evidence(), CONTEXT)
    value = result.lines[-1].value
    assert value is not None
    assert value.value == pytest.approx(28 * 7 / 30.4375)


def test_the_factor_in_force_is_used() -> None:
    """A factor of an older label is not used after its last date."""
    old = Switch(from_intravenous=1.4, say="Old.", valid=Valid(end="2020-12-31"), cites=("old",))
    new = Switch(from_intravenous=1.3, say="New.", valid=Valid(start="2021-01-01"), cites=("new",))
    chosen = product(row("any", 25, 25), switch=(old, new))
    found = subcutaneous.switch_for(chosen, draft(chosen), CONTEXT)
    assert found is not None
    assert found.from_intravenous == 1.3


def test_facilitated_steps_and_ramp_up() -> None:
    """28 g in 280 mL over one site: 10, 30 mL/h for 10 min, then 240; ramp-up 25, 50, 75, 100 % in weeks 1, 2, 4, 7 from 23 Nov 2026."""
    steps = (
        SiteStep(rate=Quantity(10, "mL/h"), hold=Quantity(10, "min")),
        SiteStep(rate=Quantity(30, "mL/h"), hold=Quantity(10, "min")),
        SiteStep(rate=Quantity(240, "mL/h")),
    )
    schedule = msgspec.structs.replace(row("first", 600, None, max_sites=3), steps=steps)
    ramp = RampUp(
        every=Quantity(4, "week"),
        steps=tuple(RampUpStep(infusion=i, week=w, fraction=Quantity(f, "%")) for i, w, f in ((1, 1, 25), (2, 2, 50), (3, 4, 75), (4, 7, 100))),
        cites=("label.ramp",),
    )
    chosen = product(schedule, percent=10, facilitated=True, ramp_up=(ramp,))
    planned = draft(chosen, grams=28, every=Quantity(4, "week"), route="facilitated-subcutaneous", regimen_route="facilitated-subcutaneous")
    result = infusion.step(planned, Evidence(), CONTEXT)
    day = line(result, "day-1").table
    assert day is not None
    assert [cells[4] for cells in day.rows] == [10.0, 30.0, 240.0]
    # 10 mL/h and 30 mL/h for a sixth of an hour are 1.667 and 5 mL
    assert [cells[5] for cells in day.rows] == pytest.approx([1.666667, 5.0, 273.333333])
    table = line(result, "ramp-up").table
    assert table is not None
    assert [(cells[2], cells[4], cells[5]) for cells in table.rows] == [
        ("2026-11-23", 7.0, 70.0),
        ("2026-11-30", 14.0, 140.0),
        ("2026-12-14", 21.0, 210.0),
        ("2027-01-04", 28.0, 280.0),
    ]


def test_no_schedule_read_refuses() -> None:
    """A product without subcutaneous rows gives one line and no number."""
    result = infusion.step(draft(product()), Evidence(), CONTEXT)
    assert [one.id for one in result.lines] == ["infusion.not-read"]
    assert not any(character.isdigit() for character in result.lines[0].text)
