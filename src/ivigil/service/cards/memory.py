"""What the card services remember: tokens used, cards given out and what became of them. Here in the memory of one process.

No entry holds patient data: a card is remembered by its id, its service and the plan lines behind it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

import msgspec

from ivigil.service.cards.feedback import Feedback

_MOST = 100_000


class Given(msgspec.Struct, frozen=True):
    """A card that was given out."""

    card: str
    service: str
    lines: tuple[str, ...]
    evidence: str
    at: datetime


class Outcome(msgspec.Struct, frozen=True):
    """What became of cards of one kind: how often given, accepted and overridden, and the reasons given."""

    service: str
    line: str
    given: int = 0
    accepted: int = 0
    overridden: int = 0
    reasons: dict[str, int] = {}


class FeedbackStore(Protocol):
    """Where cards and what became of them are kept."""

    def given(self, cards: Iterable[Given]) -> None:
        """Remember cards that are being given out."""

    def received(self, service: str, issuer: str, feedback: Iterable[Feedback], at: datetime) -> None:
        """Keep what became of cards. The same report may come more than once."""

    def report(self) -> list[Outcome]:
        """What became of the cards, by service and leading line."""


class UsedTokens:
    """Tokens seen by this process until they expire."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, str], int] = OrderedDict()

    def first_use(self, issuer: str, token: str, until: int, now: int) -> bool:
        """True the first time this token of this issuer is seen."""
        while self._until and next(iter(self._until.values())) < now:
            self._until.popitem(last=False)
        if (issuer, token) in self._until:
            return False
        if len(self._until) >= _MOST:  # full of tokens that are still valid: better to refuse than to forget one
            return False
        self._until[issuer, token] = until
        return True


class RememberedFeedback:
    """Cards and feedback of this process; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, Given] = OrderedDict()
        self._received: OrderedDict[tuple[str, str], Feedback] = OrderedDict()

    def given(self, cards: Iterable[Given]) -> None:
        """Remember cards that are being given out."""
        for card in cards:
            self._given[card.card] = card
        while len(self._given) > _MOST:
            self._given.popitem(last=False)

    def received(self, service: str, issuer: str, feedback: Iterable[Feedback], at: datetime) -> None:
        """Keep what became of cards; a later report of the same card and outcome replaces the earlier one."""
        for one in feedback:
            self._received[one.card, one.outcome] = one
        while len(self._received) > _MOST:
            self._received.popitem(last=False)

    def report(self) -> list[Outcome]:
        """What became of the cards, by service and leading line."""
        given = Counter((card.service, card.lines[0] if card.lines else "") for card in self._given.values())
        outcomes: Counter[tuple[str, str, str]] = Counter()
        reasons: dict[tuple[str, str], Counter[str]] = {}
        for one in self._received.values():
            card = self._given.get(one.card)
            if card is None:
                continue
            kind = (card.service, card.lines[0] if card.lines else "")
            outcomes[(*kind, one.outcome)] += 1
            if one.override_reason is not None and one.override_reason.reason is not None:
                reasons.setdefault(kind, Counter())[one.override_reason.reason.code] += 1
        return [Outcome(service, line, count, outcomes[service, line, "accepted"], outcomes[service, line, "overridden"],
                        dict(reasons.get((service, line), Counter()))) for (service, line), count in sorted(given.items())]
