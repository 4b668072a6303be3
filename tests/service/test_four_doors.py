"""One plan behind four doors: the command line, REST, the page and the link of a card give the same bytes."""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient
from tests.service.cards.sample import amount, call, daily, order
from tests.service.conftest import HERE
from typer.testing import CliRunner

from ivigil.cli.app import app as commands
from ivigil.service.clock import today

SIGN = "/cds-services/ivigil-order-sign"


def test_the_plan_behind_a_card_is_the_same_at_every_door(client: TestClient, tmp_path: Path) -> None:
    """An order is signed; the Bundle behind the card's link is planned on the command line, over REST and on the page."""
    day = today().isoformat()
    cards = client.post(SIGN, json=call("order-sign", order(amount(28, "g"), daily(5)))).json()["cards"]
    address = next(link["url"] for card in cards for link in card["links"]).removeprefix(HERE)
    linked = client.get(address, params={"format": "json"}).content
    bundle = client.get(address, params={"format": "bundle"}).content
    (tmp_path / "bundle.json").write_bytes(bundle)
    choices = ["--jurisdiction", "US", "--as-of", day]
    printed = CliRunner().invoke(commands, ["plan", str(tmp_path / "bundle.json"), *choices, "--format", "json"]).stdout.encode()
    over_rest = client.post(f"/api/v1/plan?jurisdiction=US&as_of={day}", content=bundle).content
    from_page = client.post("/plan/json", data={"record": bundle.decode(), "jurisdiction": "US", "as_of": day}).content
    assert linked.startswith(b"{")
    assert linked == printed == over_rest == from_page
