"""What the search adds to an answer: statements of what is named and of the topics asked about, and others that hold most of what is asked for."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ivigil.answers import things
from ivigil.answers.diseases import Here
from ivigil.answers.find import Hit, Index, index_of
from ivigil.answers.said import Said, plain_for, said_of
from ivigil.answers.understand import Concept, Question
from ivigil.answers.words import folds_of
from ivigil.evidence.conditions import facts_named
from ivigil.evidence.kept import kept
from ivigil.evidence.library import Evidence

_MOST = 9
_MOST_BESIDE = 8
_LOOKED_AT = 80
_FEWEST = 2
_NEEDED = 0.55
_NEEDED_BESIDE = 0.4
_NEEDED_OWN = 0.25
"""The share of the weight of what is asked for that a find must hold: alone, beside what topics have said, and of what is named."""
_UNHEARD = 4.0
"""What a word that the evidence holds nowhere weighs, where nothing else was said."""
_NEEDED_UNNAMED = 0.65
"""The share for a statement of a disease or a product that the question does not name; patients are never told one."""
_RARE = 12
"""A word that no more entries than these hold says by itself what is asked for."""
_FOR_TOPIC, _FOR_RANK, _FOR_SMALL, _FOR_NUMBERS = 0.2, 0.3, 0.3, 0.08
"""What else counts in the order, beside that share: that it belongs to a topic asked about, its BM25, the small words, and numbers where they are asked for."""
_FOR_PLACE = 0.12
"""What it counts that the id of a statement names the own place (``care.v04-au``), and against one that names another."""
_CODES = {"us", "ca", "au", "eu", "uk", "jp", "ch"}
_NUMBERS = {"much", "many", "fast", "long", "often", "soon", "rate", "dose", "percent", "number", "level", "age", "old", "high", "low", "quickly", "common"}
_SAME = 0.6
"""Two sentences that share so much of their words say the same."""
_WORDY = {"lessons", "advice", "terms"}
"""Parts that speak to patients only."""


class _Wanted(msgspec.Struct, frozen=True):
    """One concept with the rows that hold it and its weight."""

    concept: Concept
    rows: frozenset[int]
    weight: float

    def held(self, hit: Hit) -> bool:
        return hit.row in self.rows or hit.id.partition(".")[0] in self.concept.owners


def searched(here: Here, question: Question, parts: Iterable[tuple[Said, ...]], using: tuple[str, ...]) -> tuple[Said, ...]:
    """What the full text search adds to the ``parts`` already said: the same words never twice, an entry only when its statements are new."""
    already = [one for said in parts for one in said]
    index = index_of(here.evidence)
    concepts = question.concepts if "synonyms" in using else tuple(Concept((word.fold,)) for word in question.words if len(word.fold) > _FEWEST)
    wanted = [_Wanted(one, index.holders(one.words), index.weight(one.words)) for one in concepts]
    named = [one for one in wanted if not one.concept.small and one.rows]
    telling = [one for one in named if not one.concept.light] or named
    if not telling:
        return ()
    own, topical = _own(here, question, index) if "topics" in using else ({}, set())
    hits = {hit.row: hit for hit in own.values()}
    hits.update((hit.row, hit) for hit in index.find([word for one in telling for word in one.concept.words], _LOOKED_AT, plain_for(here.audience)))
    best = max((hit.score for hit in hits.values()), default=0.0) or 1.0
    unheard = 0 if already else sum(not one.concept.small and not one.concept.light and not one.rows for one in wanted)
    whole = sum(one.weight for one in telling) + _UNHEARD * unheard
    small = [one for one in wanted if one not in telling and one.rows]
    small_whole = sum(one.weight for one in small) or 1.0
    numbers = any(word.fold in _NUMBERS for word in question.words)
    needed = _NEEDED_BESIDE if already else _NEEDED
    codes = {place.lower().partition("-")[0] for place in here.places}
    ranked: list[tuple[float, int]] = []
    for hit in hits.values():
        if (hit.part in _WORDY and not plain_for(here.audience)) or _of_another(here, question, hit) or _for_others(here, question, hit):
            continue
        holding = [one for one in telling if one.held(hit)]
        share = sum(one.weight for one in holding) / whole
        if plain_for(here.audience) and hit.id in _doses(here.evidence) and not set(question.topics) & _OF_A_DOSE:
            continue
        if hit.row not in own and _owned(here, hit) and (plain_for(here.audience) or share < _NEEDED_UNNAMED):
            continue
        beyond = any(hit.id.partition(".")[0] not in one.concept.owners for one in holding)
        mine = hit.row in own and ((beyond and share >= _NEEDED_OWN) or hit.row in topical)
        rare = any(len(one.rows) <= _RARE for one in holding)
        if not mine and share < (_NEEDED_OWN if rare else needed if len(holding) >= _FEWEST else _NEEDED):
            continue
        score = share + _FOR_TOPIC * (hit.row in topical) + _FOR_RANK * hit.score / best + _FOR_NUMBERS * (numbers and hit.numbers)
        score += _FOR_PLACE * _of_place(hit, codes)
        score += _FOR_SMALL * sum(one.weight for one in small if one.held(hit)) / small_whole
        ranked.append((-score, hit.row))
    return _new(here, [hits[row] for _, row in sorted(ranked)], already, _MOST_BESIDE if already else _MOST)


def _new(here: Here, hits: list[Hit], already: list[Said], most: int) -> tuple[Said, ...]:
    """The first finds whose words do not stand in the answer yet."""
    texts = {one.text for one in already}
    heard = [frozenset(folds_of(one.text)) for one in already]
    cited = {cite for one in already for cite in one.cites}
    out: list[Said] = []
    for hit in hits:
        said = [one for one in said_of(here.evidence, hit.id, here.audience) if one.text not in texts]
        if not said or (hit.part != "statements" and all(set(one.cites) <= cited for one in said)):
            continue
        words = frozenset(fold for one in said for fold in folds_of(one.text))
        if any(len(words & other) >= _SAME * len(words | other) for other in heard):
            continue
        out += said
        heard.append(words)
        texts.update(one.text for one in said)
        cited.update(cite for one in said for cite in one.cites)
        if len(out) >= most:
            break
    return tuple(out)


def _own(here: Here, question: Question, index: Index) -> tuple[dict[int, Hit], set[int]]:
    """The entries of what is named and of the topics asked about, and among them those that belong to such a topic."""
    plain = plain_for(here.audience)
    topics = [here.evidence.topics[name] for name in question.topics]
    parts = tuple(dict.fromkeys(part for topic in topics for part in topic.parts))
    named = (*question.indications, *(product.id for product in things.chosen(here, question.products)))
    own: dict[int, Hit] = {}
    topical: set[int] = set()
    for name in named:
        for hit in index.under(name, plain):
            own[hit.row] = hit
            if any(piece == part or piece.startswith(f"{part}-") for piece in hit.id.split(".")[1:] for part in parts):
                topical.add(hit.row)
    for name in dict.fromkeys(prefix for topic in topics for prefix in topic.among):
        own.update((hit.row, hit) for hit in index.under(name, plain))
    return own, topical


def _of_place(hit: Hit, codes: set[str]) -> int:
    named = {piece.rpartition("-")[2].rstrip("0123456789") for piece in hit.id.split(".")} & _CODES
    return 0 if not named else 1 if named & codes else -1


_OF_A_DOSE = {"dose", "maintenance"}


@kept
def _doses(evidence: Evidence) -> frozenset[str]:
    """The statements on which doses rest, and others that tell patients an amount per kilogram: these hear them only when they ask for a dose."""
    told = {one.id for one in evidence.statements.values() if "kilogram" in one.plain}
    return frozenset(told.union(cite for one in evidence.indications.values() for regimen in one.regimens for cite in regimen.cites))


def _owned(here: Here, hit: Hit) -> bool:
    """True for a statement of one disease or product."""
    owner = hit.id.partition(".")[0]
    return hit.part == "statements" and (owner in here.evidence.indications or owner in here.evidence.products)


def _for_others(here: Here, question: Question, hit: Hit) -> bool:
    """True for advice to people of whom the question does not speak: those on aspirin, those with one kidney."""
    if hit.part != "advice":
        return False
    when = here.evidence.advice[hit.id].when
    about = facts_named(when) if when is not None else frozenset()
    return bool(about) and about.isdisjoint(question.facts)


def _of_another(here: Here, question: Question, hit: Hit) -> bool:
    """True for a find that speaks of a disease, a product or a route other than those asked about."""
    parts = hit.id.split(".")
    if parts[0] in _OF_MODELS and not any(word.fold.startswith(_ABOUT_LEVELS) for word in question.words):
        return True
    of_product = parts[0] in here.evidence.products
    if question.products and of_product:
        named = {product.id for product in things.chosen(here, question.products)}
        if parts[0] not in question.products or (parts[0] not in named and set(parts) & _OF_A_MARKET):
            return True
    if of_product and parts[0] not in question.products and not _says_which(here, parts[0], hit.id):
        return True
    if not question.indications:
        return _owned(here, hit) and bool(question.topics) and set(question.topics) <= _GENERAL
    if parts[0] in here.evidence.indications and parts[0] not in question.indications:
        return True
    uses = {_SHORT.get(name.split("-")[0], name.split("-")[0]) for name in question.indications}
    if of_product and set(parts) & _OF_A_USE and set(parts[1:]) & _uses(here.evidence) - uses:
        return True
    routes = {route for name in question.indications for route in here.evidence.indications[name].routes}
    return of_product and "sc" in parts and "subcutaneous" not in routes


_GENERAL = {"what", "words", "works"}
"""Topics on immunoglobulin itself: what holds of one disease does not belong to them."""
_OF_MODELS = {"pk", "pk-policy"}
_ABOUT_LEVELS = (
    "model", "pharmaco", "kinetic", "half", "halv", "clear", "trough", "igg", "level", "steady", "distribut", "bioavail", "forecast",
    "baseline", "factor", "convert", "switch", "obes",
)
"""What the models of levels say stands only where levels or models are asked about."""
_OF_A_MARKET = {"rate", "dose", "label", "sc", "at-risk", "factor", "start"}
"""Parts that differ between markets: those of another market do not stand beside those of the own."""
_OF_A_USE = {"rate", "dose", "sc", "at-risk", "start"}
"""Parts that differ between the diseases of one label."""
_SHORT = {"pid": "pi", "dermatomyositis": "dm"}


@kept
def _uses(evidence: Evidence) -> frozenset[str]:
    """How the ids of products' statements call the diseases that they are for."""
    return frozenset(_SHORT.get(name.split("-")[0], name.split("-")[0]) for name in evidence.indications)


def _says_which(here: Here, product: str, name: str) -> bool:
    """True when a statement about a product names it: *IgA is at most so much* says nothing where no product was asked about."""
    statement = here.evidence.statements.get(name)
    return statement is None or here.evidence.products[product].brand.partition(" ")[0] in f"{statement.says} {statement.plain}"
