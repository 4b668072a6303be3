"""A comparison of two evidence folders as text: for the terminal, as Markdown for a change request, as JSON for a script."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ivigil.basis.problems import Problem
from ivigil.evidence.difference import PARTS, Change, EntryChange, EvidenceDifference
from ivigil.rendering.markdown import escaped
from ivigil.rendering.plain_text import clean
from ivigil.rendering.plan_difference import LineChange, PlanDifference

SCHEMA = "ivigil.evidence-diff/1"
_MANY = 30
"""More new or removed entries of one part than this are listed by id alone, except in JSON."""
_LONGEST = 300
_ABSENT = "nothing"


class Unplanned(msgspec.Struct, frozen=True):
    """A record that one of the two could not plan in a place (in no place when it does not read), and why."""

    record: str
    jurisdiction: str
    evidence: str
    problems: tuple[Problem, ...]


class PlanComparison(msgspec.Struct, frozen=True):
    """All records planned with both: pairs of record and difference, status changes first; how many read the same; what could not be planned."""

    as_of: str
    changed: tuple[tuple[str, PlanDifference], ...]
    unchanged: int
    unplanned: tuple[Unplanned, ...] = ()


class Compared(msgspec.Struct, frozen=True):
    """What is shown: the folders by name, their entries, and the plans if records were given."""

    old: str
    new: str
    entries: EvidenceDifference
    plans: PlanComparison | None = None


def comparison_terminal(found: Compared, width: int) -> str:
    """Plain text: counts, then part by part, then plan by plan."""
    width = max(60, width)
    out = [f"{_side(found.old, found.entries.old_version)} -> {_side(found.new, found.entries.new_version)}", _counted(found)]

    def say(text: str, depth: int) -> None:
        first, rest = "  " * depth, "  " * (depth + 2)
        out.extend(textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False))

    for part in _parts(found.entries):
        out += ["", part.replace("_", " ").upper()]
        for kind, mark in (("added", "+"), ("removed", "-"), ("changed", "~")):
            entries = found.entries.of(part, kind)
            if len(entries) > _MANY and kind != "changed":
                say(f"{mark} {len(entries)}: {', '.join(entry.id for entry in entries)}", 1)
                continue
            for entry in entries:
                say(f"{mark} {_headed(entry)}", 1)
                for change in entry.changes:
                    say(_change(change), 3)
    if found.plans is not None:
        out += ["", f"PLANS AS OF {found.plans.as_of}", _plan_counts(found.plans)]
        for record, plan in found.plans.changed:
            out += ["", f"  {_plan_head(record, plan)}"]
            for line in plan.lines:
                say(_line_change(line), 2)
            for sentence in _questions(plan):
                say(sentence, 2)
        for missing in found.plans.unplanned:
            say(_unplanned(missing), 1)
    return "\n".join(out) + "\n"


def comparison_markdown(found: Compared) -> str:
    """CommonMark; text of the evidence is escaped, so that it never becomes markup."""
    out = ["# Evidence compared", "", escaped(f"{_side(found.old, found.entries.old_version)} -> {_side(found.new, found.entries.new_version)}"), "",
           escaped(_counted(found))]
    for part in _parts(found.entries):
        out += ["", f"## {part.replace('_', ' ').capitalize()}", ""]
        for kind in ("added", "removed", "changed"):
            entries = found.entries.of(part, kind)
            if len(entries) > _MANY and kind != "changed":
                out.append(f"- **{kind}** {len(entries)}: {escaped(', '.join(entry.id for entry in entries))}")
                continue
            for entry in entries:
                out.append(f"- **{kind}** {escaped(_headed(entry))}")
                out += [f"  - {escaped(_change(change))}" for change in entry.changes]
    if found.plans is not None:
        out += ["", f"## Plans as of {found.plans.as_of}", "", escaped(_plan_counts(found.plans))]
        for record, plan in found.plans.changed:
            out += ["", f"### {escaped(_plan_head(record, plan))}", ""]
            out += [f"- {escaped(text)}" for text in (*map(_line_change, plan.lines), *_questions(plan))]
        if found.plans.unplanned:
            out += ["", "### Not planned", "", *(f"- {escaped(_unplanned(record))}" for record in found.plans.unplanned)]
    return "\n".join(out) + "\n"


def comparison_json(found: Compared) -> str:
    """Everything, nothing shortened; keys keep one order."""
    parts: list[dict[str, Any]] = [
        {
            "part": part,
            "added": [{"id": entry.id, "about": entry.about} for entry in found.entries.of(part, "added")],
            "removed": [{"id": entry.id, "about": entry.about} for entry in found.entries.of(part, "removed")],
            "changed": [{"id": entry.id, "about": entry.about, "changes": msgspec.to_builtins(entry.changes)} for entry in found.entries.of(part, "changed")],
        } for part in _parts(found.entries)
    ]
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "old": {"folder": found.old, "version": found.entries.old_version},
        "new": {"folder": found.new, "version": found.entries.new_version},
        "parts": parts,
    }
    if found.plans is not None:
        document["plans"] = {
            "as_of": found.plans.as_of,
            "unchanged": found.plans.unchanged,
            "changed": [{"record": record, **msgspec.to_builtins(plan)} for record, plan in found.plans.changed],
            "not_planned": msgspec.to_builtins(found.plans.unplanned),
        }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _side(name: str, version: str) -> str:
    return f"{clean(name)} ({version})"


def _parts(entries: EvidenceDifference) -> Iterator[str]:
    present = {entry.part for entry in entries.entries}
    return (part for part in PARTS if part in present)


def _counted(found: Compared) -> str:
    if not found.entries.entries:
        return "No entry differs."
    counts = {kind: sum(entry.kind == kind for entry in found.entries.entries) for kind in ("added", "removed", "changed")}
    return "Entries: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) + "."


def _headed(entry: EntryChange) -> str:
    about = _short(entry.about)
    return f"{clean(entry.id)}: {about}" if about and about != entry.id else clean(entry.id)


def _change(change: Change) -> str:
    old, new = (_ABSENT if text is None else _short(text) for text in (change.old, change.new))
    return f"{clean(change.key)}: {old} -> {new}"


def _short(text: str) -> str:
    shown = clean(text)
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST].rstrip() + "..."


def _plan_counts(plans: PlanComparison) -> str:
    status = sum(plan.status_changed for _, plan in plans.changed)
    everything = len(plans.changed) + plans.unchanged
    text = f"{len(plans.changed)} of {everything} plans change, {status} of them in status; {plans.unchanged} read the same."
    return f"{text} {len(plans.unplanned)} could not be planned." if plans.unplanned else text


def _plan_head(record: str, plan: PlanDifference) -> str:
    status = f"{plan.old_status} -> {plan.new_status}" if plan.status_changed else plan.new_status
    return f"{clean(record)} in {plan.jurisdiction}: {status}"


def _line_change(line: LineChange) -> str:
    if line.kind == "changed":
        return f"~ {line.id}: {_short(line.old or '')} -> {_short(line.new or '')}"
    return f"+ {line.id}: {_short(line.new or '')}" if line.kind == "added" else f"- {line.id}: {_short(line.old or '')}"


def _questions(plan: PlanDifference) -> Sequence[str]:
    return [f"{head}: {', '.join(facts)}" for head, facts in (("asks now", plan.asked), ("asks no longer", plan.no_longer_asked)) if facts]


def _unplanned(record: Unplanned) -> str:
    where = f" in {record.jurisdiction}" if record.jurisdiction else ""
    causes = "; ".join(f"{f'{problem.what}: ' if problem.what else ''}{problem.why}" for problem in record.problems)
    return f"not planned: {clean(record.record)}{where} with the {record.evidence} evidence: {_short(causes)}"
