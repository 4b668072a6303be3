"""The words of a card: bullets with the numbers of their sources, safe as Markdown, and the sources themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ivigil.planning.line import Line, Plan, Reference
from ivigil.rendering.markdown import escaped
from ivigil.rendering.plain_text import clean
from ivigil.service.cards.card import Coding, Source, shortened
from ivigil.service.cards.findings import Finding

LINES = "urn:ivigil:line"
OWN = "ivigil"
_LONGEST_LABEL = 120


class Sources:
    """Numbers the sources of what a card shows, in the order in which they are met."""

    def __init__(self, *plans: Plan | None) -> None:
        self._by_cite: dict[str, Reference] = {}
        for plan in plans:
            for reference in plan.references if plan is not None else ():
                self._by_cite.update(dict.fromkeys(reference.statements, reference))
        self._used: dict[str, Reference] = {}

    def marks(self, line: Line | None) -> str:
        """``[1, 2]`` for the sources of a line."""
        numbers = []
        for cite in line.because.cites if line is not None else ():
            reference = self._by_cite.get(cite)
            if reference is not None:
                self._used.setdefault(reference.source, reference)
                numbers.append(list(self._used).index(reference.source) + 1)
        shown = ", ".join(str(number) for number in sorted(set(numbers)))
        return f" \\[{shown}\\]" if shown else ""

    def listed(self) -> list[str]:
        """The sources used, each on a line of its own."""
        return [f"{number}. {escaped(clean(_named(reference)))}" for number, reference in enumerate(self._used.values(), start=1)]

    def first(self, line: Line | None) -> Source:
        """The source of the card: the first of the line that leads it."""
        topic = Coding(LINES, line.id) if line is not None else None
        for cite in line.because.cites if line is not None else ():
            reference = self._by_cite.get(cite)
            if reference is not None:
                return Source(shortened(clean(_named(reference)), _LONGEST_LABEL), _web(reference.where), topic)
        return Source(OWN, "", topic)


def bullets(lines: Iterable[Line], sources: Sources) -> list[str]:
    """The lines as Markdown bullets."""
    return [f"- {escaped(clean(line.text))}{sources.marks(line)}" for line in lines]


def finding_bullets(findings: Sequence[Finding], sources: Sources) -> list[str]:
    """The findings as Markdown bullets, the most urgent with its word before it."""
    out = []
    for finding in findings:
        word = "**Critical:** " if finding.urgency == "critical" else ""
        remedy = f" {escaped(clean(finding.remedy[:1].upper() + finding.remedy[1:]))}." if finding.remedy else ""
        text = clean(finding.text)
        out.append(f"- {word}{escaped(text[:1].upper() + text[1:])}{'' if text.endswith(('.', '?')) else '.'}{remedy}{sources.marks(finding.line)}")
    return out


def _named(reference: Reference) -> str:
    return f"{reference.title} ({', '.join(part for part in (reference.publisher, reference.year) if part)})" if reference.publisher else reference.title


def _web(where: str) -> str:
    return where if where.startswith("https://") and " " not in where else ""
