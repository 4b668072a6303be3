"""``ivigil evidence diff``: what changed between two evidence folders, and what that does to plans."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path

import msgspec

from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.everywhere import Attempt, attempts
from ivigil.cli.inputs import Choices, Collected, day_of, load
from ivigil.cli.output import Progress, columns, report, write
from ivigil.evidence.difference import difference
from ivigil.evidence.files import EvidenceFile, packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.rendering.evidence_difference import Compared, PlanComparison, Unplanned, comparison_json, comparison_markdown, comparison_terminal
from ivigil.rendering.plan_difference import plan_difference

PACKAGED = "-"


def run_diff(old: str, new: str, overlay: str, patients: str, jurisdiction: str, as_of: str, form: str) -> int:
    """Print what differs between two folders, the second with an overlay on top; with ``patients`` also between the plans of these records.

    Exit code 0, or 2 for bad input.
    """
    found = Collected()
    texts = [found.attempt(partial(_files, name), None) for name in (old, new, *([overlay] if overlay else []))]
    if found.problems:
        return report(found.problems, "Nothing to compare:")
    try:
        local = texts[-1] or [] if overlay else []
        compared = Compared(_called(old), _called(new, overlay), difference(texts[0] or [], texts[1] or [], local))
        if patients:
            plans = _plans(old, new, overlay, patients, jurisdiction, day_of(as_of, date.today()))  # the day where the user is
            compared = Compared(compared.old, compared.new, compared.entries, plans)
    except BadInput as error:
        return report(error.problems, "The folders cannot be compared:")
    if form == "json":
        write(comparison_json(compared))
    elif form == "markdown":
        write(comparison_markdown(compared))
    else:
        write(comparison_terminal(compared, columns()))
    return 0


def _folder(name: str) -> str:
    """The folder as an option names it: empty for the packaged evidence."""
    return "" if name == PACKAGED else name


def _called(name: str, overlay: str = "") -> str:
    called = "packaged evidence" if name == PACKAGED else name
    return f"{called} under {overlay}" if overlay else called


def _files(name: str) -> list[EvidenceFile]:
    files = read_folder(Path(name) if _folder(name) else packaged_folder())
    if not files:
        raise BadInput([Problem(name, 0, "", "no evidence file in it", "name an evidence folder, or - for the packaged one")])
    return files


def _plans(old: str, new: str, overlay: str, patients: str, jurisdiction: str, day: date) -> PlanComparison:
    before, after = _loaded(old), _loaded(new, overlay)
    places = _places(before, after, jurisdiction)
    made = [_attempts(evidence, patients, day, places, name) for evidence, name in ((before, "old"), (after, "new"))]
    unplanned = [Unplanned(one.record, one.place, name, one.problems) for name, side in zip(("old", "new"), made, strict=True)
                 for one in side.values() if one.plan is None]
    changed, unchanged = [], 0
    for key, was in made[0].items():
        now = made[1].get(key)
        if was.plan is None or now is None or now.plan is None:
            continue
        apart = plan_difference(was.plan, now.plan)
        if apart.same:
            unchanged += 1
        else:
            changed.append((was.record, apart))
    changed.sort(key=lambda pair: not pair[1].status_changed)
    return PlanComparison(day.isoformat(), tuple(changed), unchanged, tuple(unplanned))


def _loaded(name: str, overlay: str = "") -> Evidence:
    """Evidence to plan with. Entries compare even where it does not load; the problems then name the folder."""
    try:
        return load(Choices(evidence=_folder(name), overlay=overlay))
    except BadInput as error:
        called = f"{_called(name, overlay)}: " if overlay else f"{_called(name)}/"
        raise BadInput([Problem(f"{called}{one.place}", *msgspec.structs.astuple(one)[1:]) for one in error.problems] + [
            Problem(_called(name, overlay), 0, "", "does not load with this version of ivigil, so that nothing can be planned with it",
                    "leave --patients out to compare the entries alone")]) from None


def _places(before: Evidence, after: Evidence, jurisdiction: str) -> list[str]:
    """The jurisdiction asked for, or all that both know."""
    both = [place for place in after.jurisdictions if place in before.jurisdictions]
    if jurisdiction and jurisdiction not in both:
        similar = near(jurisdiction, both)
        remedy = f"did you mean {', '.join(similar)}?" if similar else f"known to both: {', '.join(both)}"
        raise BadInput([Problem("--jurisdiction", 0, "", f"'{jurisdiction}' is not known to both", remedy)])
    return [jurisdiction] if jurisdiction else both


def _attempts(evidence: Evidence, patients: str, day: date, places: list[str], name: str) -> dict[tuple[str, str], Attempt]:
    found: dict[tuple[str, str], Attempt] = {}
    with Progress(f"Planning with the {name} evidence") as progress:
        for one in attempts(evidence, patients, day, places):
            found[one.record, one.place] = one
            progress(len(found), len(found) + 1, one.record)
    return found
