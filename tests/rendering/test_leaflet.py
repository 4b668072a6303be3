"""The patient's leaflet repeats the plan: its numbers, its dates, and nothing that would hurt if it were misread."""

from __future__ import annotations

import io
import re
import statistics
from datetime import date

import msgspec
import pytest
from icalendar import Calendar
from pypdf import PdfReader
from tests.plans import golden

from ivigil.basis.problems import BadInput
from ivigil.basis.reading import read
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.planning.line import Plan
from ivigil.rendering.leaflet import grade_of_leaflet, leaflet_of
from ivigil.rendering.leaflet_html import leaflet_html
from ivigil.rendering.leaflet_text import leaflet_text
from ivigil.rendering.print.calendar import calendar_file
from ivigil.rendering.print.pdf import leaflet_pdf, paper_of, plan_pdf
from ivigil.rendering.print.qr import qr_svg

EVIDENCE = load_evidence()
PLANS: dict[str, Plan] = {}


def _plan(name: str) -> Plan:
    if name not in PLANS:
        PLANS[name] = golden.planned(name, EVIDENCE)
    return PLANS[name]


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """The packaged evidence."""
    return EVIDENCE


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:[.:]\d+)*", text))


@pytest.mark.parametrize("name", golden.names())
def test_every_number_is_the_plans_own(name: str, evidence: Evidence) -> None:
    """No dose, time or date of a leaflet is anywhere but in the plan, or in a sentence of the evidence written for patients."""
    made = _plan(name)
    leaflet = leaflet_of(made, evidence)
    indication = evidence.indications[made.indication].name
    known = _numbers(" ".join([
        *(line.text for line in made.lines), *(str(cell) for line in made.lines if line.table for row in line.table.rows for cell in row),
        *(str(line.value) for line in made.lines if line.value is not None), *(f"{line.when:%-d %Y}" for line in made.lines if line.when is not None),
        *(advice.say for advice in evidence.advice.values()), *(lesson.question for lesson in evidence.lessons.values()), indication.plain, indication.clinical,
    ]))
    shown = _numbers(" ".join([*leaflet.sentences(), *(cell for part in leaflet.parts for row in part.rows for cell in row)]))
    assert shown <= known


@pytest.mark.parametrize("name", golden.names())
def test_it_is_easy_to_read(name: str, evidence: Evidence) -> None:
    """Reading grade at most 8 as a whole and in the middle of its sentences at most 6."""
    leaflet = leaflet_of(_plan(name), evidence)
    brands = frozenset(product.brand.lower() for product in evidence.products.values())
    assert grade_of_leaflet(leaflet, brands).grade <= 8
    assert statistics.median(read(sentence, brands).grade for sentence in leaflet.sentences()) <= 6


def test_a_blocked_plan_gives_no_treatment_to_anyone(evidence: Evidence) -> None:
    """Only the alarm signs and that the plan is not ready."""
    leaflet = leaflet_of(_plan("iga-deficient-anti-iga-uk"), evidence)
    assert leaflet.parts == ()
    assert "not ready" in leaflet.draft[0]
    assert leaflet.alarm[0][0] == "Call the emergency service now"
    assert "DTSTART" not in calendar_file(_plan("iga-deficient-anti-iga-uk"), leaflet)


def test_open_questions_make_it_a_draft(evidence: Evidence) -> None:
    """A leaflet of a plan with open questions says so before anything else."""
    made = _plan("itp-bare-us")
    assert leaflet_of(made, evidence).draft
    assert leaflet_text(leaflet_of(made, evidence)).splitlines()[2].startswith("!! Draft")


def test_each_alarm_sign_stands_once_under_what_to_do(evidence: Evidence) -> None:
    """Breathing, chest, stroke, collapse and swelling call the emergency service; every sign of the evidence is there."""
    leaflet = leaflet_of(_plan("dermatomyositis-us"), evidence)
    groups = dict(leaflet.alarm)
    assert [sign.split()[-1] for sign in groups["Call the emergency service now"]] == ["breathe.", "tight.", "hard.", "collapse.", "swells."]
    assert sum(len(signs) for signs in groups.values()) == len(evidence.advice_on["red-flag"])


