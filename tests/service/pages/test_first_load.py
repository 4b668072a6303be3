"""What a browser loads for the first sight of a page: at most 100 kB, nothing from elsewhere; and what must never be compressed is not."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from tests.service.pages.reading import Page

ROOT = Path(__file__).resolve().parents[3]
RECORDS = sorted((ROOT / "patients").glob("*.yaml"))
BROWSER = {"accept-encoding": "gzip, deflate, br, zstd", "sec-fetch-site": "none", "accept": "text/html"}
MOST = 100_000


def travelled(answer: Response) -> int:
    """The bytes of the answer as they went over the wire, headers and all."""
    return int(answer.headers["content-length"]) + sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)


def first_load(client: TestClient, page: Response) -> int:
    """The page and everything that it loads, for a browser that has nothing of it yet."""
    found = Page(page.text)
    names = {address for kind, address in found.addresses if kind in {"href", "src"} and "/static/" in address}
    assert names
    files = [client.get(name, headers={**BROWSER, "sec-fetch-site": "same-origin", "accept": "*/*"}) for name in sorted(names)]
    assert all(file.status_code == 200 for file in files)
    return travelled(page) + sum(map(travelled, files))


PAGES = ["/", "/plan", "/plan/form", "/plan?example=itp-adult-us", "/compare", "/compare?example=itp-adult-us", "/forecast",
         "/forecast?example=pid-adult-us&dose=0.4 g/kg&every=4 week", "/ask", "/evidence/", "/review", "/plan/saved"]


@pytest.mark.parametrize("address", PAGES)
def test_the_first_load_of_a_page_stays_below_100_kb(client: TestClient, address: str) -> None:
    """Page, styles, scripts and icon together, compressed as browsers ask for it."""
    page = client.get(address, headers=BROWSER)
    assert page.status_code == 200, address
    assert page.headers["content-encoding"] == "gzip"
    assert first_load(client, page) <= MOST


@pytest.mark.parametrize("record", RECORDS, ids=[path.stem for path in RECORDS])
def test_the_first_load_of_every_example_plan_stays_below_100_kb(client: TestClient, record: Path) -> None:
    """A plan is the largest page; a record posted from the start page."""
    place = {"uk": "UK", "ontario": "CA-ON", "au": "AU", "eu": "EU"}.get(record.stem.rpartition("-")[2], "US")
    form = {"record": record.read_text(encoding="utf-8"), "jurisdiction": place}
    page = client.post("/plan", data=form, headers={**BROWSER, "sec-fetch-site": "same-origin"})
    assert page.status_code == 200
    assert page.headers["content-encoding"] == "gzip"
    assert first_load(client, page) <= MOST


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
def test_a_page_that_another_site_may_have_asked_for_is_not_compressed(client: TestClient, site: str) -> None:
    """Its length would tell of its content; a browser too old to say where a request comes from gets it plain too. The page is the same."""
    headers = {name: value for name, value in {**BROWSER, "sec-fetch-site": site}.items() if value}
    plain = client.get("/plan?example=itp-adult-us", headers=headers)
    assert "content-encoding" not in plain.headers
    assert plain.text == client.get("/plan?example=itp-adult-us", headers=BROWSER).text


def test_files_are_compressed_for_everybody(client: TestClient) -> None:
    """They are the same for all and hold nothing of anybody; the same bytes come out."""
    for name in ("pages.css", "pages.js", "htmx-2.0.11.min.js"):
        packed = client.get(f"/static/{name}", headers={"accept-encoding": "gzip", "sec-fetch-site": "cross-site"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["vary"]
        plain = client.get(f"/static/{name}", headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert packed.content == plain.content


@pytest.mark.parametrize(("accepted", "packed"), [
    ("gzip", True), ("GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("br", False), ("", False),
])
def test_only_who_takes_gzip_gets_it(client: TestClient, accepted: str, packed: bool) -> None:
    """As Accept-Encoding says, nought meaning not at all."""
    answer = client.get("/", headers={**BROWSER, "accept-encoding": accepted})
    assert ("content-encoding" in answer.headers) is packed


def test_what_programs_read_stays_as_it_is(client: TestClient) -> None:
    """REST, cards and downloads keep their bytes and their length; so do answers to HEAD and small ones."""
    headers = {**BROWSER, "sec-fetch-site": "same-origin", "accept": "*/*"}
    record = RECORDS[0].read_text(encoding="utf-8")
    for answer in (client.get("/api/v1/openapi.json", headers=headers), client.get("/cds-services", headers=headers), client.get("/healthz", headers=headers),
                   client.post("/plan/json", data={"record": record, "jurisdiction": "US"}, headers=headers), client.head("/", headers=headers)):
        assert "content-encoding" not in answer.headers


def test_a_compressed_page_is_the_page(client: TestClient) -> None:
    """Unpacked it is byte for byte the plain one, and its length is told rightly."""
    with client.stream("GET", "/", headers=BROWSER) as answer:
        raw = b"".join(answer.iter_raw())
    assert len(raw) == int(answer.headers["content-length"])
    assert gzip.decompress(raw) == client.get("/", headers={"accept-encoding": "identity"}).content
