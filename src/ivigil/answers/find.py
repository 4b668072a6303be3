"""The search over everything the evidence says: SQLite's full text index, ranked by BM25 with weights for the fields. Deterministic."""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import msgspec

from ivigil.evidence.library import Evidence
from ivigil.evidence.sayable import SAYABLE

_WEIGHTS = (0.0, 0.0, 4.0, 3.0, 1.0, 1.5)
"""Of id, part, names, heading, sentence and plain words; the first two are not searched."""
_FEWEST_LETTERS = 2
_KEPT = 20_000
_LONG_WORD = re.compile(r"[a-z]{6,}")
_DIGIT = re.compile(r"\d")
_SKIPPED = {"rejected", "superseded"}


class Hit(msgspec.Struct, frozen=True):
    """One find: its row, what it is, and its BM25 score (higher is better; nought for one that was looked up by its name)."""

    row: int
    id: str
    part: str
    score: float = 0.0
    numbers: bool = False


class Index:
    """The full text index of one evidence, in memory."""

    def __init__(self, evidence: Evidence) -> None:
        self._lock = threading.Lock()
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        self._base.execute("create virtual table said using fts5(id unindexed, part unindexed, names, heading, sentence, plain, tokenize='porter unicode61')")
        rows = [(name, part, *(_text(text) for text in texts)) for name, part, *texts in documents(evidence)]
        self._base.executemany("insert into said values (?, ?, ?, ?, ?, ?)", rows)
        self.size = len(rows)
        self._texts = [text for row in rows for text in row[2:]]
        self._known: dict[str, frozenset[int]] = {}
        self._hits = {row: Hit(row, name, part, numbers=bool(_DIGIT.search(sentence))) for row, (name, part, _, _, sentence, _) in enumerate(rows, start=1)}
        self._plain = frozenset(row for row, texts in enumerate(rows, start=1) if texts[-1])
        self._under: dict[str, list[int]] = {}
        for row, (name, *_) in enumerate(rows, start=1):
            pieces = name.split(".")
            for length in range(1, len(pieces)):
                self._under.setdefault(".".join(pieces[:length]), []).append(row)

    def knows(self, word: str) -> bool:
        """Whether the word occurs anywhere in what the evidence says."""
        return bool(self._holders(word))

    @cached_property
    def words_by_letter(self) -> dict[str, tuple[str, ...]]:
        """Every longer word of what the evidence says, by its first letter: what a misspelt word may have meant."""
        words = {word for text in self._texts for word in _LONG_WORD.findall(text)}
        found: dict[str, list[str]] = {}
        for word in sorted(words):
            found.setdefault(word[0], []).append(word)
        return {letter: tuple(listed) for letter, listed in found.items()}

    def weight(self, words: Iterable[str]) -> float:
        """How much it tells that an entry holds any of these words: the rarer, the more; nought for words that occur nowhere."""
        return self.weight_of(len(self.holders(words)))

    def weight_of(self, holders: int) -> float:
        """What a word weighs that so many entries hold."""
        return math.log(1 + self.size / holders) if holders else 0.0

    def holders(self, words: Iterable[str]) -> frozenset[int]:
        """The rows that hold any of the words."""
        return frozenset().union(*(self._holders(word) for word in words))

    def under(self, name: str, plain: bool = False) -> list[Hit]:
        """Everything whose id begins with a name: ``privigen-us``, ``safety.renal``; ``plain`` only what has words for patients."""
        return [self._hits[row] for row in self._under.get(name, ()) if not plain or row in self._plain]

    def find(self, words: Iterable[str], limit: int = 20, plain: bool = False) -> list[Hit]:
        """The entries that hold any of the words, best first; ``plain`` only those with words for patients."""
        wanted = [word for word in dict.fromkeys(words) if (len(word) >= _FEWEST_LETTERS or word.isdigit()) and self.knows(word)]
        if not wanted:
            return []
        columns = "{names heading plain}" if plain else "{names heading sentence plain}"
        query = f"{columns} : (" + " OR ".join(f'"{_bare(word)}"' for word in wanted) + ")"
        extra = " and plain <> ''" if plain else ""
        with self._lock:
            rows = self._base.execute(
                f"select rowid, bm25(said, {', '.join(map(str, _WEIGHTS))}) as score from said where said match ?{extra} order by score, rowid limit ?",
                (query, limit),
            ).fetchall()
        return [msgspec.structs.replace(self._hits[row], score=-score) for row, score in rows]

    def _holders(self, word: str) -> frozenset[int]:
        """The rows that hold a word, kept once found."""
        kept = self._known.get(word)
        if kept is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            with self._lock:
                rows = self._base.execute("select rowid from said where said match ?", (f'"{_bare(word)}"',)).fetchall()
            kept = self._known[word] = frozenset(row for (row,) in rows)
        return kept


