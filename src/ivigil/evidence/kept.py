"""What follows from the evidence alone, worked out when it is first asked for and kept with that evidence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple, cast

from ivigil.evidence.library import Evidence

_MOST = 4096
"""How many results of one function are kept for one evidence; beyond that they are forgotten and worked out anew."""

Key = TypeVarTuple("Key")
Entry = TypeVar("Entry")
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


def kept_with(work: Callable[[Evidence, Entry, *Key], Found]) -> Callable[[Evidence, Entry, *Key], Found]:
    """:func:`kept` for a function of an entry as well. Entries are told apart by identity, so that one altered for a question is another one."""

    @wraps(work)
    def looked_up(evidence: Evidence, entry: Entry, *key: *Key) -> Found:
        results = evidence.kept.get(work)
        if results is None:
            results = evidence.kept[work] = {}
        found = results.get((id(entry), *key))
        if found is None:
            if len(results) >= _MOST:
                results.clear()
            # The entry is kept too: its identity cannot pass to another one.
            found = results[id(entry), *key] = (work(evidence, entry, *key), entry)
        return cast("Found", found[0])

    return looked_up
