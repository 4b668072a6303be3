"""The JSON Schema of the evidence files, with quantities and conditions as they are written."""

from __future__ import annotations

from typing import Any

import msgspec

from ivigil.evidence.files import KINDS
from ivigil.evidence.shapes import RiskGroup

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
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
    schemas, definitions = msgspec.json.schema_components(unique, ref_template="#/$defs/{name}")
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
