"""The whole evidence as one JSON document (schema ``ivigil.evidence/1``): every entry by part and id, keys as the files write them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from ivigil import __version__
from ivigil.basis.quantity import Quantity, Span
from ivigil.evidence.conditions import Condition
from ivigil.evidence.library import Evidence
from ivigil.evidence.uses import PARTS
from ivigil.rendering.json import TO_UCUM

SCHEMA = "ivigil.evidence/1"
ABOUT = (
    "Evidence of ivigil on immunoglobulin therapy, in words of its own. Every entry names the statements it rests on, and every statement its source and how "
    "it was read. Rights in the sources stay with their owners. For qualified health professionals; it does not replace their judgement or the label in force."
)
"""What stands at the head of every export."""


def evidence_json(evidence: Evidence) -> str:
    """The evidence as indented JSON. Quantities are ``{value, unit}`` and ranges ``{low, high, unit}`` with UCUM codes; conditions are as written."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "about": ABOUT,
        "evidence_version": evidence.version,
        "program_version": __version__,
        **({"overlay": evidence.overlay, "local": evidence.local} if evidence.overlay else {}),
        "review": {name: status for name, status in evidence.review_states.items() if status != "submitted"},
        "parts": {part: {name: plain_value(entry) for name, entry in getattr(evidence, part).items()} for part in PARTS if getattr(evidence, part)},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def plain_value(node: Any) -> Any:
    """An entry or a part of one as plain data without what is left at its default."""
    if isinstance(node, Condition):
        return condition_written(node)
    if isinstance(node, Quantity):
        return {"value": node.value, "unit": TO_UCUM[node.unit]}
    if isinstance(node, Span):
        return {"low": node.low, "high": node.high, **({"unit": TO_UCUM[node.unit]} if node.unit else {})}
    if isinstance(node, msgspec.Struct):
        return {key: plain_value(getattr(node, name)) for name, key, default in _keys(type(node)) if getattr(node, name) != default}
    if isinstance(node, tuple | list):
        return [plain_value(item) for item in node]
    if isinstance(node, dict):
        return {key: plain_value(item) for key, item in node.items()}
    return node


@lru_cache(maxsize=256)
def _keys(shape: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Name, written key and default of every field; a required field has a default that nothing equals."""
    return tuple((field.name, field.encode_name, field.default_factory() if callable(field.default_factory) else field.default)
                 for field in msgspec.structs.fields(shape))


def condition_written(condition: Condition) -> Any:
    """A condition in the form that evidence files use: a comparison, or ``all``, ``any`` or ``not`` over conditions."""
    if condition.text:
        return condition.text
    if condition.op == "not":
        return {"not": condition_written(condition.of[0])}
    return {condition.op: [condition_written(part) for part in condition.of]}
