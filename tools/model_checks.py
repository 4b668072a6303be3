"""Writes ``docs/model-checks.md``: what each pharmacokinetic model is held to, what it gives today, and where it departs for good from the print.

Run ``python tools/model_checks.py``, or ``python tools/make_reference.py``, which writes it with the other pages. ``tests/vignettes/pk``
fails when an output leaves its declared range, ``tests/contracts/test_docs.py`` when the page is not current.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ivigil.basis.quantity import number_text
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.pharmacokinetics.checks import Outcome, outcomes

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "model-checks.md"
TITLE = "Model checks"
_VIGNETTES = "../evidence/pharmacokinetics/vignettes"
_INPUTS = "pk-policy.check-inputs"
_HEAD = "| Check | Computed | Printed | Unit | Allowed | From | |\n|---|---:|---:|---|---|---|---|\n"


def page_body(evidence: Evidence) -> str:
    """The page below its title."""
    found = outcomes(evidence)
    off = [one for one in found if not one.holds]
    single = {name: [one for one in found if one.model == name] for name in evidence.vignettes}
    together = [one for one in found if "," in one.model]
    parts = [
        "Every pharmacokinetic model has a vignette of its own name (`evidence/pharmacokinetics/vignettes/`): what it is held to, what that assumes, and where "
        "it departs for good from what is printed. Facts that several models must reproduce stand once, in `checks.yaml`. The numbers come from the curve "
        "that the forecast draws, not from a shortcut; `ivigil models check` prints them, `ivigil models check zhang-2020` those of one model.",
        f"{len(found)} outputs of {len({one.check for one in found})} checks on {len(evidence.vignettes)} models; {len(off)} outside the declared range.",
        "A range is printed as such, or holds several printed numbers. What is allowed beside it follows from the print (rounded, or a bolus for an "
        "infusion: 1, 3 or 5 %) or from how the other program adds up (0.1 %), not from the result. *From* names the source; `ivigil-policy` is what was "
        "worked out twice from the printed parameters before the program existed. "
        "[Independent calculations](../tests/vignettes/pk/test_rederived.py) with matrix exponentials and scipy's solver, sharing no line with the program, "
        "give the same curves for every model.",
        *(_model(name, outputs, evidence) for name, outputs in single.items()),
        "## Several models together",
        _HEAD.replace("| Check |", "| Check | Models |").replace("|---|", "|---|---|", 1) + _rows(together, evidence, models=True),
        "## What each check assumes",
        "\n".join(f"- `{name}`: {say} Rests on {cites}." for name, say, cites in _assumptions(found)),
        "## No vignette",
        "The model of Guillain-Barré syndrome (Fokkink 2022), the models of Lee 2024, Bivigam 2025 and Li 2024 in patients never treated: their parameters "
        "could not be read.",
    ]
    return "\n\n".join(parts) + "\n"


def _model(name: str, outputs: list[Outcome], evidence: Evidence) -> str:
    vignette = evidence.vignettes[name]
    parts = [f"## {evidence.models[name].name}", f"[{name}]({_VIGNETTES}/{name}.yaml). {vignette.say}", _HEAD + _rows(outputs, evidence)]
    if vignette.deviations:
        parts.append("\n".join(f"- Deviation: {one.say}" for one in vignette.deviations))
    return "\n\n".join(parts)


def _rows(outputs: list[Outcome], evidence: Evidence, *, models: bool = False) -> str:
    return "\n".join(_row(one, evidence, models=models) for one in outputs)


def _row(one: Outcome, evidence: Evidence, *, models: bool) -> str:
    value = f"{one.value:.4g}" if one.value < 1000 else number_text(one.value)
    sources = dict.fromkeys(evidence.statements[cite].source for cite in one.cites if cite != _INPUTS)
    cells = [f"`{one.check}`", *([one.model] if models else []), value, one.expected, one.unit, one.tolerance or "-", ", ".join(sources)]
    cells.append("" if one.holds else "**outside**")
    return f"| {' | '.join(cells)} |"


def _assumptions(found: tuple[Outcome, ...]) -> list[tuple[str, str, str]]:
    """Each check once: its id, what it assumes, what it rests on."""
    once = {one.check: one for one in found}
    return [(name, one.say, ", ".join(f"`{cite}`" for cite in one.cites if cite != _INPUTS)) for name, one in once.items()]


def main() -> int:
    """Write the page; exit code 1 when an output lies outside its range."""
    from tools.make_reference import MADE

    evidence = load_evidence()
    PAGE.write_text(f"# {TITLE}\n\n{MADE}\n\n{page_body(evidence)}", encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return int(any(not one.holds for one in outcomes(evidence)))


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
