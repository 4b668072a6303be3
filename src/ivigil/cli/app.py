"""The commands and their options. Work is imported when a command runs, so that ``--help`` answers at once."""

from __future__ import annotations

import gc
from enum import StrEnum
from typing import Annotated

import typer

from ivigil import __version__
from ivigil.cli.evidence_app import evidence_app
from ivigil.cli.options import PLAIN, AsOf, EvidenceFolder, Jurisdiction, Overlay
from ivigil.cli.service_app import add_to

app = typer.Typer(
    name="ivigil",
    help="Plan immunoglobulin therapy from a patient record. Every line of the plan carries its source.",
    epilog="Exit codes: 0 plan made, 2 bad input, 3 blocked, 4 no evidence. For qualified health professionals.",
    context_settings=PLAIN, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False, no_args_is_help=True,
)
app.add_typer(evidence_app, name="evidence")
models_app = typer.Typer(help="List, show and check the pharmacokinetic models.", context_settings=PLAIN, rich_markup_mode=None, no_args_is_help=True)
app.add_typer(models_app, name="models")


class Format(StrEnum):
    """How a plan is printed."""

    TERMINAL = "terminal"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    FHIR = "fhir"
    PDF = "pdf"
    LEAFLET = "leaflet"
    ICS = "ics"


class AnswerFormat(StrEnum):
    """How an answer is printed."""

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


Indication = Annotated[str, typer.Option(metavar="ID", help="Indication by id, name or code. Default: the order in the record.")]
Product = Annotated[str, typer.Option(metavar="ID", help="Product to use, by id.")]
WeightPolicy = Annotated[str, typer.Option(metavar="ID", help="Dosing-weight policy, by id. Default: the jurisdiction's.")]
Rounding = Annotated[str, typer.Option(metavar="ID", help="Rounding policy, by id. Default: the jurisdiction's.")]
Ramp = Annotated[str, typer.Option(metavar="ID", help="Site rate ladder between the label's start and maximum, by id. Shown as policy.")]
Start = Annotated[str, typer.Option(metavar="DATETIME", help="First infusion, as 2026-11-20T09:00. Default: the order's, else 09:00 that day.")]
Stock = Annotated[str, typer.Option(metavar="FILE", help="Vials in stock: a list of product, size, count, lot, expires.")]
Prices = Annotated[str, typer.Option(metavar="FILE", help="Price list: product, currency, per_gram or size and per_vial.")]
Formulary = Annotated[str, typer.Option(metavar="FILE", help="Product ids the site may use, as a list.")]
Review = Annotated[LeastReview | None, typer.Option("--least-review", help="Withhold lines whose evidence is less far in review. Warnings always stay.")]
Outlook = Annotated[bool, typer.Option("--outlook", help="Also forecast IgG on the planned dose: next trough, steady state, how sure.")]
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
    outlook: Outlook = False,
    format: Annotated[Format, typer.Option("--format", "-f", help="How the plan is printed.")] = Format.TERMINAL,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to this file. A leaflet is HTML or PDF by its ending.")] = "",
    link: Annotated[str, typer.Option("--link", metavar="URL", help="Address of the leaflet's own page: printed on it, with a QR code.")] = "",
) -> None:
    """Plan a patient record and print the plan, the patient's leaflet or the calendar."""
    from ivigil.cli.inputs import Choices
    from ivigil.cli.plan_command import run_plan

    choices = Choices(
        jurisdiction=jurisdiction, indication=indication, product=product, weight_policy=weight_policy, rounding=rounding, ramp=ramp, as_of=as_of,
        start=start, overlay=overlay, evidence=evidence, stock=stock, prices=prices, formulary=formulary, site=site,
        least_review=least_review.value if least_review is not None else "", outlook=outlook,
    )
    raise typer.Exit(run_plan(record, choices, format.value, out, link))


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
    outlook: Outlook = False,
) -> None:
    """Show why a line stands, or why a rule was not raised.

    The tree of reasons goes down to the field of the record and the place in the source.
    """
    from ivigil.cli.inputs import Choices
    from ivigil.cli.why_command import run_why

    choices = Choices(
        jurisdiction=jurisdiction, indication=indication, product=product, weight_policy=weight_policy, rounding=rounding, ramp=ramp, as_of=as_of,
        start=start, overlay=overlay, evidence=evidence, stock=stock, prices=prices, formulary=formulary, site=site,
        least_review=least_review.value if least_review is not None else "", outlook=outlook,
    )
    raise typer.Exit(run_why(plan_or_record, line, choices))


