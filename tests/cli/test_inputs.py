"""Options and site files become a context; every problem is listed at once."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from ivigil.basis.problems import BadInput
from ivigil.basis.quantity import Quantity
from ivigil.cli.inputs import Choices, context_of, for_record
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Jurisdiction, Product, Rounding
from ivigil.patient.record import Order, Record

TODAY = date(2026, 11, 20)
EVIDENCE = Evidence(
    jurisdictions={"US": Jurisdiction(id="US", name="United States", markets=("US",)), "UK-ENG": Jurisdiction(id="UK-ENG", name="England", markets=("UK",))},
    products={"alpha-us": Product(id="alpha-us", brand="Alpha", maker="M", market="US", routes=("intravenous",), percent=10.0)},
    rounding={"exact": Rounding(id="exact", name="Exact", how="exact", cites=("x",))},
)


def _problems(choices: Choices) -> list[str]:
    with pytest.raises(BadInput) as refused:
        context_of(choices, EVIDENCE, TODAY)
    assert all(problem.remedy for problem in refused.value.problems)
    return [str(problem) for problem in refused.value.problems]


def test_defaults_are_today_at_nine() -> None:
    """Without dates the plan is for today, the first infusion in the morning."""
    context = context_of(Choices(jurisdiction="US"), EVIDENCE, TODAY)
    assert (context.as_of, context.start) == (TODAY, datetime(2026, 11, 20, 9))


def test_every_bad_choice_is_listed_with_a_suggestion() -> None:
    """One run tells all that is wrong."""
    problems = _problems(Choices(jurisdiction="UK-EN", product="alfa-us", rounding="exakt", as_of="20/11/2026", start="tomorrow", stock="/nowhere.yaml"))
    assert len(problems) == 6
    assert any("did you mean UK-ENG?" in problem for problem in problems)
    assert any("did you mean alpha-us?" in problem for problem in problems)


@pytest.mark.parametrize("name", ["Alpha", "ALPHA", "alph"])
def test_a_brand_suggests_the_ids_of_its_products(name: str) -> None:
    """People know brands; the option wants the product of one market."""
    assert "did you mean alpha-us?" in _problems(Choices(jurisdiction="US", product=name))[0]


def test_an_unknown_jurisdiction_lists_the_known_ones() -> None:
    """Beside the nearest, all: they are few."""
    assert "did you mean UK-ENG? Known: US, UK-ENG" in _problems(Choices(jurisdiction="UK-EN"))[0]


def test_a_missing_jurisdiction_names_the_choices() -> None:
    """Authorities disagree, so the place is never guessed."""
    assert "choose one of US, UK-ENG" in _problems(Choices())[0]


def test_a_day_that_lies_ahead_is_refused() -> None:
    """Nobody knows tomorrow's record or rules."""
    assert "lies ahead" in _problems(Choices(jurisdiction="US", as_of="2026-11-21"))[0]


@pytest.mark.parametrize(("start", "words"), [("2026-11-19T09:00", "before the day"), ("2026-11-20T09:00+01:00", "time zone"), ("2026-13-01", "not a date")])
def test_a_start_that_cannot_be(start: str, words: str) -> None:
    """Clock times on the plan are the ward's own, on or after the day of the plan."""
    assert words in _problems(Choices(jurisdiction="US", start=start))[0]


def test_the_site_profile_fills_in_and_options_win(tmp_path: Path) -> None:
    """A hospital sets its habits once; the user can still choose."""
    (tmp_path / "stock.yaml").write_text("- {product: alpha-us, size: 10 g, count: 3, lot: A1, expires: 2027-01-31}\n")
    profile = tmp_path / "site.yaml"
    profile.write_text(
        "jurisdiction: US\nrounding: exact\npump_increment: 1 mL/h\nformulary: [alpha-us]\nstock: stock.yaml\n"
        "prices: [{product: alpha-us, currency: USD, per_gram: 80.5}]\n"
    )
    context = context_of(Choices(site=str(profile), jurisdiction="UK-ENG"), EVIDENCE, TODAY)
    assert context.jurisdiction == "UK-ENG"
    assert context.rounding == "exact"
    assert context.pump_increment == Quantity(1.0, "mL/h")
    assert context.formulary == ("alpha-us",)
    assert context.stock[0].size == Quantity(10.0, "g")
    assert context.stock[0].expires == date(2027, 1, 31)
    assert context.prices[0].per_gram == 80.5


def test_every_slip_in_a_profile_is_named_with_its_line(tmp_path: Path) -> None:
    """Unknown keys, missing units and unknown products are found together."""
    profile = tmp_path / "site.yaml"
    profile.write_text("jurisdictoin: US\npump_max: 999\nformulary: [alpha-uk]\n")
    problems = _problems(Choices(site=str(profile)))
    assert any("site.yaml:1" in problem and "did you mean 'jurisdiction'?" in problem for problem in problems)
    assert any("site.yaml:2" in problem and "no unit" in problem for problem in problems)


def test_the_order_sets_the_start_unless_the_user_does() -> None:
    """The prescriber's time is used; the command line may overrule it."""
    record = Record(id="p", order=Order(start="2026-11-22T13:30"))
    context = context_of(Choices(jurisdiction="US"), EVIDENCE, TODAY)
    assert for_record(context, Choices(), record).start == datetime(2026, 11, 22, 13, 30)
    assert for_record(context, Choices(start="2026-11-20T09:00"), record) is context
    with pytest.raises(BadInput, match="not a date and time"):
        for_record(context, Choices(), Record(id="p", order=Order(start="soon")))
