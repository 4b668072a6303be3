"""A walk through every page in a real browser: what it looks at is right, and it notices what it is there to notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import walk_pages as walking

pytestmark = pytest.mark.skipif(walking.CHROMIUM is None, reason="no Chromium on this machine")
playwright_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python.sync_playwright")
ARTEFACTS = Path(__file__).resolve().parents[2] / "artefacts" / "walk"
"""Screenshots and prints of the last run, kept out of the repository."""


def test_every_page_is_right_on_a_phone_and_at_a_desk() -> None:
    """Accessible, no sideways scrolling, nothing from elsewhere, no complaint of the browser, every control reached by the tab key and seen, and printable."""
    visits = walking.walk(ARTEFACTS, whole=False)
    assert {visit.width for visit in visits} == {walking.PHONE, walking.DESK}
    assert {visit.scheme for visit in visits} == {"light", "dark"}
    kinds = {visit.name.removeprefix("evidence-one-of-") for visit in visits if visit.name.startswith("evidence-one-of-")}
    assert kinds >= {"indications", "products", "rules", "sources"}
    assert [f"{visit.name} {visit.width} {visit.scheme}: {one}" for visit in visits for one in visit.wrong] == []
    assert all(visit.stops > 5 for visit in visits), "on every page the tab key goes somewhere"
    assert len(list(ARTEFACTS.glob("*.png"))) >= len(visits)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with playwright_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=walking.CHROMIUM, args=walking.FLAGS)
        yield found
        found.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh page."""
    one = browser.new_page()
    yield one
    one.close()


@pytest.mark.parametrize(("body", "said"), [
    ("<a href='#a'>one</a><button>two</button><input aria-label=x>", ""),
    ("<a href='#a'>one</a><button style='outline:none'>two</button>", "focus is not seen on BUTTON"),
    ("<button tabindex=2>one</button><a href='#a'>two</a><button tabindex=1>three</button>", "does not reach <button tabindex"),
    ("<a href='#a' id=a>one</a><button>two</button><input aria-label=x onfocus='document.getElementById(`a`).focus()'>", "jumps backwards"),
    ("<a href='#a'>one</a><button onfocus='this.blur()'>two</button><input aria-label=x>", "does not reach <button"),
])
def test_the_walk_by_keyboard_notices(page: Any, body: str, said: str) -> None:
    """A control without visible focus, out of order, or out of reach; a page in order has none of them."""
    page.set_content(f"<!doctype html><title>x</title><main>{body}</main>")
    wrong = walking.tab_through(page)[1]
    assert any(said in one for one in wrong) if said else wrong == []


def test_axe_is_really_asked(page: Any) -> None:
    """An image without words is found."""
    page.set_content("<!doctype html><html lang=en><title>x</title><main><h1>x</h1><img src='data:,'></main>")
    assert any("image-alt" in one for one in walking.violations(page))


def test_an_empty_print_is_noticed(page: Any, tmp_path: Path) -> None:
    """And so is one with the menu of the screen on it."""
    page.set_content("<!doctype html><title>x</title>")
    page.pdf(path=str(tmp_path / "empty.pdf"))
    assert walking.paper_faults(tmp_path / "empty.pdf") == ["the print is empty"]
    page.set_content("<!doctype html><title>x</title><p>To the content</p>" + "<p>Some lines of a plan that is printed.</p>" * 3)
    page.pdf(path=str(tmp_path / "menu.pdf"))
    assert walking.paper_faults(tmp_path / "menu.pdf") == ["the print shows 'To the content'"]
