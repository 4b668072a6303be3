"""How dates, times and lists are worded in plan lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from ivigil.basis.quantity import Quantity

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(maxsize=4096)
def day_text(day: date) -> str:
    """``21 Nov 2026``: no order of day and month to mistake, and the same in every locale."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def days_text(first: date, last: date) -> str:
    """``21 Nov 2026`` or ``21 Nov 2026 to 4 Dec 2026``."""
    return day_text(first) if first == last else f"{day_text(first)} to {day_text(last)}"


def clock(moment: datetime) -> str:
    """``09:05``."""
    return f"{moment.hour:02}:{moment.minute:02}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """``a, b and c``. At least one part is needed."""
    *first, final = parts
    return f"{', '.join(first)} {last} {final}" if first else final


@lru_cache(maxsize=4096)
def lower_first(text: str) -> str:
    """A heading inside a sentence; ``IgA deficiency`` and other abbreviations keep their capitals."""
    word = text.partition(" ")[0]
    return text if any(letter.isupper() for letter in word[1:]) else text[:1].lower() + text[1:]


def interval(length: Quantity) -> str:
    """``week`` or ``4 weeks``: the length of an interval after the word "every"."""
    return length.unit if length.value == 1 else str(length)
