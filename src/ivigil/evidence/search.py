"""Finds entries of the evidence by words, from indications to the claims of the founding articles: plain, deterministic, ranked by how many words fit where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import recorded

_WORD = re.compile(r"[a-z0-9]+")


class Hit(msgspec.Struct, frozen=True):
    """One find: what kind of entry, its id, the text that matched."""

    part: str
    id: str
    text: str
    source: str = ""


def search(evidence: Evidence, text: str, limit: int = 20) -> list[Hit]:
    """The entries that hold every word of ``text`` (as a word start), those with it in their id or name first."""
    words = _WORD.findall(text.lower())
    if not words:
        return []
    ranked: list[tuple[int, int, Hit]] = []
    for order, hit in enumerate(_everything(evidence)):
        head = set(_WORD.findall(hit.id.lower()))
        body = head | set(_WORD.findall(hit.text.lower()))
        if all(any(token.startswith(word) for token in body) for word in words):
            ranked.append((-sum(any(token.startswith(word) for token in head) for word in words), order, hit))
    ranked.sort(key=lambda item: item[:2])
    return [hit for _, _, hit in ranked[:limit]]


def _everything(evidence: Evidence) -> Iterator[Hit]:
    for indication in evidence.indications.values():
        yield Hit("indication", indication.id, f"{indication.name.clinical}; {', '.join(indication.also_called)}")
    for product in evidence.products.values():
        yield Hit("product", product.id, f"{product.brand} {product.percent:g} %, {product.maker}, {product.market}, {', '.join(product.routes)}")
    for rule in evidence.every_rule.values():
        yield Hit("rule", rule.id, f"{rule.code} {rule.about}: {rule.say}")
    for test in evidence.interference.values():
        yield Hit("interference", test.id, f"{test.test}: {test.effect}. {test.advice}")
    yield from _knowledge(evidence)
    for statement in evidence.statements.values():
        yield Hit("statement", statement.id, statement.says, statement.source)
    for source in evidence.sources.values():
        yield Hit("source", source.id, ", ".join(text for text in (source.title, *map(recorded, (source.publisher, source.year))) if text))


def _knowledge(evidence: Evidence) -> Iterator[Hit]:
    for mechanism in evidence.mechanisms.values():
        yield Hit("mechanism", mechanism.id, " ".join([f"{mechanism.name}{_also(mechanism.also_called)}:", mechanism.say, mechanism.plain]))
    for term in evidence.terms.values():
        yield Hit("word", term.id, f"{term.term}{_also(term.also_called)}: {term.plain}")
    for lesson in evidence.lessons.values():
        yield Hit("lesson", lesson.id, f"{lesson.question} {lesson.say}")
    for scheme in evidence.supply_schemes.values():
        yield Hit("supply scheme", scheme.id, " ".join([f"{scheme.name}:", scheme.say, *(f"{level.name}: {level.say}" for level in scheme.levels)]))
    for lever in evidence.supply_levers.values():
        yield Hit("supply lever", lever.id, lever.say)
    for figure in evidence.supply_figures.values():
        yield Hit("supply figure", figure.id, f"{figure.country} {figure.year}, {figure.about}: {figure.say}")
    for claim in evidence.claims.values():
        yield Hit("claim", claim.id, f"{claim.topic}: {claim.claim} [{claim.verdict}] {claim.say}".strip(), claim.article)


def _also(names: tuple[str, ...]) -> str:
    return f" ({', '.join(names)})" if names else ""
