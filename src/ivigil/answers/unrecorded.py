"""What is asked of a known thing and recorded nowhere: a property of a product, the outlook of a disease, a trial nobody read. Never that of another."""

from __future__ import annotations

import re

import msgspec

from ivigil.answers.diseases import Here
from ivigil.answers.find import Index, index_of
from ivigil.answers.things import asked_aspects, chosen, label_words, recorded_aspects
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary
from ivigil.answers.words import Match, Word
from ivigil.evidence.shapes import Product

_OF_A_PRODUCT = {"product", "choice", "what", "words", "uses", "disease", "hydration", "clots"}
_OF_A_DISEASE = {"children", "what", "words"}
"""Topics that a word nobody recorded may seem to have, beside a product and beside a disease that is named."""
_ASPECT_TOPICS = {"product", "iga", "sugar", "sodium", "place"}
_MEASURED = {"iga", "sodium", "osmolality"}
_RATE_TOPICS = {"rate", "scig", "place", "procedure"}
_OF_AMOUNTS = {"mg", "ug", "mcg", "microgram", "g", "content", "much", "amount", "level", "osmolality", "osmolarity", "ph", "sodium"}
_NUMBERS = re.compile(r"[\s\d.]+%?$")
_CONTENTS, _RESIDUES, _TRACES = {"content", "concentration", "titer"}, {"residual"}, {"trace"}
_OF_LEVELS = {"levels", "half-life", "monitoring"}
_OF_BLOOD = {"blood", "serum", "plasma", "peak", "trough", "igg", "protein"}
_SMALL = {"of", "in", "the", "a", "an", "on", "for", "per", "to", "at", "is", "are", "how", "what", "many", "much", "do", "doe", "and", "my", "from", "with"}
"""A wording that holds one of these need not stand in a statement as it is; one of other words alone must."""
_TRIALS = {"trial", "study"}
_TOLD_OF_ONESELF = ("y", "ed", "ing", "ish")
"""How words end by which people say how they feel or look."""
_KINDS = ("pathy", "pathie", "itis")
"""Endings of words for many diseases at once, of which only some were read of."""
_NAMED_BY_ANOTHER = {"syndrome", "disease", "disorder"}
_OF_MANY = frozenset(
    {"autoimmune", "inflammatory", "neurological", "neuromuscular", "underlying", "chronic", "acute", "rare", "severe", "mild", "active", "systemic", "serious"}
    | {"blood", "lung", "skin", "liver", "heart", "kidney", "muscle", "nerve", "immune", "celiac", "infectious", "genetic", "primary", "secondary", "renal"}
    | {"cardiac", "vascular"}
)
"""Words before which make no name of a disease of them."""
_SHORTEST = 5
_SHORTEST_ACRONYM = 3


class Unrecorded(msgspec.Struct, frozen=True):
    """The words for what is asked and the thing it is asked of; ``listed`` when the words are those of a known property or of a trial."""

    word: str
    thing: str
    listed: bool


def unrecorded(here: Here, question: Question, vocabulary: Vocabulary, strange: tuple[str, ...]) -> Unrecorded | None:
    """What is asked of a known thing though no statement records it; ``None`` when it may be answered."""
    listed = _property(here, question, vocabulary) or _aspect(here, question) or _content(here, question, vocabulary) or _trial(question, vocabulary)
    unlisted = _none_held(here, question, vocabulary) or _specified(question, vocabulary, strange) or _unheard(here, question, vocabulary, strange)
    found = listed or unlisted
    return Unrecorded(found, _thing(here, question), bool(listed)) if found else None


def _thing(here: Here, question: Question) -> str:
    if question.products:
        return _NUMBERS.sub("", chosen(here, question.products)[0].brand)
    if question.indications:
        name = here.evidence.indications[question.indications[0]].name
        return name.plain if here.audience == "patient" else name.clinical.partition(" (")[0]
    return ""


def _spoken(question: Question, match: Match[str], vocabulary: Vocabulary) -> str:
    """The words found, without numbers, which are never said in words of our own, and without small words."""
    words = [word for word in question.words[match.start : match.end] if word.text.isalpha()]
    return " ".join(word.text for word in words if word.fold not in vocabulary.common) or " ".join(word.text for word in words)


