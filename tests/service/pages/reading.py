"""Reads a page as a test sees it: its forms, its words and its addresses, without any script."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """The fields of the form ``state``, every address the page names, its ids, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = text
        self.fields: dict[str, str] = {}
        self.addresses: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self._form = False
        self._area = ""
        self._select = ""
        self.feed(text)
        self.close()

    @property
    def text(self) -> str:
        """The words of the page on one line."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given: dict[str, Any] = {name: value or "" for name, value in attrs}
        self.attributes.extend((tag, name) for name in given)
        self.addresses.extend((name, given[name]) for name in ("href", "src", "action", "formaction", "hx-post", "hx-get") if name in given)
        if "id" in given:
            self.ids.append(given["id"])
        ours = given.get("form") == "state" or self._form
        if tag == "form":
            self._form = given.get("id") == "state"
        elif tag == "input" and ours and given.get("name") and given.get("type") not in {"radio", "checkbox", "file"}:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "textarea" and ours:
            self._area = given.get("name", "")
            self.fields[self._area] = ""
        elif tag == "select" and ours:
            self._select = given.get("name", "")
        elif tag == "option" and self._select and (self._select not in self.fields or "selected" in given):
            self.fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = False
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area] += data.removeprefix("\n") if not self.fields[self._area] else data
        else:
            self.words.append(data)
