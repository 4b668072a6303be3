"""``ivigil evidence review``: what waits, one statement with all it feeds, and a verdict written into its file."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import cast

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.everywhere import plans_everywhere
from ivigil.cli.inputs import Choices, load
from ivigil.cli.output import columns, counted, report, write
from ivigil.evidence.files import packaged_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.queue import waiting
from ivigil.evidence.review import refusal, stamp_of, state_of
from ivigil.evidence.shapes import ReviewStatus, Statement, Verdict
from ivigil.evidence.uses import RISKS, uses
from ivigil.evidence.verdicts import record_verdict
from ivigil.rendering.plain_text import clean
from ivigil.rendering.sources import known, locator


class Given(msgspec.Struct, frozen=True):
    """A verdict as given on the command line; ``status`` is empty when none is."""

    status: str = ""
    by: str = ""
    reason: str = ""
    due: str = ""


def run_review(statement: str, given: Given, patients: str, limit: int, overlay: str, folder: str) -> int:
    """List what waits for review, show one statement, or record a verdict. Exit code 0 or 2."""
    try:
        evidence = load(Choices(overlay=overlay, evidence=folder))
        if not statement:
            write(waiting_text(evidence, limit, columns()))
            return 0
        entry = evidence.statements.get(statement)
        if entry is None:
            raise BadInput([Problem("statements", 0, clean(statement), "no statement has this id", "look it up with 'ivigil evidence search'")])
        if not given.status:
            write(statement_text(evidence, entry, patients, columns()))
            return 0
        verdict = Verdict(status=cast("ReviewStatus", given.status), by=given.by, date=date.today().isoformat(), reason=given.reason, due=given.due,
                          of=stamp_of(entry))
        why = refusal(entry, verdict)
        if why:
            cause, _, remedy = why.partition("; ")
            raise BadInput([Problem(statement, 0, "", cause, remedy)])
        folders = [Path(folder) if folder else packaged_folder(), *([Path(overlay)] if overlay else [])]
        path = record_verdict(folders, statement, verdict)
    except BadInput as error:
        return report(error.problems, "Nothing was recorded:" if given.status else "Nothing to review:")
    state = state_of(msgspec.structs.replace(entry, reviews=(*entry.reviews, verdict)))
    more = f", {counted(len(state.approved_by), 'approval')} so far; another person's is needed" if state.status == "under-review" and state.approved_by else ""
    write(f"{statement} is {state.status.replace('-', ' ')}{more}. Written to {path}.\n")
    return 0


def waiting_text(evidence: Evidence, limit: int, width: int) -> str:
    """What waits for review, worst risk first: overdue ones, then those that feed most."""
    queue = waiting(evidence)
    out = [f"{counted(len(queue), 'statement waits', 'statements wait')} for review, of {len(evidence.statements)}."]
    counts = {risk: sum(one.risk == risk for one in queue) for risk in RISKS}
    out.append("By what hangs on them: " + ", ".join(f"{risk} {count}" for risk, count in counts.items() if count) + ".")
    risk_before = ""
    for one in queue[:limit]:
        if one.risk != risk_before:
            out += ["", one.risk]
            risk_before = one.risk
        entry, state = evidence.statements[one.id], one.state
        marks = [entry.read, *(["one reading"] if entry.readings == 1 and entry.read in {"seen", "second-hand"} else []), f"used {len(one.uses)} times"]
        marks += [f"approved by {', '.join(state.approved_by)}"] if state.approved_by else []
        marks += [f"due {state.due}"] if state.due else []
        marks += ["changed since it was judged"] if state.outdated else []
        out += textwrap.wrap(f"{one.id} ({'; '.join(marks)}): {clean(entry.says)}", width, initial_indent="  ", subsequent_indent="      ")
    if len(queue) > limit:
        out += ["", f"{len(queue) - limit} more; --limit shows them."]
    out += ["", "'ivigil evidence review ID' shows one with its source place and all it feeds."]
    return "\n".join(out) + "\n"


def statement_text(evidence: Evidence, entry: Statement, patients: str, width: int) -> str:
    """A statement beside its source place, its verdicts, every entry that cites it and every plan line that it feeds."""
    state = state_of(entry)
    out = [f"{entry.id}: {state.status.replace('-', ' ')}", ""]

    def say(head: str, text: str) -> None:
        out.extend(textwrap.wrap(f"{head}: {clean(text)}", width, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False))

    say("says", entry.says)
    if entry.plain:
        say("plain", entry.plain)
    if entry.values:
        say("values", ", ".join(f"{key} {value}" for key, value in entry.values.items()))
    for head, source_id in (("source", entry.source), *(("also in", name) for name in entry.also), *((("through", entry.through),) if entry.through else ())):
        source = evidence.sources.get(source_id)
        if source is not None:
            say(head, known(source.title, source.publisher, source.year))
            if source.where:
                say("  find it at", locator(source.where))
    if entry.where:
        say("place", entry.where)
    counted_readings = "" if entry.read in {"decided", "remembered"} else (", two readings agree" if entry.readings > 1 else ", one reading")
    say("read", f"{entry.read}{' on the same page' if entry.same_page else ''}{counted_readings}")
    for other in entry.disputed_by:
        disputing = evidence.statements.get(other)
        say("disputed by", f"{other}: {disputing.says}" if disputing is not None else other)
    stamp = stamp_of(entry)
    for verdict in entry.reviews:
        old = ", on an earlier text" if verdict.of and verdict.of != stamp else ""
        due = f", next step due {verdict.due}" if verdict.due else ""
        say("verdict", f"{verdict.status} by {verdict.by} on {verdict.date}{old}{due}{f': {verdict.reason}' if verdict.reason else ''}")
    out += ["", "Feeds"]
    where = uses(evidence)[entry.id]
    out += [f"  {use.part.replace('_', ' ')} {use.id}{f', {use.key}' if use.key else ''} ({use.risk})" for use in where] or ["  nothing"]
    if patients:
        out += ["", f"Plan lines of {patients}", *(_fed(evidence, entry.id, patients) or ["  none"])]
    return "\n".join(out) + "\n"


def _fed(evidence: Evidence, statement: str, patients: str) -> list[str]:
    lines: dict[str, list[str]] = {}
    for place, made in plans_everywhere(evidence, patients, date.today()):
        for line in made.lines:
            if statement in line.because.cites:
                lines.setdefault(f"{line.id}: {clean(line.text)}", []).append(f"{made.patient} in {place}")
    return [f"  {text}\n      {', '.join(who[:4])}{f' and {len(who) - 4} more' if len(who) > 4 else ''}" for text, who in lines.items()]
