"""Vaccine lines of a plan: dates keyed on dose and last product, vaccines that do not count, exempt ones, the immune state, exposures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.planning.care_sample import START, TODAY, amount, asked, cases_of, context, draft, evidence, grams, ids, known, line, rows, vaccine

from ivigil.evidence.check import PlacedCase
from ivigil.evidence.conditions import judge
from ivigil.patient.record import Code, Measurement, Vaccination
from ivigil.planning.antibody_products import antibodies
from ivigil.planning.draft import Draft
from ivigil.planning.vaccination import step
from ivigil.planning.vaccine_history import vaccine_named

ADULT: dict[str, Any] = {"weight": "70 kg", "age": "40 year"}
WELL = {"has.severe_antibody_deficiency": "no", "has.agammaglobulinaemia": "no", "has.scid": "no"}


def _step(jurisdiction: str = "US", indication: str = "kawasaki", facts: dict[str, Any] | None = None, **more: Any) -> Draft:
    start = more.get("start", START)
    return step(draft(indication, {**ADULT, **(facts or {})}, **more), evidence(), context(jurisdiction, start=start))


# --- this course --------------------------------------------------------------------------------------------------------


def test_after_2_g_per_kg_mmr_waits_11_months_from_the_last_day() -> None:
    """20 and 21 November, 1 g/kg each: 21 November 2026 + 11 months = 21 October 2027, with every other table beside it."""
    mmr = line(_step(course=2, days=2), "vaccination.mmr")
    assert mmr.when == date(2027, 10, 21)
    assert mmr.urgency == "warning"
    assert "21 Oct 2027, 11 months after" in mmr.text
    assert [(row[0], row[1]) for row in rows(mmr)] == [
        ("US (applied)", "21 Oct 2027"), ("CA", "21 Oct 2027"), ("AU", "21 Oct 2027"), ("EU", "21 Feb 2027"), ("JP", "21 Oct 2027")]
    assert "care.us.igiv-kawasaki" in mmr.because.cites
    assert any(other.what.startswith("European Union: 21 Feb 2027") for other in mmr.because.disputed_by)


def test_without_a_schedule_the_longest_span_counts() -> None:
    """A course over 2-5 days that is not yet spread out is taken to end on day 5, 24 November."""
    course = msgspec.structs.replace(draft(facts=ADULT, course=2, days=5), days=())
    assert line(step(course, evidence(), context()), "vaccination.mmr").when == date(2027, 10, 24)


def test_a_blocked_course_defers_nothing_but_past_doses_do() -> None:
    """Nothing is given, so nothing waits for it; 140 g in 70 kg on 1 October still ends on 1 September 2027."""
    blocked = msgspec.structs.replace(draft(facts=ADULT, course=2), blocked=("x",))
    assert "vaccination.mmr" not in ids(step(blocked, evidence(), context()))
    blocked = msgspec.structs.replace(draft(facts=ADULT, course=2, infusions=(grams("2026-10-01", "140 g"),)), blocked=("x",))
    assert line(step(blocked, evidence(), context()), "vaccination.mmr").when == date(2027, 9, 1)


def test_treatment_that_goes_on_has_no_date() -> None:
    """Replacement every 4 weeks: no date while it goes on; 20 July 2027 only if this dose were the last."""
    mmr = line(_step(indication="pid", course=0.4, every="4 week"), "vaccination.mmr")
    assert mmr.when is None
    assert "no date while treatment goes on" in mmr.text
    assert "20 Jul 2027" in mmr.text
    assert "care.bands.continuing" in mmr.because.cites


def test_treatment_that_goes_on_has_no_date_even_when_an_earlier_course_decides() -> None:
    """2 g/kg three weeks before still ends last, and the replacement that goes on still leaves no date."""
    mmr = line(_step(indication="pid", course=0.4, every="4 week", infusions=(grams("2026-10-31", "140 g"),)), "vaccination.mmr")
    assert mmr.when is None
    assert "1 Oct 2027" in mmr.text


def test_an_interval_of_3_to_4_weeks_also_goes_on() -> None:
    """The regimen prints a range, so no single interval is decided; treatment is repeated all the same."""
    course = draft("pid", ADULT, course=0.4)
    assert course.regimen is not None
    regimen = msgspec.structs.replace(course.regimen, dose=evidence().indications["pid"].regimens[0].dose)
    assert line(step(msgspec.structs.replace(course, regimen=regimen), evidence(), context()), "vaccination.mmr").when is None


# --- several products ---------------------------------------------------------------------------------------------------


def test_of_several_courses_the_latest_end_decides() -> None:
    """140 g in 70 kg on 31 October: 31 September does not exist, so 1 October 2027; 0.4 g/kg now would end on 20 July."""
    mmr = line(_step(course=0.4, infusions=(grams("2026-10-31", "140 g"),)), "vaccination.mmr")
    assert mmr.when == date(2027, 10, 1)
    assert [other.what for other in mmr.because.instead_of] == ["this course (0.4 g/kg, last dose 20 Nov 2026)"]


def test_a_dose_that_is_not_on_record_takes_the_longest_wait_and_is_asked_for() -> None:
    """1 November 2026 + 11 months = 1 October 2027, with a line that asks for the dose."""
    plan = _step(infusions=(grams("2026-11-01", product="Privigen"),))
    assert line(plan, "vaccination.mmr").when == date(2027, 10, 1)
    assert "Privigen on 1 Nov 2026" in line(plan, "vaccination.dose-unknown").text


def test_intravenous_doses_within_7_days_are_one_course() -> None:
    """28 g in 70 kg is 0.4 g/kg. Twice 7 days apart: 0.8 g/kg, 10 months from the second. 8 days apart: 8 months."""
    near = (grams("2026-11-02", "28 g"), grams("2026-11-09", "28 g"))
    far = (grams("2026-11-02", "28 g"), grams("2026-11-10", "28 g"))
    assert line(_step(infusions=near), "vaccination.mmr").when == date(2027, 9, 9)
    assert line(_step(infusions=far), "vaccination.mmr").when == date(2027, 7, 10)


def test_this_course_joins_one_that_began_the_days_before() -> None:
    """0.4 g/kg on 17 November and 0.4 g/kg now are one course of 0.8 g/kg: 10 months from 20 November."""
    assert line(_step(course=0.4, infusions=(grams("2026-11-17", "28 g"),)), "vaccination.mmr").when == date(2027, 9, 20)


def test_subcutaneous_doses_add_up_over_4_weeks_and_no_further() -> None:
    """7 g in 70 kg is 0.1 g/kg. Eight weekly doses: the last 4 weeks hold 0.4 g/kg, 8 months from 16 November."""
    weekly = tuple(grams(str(date(2026, 11, 16) - timedelta(weeks=week)), "7 g", route="subcutaneous") for week in range(8))
    plan = _step(indication="pid", infusions=weekly)
    assert line(plan, "vaccination.mmr").when == date(2027, 7, 16)
    last = antibodies(draft("pid", ADULT, infusions=weekly), evidence(), context())[-1]
    assert last.dose == pytest.approx(0.4)
    assert last.kind == "igsc"


def test_a_planned_weekly_dose_stands_for_its_4_weeks() -> None:
    """0.15 g/kg a week is 0.6 g/kg in 4 weeks: the 10 month row, not the 8 month one."""
    mmr = line(_step(indication="pid", course=0.15, every="1 week", route="subcutaneous"), "vaccination.mmr")
    assert "20 Sep 2027" in mmr.text
    assert mmr.when is None


def test_an_old_dose_is_divided_by_the_weight_of_its_time() -> None:
    """12 g in a child of 12 kg in May was 1 g/kg; the same 12 g at 20 kg now is 0.6 g/kg."""
    weights = (Measurement(value=amount("12 kg"), on=date(2026, 5, 1)), Measurement(value=amount("20 kg"), on=date(2026, 11, 18)))
    child = draft("kawasaki", {"weight": "20 kg"}, weights=weights, infusions=(grams("2026-05-02", "12 g"), grams("2026-11-19", "12 g")))
    assert [given.dose for given in antibodies(child, evidence(), context())] == pytest.approx([1.0, 0.6])


def test_a_dose_per_kg_on_record_needs_no_weight() -> None:
    """0.8 g/kg written as such is 0.8 g/kg."""
    given_before = draft("kawasaki", {}, infusions=(grams("2026-11-01", "800 mg/kg"),))
    assert antibodies(given_before, evidence(), context())[0].dose == pytest.approx(0.8)


def test_waits_that_are_over_say_nothing() -> None:
    """A dose of two years ago defers no vaccine today."""
    plan = _step(infusions=(grams("2024-11-01", "140 g"),))
    assert not {"vaccination.mmr", "vaccination.dengue-qdenga", "vaccination.dose-unknown"} & ids(plan)


@pytest.mark.parametrize(("infusion", "kind"), [
    (grams("2026-11-01", product="rbc packed", kind="blood-product"), "rbc-packed"),
    (grams("2026-11-01", product="HyperHEP B", codes=(Code(system="cvx", code="30"),), kind="hyperimmune-globulin"), "hepb-ig"),
    (grams("2026-11-01", product="Platelets", codes=(Code(system="snomed", code="12719002"),), kind="blood-product"), "plasma-platelets"),
    (grams("2026-11-01", product="Hizentra", route="subcutaneous"), "igsc"),
    (grams("2026-11-01", product="HyQvia", route="facilitated-subcutaneous"), "igsc"),
    (grams("2026-11-01", codes=(Code(system="cvx", code="87"),)), "igiv"),
    (grams("2026-11-01", product="Gamunex-C"), "igiv"),
    (grams("2026-11-01", product="rituximab", kind="monoclonal-antibody"), ""),
    (grams("2026-11-01", product="GamaSTAN", route="intramuscular"), ""),
], ids=lambda value: value if isinstance(value, str) else value.product or "code")
def test_an_antibody_product_is_known_by_code_name_or_route(infusion: Any, kind: str) -> None:
    """Only immunoglobulin by vein or under the skin counts as such; anything else needs a code or a name of the tables."""
    assert antibodies(draft(infusions=(infusion,)), evidence(), context())[0].kind == kind


def test_an_antibody_product_no_table_names_is_asked_about() -> None:
    """Rituximab is no immunoglobulin: no date is made up, a specialist is asked."""
    plan = _step(infusions=(grams("2026-11-01", product="rituximab", kind="monoclonal-antibody"),))
    assert "vaccination.mmr" not in ids(plan)
    assert "rituximab" in line(plan, "vaccination.product-unknown").text


def test_washed_red_cells_leave_no_wait() -> None:
    """The table asks for none, so there is no line."""
    assert "vaccination.mmr" not in ids(_step(infusions=(grams("2026-11-19", product="rbc-washed", kind="blood-product"),)))


# --- other places -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["EU", "UK", "UK-ENG"])
def test_europe_shows_the_leaflet_date_and_the_dose_based_date(place: str) -> None:
    """After 2 g/kg: 20 February by the leaflet, 20 October by dose; measles is not called safe without an antibody test."""
    mmr = line(_step(place, course=2), "vaccination.mmr")
    assert "not before 20 Feb 2027, 3 months" in mmr.text
    assert "By dose not before 20 Oct 2027" in mmr.text
    assert "check measles antibody" in mmr.text
    assert "3 months is not enough for measles without an antibody test" in mmr.text
    assert mmr.when == date(2027, 10, 20)


def test_europe_keeps_the_leaflet_date_where_it_does_not_warn() -> None:
    """Varicella, and measles after less than 1 g/kg: both dates shown, the leaflet date stands."""
    plan = _step("EU", course=2)
    varicella = next(one for one in plan.lines if "Varicella" in one.text and one.id.startswith("vaccination.r"))
    assert varicella.when == date(2027, 2, 20)
    assert "By dose not before 20 Oct 2027" in varicella.text
    low = line(_step("EU", course=0.4), "vaccination.mmr")
    assert low.when == date(2027, 2, 20)
    assert "not enough for measles" not in low.text


def test_japan_names_the_shorter_wait_while_the_risk_is_high() -> None:
    """11 months before measles vaccine, 6 months while the measles risk is high: 20 May 2027."""
    mmr = line(_step("JP", course=2), "vaccination.mmr")
    assert mmr.when == date(2027, 10, 20)
    assert "not before 20 May 2027" in mmr.text


def test_the_edition_behind_a_date_is_shown() -> None:
    """The Australian dose rows are those of 2013 and say so, with what was not read."""
    mmr = line(_step("AU", course=2), "vaccination.mmr")
    assert ["AU (applied)", "20 Oct 2027", "11 months", "Handbook 10th edition, 2013"] in rows(mmr)
    assert mmr.table is not None
    assert "not read" in mmr.table.note


@pytest.mark.parametrize("place", sorted(evidence().jurisdictions))
def test_line_ids_are_unique_everywhere(place: str) -> None:
    """Every place plans every vaccine without two lines of one name."""
    twice = (vaccine("MMR", "2026-11-10"), vaccine("MMR", "2026-11-10"), vaccine("MMR", "2027-01-10"))
    plan = _step(place, course=2, days=2, facts={"has.scid": "yes"}, vaccinations=twice, measles_exposure=TODAY, varicella_exposure=TODAY)
    assert {"vaccination.mmr", "vaccination.immune-state", "vaccination.rules"} <= ids(plan)


def test_vaccines_with_an_interval_of_their_own() -> None:
    """Qdenga and Imojev: 6 weeks from 20 November is 1 January 2027, better 3 months, 20 February."""
    plan = _step("AU", course=2)
    for name in ("dengue-qdenga", "japanese-encephalitis-live"):
        own = line(plan, f"vaccination.{name}")
        assert own.when == date(2027, 1, 1)
        assert "better not before 20 Feb 2027" in own.text


# --- vaccines on record -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "urgency", "words"), [
    ("US", "info", "counts: immunoglobulin 14 days later"),
    ("CA-ON", "info", "counts: immunoglobulin 14 days later"),
    ("JP", "warning", "does not count: immunoglobulin 14 days later"),
    ("AU", "warning", "does not count: immunoglobulin 14 days later"),
    ("EU", "warning", "avoids immunoglobulin for 1 month"),
])
def test_immunoglobulin_14_days_after_mmr(place: str, urgency: str, words: str) -> None:
    """Valid in the United States and Canada, not in Japan or Australia, avoided by the European label; stricter rules are named."""
    repeat = line(_step(place, course=2, vaccinations=(vaccine("MMR", "2026-11-06"),)), "vaccination.repeat.mmr.2026-11-06")
    assert repeat.urgency == urgency
    assert words in repeat.text
    assert repeat.because.disputed_by


def test_the_first_day_of_the_course_decides_for_an_earlier_vaccine() -> None:
    """A course over 5 days that begins 12 days after the vaccine is too early, although it ends on day 16."""
    repeat = line(_step(course=2, days=5, vaccinations=(vaccine("MMR", "2026-11-08"),)), "vaccination.repeat.mmr.2026-11-08")
    assert "immunoglobulin 12 days later" in repeat.text
    assert repeat.when == date(2027, 10, 24)


def test_a_past_dose_soon_after_a_vaccine_counts_too() -> None:
    """MMR on 1 October, immunoglobulin on 11 October: repeat, not before 11 September 2027 after 2 g/kg."""
    repeat = line(_step(infusions=(grams("2026-10-11", "140 g"),), vaccinations=(vaccine("MMR", "2026-10-01"),)), "vaccination.repeat.mmr.2026-10-01")
    assert repeat.when == date(2027, 9, 11)
    assert repeat.urgency == "warning"


def test_a_vaccine_inside_the_wait_after_a_past_dose_is_repeated() -> None:
    """2 g/kg on 1 January ends on 1 December; MMR on 1 July does not count and is repeated from 1 December."""
    repeat = line(_step(infusions=(grams("2026-01-01", "140 g"),), vaccinations=(vaccine("MMR", "2026-07-01"),)), "vaccination.repeat.mmr.2026-07-01")
    assert "does not count: it came before 1 Dec 2026" in repeat.text
    assert repeat.when == date(2026, 12, 1)


def test_in_europe_a_vaccine_between_the_two_dates_may_not_count() -> None:
    """2 g/kg on 1 January: MMR on 1 July is past the leaflet's 1 April but before the dose-based 1 December."""
    repeat = line(_step("EU", infusions=(grams("2026-01-01", "140 g"),), vaccinations=(vaccine("MMR", "2026-07-01"),)), "vaccination.repeat.mmr.2026-07-01")
    assert "may not count" in repeat.text
    assert repeat.when == date(2026, 12, 1)


