"""The plan worked with in a real browser, by mouse and keyboard. That every page is right is walked by tools/walk_pages.py."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from ivigil.service.app import application
from ivigil.service.hospital import Hospital

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
playwright_api = pytest.importorskip("playwright.sync_api")
axe_api = pytest.importorskip("axe_playwright_python.sync_playwright")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK = (1440, 900)


@pytest.fixture(scope="module")
def address(us_hospital: Hospital) -> Iterator[str]:
    """The service on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(application(us_hospital), host="127.0.0.1", port=port, log_level="error", ws="none", loop="asyncio", http="h11"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    with playwright_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Any]:
    """Opens a page at a size; at the end nothing may have been complained of or asked of elsewhere."""
    contexts: list[Any] = []
    wrong: list[str] = []

    def open_page(path: str, size: tuple[int, int] = DESK, scheme: str = "light", scripts: bool = True) -> Any:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, java_script_enabled=scripts, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} and "404" not in said.text and "422" not in said.text else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(address) else wrong.append(f"asked for {asked.url}"))
        page.goto(f"{address}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong


def _violations(page: Any) -> list[str]:
    found = axe_api.Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary'][:300]}" for one in found for node in one["nodes"][:3]]


def test_buttons_that_lead_elsewhere_do(opened: Any) -> None:
    """Files come down, the plan is saved, other pages open: with scripts as without."""
    page = opened("/plan?example=itp-adult-us")
    for button, name in (("Plan as JSON", "plan.json"), ("Calendar file", "plan.ics"), ("Record with your answers", "record.yaml")):
        with page.expect_download() as coming:
            page.get_by_role("button", name=button).click()
        assert coming.value.suggested_filename == name
    page.get_by_role("button", name="Save the plan and get a link").click()
    page.wait_for_url("**/plan/saved/*")
    assert "It comes out the same today, byte for byte." in page.locator("main").inner_text()
    page.get_by_role("button", name="IgG forecast").click()
    page.wait_for_url("**/forecast")
    page.get_by_role("button", name="The plan").click()
    page.wait_for_url("**/plan")


def test_an_answer_makes_the_plan_again_and_the_focus_goes_to_what_changed(opened: Any) -> None:
    """A click on an answer is enough; keyboard and screen reader users land on the difference."""
    page = opened("/plan?example=itp-adult-us")
    before = page.locator(".status").inner_text()
    page.get_by_role("radio", name="no").first.check()
    page.wait_for_selector("#changes")
    assert page.locator(".status").inner_text() != before
    assert page.evaluate("document.activeElement.id") == "changes"
    assert _violations(page) == []


def test_reasons_open_in_place_once(opened: Any) -> None:
    """Opening why loads the tree into the line; its links lead into the evidence."""
    page = opened("/plan?example=itp-adult-us")
    line = page.locator("li.line", has_text="on each of 2 consecutive days").first
    line.locator("details.why > summary").click()
    line.locator(".tree").wait_for()
    assert "rests on" in line.inner_text()
    assert line.locator(".tree a").first.get_attribute("href").startswith("/evidence/")


def test_a_changed_product_shows_the_difference_and_a_wrong_dose_says_why(opened: Any) -> None:
    """Another product is planned at once; 5 g/kg is refused above the plan that stands, and stays in its field."""
    page = opened("/plan?example=itp-adult-us")
    page.select_option("#c-product", "gamunex-c-us")
    page.wait_for_selector("#changes:has-text('Gamunex-C')")
    page.fill("#c-dose", "5")
    page.locator(".change button.primary").click()
    page.wait_for_selector("#problems:has-text('above 2.2 g/kg')")
    assert page.input_value("#c-dose") == "5"
    assert "Gamunex-C" in page.locator(".glance").inner_text()


def test_the_plan_works_without_any_script(opened: Any) -> None:
    """Answers, updates and reasons are plain forms: the same plan comes from a browser that runs no script."""
    page = opened("/plan?example=itp-adult-us", scripts=False)
    page.get_by_role("radio", name="no").first.check()
    page.locator(".questions button.primary").click()
    assert page.locator("#changes").count() == 1


def test_the_keyboard_reaches_the_content_first(opened: Any) -> None:
    """The first stop of the tab key is the way past the navigation."""
    page = opened("/plan?example=itp-adult-us")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_the_plan_prints_without_navigation_and_with_its_sources(opened: Any, paper: str) -> None:
    """On paper the folded sources and tables are there, buttons and menus are not."""
    pypdf = pytest.importorskip("pypdf")
    from io import BytesIO

    page = opened("/plan?example=itp-adult-us")
    pages = pypdf.PdfReader(BytesIO(page.pdf(format=paper))).pages
    text = "\n".join(sheet.extract_text() for sheet in pages)
    assert "Update the plan" not in text
    assert "Written otherwise by NHS England" in " ".join(text.split())
    assert "Privigen, prescribing information" in " ".join(text.split())
    assert 3 < len(pages) < 30
