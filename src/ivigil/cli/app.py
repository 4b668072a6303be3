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
evidence_app = typer.Typer(help="Check, show and search the evidence.", context_settings=_PLAIN, rich_markup_mode=None, no_args_is_help=True)
app.add_typer(evidence_app, name="evidence")


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
    FIT_MODEL = "fit-model"


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


class Hold(StrEnum):
    """How long a covariate of a row holds."""

    NEXT = "next"
    LAST = "last"


@app.command()
def fit(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model file (YAML): structure, parameters, covariates, variances, residual error.")],
    events: Annotated[str, typer.Argument(metavar="EVENTS", help="Event table (CSV): ID, time, evid, amt, cmt, rate, ii, addl, ss, DV, mdv and covariates.")],
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write the fits to this file instead of standard output.")] = "",
    levels: Annotated[str, typer.Option(metavar="FILE", help="Levels in a table of their own: ID, time, DV.")] = "",
    predictions: Annotated[str, typer.Option(metavar="FILE", help="Also write a line per level: typical and individual prediction, residual.")] = "",
    posterior: Annotated[int, typer.Option(min=0, max=100_000, help="Draws of the full posterior for 90 % intervals; 0 for none.")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    hold: Annotated[Hold, typer.Option(help="A row's covariates hold from the row before (next), or until the row after (last).")] = Hold.NEXT,
    fast: Annotated[bool, typer.Option("--fast", help="Use the compiled kernels (extra 'fast').")] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Threads for the compiled kernels.")] = 1,
) -> None:
    """Fit a linear model to each subject of an event table. Bad rows are listed and their subjects left out."""
    from ivigil.cli.fit_command import Choices, run_fit

    raise typer.Exit(run_fit(model, events, Choices(levels, out, predictions, posterior, seed, hold.value, fast, threads)))


@app.command()
def schema(what: Annotated[Schema, typer.Argument(help="What to describe.")]) -> None:
    """Print the JSON Schema of patient, plan, evidence or a model to fit."""
    from ivigil.cli.schema_command import run_schema

    raise typer.Exit(run_schema(what.value))


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


def main() -> None:
    """The ``ivigil`` command."""
    app(prog_name="ivigil")
