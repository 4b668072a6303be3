"""Nobody gets in whom the store does not know, and no other web site acts in a person's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from ivigil.service.app import application
from ivigil.service.auth.doors import local
from ivigil.service.auth.gate import open_to_all
from ivigil.service.hospital import Hospital
from ivigil.service.settings import RecordSystems, Settings
from ivigil.service.store import Store

from .conftest import ORIGIN, PASSWORD

ROOT = Path(__file__).resolve().parents[3]
RECORD = (ROOT / "patients" / "itp-adult-us.yaml").read_bytes()


def _doors(routes: Any) -> Iterator[APIRoute]:
    """Every route, also those of routers within routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from _doors(route.original_router.routes)


def test_every_door_is_shut_to_strangers(guarded: FastAPI, stranger: TestClient) -> None:
    """Walks every route there is: what is not on the short list of open addresses is refused, for a program and for a browser."""
    shut = 0
    for route in _doors(guarded.routes):
        address = re.sub(r"\{[^}]+\}", "x", route.path)
        if open_to_all(address):
            continue
        for method in route.methods or ():
            answer = stranger.request(method, address, headers={"accept": "application/json"})
            assert answer.status_code == 401, (method, address)
            assert answer.headers["www-authenticate"] == "Bearer"
        if "GET" in (route.methods or ()) and not address.startswith("/api/"):
            page = stranger.get(address, headers={"accept": "text/html"})
            assert page.status_code in {303, 401}, address
        shut += 1
    assert shut > 20


def test_the_list_of_open_addresses_cannot_be_stretched() -> None:
    """A longer word with an open beginning is not open."""
    assert open_to_all("/sign-in")
    assert open_to_all("/static/pages.css")
    assert open_to_all("/cds-services/order-sign")
    for shut in ("/sign-in-as", "/staticky", "/cds-servicesx", "/healthz/x", "/api/v1/plan", "/", "/smart/launch", "/auth/passkeys/begin"):
        assert not open_to_all(shut), shut


def test_a_person_signs_in_works_and_signs_out(as_user: Callable[[str], TestClient], store: Store) -> None:
    """The cookie is for this host alone, unreadable to scripts, and dead after sign-out even if somebody copied it."""
    anna = as_user("anna")
    cookie = anna.cookies["__Host-ivigil"]
    assert "anna" in anna.get("/account", headers={"accept": "text/html"}).text
    assert anna.post("/api/v1/plan?as_of=2026-11-20", content=RECORD).status_code == 200
    gone = anna.post("/sign-out")
    assert gone.status_code == 303
    anna.cookies.clear()
    anna.cookies.set("__Host-ivigil", cookie, domain="ivigil.hospital.example")
    assert anna.get("/api/v1/plans").status_code == 401
    acts = [(entry.act, entry.detail) for entry in store.audit.entries() if entry.act.startswith("signed.")]  # the note on the plan is written a moment later
    assert acts == [("signed.in", '{"how":"password"}'), ("signed.out", "{}")]


def test_the_cookie_is_as_strict_as_its_use_allows(us_hospital: Hospital, store: Store, stranger: TestClient) -> None:
    """Secure, HttpOnly, SameSite; partitioned where a record system frames the pages."""
    form = {"name": "anna", "password": PASSWORD}
    header = stranger.post("/sign-in", data=form).headers["set-cookie"]
    assert header.startswith("__Host-ivigil=")
    for part in ("; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"):
        assert part in header
    framed = application(us_hospital, Settings(mode="sign-in", public_url=ORIGIN, frame_ancestors=("https://ehr.example",)), store)
    header = TestClient(framed, base_url=ORIGIN, follow_redirects=False).post("/sign-in", data=form).headers["set-cookie"]
    assert "SameSite=None; Partitioned" in header
    plain = application(us_hospital, Settings(mode="sign-in"), store)
    header = TestClient(plain, base_url="http://127.0.0.1:8080", follow_redirects=False).post("/sign-in", data=form).headers["set-cookie"]
    assert header.startswith("ivigil=")
    assert "SameSite=Strict" in header


