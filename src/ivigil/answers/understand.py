"""From the words of a question to what it is about: topics, names, amounts, signs of danger, and the words nothing is known of."""

from __future__ import annotations

import re

import msgspec

from ivigil.answers.amounts import Amounts, amounts_in
from ivigil.answers.emergencies import signs_of
from ivigil.answers.vocabulary import Meaning, Vocabulary
from ivigil.answers.words import Match, Word, longest, words_of
from ivigil.evidence.library import Evidence
from ivigil.evidence.questions import Wording
from ivigil.evidence.shapes import Indication

_TREATMENT = "treatment"
_SHORTEST = 3
_WHATS = re.compile(r"\b([Ww]hat|[Hh]ow|[Ww]here|[Ww]ho)['’]?s\b")
_MARKUP = re.compile(r"</?[A-Za-z][\w-]*(?:\s+[\w-]+=[^<>]{0,80})?\s*/?>|(?<=\])\([^()\s]{0,200}\)|\x1b\[[\d;]*m")
"""Tags, targets of links and colours of a terminal, which are no words of a question. What stands between *below* and *above* (<, >) is no tag."""
_PAST = {"past", "previou", "previous", "previously", "had", "history", "again", "after", "once", "before", "earlier", "last", "ago", "prior"}
_AIM = re.compile(r"^(?:for|treat|treats|treated|treating|cure|cures|cured|curing|heal|heals|against|help|helps|fix|fixes)$")
"""What follows such a word is what the treatment would be given for."""
_TOWARDS = {"in", "with", "for", "against"}
_TREATS = {"treat", "treating", "cure", "curing", "cures", "heal", "heals", "help", "helps"}
_USED = frozenset(
    {"help", "helps", "ivig", "scig", "immunoglobulin", "used", "use", "indicated", "approved"}
    | {"licensed", "effective", "work", "works", "role", "evidence", "therapy", "benefit", "given", "good"}
)
_BETWEEN = {"a", "an", "the", "my", "his", "her", "their", "people", "patient", "someone", "with", "severe", "chronic", "acute"}
_NO_ILLNESS = {"has.pregnancy", "has.breast_feeding", "has.obesity"}
_HELPING = frozenset({"should", "would", "could", "can", "will", "must", "may", "might", "do", "does", "did", "is", "are", "was", "were", "has", "have", "had"})
"""A verb ends what a small word points to: "which fall in haemoglobin should trigger"."""
_ABOUT = re.compile(r"^(?:about|called|named|with|taking|of|cause|causes|caused|causing|prevent|prevents|in)$")


class Concept(msgspec.Struct, frozen=True):
    """One thing asked for: the words that name it in the evidence, and the entries of whose name it is a part. A ``small`` one only orders what is found.

    A ``light`` one, an everyday word, does the same where there are others.
    """

    words: tuple[str, ...]
    owners: frozenset[str] = frozenset()
    small: bool = False
    light: bool = False


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
    outsiders: tuple[Match[str], ...] = ()
    treated: tuple[str, ...] = ()
    own_dose: bool = False
    commands: bool = False
    read_as: dict[str, str] = {}
    loose: tuple[str, ...] = ()
    aims: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    concepts: tuple[Concept, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def asked(self) -> frozenset[str]:
        """The words by which sentences of a topic are ordered: all but the small ones, and numbers."""
        return frozenset(self.search)

    @property
    def asks_label(self) -> bool:
        """True when approval, licence or label is asked about."""
        return any(word.fold.startswith(("approv", "label", "licen", "fda", "ema")) or word.fold == "off" for word in self.words)

    @property
    def strange(self) -> bool:
        """True when a word is asked about that is neither known by name nor an everyday one: perhaps a disease or a product nobody read of."""
        return any(not one.small and not one.light and one.words[0] in self.loose for one in self.concepts)

    @property
    def asks_meaning(self) -> bool:
        """True when somebody asks what a word means."""
        return any(word.fold in {"mean", "meaning", "definition", "define"} for word in self.words)

    @property
    def outside(self) -> tuple[str, ...]:
        """The entries of what lies outside the evidence whose words stand in the question."""
        return tuple(dict.fromkeys(match.value for match in self.outsiders))

    @property
    def named(self) -> bool:
        """True when anything of the evidence is named beside the treatment itself."""
        return bool(self.indications or self.products or self.vaccines or self.facts or self.tests or self.mechanisms)


def understand(text: str, vocabulary: Vocabulary) -> Question:
    """Everything that the words of a question show, misspelt ones included."""
    spoken = _WHATS.sub(r"\1 is", _MARKUP.sub(" ", text))
    shouted = text.isupper()
    words, read_as = _spelt(words_of(spoken), vocabulary, shouted)
    matches = _names(words, vocabulary, shouted)
    topic_matches = vocabulary.topics.found(words)
    outside = longest(_outsiders(words, matches, vocabulary))
    matches = [match for match in matches if not any(one.start <= match.start and match.end <= one.end and one.width > match.width for one in outside)]
    denied = {match.end for match in vocabulary.marks["denied"].found(words)}
    matches = [match for match in matches if match.start not in denied or match.value.kind not in {"fact", "wording", "indication"}]
    others = {
        place for match in outside if vocabulary.evidence.outsiders[match.value].kind == "other-condition" for place in range(match.start, match.end)
    }
    matches = _told(words, matches, others, vocabulary)
    wordings = [vocabulary.evidence.wordings[match.value.id] for match in matches if match.value.kind == "wording"]
    kinds: dict[str, dict[str, None]] = {}
    for match in matches:
        kinds.setdefault(match.value.kind, {})[match.value.id] = None
    indications = dict.fromkeys((*(name for one in wordings for name in one.indications), *kinds.get("indication", ())))
    facts = dict.fromkeys((*(name for one in wordings for name in one.fact), *kinds.get("fact", ())))
    covered = {place for match in matches for place in range(match.start, match.end)}
    covered |= {place for topic in topic_matches for place in range(topic.start, topic.end)}
    folds = {word.fold for word in words}
    signs, emergencies = signs_of(words, spoken, vocabulary)
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
        field=any(not one.jurisdiction for one in wordings),
        emergencies=emergencies,
        signs=signs,
        corrections=tuple(dict.fromkeys(match.value for match in vocabulary.corrections.found(words))),
        outsiders=tuple(
            match for match in outside if not any(one.start <= match.start and match.end <= one.end and one.width > match.width for one in matches)
        ),
        treated=_treated(words, matches, vocabulary),
        own_dose=bool(vocabulary.marks["own-dose"].found(words)),
        commands=bool(vocabulary.marks["commands"].found(words)),
        read_as=read_as,
        loose=loose,
        aims=_objects(words, covered, vocabulary, _AIM),
        objects=_objects(words, covered, vocabulary, _ABOUT),
        search=_search_words(words, wordings, vocabulary),
        concepts=_concepts(words, matches, vocabulary),
        places=tuple(dict.fromkeys(one.jurisdiction for one in wordings if one.jurisdiction)),
    )


