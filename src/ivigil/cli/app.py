"""The commands and their options. Work is imported when a command runs, so that ``--help`` answers at once."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ivigil import __version__

_PLAIN = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="ivigil",
    help="Plan immunoglobulin therapy from a patient record. Every line of the plan carries its source.",
    epilog="Exit codes: 0 plan made, 2 bad input, 3 blocked, 4 no evidence. For qualified health professionals.",
    context_settings=_PLAIN, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True,
)
evidence_app = typer.Typer(
    help="Check, show, search, review, begin, compare and export the evidence.", context_settings=_PLAIN, rich_markup_mode=None, no_args_is_help=True,
)
app.add_typer(evidence_app, name="evidence")
models_app = typer.Typer(help="List, show and check the pharmacokinetic models.", context_settings=_PLAIN, rich_markup_mode=None, no_args_is_help=True)
app.add_typer(models_app, name="models")


class Format(StrEnum):
    """How a plan is printed."""

    TERMINAL = "terminal"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


class LeastReview(StrEnum):
    """How far in review the evidence of a line must be to be shown."""

    SUBMITTED = "submitted"
    UNDER_REVIEW = "under-review"
    APPROVED = "approved"


class Schema(StrEnum):
    """What ``ivigil schema`` can describe."""

    PATIENT = "patient"
    PLAN = "plan"
    EVIDENCE = "evidence"


Jurisdiction = Annotated[str, typer.Option("--jurisdiction", "-j", metavar="ID", help="Where the plan is made: US, UK-ENG ... Needed unless --site sets it.")]
Indication = Annotated[str, typer.Option(metavar="ID", help="Indication by id, name or code. Default: the order in the record.")]
Product = Annotated[str, typer.Option(metavar="ID", help="Product to use, by id.")]
WeightPolicy = Annotated[str, typer.Option(metavar="ID", help="Dosing-weight policy, by id. Default: the jurisdiction's.")]
Rounding = Annotated[str, typer.Option(metavar="ID", help="Rounding policy, by id. Default: the jurisdiction's.")]
Ramp = Annotated[str, typer.Option(metavar="ID", help="Site rate ladder between the label's start and maximum, by id. Shown as policy.")]
AsOf = Annotated[str, typer.Option(metavar="DATE", help="The day the plan is made for. Default: today.")]
Start = Annotated[str, typer.Option(metavar="DATETIME", help="First infusion, as 2026-11-20T09:00. Default: the order's, else 09:00 that day.")]
Overlay = Annotated[str, typer.Option(metavar="DIR", help="Folder of local evidence laid over the packaged one.")]
EvidenceFolder = Annotated[str, typer.Option("--evidence", metavar="DIR", help="Evidence folder to use instead of the packaged one.")]
Stock = Annotated[str, typer.Option(metavar="FILE", help="Vials in stock: a list of product, size, count, lot, expires.")]
Prices = Annotated[str, typer.Option(metavar="FILE", help="Price list: product, currency, per_gram or size and per_vial.")]
Formulary = Annotated[str, typer.Option(metavar="FILE", help="Product ids the site may use, as a list.")]
Review = Annotated[LeastReview | None, typer.Option("--least-review", help="Withhold lines whose evidence is less far in review. Warnings always stay.")]
Site = Annotated[str, typer.Option(metavar="FILE", help="Site profile: jurisdiction, policies, pump, formulary, prices, stock.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ivigil {__version__}")
        raise typer.Exit


@app.callback()
def ivigil(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")] = False) -> None:
    """Plan immunoglobulin therapy from a patient record. Every line of the plan carries its source."""


@app.command()
def plan(
    record: Annotated[list[str], typer.Argument(metavar="RECORD", help="Patient record: YAML, JSON or FHIR R4; - is standard input. Several may be given.")],
    jurisdiction: Jurisdiction = "",
    indication: Indication = "",
    product: Product = "",
    weight_policy: WeightPolicy = "",
    rounding: Rounding = "",
    ramp: Ramp = "",
    as_of: AsOf = "",
    start: Start = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    stock: Stock = "",
    prices: Prices = "",
    formulary: Formulary = "",
    site: Site = "",
    least_review: Review = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="How the plan is printed.")] = Format.TERMINAL,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to this file instead of standard output.")] = "",
) -> None:
    """Plan a patient record and print the plan."""
    from ivigil.cli.inputs import Choices
    from ivigil.cli.plan_command import run_plan

    choices = Choices(
        jurisdiction, indication, product, weight_policy, rounding, ramp, as_of, start, overlay, evidence, stock, prices, formulary, site,
        least_review.value if least_review is not None else "",
    )
    raise typer.Exit(run_plan(record, choices, format.value, out))


@app.command()
def why(
    plan_or_record: Annotated[str, typer.Argument(metavar="PLAN_OR_RECORD", help="A plan saved with --format json, or a patient record.")],
    line: Annotated[str, typer.Argument(metavar="LINE_ID", help="A line by id or printed number, a rule by id, or an asked fact.")],
    jurisdiction: Jurisdiction = "",
    indication: Indication = "",
    product: Product = "",
    weight_policy: WeightPolicy = "",
    rounding: Rounding = "",
    ramp: Ramp = "",
    as_of: AsOf = "",
    start: Start = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    stock: Stock = "",
    prices: Prices = "",
    formulary: Formulary = "",
    site: Site = "",
    least_review: Review = None,
) -> None:
    """Show why a line stands, or why a rule was not raised.

    The tree of reasons goes down to the field of the record and the place in the source.
    """
    from ivigil.cli.inputs import Choices
    from ivigil.cli.why_command import run_why

    choices = Choices(
        jurisdiction, indication, product, weight_policy, rounding, ramp, as_of, start, overlay, evidence, stock, prices, formulary, site,
        least_review.value if least_review is not None else "",
    )
    raise typer.Exit(run_why(plan_or_record, line, choices))


@app.command()
def schema(
    what: Annotated[Schema, typer.Argument(help="What to describe.")],
    part: Annotated[str, typer.Option(metavar="NAME", help="Only this part of the evidence: indications, statements ...")] = "",
    into: Annotated[str, typer.Option(metavar="DIR", help="Write one schema per part of the evidence into this folder, for an editor.")] = "",
    folder: Annotated[str, typer.Option("--for", metavar="DIR", help="The evidence folder that the editor has open, for --into.")] = "evidence",
) -> None:
    """Print the JSON Schema of patient, plan or evidence, or write those of the evidence for an editor."""
    from ivigil.cli.schema_command import run_schema

    raise typer.Exit(run_schema(what.value, part, into, folder))


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


@evidence_app.command("new")
def evidence_new(
    kind: Annotated[StubKind, typer.Argument(help="What to begin.")],
    entry: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example our-sps or our-sps.dose.")],
    into: Annotated[str, typer.Option(metavar="DIR", help="The folder to write to: an evidence folder of your own, or one to lay over the packaged one.")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="Clinical name of an indication, brand of a product. Default: the id in words.")] = "",
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
    old: Annotated[str, typer.Argument(metavar="OLD", help="An evidence folder; - is the packaged one.")],
    new: Annotated[str, typer.Argument(metavar="[NEW]", help="The folder to compare with it. Default: the packaged one.")] = "-",
    patients: Annotated[str, typer.Option(metavar="DIR", help="Also plan these records with both and show which plans change.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", "-j", metavar="ID", help="Plan only here. Default: every jurisdiction.")] = "",
    as_of: AsOf = "",
    format: Annotated[DiffFormat, typer.Option("--format", "-f", help="How the comparison is printed.")] = DiffFormat.TERMINAL,
) -> None:
    """Compare two evidence folders entry by entry, and the plans made with each."""
    from ivigil.cli.diff_command import run_diff

    raise typer.Exit(run_diff(old, new, patients, jurisdiction, as_of, format.value))


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


class ForecastFormat(StrEnum):
    """How a forecast is printed."""

    TERMINAL = "terminal"
    JSON = "json"


@app.command()
def forecast(
    record: Annotated[list[str], typer.Argument(metavar="RECORD", help="Patient record: YAML, JSON or FHIR R4; - is standard input. Several may be given.")],
    dose: Annotated[str, typer.Option(metavar="AMOUNT", help="Dose of a course: '0.4 g/kg' or '30 g'. Default: the order's or the last one's.")] = "",
    every: Annotated[str, typer.Option(metavar="TIME", help="Interval: '4 week', '21 day', or once. Default: the order's, else that of the infusions.")] = "",
    days: Annotated[int, typer.Option(help="Days over which a course is given. Default: the order's, else 1.")] = 0,
    route: Annotated[str, typer.Option(metavar="ROUTE", help="intravenous, subcutaneous or facilitated-subcutaneous.")] = "",
    target_trough: Annotated[str, typer.Option(metavar="LEVEL", help="Target trough: '7 g/L'. Shows doses, probability and grams a year.")] = "",
    loading: Annotated[str, typer.Option(metavar="AMOUNT", help="What if: the first coming dose is this instead.")] = "",
    missed: Annotated[list[int] | None, typer.Option(metavar="N", help="What if: the N-th coming dose is left out. May be given again.")] = None,
    late: Annotated[list[str] | None, typer.Option(metavar="N:DAYS", help="What if: the N-th coming dose is so many days late. May be given again.")] = None,
    switch: Annotated[str, typer.Option(metavar="PRODUCT", help="What if: change to weekly doses of this subcutaneous product by its label's factor.")] = "",
    indication: Indication = "",
    model: Annotated[str, typer.Option(metavar="ID", help="One model instead of those that fit; see 'ivigil models list'.")] = "",
    weeks: Annotated[int, typer.Option(help="How far ahead, in weeks.")] = 26,
    start: Annotated[str, typer.Option(metavar="DATE", help="Day of the next dose. Default: one interval after the last, else today.")] = "",
    as_of: Annotated[str, typer.Option(metavar="DATE", help="The day the forecast is made for. Default: today.")] = "",
    jurisdiction: Annotated[str, typer.Option("--jurisdiction", "-j", metavar="ID", help="Names the trough targets of that place.")] = "",
    plot: Annotated[str, typer.Option(metavar="FILE", help="Also draw the curve into this SVG file.")] = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    format: Annotated[ForecastFormat, typer.Option("--format", "-f", help="How the forecast is printed.")] = ForecastFormat.TERMINAL,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to this file instead of standard output.")] = "",
) -> None:
    """Forecast IgG levels from a patient record and a regimen, with how sure each number is."""
    from ivigil.cli.forecast_command import Wanted, run_forecast
    from ivigil.pharmacokinetics.asked import Asked

    asked = Asked(dose, every, days, route, start, loading, tuple(missed or ()), tuple(late or ()), switch, target_trough)
    wanted = Wanted(indication, model, weeks, as_of, plot, format.value, out, jurisdiction, overlay, evidence)
    raise typer.Exit(run_forecast(record, asked, wanted))


@models_app.command("list")
def models_list(
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    format: Annotated[ForecastFormat, typer.Option("--format", "-f", help="How the list is printed.")] = ForecastFormat.TERMINAL,
) -> None:
    """List the published models: for whom each is, and what it was made from."""
    from ivigil.cli.inputs import Choices
    from ivigil.cli.models_command import run_list

    raise typer.Exit(run_list(Choices(overlay=overlay, evidence=evidence), format.value))


@models_app.command("show")
def models_show(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model by id.")],
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """Show a model: parameters as printed, domain, caveats, and the statements they rest on."""
    from ivigil.cli.inputs import Choices
    from ivigil.cli.models_command import run_show

    raise typer.Exit(run_show(model, Choices(overlay=overlay, evidence=evidence)))


@models_app.command("check")
def models_check(
    model: Annotated[str, typer.Argument(metavar="[MODEL]", help="A model by id. Default: all.")] = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
) -> None:
    """Compute what each model must reproduce and compare it with what is printed."""
    from ivigil.cli.inputs import Choices
    from ivigil.cli.models_command import run_check

    raise typer.Exit(run_check(Choices(overlay=overlay, evidence=evidence), model))


def main() -> None:
    """The ``ivigil`` command."""
    app(prog_name="ivigil")
