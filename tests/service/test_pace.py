"""How fast one caller may ask: nobody gets more than the rate and the burst, nobody is held up by another, and a watcher on this machine never waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st
from tests.service.cards.sample import amount, call, daily, order
from tests.service.conftest import HERE

from ivigil.basis.problems import BadInput
from ivigil.service import pace
from ivigil.service.app import application
from ivigil.service.auth import gate
from ivigil.service.auth.passwords import kept
from ivigil.service.clock import now
from ivigil.service.hospital import Hospital
from ivigil.service.pace import Buckets, network_of
from ivigil.service.settings import Rates, Settings, read_settings
from ivigil.service.store import Store

ORIGIN = "https://ivigil.hospital.example"
PASSWORD = "correct horse battery"
RECORD = "id: a\nsex: female\nborn: 1984-05-02\nweight: {value: 70 kg, on: 2026-11-18}\norder: {indication: itp-adult}\n"


@given(rate=st.floats(0.1, 50), burst=st.integers(1, 20), gaps=st.lists(st.floats(0, 3), max_size=80))
@example(rate=0.5, burst=1, gaps=[0.0, 0.7173199029607074, 0.0])
def test_no_caller_gets_more_than_rate_and_burst(rate: float, burst: int, gaps: list[float]) -> None:
    """In every stretch of time at most the burst and what the rate adds; after the wait that was told there is a token."""
    buckets, moment = Buckets(rate, burst), 0.0
    passed: list[float] = []
    for gap in gaps:
        moment += gap
        seconds = buckets.wait("a", moment)
        if not seconds:
            passed.append(moment)
        else:
            assert seconds >= 1
            moment += seconds
            assert buckets.wait("a", moment) == 0
            passed.append(moment)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - passed[first]) + 1e-6


def test_callers_do_not_hold_up_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that asked too much waits alone; what is remembered is bounded, and a clock that stands still does no harm."""
    monkeypatch.setattr(pace, "MOST_CALLERS", 3)
    buckets = Buckets(1, 2)
    assert [buckets.wait("a", 0) for _ in range(3)] == [0, 0, 1]
    assert buckets.wait("b", 0) == 0
    assert buckets.wait("a", 0) == 1
    for number in range(10):
        buckets.wait(str(number), 0)
    assert len(buckets._left) == 3


