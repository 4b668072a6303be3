"""The reference pages: everything has a place, every link leads somewhere, all text stays text, and nothing clinical is lost or added."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from typing import Any

import msgspec
import pytest

from ivigil.basis.quantity import Quantity, Span, parse_quantity
from ivigil.evidence.conditions import parse_condition
from ivigil.evidence.examples import Examples, examples_of
from ivigil.evidence.files import EvidenceFile, packaged_folder, read_folder
from ivigil.evidence.knowledge import Article, Claim, Mechanism, SupplyLevel, SupplyScheme, Term
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import (
    Indication,
    Names,
    PrintedRate,
    Product,
    RateSchedule,
    Regimen,
    RegimenDose,
    SafetyRule,
    Source,
    Standing,
    Statement,
    Verdict,
)
from ivigil.evidence.uses import PARTS
from ivigil.rendering.pages.assets import SCRIPT, STYLE
from ivigil.rendering.pages.markup import Markup, spoken, table, tag
from ivigil.rendering.pages.places import FOLDERS, KINDS, TOPICS, Places, slug
from ivigil.rendering.pages.site import site
from ivigil.rendering.pages.wording import dose_text
from ivigil.rendering.plain_text import clean

VOID = {"meta", "link", "input", "br"}
HOSTILE = '</h1><script>alert(1)</script> " onload="x \' <img src=x onerror=y> &amp; \u202e'


class Outline(HTMLParser):
    """Tags, ids, links and text of a page; what is opened is closed, and no id comes twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.scripts = 0
        self.rows: dict[str, int] = {}
        self.caption = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.scripts += tag == "script"
        if tag == "table":
            self.caption = ""
        if tag == "tr":
            self.rows[self.caption] = self.rows.get(self.caption, -1) + 1
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style"
            if name == "id" and value:
                assert value not in self.ids, value
                assert not re.search(r"\s", value)
                self.ids.add(value)
            if name == "href" and value:
                (self.loaded if tag == "link" else self.links).append(value)
            if name == "src" and value:
                self.loaded.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "caption":
            self.caption += data
        if not self.open or self.open[-1] != "script":
            self.text += data


def outline(page: str) -> Outline:
    read = Outline()
    read.feed(page)
    read.close()
    assert not read.open
    return read


