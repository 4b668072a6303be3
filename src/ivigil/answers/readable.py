"""Whether a text can be read as one question in English; if not, why, and what to write instead."""

from __future__ import annotations

import re
import unicodedata

from ivigil.answers.refuse import Refusal
from ivigil.answers.said import frame
from ivigil.answers.vocabulary import Vocabulary

LONGEST = 2000
"""Letters of a question that are read; a longer text is no question."""
_MOST_QUESTIONS = 8
_FEWEST_FOREIGN = 2
_WORD = re.compile(r"[^\W\d_]+")


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
    {"the", "of", "and", "to", "is", "in", "it", "for", "what", "how", "does", "do", "can", "i", "my", "a", "are", "be", "with", "on", "should", "when", "why"}
    | {"which", "after", "before", "not", "have", "has", "if", "this", "that", "will", "you", "your", "at", "from", "an", "or", "dose"}
)
