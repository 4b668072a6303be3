"""Options of the whole test suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """A golden plan changes only by name and with a reason: ``pytest tests/plans --accept-plan itp-adult-us --why "..."``."""
    group = parser.getgroup("golden plans")
    group.addoption("--accept-plan", metavar="NAME", default="", help="rewrite the golden plan of patients/NAME.yaml; needs --why")
    group.addoption("--why", metavar="TEXT", default="", help="the reason for --accept-plan; it is appended to tests/plans/why.md")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse half an acceptance."""
    if bool(config.getoption("--accept-plan")) != bool(config.getoption("--why").strip()):
        raise pytest.UsageError("--accept-plan NAME and --why TEXT go together")