def squeezed(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


@lru_cache(maxsize=1)
def examples() -> Examples:
    return examples_of(read_folder(packaged_folder()))


@lru_cache(maxsize=1)
def pages() -> dict[str, str]:
    return site(evidence(), examples(), "0")


@lru_cache(maxsize=1)
def outlines() -> dict[str, Outline]:
    return {name: outline(text) for name, text in pages().items() if name.endswith(".html")}


@lru_cache(maxsize=1)
def places() -> Places:
    return Places(evidence())


def index_rows(text: str) -> list[Any]:
    found: list[Any] = json.loads(text.removeprefix("window.IVIGIL_INDEX = ").rstrip().removesuffix(";"))
    return found


def unresolved(site_pages: dict[str, str], read: dict[str, Outline]) -> list[str]:
    """Every link, anchor or loaded file that leads nowhere inside the site."""
    bad = []
    for page, found in read.items():
        for target in (*found.links, *found.loaded):
            if target.startswith(("http://", "https://")):
                continue
            path, _, fragment = target.partition("#")
            full = normpath(join(dirname(page), path)) if path else page
            if full not in site_pages or (fragment and fragment not in read[full].ids):
                bad.append(f"{page}: {target}")
    return bad


def test_every_page_is_well_formed_and_loads_only_its_own_files() -> None:
    """Balanced tags, unique ids, no inline script or handler, and nothing from elsewhere."""
    for name, page in outlines().items():
        assert page.scripts == 1, name
        assert all(re.fullmatch(r"(\.\./)?(style\.css|search\.js)", target) for target in page.loaded), name
        assert "Content-Security-Policy" in pages()[name]


def test_every_link_and_anchor_resolves() -> None:
    """A reader never meets a dead end."""
    assert unresolved(pages(), outlines()) == []


def test_every_entry_has_a_place_and_is_found() -> None:
    """All parts of the evidence stand on some page; all but statements are in the search index by their id."""
    found = {(row[1], row[0]): row[3] for row in index_rows(pages()["search-index.js"])}
    for part, kind in KINDS.items():
        for name in getattr(evidence(), part):
            page, anchor = places().page_of[part, name], places().anchor_of.get((part, name), "")
            assert page in pages(), (part, name)
            assert not anchor or anchor in outlines()[page].ids, (part, name)
            assert part == "statements" or found[kind, name] == (f"{page}#{anchor}" if anchor else page)


def test_every_part_of_the_evidence_belongs_to_a_page() -> None:
    """A new part cannot be forgotten."""
    assert set(PARTS) == {*FOLDERS, *(part for parts in TOPICS.values() for part in parts), "statements"} == set(KINDS)


def test_the_index_pages_lead_to_every_page_without_a_script() -> None:
    """With JavaScript off, links alone reach everything."""
    reached, waiting = {"index.html"}, ["index.html"]
    while waiting:
        page = waiting.pop()
        for target in outlines()[page].links:
            full = normpath(join(dirname(page), target.partition("#")[0])) if target.partition("#")[0] else page
            if full in outlines() and full not in reached:
                reached.add(full)
                waiting.append(full)
    assert reached == set(outlines())


def cited(node: Any) -> set[str]:
    if isinstance(node, msgspec.Struct):
        own = {cite for field in ("cites", "contains_cites", "exempt_cites") for cite in getattr(node, field, ())}
        return own.union(*(cited(getattr(node, field)) for field in node.__struct_fields__))
    if isinstance(node, tuple | list):
        return set().union(*(cited(one) for one in node))
    return set()


@pytest.mark.parametrize("part", [part for part in KINDS if part not in {"statements", "sources", "facts", "jurisdictions", "articles"}])
def test_every_cited_statement_is_shown(part: str) -> None:
    """What an entry rests on stands on its page, in words."""
    texts: dict[str, str] = {}
    for name, entry in getattr(evidence(), part).items():
        page = places().page_of[part, name]
        text = texts.setdefault(page, squeezed(outlines()[page].text))
        for cite in cited(entry):
            assert squeezed(spoken(clean(evidence().statements[cite].says))) in text, (name, cite)


def test_the_regimens_on_a_page_are_those_of_the_evidence() -> None:
    """None is lost, none is added, and each says its dose in full."""
    for name, indication in evidence().indications.items():
        page = outlines()[places().page_of["indications", name]]
        assert sum(count for caption, count in page.rows.items() if caption.startswith("Regimens, ")) == len(indication.regimens), name
        text = squeezed(page.text)
        for regimen in indication.regimens:
            assert squeezed(dose_text(regimen.dose)) in text
        assert page.rows.get("Limits of payment, never a dose", 0) == len(indication.payer_ceilings)
        assert page.rows.get("Reported doses, never planned from", 0) == len(indication.reported)


def test_every_rate_of_a_product_is_shown_as_printed() -> None:
    """Start, steps and highest rate of each schedule."""
    for name, product in evidence().products.items():
        text = squeezed(outlines()[places().page_of["products", name]].text)
        for one in product.rates:
            for rate in (one.start.rate, *(step.rate for step in one.steps), one.maximum.rate):
                assert spoken(str(rate)) in text, name


@pytest.mark.parametrize(
    ("dose", "words"),
    [
        (RegimenDose(course_total=Span(2, 2, "g/kg"), over_days=Span(2, 5)), "2 g/kg in total for the course, divided over 2-5 days"),
        (RegimenDose(course_total=Span(1, 1, "g/kg"), over_days=Span(1, 1), every=Span(3, 3, "week")),
         "1 g/kg in total for the course, divided over 1 day; a course every 3 weeks"),
        (RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(2, 2)), "1 g/kg per day on each of 2 days"),
        (RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(1, 1)), "1 g/kg on one day"),
        (RegimenDose(per_interval=Span(0.3, 0.6, "g/kg"), every=Span(3, 4, "week"), worked_at=Quantity(0.4, "g/kg")),
         "0.3-0.6 g/kg per interval, once every 3-4 weeks (worked at 0.4 g/kg until the prescriber chooses)"),
    ],
)
def test_a_dose_cannot_be_misread(dose: RegimenDose, words: str) -> None:
    """A course total read as a daily dose is five times the dose."""
    assert dose_text(dose) == words


