"""The printed schemas are valid JSON Schema and describe what people write."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ivigil.patient.read import patient_schema
from ivigil.rendering.evidence_schema import evidence_schema


@pytest.mark.parametrize("schema", [evidence_schema(), patient_schema()])
def test_schemas_are_valid(schema: dict[str, Any]) -> None:
    """Editors and validators accept them."""
    jsonschema.Draft202012Validator.check_schema(schema)


def test_quantities_are_described_as_written() -> None:
    """A quantity with its unit fits; a bare number does not."""
    schema = {"$ref": "#/$defs/Quantity", "$defs": evidence_schema()["$defs"]}
    jsonschema.validate("70 kg", schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(70, schema)


def test_every_kind_of_evidence_file_is_described() -> None:
    """One entry per file pattern of docs/evidence-format.md."""
    assert {"facts.yaml", "statements/*.yaml", "safety/*.yaml", "products/*.yaml"} <= set(evidence_schema()["properties"])
