"""Builds the reasons of a line: the facts it used with their origins, the weakest review and the way its statements were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from ivigil.basis.because import Alternative, Because, UsedFact
from ivigil.basis.facts import Fact, Facts
from ivigil.evidence.library import Evidence

_OF_PRODUCT = "product "

NO_FACTS = Facts()
"""For lines that rest on the evidence alone."""


def used(facts: Facts, names: Iterable[str]) -> dict[str, UsedFact]:
    """The named facts that are known, as a line shows them."""
    known, kept = facts.by_id, facts.as_shown
    found: dict[str, UsedFact] = {}
    for name in names:
        fact = known.get(name)
        if fact is not None:
            before = kept.get(name)
            found[name] = before[1] if before is not None and before[0] is fact else shown(fact, facts)
    return found


def shown(fact: Fact, facts: Facts) -> UsedFact:
    """One of the facts with its origin, as a line shows it."""
    kept = facts.as_shown.get(fact.id)
    if kept is None or kept[0] is not fact:
        origin, value = fact.origin, fact.value
        text = "yes" if value is True else "no" if value is False else str(value)
        kept = facts.as_shown[fact.id] = fact, UsedFact(text, origin.where, origin.on, origin.how, fact.stale)
    return cast("UsedFact", kept[1])


def texts(facts: Facts, names: Iterable[str]) -> dict[str, str]:
    """The values of the named facts that are known, as a near miss shows them."""
    known, kept = facts.by_id, facts.as_shown
    found: dict[str, str] = {}
    for name in names:
        fact = known.get(name)
        if fact is not None:
            before = kept.get(name)
            found[name] = (before[1] if before is not None and before[0] is fact else shown(fact, facts)).value
    return found


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
    support = evidence.support_of(tuple(cites))
    shown_facts = used(facts, uses) if uses else {}
    return Because(
        rule=rule,
        cites=support.cites,
        facts=shown_facts,
        calculation=calculation,
        follows=tuple(follows),
        instead_of=tuple(instead_of),
        disputed_by=tuple(disputed_by),
        reading=reading,
        review=support.review,
        read=support.read,
        local=evidence.local_of(_touching(rule, support.cites, shown_facts, entries)) if evidence.local else (),
    )


def _touching(rule: str, statements: Iterable[str], facts: dict[str, UsedFact], entries: Iterable[object]) -> Iterator[object]:
    """Everything of the evidence that a line rests on: rule, statements, facts and the products these came from, entries."""
    yield from (rule, *statements, *entries)
    for name, fact in facts.items():
        yield name
        if fact.origin.startswith(_OF_PRODUCT):
            yield fact.origin.removeprefix(_OF_PRODUCT)