def test_rates_are_worked_out_for_the_strength() -> None:
    """4 mg/kg/min is 2.4 mL/kg/h at 10 % and 4.8 mL/kg/h at 5 %; of two printed units the lower binds."""
    def rates(percent: float, also: str = "") -> str:
        maximum = PrintedRate(rate=Quantity(4.0, "mg/kg/min"), also=parse_quantity(also) if also else None)
        schedule = RateSchedule(indications=("x",), start=PrintedRate(rate=Quantity(1.0, "mg/kg/min")), maximum=maximum, cites=())
        product = Product(id="p", brand="P", maker="M", market="US", routes=("intravenous",), percent=percent, rates=(schedule,))
        return squeezed(outline(site(Evidence(products={"p": product}), {})["products/p.html"]).text)

    assert "Highest42.44 mg/kg/min" in rates(10.0)
    assert "Highest44.84 mg/kg/min" in rates(5.0)
    assert "Highest3.832.34 mg/kg/min (also printed 2.3 mL/kg/h)" in rates(10.0, "2.3 mL/kg/h")


def hostile() -> Evidence:
    """An overlay's entries with hostile texts and ids."""
    ids = ["../../x", "index", "CON", "a b", "A B", '"><script>', "x" * 300, "", "é", "con.x", "\u202eabc"]
    statement = Statement(id='s"><script>', source="../src", says=HOSTILE, read="second-hand", through="../src", where=HOSTILE, note=HOSTILE, plain=HOSTILE,
                          jurisdiction=HOSTILE, values={HOSTILE: HOSTILE}, disputed_by=('s"><script>',),
                          reviews=(Verdict(status="approved", by=HOSTILE, date=HOSTILE, reason=HOSTILE),))
    cites = (statement.id,)
    regimen = Regimen(id="../r", authority=HOSTILE, jurisdiction=HOSTILE, phase="acute", dose=RegimenDose(per_day=Span(1, 1, "g/kg"), days=Span(1, 2)),
                      say=HOSTILE, products=("../../x", HOSTILE), weight=HOSTILE, cites=cites)
    standing = Standing(authority=HOSTILE, jurisdiction=HOSTILE, verdict="supports", tier=HOSTILE, edition=HOSTILE, cites=cites)
    product = Product(id="../../x", brand=HOSTILE, maker=HOSTILE, market=HOSTILE, routes=("intravenous",), percent=10.0, contains={HOSTILE: "no"})
    return Evidence(
        version=HOSTILE, overlay=HOSTILE, local={"products ../../x": HOSTILE, HOSTILE: HOSTILE},
        sources={"../src": Source(id="../src", kind="guideline", title=HOSTILE, publisher=HOSTILE, where="javascript:alert(1)", note=HOSTILE)},
        statements={statement.id: statement},
        indications={name: Indication(id=name, name=Names(clinical=HOSTILE, plain=HOSTILE), purpose="none", also_called=(HOSTILE,), standing=(standing,),
                                      regimens=(regimen,), not_read=(HOSTILE,)) for name in ids},
        products={"../../x": product},
        rules={"../../x": SafetyRule(id="../../x", about=HOSTILE, when=parse_condition("has.x"), say=HOSTILE, severity="avoid", cites=cites)},
    )


