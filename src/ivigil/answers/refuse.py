"""When not to answer, and what to say instead: first what is dangerous, then what is no question, then what the evidence does not hold."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from ivigil.answers.answer import Outcome, Reason
from ivigil.answers.diseases import Here
from ivigil.answers.find import index_of
from ivigil.answers.said import Said, frame, plain_for, said_of
from ivigil.answers.things import of_facts
from ivigil.answers.understand import Question
from ivigil.answers.vocabulary import Vocabulary

LONGEST = 2000
"""Letters of a question that are read; a longer text is no question."""
_MOST_QUESTIONS = 8
_FEWEST_FOREIGN = 2
_WORD = re.compile(r"[^\W\d_]+")


class Refusal(msgspec.Struct, frozen=True):
    """Why there is no answer, in sentences, and what to ask instead."""

    outcome: Outcome
    reason: Reason
    said: tuple[Said, ...]
    follow_up: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


def unreadable(text: str, vocabulary: Vocabulary) -> Refusal | None:
    """A text that is no question in English: empty, too long, without words, in another language."""
    letters = text.strip()
    if not letters:
        return Refusal("refused", "empty", (frame("There is no question. Ask in a sentence, for example about the dose, the rate, side effects or vaccines."),))
    if len(letters) > LONGEST:
        return Refusal(
            "refused",
            "too-long",
            (frame("The text is too long to be one question, so nothing of it was answered. Ask one thing at a time, in a few sentences."),),
        )
    words = _WORD.findall(letters)
    if not words:
        return Refusal("refused", "not-a-question", (frame("There are no words in it. Ask in a sentence."),))
    if letters.count("?") > _MOST_QUESTIONS:
        return Refusal("refused", "too-many-questions", (frame("There are too many questions at once, so none was answered. Ask them one at a time."),))
    foreign = language_of(words, vocabulary)
    if foreign:
        return Refusal(
            "refused",
            "language",
            (frame(f"This looks like {foreign}. Answers exist in English only. In an emergency call the emergency service of your country."),),
        )
    return None


def language_of(words: list[str], vocabulary: Vocabulary) -> str:
    """The language of a question that is not English, or nothing."""
    outside = sum(1 for word in words for letter in word if letter.isalpha() and not unicodedata.name(letter, "").startswith("LATIN"))
    if outside * 2 > sum(map(len, words)):
        return "a language in another script"
    lowered = [word.lower() for word in words]
    english = sum(1 for word in lowered if word in _ENGLISH)
    scores = {name: sum(1 for word in lowered if word in small and word not in _ENGLISH) for name, small in vocabulary.languages.items()}
    best = max(scores, key=lambda name: scores[name], default="")
    return best if best and scores[best] >= _FEWEST_FOREIGN and scores[best] > english else ""


_ENGLISH = frozenset(
    [
        "the",
        "of",
        "and",
        "to",
        "is",
        "in",
        "it",
        "for",
        "what",
        "how",
        "does",
        "do",
        "can",
        "i",
        "my",
        "a",
        "are",
        "be",
        "with",
        "on",
        "should",
        "when",
        "why",
        "which",
        "after",
        "before",
        "not",
        "have",
        "has",
        "if",
        "this",
        "that",
        "will",
        "you",
        "your",
        "at",
        "from",
        "an",
        "or",
        "dose",
    ]
)


def emergency(here: Here, question: Question, vocabulary: Vocabulary) -> Refusal:
    """What to do now; nothing else is answered."""
    shown: list[Said] = []
    for name in question.emergencies:
        entry = vocabulary.evidence.emergencies[name]
        for one in entry.tell if plain_for(here.audience) else entry.show:
            shown += [said for said in said_of(here.evidence, one, here.audience) if said not in shown]
    lead = frame(
        "This may be an emergency. Get help now; do not wait for an answer here."
        if plain_for(here.audience)
        else "This may be an emergency. Treat the patient first and follow the local protocol."
    )
    return Refusal("emergency", "emergency", (lead, *shown))


def outside(here: Here, question: Question, vocabulary: Vocabulary) -> Refusal | None:
    """A question about something else: other medicines, other subjects, conditions that no statement speaks of."""
    entries = [vocabulary.evidence.outsiders[name] for name in question.outside]
    kinds = {entry.kind for entry in entries}
    named = _named(question, vocabulary)
    about_treatment = (
        question.treatment or question.field or any(dose.per_kg for dose in question.amounts.doses) or bool(question.indications) or bool(question.products)
    )
    beside = set(question.topics) & _BESIDE_MEDICINES or question.vaccines or question.indications
    if "other-drug" in kinds and not question.treatment and not question.products and (not beside or _dosed(question, vocabulary)):
        said = frame(f"This is about another medicine{_quoted(named)}. The evidence here is about immunoglobulin. Ask a pharmacist or read its leaflet.")
        return Refusal("refused", "other-drug", (said,))
    if "other-subject" in kinds and not question.indications:
        return _not_in_evidence(named) if question.treatment else _out_of_scope()
    if "other-condition" in kinds and not _answered_anyway(question):
        return _not_in_evidence(named)
    if any(word.text.isdigit() and len(word.text) == 4 and here.as_of.year < int(word.text) < _LAST_YEAR for word in question.words):
        return Refusal("refused", "not-in-evidence", (frame("What is to come is not in the evidence."),))
    medicines = tuple(name for name in question.facts if name.startswith("takes."))
    if "other-drug" in kinds and set(question.topics) <= _WITH_MEDICINES and not question.vaccines and not of_facts(here, medicines):
        return _not_in_evidence(named)
    bare = not question.topics or question.topics == ("disease",)
    if bare and not question.loose and not question.named and not question.terms and not about_treatment and not question.amounts.texts:
        said = frame("Please say what the question is about, for example the dose, side effects or vaccines, and which disease or product.")
        return Refusal("asks", "ambiguous", (said,), ("What is the question about?",))
    entity = bool(question.indications or question.products or question.vaccines or question.facts or question.tests)
    if question.aims and not entity and set(question.topics) <= _OF_A_DISEASE:
        return _not_in_evidence(question.aims) if about_treatment or question.topics else _out_of_scope()
    unknown = tuple(word for word in (*question.objects, *question.aims) if not index_of(vocabulary.evidence).knows(word))
    if unknown and not entity:
        return _not_in_evidence(unknown) if about_treatment else _out_of_scope()
    if not about_treatment and not question.topics and not question.named and not question.terms and not question.corrections:
        return _out_of_scope() if question.loose or not question.amounts.texts else None
    foreign = [word for word in question.loose if not index_of(vocabulary.evidence).knows(word)]
    if not about_treatment and foreign and not question.named and set(question.topics) <= _LOOSE_TOPICS:
        return _out_of_scope()
    return None


_BESIDE_MEDICINES = {"interactions", "alternatives", "prevention", "effects", "afterwards", "meningitis", "reaction", "hydration", "blood-tests", "allergies"}
"""Topics under which another medicine may be named without being what the question is about."""
_OF_A_DISEASE = {"indicated", "disease", "dose", "uses", "criteria", "safe", "words", "what", "children", "older"}
"""Topics that are asked of a disease: what the treatment would be for must then be in the evidence."""
_AMOUNTS = {"dose", "rate"}
_BESIDE_AMOUNTS = {"interactions", "prevention"}
"""The same where an amount is asked: "ibuprofen dose in migraine" asks for that of ibuprofen."""
_LAST_YEAR = 2100
_WITH_MEDICINES = {"interactions", "safe", "disease", "rate", "effects"}
_LOOSE_TOPICS = {
    "words",
    "what",
    "indicated",
    "effects",
    "cost",
    "children",
    "older",
    "pain",
    "travel",
    "home",
    "frequency",
    "maintenance",
    "onset",
    "duration",
    "uses",
    "made",
    "product",
    "dose",
    "rate",
    "works",
    "alternatives",
    "bring",
    "afterwards",
    "choice",
    "more-infections",
    "place",
    "supply",
    "interactions",
    "reporting",
    "stop",
    "prevention",
    "weight",
}
"""Topics whose words are used of anything: without a name of the field they do not make a question one about immunoglobulin."""


def _dosed(question: Question, vocabulary: Vocabulary) -> bool:
    """True when the dose asked about is that of another medicine: the two words stand side by side."""
    doses = {place for place, word in enumerate(question.words) if word.fold.startswith(("dos", "doz")) or word.fold in {"much", "many", "mg"}}
    drugs = [match for match in vocabulary.outside.found(question.words) if vocabulary.evidence.outsiders[match.value].kind == "other-drug"]
    return any(match.start - 2 <= place <= match.end for match in drugs for place in doses)


def _answered_anyway(question: Question) -> bool:
    return bool(question.indications) and not question.objects


def _named(question: Question, vocabulary: Vocabulary) -> tuple[str, ...]:
    found = vocabulary.outside.found(question.words)
    widest = max(found, key=lambda match: match.width, default=None)
    return (" ".join(word.text for word in question.words[widest.start : widest.end]),) if widest is not None else question.objects


def _not_in_evidence(words: tuple[str, ...]) -> Refusal:
    return Refusal(
        "refused",
        "not-in-evidence",
        (frame(f"The evidence says nothing about this{_quoted(words)}, so there is no answer. This is no proof for or against it. Ask your team."),),
    )


def _out_of_scope() -> Refusal:
    return Refusal(
        "refused",
        "out-of-scope",
        (
            frame(
                "This is not about immunoglobulin, the antibody drug, so there is no answer. Ask about its use, dose, rate, side effects, vaccines or checks."
            ),
        ),
    )


def _quoted(words: tuple[str, ...]) -> str:
    shown = [word for word in words if word][:2]
    return f" ({', '.join(shown)})" if shown else ""