def test_a_vaccine_well_before_and_one_after_the_wait_are_left_alone() -> None:
    """Nothing is said about vaccines that count everywhere, nor about exempt ones."""
    past = (vaccine("MMR", "2026-01-10"), vaccine("yellow fever", "2026-11-15"), vaccine("injected influenza", "2026-11-15"), vaccine("BCG", "2026-11-15"))
    plan = _step(course=2, vaccinations=past)
    assert not [name for name in ids(plan) if name.startswith("vaccination.repeat")]


def test_a_vaccine_planned_too_early_is_moved() -> None:
    """MMR planned on 1 March 2027 after 0.4 g/kg moves to 20 July 2027; from that day on it stays."""
    early = _step(course=0.4, vaccinations=(vaccine("MMR", "2027-03-01"), vaccine("MMR", "2027-07-20")))
    assert line(early, "vaccination.move.mmr.2027-03-01").when == date(2027, 7, 20)
    assert "vaccination.move.mmr.2027-07-20" not in ids(early)


@pytest.mark.parametrize(("written", "found"), [
    ("MMR", "mmr"), ("M-M-R II", "mmr"), ("Measles, mumps and rubella vaccine", "mmr"), ("Priorix", "mmr"), ("rubella vaccine", "rubella"),
    ("measles/mumps/rubella/varicella", "mmrv"), ("Varicella (chickenpox)", "varicella"), ("chickenpox", "varicella"), ("yellow fever", "yellow-fever"),
    ("Shingrix", "zoster-recombinant"), ("flu shot", "influenza-injected"), ("wellness tonic", None),
])
def test_a_vaccine_is_known_by_what_people_write(written: str, found: str | None) -> None:
    """Abbreviation, brand, or the antigens in any order."""
    known_as = vaccine_named(evidence(), vaccine(written, "2026-01-01"))
    assert (known_as.id if known_as is not None else None) == found


