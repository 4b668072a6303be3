"""The README shows what the program prints."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_examples_of_the_readme_are_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make docs-tables` renews them; a stale example teaches something wrong."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(ROOT)
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs" / "tables" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert script.readme(text) == text
