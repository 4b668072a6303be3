"""Walks every page of the service in a real browser, at phone and desk width, light and dark, and keeps what it saw.

Run ``python tools/walk_pages.py --out DIR [--only WORD]`` where Chromium is installed. The service is started as a hospital starts it, with
sign-in. Of every page it takes a screenshot, runs axe, looks for sideways scrolling, requests to elsewhere and complaints of the browser,
walks through it with the tab key, and prints it. DIR then holds the screenshots, the prints and ``walk.json``; ``index.html`` shows them
side by side. Ends with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks.mixed.service import PASSWORD, Service  # noqa: E402  found only with the path above

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PHONE, DESK = 360, 1440
HEIGHT = {PHONE: 740, DESK: 900}
TALLEST = 5000
"""Pixels of a page that a screenshot shows; what is longer shows its beginning."""
MOST_STOPS = 80
"""Stops of the tab key that are walked; pages of the evidence have hundreds of links of one kind."""
EXPECTED_COMPLAINTS = ("404", "422", "429", "401")
"""A browser complains of these answers, which the walk asks for on purpose."""


@dataclass
class Visit:
    """One page at one width in one scheme, and what was wrong with it."""

    name: str
    path: str
    width: int
    scheme: str
    wrong: list[str] = field(default_factory=list)
    stops: int = 0


@dataclass(frozen=True)
class Stop:
    """One page of the walk: an address, or an act on a page that leads to what is looked at."""

    name: str
    path: str
    act: Callable[[Any], None] | None = None


def _why(page: Any) -> None:
    page.locator("details.why > summary").nth(2).click()
    page.locator(".tree").first.wait_for()


def _every_why(page: Any) -> None:
    page.evaluate("() => document.querySelectorAll('details.why').forEach(one => { one.open = true; })")
    for _ in range(600):  # the page forbids what a waiting function would need
        if page.evaluate("() => [...document.querySelectorAll('details.why')].every(one => one.querySelector('.tree'))"):
            return
        page.wait_for_timeout(200)
    raise AssertionError("not every reason came")


def _answered(page: Any) -> None:
    page.get_by_role("radio", name="no").first.check()
    page.wait_for_selector("#changes")


def _refused_dose(page: Any) -> None:
    page.fill("#c-dose", "5")
    page.locator(".change button.primary").click()
    page.wait_for_selector("#problems")


def _saved(page: Any) -> None:
    page.locator("[formaction$='/plan/save']").first.click()
    page.wait_for_url("**/plan/saved/*")


def _nonsense(page: Any) -> None:
    page.locator("textarea[name=record]").first.fill("id: x\nweight: 70\nsexx: female\n")
    page.locator("button.primary").first.click()
    page.wait_for_selector(".problems")


def _asking(question: str, audience: str = "clinician") -> Callable[[Any], None]:
    def act(page: Any) -> None:
        page.fill("#question", question)
        page.select_option("#audience", audience)
        page.select_option("#jurisdiction", "US")
        page.locator("button.primary").first.click()
        page.wait_for_selector("#answer article, #answer .answer, .problems")

    return act


def _wrong_password(page: Any) -> None:
    page.fill("input[name=name]", "anna")
    page.fill("input[name=password]", "not the password")
    page.locator("button.primary").first.click()
    page.wait_for_selector(".problems")


def _verdict_without_reason(page: Any) -> None:
    page.locator("button[value=rejected]").click()
    page.wait_for_selector(".problems")


BEFORE = (Stop("sign-in", "/sign-in"), Stop("sign-in-refused", "/sign-in", _wrong_password))
"""Pages that are seen before anybody has signed in."""
INSIDE = (
    Stop("home", "/"), Stop("plan-start", "/plan"), Stop("plan-start-refused", "/plan", _nonsense), Stop("plan-form", "/plan/form"),
    Stop("plan", "/plan?example=itp-adult-us"), Stop("plan-why", "/plan?example=itp-adult-us", _why),
    Stop("plan-every-why", "/plan?example=kawasaki-infant-us", _every_why),
    Stop("plan-answered", "/plan?example=itp-adult-us", _answered), Stop("plan-dose-refused", "/plan?example=itp-adult-us", _refused_dose),
    Stop("plan-blocked", "/plan?example=iga-deficient-anti-iga-uk&jurisdiction=UK-ENG"),
    Stop("plan-patient", "/plan?example=pid-child-au&jurisdiction=AU&audience=patient"),
    Stop("plan-subcutaneous", "/plan?example=scig-switch-us"), Stop("plan-saved-one", "/plan?example=itp-adult-us", _saved), Stop("plan-saved", "/plan/saved"),
    Stop("compare", "/compare?example=cidp-obese-ontario&jurisdiction=CA-ON&second:jurisdiction=AU"),
    Stop("forecast", "/forecast?example=pid-child-au&target=9%20g/L"), Stop("forecast-start", "/forecast"),
    Stop("ask", "/ask"), Stop("ask-clinician", "/ask", _asking("What is the dose in CIDP?")),
    Stop("ask-patient", "/ask", _asking("What are the warning signs of haemolysis?", "patient")), Stop("ask-refused", "/ask", _asking("Who won the match?")),
    Stop("evidence", "/evidence/"), Stop("evidence-search", "/evidence/search?q=maltose"), Stop("evidence-search-nothing", "/evidence/search?q=xyzzy"),
    Stop("disagreements", "/evidence/disagreements?topic=cidp"),
    Stop("review", "/review"), Stop("review-one", "/review/itp-adult.privigen.dose"),
    Stop("review-refused", "/review/itp-adult.privigen.dose", _verdict_without_reason), Stop("account", "/account"), Stop("not-found", "/nowhere"),
)
_KIND = re.compile(r'href="(?:/evidence/|\.\./)?([a-z-]+)/((?!index)[a-z0-9-]+\.html)"')


@contextmanager
def served() -> Iterator[Service]:
    """The service with sign-in and one person who may do everything."""
    with tempfile.TemporaryDirectory(prefix="ivigil-walk-") as folder:
        service = Service(Path(folder), f"sqlite:///{folder}/store.db", 1, people={"anna": ("prescriber", "reviewer", "admin")})
        service.prepare()
        service.start()
        try:
            yield service
        finally:
            service.end()


class Walker:
    """A browser that walks pages of one service and writes down what is wrong."""

    def __init__(self, browser: Any, address: str, out: Path) -> None:
        self.browser = browser
        self.address = address
        self.out = out
        self.visits: list[Visit] = []

    def walk(self, stops: tuple[Stop, ...], width: int, scheme: str, cookie: dict[str, Any] | None, *, keyboard: bool = False, paper: bool = False) -> None:
        """Every page at one width in one scheme."""
        context = self.browser.new_context(viewport={"width": width, "height": HEIGHT[width]}, color_scheme=scheme, reduced_motion="reduce")
        if cookie is not None:
            context.add_cookies([cookie])
        for stop in stops:
            visit = Visit(stop.name, stop.path, width, scheme)
            self.visits.append(visit)
            page = context.new_page()
            page.on("console", lambda said, to=visit: self._complained(to, said))
            page.on("pageerror", lambda error, to=visit: to.wrong.append(f"script: {error}"))
            page.on("request", lambda asked, to=visit: None if asked.url.startswith(self.address) else to.wrong.append(f"asked for {asked.url}"))
            try:
                page.goto(self.address + stop.path)
                if stop.act is not None:
                    stop.act(page)
                self._look(page, visit, keyboard=keyboard, paper=paper)
            except Exception as error:
                visit.wrong.append(f"{type(error).__name__}: {str(error)[:300]}")
            finally:
                page.close()
        context.close()

    def _complained(self, visit: Visit, said: Any) -> None:
        if said.type in {"error", "warning"} and not any(status in said.text for status in EXPECTED_COMPLAINTS):
            visit.wrong.append(f"console: {said.text[:300]}")

    def _look(self, page: Any, visit: Visit, *, keyboard: bool, paper: bool) -> None:
        name = f"{visit.name}-{visit.width}-{visit.scheme}"
        scrolled = page.evaluate("document.documentElement.scrollWidth")
        if scrolled > visit.width:
            visit.wrong.append(f"scrolls sideways: {scrolled} px wide")
        if not page.title().strip() or page.locator("h1").count() != 1:
            visit.wrong.append(f"title '{page.title()}', {page.locator('h1').count()} main headings")
        visit.wrong += [f"axe {one}" for one in violations(page)]
        height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
        page.screenshot(path=str(self.out / f"{name}.png"), clip={"x": 0, "y": 0, "width": visit.width, "height": height}, full_page=True)
        if keyboard:
            visit.stops, unseen = tab_through(page)
            visit.wrong += unseen
        if paper:
            page.pdf(path=str(self.out / f"{name}.pdf"), format="A4")
            visit.wrong += paper_faults(self.out / f"{name}.pdf")


def violations(page: Any) -> list[str]:
    """What axe finds."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary'][:200]}" for one in found for node in one["nodes"][:3]]


