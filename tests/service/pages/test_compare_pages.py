"""The comparison: two plans of one patient, each as it is planned alone."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

from ivigil.planning.choices import Choices
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital

ROOT = Path(__file__).resolve().parents[3]
CIDP = (ROOT / "patients" / "cidp-obese-ontario.yaml").read_text(encoding="utf-8")


def test_both_sides_are_the_plans_made_alone(client: TestClient, us_hospital: Hospital) -> None:
    """The dose line of each place stands in its column, and the lines that differ are named."""
    text = Page(client.post("/compare", data={"record": CIDP, "first:jurisdiction": "CA-ON", "second:jurisdiction": "AU"}).text).text
    for place in ("CA-ON", "AU"):
        line = us_hospital.plan_of(CIDP.encode(), Choices(jurisdiction=place), today()).line("course.days")
        assert line is not None
        assert line.text in text
    assert "Line by line" in text


def test_from_a_plan_both_sides_begin_with_its_choices(client: TestClient) -> None:
    """The page reached from a plan compares it with itself until something is changed."""
    fields = Page(client.post("/plan", data={"record": CIDP, "jurisdiction": "CA-ON"}).text).fields
    answer = client.post("/compare", data=fields)
    assert answer.status_code == 200
    assert "Both plans say the same" in answer.text


def test_problems_of_both_sides_come_together(client: TestClient) -> None:
    """An unknown place on one side and an unknown product on the other are told at once, each with its side."""
    answer = client.post("/compare", data={"record": CIDP, "first:jurisdiction": "Mars", "second:jurisdiction": "AU", "second:product": "milk"})
    assert answer.status_code == 422
    text = Page(answer.text).text
    assert "A, jurisdiction" in text
    assert "B, product" in text


def test_the_start_page_and_examples_lead_to_comparisons(client: TestClient) -> None:
    """Without a record one is asked for; each example can be compared."""
    page = Page(client.get("/compare").text)
    assert ("href", "/compare?example=cidp-obese-ontario&jurisdiction=CA-ON") in page.addresses
    assert client.post("/compare", data={"record": " "}).status_code == 422
    assert client.get("/compare?example=cidp-obese-ontario&jurisdiction=CA-ON").status_code == 200