def _bare(word: str) -> str:
    return word.replace('"', "")


def index_of(evidence: Evidence) -> Index:
    """The index of an evidence, made when it is first searched and kept with it."""
    kept: Index | None = evidence.__dict__.get("_question_index")
    if kept is None:
        kept = evidence.__dict__["_question_index"] = Index(evidence)
    return kept


def documents(evidence: Evidence) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Id, part, names, heading, sentence and plain words of everything that can be said. Rejected and superseded statements are left out."""
    titles = {source.id: source.title for source in evidence.sources.values()}
    for statement in evidence.statements.values():
        if evidence.review_states.get(statement.id) not in _SKIPPED and statement.source != "ivigil-policy":
            yield statement.id, "statements", statement.id, "", statement.says, statement.plain
        elif statement.source == "ivigil-policy":
            yield statement.id, "statements", statement.id, titles.get(statement.source, ""), statement.says, statement.plain
    for part in SAYABLE:
        if part != "statements":
            for name, entry in getattr(evidence, part).items():
                yield name, part, " ".join([name, *_names(entry)]), _heading(entry), _sentence(entry), _plain(part, entry)


def _names(entry: Any) -> Iterator[str]:
    for key in ("name", "about", "term", "test", "drug", "reaction", "outcome", "topic"):
        value = getattr(entry, key, "")
        if isinstance(value, str) and value:
            yield value
    yield from getattr(entry, "also_called", ())


def _heading(entry: Any) -> str:
    return str(getattr(entry, "question", "") or getattr(entry, "claim", ""))


def _sentence(entry: Any) -> str:
    return " ".join(str(value) for key in ("say", "effect", "advice", "signs", "first", "figure", "changes") if (value := getattr(entry, key, "")))


def _plain(part: str, entry: Any) -> str:
    if part in {"lessons", "advice"}:
        return str(entry.say)
    return str(getattr(entry, "plain", ""))


_SPELLINGS = (
    (re.compile(r"['’`´]s\b|['’`´]"), ""),
    (re.compile(r"ae"), "e"),
    (re.compile(r"\boe|(?<=f)oe(?=t)|(?<=rrh)oe|(?<=c)oe(?=l)|oe(?=dem)"), "e"),
    (re.compile(r"(?<=\w\w\w)is(?=ations?\b|ed\b|ing\b|e\b|es\b|ers?\b)"), "iz"),
    (re.compile(r"(?<=\w\w\w)our(?=s?\b|ed\b)"), "or"),
    (re.compile(r"(?<=\w\w\w)tre(?=s?\b)"), "ter"),
)
"""Spellings folded as in :func:`ivigil.answers.words.prefix_of`, over a whole text at once."""
_JOINED = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
"""Where letters and digits meet: ``B19`` is two words here as in a question."""


def _text(text: str) -> str:
    """The text folded as the words of questions are, so that both meet; the index stems them further."""
    folded = _JOINED.sub(" ", text.lower())
    for pattern, spelling in _SPELLINGS:
        folded = pattern.sub(spelling, folded)
    return folded
