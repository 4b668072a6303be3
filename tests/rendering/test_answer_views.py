"""Every view of an answer says the same, and text of the question never becomes markup."""

from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest

from ivigil.answers.answer import Answer
from ivigil.answers.ask import Asking, answer
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.rendering.answer_html import answer_html, answer_page
from ivigil.rendering.answer_json import answer_json, answer_schema
from ivigil.rendering.answer_markdown import answer_markdown
from ivigil.rendering.answer_text import answer_text

HOSTILE = "What is the dose <script>alert(1)</script> for CIDP? \x1b[31m [x](javascript:y) | \u202e"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """The packaged evidence."""
    return load_evidence()


@pytest.fixture(scope="module")
def made(evidence: Evidence) -> Answer:
    """An answer to a question that carries markup and control characters."""
    return answer(HOSTILE, evidence, Asking("clinician", "US", date(2026, 11, 21)))


class _Tags(HTMLParser):
    """Collects the elements of a page and whether they close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """An element ends where the innermost open one began."""
        assert self.open.pop() == tag


def test_every_view_holds_every_sentence(made: Answer) -> None:
    """No view drops a sentence or a source."""
    text = " ".join(answer_text(made).split())
    for sentence in made.sentences:
        assert " ".join(sentence.text.split()[:4]) in text
    for reference in made.references:
        assert f"[{reference.number}]" in text.replace("[ ", "[")
    assert len(json.loads(answer_json(made))["references"]) == len(made.references)


def test_json_follows_its_schema(made: Answer) -> None:
    """The document is the one its schema describes."""
    jsonschema.validate(json.loads(answer_json(made)), answer_schema())


def test_html_is_whole_and_loads_nothing(made: Answer) -> None:
    """Elements close in order; no script, no address of another place; anchors of several answers stay apart."""
    page = answer_page(made)
    tags = _Tags()
    tags.feed(page)
    assert not tags.open
    assert "script" not in tags.seen
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "src=" not in page
    assert '<article class="answer' in answer_html(made, "one-")
    assert 'id="one-source-1"' in answer_html(made, "one-")
    assert "<html" not in answer_html(made)


def test_markdown_and_terminal_hold_no_live_markup(made: Answer) -> None:
    """Brackets and pipes of the question are escaped; no control character reaches a terminal."""
    markdown = answer_markdown(made)
    assert "\\<script\\>" in markdown
    assert "\\[x\\](javascript" in markdown
    for view in (markdown, answer_text(made)):
        assert "\x1b" not in view
        assert "\u202e" not in view


@pytest.mark.parametrize("audience", ["patient", "clinician"])
def test_the_footer_tells_the_review_and_the_purpose(evidence: Evidence, audience: Any) -> None:
    """A reader knows that nobody has approved the statements, and what the answer is not."""
    text = answer_text(answer("side effects of IVIG", evidence, Asking(audience, "US", date(2026, 11, 21))))
    assert ("not checked these texts yet" if audience == "patient" else "No clinician has approved") in " ".join(text.split())
