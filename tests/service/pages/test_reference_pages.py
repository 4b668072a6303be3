"""The evidence pages as they are served: every page there is, every link leads somewhere, searches find, nothing in an address becomes markup."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

from ivigil.service.hospital import Hospital
from ivigil.service.pages.reference import reference_of

SOME = (
    "",
    "indications/index.html",
    "indications/cidp.html",
    "products/privigen-us.html",
    "rules/index.html",
    "vaccine-intervals.html",
    "coverage",
    "disagreements",
    "disagreements?topic=cidp",
    "search?q=maltose",
)


@pytest.mark.parametrize("name", SOME)
def test_each_kind_of_page_is_served_inside_the_frame(client: TestClient, name: str) -> None:
    """One main landmark, one first heading, the surface named, and no piece of the static site's own frame."""
    answer = client.get(f"/evidence/{name}")
    assert answer.status_code == 200
    assert "Clinician reference" in answer.text
    assert len(re.findall(r"<h1[ >]", answer.text)) == 1
    assert answer.text.count("<main") == 1
    assert "search-index.js" not in answer.text


def test_every_page_of_the_static_site_is_served_live(us_hospital: Hospital) -> None:
    """The live evidence has the pages that ``ivigil evidence pages`` writes, and each can be written."""
    reference = reference_of(us_hospital)
    assert len(reference.writers) > len(us_hospital.evidence.indications) + len(us_hospital.evidence.products)
    for name in list(reference.writers)[::25]:
        written = reference.page(name)
        assert written is not None
        assert written.title


def test_links_of_a_page_lead_to_pages_and_anchors_that_are_there(client: TestClient) -> None:
    """From one indication every link is followed; every anchor exists on the page it points to."""
    start = "/evidence/indications/cidp.html"
    ids: dict[str, set[str]] = {}
    for kind, address in set(Page(client.get(start).text).addresses):
        if kind not in {"href", "src"}:
            continue
        target = urlsplit(urljoin(f"http://here{start}", address))
        assert target.netloc == "here", address
        if target.path not in ids:
            answer = client.get(f"{target.path}?{target.query}")
            assert answer.status_code == 200, address
            ids[target.path] = set(Page(answer.text).ids) if "html" in answer.headers["content-type"] else set()
        assert not target.fragment or target.fragment in ids[target.path], address


def test_a_search_finds_products_and_leads_to_them(client: TestClient) -> None:
    """Searching a brand finds its entry with a link that works."""
    page = Page(client.get("/evidence/search", params={"q": "privigen"}).text)
    assert ("href", "/evidence/products/privigen-us.html") in page.addresses
    assert "Nothing holds all of these words" in client.get("/evidence/search", params={"q": "zzzyx"}).text


def test_an_address_is_never_markup_and_never_a_file(client: TestClient) -> None:
    """Words of a search and names of pages come back as text; the file system is not reachable."""
    answer = client.get("/evidence/search", params={"q": "<script>alert(1)</script>"})
    assert "<script>alert" not in answer.text
    for name in ("../../../etc/passwd", "%2e%2e/%2e%2e/pyproject.toml", "<img src=x>", "a" * 5000):
        answer = client.get(f"/evidence/{name}", headers={"accept": "text/html"})
        assert answer.status_code == 404
        assert "<img src=x>" not in answer.text


def test_every_reason_of_a_plan_links_to_its_place_in_the_evidence(client: TestClient) -> None:
    """The statements of a dose line lead to anchors on the pages of their sources."""
    page = Page(client.get("/plan?example=itp-adult-us").text)
    part = Page(client.post("/plan/why", data={**page.fields, "line": "course.days"}, headers={"hx-request": "true"}).text)
    found = [address for name, address in part.addresses if name == "href"]
    assert any("#statement-" in address for address in found)
    for address in found[:4]:
        path, _, anchor = address.partition("#")
        assert anchor in {"", *Page(client.get(path).text).ids}
