"""Numbers the sources that a plan's lines rest on, in the order a reader meets them."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.evidence.library import Evidence
from ivigil.planning.line import Line, Reference


def references_of(lines: Iterable[Line], evidence: Evidence) -> tuple[Reference, ...]:
    """One reference per source cited by ``lines``. A remembered statement is no reference: the line shows it as not read."""
    found: dict[str, list[str]] = {}
    read: dict[str, str] = {}
    places = evidence.read_sources
    for cite in dict.fromkeys(_cited(lines)):
        place = places.get(cite)
        if place is None:
            continue
        name, how = place
        if name in found:
            found[name].append(cite)
        else:
            found[name] = [cite]
        if how != "seen" and name not in read:
            read[name] = how
    references = []
    for number, (name, statements) in enumerate(found.items(), start=1):
        source = evidence.sources[name]
        how = read.get(name, "seen")
        references.append(Reference(number, name, source.title, source.publisher, source.year, source.where, source.note, tuple(statements), how))
    return tuple(references)


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