CONTROLS = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter(one => !one.disabled && one.checkVisibility({visibilityProperty: true}) && one.tabIndex >= 0
    && !(one.type === 'radio' && document.querySelector(`input[name="${CSS.escape(one.name)}"]`) !== one)
    && !one.closest('details:not([open]) > :not(summary:first-of-type)'))
  .map((one, at) => { one.dataset.walk = at; return at; }).length"""
FOCUSED = """() => { const one = document.activeElement; if (!one || one === document.body) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {at: one.dataset.walk ?? '', what: one.tagName + ' ' + (one.id || one.name || one.textContent.trim().slice(0, 40)),
    shown: (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none', inside: box.width > 0 && box.height > 0}; }"""


def tab_through(page: Any) -> tuple[int, list[str]]:
    """How many stops the tab key makes, and what it does not reach, reaches out of order, or reaches without showing it."""
    page.evaluate("""() => { window.scrollTo(0, 0); document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); }""")
    count = int(page.evaluate(CONTROLS))
    inner = 4 * page.locator("input[type=date]").count()  # a date has a stop for each of its parts
    reached: list[int] = []
    wrong: list[str] = []
    for _ in range(min(count + inner, MOST_STOPS)):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        if not focused["shown"] or not focused["inside"]:
            wrong.append(f"focus is not seen on {focused['what']}")
        if focused["at"] != "":
            reached.append(int(focused["at"]))
    missing = sorted(set(range(count)) - set(reached)) if count + inner <= MOST_STOPS else []
    for at in missing[:3]:
        what = page.evaluate("at => document.querySelector(`[data-walk=\"${at}\"]`)?.outerHTML.slice(0, 120) ?? ''", at)
        wrong.append(f"the tab key does not reach {what}")
    if reached != sorted(reached):
        wrong.append("the tab key jumps backwards")
    return len(reached), wrong


def paper_faults(path: Path) -> list[str]:
    """What of a print is wrong: nothing on it, or the menu of the screen."""
    import pypdf

    pages = pypdf.PdfReader(path).pages
    text = " ".join(" ".join(sheet.extract_text() for sheet in pages).split())
    faults = [] if len(text) > 80 else ["the print is empty"]
    return faults + [f"the print shows '{word}'" for word in ("To the content", "Plan Compare Forecast Ask Evidence Review") if word in text]


def evidence_kinds(service: Service, *, whole: bool) -> tuple[Stop, ...]:
    """One page of each kind of the evidence, and each list; a short walk leaves out the lists that are one long page."""
    from benchmarks.mixed.callers import ask

    headers = {"authorization": f"Bearer {service.tokens['anna']}", "accept": "text/html"}
    first = ask(service.port, "GET", "/evidence/", headers=headers).body.decode()
    lists = dict.fromkeys(re.findall(r'href="(?:/evidence/)?([a-z-]+(?:/index)?\.html)"', first))
    found = {name: f"/evidence/{name}" for name in lists} | {"coverage": "/evidence/coverage"}
    for name in lists:
        body = ask(service.port, "GET", f"/evidence/{name}", headers=headers).body.decode()
        for kind, file in _KIND.findall(body):
            found.setdefault(f"one of {kind}", f"/evidence/{kind}/{file}")
    if not whole:
        found = {name: path for name, path in found.items() if name.startswith("one of") or name.endswith("/index.html")}
    return tuple(Stop("evidence-" + re.sub(r"[^a-z]+", "-", name.removesuffix(".html")), path) for name, path in found.items())


def contact_sheet(out: Path, visits: list[Visit]) -> None:
    """All screenshots on one page, each with what is wrong."""
    cells = []
    for visit in visits:
        name = f"{visit.name}-{visit.width}-{visit.scheme}"
        wrong = "".join(f"<li>{html.escape(one)}</li>" for one in visit.wrong)
        cells.append(f'<figure><a href="{name}.png"><img src="{name}.png" width="{visit.width // 4}" loading="lazy" alt=""></a>'
                     f"<figcaption>{html.escape(name)}<ul>{wrong}</ul></figcaption></figure>")
    style = "body{font:14px sans-serif;display:flex;flex-wrap:wrap;gap:1em}figure{margin:0}li{color:#a00}"
    (out / "index.html").write_text(f"<!doctype html><meta charset=utf-8><title>Walk</title><style>{style}</style>{''.join(cells)}", encoding="utf-8")


def walk(out: Path, only: str = "", *, whole: bool = True) -> list[Visit]:
    """Walk all pages; a short walk takes phones in the light and desks in the dark alone."""
    from playwright.sync_api import sync_playwright

    out.mkdir(parents=True, exist_ok=True)
    with served() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        address = f"http://127.0.0.1:{service.port}"
        walker = Walker(browser, address, out)
        before = tuple(stop for stop in BEFORE if only in stop.name)
        inside = tuple(stop for stop in (*INSIDE, *evidence_kinds(service, whole=whole)) if only in stop.name)
        cookie = _signed_in(browser, address)
        for width, scheme in ((PHONE, "light"), (DESK, "dark"), *(((PHONE, "dark"), (DESK, "light")) if whole else ())):
            for stops, known in ((before, None), (inside, cookie)):
                walker.walk(stops, width, scheme, known, keyboard=scheme == ("light" if width == PHONE else "dark"), paper=(width, scheme) == (DESK, "dark"))
        browser.close()
    (out / "walk.json").write_text(json.dumps([asdict(visit) for visit in walker.visits], indent=1), encoding="utf-8")
    contact_sheet(out, walker.visits)
    return walker.visits


def _signed_in(browser: Any, address: str) -> dict[str, Any]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("input[name=name]", "anna")
    page.fill("input[name=password]", PASSWORD)
    page.locator("button.primary").first.click()
    page.wait_for_url(f"{address}/")
    cookie: dict[str, Any] = next(one for one in context.cookies() if one["name"] == "ivigil")
    context.close()
    return cookie


def main() -> int:
    """Walk, and say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", required=True, help="where screenshots, prints and walk.json go")
    parser.add_argument("--only", default="", help="only pages with this in their name")
    parser.add_argument("--short", action="store_true", help="phones in the light and desks in the dark alone")
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise SystemExit("no Chromium on this machine; install one to walk the pages")
    visits = walk(Path(asked.out), asked.only, whole=not asked.short)
    wrong = [visit for visit in visits if visit.wrong]
    for visit in wrong:
        for one in visit.wrong:
            print(f"{visit.name} {visit.width} {visit.scheme}: {one}")
    print(f"{len(visits)} visits of {len({visit.name for visit in visits})} pages, {len(wrong)} with something wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
