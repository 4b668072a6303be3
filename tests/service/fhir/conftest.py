"""HL7's definitions of FHIR R4, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.service.fhir.definitions import Definitions

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def samples() -> Path:
    """The shared FHIR samples: IVIGIL_FHIR_SAMPLES, or beside the repository; skipped where there are none."""
    folder = Path(os.environ.get("IVIGIL_FHIR_SAMPLES") or ROOT.parent / "shared" / "fhir-samples")
    if not (folder / "r4-definitions").is_dir():
        pytest.skip("the definitions of FHIR R4 are not here")
    return folder


@pytest.fixture(scope="session")
def definitions(samples: Path) -> Definitions:
    """The definitions, read once."""
    return Definitions(samples / "r4-definitions")