class Hold(StrEnum):
    """How long a covariate of a row holds."""

    NEXT = "next"
    LAST = "last"


@app.command()
def fit(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model file (YAML): structure, parameters, variances, errors; or a published model by id.")],
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
    """Fit a model to each subject of an event table. Bad rows are listed and their subjects left out."""
    from ivigil.cli.fit_command import Choices, run_fit

    raise typer.Exit(run_fit(model, events, Choices(levels, out, predictions, posterior, seed, hold.value, fast, threads)))


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
    plot: Annotated[str, typer.Option(metavar="FILE", help="Also draw the curve into this file: SVG or, with the extra print, PNG.")] = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    format: Annotated[ForecastFormat, typer.Option("--format", "-f", help="How the forecast is printed.")] = ForecastFormat.TERMINAL,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to this file instead of standard output.")] = "",
) -> None:
    """Forecast IgG levels from a patient record and a regimen, with how sure each number is."""
    from ivigil.cli.forecast_command import Shown, run_forecast
    from ivigil.cli.inputs import Choices
    from ivigil.pharmacokinetics.asked import Asked
    from ivigil.pharmacokinetics.for_record import Wanted

    asked = Asked(dose, every, days, route, start, loading, tuple(missed or ()), tuple(late or ()), switch, target_trough)
    wanted, shown = Wanted(indication, model, jurisdiction, weeks), Shown(as_of, plot, format.value, out)
    raise typer.Exit(run_forecast(record, asked, wanted, shown, Choices(overlay=overlay, evidence=evidence)))


class Audience(StrEnum):
    """For whom an answer is written."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    RESEARCHER = "researcher"


@app.command()
def ask(
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="A question in words, in quotes; - reads it from standard input.")],
    audience: Annotated[Audience, typer.Option("--audience", "-a", help="For whom the answer is written.")] = Audience.CLINICIAN,
    record: Annotated[str, typer.Option("--record", "-r", metavar="FILE", help="Patient record: the plan made from it is quoted.")] = "",
    jurisdiction: Jurisdiction = "",
    as_of: AsOf = "",
    site: Annotated[str, typer.Option(metavar="FILE", help="Site profile; its jurisdiction is used.")] = "",
    overlay: Overlay = "",
    evidence: EvidenceFolder = "",
    phrase: Annotated[str, typer.Option("--phrase", metavar="URL", help="Let a local language model reword sentences; each is checked or kept.")] = "",
    phrase_model: Annotated[str, typer.Option("--phrase-model", metavar="NAME", help="The name by which its server knows the model.")] = "local",
    phrase_host: Annotated[list[str] | None, typer.Option("--phrase-host", metavar="HOST", help="Allow this host beside this machine.")] = None,
    format: Annotated[AnswerFormat, typer.Option("--format", "-f", help="How the answer is printed.")] = AnswerFormat.TERMINAL,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Write to this file instead of standard output.")] = "",
) -> None:
    """Answer a question from the evidence; every sentence names its source. Exit codes: 0 answered, 2 bad input, 4 no answer, 5 question back."""
    from ivigil.cli.ask_command import Wanted, run_ask

    raise typer.Exit(run_ask(question, Wanted(audience.value, jurisdiction, record, as_of, format.value, out, overlay, evidence, site, phrase, phrase_model,
                                              tuple(phrase_host or ()))))


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


add_to(app)


@models_app.command("warm-up")
def models_warm_up() -> None:
    """Compile the fast kernels once (extra fast), so that later fits and cohorts start at once."""
    from ivigil.cli.models_command import run_warm_up

    raise typer.Exit(run_warm_up())


def main() -> None:
    """The ``ivigil`` command. What it makes are immutable trees that last until it ends, so the collector need not walk them often."""
    gc.set_threshold(200_000, 50, 50)
    app(prog_name="ivigil")
