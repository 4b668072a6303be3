"""``ivigil plan``: records in, plans out, every problem listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, Collected, context_of, every_problem, for_record, load, records_of
from ivigil.cli.output import Progress, colour, columns, counted, note, report, write
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan, Status
from ivigil.planning.order_names import every_name
from ivigil.planning.plan import plan

EXIT: dict[Status, int] = {"complete": 0, "needs-answers": 0, "blocked": 3, "no-evidence": 4}
"""The exit code of a plan by its status."""
PRINTED = ("leaflet", "pdf", "ics")
"""The formats that are made for paper and calendars."""


class Batch(msgspec.Struct):
    """What came of several records: the plans, and the records that could not be used with their problems."""

    plans: list[Plan] = []
    failed: list[tuple[str, tuple[Problem, ...]]] = []

    @property
    def problems(self) -> list[Problem]:
        """Every problem of every record, in order."""
        return [problem for _, problems in self.failed for problem in problems]


def run_plan(names: Sequence[str], choices: Choices, form: str, out: str, link: str = "") -> int:
    """Plan every record and print the plans.

    One bad record among several is listed and the others are planned; with bad options, or when no record can be used, nothing is written.
    The exit code is 2 for any bad input, else 3 if a plan is blocked, else 4 if one has no evidence, else 0.
    """
    try:
        evidence = load(choices)
    except BadInput as error:
        return report(error.problems, "The evidence does not load; nothing was planned:")
    found = Collected()
    if form == "leaflet":  # it draws the IgG curve
        choices = msgspec.structs.replace(choices, outlook=True)
    context = found.attempt(lambda: context_of(choices, evidence, date.today()), None)  # the day where the user is
    batch = planned(names, choices, evidence, context)
    problems = [*found.problems, *batch.problems]
    if context is None or not batch.plans:
        return report(problems, f"{counted(len(problems), 'problem')} in the input; nothing was planned:")
    try:
        if form in PRINTED:
            from ivigil.cli.printed import printed

            write(printed(batch.plans, evidence, form, out, link), out)
        elif form == "fhir":
            from ivigil.rendering.fhir import plans_fhir

            write(plans_fhir(batch.plans, batch.failed, evidence), out)
        else:
            write(rendered(batch, form, single=len(batch.plans) == 1 and not batch.failed), out)
    except BadInput as error:
        return report(error.problems, "The plan could not be written:")
    if out:
        note(f"{counted(len(batch.plans), 'plan')} written to {out}")
    if batch.failed:
        return report(problems, f"{counted(len(batch.failed), 'record')} could not be used; {counted(len(batch.plans), 'plan')} made:")
    codes = {EXIT[made.status] for made in batch.plans}
    return next((code for code in (3, 4) if code in codes), 0)


def planned(names: Sequence[str], choices: Choices, evidence: Evidence, context: Context | None) -> Batch:
    """Read every record, then plan each; without a context they are only read, so that their problems are listed too."""
    batch = Batch()
    records: list[tuple[str, Record]] = []
    for name in names:
        try:
            for record in records_of(name, evidence):
                records.append((name, record))  # noqa: PERF401 - keeps those read before a problem
        except BadInput as error:
            as_of = context.as_of if context is not None else date.today()
            batch.failed.append((name, every_problem(error, evidence.facts, as_of, lambda rest: every_name(rest, evidence))))
    with Progress("Planning") as progress:
        for done, (name, record) in enumerate(records, start=1):
            if context is None:
                break
            try:
                batch.plans.append(plan(record, evidence, for_record(context, choices, record)))
            except BadInput as error:
                batch.failed.append((f"{name} ({record.id})" if len(records) > len(names) else name, error.problems))
            progress(done, len(records), name)
    return batch


def rendered(batch: Batch, form: str, *, single: bool) -> str:
    """The plans in one of the formats; several JSON plans come in one document that also lists the failed records."""
    if form == "json":
        from ivigil.rendering.json import plan_json, plans_json

        return plan_json(batch.plans[0]) if single else plans_json(batch.plans, batch.failed)
    if form == "markdown":
        from ivigil.rendering.markdown import plan_markdown

        return "\n".join(plan_markdown(made) for made in batch.plans)
    if form == "html":
        from ivigil.rendering.html import plans_html

        return plans_html(batch.plans)
    from ivigil.rendering.terminal import terminal_text

    return "\n\n".join(terminal_text(made, columns(), colour()) for made in batch.plans)


