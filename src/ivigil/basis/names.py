"""How names that people write are compared: brands, vaccines and excipients, however they are spelt and spaced."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

_BETWEEN = re.compile(r"[^a-z0-9]")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name without capitals, spaces and punctuation: ``Octoglob 10 %`` and ``octoglob10`` are one."""
    return _BETWEEN.sub("", name.lower())


def spaced(name: str) -> str:
    """A name in small letters with single spaces; hyphens and underscores count as spaces."""
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())


def near(name: str, names: list[str]) -> list[str]:
    """Known names that a mistyped one may have meant, nearest first."""
    folded = {known.lower(): known for known in names}
    return [folded[match] for match in difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.5)]


def meant(name: str, names: Iterable[str], otherwise: str = "") -> str:
    """The remedy for an unknown name: the nearest known one, else ``otherwise``."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else otherwise