@pytest.mark.parametrize(("cvx", "found"), [("03", "mmr"), ("3", "mmr"), ("94", "mmrv"), ("21", "varicella"), ("121", "zoster-live"), ("140", None)])
def test_a_vaccine_is_known_by_its_cvx_code(cvx: str, found: str | None) -> None:
    """With or without the leading nought; a code that is none of the live vaccines stays without a rule."""
    known_as = vaccine_named(evidence(), Vaccination(on=TODAY, codes=(Code(system="cvx", code=cvx),)))
    assert (known_as.id if known_as is not None else None) == found


def test_a_written_vaccine_that_is_not_recognised_is_asked_about() -> None:
    """Text that names no vaccine could hide a live one; a code never does."""
    coded = Vaccination(on=TODAY, vaccine="seasonal thing", codes=(Code(system="cvx", code="140"),))
    plan = _step(course=2, vaccinations=(vaccine("travel jab", "2026-11-01"), coded))
    asks = line(plan, "vaccination.not-recognised")
    assert "travel jab (1 Nov 2026)" in asks.text
    assert "seasonal" not in asks.text


# --- what else holds ----------------------------------------------------------------------------------------------------


def test_exempt_vaccines_and_those_without_an_interval_are_told_apart() -> None:
    """Yellow fever needs no wait; for smallpox nothing was read and a specialist is asked."""
    plan = _step(course=2)
    exempt, silent = line(plan, "vaccination.exempt").text, line(plan, "vaccination.not-in-evidence").text
    assert all(name in exempt for name in ("Yellow fever", "Rotavirus", "BCG", "Typhoid, oral", "Influenza, nasal"))
    assert "Smallpox" in silent
    assert "Smallpox" not in exempt


