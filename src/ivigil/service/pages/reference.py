"""The evidence of one hospital as reference pages, written when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache

import msgspec
from markupsafe import Markup as Safe

from ivigil.basis.problems import BadInput
from ivigil.evidence.coverage import Coverage, coverage
from ivigil.evidence.examples import Examples, examples_of
from ivigil.evidence.files import EvidenceFile, read_folder
from ivigil.evidence.queue import Waiting, waiting
from ivigil.evidence.search import Hit, search
from ivigil.evidence.uses import Use, uses
from ivigil.rendering.pages.frame import Sheet
from ivigil.rendering.pages.markup import Markup
from ivigil.rendering.pages.places import Places
from ivigil.rendering.pages.site import Writer, writers_of
from ivigil.service.clock import today
from ivigil.service.hospital import Hospital

PARTS: Mapping[str, tuple[str, ...]] = {
    "indication": ("indications",),
    "product": ("products",),
    "rule": ("rules", "interactions"),
    "interference": ("interference",),
    "statement": ("statements",),
    "source": ("sources",),
    "mechanism": ("mechanisms",),
    "word": ("terms",),
    "lesson": ("lessons",),
    "claim": ("claims",),
}
"""The parts of the evidence in which the kinds of search hits stand."""
_MOST_HITS = 60


class Written(msgspec.Struct, frozen=True):
    """One reference page: its title and what stands between header and footer."""

    title: str
    content: Safe


class Found(msgspec.Struct, frozen=True):
    """One search hit with its address below ``/evidence/``."""

    hit: Hit
    address: str


class _Piece(Sheet):
    """Writes only what stands between header and footer; the service has a frame of its own."""

    title = ""

    def framed(self, title: str, content: Markup) -> str:
        """The content alone; the title is kept for the frame."""
        self.title = title
        return content


class Reference:
    """The map of the pages and the functions that write them; both are made when first needed."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital

    @cached_property
    def files(self) -> list[EvidenceFile]:
        """The files of the evidence, for the examples that lie beside it; none when the folders cannot be read."""
        try:
            return [file for folder in self.hospital.folders for file in read_folder(folder)]
        except BadInput:
            return []

    @cached_property
    def places(self) -> Places:
        """Where every entry stands."""
        return Places(self.hospital.evidence)

    @cached_property
    def examples(self) -> Examples:
        """The examples beside the evidence."""
        return examples_of(self.files)

    @cached_property
    def writers(self) -> dict[str, Writer]:
        """For each page the function that writes it."""
        return writers_of(self.places, self.examples)

    @cached_property
    def coverage(self) -> Coverage:
        """What was read of whom, on the day it is first asked for."""
        return coverage(self.hospital.evidence, today())

    @cached_property
    def uses(self) -> dict[str, tuple[Use, ...]]:
        """What rests on each statement."""
        return uses(self.hospital.evidence)

    @cached_property
    def waiting(self) -> list[Waiting]:
        """What waits for review."""
        return waiting(self.hospital.evidence)

    def page(self, name: str) -> Written | None:
        """The page with this name, or None when there is none."""
        write = self.writers.get(name)
        if write is None:
            return None
        sheet = _Piece(self.places, name)
        content = write(sheet)
        return Written(sheet.title, Safe(content))

    def address(self, part: str, name: str) -> str:
        """The address of an entry below ``/evidence/``; empty when it has none."""
        return self.places.href(part, name, "index.html").removeprefix("#")

    def search(self, words: str) -> list[Found]:
        """The entries that hold every word, each with its address."""
        return [Found(hit, self._of(hit)) for hit in search(self.hospital.evidence, words, _MOST_HITS)]

    def _of(self, hit: Hit) -> str:
        for part in PARTS.get(hit.part, (re.sub(r"[ -]", "_", hit.part) + "s",)):
            if (part, hit.id) in self.places.page_of:
                return self.address(part, hit.id)
        return ""


@lru_cache(maxsize=4)
def reference_of(hospital: Hospital) -> Reference:
    """The reference pages of a hospital, kept as long as it is served."""
    return Reference(hospital)
