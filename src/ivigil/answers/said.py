"""Sentences made from entries of the evidence, in the words for clinicians or in those for patients. Nothing is said that no entry says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from ivigil.answers.answer import Audience, Kind
from ivigil.answers.words import folds_of
from ivigil.evidence.knowledge import Claim
from ivigil.evidence.library import Evidence
from ivigil.evidence.sayable import sayable

_ARTICLE_ONLY = "Stated by the article only"
_READ_MARKS = {"decided": "policy", "remembered": "not read", "second-hand": "second-hand"}
_ONCE = "-once"
_RATE = re.compile(r"\bm[gL]/kg/(?:min|h)\b|\bm[gL]/(?:min|h)\b")
"""A rate that nobody read is never told: somebody might set a pump by it."""


class Said(msgspec.Struct, frozen=True):
    """One sentence before its sources are numbered."""

    text: str
    cites: tuple[str, ...] = ()
    kind: Kind = "entry"
    marks: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


def frame(text: str) -> Said:
    """Words of our own, without a claim."""
    return Said(text, kind="frame")


def plain_for(audience: Audience) -> bool:
    """True for the audience that reads plain words."""
    return audience == "patient"


def marks_of(evidence: Evidence, cites: tuple[str, ...]) -> tuple[str, ...]:
    """How the support was read, where that needs saying, as short marks."""
    support = evidence.support_of(cites)
    way = support.read.removesuffix(_ONCE)
    marks = [_READ_MARKS[way]] if way in _READ_MARKS else []
    if way != support.read:
        marks.append("one reading")
    if support.review in {"rejected", "superseded"}:
        marks.append(support.review)
    return tuple(marks)


def entry_said(evidence: Evidence, text: str, cites: Iterable[str], *more: str) -> Said:
    """A sentence composed from an entry, with the marks of its support."""
    named = tuple(dict.fromkeys(cites))
    return Said(_stopped(text), named, "entry", (*marks_of(evidence, named), *(mark for mark in more if mark)))


def statement_said(evidence: Evidence, name: str, audience: Audience) -> Said | None:
    """A statement in the words of the audience; None when a patient has none, or asks for what nobody read, and for a rate nobody read."""
    statement = evidence.statements.get(name)
    if statement is None or (statement.read == "remembered" and _RATE.search(statement.says)):
        return None
    if plain_for(audience):
        if not statement.plain or statement.read == "remembered":
            return None
        return Said(statement.plain, (name,), "statement", marks_of(evidence, (name,)))
    return Said(statement.says, (name,), "statement", marks_of(evidence, (name,)))


def said_of(evidence: Evidence, name: str, audience: Audience) -> list[Said]:
    """What an entry says, by its id whatever part it stands in; nothing when it has no words for the audience."""
    found = sayable(evidence, name)
    if found is None:
        return []
    part, entry = found
    if part == "statements":
        one = statement_said(evidence, name, audience)
        return [one] if one is not None else []
    if part == "claims":
        return _claim(evidence, entry, audience)
    if plain_for(audience):
        return _plain(evidence, part, entry)
    text = _clinical(part, entry)
    extra = (entry.strength,) if part == "mechanisms" and entry.strength != "human" else ()
    return [entry_said(evidence, text, entry.cites, *extra)] if text else []


def _claim(evidence: Evidence, claim: Claim, audience: Audience) -> list[Said]:
    """What ivigil says to a claim; where it says the same, or only the article says it, the statements themselves."""
    if claim.say and not claim.say.startswith(_ARTICLE_ONLY):
        if plain_for(audience):
            return []
        about = claim.topic.partition(": ")[2] or claim.topic
        return [entry_said(evidence, f"{about[:1].upper()}{about[1:]}: {claim.say}", claim.cites)]
    own = [one for cite in claim.cites if (one := statement_said(evidence, cite, audience)) is not None]
    if claim.say and own and not plain_for(audience):
        first = own[0]
        rest = claim.say.removeprefix(_ARTICLE_ONLY).lstrip("; ").strip()
        tail = [entry_said(evidence, rest[:1].upper() + rest[1:], claim.cites)] if rest.strip(". ") and rest != "no source of it was read." else []
        return [msgspec.structs.replace(first, marks=(*first.marks, "article only")), *tail, *own[1:2]]
    return own[:2]


def _clinical(part: str, entry: Any) -> str:
    """The sentence of an entry for clinicians."""
    say = getattr(entry, "say", "")
    if part in {"rules", "interactions"}:
        return f"{entry.about}: {say}"
    if part == "mechanisms":
        return f"{entry.name}: {say[:1].lower()}{say[1:]}" if say[:1].isupper() and not say[:2].isupper() else f"{entry.name}: {say}"
    if part == "terms":
        return f"{entry.term}: {entry.plain}"
    if part == "vitals":
        return f"{entry.name}: {say}"
    if part == "laboratory":
        return f"{say} {entry.changes}"
    if part == "thresholds":
        return f"{say} {entry.then}".strip()
    if part == "reaction_steps":
        return f"{entry.grades[:1].upper()}{entry.grades[1:]}: {say}" if entry.grades != "any" else say
    if part == "reaction_onsets":
        return f"{entry.reaction}: {entry.signs}. First: {entry.first}"
    if part == "reaction_frequencies":
        return f"{entry.outcome[:1].upper()}{entry.outcome[1:]}: {entry.figure} per {entry.per} ({entry.population})"
    if part == "interference":
        return f"{entry.test}: {entry.effect} {entry.advice}" if entry.effect.endswith(".") else f"{entry.test}: {entry.effect}. {entry.advice}"
    if part == "supply_schemes":
        return f"{entry.name}: {say}"
    if part == "next_doses":
        return f"After {entry.after}: {say}"
    return str(say)


def _plain(evidence: Evidence, part: str, entry: Any) -> list[Said]:
    """The sentence of an entry for patients; entries without plain words give nothing, or the statements they cite that have some."""
    if part == "lessons":
        return [entry_said(evidence, f"{entry.question} {entry.say}", entry.cites)]
    if part == "advice":
        return [entry_said(evidence, entry.say, entry.cites)]
    if part == "mechanisms":
        return [entry_said(evidence, entry.plain, entry.cites)]
    if part == "terms":
        return [entry_said(evidence, f"{entry.term[:1].upper()}{entry.term[1:]}: {entry.plain}", entry.cites)]
    if part in {"rules", "interactions"}:
        return [entry_said(evidence, act.say, entry.cites) for act in entry.then if act.act == "tell" and act.say]
    return []


def by_words(listed: list[Said], asked: frozenset[str]) -> list[Said]:
    """The sentences that hold the words asked for first, rarer words counting more; the order stays where none does better."""
    if len(listed) < 2 or not asked:
        return listed
    folds = [folds_of(one.text) for one in listed]
    held = [set(words) & asked for words in folds]
    weight = {word: math.log(len(listed) / count) for word in asked if (count := sum(word in words for words in held))}
    scores = [sum(weight[word] for word in words) + sum(weight[word] for word in set(start[:_HEAD]) & words) for words, start in zip(held, folds, strict=True)]
    return [listed[place] for place in sorted(range(len(listed)), key=lambda place: -scores[place])]


_HEAD = 3
"""The first words of a sentence say what it is about, and count twice."""


def _stopped(text: str) -> str:
    whole = " ".join(text.split())
    return whole if whole.endswith((".", "!", "?", ":")) else f"{whole}."


def place_name(evidence: Evidence, jurisdiction: str) -> str:
    """A place in words."""
    entry = evidence.jurisdictions.get(jurisdiction)
    return entry.name if entry is not None else "International" if jurisdiction == "international" else jurisdiction
