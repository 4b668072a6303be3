"""Is a line of a forecast in an answer the forecast's? Judged from the command's own report and the plan's outlook, which are written apart from it."""

from __future__ import annotations

import re
from datetime import date, datetime, time

from ivigil.basis.problems import BadInput
from ivigil.evidence.library import Evidence
from ivigil.patient.record import Record
from ivigil.pharmacokinetics.asked import Asked
from ivigil.pharmacokinetics.for_record import Wanted, forecast_for
from ivigil.planning.draft import Context
from ivigil.planning.plan import plan
from ivigil.rendering.forecast_text import forecast_text

DATE = re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4}\b")
"""Dates are written otherwise there, and are compared by the tests."""
_WIDTH = 100
_KEPT: dict[tuple[str, str, date], str] = {}


def told(evidence: Evidence, record: Record, jurisdiction: str, day: date) -> str:
    """Everything that the forecast of a record is reported with: by ``ivigil forecast`` where the record has a dose, and by the outlook of the plan."""
    key = (record.id, jurisdiction, day)
    if key not in _KEPT:
        lines = plan(record, evidence, Context(jurisdiction, day, datetime.combine(day, time(9)), outlook=True)).lines
        parts = [line.text + " " + line.because.calculation + " ".join(str(cell) for row in (line.table.rows if line.table else ()) for cell in row)
                 for line in lines if line.section == "outlook"]
        try:
            parts.append(" ".join(forecast_text(forecast_for(record, Asked(), Wanted(), evidence, day), evidence, _WIDTH).split()))
        except BadInput as error:
            parts += [f"{problem.why} {problem.remedy}" for problem in error.problems]
        _KEPT[key] = " ; ".join(parts)
    return _KEPT[key]
