"""The search index: plain data in a script file, so that it can be read from disk without any request."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import msgspec

from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition
from ivigil.evidence.uses import PARTS
from ivigil.rendering.pages.places import KINDS, Places
from ivigil.rendering.plain_text import clean

_WORD = re.compile(r"[a-z0-9]+")
_DULL = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "has",
        "have",
        "if",
        "in",
        "is",
        "it",
        "its",
        "may",
        "no",
        "not",
        "of",
        "on",
        "only",
        "or",
        "than",
        "that",
        "the",
        "their",
        "then",
        "there",
        "they",
        "this",
        "to",
        "was",
        "were",
        "when",
        "where",
        "which",
        "who",
        "with",
        "without",
        "yes",
    ]
)
_UNSAID = {"id", "cites", "contains_cites", "exempt_cites", "kind", "read", "readings", "reviews", "source", "through", "disputed_by", "authority"}


def search_index(places: Places) -> str:
    """One row for each entry with a page or an anchor: id, kind, title, page, words. A source also has the words of its statements."""
    statements: dict[str, set[str]] = {}
    for statement in places.evidence.statements.values():
        statements.setdefault(statement.source, set()).update(_words(f"{statement.says} {statement.where}"))
    rows = []
    for part in (*KINDS,):
        if part not in PARTS or part == "statements":
            continue
        for name, entry in getattr(places.evidence, part).items():
            title = clean(places.title(part, name))
            words = _words(" ".join(_texts(entry))) | (statements.get(name, set()) if part == "sources" else set())
            rows.append([clean(name), KINDS[part], title, places.href(part, name, "index.html"), " ".join(sorted(words - _words(f"{name} {title}")))])
    return "window.IVIGIL_INDEX = [\n" + ",\n".join(json.dumps(row, ensure_ascii=True, separators=(",", ":")) for row in rows) + "\n];\n"


def _words(text: str) -> set[str]:
    folded = "".join(letter for letter in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(letter))
    return {word for word in _WORD.findall(folded) if len(word) > 1 and word not in _DULL}


def _texts(node: Any) -> Iterator[str]:
    """Every text of an entry that a reader might look for."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Condition | Quantity | Span):
        return
    elif isinstance(node, msgspec.Struct):
        for field in node.__struct_fields__:
            if field not in _UNSAID:
                yield from _texts(getattr(node, field))
    elif isinstance(node, tuple | list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        yield from (str(key) for key in node)
