"""The forecast page: the same forecast as everywhere, its curve without anything loaded, wrong fields told all at once."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital

ROOT = Path(__file__).resolve().parents[3]
CHILD = (ROOT / "patients" / "pid-child-au.yaml").read_text(encoding="utf-8")


def test_the_numbers_are_those_of_the_shared_forecast(client: TestClient, us_hospital: Hospital) -> None:
    """The next trough of the first model stands in the table as the shared function gives it."""
    record = us_hospital.records(CHILD.encode(), today())[0]
    made = forecast_for(record, Asked(target="9 g/L"), Wanted(jurisdiction="AU"), us_hospital.evidence, today())
    text = Page(client.post("/forecast", data={"record": CHILD, "jurisdiction": "AU", "target": "9 g/L"}).text).text
    trough = made.forecast.curves[0].summary.next_trough
    assert trough is not None
    assert f"{trough:.1f}" in text
    assert "Dose for a steady trough of 9 g/L" in text
    assert f"{made.options[0].grams:.1f}" in text


def test_the_curve_is_inside_the_page(client: TestClient) -> None:
    """The picture is SVG carried by the page, without scripts or addresses, and described in words."""
    text = client.get("/forecast?example=pid-child-au").text
    found = re.search(r'<img src="data:image/svg\+xml;base64,([^"]+)"[^>]* alt="([^"]+)"', text)
    assert found is not None
    svg = base64.b64decode(found[1]).decode()
    assert svg.startswith("<svg")
    assert "<script" not in svg
    assert "example-pid-child" not in svg
    assert "total IgG over time" in found[2]


def test_a_missed_dose_is_compared_with_none_missed(client: TestClient) -> None:
    """What-ifs show the lowest level with and without the change."""
    assert "without it" in client.get("/forecast?example=pid-child-au&missed=1").text


def test_every_wrong_field_is_told_at_once_and_kept(client: TestClient) -> None:
    """Weeks in words, a dose without number and a late dose without days come together; what was typed stays."""
    answer = client.post("/forecast", data={"record": CHILD, "weeks": "many", "missed": "first", "model": "none-such"})
    assert answer.status_code == 422
    for word in ("many", "first"):
        assert f"&#39;{word}&#39;" in answer.text
        assert f'value="{word}"' in answer.text


def test_without_a_record_it_asks_for_one(client: TestClient) -> None:
    """The start page offers the examples, each leading to a forecast."""
    page = Page(client.get("/forecast").text)
    assert ("href", "/forecast?example=pid-child-au&jurisdiction=AU") in page.addresses
    assert client.post("/forecast", data={"record": ""}).status_code == 422