@pytest.mark.parametrize("forged", ["", "x", "A" * 43, "../../etc", "' OR 1=1 --", "\u00fc" * 10, "a" * 5000])
def test_forged_sessions_and_tokens_are_refused(stranger: TestClient, forged: str) -> None:
    """Whatever a cookie or a token says, only what the store issued counts."""
    written = forged.encode("latin-1", "replace")
    assert stranger.get("/api/v1/plans", headers=[(b"cookie", b"__Host-ivigil=" + written)]).status_code == 401
    assert stranger.get("/api/v1/plans", headers=[(b"authorization", b"Bearer " + written)]).status_code == 401
    assert stranger.get("/api/v1/plans", headers=[(b"authorization", b"Basic " + written)]).status_code == 401


def test_another_web_site_cannot_act_in_a_persons_name(as_user: Callable[[str], TestClient]) -> None:
    """By fetch metadata, by origin, and by nothing at all where a cookie comes along."""
    anna = as_user("anna")
    address = "/api/v1/plans?as_of=2026-11-20"
    for headers in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"sec-fetch-site": "", "origin": ORIGIN}):
        assert anna.post(address, content=RECORD, headers=headers).status_code == 403, headers
    anna.headers.pop("sec-fetch-site")
    for origin, status in ((ORIGIN, 201), ("https://evil.example", 403), ("null", 403), ("http://ivigil.hospital.example", 403), (None, 403)):
        answer = anna.post(address, content=RECORD, headers={"origin": origin} if origin else {})
        assert answer.status_code == status, origin
    assert len(anna.get("/api/v1/plans").json()["plans"]) == 1
    forced = anna.post("/sign-in", data={"name": "ben", "password": PASSWORD}, headers={"origin": "https://evil.example"})
    assert forced.status_code == 403, "nor sign them in as somebody else"


