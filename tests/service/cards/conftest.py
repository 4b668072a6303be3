"""Where the captured calls of a record system lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def captured() -> Path:
    """The captured calls among the shared FHIR samples: IVIGIL_FHIR_SAMPLES, or beside the repository; skipped where there are none."""
    folder = Path(os.environ.get("IVIGIL_FHIR_SAMPLES") or ROOT.parent / "shared" / "fhir-samples") / "cds-hooks-requests"
    if not folder.is_dir():
        pytest.skip("the captured calls are not here")
    return folder
