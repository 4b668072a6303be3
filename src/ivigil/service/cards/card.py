"""What a CDS Hooks service answers: cards with their source, suggestions, reasons for going against them, and links."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ivigil.basis.because import Urgency

LONGEST_SUMMARY = 139
"""CDS Hooks allows fewer than 140 characters."""
REASONS = "http://cds-hooks.hl7.org/CodeSystem/non-adherence-reason"
"""The reasons that CDS Hooks 3.0 proposes for not following advice."""


class Coding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code with its display."""

    system: str
    code: str
    display: str = ""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """The main source of what a card says; ``topic`` names the plan line that leads it."""

    label: str
    url: str = ""
    topic: Coding | None = None


class Action(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One change: a resource to create or update, or the reference of one to delete."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str = ""


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A change that the user may take over with one click."""

    label: str
    uuid: str
    actions: tuple[Action, ...]
    is_recommended: bool = False


class Link(msgspec.Struct, frozen=True, rename="camel"):
    """Where to read more. The address never holds patient data."""

    label: str
    url: str
    type: Literal["absolute", "smart"]


class Card(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One card; ``indicator`` is the urgency of the most serious line it renders."""

    uuid: str
    summary: str
    indicator: Urgency
    source: Source
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: str = ""
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()


class Response(msgspec.Struct, frozen=True):
    """The answer to a call; an empty list says that there is nothing to say."""

    cards: tuple[Card, ...] = ()


OVERRIDE_REASONS = (
    Coding(REASONS, "risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
    Coding(REASONS, "mitigate-risk-negative-outcome", "Action taken to mitigate risk of negative outcome"),
    Coding(REASONS, "action-performed-no-adverse-effect", "Intended action was performed previously without adverse effect"),
    Coding(REASONS, "expert-contradicts", "Advice from expert contradicts the recommended action"),
    Coding(REASONS, "policy-contradicts", "Institutional policy/guideline contradicts the recommended action"),
    Coding(REASONS, "need-more-info", "Could not address recommended action due to need for more information/pending results/pending consult"),
)


def shortened(text: str, most: int = LONGEST_SUMMARY) -> str:
    """The text cut at a word to at most ``most`` characters."""
    if len(text) <= most:
        return text
    return text[: most - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def first_sentence(text: str) -> str:
    """The text up to the end of its first sentence; a full stop within a number or an abbreviation ends none."""
    for place, mark in enumerate(text):
        if mark in ".?!" and text[place + 1 : place + 2] in {"", " "} and (place + 2 >= len(text) or not text[place + 2].islower()):
            return text[: place + 1]
    return text
