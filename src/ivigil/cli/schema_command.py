"""``ivigil schema``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ivigil.basis.names import near
from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.output import counted, report, write
from ivigil.cli.written_files import written


def run_schema(what: str, part: str = "", into: str = "", folder: str = "evidence") -> int:
    """Print the JSON Schema of ``patient``, ``plan``, ``evidence`` or ``fit-model``, or of one part of the evidence; or write one per part into a folder."""
    try:
        if what != "evidence" and (part or into):
            raise BadInput([Problem("--part" if part else "--into", 0, "", f"'{what}' has one schema", "leave the option out, or ask for evidence")])
        if into and part:
            raise BadInput([Problem("--part", 0, "", "--into writes every part", "leave one of the two out")])
        if into:
            return _write_all(into, folder)
        schema = _part(part) if part else _schema(what)
    except BadInput as error:
        return report(error.problems, "No schema:")
    write(_text(schema))
    return 0


def _write_all(into: str, folder: str) -> int:
    from ivigil.rendering.evidence_schema import editor_files

    target, opened = Path(into), Path(folder).as_posix()
    schemas = target.as_posix() if target.is_absolute() else f"./{target.as_posix()}"
    files = {name: _text(content) for name, content in editor_files(schemas, opened).items()}
    written(target, files, replace=True)
    write(f"{counted(len(files) - 1, 'schema')} written to {into}. {target / 'settings.json'} maps them to the files of {opened}; "
          "copy it into .vscode/settings.json.\n")
    return 0


def _part(part: str) -> dict[str, Any]:
    from ivigil.evidence.files import KINDS
    from ivigil.rendering.evidence_schema import PARTS, part_schema

    name = part.replace("-", "_")
    if name not in PARTS:
        inside = list(dict.fromkeys(own for pattern, own, _ in KINDS if pattern.partition("/")[0].removesuffix(".yaml") == part.strip("/")))
        name = inside[0] if len(inside) == 1 else name
        if len(inside) > 1:
            raise BadInput([Problem("--part", 0, "", f"the folder '{part}' holds several parts", f"choose one of {', '.join(inside)}")])
    if name not in PARTS:
        similar = near(name, list(PARTS))
        raise BadInput([Problem("--part", 0, "", f"'{part}' is no part of the evidence", f"did you mean {', '.join(similar)}?" if similar
                                else f"parts: {', '.join(PARTS)}")])
    return part_schema(name)


def _text(schema: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


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
