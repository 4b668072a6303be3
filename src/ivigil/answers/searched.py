"""What the full text search adds to an answer, without what belongs to another disease, product or route."""

from __future__ import annotations

from ivigil.answers import things
from ivigil.answers.diseases import Here
from ivigil.answers.find import Hit, index_of
from ivigil.answers.said import Said, plain_for, said_of
from ivigil.answers.understand import Question

_FOUND = 6
_LOOKED_AT = 60
_FEWEST_WORDS = 2
_NEEDED = 0.6
_NEEDED_BESIDE = 0.45
"""The share of the weight of its words that a find must hold: alone, and beside what topics have said."""


def searched(here: Here, question: Question, answered: bool, using: tuple[str, ...]) -> tuple[Said, ...]:
    """What the full text search adds: statements of what is named that hold words of the question, and other entries that hold most of them."""
    words = question.search if "synonyms" in using else tuple(word.fold for word in question.words if len(word.fold) > 2)
    if not words:
        return ()
    index = index_of(here.evidence)
    hits = index.find(words, _LOOKED_AT, plain_for(here.audience))
    if not plain_for(here.audience):
        hits = [hit for hit in hits if hit.part not in {"lessons", "advice", "terms"}]
    hits = [hit for hit in hits if not _of_another(here, question, hit)]
    owners = tuple(f"{name}." for name in (*question.indications, *(product.id for product in things.chosen(here, question.products))))
    weights = {word: index.weight(word) for word in words}
    whole = sum(weights.values()) or 1.0
    needed = _NEEDED_BESIDE if answered else _NEEDED
    own = [hit for hit in hits if owners and hit.id.startswith(owners) and len(hit.words) > 1]
    shares = {hit.id: sum(weights[word] for word in hit.words) / whole for hit in hits}
    others = [hit for hit in hits if hit not in own and shares[hit.id] >= (needed if len(hit.words) >= _FEWEST_WORDS else _NEEDED)]
    said = list(dict.fromkeys(one for hit in (*own[:_FOUND], *others[:_FOUND]) for one in said_of(here.evidence, hit.id, here.audience)))
    return tuple(said)


def _of_another(here: Here, question: Question, hit: Hit) -> bool:
    """True for a find that speaks of a disease, a product or a route other than those asked about."""
    parts = hit.id.split(".")
    if question.products and parts[0] in here.evidence.products and parts[0] not in question.products:
        return True
    if not question.indications:
        return False
    if parts[0] in here.evidence.indications and parts[0] not in question.indications:
        return True
    routes = {route for name in question.indications for route in here.evidence.indications[name].routes}
    return parts[0] in here.evidence.products and "sc" in parts and "subcutaneous" not in routes