def _property(here: Here, question: Question, vocabulary: Vocabulary) -> str:
    """A property asked about that no entry of what is named holds; where nothing is named, none that speaks of all."""
    index = index_of(vocabulary.evidence)
    names = (*(product.id for product in chosen(here, question.products)), *question.indications)
    rows = {hit.row for name in names for hit in index.under(name)}
    for match in question.outsiders:
        entry = vocabulary.evidence.outsiders[match.value]
        if entry.kind != "property":
            continue
        if entry.held_by:
            if names and not any(piece in entry.held_by for name in names for hit in index.under(name) for piece in hit.id.split(".")):
                return _spoken(question, match, vocabulary)
            continue
        if any(word.fold in _OF_BLOOD for word in question.words[match.end : match.end + 2]):
            continue
        folds = [question.words[place].fold for place in range(match.start, match.end)]
        spoken = [fold for fold in folds if fold not in _SMALL]
        phrase = len(spoken) == match.width > 1 and all(map(str.isalpha, spoken))
        told = [fold for fold in folds if fold not in vocabulary.common and fold.isalpha()]
        held = [index.holders([" ".join(spoken)])] if phrase else [index.holders([fold]) for fold in told]
        both = frozenset.intersection(*held) if held else frozenset()
        if not both & (rows if names else _beside(question, match, index) or both):
            return _spoken(question, match, vocabulary)
    return ""


def _beside(question: Question, match: Match[str], index: Index) -> frozenset[int]:
    """The rows of what else is asked for by words that tell; empty when there is nothing else."""
    spoken = {question.words[place].fold for place in range(match.start, match.end)}
    others = [one for one in question.concepts if not one.small and not one.light and one.words[0] not in spoken]
    return frozenset().union(*(index.holders(one.words) for one in others))


def _aspect(here: Here, question: Question) -> str:
    """What labels print of a product, asked of one whose label was not read for it; the figures of another never stand for it."""
    products = chosen(here, question.products)
    topics = set(question.topics)
    if not products or question.indications or question.facts:
        return ""
    folds = frozenset(word.fold for word in question.words)
    asked = asked_aspects(folds) & _MEASURED
    if asked and topics <= _ASPECT_TOPICS and folds & _OF_AMOUNTS and not any(recorded_aspects(here, one) & asked for one in products):
        return ", ".join(sorted(asked))
    under_skin = not any(one.rates or one.subcutaneous or "intravenous" in one.routes for one in products)
    if "rate" in topics and topics <= _RATE_TOPICS and here.audience != "patient" and under_skin:
        return "rate"
    return ""


def _content(here: Here, question: Question, vocabulary: Vocabulary) -> str:
    """A substance whose content in a product is asked about, when nothing that was read of the product names it."""
    products = chosen(here, question.products)
    if not products or set(question.topics) & _OF_LEVELS:
        return ""
    for place, word in enumerate(question.words):
        at = place - 1 if word.fold in _CONTENTS else place + 1 if word.fold in _RESIDUES else place + 2 if word.fold in _TRACES else -1
        if not 0 <= at < len(question.words):
            continue
        one = question.words[at]
        named = any(match.start <= at < match.end for match in vocabulary.names.found(question.words))
        if named or one.fold in _OF_BLOOD or one.fold in vocabulary.common or not one.fold.isalpha() or _held(here, products, frozenset({one.fold})):
            continue
        return one.text
    return ""


def _none_held(here: Here, question: Question, vocabulary: Vocabulary) -> str:
    """What is asked of a product by no topic, when none of the words stands in anything that was read of it."""
    products = chosen(here, question.products)
    beside = question.indications or question.facts or question.vaccines or question.tests or question.amounts.texts
    if not products or beside or not set(question.topics) <= {"words"} or asked_aspects(frozenset(word.fold for word in question.words)):
        return ""
    asked = [one for one in question.concepts if not one.small and not one.owners]
    if all(one.light for one in asked) or any(_held(here, products, frozenset(one.words)) for one in asked):
        return ""
    return next((word.text for word in question.words if word.fold == asked[0].words[0]), "")


