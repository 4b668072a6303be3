"""The JSON Schema of the evidence files, with quantities and conditions as they are written: all in one, or one per part for editors."""

from __future__ import annotations

import copy
from typing import Any

from ivigil.basis.conversion import json_schema_components
from ivigil.evidence.files import KINDS
from ivigil.evidence.shapes import RiskGroup

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EDITOR_DIALECT = "http://json-schema.org/draft-07/schema#"
"""The YAML language server reads draft 7 and below."""
_OVERLAY_KEYS = {
    "replaces": {"type": "string", "description": "Only in an overlay: the id of the packaged entry that this one replaces."},
    "reason": {"type": "string", "description": "Only in an overlay: why it is replaced."},
}
_NUMBER = {"type": "number"}
_WRITTEN: dict[str, dict[str, Any]] = {
    "Quantity": {
        "description": "A number with its unit, for example '70 kg'.",
        "anyOf": [
            {"type": "string", "pattern": "^[+-]?[0-9]+([.,][0-9]+)? *[^ ].*$"},
            {"type": "object", "properties": {"value": _NUMBER, "unit": {"type": "string"}}, "required": ["value", "unit"], "additionalProperties": False},
        ],
    },
    "Span": {"description": "A number or range with its unit, for example '0.2-0.8 g/kg' or '2-5'.", "type": ["string", "number"]},
    "Condition": {
        "description": "A comparison such as 'age > 65 year' or 'has.sepsis', a list (all must hold), or all, any or not over comparisons.",
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"$ref": "#/$defs/Condition"}},
            {"type": "object", "minProperties": 1, "maxProperties": 1, "properties": {
                "all": {"type": "array", "items": {"$ref": "#/$defs/Condition"}, "minItems": 1},
                "any": {"type": "array", "items": {"$ref": "#/$defs/Condition"}, "minItems": 1},
                "not": {"$ref": "#/$defs/Condition"},
            }, "additionalProperties": False},
        ],
    },
}


def evidence_schema() -> dict[str, Any]:
    """One schema for every kind of evidence file, under the file pattern it applies to."""
    shapes = [*(shape for _, _, shape in KINDS), RiskGroup]
    unique = list(dict.fromkeys(shapes))
    schemas, definitions = json_schema_components(unique, ref_template="#/$defs/{name}")
    by_shape = dict(zip(unique, schemas, strict=True))
    definitions.update({name: written for name, written in _WRITTEN.items() if name in definitions})
    files: dict[str, Any] = {}
    for pattern, part, shape in KINDS:
        entry: Any = {"anyOf": [by_shape[shape], by_shape[RiskGroup]]} if part == "rules" else by_shape[shape]
        files[pattern] = {"anyOf": [entry, {"type": "array", "items": entry}]}
    return {
        "$schema": _DIALECT,
        "$id": "urn:ivigil:evidence:1",
        "title": "ivigil evidence, by file pattern",
        "type": "object",
        "properties": files,
        "additionalProperties": False,
        "$defs": definitions,
    }


PARTS: dict[str, tuple[str, ...]] = {part: tuple(pattern for pattern, other, _ in KINDS if other == part) for _, part, _ in KINDS}
"""The file patterns of each part that has files of its own."""


def part_schema(part: str, *, with_neighbours: bool = False) -> dict[str, Any]:
    """The schema of one file of a part, in a dialect that editors read; the keys of an overlay are allowed.

    ``with_neighbours`` also accepts the parts whose file names the pattern covers too (``weight-policies/formulas.yaml`` lies among the policies),
    for editors, which apply every schema whose pattern fits.
    """
    patterns = PARTS[part]
    shapes = list(dict.fromkeys(shape for _, name, shape in KINDS if name == part))
    folders = tuple(pattern.removesuffix("*.yaml") for pattern in patterns if pattern.endswith("/*.yaml"))
    if with_neighbours and folders:
        shapes += [shape for other, name, shape in KINDS if name != part and other.startswith(folders)]
    if part == "rules":
        shapes.append(RiskGroup)
    entries, definitions = json_schema_components(shapes, ref_template="#/definitions/{name}")
    definitions.update({name: _renamed(written) for name, written in _WRITTEN.items() if name in definitions})
    for shape in shapes:
        definitions[shape.__name__]["properties"].update(_OVERLAY_KEYS)
    entry: Any = entries[0] if len(entries) == 1 else {"anyOf": list(entries)}
    return {
        "$schema": _EDITOR_DIALECT,
        "$id": f"urn:ivigil:evidence:1:{part}",
        "title": f"ivigil evidence, {' and '.join(patterns)}",
        "anyOf": [entry, {"type": "array", "items": entry}],
        "definitions": definitions,
    }


def _renamed(node: Any) -> Any:
    """A hand-written definition with its references where draft 7 keeps them."""
    if isinstance(node, dict):
        return {key: value.replace("#/$defs/", "#/definitions/") if key == "$ref" else _renamed(value) for key, value in node.items()}
    return [_renamed(item) for item in node] if isinstance(node, list) else copy.copy(node)


def editor_files(schemas: str, evidence: str) -> dict[str, Any]:
    """One schema per part by file name, and ``settings.json``: which file of ``evidence`` each describes, for the YAML language server.

    Both folders are named from the workspace that the editor has open.
    """
    files: dict[str, Any] = {f"{part.replace('_', '-')}.schema.json": part_schema(part, with_neighbours=True) for part in PARTS}
    prefix = "" if evidence in {"", "."} else f"{evidence}/"
    mapping: dict[str, str | list[str]] = {}
    for part, patterns in PARTS.items():
        named = [f"{prefix}{pattern}" for pattern in patterns]
        mapping[f"{schemas}/{part.replace('_', '-')}.schema.json"] = named[0] if len(named) == 1 else named
    return {**files, "settings.json": {"yaml.schemas": mapping}}
