"""Every record of a folder planned in every jurisdiction: what a change of the evidence does to real plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from pathlib import Path

import msgspec

from ivigil.basis.problems import BadInput, Problem
from ivigil.cli.inputs import records_of
from ivigil.evidence.library import Evidence
from ivigil.planning.draft import Context
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan

_MORNING = time(9)


class Attempt(msgspec.Struct, frozen=True):
    """One record in one place: its plan, or the problems why there is none. ``place`` is empty when the record does not read at all."""

    record: str
    place: str
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()


def attempts(evidence: Evidence, patients: str, day: date, places: Iterable[str] = ()) -> Iterator[Attempt]:
    """Every record of a file or folder in every one of ``places``, by default in all jurisdictions.

    Raises:
        BadInput: the folder holds no record.
    """
    wanted = list(places) or list(evidence.jurisdictions)
    for path in record_files(patients):
        try:
            records = list(records_of(str(path), evidence))
        except BadInput as error:
            yield Attempt(path.name, "", None, error.problems)
            continue
        for number, record in enumerate(records):
            name = path.name if len(records) == 1 else f"{path.name} ({number + 1}: {record.id})"
            for place in wanted:
                try:
                    yield Attempt(name, place, plan(record, evidence, Context(place, day, datetime.combine(day, _MORNING))))
                except BadInput as error:
                    yield Attempt(name, place, None, error.problems)


def plans_everywhere(evidence: Evidence, patients: str, day: date) -> Iterator[tuple[str, Plan]]:
    """A plan of every record of a folder in every jurisdiction; records that cannot be planned in a place are passed over there.

    Raises:
        BadInput: the folder holds no record, or one that does not read.
    """
    for attempt in attempts(evidence, patients, day):
        if attempt.plan is not None:
            yield attempt.place, attempt.plan
        elif not attempt.place:
            raise BadInput(attempt.problems)


def record_files(patients: str) -> list[Path]:
    """The patient records of a file or folder, in order of their names.

    Raises:
        BadInput: there is none.
    """
    path = Path(patients)
    files = [path] if path.is_file() else sorted(one for one in path.glob("*") if one.suffix in {".yaml", ".json"})
    if not files:
        raise BadInput([Problem(patients, 0, "", "no patient record here", "name a folder of YAML or JSON records")])
    return files
