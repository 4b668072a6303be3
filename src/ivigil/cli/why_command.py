"""``ivigil why``: the reasons of one line, from a saved plan or straight from a record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, context_of, for_record, load, records_of
from ivigil.cli.output import columns, counted, note, report, write
from ivigil.evidence.library import Evidence
from ivigil.planning.line import Plan


def run_why(name: str, key: str, choices: Choices) -> int:
    """Print the tree of reasons for ``key``. Exit code 2 when the input is bad or nothing has that name."""
    from ivigil.rendering.why import why_text

    try:
        evidence = load(choices)
        plan = _saved(name, evidence) or _made(name, choices, evidence)
        write(why_text(plan, key, evidence, columns()))
    except BadInput as error:
        return report(error.problems, f"{counted(len(error.problems), 'problem')}:")
    return 0


def _saved(name: str, evidence: Evidence) -> Plan | None:
    """The plan in the file, or None when the file is not a saved plan."""
    from ivigil.rendering.json import is_plan, read_plan

    path = Path(name)
    if name == "-" or not path.is_file():
        return None
    with path.open("rb") as handle:
        head = handle.read(200)
        if not is_plan(head):
            return None
        plan = read_plan(head + handle.read(), name)
    if plan.evidence_version != evidence.version:
        note(f"The plan was made with evidence {plan.evidence_version}; statements are shown as they stand in {evidence.version}.")
    return plan


def _made(name: str, choices: Choices, evidence: Evidence) -> Plan:
    from ivigil.planning.plan import plan

    context = context_of(choices, evidence, date.today())  # the day where the user is
    records = list(records_of(name, evidence))
    if len(records) != 1:
        raise BadInput([Problem(name, 0, "", f"holds {counted(len(records), 'patient')}", "name a file with one patient, or a plan saved with --format json")])
    return plan(records[0], evidence, for_record(context, choices, records[0]))
