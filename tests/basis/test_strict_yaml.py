"""Strict YAML: the guesses that turn Norway into false are refused, and every problem has a line."""

import pytest

from ivigil.basis.problems import BadInput
from ivigil.basis.strict_yaml import read_yaml


@pytest.mark.parametrize(("text", "value"), [
    ("a: NO", {"a": "NO"}), ("a: on", {"a": "on"}), ("on: a", {"on": "a"}), ("a: yes", {"a": "yes"}), ("a: 1:30", {"a": "1:30"}),
    ("a: 2026-11-21", {"a": "2026-11-21"}),
    ("a: 0777", {"a": "0777"}), ("a: 0x1F", {"a": "0x1F"}), ("a: 1_000", {"a": "1_000"}), ("a: .5", {"a": ".5"}), ("a: 5", {"a": 5}), ("a: 0.5", {"a": 0.5}),
    ("a: true", {"a": True}), ("a: True", {"a": "True"}), ("a: null", {"a": None}), ("a: 'true'", {"a": "true"}), ("a: 5 g", {"a": "5 g"}),
])
def test_nothing_is_guessed(text: str, value: object) -> None:
    """Only true, false, null and plain decimal numbers are special."""
    assert read_yaml(text, "x.yaml")[0] == value


def test_duplicate_keys_are_refused_with_their_line() -> None:
    """A key that stands twice would silently lose a value."""
    with pytest.raises(BadInput) as caught:
        read_yaml("weight: 70 kg\nheight: 170 cm\nweight: 80 kg\n", "x.yaml")
    assert [(problem.line, problem.what) for problem in caught.value.problems] == [(3, "weight")]


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x", "a: [1, 2", "a: b: c", "\tb: 1", "a: {b: 1", "- 1\n--- \n- 2"])
def test_broken_or_clever_yaml_is_refused(text: str) -> None:
    """Anchors, several documents and broken syntax give one clear problem, not a traceback."""
    with pytest.raises(BadInput):
        read_yaml(text, "x.yaml")


def test_deep_nesting_is_refused() -> None:
    """A file nested a thousand levels deep cannot exhaust the reader."""
    with pytest.raises(BadInput, match="deep"):
        read_yaml("[" * 1000 + "]" * 1000, "x.yaml")


def test_lines_are_kept() -> None:
    """Each value knows the line it stands on."""
    _, lines = read_yaml("a:\n  b: 1\n  c:\n    - 2\n    - 3\n", "x.yaml")
    assert (lines["a", "b"], lines["a", "c", 1]) == (2, 5)