def test_the_immune_state_is_a_rule_of_its_own() -> None:
    """Agammaglobulinaemia bars live vaccines whatever the date; the dates stay visible."""
    plan = _step(course=2, facts={"has.agammaglobulinaemia": "yes"})
    barred = line(plan, "vaccination.immune-state")
    assert barred.act == "avoid"
    assert "whatever the date" in barred.text
    assert "MMR" in barred.text
    assert barred.because.facts["has.agammaglobulinaemia"].value == "yes"
    assert line(plan, "vaccination.mmr").when == date(2027, 10, 20)


def test_an_unknown_immune_state_is_asked_and_a_known_one_not() -> None:
    """Unknown is not no."""
    assert "has.scid" in asked(_step(course=2))["immune-state"]
    well = _step(course=2, facts=WELL)
    assert "immune-state" not in asked(well)
    assert "vaccination.immune-state" not in ids(well)


def test_the_rules_beside_the_table_are_shown() -> None:
    """Same day, after a birth, household and blood tests everywhere; the recall list only in Australia."""
    about = {row[0] for row in rows(line(_step(course=2, facts=WELL), "vaccination.rules"))}
    assert {"After a birth", "Non-live vaccine on the same day", "People in the household", "Blood tests for a vaccine response"} <= about
    assert "Recall lists" not in about
    assert "Recall lists" in {row[0] for row in rows(line(_step("AU", course=2), "vaccination.rules"))}


