"""What the tests of answers share: the packaged evidence, and one way to ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import cast

import pytest

from ivigil.answers.answer import Answer, Audience
from ivigil.answers.ask import Asking, answer
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence

Ask = Callable[..., Answer]


@pytest.fixture(scope="session")
def evidence() -> Evidence:
    """The packaged evidence."""
    return load_evidence()


@pytest.fixture(scope="session")
def ask(evidence: Evidence) -> Ask:
    """Ask in one call: ``ask("dose for CIDP", "clinician", "US")``."""

    def asked(question: str, audience: str = "clinician", jurisdiction: str = "US") -> Answer:
        return answer(question, evidence, Asking(cast(Audience, audience), jurisdiction, date(2026, 11, 21)))

    return asked

