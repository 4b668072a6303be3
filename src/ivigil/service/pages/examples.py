"""The synthetic records that come with ivigil, to be opened with one click."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

_PACKAGED = "_patients"
_PLACES = {"us": "US", "uk": "UK-ENG", "ontario": "CA-ON", "au": "AU", "eu": "EU"}
"""The jurisdiction of an example by the last word of its name."""


class Example(msgspec.Struct, frozen=True):
    """One example: its name, what its first line says, where it is planned, its text."""

    name: str
    about: str
    jurisdiction: str
    text: str


@lru_cache(maxsize=1)
def examples() -> dict[str, Example]:
    """Every example by name: inside the installed package, or the repository's own folder in a source checkout; none where neither is there."""
    here = Path(__file__).resolve()
    folder = next((place for place in (here.parents[2] / _PACKAGED, here.parents[4] / "patients") if place.is_dir()), None)
    found = {}
    for path in sorted(folder.glob("*.yaml")) if folder is not None else []:
        text = path.read_text(encoding="utf-8")
        first = text.partition("\n")[0]
        about = first.removeprefix("#").strip() if first.startswith("#") else path.stem
        found[path.stem] = Example(path.stem, about, _PLACES.get(path.stem.rpartition("-")[2], ""), text)
    return found