def test_open_mode_is_no_door_for_other_web_sites_either(client: TestClient) -> None:
    """A page elsewhere in the same browser cannot make plans on this machine; a program without a browser can."""
    address = "/api/v1/plan?as_of=2026-11-20"
    assert client.post(address, content=RECORD, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post(address, content=RECORD, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post(address, content=RECORD, headers={"origin": "http://127.0.0.1"}).status_code == 200
    assert client.post(address, content=RECORD).status_code == 200


def test_only_named_origins_may_call_cards_from_a_browser(us_hospital: Hospital) -> None:
    """A record system that calls from its web page is named in the settings."""
    app = application(us_hospital, Settings(record_systems=RecordSystems(origins=("https://ehr.example",))))
    client = TestClient(app, base_url="http://127.0.0.1")
    assert client.post("/cds-services/nothing", headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/cds-services/nothing", headers={"origin": "https://ehr.example"}).status_code != 403


def test_a_program_works_with_a_token(store: Store, guarded: FastAPI) -> None:
    """As its user, without cookie and origin; never at addresses where another token is meant."""
    from ivigil.service.clock import now

    token = store.people.issue_token(now(), "test", "anna", "robot", 1)
    robot = TestClient(guarded, base_url=ORIGIN, headers={"authorization": f"Bearer {token}"})
    kept = robot.post("/api/v1/plans?as_of=2026-11-20", content=RECORD)
    assert kept.status_code == 201
    assert robot.get(kept.headers["location"]).status_code == 200


def test_pages_say_who_is_signed_in_or_that_nobody_is_asked(as_user: Callable[[str], TestClient], client: TestClient) -> None:
    """The mode is visible on every page."""
    assert "Open mode:" in client.get("/", headers={"accept": "text/html"}).text
    page = as_user("anna").get("/", headers={"accept": "text/html"}).text
    assert 'Signed in as <a href="/account">anna</a>' in page
    assert "Open mode" not in page


def test_a_strangers_plan_is_not_there(as_user: Callable[[str], TestClient]) -> None:
    """For a colleague and for an administrator alike: 404, as for a plan that never was."""
    anna, ben = as_user("anna"), as_user("ben")
    place = anna.post("/api/v1/plans?as_of=2026-11-20", content=RECORD).headers["location"]
    never = ben.get("/api/v1/plans/AAAAAAAAAAAAAAAAAAAAAA")
    for address in (place, f"{place}/plan", f"{place}/record"):
        answer = ben.get(address)
        assert answer.status_code == never.status_code == 404
        assert answer.json()["problems"][0]["why"] == never.json()["problems"][0]["why"]
    assert ben.delete(place).status_code == 404
    assert ben.get("/api/v1/plans").json()["plans"] == []
    assert anna.get(place).status_code == 200


def test_roles_add_and_never_leak(as_user: Callable[[str], TestClient]) -> None:
    """A prescriber keeps plans and does not read the trail; an administrator the other way round."""
    anna, ben = as_user("anna"), as_user("ben")
    assert anna.get("/api/v1/audit").status_code == 403
    assert ben.get("/api/v1/audit").json()["entries"][0]["seq"] == 1
    refused = ben.post("/api/v1/plans?as_of=2026-11-20", content=RECORD)
    assert refused.status_code == 403
    assert "prescriber" in refused.json()["problems"][0]["why"]


@pytest.mark.parametrize("name", ["anna", "nobody", "cleo", "", "' OR 1=1 --", "anna\x00"])
def test_a_wrong_password_tells_nothing_about_the_name(stranger: TestClient, name: str) -> None:
    """Known, unknown and disabled names get the same words."""
    password = PASSWORD if name == "cleo" else "wrong password"
    answer = stranger.post("/sign-in", data={"name": name, "password": password, "next": "/"})
    assert answer.status_code == 401
    assert "name and password do not belong together" in answer.text
    assert "set-cookie" not in answer.headers


def test_guessing_is_slowed_down_for_the_guesser_and_not_for_the_person(stranger: TestClient, guarded: FastAPI, store: Store) -> None:
    """After three failures the address waits, with the right password too; from elsewhere the person gets in."""
    for _ in range(3):
        assert stranger.post("/sign-in", data={"name": "anna", "password": "wrong"}).status_code == 401
    waits = stranger.post("/sign-in", data={"name": "anna", "password": PASSWORD})
    assert waits.status_code == 429
    assert int(waits.headers["retry-after"]) == 15 * 60
    elsewhere = TestClient(guarded, base_url=ORIGIN, client=("10.0.0.7", 1), follow_redirects=False)
    assert elsewhere.post("/sign-in", data={"name": "anna", "password": PASSWORD}).status_code == 303
    assert [entry.act for entry in store.audit.entries()].count("sign-in.failed") == 3


@pytest.mark.parametrize(("target", "onward"), [
    ("/plan", "/plan"), ("/evidence/?q=a&b=c", "/evidence/?q=a&b=c"), ("https://evil.example/", "/"), ("//evil.example/", "/"), ("/\\evil.example", "/"),
    ("javascript:alert(1)", "/"), ("", "/"), ("plan", "/"), ("/\tx", "/"), ("/a\r\nset-cookie: x", "/"),
])
def test_after_sign_in_one_of_our_pages_opens(target: str, onward: str) -> None:
    """A link to the sign-in page cannot send a person elsewhere."""
    assert local(target) == onward


def test_a_browser_is_sent_to_sign_in_and_back(stranger: TestClient) -> None:
    """With the page that was asked for; a form that was sent meanwhile is refused, not lost in a redirect."""
    answer = stranger.get("/plan?x=1", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fplan%3Fx%3D1")
    assert 'value="/plan?x=1"' in stranger.get(answer.headers["location"]).text
    assert stranger.post("/plan", headers={"accept": "text/html"}).status_code == 401
