"""A source whose document does not tell publisher, year or place is named without filler, and its missing place is said."""

from __future__ import annotations

import pytest
from tests.rendering.sample import plan

from ivigil.evidence.library import Evidence
from ivigil.evidence.search import search
from ivigil.evidence.shapes import DoseLimit, Labelled, Product, Regimen, RegimenDose, Source, Statement
from ivigil.planning.line import Reference
from ivigil.rendering.entry import entry_text
from ivigil.rendering.html import plans_html
from ivigil.rendering.markdown import plan_markdown
from ivigil.rendering.sheet import sheet_of
from ivigil.rendering.sources import known, locator
from ivigil.rendering.why import why_text

UNTOLD = "not recorded"
PLAN = plan(references=(Reference(1, "label", "A page for patients", UNTOLD, UNTOLD, UNTOLD, statements=("label.itp",)),))
EVIDENCE = Evidence(
    sources={
        "page": Source(id="page", kind="web-page", title="A page for patients", publisher=UNTOLD, year=UNTOLD, where=UNTOLD),
        "guide": Source(id="guide", kind="guideline", title="A guide", publisher="A society", year="2020", where="doi:1"),
    },
    statements={
        "label.itp": Statement(id="label.itp", source="page", says="1 g/kg on 2 days.", read="seen"),
        "guide.itp": Statement(id="guide.itp", source="guide", says="1 g/kg on 2 days.", read="seen"),
    },
)


def test_what_is_not_recorded_is_left_out() -> None:
    """Only what is known is named; the place is the one thing that is said to be missing."""
    assert known("A page", UNTOLD, UNTOLD) == "A page"
    assert known("A page", "Maker", "2022") == "A page, Maker, 2022"
    assert (locator(UNTOLD), locator("set id 1"), locator("")) == ("locator not recorded", "set id 1", "")


def test_a_plan_names_the_source_without_filler() -> None:
    """Reference list, Markdown, HTML and the tree of reasons all read the same."""
    (source,) = sheet_of(PLAN).sources
    assert (source.text, source.where) == ("A page for patients.", "locator not recorded")
    assert "A page for patients. locator not recorded" in plan_markdown(PLAN)
    assert '>A page for patients. <span class="where">locator not recorded</span>' in plans_html([PLAN])
    for text in (why_text(PLAN, "dose.per_day"), why_text(PLAN, "dose.per_day", EVIDENCE)):
        assert "source: A page for patients\n" in text
        assert "found at: locator not recorded" in text


def test_an_entry_and_a_search_name_it_so_too() -> None:
    """``evidence show`` and ``evidence search`` leave the filler out."""
    text = entry_text(EVIDENCE, "page")
    assert "where: locator not recorded" in text
    assert "publisher" not in text
    assert "year" not in text
    assert [hit.text for hit in search(EVIDENCE, "page for patients") if hit.part == "source"] == ["A page for patients"]


@pytest.mark.parametrize(("authority", "cites", "name"), [
    ("guide", ("label.itp", "guide.itp"), "A society"),
    ("guide", ("label.itp",), "A society"),
    ("page", ("label.itp",), "A page for patients"),
    ("our-own-panel", (), "our own panel"),
])
def test_an_authority_is_never_called_not_recorded(authority: str, cites: tuple[str, ...], name: str) -> None:
    """The first known publisher is the name, else the title of the source, else the id in words."""
    regimen = Regimen(id="a", authority=authority, edition="", jurisdiction="US", phase="acute", dose=RegimenDose(), cites=cites)
    assert EVIDENCE.authority(regimen) == name


def test_keys_are_shown_as_files_write_them() -> None:
    """``for`` and ``with``, not the names that a program gives them: what is shown can be typed into a file."""
    limit = DoseLimit(id="limit", about="Much", measure="days", then="advise", say="Ask.", indications=("gbs",), excepted=("cidp",), cites=("a",))
    evidence = Evidence(
        dose_limits={"limit": limit},
        products={"p-us": Product(id="p-us", brand="P", maker="M", market="US", routes=("intravenous",), percent=10.0,
                                  labelled=(Labelled(indication="gbs", cites=("a",)),))},
    )
    assert "  for: gbs\n  except: cidp\n" in entry_text(evidence, "limit")
    assert "for: gbs" in entry_text(evidence, "p-us")
