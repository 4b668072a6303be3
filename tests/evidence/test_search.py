"""Words find every kind of entry, the knowledge around the plans too."""

from __future__ import annotations

import msgspec
import pytest

from ivigil.evidence.knowledge import SupplyFigure, SupplyLevel, SupplyLever, SupplyScheme
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.search import search


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    """The packaged evidence, with one scheme, lever and figure of supply known to this test."""
    cites = ("care.advice.short-supply",)
    return msgspec.structs.replace(
        load_evidence(),
        supply_schemes={"test-scheme": SupplyScheme(
            id="test-scheme", name="Zonal traffic light", jurisdiction="UK", kind="tiers", say="Ranks uses.",
            levels=(SupplyLevel(name="Vermilion", rank=1, say="Comes before all others.", cites=cites),), cites=cites)},
        supply_levers={"test-lever": SupplyLever(id="test-lever", say="Quarrels over vials are settled weekly.", cites=cites)},
        supply_figures={"test-figure": SupplyFigure(id="test-figure", country="Ruritania", year="2020", about="spending", say="Rising.", cites=cites)},
    )


@pytest.mark.parametrize(("words", "part", "entry"), [
    ("keratinocytes Fas", "mechanism", "adhesion-apoptosis"),
    ("recycling bins", "mechanism", "fcrn-saturation"),
    ("Coombs red blood", "word", "word.dat"),
    ("May I travel", "lesson", "education.travel"),
    ("Vermilion", "supply scheme", "test-scheme"),
    ("quarrels", "supply lever", "test-lever"),
    ("Ruritania", "supply figure", "test-figure"),
    ("consecutive session rejected", "claim", "patient.two-grams-each-session"),
])
def test_knowledge_is_found(evidence: Evidence, words: str, part: str, entry: str) -> None:
    """A mechanism, a word, a lesson, a piece of supply or a claim comes up for words that it holds."""
    assert (part, entry) in {(hit.part, hit.id) for hit in search(evidence, words)}


def test_a_claim_names_its_article(evidence: Evidence) -> None:
    """The article of a claim stands where a statement names its source."""
    hit, *_ = [hit for hit in search(evidence, "clinician.one-gram-a-day") if hit.part == "claim"]
    assert hit.source == "clinician-answer"


def test_nothing_is_found_for_no_words(evidence: Evidence) -> None:
    """An empty text finds nothing rather than everything."""
    assert search(evidence, " ?! ") == []
