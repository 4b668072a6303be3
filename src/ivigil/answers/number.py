"""Numbers the sources of an answer in the order a reader meets them, and finds its weakest review."""

from __future__ import annotations

from ivigil.answers.answer import Section, Sentence
from ivigil.answers.compose import Drawn
from ivigil.answers.said import Said
from ivigil.evidence.library import Evidence
from ivigil.planning.line import Reference


def numbered(drawn: Drawn, evidence: Evidence) -> tuple[tuple[Sentence, ...], tuple[Sentence, ...], tuple[Section, ...], tuple[Reference, ...], str]:
    """Short answer, corrections, sections, references and the weakest review. A remembered statement is no reference; its sentence is marked."""
    order = [*drawn.short, *drawn.corrections, *(one for part in drawn.parts for one in part.said)]
    used: dict[str, list[str]] = {}
    read: dict[str, str] = {}
    for one in order:
        for cite in one.cites:
            place = evidence.read_sources.get(cite)
            if place is None:
                continue
            name, how = place
            listed = used.setdefault(name, [])
            if cite not in listed:
                listed.append(cite)
            if how != "seen":
                read.setdefault(name, how)
    references = []
    number_of: dict[str, int] = {}
    for number, (name, cites) in enumerate(used.items(), start=1):
        source = evidence.sources[name]
        references.append(
            Reference(
                number,
                name,
                source.title,
                source.publisher,
                source.year,
                _place(evidence, cites, source.where),
                source.note,
                tuple(cites),
                read.get(name, "seen"),
            )
        )
        number_of.update(dict.fromkeys(cites, number))

    def sentence(one: Said) -> Sentence:
        sources = tuple(sorted({number_of[cite] for cite in one.cites if cite in number_of}))
        return Sentence(one.text, one.kind, one.cites, one.lines, sources, one.marks)

    sections = tuple(Section(part.id, part.title, tuple(map(sentence, part.said)), part.table) for part in drawn.parts)
    every = tuple(dict.fromkeys(cite for one in order for cite in one.cites))
    review = evidence.support_of(every).review if every else ""
    return tuple(map(sentence, drawn.short)), tuple(map(sentence, drawn.corrections)), sections, tuple(references), review


def _place(evidence: Evidence, cites: list[str], where: str) -> str:
    """Where in the source the statements stand, when that is on record for them, with the locator of the source."""
    places = dict.fromkeys(evidence.statements[cite].where for cite in cites if evidence.statements[cite].where)
    return "; ".join(part for part in (where, ", ".join(list(places)[:3])) if part)
