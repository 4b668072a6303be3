"""``ivigil evidence coverage | disagreements``: what was read and what was not, and where authorities stand apart."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, day_of, load
from ivigil.cli.output import columns, report, write
from ivigil.evidence.check import examples_of
from ivigil.evidence.coverage import coverage
from ivigil.evidence.disagreements import disagreements
from ivigil.evidence.files import packaged_folder, read_folder
from ivigil.rendering.coverage import coverage_json, coverage_report
from ivigil.rendering.disagreements import disagreements_json, disagreements_report
from ivigil.rendering.plain_text import clean
from ivigil.rendering.report import Report, report_markdown, report_terminal


def run_coverage(format: str, as_of: str, out: str, overlay: str, folder: str) -> int:
    """Print what the evidence covers. Exit code 0, or 2 for bad input."""
    try:
        day = day_of(as_of, date.today())
        evidence = load(Choices(overlay=overlay, evidence=folder))
        files = [file for place in (Path(folder) if folder else packaged_folder(), *([Path(overlay)] if overlay else [])) for file in read_folder(place)]
        found = coverage(evidence, day, examples_of(files, evidence))
        write(coverage_json(found) if format == "json" else _laid_out(coverage_report(found, full=format == "markdown"), format), out)
    except BadInput as error:
        return report(error.problems, "No coverage was worked out:")
    return 0


def run_disagreements(topic: str, format: str, as_of: str, out: str, overlay: str, folder: str) -> int:
    """Print where authorities disagree, on everything or on one topic. Exit code 0, or 2 for bad input."""
    try:
        day = day_of(as_of, date.today())
        evidence = load(Choices(overlay=overlay, evidence=folder))
        found = disagreements(evidence, day, topic)
        if topic and not found and not evidence.indications_called(topic):
            known = sorted({name for one in disagreements(evidence, day) for name in (one.id, one.kind, *one.topics)})
            near = difflib.get_close_matches(topic, known, n=4, cutoff=0.5)
            remedy = f"did you mean {', '.join(near)}?" if near else "name an indication, weight, target or vaccine, or leave it out"
            raise BadInput([Problem("disagreements", 0, clean(topic), "no topic is called so", remedy)])
        names = {name: indication.name.clinical for name, indication in evidence.indications.items()}
        made = disagreements_report(found, day.isoformat(), names, everything=not topic)
        write(disagreements_json(found, evidence.version, day.isoformat()) if format == "json" else _laid_out(made, format), out)
    except BadInput as error:
        return report(error.problems, "No disagreements were looked up:")
    return 0


def _laid_out(made: Report, format: str) -> str:
    return report_markdown(made) if format == "markdown" else report_terminal(made, columns())