def _outsiders(words: tuple[Word, ...], matches: list[Match[Meaning]], vocabulary: Vocabulary) -> list[Match[str]]:
    """What lies outside the evidence. An ending, or a name that counts only when unknown, is none where the evidence holds the word."""
    from ivigil.answers.find import index_of

    index = index_of(vocabulary.evidence)
    named = {place for match in matches for place in range(match.start, match.end)}

    def counts(match: Match[str]) -> bool:
        entry = vocabulary.evidence.outsiders[match.value]
        folds = [words[place].fold for place in range(match.start, match.end) if place not in named]
        if not entry.unknown_only:
            return True
        if len(folds) < match.width or any(vocabulary.everyday(fold) for fold in folds):
            return False
        return entry.kind == "other-drug" or not any(index.knows(fold) for fold in folds)

    return [match for match in vocabulary.outside.found(words) if counts(match)]


def _treated(words: tuple[Word, ...], matches: list[Match[Meaning]], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Illnesses known only as facts that the treatment is said to be *for*: nobody who was read uses it so."""
    found: list[str] = []
    for match in matches:
        facts = vocabulary.evidence.wordings[match.value.id].fact if match.value.kind == "wording" else (match.value.id,) if match.value.kind == "fact" else ()
        if not facts or not all(name.startswith("has.") and name not in _NO_ILLNESS for name in facts):
            continue
        before = match.start - 1
        while before >= 0 and words[before].fold in _BETWEEN:
            before -= 1
        earlier = words[before - 1].fold if before > 0 else ""
        if before >= 0 and (words[before].fold in _TREATS or (words[before].fold == "for" and earlier in _USED)):
            found.append(" ".join(word.text for word in words[match.start : match.end]))
    return tuple(dict.fromkeys(found))


def _spelt(words: tuple[Word, ...], vocabulary: Vocabulary, shouted: bool) -> tuple[tuple[Word, ...], dict[str, str]]:
    """Words that no phrase and no statement knows, read as the nearest known one; one that is written as a name only as a name that is very near."""
    from ivigil.answers.find import index_of

    covered = {place for match in vocabulary.names.found(words) for place in range(match.start, match.end)}
    covered |= {place for match in vocabulary.topics.found(words) for place in range(match.start, match.end)}
    covered |= {
        place
        for match in vocabulary.outside.found(words)
        if not vocabulary.evidence.outsiders[match.value].unknown_only
        for place in range(match.start, match.end)
    }
    index = index_of(vocabulary.evidence)
    out: list[Word] = []
    read_as: dict[str, str] = {}
    for place, word in enumerate(words):
        if place in covered or word.fold in vocabulary.known or not word.fold.isalpha() or index.knows(word.fold):
            out.append(word)
            continue
        name = (place > 0 and word.text[0].isupper() and not shouted) or (not word.text.isupper() and any(map(str.isupper, word.text[1:])))
        most = 1 if name else 3
        meant = vocabulary.meant(word.fold, index.words_by_letter, most) or vocabulary.meant(word.text.lower(), index.words_by_letter, most)
        if meant and meant != word.fold:
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


def _told(words: tuple[Word, ...], matches: list[Match[Meaning]], others: set[int], vocabulary: Vocabulary) -> list[Match[Meaning]]:
    """The names with those of diseases whose words stand apart or in another order; a name of fewer of the same words gives way to them.

    Words in ``others``, the places of diseases that the evidence does not hold, are those of another disease.
    """
    evidence = vocabulary.evidence

    def places_of(match: Match[Meaning]) -> set[int]:
        named = match.value.kind == "indication" or (match.value.kind == "wording" and evidence.wordings[match.value.id].indications)
        return set(range(match.start, match.end)) if named else set()

    named = {place for match in matches for place in places_of(match)}
    told: list[Match[Meaning]] = []
    for name, held in vocabulary.told(word.fold for word in words):
        places = {place for place, word in enumerate(words) if word.fold in held}
        if places <= named or places & others:
            continue
        matches = [match for match in matches if not places_of(match) or not places_of(match) < places]
        told += [Match(place, place + 1, Meaning("indication", name)) for place in sorted(places)]
    return [*matches, *told]


def _topics(matches: list[Match[str]], words: tuple[Word, ...], evidence: Evidence) -> tuple[str, ...]:
    """The topics of a question in the order of the evidence. A phrase inside a longer one does not count.

    A broad topic steps back for special ones, unless 'and' stands behind it.
    """
    kept = [match for broad in (False, True) for match in longest([one for one in matches if evidence.topics[one.value].broad is broad])]
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


def _objects(words: tuple[Word, ...], covered: set[int], vocabulary: Vocabulary, before: re.Pattern[str]) -> tuple[str, ...]:
    """Content words, known by no phrase, that follow one of certain small words: what the question may really be about."""
    found: list[str] = []
    for place, word in enumerate(words):
        if not before.match(word.text.lower()):
            continue
        for after in range(place + 1, min(len(words), place + 4)):
            one = words[after]
            text = one.text.lower()
            if after == place + 1 and text in _TOWARDS and word.fold in _TREATS:
                continue
            if text in _HELPING or _AIM.match(text) or _ABOUT.match(text) or (after in covered and one.fold not in vocabulary.common):
                break
            if after not in covered and one.fold not in vocabulary.common and not one.text[0].isdigit() and one.text != "%":
                found.append(one.fold)
    return tuple(dict.fromkeys(found))


def _search_words(words: tuple[Word, ...], wordings: list[Wording], vocabulary: Vocabulary) -> tuple[str, ...]:
    own = [word.fold for word in words if word.fold not in vocabulary.common or word.text[0].isdigit()]
    meant = [word.fold for wording in wordings for phrase in wording.means for word in words_of(phrase)]
    return tuple(dict.fromkeys([*own, *meant]))


def _concepts(words: tuple[Word, ...], matches: list[Match[Meaning]], vocabulary: Vocabulary) -> tuple[Concept, ...]:
    """The things asked for, each with the words that mean the same. The treatment itself is none, unless nothing else is asked for."""
    evidence = vocabulary.evidence
    treatment = {place for match in matches if match.value == Meaning("wording", _TREATMENT) for place in range(match.start, match.end)}
    owners: dict[int, set[str]] = {}
    means: dict[int, dict[str, None]] = {}
    for match in matches:
        spoken = evidence.wordings[match.value.id] if match.value.kind == "wording" else None
        named = {match.value.id} if match.value.kind in {"indication", "product"} else set(spoken.indications) if spoken is not None else set()
        for place in range(match.start, match.end):
            owners.setdefault(place, set()).update(named)
            if spoken is not None and match.width == 1:
                means.setdefault(place, {}).update(dict.fromkeys(word.fold for phrase in spoken.means for word in words_of(phrase)))
    for found in vocabulary.synonyms.found(words):
        for place in range(found.start, found.end):
            means.setdefault(place, {}).update(dict.fromkeys(word.fold for phrase in evidence.synonyms[found.value].means for word in words_of(phrase)))
    out: dict[tuple[str, ...], Concept] = {}
    for place, word in enumerate(words):
        small = word.fold in vocabulary.common or not word.fold.isalpha()
        light = place not in means and vocabulary.everyday(word.fold)
        if place in treatment or (small and word.fold.isalpha() and len(word.fold) < _SHORTEST):
            continue
        alternatives = (word.fold, *(other for other in means.get(place, ()) if other != word.fold))
        key = alternatives[1:] if place in means and len(alternatives) > 1 else alternatives
        if key not in out or (out[key].small and not small):
            out[key] = Concept(alternatives, frozenset(owners.get(place, ())), small, light)
    if not any(not one.small for one in out.values()) and treatment:
        return (*out.values(), *(Concept((words[place].fold,)) for place in sorted(treatment)))
    return tuple(out.values())