def test_hostile_entries_stay_text_and_inside_the_folder() -> None:
    """An overlay is a user's input: no markup, no handler, no path out of the folder, no two pages under one name."""
    case = EvidenceFile("cases/indications/index.yaml", json.dumps([{"name": HOSTILE, "weight": HOSTILE, "expect": HOSTILE}]))
    evil = hostile()
    made = site(evil, examples_of([case]), HOSTILE)
    read = {name: outline(text) for name, text in made.items() if name.endswith(".html")}
    assert all(re.fullmatch(r"([a-z]+/)?[a-z0-9][a-z0-9._-]{0,90}\.(html|css|js)", name) and ".." not in name for name in made)
    assert len([name for name in made if name.startswith("indications/")]) == len(evil.indications) + 1
    assert all(page.scripts == 1 for page in read.values())
    assert not any("javascript:" in target for page in read.values() for target in page.links)
    assert unresolved(made, read) == []
    assert all("\u202e" not in text for text in made.values())
    assert len(index_rows(made["search-index.js"])) == len(evil.indications) + 3


def test_the_index_of_hostile_titles_is_plain_data() -> None:
    """The index is read as a script; its texts must be JSON strings in ASCII."""
    text = site(hostile(), {})["search-index.js"]
    assert text.isascii()
    assert all(len(row) == 5 and all(isinstance(cell, str) for cell in row) for row in index_rows(text))


@pytest.mark.parametrize("entry_id", ["cidp", "us.bands", "care.lab.hb-fall", "a" * 80])
def test_plain_ids_stay_as_they_are(entry_id: str) -> None:
    """Addresses of pages are stable and can be guessed."""
    assert slug(entry_id) == entry_id


