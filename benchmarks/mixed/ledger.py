"""What was asked and what came: the book in which every caller writes, and that the proof is held against."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kept:
    """A plan whose saving was acknowledged."""

    owner: str
    record: bytes
    document: bytes


@dataclass(frozen=True)
class Cut:
    """A request whose answer did not arrive whole: when it began and when the connection broke."""

    what: str
    began: float
    broke: float
    why: str


@dataclass
class Ledger:
    """Everything acknowledged, everything refused, everything wrong. Callers on several threads write in it."""

    plans: dict[str, Kept] = field(default_factory=dict)
    forgotten: dict[str, str] = field(default_factory=dict)
    feedback: list[tuple[str, str]] = field(default_factory=list)
    verdicts: list[tuple[str, str]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    right: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    cuts: list[Cut] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    writing: int = 0
    held: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def a_write(self) -> Iterator[None]:
        """A request under way that changes something: the moment to kill a worker."""
        with self._lock:
            self.writing += 1
        try:
            yield
        finally:
            with self._lock:
                self.writing -= 1

    @contextmanager
    def a_plan(self, choose: Callable[[list[str]], str]) -> Iterator[tuple[str, Kept] | None]:
        """One of the acknowledged plans, which nobody deletes while it is looked at; None when there is none."""
        with self._lock:
            names = list(self.plans)
            name = choose(names) if names else ""
            kept = self.plans.get(name)
            self.held[name] += 1
        try:
            yield (name, kept) if kept is not None else None
        finally:
            with self._lock:
                self.held[name] -= 1

    def let_go(self, owner: str, choose: Callable[[list[str]], str]) -> str:
        """A plan of this owner that nobody looks at, from now on no longer promised; empty when there is none."""
        with self._lock:
            names = [name for name, kept in self.plans.items() if kept.owner == owner and not self.held[name]]
            name = choose(names) if names else ""
            self.plans.pop(name, None)
        return name

    def note_right(self, what: str, seconds: float) -> None:
        """An answer as it had to be."""
        with self._lock:
            self.right[what] += 1
            self.slowest[what] = max(self.slowest.get(what, 0.0), seconds)

    def note_refused(self, what: str) -> None:
        """A clean refusal that says when to try again."""
        with self._lock:
            self.refused[what] += 1

    def note_cut(self, what: str, began: float, why: str) -> None:
        """No whole answer."""
        with self._lock:
            self.cuts.append(Cut(what, began, time.monotonic(), why))

    def note_wrong(self, what: str, why: str) -> None:
        """An answer that must not be."""
        with self._lock:
            self.wrong.append(f"{what}: {why}")

    def unexplained(self, kills: list[float], slack: float = 1.0) -> list[Cut]:
        """The cuts that no kill explains: a killed worker breaks only what it holds at that moment."""
        return [cut for cut in self.cuts if not any(cut.began <= moment + slack and moment - slack <= cut.broke for moment in kills)]
