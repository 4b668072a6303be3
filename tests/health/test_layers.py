"""Imports run one way, as docs/design.md draws them."""

from __future__ import annotations

from importlinter.cli import lint_imports


def test_layers() -> None:
    """Cli > service > rendering > answers > planning > pharmacokinetics > evidence | patient > basis; siblings do not import one another."""
    assert lint_imports(no_cache=True) == 0
