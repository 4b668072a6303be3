"""On which side of an infusion a blood sample was drawn, from the clock times that FHIR resources carry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from ivigil.patient.fhir_values import Resource, as_map
from ivigil.patient.record import PastInfusion, Result


class Times:
    """The moments of one patient's samples and infusions. A time without its zone, which FHIR does not allow, counts as none."""

    def __init__(self) -> None:
        self._drawn: dict[int, datetime] = {}
        self._started: dict[str, datetime] = {}

    def drew(self, resource: Resource, results: range) -> None:
        """Results, by their places, that come from one Observation. Its ``issued`` is when it was published, and no time of drawing."""
        moment = moment_of(resource.get("effectiveDateTime")) or moment_of(resource.get("effectiveInstant"))
        if moment is not None:
            self._drawn.update(dict.fromkeys(results, moment))

    def started(self, resource: Resource, origin: str) -> None:
        """An infusion by its origin."""
        moment = moment_of(as_map(resource.get("effectivePeriod")).get("start")) or moment_of(resource.get("effectiveDateTime"))
        if moment is not None:
            self._started[origin] = moment

    def told(self, results: Sequence[Result], infusions: Sequence[PastInfusion]) -> tuple[Result, ...]:
        """The results with ``drawn`` where it follows: every infusion of the day has its time, and the sample lies clearly before or after the first."""
        return tuple(self._told(result, self._drawn.get(place), infusions) for place, result in enumerate(results))

    def _told(self, result: Result, moment: datetime | None, infusions: Sequence[PastInfusion]) -> Result:
        if moment is None or result.on is None:
            return result
        first = self._first(result.on, infusions)
        if first is None or moment == first:
            return result
        return msgspec.structs.replace(result, drawn="before-infusion" if moment < first else "after-infusion")

    def _first(self, day: date, infusions: Sequence[PastInfusion]) -> datetime | None:
        """When the first infusion of a day began; None without one, or when the time of any is unknown."""
        moments = [self._started.get(item.origin) for item in infusions if item.on == day and item.kind == "immunoglobulin"]
        known = [moment for moment in moments if moment is not None]
        return min(known) if known and len(known) == len(moments) else None


def moment_of(text: object) -> datetime | None:
    """A FHIR dateTime or instant that has a time and its zone; anything else is None."""
    if not isinstance(text, str) or "T" not in text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
