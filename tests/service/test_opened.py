"""Records that come from a record system open on the plan page, with what could not be read above it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, bundle, daily, order

from ivigil.service.opened import open_record
from ivigil.service.smart.app_launch import Gathered


@pytest.fixture
def opening(app: FastAPI) -> Iterator[tuple[TestClient, list[Gathered]]]:
    """A browser, and what the record system gives when it comes."""
    given: list[Gathered] = []

    async def come(request: Request) -> Response:
        return await open_record(request, given[0])

    app.add_api_route("/come", come)
    with TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        yield client, given


def test_the_patient_in_context_is_planned(opening: tuple[TestClient, list[Gathered]]) -> None:
    """The page shows the plan, and names the list that was refused."""
    client, given = opening
    record = msgspec.json.encode(bundle(PATIENT, WEIGHT, HEIGHT, order(amount(28, "g"), daily(5), status="active")))
    given.append(Gathered(record, {}, ("AllergyIntolerance: refused",)))
    page = client.get("/come")
    assert page.status_code == 200
    assert "Guillain-Barre" in page.text
    assert "AllergyIntolerance: refused" in page.text


def test_a_record_that_cannot_be_planned_shows_why(opening: tuple[TestClient, list[Gathered]]) -> None:
    """A daily dose that was meant for the course is refused with its reason, on the page where the record can be changed."""
    client, given = opening
    given.append(Gathered(msgspec.json.encode(bundle(PATIENT, WEIGHT, HEIGHT, order(amount(2, "g/kg"), daily(5)))), {}))
    page = client.get("/come")
    assert page.status_code == 422
    assert "10 g/kg" in page.text
