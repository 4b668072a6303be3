"""What holds for every page: nothing from elsewhere, nothing inline, small, labelled; and errors drawn for people."""

from __future__ import annotations

import gzip
import re

import pytest
from fastapi.testclient import TestClient
from tests.service.pages.reading import Page

PAGES = ("/", "/plan", "/plan?example=itp-adult-us", "/plan?example=cidp-elderly-thrombosis-uk", "/evidence/", "/evidence/indications/cidp.html")
LARGEST_FIRST_LOAD = 100_000
"""The budget of the first visit in bytes, compressed: page, styles, scripts and picture."""


@pytest.mark.parametrize("address", PAGES)
def test_a_page_loads_nothing_from_elsewhere_and_holds_nothing_inline(client: TestClient, address: str) -> None:
    """Every address is one of ours, and the strict content security policy has nothing to forbid."""
    answer = client.get(address)
    page = Page(answer.text)
    assert all(where.startswith(("/", "#", "../")) or re.match(r"[a-z0-9./_-]+(#|$)", where) for _, where in page.addresses), page.addresses
    assert "http://" not in re.sub(r"http://www\.w3\.org/2000/svg", "", answer.text.split("<main", 1)[0])
    assert not [name for tag, name in page.attributes if name == "style" or name.startswith("on")]
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", answer.text)
    assert "<style" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("address", PAGES)
def test_the_first_load_is_small(client: TestClient, address: str) -> None:
    """The page with everything it loads stays below 100 kB compressed."""
    text = client.get(address).text
    files = {where for name, where in Page(text.split("<body", 1)[0]).addresses if name in {"href", "src"}}
    assert any("htmx" in file for file in files)
    size = len(gzip.compress(text.encode())) + sum(len(gzip.compress(client.get(file).content)) for file in files)
    assert size <= LARGEST_FIRST_LOAD, size


@pytest.mark.parametrize("address", PAGES)
def test_every_page_names_its_surface_and_has_one_heading(client: TestClient, address: str) -> None:
    """Planning, education, session record and reference are told apart on every page; ids are unique."""
    text = client.get(address).text
    page = Page(text)
    assert re.search(r'<p class="surface"><strong>(Clinician planning|Patient education|Session record|Clinician reference)</strong>', text)
    assert len(re.findall(r"<h1[ >]", text)) == 1
    assert len(page.ids) == len(set(page.ids))


def test_static_files_are_kept_and_nothing_else_is_served(client: TestClient) -> None:
    """Addresses of files change with their content, so browsers may keep them; other names are not there."""
    answer = client.get("/static/pages.css")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")
    for name in ("README.md", "..%2frender.py", "no.css"):
        assert client.get(f"/static/{name}").status_code == 404


def test_plans_are_never_kept_by_browsers(client: TestClient) -> None:
    """A page that may hold patient data is not stored."""
    assert client.get("/plan").headers["cache-control"] == "no-store"


def test_an_error_is_drawn_for_people(client: TestClient) -> None:
    """A missing page tells a browser what helps, inside the frame."""
    answer = client.get("/nowhere", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "Not found" in Page(answer.text).text
    assert "<nav" in answer.text
