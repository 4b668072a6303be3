"""Markdown and HTML: the same content, and nothing from a record becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.rendering.sample import LINES, plan

from ivigil.basis.because import Because
from ivigil.planning.line import Line
from ivigil.rendering.html import plans_html
from ivigil.rendering.markdown import plan_markdown

HOSTILE = "<script>alert(1)</script> **bold** [x](javascript:1) | a | `c` ![i](u) &amp;"


class _Outline(HTMLParser):
    """Collects tags, attributes and text, and checks that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id" and value:
                self.ids.append(value)
            if name == "href" and value:
                self.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _outline(page: str) -> _Outline:
    outline = _Outline()
    outline.feed(page)
    outline.close()
    assert not outline.open
    return outline


def _hostile_line() -> Line:
    return Line("x.y", "dosing", "give", "info", HOSTILE, Because(cites=("label.itp",), calculation=HOSTILE))


def test_hostile_text_stays_text_in_html() -> None:
    """A problem list entry must not run in the reader's browser."""
    page = plans_html([plan(patient=HOSTILE, lines=(*LINES, _hostile_line()))])
    outline = _outline(page)
    assert "script" not in outline.tags
    assert "img" not in outline.tags
    assert HOSTILE in outline.text


def test_html_loads_nothing_and_links_resolve() -> None:
    """The page works offline and in an intranet; every source number leads to its source."""
    outline = _outline(plans_html([plan()]))
    assert not {"script", "link", "img", "iframe"} & set(outline.tags)
    assert outline.links
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)


def test_several_plans_on_one_page_keep_their_anchors_apart() -> None:
    """No id twice."""
    outline = _outline(plans_html([plan(), plan(patient="sample-2")]))
    assert len(outline.ids) == len(set(outline.ids))


def test_html_and_markdown_show_every_line() -> None:
    """A rendering leaves nothing out."""
    outline = _outline(plans_html([plan()]))
    markdown = plan_markdown(plan()).replace("\\", "")
    for line in plan().lines:
        assert line.text in outline.text
        assert line.text in markdown


def test_hostile_text_is_escaped_in_markdown() -> None:
    """Neither HTML, nor a link, nor a table cell can be opened from a record."""
    text = plan_markdown(plan(patient=HOSTILE, lines=(*LINES, _hostile_line())))
    assert "<script" not in text.replace("\\<", "")
    assert "](javascript" not in text.replace("\\]", "")
    assert "| a |" not in text.replace("\\|", "")


def test_a_text_that_starts_like_a_list_stays_a_text() -> None:
    """``- x`` and ``1. x`` at the start of a note would become list items."""
    line = Line("x.y", "dosing", "give", "info", "x", Because(cites=("label.itp",), calculation="1. 70 g"))
    assert "  - 1. 70 g" not in plan_markdown(plan(lines=(line,)))
