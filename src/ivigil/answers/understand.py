"""From the words of a question to what it is about: topics, names, amounts, signs of danger, and the words nothing is known of."""

from __future__ import annotations

import re

import msgspec

from ivigil.answers.amounts import Amounts, amounts_in
from ivigil.answers.vocabulary import Meaning, Vocabulary
from ivigil.answers.words import Match, Word, longest, words_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.questions import Wording
from ivigil.evidence.shapes import Indication

_CLAUSE = re.compile(r"[.;:!?\n]|,| but | and | - ")
_TREATMENT = "treatment"
_DENIED_WITHIN = 5
_WHATS = re.compile(r"\b([Ww]hat|[Hh]ow|[Ww]here|[Ww]ho)['’]?s\b")
_PAST = {"past", "previou", "previous", "previously", "had", "history", "again", "after", "once", "before", "earlier", "last", "ago", "prior"}
_AIM = re.compile(r"^(?:for|treat|treats|treated|treating|cure|cures|cured|curing|heal|heals|against|help|helps|fix|fixes)$")
"""What follows such a word is what the treatment would be given for."""
_ABOUT = re.compile(r"^(?:about|called|named|with|taking|of|cause|causes|caused|causing|prevent|prevents|in)$")


class Question(msgspec.Struct, frozen=True):
    """What was understood. Ids are of the evidence; ``unknown`` are content words that no entry and no statement holds."""

    text: str
    words: tuple[Word, ...]
    amounts: Amounts
    topics: tuple[str, ...] = ()
    indications: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    vaccines: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    treatment: bool = False
    field: bool = False
    emergencies: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    own_dose: bool = False
    commands: bool = False
    read_as: dict[str, str] = {}
    loose: tuple[str, ...] = ()
    aims: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    search: tuple[str, ...] = ()

    @property
    def asked(self) -> frozenset[str]:
        """The words by which sentences of a topic are ordered: all but the small ones, and numbers."""
        return frozenset(self.search)

    @property
    def asks_label(self) -> bool:
        """True when approval, licence or label is asked about."""
        return any(word.fold.startswith(("approv", "label", "licen", "fda", "ema")) or word.fold == "off" for word in self.words)

    @property
    def named(self) -> bool:
        """True when anything of the evidence is named beside the treatment itself."""
        return bool(self.indications or self.products or self.vaccines or self.facts or self.tests or self.mechanisms)


def understand(text: str, vocabulary: Vocabulary) -> Question:
    """Everything that the words of a question show, misspelt ones included."""
    words, read_as = _spelt(words_of(_WHATS.sub(r"\1 is", text)), vocabulary)
    shouted = text.isupper()
    matches = _names(words, vocabulary, shouted)
    topic_matches = vocabulary.topics.found(words)
    outside = longest(vocabulary.outside.found(words))
    matches = [match for match in matches if not any(one.start <= match.start and match.end <= one.end and one.width > match.width for one in outside)]
    denied = {match.end for match in vocabulary.marks["denied"].found(words)}
    matches = [match for match in matches if match.start not in denied or match.value.kind not in {"fact", "wording", "indication"}]
    stated = [match for match in topic_matches if match.start not in denied]
    topic_matches = stated or topic_matches
    wordings = [vocabulary.evidence.wordings[match.value.id] for match in matches if match.value.kind == "wording"]
    kinds: dict[str, dict[str, None]] = {}
    for match in matches:
        kinds.setdefault(match.value.kind, {})[match.value.id] = None
    indications = dict.fromkeys((*(name for one in wordings for name in one.indications), *kinds.get("indication", ())))
    facts = dict.fromkeys((*(name for one in wordings for name in one.fact), *kinds.get("fact", ())))
    covered = {place for match in matches for place in range(match.start, match.end)}
    covered |= {place for topic in topic_matches for place in range(topic.start, topic.end)}
    folds = {word.fold for word in words}
    signs, emergencies = _signs(words, text, vocabulary)
    loose = tuple(
        dict.fromkeys(
            word.fold
            for place, word in enumerate(words)
            if place not in covered and word.fold not in vocabulary.common and not word.text[0].isdigit() and word.text != "%"
        )
    )
    return Question(
        text=text,
        words=words,
        amounts=amounts_in(text),
        topics=_topics(topic_matches, words, vocabulary.evidence),
        indications=_fitting(tuple(indications), words, vocabulary.evidence),
        products=tuple(kinds.get("product", ())),
        vaccines=tuple(kinds.get("vaccine", ())),
        facts=tuple(name for name in facts if ".past_" not in name or folds & _PAST),
        tests=tuple(kinds.get("test", ())),
        terms=tuple(kinds.get("term", ())),
        mechanisms=tuple(kinds.get("mechanism", ())),
        treatment=bool({_TREATMENT, "drip"} & kinds.get("wording", {}).keys()) or bool(kinds.get("product")),
        field=bool(wordings),
        emergencies=emergencies,
        signs=signs,
        corrections=tuple(dict.fromkeys(match.value for match in vocabulary.corrections.found(words))),
        outside=tuple(
            dict.fromkeys(
                match.value for match in outside if not any(one.start <= match.start and match.end <= one.end and one.width > match.width for one in matches)
            )
        ),
        own_dose=bool(vocabulary.marks["own-dose"].found(words)),
        commands=bool(vocabulary.marks["commands"].found(words)),
        read_as=read_as,
        loose=loose,
        aims=_objects(words, covered, vocabulary, _AIM),
        objects=_objects(words, covered, vocabulary, _ABOUT),
        search=_search_words(words, wordings, vocabulary),
    )


