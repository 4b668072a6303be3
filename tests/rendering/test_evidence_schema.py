"""The printed schemas are valid JSON Schema and describe what people write."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.files import entries_of, kind_of, packaged_folder, read_folder
from ivigil.patient.read import patient_schema
from ivigil.rendering.evidence_schema import PARTS, evidence_schema, part_schema


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


@pytest.mark.parametrize("part", PARTS)
def test_every_packaged_entry_fits_the_schema_of_its_part(part: str) -> None:
    """What loads is what an editor accepts; the schema is a valid one of draft 7 and refuses a key that nobody knows."""
    schema = part_schema(part)
    jsonschema.Draft7Validator.check_schema(schema)
    whole = jsonschema.Draft7Validator(schema)
    entry = jsonschema.Draft7Validator({**schema["anyOf"][0], "definitions": schema["definitions"]})
    for file in read_folder(packaged_folder()):
        kind = kind_of(file.name)
        if kind is None or kind[0] != part:
            continue
        document, _ = read_yaml(file.text, file.name)
        for _, plain in entries_of(document):
            assert not [error.message for error in entry.iter_errors(plain)], (file.name, plain["id"])
    assert not whole.is_valid({"id": "x", "nonsense": 1})


def test_an_overlay_may_say_what_it_replaces() -> None:
    """Hospitals write overlays in the same editor."""
    entry = {"id": "at-risk", "replaces": "at-risk", "reason": "Ours.", "cap": "2 mg/kg/min", "cites": ["s"]}
    assert jsonschema.Draft7Validator(part_schema("infusion_policies")).is_valid(entry)