@pytest.mark.parametrize(("address", "network"), [
    ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"), ("2001:db8:1:2::9", "2001:db8:1:2::"), ("::ffff:192.0.2.7", "192.0.2.7"),
    ("testclient", "testclient"), ("", ""),
])
def test_an_ipv6_network_is_one_caller(address: str, network: str) -> None:
    """Whoever has a network could otherwise ask from 2^64 addresses."""
    assert network_of(address) == network


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands until it is moved."""
    moment = [100.0]
    monkeypatch.setattr(gate, "ticks", lambda: moment[0])
    return moment


def open_client(hospital: Hospital, address: str, rates: Rates) -> TestClient:
    """A caller in open mode."""
    return TestClient(application(hospital, Settings(rates=rates)), base_url=HERE, client=(address, 1))


def test_too_many_requests_are_told_how_long_to_wait(us_hospital: Hospital, standing: list[float]) -> None:
    """429 with Retry-After and the reason; after that time the caller is answered again."""
    client = open_client(us_hospital, "127.0.0.1", Rates(known=0.5, known_burst=2))
    assert [client.post("/api/v1/plan", content=RECORD).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.post("/api/v1/plan", content=RECORD)
    assert refused.headers["retry-after"] == "2"
    assert refused.json()["title"] == "Too much at once"
    assert "wait 2 s" in refused.json()["problems"][0]["remedy"]
    standing[0] += 2
    assert client.post("/api/v1/plan", content=RECORD).status_code == 200


def test_a_record_system_is_told_in_fhir(us_hospital: Hospital, standing: list[float]) -> None:
    """Errors at the addresses of CDS Hooks and FHIR are OperationOutcomes."""
    client = open_client(us_hospital, "127.0.0.1", Rates(known=1, known_burst=1))
    body = call("order-sign", order(amount(28, "g"), daily(5)))
    assert client.post("/cds-services/ivigil-order-sign", json=body).status_code == 200
    refused = client.post("/cds-services/ivigil-order-sign", json=body)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert refused.json()["issue"][0]["code"] == "throttled"


def test_the_standing_rates_carry_200_calls_a_second(us_hospital: Hospital, standing: list[float]) -> None:
    """One record system at one address, two hundred calls in each of ten seconds: none is told to wait."""
    client = open_client(us_hospital, "127.0.0.1", Rates())
    for _ in range(10):
        assert {client.get("/cds-services").status_code for _ in range(200)} == {200}
        standing[0] += 1


def test_a_watcher_on_this_machine_never_waits(us_hospital: Hospital, standing: list[float]) -> None:
    """Health, readiness and metrics answer it when everything else is refused, and cost no token; a caller behind a proxy is another."""
    client = open_client(us_hospital, "127.0.0.1", Rates(known=0.001, known_burst=1))
    assert client.get("/cds-services").status_code == 200
    assert client.get("/cds-services").status_code == 429
    for address in ("/healthz", "/readyz", "/metrics"):
        assert {client.get(address).status_code for _ in range(5)} == {200}
    assert client.get("/healthz", headers={"x-forwarded-for": "192.0.2.7"}).status_code == 429


def signed_in(hospital: Hospital, rates: Rates) -> Callable[[str, str], TestClient]:
    """Browsers of a service with sign-in, by address; a name signs in."""
    store = Store.in_memory()
    for name in ("anna", "ben"):
        store.people.add(now(), "test", name, ["prescriber"], password=kept(PASSWORD, "somebody", 12))
    app = application(hospital, Settings(mode="sign-in", public_url=ORIGIN, rates=rates), store)

    def browser(address: str, name: str) -> TestClient:
        one = TestClient(app, base_url=ORIGIN, client=(address, 1), headers={"sec-fetch-site": "same-origin"}, follow_redirects=False)
        if name:
            assert one.post("/sign-in", data={"name": name, "password": PASSWORD, "next": "/account"}).status_code == 303
        return one

    return browser


def test_a_stranger_has_a_small_bucket_and_holds_up_nobody(us_hospital: Hospital, standing: list[float]) -> None:
    """By address, static files not counted; people who signed in from the same address go on."""
    browser = signed_in(us_hospital, Rates(strangers=1, strangers_burst=3))
    anna, stranger, elsewhere = browser("192.0.2.1", "anna"), browser("192.0.2.1", ""), browser("192.0.2.2", "")
    assert [stranger.get("/plan").status_code for _ in range(4)] == [401, 401, 429, 429], "signing in took the first"
    assert stranger.get("/static/pages.css").status_code == 200
    assert elsewhere.get("/plan").status_code == 401
    assert {anna.get("/plan").status_code for _ in range(20)} == {200}


def test_a_person_is_one_caller_from_every_address(us_hospital: Hospital, standing: list[float]) -> None:
    """Two browsers share a bucket; another person at one of the addresses has another."""
    browser = signed_in(us_hospital, Rates(known=1, known_burst=6))
    here, there, ben = browser("192.0.2.1", "anna"), browser("192.0.2.2", "anna"), browser("192.0.2.3", "ben")
    assert [one.get("/plan").status_code for one in (here, there) for _ in range(4)] == [200, 200, 200, 200, 200, 200, 429, 429]
    assert ben.get("/plan").status_code == 200


def test_rates_are_checked_with_the_settings() -> None:
    """A rate of nothing would shut everybody out."""
    assert read_settings("rates: {known: 50, strangers: 2.5}", "s").rates == Rates(known=50, strangers=2.5)
    with pytest.raises(BadInput, match="lets nothing through"):
        read_settings("rates: {known: 0}", "s")
    with pytest.raises(BadInput, match="lets nothing through"):
        read_settings("rates: {strangers_burst: 0.5}", "s")
