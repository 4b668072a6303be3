"""Text from records and evidence made safe to show: one line, no control or direction characters."""

from __future__ import annotations

import unicodedata

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LONGEST = 4000


def clean(text: str) -> str:
    """The text on one line without control, escape, direction or invisible characters, so that it cannot steer a terminal or hide words.

    White space of every kind becomes one space. Text beyond 4000 characters is cut and marked with ``...``.
    """
    if text.isascii() and text.isprintable():
        shown = text
    else:
        shown = " ".join("".join(_visible(character) for character in text).split())
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + "..."


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _HIDDEN else character
