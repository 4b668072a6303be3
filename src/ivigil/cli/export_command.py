"""``ivigil evidence export``."""

from __future__ import annotations

from pathlib import Path

from ivigil.basis.problems import BadInput
from ivigil.cli.inputs import Choices, load
from ivigil.cli.output import counted, note, report, write
from ivigil.cli.written_files import written


def run_export(form: str, out: str, overlay: str, folder: str) -> int:
    """Write the evidence as ``json``, ``csv`` tables or ``fhir``. Exit code 2 when it does not load or cannot be written."""
    try:
        evidence = load(Choices(overlay=overlay, evidence=folder))
        if form == "csv":
            from ivigil.rendering.evidence_tables import evidence_tables

            paths = written(Path(out), evidence_tables(evidence), replace=True)
            note(f"{counted(len(paths), 'table')} written to {out}")
        elif form == "fhir":
            from ivigil.rendering.evidence_fhir import evidence_fhir

            write(evidence_fhir(evidence), out)
        else:
            from ivigil.rendering.evidence_export import evidence_json

            write(evidence_json(evidence), out)
        if form != "csv":
            note(f"Evidence {evidence.version} written to {out}")
    except BadInput as error:
        return report(error.problems, "Nothing was exported:")
    return 0
