"""``ivigil evidence check | show | search``."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path

from ivigil.basis.problems import BadInput
from ivigil.cli.inputs import Choices, load
from ivigil.cli.output import Progress, columns, counted, report, write


def run_check(folder: str, overlay: str) -> int:
    """List every problem of the evidence, or say what was found sound. Exit code 0 or 2."""
    from ivigil.evidence.check import check
    from ivigil.planning.worked_examples import failing

    today = date.today()
    with Progress("Checking the evidence") as progress:
        problems = check(Path(folder) if folder else None, Path(overlay) if overlay else None, progress,
                         lambda files, local, evidence: failing(files, local, evidence, today))
    if problems:
        return report(problems, f"The evidence has {counted(len(problems), 'problem')}:")
    evidence = load(Choices(overlay=overlay, evidence=folder))
    counts = ", ".join([
        counted(len(evidence.sources), "source"), counted(len(evidence.statements), "statement"), counted(len(evidence.facts), "fact"),
        counted(len(evidence.rules) + len(evidence.interactions), "rule"), counted(len(evidence.indications), "indication"),
        counted(len(evidence.products), "product"), counted(len(evidence.weight_policies), "weight policy", "weight policies"),
    ])
    write(f"The evidence is sound: {counts}; version {evidence.version}.\n")
    return 0


def run_show(entry: str, overlay: str, folder: str) -> int:
    """Print one entry of the evidence. Exit code 2 when there is none of that id."""
    from ivigil.rendering.entry import entry_text

    try:
        write(entry_text(load(Choices(overlay=overlay, evidence=folder)), entry, columns()))
    except BadInput as error:
        return report(error.problems, "Nothing to show:")
    return 0


def run_search(text: str, limit: int, overlay: str, folder: str) -> int:
    """Print what holds all the words, best first."""
    from ivigil.evidence.search import search
    from ivigil.rendering.plain_text import clean

    try:
        evidence = load(Choices(overlay=overlay, evidence=folder))
    except BadInput as error:
        return report(error.problems, "The evidence does not load:")
    hits = search(evidence, text, limit)
    for hit in hits:
        source = f" ({hit.source})" if hit.source else ""
        write(f"{hit.part}  {hit.id}{source}\n{textwrap.fill(clean(hit.text), max(60, columns()), initial_indent='    ', subsequent_indent='    ')}\n")
    write(f"{counted(len(hits), 'find')}. 'ivigil evidence show ID' shows one in full.\n" if hits else "Nothing holds all these words; try fewer.\n")
    return 0
