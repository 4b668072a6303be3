"""The experiment with dense vectors finds what is near, changes only what it is put into, and leaves no trace."""

from __future__ import annotations

from functools import lru_cache

import pytest
from tools.dense_search import MOST, DenseIndex, LooserIndex, Space, with_looser_search, with_vectors, without_vectors

from ivigil.answers.find import Index, index_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence


@lru_cache(maxsize=1)
def evidence() -> Evidence:
    return load_evidence()


@lru_cache(maxsize=1)
def space() -> Space:
    return Space(evidence())


def test_an_entry_is_nearest_to_its_own_words() -> None:
    """For two hundred statements with words enough, the statement itself is among the three nearest in nine of ten."""
    from ivigil.answers.words import words_of

    asked = [one for one in evidence().statements.values() if len(one.says.split()) > 12 and one.source != "ivigil-policy"][:1000:5]
    found = [one.id in [space().entries[number][0] for _, number in space().near([word.fold for word in words_of(one.says)])[:MOST]] for one in asked]
    assert sum(found) >= 0.9 * len(found)


def test_words_that_nobody_uses_are_near_to_nothing() -> None:
    """No vector, no find."""
    assert space().near(["qwertzuiop"]) == []
    assert space().near([]) == []


def test_the_same_words_are_near_to_the_same() -> None:
    """Made anew, order and cosines agree."""
    other = Space(evidence())
    one, two = (made.near(["kidney", "failure"]) for made in (space(), other))
    assert [number for _, number in one[:20]] == [number for _, number in two[:20]]
    assert [cosine for cosine, _ in one] == pytest.approx([cosine for cosine, _ in two], abs=1e-6)


def test_finds_are_added_and_none_is_lost() -> None:
    """Everything that the words find is still there; what is added counts as holding every word, and nothing else does."""
    words = ["kidney", "failure", "sucrose"]
    usual = Index(evidence())
    for index in (DenseIndex(evidence(), space(), 0.2), LooserIndex(evidence())):
        found = index.find(words)
        assert [hit for hit in found if hit.row > 0] == usual.find(words)
        added = [hit for hit in found if hit.row < 0]
        assert len(added) == MOST
        assert all(hit.row in index.holders([word]) for hit in added for word in words)
        assert index.holders(["sucrose"]) == usual.holders(["sucrose"])
        assert index.weight(["sucrose"]) == usual.weight(["sucrose"])


def test_rows_of_the_space_are_those_of_the_index() -> None:
    """An added entry is found again under its own row."""
    rows = {hit.id: hit.row for hit in Index(evidence()).find(["kidney"], 5000)}
    held = [(name, number + 1) for number, (name, _, _) in enumerate(space().entries) if name in rows]
    assert held
    assert all(rows[name] == row for name, row in held)


def test_the_evidence_is_left_as_it_was() -> None:
    """After the experiment the usual index searches."""
    assert isinstance(index_of(with_vectors(evidence(), 0.6, space())), DenseIndex)
    assert isinstance(index_of(with_looser_search(evidence())), LooserIndex)
    assert type(index_of(without_vectors(evidence()))) is Index
