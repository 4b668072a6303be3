"""What every door of the service shares: one evidence, one site profile, and the way from bytes to plans."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ivigil.basis.facts import Codes
from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.library import Evidence
from ivigil.patient.partly_read import every_problem
from ivigil.patient.read import read_record
from ivigil.patient.record import Record
from ivigil.planning.choices import Choices, SiteProfile, context_of, for_record
from ivigil.planning.line import Plan
from ivigil.planning.plan import plan


class Hospital:
    """The evidence and the settings of one site. Immutable once made, so that requests may share it.

    ``folders`` are those that the evidence was read from, the packaged one and then the overlay; their examples are shown and verdicts are written there.
    """

    def __init__(self, evidence: Evidence, site: SiteProfile | None = None, folders: tuple[Path, ...] = ()) -> None:
        self.evidence = evidence
        self.folders = folders
        self.site = site or SiteProfile()
        self._products: dict[str, Codes] = {product.id: product.codes for product in evidence.products.values()}

    def records(self, data: bytes, today: date, place: str = "record") -> list[Record]:
        """The patients in a YAML, JSON or FHIR document.

        Raises:
            BadInput: the document cannot be read or holds nobody; every problem is listed, those of the unit firewall included.
        """
        try:
            found = read_record(data, self.evidence.facts, self._products, place)
        except BadInput as error:
            raise BadInput(every_problem(error, self.evidence.facts, today)) from None
        if not found:
            raise BadInput([Problem(place, 0, "", "no patient in it", "give a patient record or a Bundle with a Patient")])
        return found

    def plan(self, record: Record, choices: Choices, today: date) -> Plan:
        """The plan for one patient: the same as ``ivigil plan`` makes with the same choices on the same day.

        Raises:
            BadInput: a choice is unknown, or the record cannot be right; every problem is listed.
        """
        context = context_of(choices, self.site, self.evidence, today)
        return plan(record, self.evidence, for_record(context, choices, record))

    def plan_of(self, data: bytes, choices: Choices, today: date) -> Plan:
        """The plan for the only patient of a document.

        Raises:
            BadInput: see :meth:`records` and :meth:`plan`; also when the document holds more than one patient.
        """
        problems: list[Problem] = []
        records: list[Record] = []
        try:
            records = self.records(data, today)
        except BadInput as error:
            problems.extend(error.problems)
        if len(records) > 1:
            problems.append(Problem("record", 0, "", f"{len(records)} patients in one document", "send one patient at a time"))
        try:
            context_of(choices, self.site, self.evidence, today)
        except BadInput as error:
            problems.extend(error.problems)
        if problems:
            raise BadInput(problems)
        return self.plan(records[0], choices, today)

