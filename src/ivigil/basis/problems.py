"""Problems found in input or evidence: all of them at once, each with place, cause and remedy."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True, order=True):
    """One finding. ``place`` is a file, with ``line`` where known; ``what`` names the entry or key; ``why`` the cause; ``remedy`` what to do."""

    place: str
    line: int
    what: str
    why: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.place}:{self.line}" if self.line else self.place
        head = f"{where}: {self.what}: {self.why}" if self.what else f"{where}: {self.why}"
        return f"{head} ({self.remedy})" if self.remedy else head


class BadInput(Exception):
    """Input that cannot be used. ``problems`` holds every problem found, in reading order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
