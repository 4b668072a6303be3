"""Numbers the sources that a plan's lines rest on, in the order a reader meets them."""

from __future__ import annotations

from collections.abc import Iterable

from ivigil.evidence.library import Evidence
from ivigil.planning.line import Line, Reference


def references_of(lines: Iterable[Line], evidence: Evidence) -> tuple[Reference, ...]:
    """One reference per source cited by ``lines``. A remembered statement is no reference: the line shows it as not read."""
    cited: dict[str, None] = {}
    for line in lines:
        because = line.because
        cited.update(dict.fromkeys(because.cites))
        for other in (*because.disputed_by, *because.instead_of):
            cited.update(dict.fromkeys(other.cites))
    found: dict[str, list[str]] = {}
    read: dict[str, str] = {}
    for cite in cited:
        statement = evidence.statements.get(cite)
        if statement is None or statement.read == "remembered":
            continue
        name = statement.through or statement.source
        found.setdefault(name, []).append(cite)
        if statement.read != "seen":
            read.setdefault(name, statement.read)
    references = []
    for number, (name, statements) in enumerate(found.items(), start=1):
        source = evidence.sources[name]
        how = read.get(name, "seen")
        references.append(Reference(number, name, source.title, source.publisher, source.year, source.where, source.note, tuple(statements), how))
    return tuple(references)