def test_a_child_on_aspirin_gets_the_influenza_vaccine() -> None:
    """After Kawasaki disease on aspirin at 4 years, not at 40; unknown aspirin is asked."""
    child = rows(line(_step(course=2, facts={"age": "4 year", "takes.aspirin": "yes"}), "vaccination.rules"))
    adult = rows(line(_step(course=2, facts={"takes.aspirin": "yes"}), "vaccination.rules"))
    assert any("no salicylate for 6 weeks" in row[1] for row in child)
    assert not any("salicylate" in row[1] for row in adult)
    assert "aspirin-child-vaccines" in asked(_step(course=2, facts={"age": "4 year"}))


@pytest.mark.parametrize(("last", "dose", "protected"), [
    ("2026-10-30", "28 g", True), ("2026-10-29", "28 g", False), ("2026-10-30", "27 g", False), ("2026-10-30", "", False),
])
def test_measles_contact_on_replacement(last: str, dose: str, protected: bool) -> None:
    """0.4 g/kg (28 g in 70 kg) within 3 weeks of the contact on 20 November counts as protection; 22 days, less, or an unknown dose do not."""
    contact = line(_step(indication="pid", infusions=(grams(last, dose),), measles_exposure=TODAY), "vaccination.exposure.measles")
    assert (contact.urgency == "info") is protected
    assert ("treated as protection" in contact.text) is protected


