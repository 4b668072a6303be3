"""What follows from the evidence alone is worked out once and changes no result."""

from __future__ import annotations

import msgspec
import pytest

from ivigil.evidence import kept as keeping
from ivigil.evidence.kept import kept, kept_with
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import Indication, Names


def _called(name: str) -> Indication:
    return Indication(id="one", name=Names(clinical=name), purpose="none")


def test_worked_out_once_for_each_question() -> None:
    """The same evidence and arguments give what was found before, None included; other arguments are a question of their own."""
    asked: list[str] = []

    @kept
    def answer(evidence: Evidence, name: str) -> str | None:
        asked.append(name)
        return evidence.version if name == "version" else None

    evidence = Evidence(version="1")
    assert [answer(evidence, name) for name in ("version", "version", "other", "other")] == ["1", "1", None, None]
    assert asked == ["version", "other"]


def test_another_evidence_is_asked_anew() -> None:
    """Nothing passes from one evidence to another, not even to a copy that was changed."""

    @kept
    def version(evidence: Evidence) -> str:
        return evidence.version

    before = Evidence(version="1")
    assert version(before) == "1"
    assert version(msgspec.structs.replace(before, version="2")) == "2"
    assert version(before) == "1"


def test_entries_are_told_apart_by_themselves() -> None:
    """Two entries of one id are two questions, although an identity may be used again once an entry is gone."""

    @kept_with
    def name(evidence: Evidence, indication: Indication) -> str:
        return f"{indication.name.clinical}{evidence.version}"

    evidence = Evidence(version="1")
    assert [name(evidence, _called(f"name {number} ")) for number in range(50)] == [f"name {number} 1" for number in range(50)]


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long-running service that is asked for ever new days does not grow without end; answers stay right."""
    monkeypatch.setattr(keeping, "_MOST", 3)

    @kept
    def square(evidence: Evidence, number: int) -> int:
        return number * number

    @kept_with
    def word(evidence: Evidence, indication: Indication) -> str:
        return indication.name.clinical

    evidence = Evidence()
    assert [square(evidence, number) for number in (1, 2, 3, 4, 1, 2, 3, 4)] == [1, 4, 9, 16, 1, 4, 9, 16]
    assert [word(evidence, _called(text)) for text in "abcdefg"] == list("abcdefg")
    assert all(len(results) <= 3 for results in evidence.kept.values())