def test_a_live_vaccine_is_never_dated_earlier_than_any_table_asks(evidence: Evidence) -> None:
    """1 g/kg on 20 Nov 2026: a child in England waits 10 months by dose, although the national text says 3 months."""
    rows = [row for part in leaflet_of(_plan("itp-child-uk"), evidence).parts if part.id == "vaccines" for row in part.rows]
    measles = next(row[1] for row in rows if row[0].startswith("MMR"))
    assert measles == "Not before 20 Sep 2027"


def test_nobody_under_the_skin_is_told_of_a_vein(evidence: Evidence) -> None:
    """A weekly infusion under the skin has no tube in a vein and no drip that is sped up."""
    text = leaflet_text(leaflet_of(_plan("scig-switch-us"), evidence))
    assert "into a vein" not in text
    assert "The drip starts slowly" not in text
    assert "into a vein" in leaflet_text(leaflet_of(_plan("pid-adult-us"), evidence))


def test_the_length_is_the_plans_not_a_general_one(evidence: Evidence) -> None:
    """Kawasaki disease: at least 10 h from 09:00; no general '2-4 h' beside it."""
    text = leaflet_text(leaflet_of(_plan("kawasaki-infant-us"), evidence))
    assert "Ends: 19:00 at the earliest" in text
    assert "2-4 h" not in text


HOSTILE = '<script>alert(1)</script> #panic("x") *b* $y$'


def test_text_of_a_record_is_never_markup(evidence: Evidence) -> None:
    """A name with tags and typesetting commands is shown as it is, in HTML and in both PDFs."""
    made = msgspec.structs.replace(_plan("dermatomyositis-us"), patient=HOSTILE)
    leaflet = leaflet_of(made, evidence)
    assert "<script" not in leaflet_html(leaflet)
    for data in (leaflet_pdf(leaflet, made), plan_pdf(made)):
        text = "".join(PdfReader(io.BytesIO(data)).pages[0].extract_text().split())
        assert "".join(HOSTILE.split()) in text


def test_pdf_holds_the_plan_and_is_the_same_every_time(evidence: Evidence) -> None:
    """Dose, rate and time of the plan stand in its PDF, dose and times in the leaflet's; the same plan gives the same bytes."""
    made = _plan("dermatomyositis-us")
    sheets, leaflet = plan_pdf(made), leaflet_of(made, evidence)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(sheets)).pages).split())
    for said in ("38 g on each of 4 consecutive days", "No faster than 137 mL/h", "12:17"):
        assert said in text
    handout = leaflet_pdf(leaflet, made, link="https://ivigil.example/l/1", code=qr_svg("https://ivigil.example/l/1"))
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(handout)).pages).split())
    assert "38 g on each of 4 consecutive days" in text
    assert "https://ivigil.example/l/1" in text
    assert plan_pdf(made) == sheets


def test_paper_is_that_of_the_place() -> None:
    """Letter in the United States and Canada, A4 elsewhere."""
    assert [paper_of(place) for place in ("US", "CA-ON", "UK-ENG", "AU")] == ["us-letter", "us-letter", "a4", "a4"]


def test_the_calendar_has_every_treatment_day_at_its_time(evidence: Evidence) -> None:
    """Four days from 20 Nov 2026, 09:00 to 12:17; the review by 20 May 2027; no name and no diagnosis in it."""
    made = _plan("dermatomyositis-us")
    text = calendar_file(made, leaflet_of(made, evidence))
    events = [{name: str(event[name]) for name in ("SUMMARY",)} | {name: event.decoded(name) for name in ("DTSTART", "DTEND")}
              for event in Calendar.from_ical(text).walk("VEVENT")]
    treated = [f"{event['DTSTART']:%Y-%m-%d %H:%M}-{event['DTEND']:%H:%M}" for event in events if "treatment, day" in event["SUMMARY"]]
    assert treated == [f"2026-11-{day} 09:00-12:17" for day in (20, 21, 22, 23)]
    assert date(2027, 5, 20) in [event["DTSTART"] for event in events if event["SUMMARY"].startswith("Review")]
    assert made.patient not in text
    assert "ermatomyositis" not in text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "hospital.example/7", "https://x.example/\n", "https://" + "x" * 600])
def test_a_code_leads_to_a_web_address_only(address: str) -> None:
    """Anything else is refused with a remedy."""
    with pytest.raises(BadInput):
        qr_svg(address)
