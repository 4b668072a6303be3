"""What else is wrong with a record that cannot be read whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from ivigil.basis.facts import FactDefinition
from ivigil.basis.problems import BadInput, Problem
from ivigil.patient.firewall import check
from ivigil.patient.form import PartlyRead


def every_problem(error: BadInput, facts: Mapping[str, FactDefinition], as_of: date) -> tuple[Problem, ...]:
    """The problems of a record that does not read, and those that the unit firewall finds in the rest of it."""
    if not isinstance(error, PartlyRead):
        return error.problems
    found = check(error.rest, facts, as_of).problems
    more = [problem for problem in found if problem.what.partition(".")[0] not in error.left_out]
    return tuple(sorted((*error.problems, *more), key=lambda problem: problem.line))
