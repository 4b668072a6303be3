"""The shapes of what explains immunoglobulin and surrounds its use: mechanisms, words, lessons, supply, and the claims of the founding articles."""

from __future__ import annotations

from typing import Literal

import msgspec

from ivigil.evidence.shapes import Cited, Shape, Valid


class Mechanism(Cited, frozen=True):
    """One way in which immunoglobulin acts.

    ``strength`` is how well it is shown: ``human`` data, ``supported`` (laboratory or animal work with human support), or ``debated``.
    """

    id: str
    name: str
    say: str
    plain: str
    strength: Literal["human", "supported", "debated"]
    also_called: tuple[str, ...] = ()
    note: str = ""


class Term(Cited, frozen=True):
    """A word of the field in words a patient understands."""

    id: str
    term: str
    plain: str
    also_called: tuple[str, ...] = ()


class Lesson(Cited, frozen=True):
    """A general fact for patients that belongs to no single plan: travel, work, faith, supply, blood tests."""

    id: str
    topic: str
    question: str
    say: str
    jurisdiction: str = ""


class SupplyLevel(Cited, frozen=True):
    """One tier or phase of a supply scheme, in the scheme's own word and rank; 1 is served first, or reached first."""

    name: str
    rank: int
    say: str


class SupplyScheme(Cited, frozen=True):
    """How a country ranks uses (``tiers``) or steps through a shortage (``phases``). It ranks uses; it is never a dose."""

    id: str
    name: str
    jurisdiction: str
    kind: Literal["tiers", "phases"]
    say: str
    levels: tuple[SupplyLevel, ...] = ()
    authority: str = ""
    edition: str = ""
    valid: Valid = Valid()
    not_read: tuple[str, ...] = ()


class SupplyLever(Cited, frozen=True):
    """Something a source describes for using less in a shortage."""

    id: str
    say: str
    indications: tuple[str, ...] = ()
    jurisdiction: str = ""


class SupplyFigure(Cited, frozen=True):
    """A figure about supply or cost as a whole: spending, sufficiency, a consumer price range. Never a price of a plan and never a dose."""

    id: str
    country: str
    year: str
    about: str
    say: str


class Article(Shape, frozen=True):
    """A founding article: which lines of its stored copy state something, and which are page furniture or make no claim about the matter."""

    id: str
    title: str
    publisher: str
    lines: int
    no_claim: tuple[str, ...]
    where: str = ""
    note: str = ""


class Claim(Cited, frozen=True):
    """A factual claim of a founding article in our own words, and what the statements cited do to it.

    ``at_lines`` names lines of the stored copy. ``say`` is what ivigil says, wherever that differs from the claim.
    """

    id: str
    article: str
    at_lines: tuple[str, ...]
    topic: str
    claim: str
    verdict: Literal["carried", "refined", "disputed", "superseded", "rejected"]
    say: str = ""


KNOWLEDGE_KINDS: tuple[tuple[str, str, type[msgspec.Struct]], ...] = (
    ("mechanisms/*.yaml", "mechanisms", Mechanism),
    ("glossary/*.yaml", "terms", Term),
    ("education/*.yaml", "lessons", Lesson),
    ("supply/schemes.yaml", "supply_schemes", SupplyScheme),
    ("supply/levers.yaml", "supply_levers", SupplyLever),
    ("supply/figures.yaml", "supply_figures", SupplyFigure),
    ("claims/articles.yaml", "articles", Article),
    ("claims/*.yaml", "claims", Claim),
)
"""Which file fills which part of the evidence."""
