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
    found = [one.id in [name for _, name, _, _ in space().near([word.fold for word in words_of(one.says)])[:MOST]] for one in asked]
    assert sum(found) >= 0.9 * len(found)


def test_words_that_nobody_uses_are_near_to_nothing() -> None:
    """No vector, no find."""
    assert space().near(["qwertzuiop"]) == []
    assert space().near([]) == []


def test_the_same_words_are_near_to_the_same() -> None:
    """Made anew, order and cosines agree."""
    other = Space(evidence())
    one, two = (made.near(["kidney", "failure"]) for made in (space(), other))
    assert [entry[1:] for entry in one[:20]] == [entry[1:] for entry in two[:20]]
    assert [entry[0] for entry in one] == pytest.approx([entry[0] for entry in two], abs=1e-6)


def test_finds_are_added_and_none_is_lost() -> None:
    """Everything that the words find is still there; what is added counts as holding every word that is known."""
    words = ["kidney", "failure", "sucrose"]
    usual = {hit.id for hit in Index(evidence()).find(words)}
    for index in (DenseIndex(evidence(), space(), 0.2), LooserIndex(evidence())):
        found = index.find(words)
        assert usual <= {hit.id for hit in found}
        assert len([hit for hit in found if hit.words == frozenset(words)]) >= MOST


def test_the_evidence_is_left_as_it_was() -> None:
    """After the experiment the usual index searches."""
    assert isinstance(index_of(with_vectors(evidence(), 0.6, space())), DenseIndex)
    assert isinstance(index_of(with_looser_search(evidence())), LooserIndex)
    assert type(index_of(without_vectors(evidence()))) is Index