@pytest.mark.parametrize("entry_id", ["../x", "..", ".x", "x.", "index", "nul", "com1.x", "UPPER", "a b", "a/b", "a" * 81, "", "é"])
def test_other_ids_become_safe_names(entry_id: str) -> None:
    """No path, no device name of any system, no difference in case alone."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*-[0-9a-f]{8}", slug(entry_id))


def test_text_is_escaped_and_markup_is_not() -> None:
    """Only what the markup functions made is markup."""
    assert tag("p", "<b>", Markup("<i>x</i>"), class_='"') == '<p class="&quot;">&lt;b&gt;<i>x</i></p>'


def test_units_are_written_as_on_a_ward() -> None:
    """Unit codes are for programs."""
    assert spoken("80 mm[Hg], 38 Cel, 25 ug/mL, 20 [IU]/kg, 50 10*9/L") == "80 mmHg, 38 °C, 25 microgram/mL, 20 IU/kg, 50 10^9/L"


def test_tables_have_caption_scope_and_no_empty_columns() -> None:
    """A screen reader needs heads; a reader needs no column without content."""
    made = table("Rates", ("Step", "Empty", "Rate"), [["Start", "", "1"]], numeric=(2,))
    assert "<caption>Rates</caption>" in made
    assert '<th scope="col">Step</th><th scope="col" class="right">Rate</th>' in made
    assert '<th scope="row">Start</th><td class="right">1</td>' in made
    assert table("None", ("A",), []) == ""


def test_examples_stand_with_their_entries() -> None:
    """Word outcomes, doses, dates and weights all find their owner."""
    known = {
        "safety": {*evidence().rules, *evidence().groups}, "interactions": set(evidence().interactions), "products": set(evidence().products),
        "indications": {*evidence().indications, *(one.id for entry in evidence().indications.values() for one in entry.regimens)},
        "weight-policies": set(evidence().weight_policies),
        "vaccination": {*evidence().antibody_intervals, *evidence().vaccines, *evidence().vaccine_rules, *evidence().exposures},
        "monitoring": {*evidence().laboratory, *evidence().vitals}, "premedication": set(evidence().premedication), "hydration": set(evidence().hydration),
    }
    lost = [key for key in examples() if key[1] not in known[key[0]]]
    assert lost == [("products", "encoding-checks")], "only the invariants over all products belong to none"
    assert outlines()["rules/age-over-65.html"].rows["Worked examples; each is a test of the evidence"] >= 3


def test_reading_and_review_stand_beside_every_reference() -> None:
    """The reader sees how far a statement can be relied on."""
    page = squeezed(outlines()["indications/cidp.html"].text)
    for words in ("read twice", "one reading", "not read", "policy", "not reviewed", "second-hand"):
        assert words in page, words
    assert "For qualified health professionals" in page
    assert f"Evidence version {evidence().version}" in page
    assert "Clinician reference" in page


def test_the_same_evidence_gives_the_same_bytes() -> None:
    """A difference between two sites is one of the evidence."""
    assert site(evidence(), examples(), "0") == pages()


def test_style_and_script_load_nothing_from_elsewhere() -> None:
    """The site works from disk and tells nobody that it is read."""
    assert "http" not in STYLE + SCRIPT
    assert "@import" not in STYLE
    assert "url(" not in STYLE
    assert not re.search(r"fetch\(|XMLHttp|innerHTML|eval\(|localStorage|document\.write", SCRIPT)


def test_knowledge_supply_and_claims_are_drawn_from_their_keys() -> None:
    """Parts that are small or still empty show all that they hold, nested citations too."""
    says = {name: Statement(id=name, source="src", says=f"Statement {name}.", read="seen") for name in ("one", "two")}
    level = SupplyLevel(name="Tier A", rank=1, say="Served first.", cites=("two",))
    made = site(Evidence(
        sources={"src": Source(id="src", kind="guideline", title="Title")}, statements=says,
        mechanisms={"fcrn": Mechanism(id="fcrn", name="FcRn", say="Said to clinicians.", plain="Said to patients.", strength="debated", cites=("one",))},
        terms={"igg": Term(id="igg", term="IgG", plain="The main antibody.", cites=("one",))},
        supply_schemes={"plan": SupplyScheme(id="plan", name="Plan", jurisdiction="", kind="tiers", say="Ranks uses.", levels=(level,), cites=("one",))},
        articles={"art": Article(id="art", title="Article", publisher="Site", lines=10, no_claim=("1-2",))},
        claims={"c": Claim(id="c", article="art", at_lines=("3",), topic="dose", claim="It said so.", verdict="rejected", say="It is not so.", cites=("one",))},
    ), {})
    read = {name: outline(text) for name, text in made.items() if name.endswith(".html")}
    assert unresolved(made, read) == []
    for page, words in {
        "mechanisms.html": ("Said to clinicians.", "Said to patients.", "debated", "Statement one."), "glossary.html": ("The main antibody.", "Statement one."),
        "supply.html": ("Ranks uses.", "Tier A", "Served first.", "Statement two."), "claims.html": ("It said so.", "It is not so.", "rejected", "Article"),
    }.items():
        assert all(word in squeezed(read[page].text) for word in words), page
    assert "advice.html" not in made


def test_disputes_and_verdicts_are_shown() -> None:
    """Who says otherwise stands with the statement; every verdict stands with the page of its source."""
    for statement in evidence().statements.values():
        text = squeezed(outlines()[places().page_of["statements", statement.id]].text)
        assert all(squeezed(spoken(clean(evidence().statements[other].says))) in text for other in statement.disputed_by)
        assert all(verdict.by in text for verdict in statement.reviews)


def test_entries_of_an_overlay_are_marked_local_where_they_stand() -> None:
    """A replaced rule on its own page, an added statement on the page of its source, and both on the first page with the reason."""
    cites = ("a.one",)
    local = Evidence(
        overlay="our-hospital", local={"rules our-rule": "replaced: stricter here", "statements a.one": "added"},
        sources={"a": Source(id="a", kind="guideline", title="A guide")},
        statements={"a.one": Statement(id="a.one", source="a", says="One.", read="seen"), "a.two": Statement(id="a.two", source="a", says="Two.", read="seen")},
        rules={name: SafetyRule(id=name, about="About", when=parse_condition("has.x"), say="Say.", severity="avoid", cites=cites)
               for name in ("our-rule", "theirs")},
    )
    made = site(local, {})
    marked = {name for name, text in made.items() if "Local entry" in text}
    assert marked == {"rules/our-rule.html", "sources/a.html"}
    assert made["sources/a.html"].count("Local entry") == 1
    assert "of the overlay our-hospital: replaced: stricter here" in made["rules/our-rule.html"]
    assert 'href="rules/our-rule.html"' in made["index.html"].partition('id="local"')[2]
