"""``ivigil models list | show | check``: the published models, one of them, and whether they still reproduce what is printed."""

from __future__ import annotations

import textwrap

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import Choices, load
from ivigil.cli.output import Progress, columns, counted, note, report, write
from ivigil.rendering.plain_text import clean


def run_list(choices: Choices, form: str) -> int:
    """Every model with role, purpose and the patients it was made from."""
    try:
        evidence = load(choices)
    except BadInput as error:
        return report(error.problems, "The evidence does not load:")
    if form == "json":
        write(msgspec.json.format(msgspec.json.encode(list(evidence.models.values())), indent=1).decode() + "\n")
        return 0
    from ivigil.pharmacokinetics.published import why_not_fitted

    lines = [f"{'id':<20} {'role':<13} {'for':<17} {'family':<11} {'patients':>8}  {'weight':<13} {'fitted':<7} made from"]
    for model in evidence.models.values():
        domain = model.domain
        weight = str(domain.weight or "-")
        lines.append(f"{model.id:<20} {model.role:<13} {model.purpose:<17} {model.family:<11} {domain.patients or '-':>8}  {weight:<13} "
                     f"{'no' if why_not_fitted(model) else 'yes':<7} "
                     f"{', '.join(domain.indications[:4]) or '-'}; {', '.join(domain.routes)}")
    write("\n".join(lines) + "\n")
    return 0


def run_show(model: str, choices: Choices) -> int:
    """One model: parameters as printed, domain, caveats, every statement it rests on, its vignette, and whether it can be fitted to levels."""
    from ivigil.pharmacokinetics.published import why_not_fitted
    from ivigil.rendering.entry import entry_text

    try:
        evidence = load(choices)
        text = entry_text(evidence, model, columns())
        if model in evidence.models:
            why = why_not_fitted(evidence.models[model])
            text += f"fitted to levels: {f'no, {why}' if why else 'yes'}\n"
        write(text)
    except BadInput as error:
        return report(error.problems, f"{counted(len(error.problems), 'problem')}:")
    return 0


def run_check(choices: Choices, model: str) -> int:
    """Every check of every model, or of one with what it assumes and where it departs; exit code 2 when one leaves its declared range."""
    from ivigil.pharmacokinetics.checks import outcomes

    try:
        evidence = load(choices)
        if model and model not in evidence.vignettes:
            raise BadInput([Problem("models", 0, clean(model), "no model with a vignette is called that", f"known: {', '.join(evidence.vignettes)}")])
        found = [one for one in outcomes(evidence) if not model or model in one.model.split(", ")]
    except BadInput as error:
        return report(error.problems, f"{counted(len(error.problems), 'problem')}:")
    lines = [f"{'':<4} {'check':<36} {'model':<20} {'computed':>10}  {'printed':<14} unit"]
    for one in found:
        several = one.model.count(",") + 1
        name = one.model if several == 1 else f"{several} models"
        lines.append(f"{'ok' if one.holds else 'OFF':<4} {one.check:<36} {name:<20} {one.value:>10.2f}  {one.expected:<14} {one.unit}".rstrip())
        if not one.holds:
            lines.extend(textwrap.wrap(one.say, columns(), initial_indent=" " * 5, subsequent_indent=" " * 5))
    off = sum(not one.holds for one in found)
    lines.append(f"{counted(len(found), 'check')}, {off} outside the declared range.")
    if model:
        vignette = evidence.vignettes[model]
        for title, text in (("Assumes: ", vignette.say), *(("Deviates: ", deviation.say) for deviation in vignette.deviations)):
            lines.extend(textwrap.wrap(title + text, columns(), subsequent_indent="  "))
    write("\n".join(lines) + "\n")
    return 2 if off else 0


def run_warm_up() -> int:
    """Compile the kernels of the extra ``fast`` once and keep them on disk; exit code 2 when the extra is not installed."""
    try:
        from ivigil.pharmacokinetics.fast import warm_up
    except ImportError:
        return report([Problem("ivigil", 0, "fast", "numba is not installed", "install the extra: pip install 'ivigil[fast]'")], "Nothing was compiled:")
    with Progress("Compiling") as progress:
        warm_up(progress)
    note("the compiled kernels are on disk; later runs load them")
    return 0
