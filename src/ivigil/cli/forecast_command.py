"""``ivigil forecast``: a record and a regimen in, a curve with its uncertainty out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, Collected, day_of, every_problem, load, records_of
from ivigil.cli.output import Progress, columns, counted, note, report, write
from ivigil.evidence.library import Evidence
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Made, Wanted, forecast_for, indication_problems, problems_of


class Shown(msgspec.Struct, frozen=True):
    """The day of the forecast, how it is shown, and where to."""

    as_of: str = ""
    plot: str = ""
    form: str = "terminal"
    out: str = ""


def run_forecast(names: Sequence[str], asked: Asked, wanted: Wanted, shown: Shown, choices: Choices) -> int:
    """Forecast every patient of every file; a bad record among several is listed and the others are forecast.

    The exit code is 2 for bad input, 4 when no model speaks for any patient, else 0.
    """
    try:
        evidence = load(choices)
    except BadInput as error:
        return report(error.problems, "The evidence does not load; nothing was forecast:")
    today = date.today()  # the day where the user is
    found = Collected()
    as_of = found.attempt(lambda: day_of(shown.as_of, today), today)
    of_choices = tuple(problems_of(asked, wanted, evidence, _option))
    found.problems.extend(of_choices)
    if shown.plot and not shown.plot.lower().endswith((".svg", ".png")):
        found.problems.append(Problem("--plot", 0, shown.plot, "only SVG and PNG are drawn", "name a file that ends in .svg or .png"))
    if found.problems:
        if of_choices:  # no record is forecast then: what is wrong with each, and with its regimen, is told in the same run
            found.problems.extend(problem for _, some in forecast_all(names, asked, wanted, evidence, as_of)[1] for problem in some)
        told = tuple(dict.fromkeys(found.problems))
        return report(told, f"{counted(len(told), 'problem')} in the input; nothing was forecast:")
    made, failed = forecast_all(names, asked, wanted, evidence, as_of)
    problems = [problem for _, some in failed for problem in some]
    if not made:
        return report(problems, f"{counted(len(problems), 'problem')} in the input; nothing was forecast:")
    try:
        _write(made, shown, evidence, problems)
    except BadInput as error:
        return report(error.problems, "The forecast could not be written:")
    if failed:
        return report(problems, f"{counted(len(failed), 'record')} could not be used; {counted(len(made), 'forecast')} made:")
    return 0 if any(one.forecast.status == "forecast" for one in made) else 4


def forecast_all(names: Sequence[str], asked: Asked, wanted: Wanted, evidence: Evidence,
                 as_of: date) -> tuple[list[Made], list[tuple[str, tuple[Problem, ...]]]]:
    """The forecasts of every record that can be used, and the problems of each that cannot."""
    made: list[Made] = []
    failed: list[tuple[str, tuple[Problem, ...]]] = []
    with Progress("Forecasting") as progress:
        for done, name in enumerate(names, start=1):
            try:
                for record in records_of(name, evidence):
                    try:
                        made.append(forecast_for(record, asked, wanted, evidence, as_of, _option))
                    except BadInput as error:
                        failed.append((record.place or record.id, error.problems))
            except BadInput as error:
                failed.append((name, every_problem(error, evidence.facts, as_of, lambda rest: indication_problems(rest, wanted.indication, evidence, _option))))
            progress(done, len(names), name)
    return made, failed


_option = "--{}".format


def _write(made: list[Made], shown: Shown, evidence: Evidence, problems: list[Problem]) -> None:
    if shown.plot:
        from ivigil.rendering.forecast_svg import forecast_svg

        if len(made) != 1 or not made[0].forecast.curves:
            raise BadInput([Problem("--plot", 0, "", "there is not exactly one curve to draw", "forecast one patient whom a model speaks for")])
        picture: str | bytes = forecast_svg(made[0].forecast, made[0].as_of, made[0].record.id)
        if shown.plot.lower().endswith(".png"):
            from ivigil.rendering.print.pdf import png_of

            picture = png_of(str(picture))
        write(picture, shown.plot)
        note(f"picture written to {shown.plot}")
    if shown.form == "json":
        from ivigil.rendering.forecast_json import forecast_plain, forecasts_json

        plain: list[dict[str, Any]] = [forecast_plain(one, evidence.version) for one in made]
        write(forecasts_json(plain, problems), shown.out)
        return
    from ivigil.rendering.forecast_text import forecast_text

    write("\n\n".join(forecast_text(one, evidence, columns()) for one in made), shown.out)