def test_a_contact_has_a_last_day() -> None:
    """Contact on 17 November in Australia: immunoglobulin works for 6 days, until 23 November; after a contact on 10 November that time is over."""
    assert "works until 23 Nov 2026" in line(_step("AU", measles_exposure=date(2026, 11, 17)), "vaccination.exposure.measles").text
    assert "ended on 16 Nov 2026" in line(_step("AU", measles_exposure=date(2026, 11, 10)), "vaccination.exposure.measles").text


def test_varicella_contact_speaks_of_the_place() -> None:
    """Antivirals first in the United Kingdom; recent immunoglobulin counts as protection in Ontario."""
    assert "Antivirals come first" in line(_step("UK-ENG", varicella_exposure=TODAY), "vaccination.exposure.varicella").text
    ontario = line(_step("CA-ON", infusions=(grams("2026-11-10", "7 g"),), varicella_exposure=TODAY), "vaccination.exposure.varicella")
    assert "counts as protection" in ontario.text
    assert ontario.urgency == "info"


def test_a_contact_ahead_of_the_plan_date_is_not_read() -> None:
    """A plan for 20 November knows nothing of the 25th."""
    assert "vaccination.exposure.measles" not in ids(_step(measles_exposure=date(2026, 11, 25)))


def test_without_an_indication_nothing_is_said() -> None:
    """A plan that found no indication stays silent here."""
    assert step(msgspec.structs.replace(draft(), indication=None), evidence(), context()).lines == ()


@pytest.mark.parametrize("placed", cases_of("vaccination"))
def test_the_examples_of_the_evidence(placed: PlacedCase) -> None:
    """Each condition of a vaccine, rule or exposure fires, stays silent or asks as its example says."""
    truth = judge(evidence().conditions[placed.rule], known(placed.case.facts)).truth
    assert {True: "fires", False: "silent", None: "asks"}[truth] == placed.case.expect


@given(st.integers(1, 3), st.sampled_from(["US", "AU", "EU", "JP"]), st.sampled_from([0.4, 0.8, 2.0]))
def test_a_plan_weeks_later_gives_dates_weeks_later(weeks: int, place: str, dose: float) -> None:
    """Everything on days that every month has, shifted by whole weeks inside the month: all dates shift alike."""
    dated: list[dict[str, date | None]] = []
    for shift in (timedelta(0), timedelta(weeks=weeks)):
        start = datetime(2026, 3, 4, 9, 0) + shift
        past = (grams(str(date(2026, 1, 2) + shift), "28 g"),)
        given_before = tuple(vaccine("MMR", str(date(2026, 1, day) + shift)) for day in (1, 4))
        plan = _step(place, course=dose, start=start, infusions=past, vaccinations=given_before)
        dated.append({one.id[:20]: one.when - shift for one in plan.lines if one.when is not None})
    assert dated[0] == dated[1]