def _spelt(words: tuple[Word, ...], vocabulary: Vocabulary) -> tuple[tuple[Word, ...], dict[str, str]]:
    """Words that no phrase and no statement knows, read as the nearest known one."""
    from ivigil.answers.find import index_of

    covered = {place for match in vocabulary.names.found(words) for place in range(match.start, match.end)}
    for phrases in (vocabulary.topics, vocabulary.outside):
        covered |= {place for match in phrases.found(words) for place in range(match.start, match.end)}
    known = vocabulary.names.starts | vocabulary.topics.starts | vocabulary.common
    out: list[Word] = []
    read_as: dict[str, str] = {}
    for place, word in enumerate(words):
        if place in covered or word.fold in known or not word.fold.isalpha() or index_of(vocabulary.evidence).knows(word.fold):
            out.append(word)
            continue
        meant = vocabulary.meant(word.fold)
        if meant:
            read_as[word.text] = meant
            out.append(Word(meant, meant))
        else:
            out.append(word)
    return tuple(out), read_as


def _names(words: tuple[Word, ...], vocabulary: Vocabulary, shouted: bool) -> list[Match[Meaning]]:
    found = [match for match in vocabulary.names.found(words) if match.width > 1 or vocabulary.admits(match.value, words[match.start], shouted=shouted)]
    treatment = {place for match in found if match.value == Meaning("wording", _TREATMENT) for place in range(match.start, match.end)}
    found = [
        match
        for match in found
        if match.value == Meaning("wording", _TREATMENT) or not set(range(match.start, match.end)) <= treatment or match.value.kind in {"term", "product"}
    ]
    kept: list[Match[Meaning]] = []
    for kind in ("wording", "indication", "product", "vaccine", "fact", "test", "term", "mechanism"):
        kept += longest([match for match in found if match.value.kind == kind])
    widest = {(match.start, match.end): match.width for match in kept if match.value.kind in {"indication", "product", "vaccine"}}
    return [
        match
        for match in kept
        if match.value.id == _TREATMENT or not any(start <= match.start and match.end <= end and width > match.width for (start, end), width in widest.items())
    ]


def _topics(matches: list[Match[str]], words: tuple[Word, ...], evidence: Evidence) -> tuple[str, ...]:
    """The topics of a question in the order of the evidence. A phrase inside a longer one does not count.

    A broad topic steps back for special ones, unless 'and' stands behind it.
    """
    kept = longest(matches)
    wanted = {match.value for match in kept}
    special = {name for name in wanted if not evidence.topics[name].broad}
    joined = {match.value for match in kept if match.end < len(words) and words[match.end].fold == "and"}
    wanted = special | (joined & wanted) if special else wanted
    stepping = {other for name in wanted for other in evidence.topics[name].over}
    return tuple(name for name in evidence.topics if name in wanted - stepping)


