"""The commands of ``ivigil evidence`` and their options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ivigil.cli.options import PLAIN, AsOf, EvidenceFolder, Overlay

evidence_app = typer.Typer(
    help="Check, show, search, review, begin, compare and export the evidence.", context_settings=PLAIN, rich_markup_mode=None, no_args_is_help=True,
)


@evidence_app.command("check")
def evidence_check(
    folder: Annotated[str, typer.Argument(metavar="[DIR]", help="Evidence folder. Default: the packaged one.")] = "",
    overlay: Overlay = "",
) -> None:
    """Prove the evidence: shapes, references, numbers, examples. Every problem is listed."""
    from ivigil.cli.evidence_commands import run_check

    raise typer.Exit(run_check(folder, overlay))


@evidence_app.command("show")
def evidence_show(
    entry: Annotated[str, typer.Argument(metavar="ID", help="Any id: statement, source, rule, indication, product, policy, fact.")],
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """Show one entry of the evidence, what it rests on and what rests on it."""
    from ivigil.cli.evidence_commands import run_show

    raise typer.Exit(run_show(entry, overlay, evidence))


@evidence_app.command("search")
def evidence_search(
    text: Annotated[list[str], typer.Argument(metavar="WORD", help="Words that must all occur.")],
    limit: Annotated[int, typer.Option(min=1, help="At most this many finds.")] = 20,
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """Find statements, rules, indications and products by words."""
    from ivigil.cli.evidence_commands import run_search

    raise typer.Exit(run_search(" ".join(text), limit, overlay, evidence))


class ReportFormat(StrEnum):
    """How a report about the evidence is printed."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"


Printed = Annotated[ReportFormat, typer.Option("--format", "-f", help="How it is printed.")]
Out = Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to this file instead of standard output.")]
OnDay = Annotated[str, typer.Option("--as-of", metavar="DATE", help="The day the evidence is looked at. Default: today.")]


@evidence_app.command("coverage")
def evidence_coverage(
    format: Printed = ReportFormat.TERMINAL, as_of: OnDay = "", out: Out = "", overlay: Overlay = "", evidence: EvidenceFolder = "",
) -> None:
    """Show what was read and what was not: by indication and place, statement, product, gap and example."""
    from ivigil.cli.coverage_command import run_coverage

    raise typer.Exit(run_coverage(format.value, as_of, out, overlay, evidence))


@evidence_app.command("disagreements")
def evidence_disagreements(
    topic: Annotated[str, typer.Argument(metavar="[ID]", help="An indication, weight, target, vaccine, or a disagreement by id. Without one, all.")] = "",
    format: Printed = ReportFormat.TERMINAL, as_of: OnDay = "", out: Out = "", overlay: Overlay = "", evidence: EvidenceFolder = "",
) -> None:
    """Show where authorities disagree, with the position of each, found from the evidence alone."""
    from ivigil.cli.coverage_command import run_disagreements

    raise typer.Exit(run_disagreements(topic, format.value, as_of, out, overlay, evidence))
