"""``ivigil schema``."""

from __future__ import annotations

from typing import Any

import msgspec

from ivigil.cli.output import write


def run_schema(what: str) -> int:
    """Print the JSON Schema of ``patient``, ``plan``, ``evidence`` or ``fit-model``."""
    write(msgspec.json.format(msgspec.json.encode(_schema(what)), indent=2).decode() + "\n")
    return 0


def _schema(what: str) -> dict[str, Any]:
    if what == "plan":
        from ivigil.rendering.json import plan_schema

        return plan_schema()
    if what == "patient":
        from ivigil.patient.read import patient_schema

        return patient_schema()
    if what == "fit-model":
        from ivigil.pharmacokinetics.fit_model import fit_model_schema

        return fit_model_schema()
    from ivigil.rendering.evidence_schema import evidence_schema

    return evidence_schema()