def _held(here: Here, products: list[Product], folds: frozenset[str]) -> bool:
    """True when what was read of the products, or general advice, holds any of the words."""
    index = index_of(here.evidence)
    rows = {hit.row for product in products for hit in index.under(product.id)} | {hit.row for hit in index.under("care.advice")}
    return bool(rows & index.holders(folds)) or any(folds & label_words(here, product) for product in products)


def _trial(question: Question, vocabulary: Vocabulary) -> str:
    """The acronym of a trial that the evidence does not know."""
    index = index_of(vocabulary.evidence)
    misread = {meant: word for word, meant in question.read_as.items() if _acronym(word)}
    for word, after in zip(question.words, question.words[1:], strict=False):
        if after.fold not in _TRIALS:
            continue
        if word.text in misread:
            return f"{misread[word.text]} {after.text}"
        if _acronym(word.text) and word.fold in question.loose and not index.knows(word.fold):
            return f"{word.text} {after.text}"
    return ""


def _acronym(text: str) -> bool:
    return len(text) >= _SHORTEST_ACRONYM and sum(letter.isupper() for letter in text) > 1


def _specified(question: Question, vocabulary: Vocabulary, strange: tuple[str, ...]) -> str:
    """A kind of disease nobody read of, written before the general word for many: another neuropathy than those of the evidence."""
    evidence, index = vocabulary.evidence, index_of(vocabulary.evidence)
    known = {place for match in vocabulary.names.found(question.words) for place in range(match.start, match.end)}
    known |= {place for _, held in vocabulary.told(word.fold for word in question.words) for place, word in enumerate(question.words) if word.fold in held}
    for place, word in enumerate(question.words[1:], start=1):
        before = question.words[place - 1]
        if word.fold not in _NAMED_BY_ANOTHER or place in known or place - 1 in known or before.fold in vocabulary.common | _OF_MANY:
            continue
        if not index.holders([before.fold]) & index.holders([word.fold]):
            return f"{before.text} {word.text}"
    conditions = [match for match in question.outsiders if evidence.outsiders[match.value].kind == "other-condition"]
    other = {place for match in conditions for place in range(match.start, match.end)}
    for match in vocabulary.names.found(question.words):
        if match.value.kind == "wording" and match.width == 1 and match.start and question.words[match.start].fold.endswith(_KINDS):
            before = question.words[match.start - 1]
            if match.start - 1 in other or (before.fold in strange and len(before.fold) >= _SHORTEST):
                return f"{before.text} {question.words[match.start].text}"
    return ""


def _unheard(here: Here, question: Question, vocabulary: Vocabulary, strange: tuple[str, ...]) -> str:
    """A word that the evidence holds nowhere, beside a product or a disease of which nothing else is asked."""
    topics = set(question.topics)
    if question.facts or question.vaccines or question.tests or not (question.products or question.indications):
        return ""
    if not topics <= (_OF_A_PRODUCT if question.products else _OF_A_DISEASE) or (question.products and question.indications):
        return ""
    if not question.products and question.treatment:
        return ""
    if question.products:
        asked = [one for one in question.concepts if not one.small and not one.owners]
        products = chosen(here, question.products)
        if 2 * sum(_held(here, products, frozenset(one.words)) for one in asked) > len(asked):
            return ""
    drugs = [match for match in question.outsiders if vocabulary.evidence.outsiders[match.value].kind == "other-drug"]
    taken = {place for match in drugs for place in range(match.start, match.end)}
    words = [word for place, word in enumerate(question.words) if word.fold in strange and place not in taken]
    if here.audience == "patient":
        words = [word for word in words if not word.fold.endswith(_TOLD_OF_ONESELF)]
    return next((word.text for word in words if _tells(word, question, vocabulary)), "")


def _tells(word: Word, question: Question, vocabulary: Vocabulary) -> bool:
    """True for a word long enough to be one of its own, and no two known words written as one."""
    if not word.text.isascii() or (len(word.fold) < _SHORTEST and not (_acronym(word.text) and not question.text.isupper())):
        return False
    index = index_of(vocabulary.evidence)
    return not any(index.knows(word.fold[:cut]) and index.knows(word.fold[cut:]) for cut in range(4, len(word.fold) - 3))
