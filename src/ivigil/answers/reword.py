"""Whether a reworded sentence still says what the composed one says. A language model may touch small words; this decides, and knows of no network.

The tokens of both sentences are compared in order, all but a short list of small words. So numbers and units, negations, modal words, comparisons, times,
names and all other content stay as they are and where they are. What is left open is grammar, and a few words that mean the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from ivigil.answers.answer import Answer, Rewording, Sentence

KINDS = ("statement", "entry")
"""Sentences that rest on the evidence alone. Lines of a plan, forecasts and sums hold a patient's numbers, frames are chosen with care: none is sent."""
MOST_SENTENCES = 40
LONGEST = 600
"""Sentences of one request and letters of one sentence; what goes beyond stays as composed."""
MARK = "reworded"

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['-][^\W\d_]+)*|[^\w\s]|_")
_FREE = frozenset({"a", "an", "the", "is", "are", "be", "this", "these", "that", "those", "it", "there", "which", "who"})
_PREPOSITIONS = frozenset({"of", "in", "on", "for", "at", "as"})
"""Free before a word; before a number or a time they decide what it means: for 5 days, in 5 days."""
_NEAR = 4
"""How many tokens behind such a word are looked at."""
_TIMES = frozenset({
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "half", "quarter", "third", "double", "once", "twice",
    "each", "every", "any", "all", "first", "second", "last", "next", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "night", "week", "weeks",
    "month", "months", "year", "years", "morning", "evening", "today", "tomorrow", "time", "times", "age", "birth",
})
_GUARDED = frozenset({"no", "not", "never", "nor", "without", "unless", "except", "only", "stop", "avoid"})
"""A comma after such a word changes what it speaks of: No, treat; no treatment."""
_SAME = {
    "administer": "give", "administers": "gives", "administered": "given", "administering": "giving", "commence": "start", "commences": "starts",
    "commencing": "starting", "begin": "start", "begins": "starts", "beginning": "starting", "physician": "doctor", "physicians": "doctors",
    "approximately": "about", "roughly": "about", "utilise": "use", "utilises": "uses", "utilised": "used", "utilising": "using", "utilize": "use",
    "utilizes": "uses", "utilized": "used", "utilizing": "using", "frequently": "often", "medication": "medicine", "medications": "medicines",
    "therefore": "so", "thus": "so", "additionally": "also",
}
"""Words that mean the same wherever they stand."""
_CONTRACTED = (
    (re.compile(r"\b([Cc])an't\b|\b([Cc])annot\b"), r"\1\2an not"), (re.compile(r"\b([Ww])on't\b"), r"\1ill not"), (re.compile(r"(?<=[a-z])n't\b"), " not"),
)
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
_MARKUP = "<>[]{}|*_#`~^\\=@"
_MOST_MORE = 4
"""Small words that a sentence may gain."""
_FENCE = re.compile(r"^\s*```[a-z]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def sendable(answer: Answer) -> tuple[str, ...]:
    """The sentences that may be reworded, each once. None of an emergency, a refusal or a question back."""
    if answer.outcome not in {"answered", "partly"}:
        return ()
    texts = (one.text for one in answer.sentences if one.kind in KINDS and len(one.text) <= LONGEST and one.text.isprintable())
    return tuple(dict.fromkeys(texts))[:MOST_SENTENCES]


def texts_in(reply: str, count: int) -> list[object]:
    """The sentences of a reply, as many as were sent and in their order.

    Raises:
        ValueError: it is no JSON list of that many sentences, with the reason.
    """
    fenced = _FENCE.match(reply)
    try:
        plain = msgspec.json.decode(fenced[1] if fenced is not None else reply)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        raise ValueError("the reply is no JSON") from None
    listed = plain.get("sentences") if isinstance(plain, dict) else plain
    if not isinstance(listed, list):
        raise ValueError("the reply is no list of sentences")
    if len(listed) != count:
        raise ValueError(f"the reply has {len(listed)} sentences for {count}")
    return listed


def fault(composed: str, reworded: object) -> str:
    """Why a reworded sentence must not stand for the composed one; empty when it may."""
    if not isinstance(reworded, str) or not reworded.strip():
        return "no sentence"
    said = reworded.strip().translate(_QUOTES)
    if len(said) > 2 * len(composed) + 20:
        return "too long"
    if not said.isprintable() or unicodedata.normalize("NFC", said) != said or {letter for letter in said if not letter.isascii()} - set(composed):
        return "strange characters"
    if any(said.count(letter) != composed.count(letter) for letter in _MARKUP) or ("://" in said) != ("://" in composed):
        return "markup"
    kept, kept_numbers, kept_free = _skeleton(composed.translate(_QUOTES))
    own, own_numbers, own_free = _skeleton(said)
    if kept_numbers != own_numbers:
        return "a number or its unit differs"
    if kept != own:
        return "a word that matters differs"
    return "small words added" if own_free > kept_free + _MOST_MORE else ""


def _skeleton(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], int]:
    """The tokens that are compared, the numbers with what follows them, and how many small words were passed over."""
    for pattern, spelt in _CONTRACTED:
        text = pattern.sub(spelt, text)
    tokens = _TOKEN.findall(text)
    kept = tuple(_kept(tokens))
    numbers = tuple((token, _unit(tokens, place)) for place, token in enumerate(tokens) if token[0].isdigit())
    return kept, numbers, len(tokens) - len(kept)


def _unit(tokens: Sequence[str], place: int) -> str:
    """What stands behind a number, as far as slashes join it: g, g/kg, mg/kg/min, days."""
    out = tokens[place + 1] if place + 1 < len(tokens) else ""
    at = place + 2
    while at + 1 < len(tokens) and tokens[at] == "/":
        out += tokens[at] + tokens[at + 1]
        at += 2
    return out


def _kept(tokens: Sequence[str]) -> Iterator[str]:
    start = True
    for place, token in enumerate(tokens):
        after = tokens[place + 1] if place + 1 < len(tokens) else ""
        before = tokens[place - 1] if place else ""
        word = token[0].lower() + token[1:] if start and token[1:].islower() else token
        free = word in _FREE or (word in _PREPOSITIONS and after.isalpha() and not any(map(_timed, tokens[place + 1:place + 1 + _NEAR])))
        if token == ",":
            free = before.lower() not in _GUARDED and not before[-1:].isdigit() and not after[:1].isdigit()
        start = token in ".!?:"
        if not free:
            yield _SAME.get(word, word)


def _timed(token: str) -> bool:
    return token[0].isdigit() or token.lower() in _TIMES


def reworded(answer: Answer, sent: Sequence[str], texts: Sequence[object], endpoint: str, model: str) -> Answer:
    """The answer with every sentence that may stand reworded; the others stay as composed, and why is counted."""
    faults = {composed: fault(composed, text) for composed, text in zip(sent, texts, strict=True)}
    changed = {composed: str(text).strip().translate(_QUOTES) for composed, text in zip(sent, texts, strict=True)
               if not faults[composed] and str(text).strip() != composed}
    kept = Counter(reason or "as it was" for composed, reason in faults.items() if composed not in changed)

    def one(sentence: Sentence) -> Sentence:
        said = changed.get(sentence.text) if sentence.kind in KINDS else None
        return sentence if said is None else msgspec.structs.replace(sentence, text=said, composed=sentence.text, marks=(*sentence.marks, MARK))

    sections = tuple(msgspec.structs.replace(section, sentences=tuple(map(one, section.sentences))) for section in answer.sections)
    about = Rewording(endpoint, model, len(sent), len(changed), dict(sorted(kept.items())))
    short, corrections = tuple(map(one, answer.short)), tuple(map(one, answer.corrections))
    return msgspec.structs.replace(answer, short=short, corrections=corrections, sections=sections, phrasing=about)


def as_composed(answer: Answer, sent: Sequence[str], endpoint: str, model: str, failed: str) -> Answer:
    """The answer as it was, with what went wrong."""
    return msgspec.structs.replace(answer, phrasing=Rewording(endpoint, model, len(sent), 0, {}, failed))
