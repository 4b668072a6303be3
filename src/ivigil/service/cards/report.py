"""What became of cards: which line led a card when it was given out, and the count of outcomes by line. Holds no patient data."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from datetime import datetime

import msgspec

from ivigil.basis.conversion import from_json
from ivigil.service.cards.card import Card
from ivigil.service.cards.feedback import Feedback
from ivigil.service.store.record_systems import Feedback as Entry

_MOST = 100_000


class LeadingLines:
    """The line that led each card that this process gave out; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, str] = OrderedDict()

    def given(self, cards: Iterable[Card]) -> None:
        """Remember cards that are being given out."""
        for card in cards:
            self._lines[card.uuid] = card.source.topic.code if card.source.topic is not None else ""
        while len(self._lines) > _MOST:
            self._lines.popitem(last=False)

    def of(self, card: str) -> str:
        """The line that led a card; empty when this process did not give it out, or long ago."""
        return self._lines.get(card, "")


class _Document(msgspec.Struct, frozen=True):
    """What is stored of one report: the report as it was read, and the line behind its card."""

    feedback: Feedback
    line: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of the cards of one service that one line led. ``line`` is empty where it is not known any more."""

    service: str
    line: str
    accepted: int
    overridden: int
    reasons: dict[str, int]


def entries_of(reports: Iterable[Feedback], service: str, client: str, lines: LeadingLines, at: datetime) -> list[Entry]:
    """The reports as the store keeps them."""
    return [Entry(at, client, service, one.card, one.outcome, msgspec.json.encode(_Document(one, lines.of(one.card))).decode()) for one in reports]


def outcomes(entries: Iterable[Entry]) -> list[Outcome]:
    """The outcomes by service and line. Of several reports of one card with one outcome the newest counts."""
    newest: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        kept = newest.get((entry.card, entry.outcome))
        if kept is None or kept.at <= entry.at:
            newest[entry.card, entry.outcome] = entry
    counts: Counter[tuple[str, str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for entry in newest.values():
        document = from_json(entry.document, _Document)
        kind = (entry.service, document.line)
        counts[(*kind, entry.outcome)] += 1
        given = document.feedback.override_reason
        told = reasons.setdefault(kind, Counter())
        if given is not None:
            told[given.reason.code if given.reason is not None else "comment only"] += 1
    return [Outcome(service, line, counts[service, line, "accepted"], counts[service, line, "overridden"], dict(reasons[service, line]))
            for service, line in sorted(reasons)]