@evidence_app.command("pages")
def evidence_pages(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write: new, empty, or one that this command wrote before.")],
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """Write the evidence as a small web site that opens from disk: every indication, product, rule and source."""
    from ivigil.cli.pages_command import run_pages

    raise typer.Exit(run_pages(folder, overlay, evidence))


class VerdictStatus(StrEnum):
    """What a reviewer can decide about a statement."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under-review"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@evidence_app.command("review")
def evidence_review(
    statement: Annotated[str, typer.Argument(metavar="[ID]", help="A statement. Without one, what waits for review is listed, the most dangerous first.")] = "",
    verdict: Annotated[VerdictStatus | None, typer.Option(help="Record this verdict in the statement's file.")] = None,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who gives the verdict.")] = "",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why. Needed to reject or supersede.")] = "",
    due: Annotated[str, typer.Option(metavar="DATE", help="The day by which the next step is asked for.")] = "",
    patients: Annotated[str, typer.Option(metavar="DIR", help="Also show every plan line of these records that the statement feeds.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most this many in the list.")] = 20,
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """List what waits for review, show a statement with all it feeds, or record a verdict."""
    from ivigil.cli.review_command import Given, run_review

    given = Given(verdict.value if verdict is not None else "", by, reason, due)
    raise typer.Exit(run_review(statement, given, patients, limit, overlay, evidence))


class StubKind(StrEnum):
    """What ``ivigil evidence new`` can begin."""

    INDICATION = "indication"
    PRODUCT = "product"
    STATEMENT = "statement"
    RULE = "rule"
    SOURCE = "source"


@evidence_app.command("new")
def evidence_new(
    kind: Annotated[StubKind, typer.Argument(help="What to begin.")],
    entry: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example our-sps or our-sps.dose.")],
    into: Annotated[str, typer.Option(metavar="DIR", help="The folder to write to: an evidence folder of your own, or one to lay over the packaged one.")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="Name of an indication, brand of a product, title of a source. Default: the id in words.")] = "",
    source: Annotated[str, typer.Option(metavar="ID", help="Source of a statement, by id. Default: a source of its own, to be filled in.")] = "",
    fact: Annotated[str, typer.Option(metavar="CONDITION", help="When a rule fires: has.sepsis, or 'age > 65 year'.")] = "",
    cites: Annotated[list[str] | None, typer.Option(metavar="ID", help="A statement that the rule rests on; may be repeated. Default: a new one.")] = None,
    maker: Annotated[str, typer.Option(metavar="TEXT", help="Maker of a product.")] = "",
    market: Annotated[str, typer.Option(metavar="ID", help="Market of a product: US, EU ...")] = "",
    route: Annotated[str, typer.Option(metavar="ROUTE", help="Route of a product: intravenous, subcutaneous, facilitated-subcutaneous.")] = "",
    percent: Annotated[str, typer.Option(metavar="NUMBER", help="Strength of a product: 10 is 100 mg/mL.")] = "",
) -> None:
    """Begin an entry: a file that loads at once and says what to fill in. Nothing is overwritten."""
    from ivigil.cli.new_command import run_new
    from ivigil.evidence.stubs import Wanted

    raise typer.Exit(run_new(Wanted(kind.value, entry, name, source, fact, tuple(cites or ()), maker, market, route, percent), into))


class DiffFormat(StrEnum):
    """How a comparison is printed."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"


@evidence_app.command("diff")
def evidence_diff(
    old: Annotated[str, typer.Argument(metavar="[OLD]", help="An evidence folder; - is the packaged one.")] = "-",
    new: Annotated[str, typer.Argument(metavar="[NEW]", help="The folder to compare with it. Default: the packaged one.")] = "-",
    overlay: Annotated[str, typer.Option(metavar="DIR", help="Lay this folder over NEW: what a hospital's own evidence changes.")] = "",
    patients: Annotated[str, typer.Option(metavar="DIR", help="Also plan these records with both and show which plans change.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", "-j", metavar="ID", help="Plan only here. Default: every jurisdiction.")] = "",
    as_of: AsOf = "",
    format: Annotated[DiffFormat, typer.Option("--format", "-f", help="How the comparison is printed.")] = DiffFormat.TERMINAL,
) -> None:
    """Compare two evidence folders, or one without and with an overlay: entry by entry, and the plans made with each."""
    from ivigil.cli.diff_command import run_diff

    raise typer.Exit(run_diff(old, new, overlay, patients, jurisdiction, as_of, format.value))


class ExportFormat(StrEnum):
    """What the evidence is exported as."""

    JSON = "json"
    CSV = "csv"
    FHIR = "fhir"


@evidence_app.command("export")
def evidence_export(
    format: Annotated[ExportFormat, typer.Option("--format", "-f", help="One JSON document, one table per part, or a FHIR R4 Bundle.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="DIR|FILE", help="File to write; for csv a folder. Tables are replaced.")],
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """Write the whole evidence for other programs: JSON, CSV tables or FHIR R4."""
    from ivigil.cli.export_command import run_export

    raise typer.Exit(run_export(format.value, out, overlay, evidence))
