"""Numbers the sources that a plan's lines rest on, in the order a reader meets them."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.evidence.library import Evidence
from ivigil.planning.line import Line, Reference


def references_of(lines: Iterable[Line], evidence: Evidence) -> tuple[Reference, ...]:
    """One reference per source cited by ``lines``. A remembered statement is no reference: the line shows it as not read."""
    found: dict[str, list[str]] = {}
    read: dict[str, str] = {}
    cites = dict.fromkeys(_cited(lines))
    for cite, place in zip(cites, map(evidence.read_sources.get, cites), strict=True):
        if place is not None:
            name, how = place
            statements = found.get(name)
            if statements is None:
                found[name] = [cite]
            else:
                statements.append(cite)
            if how != "seen" and name not in read:
                read[name] = how
    sources, how_read = evidence.sources, read.get
    return tuple([
        Reference(number, name, source.title, source.publisher, source.year, source.where, source.note, tuple(statements), how_read(name, "seen"))
        for number, (name, statements) in enumerate(found.items(), start=1) for source in (sources[name],)
    ])


def _cited(lines: Iterable[Line]) -> list[str]:
    """Every citation as a reader meets it: a line's own, then those who dispute it, then what lost."""
    cited: list[str] = []
    for line in lines:
        because = line.because
        cited += because.cites
        for other in because.disputed_by:
            cited += other.cites
        for other in because.instead_of:
            cited += other.cites
    return cited
