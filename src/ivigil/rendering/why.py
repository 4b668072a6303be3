"""Why a line stands, or why a rule was not raised: a tree from the sentence down to the record field and the place in the source."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterable

import msgspec

from ivigil.basis.because import Alternative, UsedFact
from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.conditions import written
from ivigil.evidence.library import Evidence
from ivigil.evidence.review import state_of
from ivigil.evidence.shapes import Statement
from ivigil.planning.line import Line, NotRaised, Plan, Question
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sheet import ordered
from ivigil.rendering.sources import known, locator

_READ_IN_FULL = {
    "seen": "read at the source",
    "second-hand": "read second-hand",
    "remembered": "not read; general knowledge",
    "decided": "decided as policy; no source prints it",
}


class Node(msgspec.Struct, frozen=True):
    """One reason and the reasons below it. ``about`` names the entry of the evidence that it speaks of, as part and id, where there is one."""

    text: str
    below: tuple[Node, ...] = ()
    about: tuple[str, str] | None = None


def why_text(plan: Plan, key: str, evidence: Evidence | None = None, width: int = 100) -> str:
    """The tree of reasons of a line, named by id or by its number in the printed plan, or of a rule or asked fact, named by id.

    With ``evidence`` the cited statements are shown in words with their places; without it by id only.

    Raises:
        BadInput: nothing in the plan has this name; the message lists near ones.
    """
    return "\n".join("\n".join(_drawn(tree, width)) for tree in why_trees(plan, key, evidence)) + "\n"


def why_trees(plan: Plan, key: str, evidence: Evidence | None = None) -> list[Node]:
    """The same reasons as trees, for other views than text.

    Raises:
        BadInput: see :func:`why_text`.
    """
    return _Reasons(plan, evidence).of(key.strip())


class _Reasons:
    def __init__(self, plan: Plan, evidence: Evidence | None) -> None:
        self.plan = plan
        self.evidence = evidence
        self.lines = {line.id: line for line in plan.lines}
        self.numbers = {line.id: number for number, line in enumerate(ordered(plan), start=1)}
        self.references = {cite: reference for reference in plan.references for cite in reference.statements}

    def of(self, key: str) -> list[Node]:
        by_number = {str(number): line_id for line_id, number in self.numbers.items()}
        line_id = by_number.get(key, key)
        if line_id in self.lines:
            return [self.line(self.lines[line_id], frozenset())]
        raised = [line for line in self.plan.lines if line.because.rule == key]
        if raised:
            return [self.line(line, frozenset()) for line in raised]
        silent = [self.not_raised(entry) for entry in self.plan.not_raised if entry.rule == key]
        waiting = tuple(self.question(question) for question in self.plan.questions if key in question.could_change)
        undecided = [Node(f"{clean(key)}: judged and not decided", (self.rule(key), Node("waits for", waiting)))] if waiting else []
        asked = [self.question(question) for question in self.plan.questions if question.fact == key]
        if silent or undecided or asked:
            return [*silent, *undecided, *asked]
        raise BadInput([self.unknown(key)])

    def unknown(self, key: str) -> Problem:
        rules = {line.because.rule for line in self.plan.lines if line.because.rule}
        names = sorted({*self.lines, *rules, *(entry.rule for entry in self.plan.not_raised), *(question.fact for question in self.plan.questions)})
        known = self.evidence is not None and (key in self.evidence.rules or key in self.evidence.interactions)
        cause = "this rule was not judged for this patient, jurisdiction and date" if known else "no line, rule or question of this plan has this name"
        near = difflib.get_close_matches(key, names, n=4, cutoff=0.45) or [name for name in names if key and key in name][:4]
        remedy = f"did you mean {', '.join(near)}?" if near else f"give a line number from 1 to {len(self.lines)}, or an id such as {', '.join(names[:4])}"
        return Problem(clean(self.plan.patient), 0, clean(key), cause, remedy)

    def line(self, line: Line, above: frozenset[str]) -> Node:
        because = line.because
        below: list[Node] = []
        if because.rule:
            below.append(self.rule(because.rule))
        if because.local:
            below.append(Node("local, from the hospital's overlay", tuple(Node(clean(said)) for said in because.local)))
        if because.calculation:
            below.append(Node(f"calculation: {clean(because.calculation)}"))
        if because.facts:
            below.append(Node("facts of this patient", tuple(self.fact(name, fact) for name, fact in because.facts.items())))
        if because.cites:
            below.append(Node("rests on", tuple(self.statement(cite) for cite in because.cites)))
        if because.reading:
            below.append(Node(f"the source was read as: {clean(because.reading)}"))
        if because.follows:
            below.append(Node("follows from", tuple(self.earlier(earlier, above | {line.id}) for earlier in because.follows)))
        if because.instead_of:
            below.append(Node("considered and not taken", tuple(self.other(other) for other in because.instead_of)))
        if because.disputed_by:
            below.append(Node("written otherwise by", tuple(self.other(other) for other in because.disputed_by)))
        return Node(f"{self.numbers[line.id]}. {line.id}: {line.act}: {clean(line.text)}", tuple(below))

    def earlier(self, line_id: str, above: frozenset[str]) -> Node:
        line = self.lines.get(line_id)
        if line is None:
            return Node(clean(line_id))
        if line_id in above:
            return Node(f"{self.numbers[line_id]}. {line_id} (shown above)")
        return self.line(line, above)

    def rule(self, rule_id: str) -> Node:
        entry = None
        if self.evidence is not None:
            entry = self.evidence.rules.get(rule_id) or self.evidence.interactions.get(rule_id)
        if entry is None or self.evidence is None:
            return Node(f"rule: {clean(rule_id)}")
        condition = Node(f"raised when {clean(written(entry.when, self.evidence.labels))}")
        part = "rules" if rule_id in self.evidence.rules else "interactions"
        text = f"rule: {rule_id} ({entry.code}: {clean(entry.about)})" if entry.code else f"rule: {rule_id} ({clean(entry.about)})"
        return Node(text, (condition,), (part, rule_id))

    def fact(self, name: str, fact: UsedFact) -> Node:
        definition = self.evidence.facts.get(name) if self.evidence is not None else None
        label = f"{definition.label} ({name})" if definition is not None else name
        dated = f" of {fact.on.isoformat()}" if fact.on is not None else ""
        old = ", older than allowed" if fact.stale else ""
        how = (Node(f"worked out: {clean(fact.how)}"),) if fact.how else ()
        return Node(f"{clean(label)}: {clean(fact.value)}, from {clean(fact.origin)}{dated}{old}", how)

    def statement(self, cite: str) -> Node:
        reference = self.references.get(cite)
        number = f" [{reference.number}]" if reference is not None else ""
        entry = self.evidence.statements.get(cite) if self.evidence is not None else None
        if entry is not None:
            return Node(f"{cite}{number}: {clean(entry.says)}", tuple(self.source(entry)), ("statements", cite))
        if reference is None:
            return Node(f"{clean(cite)}{number}")
        below = [Node(f"source: {known(reference.title, reference.publisher, reference.year)}")]
        if reference.where:
            below.append(Node(f"found at: {locator(reference.where)}"))
        return Node(f"{clean(cite)}{number}", tuple(below))

    def source(self, entry: Statement) -> Iterable[Node]:
        assert self.evidence is not None
        for source_id in (entry.source, *entry.also):
            source = self.evidence.sources.get(source_id)
            if source is None:
                yield Node(f"source: {clean(source_id)}")
                continue
            place = (Node(f"found at: {locator(source.where)}"),) if source.where else ()
            head = "source" if source_id == entry.source else "also in"
            yield Node(f"{head}: {known(source.title, source.publisher, source.year)}", place, ("sources", source_id))
        if entry.where:
            yield Node(f"place: {clean(entry.where)}")
        times = "two readings agree" if entry.readings > 1 else "one reading"
        through = f" through {clean(entry.through)}" if entry.through else ""
        counted = "" if entry.read in {"decided", "remembered"} else f", {times}"
        yield Node(f"{_READ_IN_FULL[entry.read]}{through}{counted}; review: {state_of(entry).status}")
        for other in entry.disputed_by:
            disputing = self.evidence.statements.get(other)
            yield Node(f"disputed by {other}: {clean(disputing.says)}" if disputing is not None else f"disputed by {other}")

    def other(self, other: Alternative) -> Node:
        value = f" ({other.value})" if other.value is not None else ""
        return Node(f"{clean(other.what)}{value}: {clean(other.why)}", tuple(self.statement(cite) for cite in other.cites))

    def not_raised(self, entry: NotRaised) -> Node:
        facts = tuple(Node(f"{clean(name)}: {clean(value)}") for name, value in entry.facts.items())
        below = [self.rule(entry.rule), Node(f"not raised because {clean(entry.why)}")]
        if facts:
            below.append(Node("decided by", facts))
        return Node(f"{entry.rule}: {clean(entry.about)}: judged and not raised", tuple(below))

    def question(self, question: Question) -> Node:
        changes = tuple(Node(clean(name)) for name in question.could_change)
        below = [Node("the answer could change", changes)] if changes else []
        state = "the value on record is old" if question.stale else "not known"
        return Node(f"{question.fact}: {state}: {clean(question.ask)}", tuple(below))


def _drawn(node: Node, width: int, indent: str = "", branch: str = "", rest: str = "") -> Iterable[str]:
    yield from textwrap.wrap(node.text, max(40, width), initial_indent=indent + branch, subsequent_indent=indent + rest, break_on_hyphens=False)
    for place, child in enumerate(node.below):
        last = place == len(node.below) - 1
        yield from _drawn(child, width, indent + rest, "`- " if last else "|- ", "   " if last else "|  ")
