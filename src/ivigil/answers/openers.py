"""What opens an answer by its words: the openers of the evidence, found in one pass over the question."""

from __future__ import annotations

from collections.abc import Iterator

from ivigil.answers.diseases import Here
from ivigil.answers.said import Said, plain_for, said_of
from ivigil.answers.things import chosen
from ivigil.answers.understand import Question
from ivigil.answers.words import Phrases
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence
from ivigil.evidence.questions import SHARED, Opener

_UNLESS = -1


class Openers:
    """The wordings of all openers. A shared list is looked for once, whoever names it."""

    def __init__(self, evidence: Evidence) -> None:
        self.entries = tuple(evidence.openers.values())
        shared = {word.removeprefix(SHARED) for one in self.entries for listed in one.words for word in listed if word.startswith(SHARED)}
        self._phrases: Phrases[tuple[str, int]] = Phrases(
            [
                *((word, (f"{SHARED}{name}", 0)) for name in sorted(shared) for word in evidence.word_lists[name].words),
                *((word, (one.id, place)) for one in self.entries for place, listed in enumerate(one.words) for word in listed if not word.startswith(SHARED)),
                *((word, (one.id, _UNLESS)) for one in self.entries for word in one.unless),
            ]
        )

    def fitting(self, here: Here, question: Question) -> list[Opener]:
        """The openers whose words, names and place are those of the question, in the order of the evidence; those that name a thing first."""
        found = {match.value for match in self._phrases.found(question.words)}
        held = {name for product in chosen(here, question.products) for name, answer in product.contains.items() if answer == "yes"}
        fitting = [one for one in self.entries if _worded(one, found) and _named(one, question, held, here.places)]
        return sorted(fitting, key=lambda one: not (one.indications or one.holds))


def _worded(one: Opener, found: set[tuple[str, int]]) -> bool:
    if (one.id, _UNLESS) in found:
        return False
    return all((one.id, place) in found or any((word, 0) in found for word in listed if word.startswith(SHARED)) for place, listed in enumerate(one.words))


def _named(one: Opener, question: Question, held: set[str], places: tuple[str, ...]) -> bool:
    return (
        (not one.facts or bool(set(one.facts) & set(question.facts)))
        and (not one.indications or bool(set(one.indications) & set(question.indications)))
        and (not one.holds or bool(set(one.holds) & held))
        and (not one.places or bool(set(one.places) & set(places)))
    )


@kept
def openers_of(evidence: Evidence) -> Openers:
    """The openers of an evidence, made ready once."""
    return Openers(evidence)


def opening(here: Here, question: Question) -> Iterator[Said]:
    """What the openers that fit have said, to whoever asks."""
    for one in openers_of(here.evidence).fitting(here, question):
        names = [f"{product.id}.{end}" for product in chosen(here, question.products) for end in one.of_product]
        names += (one.tell or one.show) if plain_for(here.audience) else one.show
        for name in names:
            yield from said_of(here.evidence, name, here.audience)
