"""Numbers the sources that a plan's lines rest on, in the order a reader meets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ivigil.evidence.library import Evidence
from ivigil.planning.line import Line, Reference


def references_of(lines: Iterable[Line], evidence: Evidence) -> tuple[Reference, ...]:
    """One reference per source cited by ``lines``. A remembered statement is no reference: the line shows it as not read."""
    cited = dict.fromkeys(chain.from_iterable(_cites(lines)))
    found: dict[str, list[str]] = {}
    read: dict[str, str] = {}
    sources = evidence.read_sources
    for cite in cited:
        if cite not in sources:
            continue
        name, how = sources[cite]
        found.setdefault(name, []).append(cite)
        if how != "seen":
            read.setdefault(name, how)
    references = []
    for number, (name, statements) in enumerate(found.items(), start=1):
        source = evidence.sources[name]
        how = read.get(name, "seen")
        references.append(Reference(number, name, source.title, source.publisher, source.year, source.where, source.note, tuple(statements), how))
    return tuple(references)


def _cites(lines: Iterable[Line]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        because = line.because
        yield because.cites
        for other in because.disputed_by:
            yield other.cites
        for other in because.instead_of:
            yield other.cites