def _fitting(found: tuple[str, ...], words: tuple[Word, ...], evidence: Evidence) -> tuple[str, ...]:
    """Of several indications that share a name, those that fit the person asked about: a child, a pregnant woman, a newborn."""
    folds = {word.fold for word in words}
    young = bool(folds & {"child", "children", "kid", "son", "daughter", "toddler", "infant", "baby", "pediatric", "boy", "girl"})
    pregnant = bool(folds & {"pregnant", "pregnancy"})
    groups: dict[str, list[str]] = {}
    for name in found:
        groups.setdefault(name.split("-")[0], []).append(name)
    out: list[str] = []
    for members in groups.values():
        if len(members) == 1:
            out += members
            continue
        wanted = [name for name in members if ("child" in name and young) or ("pregnan" in name and pregnant)]
        others = [name for name in members if "child" not in name and "pregnan" not in name]
        out += wanted or others or members
    return tuple(name for name in out if isinstance(evidence.indications.get(name), Indication))


def _signs(words: tuple[Word, ...], text: str, vocabulary: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The emergencies whose signs are named at all, and those that are happening now or may be."""
    named: list[str] = []
    denied = {match.end - 1 for match in vocabulary.marks["denied"].found(words)}
    breaks = _breaks(text, words)
    for name, lists in vocabulary.signs.items():
        found = [[match for match in phrases.found(words) if not _is_denied(match, denied, breaks)] for phrases in lists]
        if all(found):
            named.append(name)
    if not named:
        return (), ()
    general = {place for match in vocabulary.marks["general"].found(words) for place in range(match.start, match.end)}
    personal = any(match.start not in general for match in vocabulary.marks["personal"].found(words))
    happening = bool(vocabulary.marks["happening"].found(words))
    past = bool(vocabulary.marks["past"].found(words))
    now = happening or (not past and (personal or not general))
    return tuple(named), tuple(named) if now else ()


def _breaks(text: str, words: tuple[Word, ...]) -> set[int]:
    """The places of words that begin a new clause."""
    places: set[int] = set()
    count = 0
    for clause in _CLAUSE.split(text):
        places.add(count)
        count += len(words_of(clause))
    return places


def _is_denied(match: Match[None], denied: set[int], breaks: set[int]) -> bool:
    """True when a word that denies stands shortly before, in the same clause."""
    if match.start in breaks:
        return False
    for place in range(match.start - 1, max(-1, match.start - 1 - _DENIED_WITHIN), -1):
        if place in denied:
            return True
        if place in breaks:
            return False
    return False


def _objects(words: tuple[Word, ...], covered: set[int], vocabulary: Vocabulary, before: re.Pattern[str]) -> tuple[str, ...]:
    """Content words, known by no phrase, that follow one of certain small words: what the question may really be about."""
    found: list[str] = []
    for place, word in enumerate(words):
        if not before.match(word.text.lower()):
            continue
        for after in range(place + 1, min(len(words), place + 4)):
            one = words[after]
            if _AIM.match(one.text.lower()) or _ABOUT.match(one.text.lower()) or (after in covered and one.fold not in vocabulary.common):
                break
            if after not in covered and one.fold not in vocabulary.common and not one.text[0].isdigit() and one.text != "%":
                found.append(one.fold)
    return tuple(dict.fromkeys(found))


def _search_words(words: tuple[Word, ...], wordings: list[Wording], vocabulary: Vocabulary) -> tuple[str, ...]:
    own = [word.fold for word in words if word.fold not in vocabulary.common or word.text[0].isdigit()]
    meant = [word.fold for wording in wordings for phrase in wording.means for word in words_of(phrase)]
    return tuple(dict.fromkeys([*own, *meant]))
