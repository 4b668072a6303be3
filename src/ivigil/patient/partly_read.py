"""What else is wrong with a record that cannot be read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.patient.firewall import ahead, check
from ivigil.patient.form import PartlyRead
from ivigil.patient.record import Record

Check = Callable[[Record], Iterable[Problem]]


def every_problem(error: BadInput, facts: Mapping[str, FactDefinition], as_of: date, names: Check) -> tuple[Problem, ...]:
    """The problems of a record that does not read, those that the unit firewall finds in the rest of it, and those of the ``names`` it uses."""
    if not isinstance(error, PartlyRead):
        return error.problems
    found = (*check(error.rest, facts, as_of).problems, *names(error.rest))
    more = [problem for problem in found if not _left_out(problem.what, error.left_out)]
    more += [Problem(error.rest.place, line, what, *ahead(day, as_of)) for what, day, line in error.days if day > as_of]
    return tuple(sorted((*error.problems, *more), key=lambda problem: problem.line))


def _left_out(what: str, left_out: frozenset[str]) -> bool:
    return any(what == key or what.startswith(f"{key}.") for key in left_out)
