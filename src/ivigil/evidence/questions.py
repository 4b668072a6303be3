"""The shapes of what helps to understand a question in words: topics, emergencies, corrections, wordings, and what lies outside the evidence.

None of these entries says anything clinical. They hold the words that people use, and name the entries that answer.
"""

from __future__ import annotations

from typing import Literal

from ivigil.evidence.shapes import Shape

Finder = Literal[
    "",
    "standing",
    "criteria",
    "dose",
    "maintenance",
    "rate",
    "product",
    "switch",
    "alternatives",
    "outcomes",
    "stop",
    "targets",
    "vaccine",
    "mechanisms",
    "conditions",
    "frequency",
    "words",
    "exposure",
    "weight",
    "interference",
]
"""Where typed entries of an indication, a product, a vaccine or a fact answer a topic."""

SHARED = "="
"""What a wording begins with that stands for the wordings of a word list."""


class Topic(Shape, frozen=True):
    """Something that people ask about: the words that show it, and the entries that answer it in general.

    ``show`` names entries for clinicians, ``tell`` entries for patients, in the order in which they are read. ``find`` says where the typed entries
    of a named indication, product, vaccine or fact are looked for. ``ask`` is the topic as a question.
    ``over`` names topics that step back when this one is asked about; a ``broad`` one steps back for any other.
    ``parts`` are the parts of a statement's id that belong to the topic when an indication or a product is named (``rate`` of ``privigen-us.rate``);
    ``among`` are beginnings of ids whose statements belong to it whatever is named (``safety.renal``).
    """

    id: str
    title: str
    words: tuple[str, ...]
    ask: str = ""
    plain: str = ""
    show: tuple[str, ...] = ()
    tell: tuple[str, ...] = ()
    find: tuple[Finder, ...] = ()
    related: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    among: tuple[str, ...] = ()
    broad: bool = False


class Emergency(Shape, frozen=True):
    """Signs that need help before anything is looked up. Of each list in ``signs`` at least one wording must occur.

    ``near`` holds further groups, each enough by itself: of every list of the group a wording occurs, all within a few words of one another.
    ``tell`` names what a patient reads, ``show`` what a clinician reads.
    """

    id: str
    title: str
    signs: tuple[tuple[str, ...], ...]
    tell: tuple[str, ...]
    show: tuple[str, ...]
    near: tuple[tuple[tuple[str, ...], ...], ...] = ()


class Correction(Shape, frozen=True):
    """A popular oversimplification: the words in which people bring it, the topics beside which it is named, and the claim that corrects it."""

    id: str
    words: tuple[str, ...]
    claim: str
    topics: tuple[str, ...] = ()
    plain: str = ""


class Opener(Shape, frozen=True):
    """What must open an answer: the sentences that stop a mistake which a question proposes, rests on or comes near, or that answer it whole.

    Of each list in ``words`` at least one wording must occur; ``=name`` stands for the wordings of a word list. Beside it one of ``facts``, of
    ``indications`` and of what a named product ``holds`` must be named where these are given, and the place must be one of ``places``.
    A wording of ``unless`` lifts it. ``show`` and ``tell`` are read as in a topic; ``of_product`` names statements of the product named by the end of their id.
    """

    id: str
    words: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    indications: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    tell: tuple[str, ...] = ()
    of_product: tuple[str, ...] = ()


class Wording(Shape, frozen=True):
    """What people say and what the evidence calls it: words for the search, or the fact, indication or place meant."""

    id: str
    words: tuple[str, ...]
    means: tuple[str, ...] = ()
    fact: tuple[str, ...] = ()
    indications: tuple[str, ...] = ()
    jurisdiction: str = ""


class Synonym(Shape, frozen=True):
    """Words of a question and the words of the evidence that mean the same. They help the search and claim nothing else."""

    id: str
    words: tuple[str, ...]
    means: tuple[str, ...]


class Outsider(Shape, frozen=True):
    """Words of things that the evidence does not answer about: other medicines and products, other subjects and places, conditions that no source speaks of.

    With ``unknown_only`` a wording counts only for a word that the evidence holds nowhere, such as the endings of names of drugs and diseases. What is asked
    of a named thing by a ``property`` is held where a statement of it has one of the parts ``held_by`` in its id; without such parts, where it holds the words.
    """

    id: str
    kind: Literal["other-drug", "other-product", "other-condition", "other-subject", "other-question", "other-place", "other-globulin", "beyond", "property",
                  "vaccine-schedule", "own-record"]
    words: tuple[str, ...]
    unknown_only: bool = False
    held_by: tuple[str, ...] = ()


class Language(Shape, frozen=True):
    """The small words by which a language other than English is recognised."""

    id: str
    name: str
    words: tuple[str, ...]


class WordList(Shape, frozen=True):
    """Words that carry no topic of their own, or that mark who speaks and how."""

    id: str
    words: tuple[str, ...]


QUESTION_KINDS: tuple[tuple[str, str, type[Shape]], ...] = (
    ("questions/topics-*.yaml", "topics", Topic),
    ("questions/emergencies.yaml", "emergencies", Emergency),
    ("questions/corrections.yaml", "corrections", Correction),
    ("questions/openers-*.yaml", "openers", Opener),
    ("questions/wordings.yaml", "wordings", Wording),
    ("questions/synonyms.yaml", "synonyms", Synonym),
    ("questions/outside.yaml", "outsiders", Outsider),
    ("questions/languages.yaml", "languages", Language),
    ("questions/words.yaml", "word_lists", WordList),
    ("questions/acts.yaml", "word_lists", WordList),
    ("questions/spelt-right.yaml", "word_lists", WordList),
)
"""Which file fills which part of the evidence."""
