"""What follows from the evidence alone, worked out when it is first asked for and kept with that evidence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple, cast

from ivigil.evidence.library import Evidence

_MOST = 4096
"""How many results of one function are kept for one evidence; beyond that they are forgotten and worked out anew."""

Key = TypeVarTuple("Key")
Found = TypeVar("Found")


def kept(work: Callable[[Evidence, *Key], Found]) -> Callable[[Evidence, *Key], Found]:
    """A function of the evidence and of hashable arguments that is worked out once for each of them.

    It must depend on nothing else and give something that nobody changes: then keeping it changes no result, only how long one takes.
    """

    @wraps(work)
    def looked_up(evidence: Evidence, *key: *Key) -> Found:
        results = evidence.kept.get(work)
        if results is None:
            results = evidence.kept[work] = {}
        found = results.get(key)
        if found is None:
            if len(results) >= _MOST:
                results.clear()
            found = results[key] = (work(evidence, *key),)
        return cast("Found", found[0])

    return looked_up
