"""Builds the reasons of a line: the facts it used with their origins, the weakest review and the way its statements were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ivigil.basis.because import Alternative, Because, UsedFact
from ivigil.basis.facts import Fact, Facts
from ivigil.evidence.library import Evidence

_OF_PRODUCT = "product "


def used(facts: Facts, names: Iterable[str]) -> dict[str, UsedFact]:
    """The named facts that are known, as a line shows them."""
    return {name: shown(fact) for name in names if (fact := facts.get(name)) is not None}


def shown(fact: Fact) -> UsedFact:
    """One fact with its origin, as a line shows it."""
    value = fact.value
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    return UsedFact(text, fact.origin.where, fact.origin.on, fact.origin.how, fact.stale)


def reasons(
    evidence: Evidence,
    facts: Facts,
    *,
    cites: Iterable[str] = (),
    uses: Iterable[str] = (),
    calculation: str = "",
    follows: Iterable[str] = (),
    rule: str = "",
    instead_of: Iterable[Alternative] = (),
    disputed_by: Iterable[Alternative] = (),
    reading: str = "",
    entries: Iterable[object] = (),
) -> Because:
    """A :class:`Because` with review and reading state worked out from the cited statements.

    ``follows`` names earlier lines of the plan that the calculation starts from. ``entries`` are what the line is drawn from beside its rule and
    its statements: products, policies, rows of a label, or ids of entries; a line that rests on an entry of an overlay says so.

    Raises:
        ValueError: neither a statement nor a calculation from cited lines was given.
    """
    statements = tuple(dict.fromkeys(cites))
    review, read = evidence.support_of(statements) if statements else ("", "")
    shown_facts = used(facts, uses)
    return Because(
        rule=rule,
        cites=statements,
        facts=shown_facts,
        calculation=calculation,
        follows=tuple(follows),
        instead_of=tuple(instead_of),
        disputed_by=tuple(disputed_by),
        reading=reading,
        review=review,
        read=read,
        local=evidence.local_of(_touching(rule, statements, shown_facts, entries)) if evidence.local else (),
    )


def _touching(rule: str, statements: Iterable[str], facts: dict[str, UsedFact], entries: Iterable[object]) -> Iterator[object]:
    """Everything of the evidence that a line rests on: rule, statements, facts and the products these came from, entries."""
    yield from (rule, *statements, *entries)
    for name, fact in facts.items():
        yield name
        if fact.origin.startswith(_OF_PRODUCT):
            yield fact.origin.removeprefix(_OF_PRODUCT)
