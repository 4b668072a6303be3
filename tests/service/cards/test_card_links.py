"""The link of a card: opens the whole plan at every worker, after a restart, with the evidence named."""

from __future__ import annotations

import json
from pathlib import Path

from fastapi.testclient import TestClient
from tests.service.cards.sample import HEIGHT, PATIENT, WEIGHT, amount, call, daily, order
from tests.service.conftest import HERE
from tests.service.pages.reading import Page
from typer.testing import CliRunner

from ivigil.cli.app import app as commands
from ivigil.service.app import application
from ivigil.service.clock import now, today
from ivigil.service.hospital import Hospital
from ivigil.service.settings import RecordSystems, Settings
from ivigil.service.store import Store
from ivigil.service.store.links import CardLinks, Linked

SIGN = "/cds-services/ivigil-order-sign"
ORDER = order(amount(28, "g"), daily(5))


def worker(hospital: Hospital, url: str) -> TestClient:
    """One of several workers over one database."""
    return TestClient(application(hospital, store=Store.at(url)), base_url=HERE, client=("127.0.0.1", 1))


def link_of(client: TestClient) -> str:
    """The link of the cards of an order: the same on both."""
    cards = client.post(SIGN, json=call("order-sign", ORDER)).json()["cards"]
    (address,) = {link["url"] for card in cards for link in card["links"]}
    assert isinstance(address, str)
    return address.removeprefix(HERE)


def test_a_link_opens_at_every_worker_and_after_a_restart(us_hospital: Hospital, tmp_path: Path) -> None:
    """The page, the plan and the Bundle are the same wherever the link is opened; the Bundle gives the same plan on the command line."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with worker(us_hospital, url) as first:
        address = link_of(first)
        here = {form: first.get(address, params={"format": form}).content for form in ("json", "bundle")}
        page = Page(first.get(address).text)
    for _ in range(2):  # the first one has ended; others open the same database
        with worker(us_hospital, url) as other:
            assert {form: other.get(address, params={"format": form}).content for form in here} == here
            assert Page(other.get(address).text).text == page.text
    bundle = tmp_path / "bundle.json"
    bundle.write_bytes(here["bundle"])
    printed = CliRunner().invoke(commands, ["plan", str(bundle), "--jurisdiction", "US", "--format", "json"])
    assert printed.stdout.encode() == here["json"]


def test_a_link_says_when_the_evidence_is_no_longer_that_of_the_card(client: TestClient, us_hospital: Hospital) -> None:
    """A verdict may come between the card and the click."""
    links: CardLinks = client.app.state.store.links  # type: ignore[attr-defined]
    said = "The card was made with evidence"
    assert said not in client.get(link_of(client)).text
    resources = json.dumps([PATIENT, WEIGHT, HEIGHT, ORDER]).encode()
    name = links.put(now(), Linked(resources, "p", today(), "0123456789abcdef"))
    told = Page(client.get(f"/cards/plans/{name}").text).text
    assert f"{said} 0123456789abcdef. This is the plan of today's evidence {us_hospital.evidence.version}." in told


def test_no_link_is_given_out_for_a_launch(us_hospital: Hospital) -> None:
    """Where the link is a SMART launch nothing of the patient is kept."""
    app = application(us_hospital, Settings(record_systems=RecordSystems(smart_client_id="ivigil")))
    with TestClient(app, base_url=HERE, client=("127.0.0.1", 1)) as client:
        cards = client.post(SIGN, json=call("order-sign", ORDER)).json()["cards"]
        assert {link["type"] for card in cards for link in card["links"]} == {"smart"}
    assert not app.state.store.links._fresh
