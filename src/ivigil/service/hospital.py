"""What every door of the service shares: one evidence, one site profile, and the way from bytes to plans."""

from __future__ import annotations

import re
import zlib
from datetime import date
from pathlib import Path

import msgspec
from fastapi import Request

from ivigil.basis.facts import Codes
from ivigil.basis.problems import BadInput, Problem
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.evidence.shapes import Verdict
from ivigil.evidence.verdicts import judged
from ivigil.patient.partly_read import every_problem
from ivigil.patient.read import read_record
from ivigil.patient.record import Record
from ivigil.planning.choices import Choices, SiteProfile, context_of, for_record
from ivigil.planning.draft import PriceItem, StockItem
from ivigil.planning.line import Plan
from ivigil.planning.order_names import every_name
from ivigil.planning.plan import plan
from ivigil.service.settings import Limits


class Hospital:
    """The evidence and the settings of one site. Immutable once made, so that requests may share it.

    ``folders`` are those that the evidence was read from, the packaged one and then the overlay; their examples are shown and verdicts are written there.
    """

    def __init__(self, evidence: Evidence, site: SiteProfile | None = None, limits: Limits | None = None, folders: tuple[Path, ...] = ()) -> None:
        self.evidence = evidence
        self.folders = folders
        self.site = site or SiteProfile()
        self.limits = limits or Limits()
        self._products: dict[str, Codes] = {product.id: product.codes for product in evidence.products.values()}

    def instead(self, formulary: tuple[str, ...] | None, stock: tuple[StockItem, ...] | None, prices: tuple[PriceItem, ...] | None) -> Hospital:
        """The same hospital with other lists, where one is given."""
        given = {"formulary": formulary, "stock": stock, "prices": prices}
        changed = {name: value for name, value in given.items() if value is not None}
        return Hospital(self.evidence, msgspec.structs.replace(self.site, **changed), self.limits, self.folders) if changed else self

    def records(self, data: bytes, today: date, place: str = "record") -> list[Record]:
        """The patients in a YAML, JSON or FHIR document.

        Raises:
            BadInput: the document cannot be read or holds nobody; every problem is listed, those of the unit firewall included.
        """
        data = bounded(data, self.limits, place)
        try:
            found = read_record(data, self.evidence.facts, self._products, place)
        except BadInput as error:
            raise BadInput(every_problem(error, self.evidence.facts, today, lambda rest: every_name(rest, self.evidence))) from None
        if not found:
            raise BadInput([Problem(place, 0, "", "no patient in it", "give a patient record or a Bundle with a Patient")])
        return found

    def only(self, data: bytes, today: date) -> Record:
        """The only patient of a document.

        Raises:
            BadInput: see :meth:`records`; also when the document holds more than one patient.
        """
        records = self.records(data, today)
        if len(records) > 1:
            raise BadInput([Problem("record", 0, "", f"{len(records)} patients in one document", "send one patient at a time")])
        return records[0]

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
            BadInput: see :meth:`only` and :meth:`plan`.
        """
        problems: list[Problem] = []
        record = None
        try:
            record = self.only(data, today)
        except TooLarge:
            raise
        except BadInput as error:
            problems.extend(error.problems)
        try:
            context_of(choices, self.site, self.evidence, today)
        except BadInput as error:
            problems.extend(error.problems)
        if problems or record is None:
            raise BadInput(problems)
        return self.plan(record, choices, today)


    def with_evidence(self, evidence: Evidence) -> Hospital:
        """The same hospital on other evidence."""
        return Hospital(evidence, self.site, self.limits, self.folders)

    def judged(self, statement: str, verdict: Verdict) -> tuple[Path, Hospital | None]:
        """Write a verdict into the evidence; gives the file and the hospital on the evidence after it, None where that must be read anew.

        Raises:
            BadInput: nothing can be written, or there is no folder to write to.
        """
        if not self.folders:
            raise BadInput([Problem("evidence", 0, "", "this service was started without a folder to write verdicts to", "start it with 'ivigil serve'")])
        path, evidence = judged(self.evidence, self.folders[0], self.folders[1] if len(self.folders) > 1 else None, statement, verdict)
        return path, self.with_evidence(evidence) if evidence is not None else None

    def read_anew(self) -> Hospital:
        """The same hospital on the evidence as its folders hold it now; this one itself when they hold the same.

        Raises:
            BadInput: what they hold does not load, or there are none.
        """
        if not self.folders:
            raise BadInput([Problem("evidence", 0, "", "this service was started without a folder", "start it with 'ivigil serve'")])
        evidence = load_evidence(self.folders[0], self.folders[1] if len(self.folders) > 1 else None)
        return self if evidence.version == self.evidence.version else self.with_evidence(evidence)


def hospital_of(request: Request) -> Hospital:
    """The hospital behind a request: one and the same until it is answered, also when the evidence is renewed meanwhile."""
    found = request.scope.setdefault("state", {}).setdefault("hospital", request.app.state.hospital)
    assert isinstance(found, Hospital)
    return found


class TooLarge(BadInput):
    """A document that would take too long to read."""


def bounded(data: bytes, limits: Limits, place: str) -> bytes:
    """The document without gzip, unpacked only as far as the limit; a small bomb fills no memory.

    Raises:
        TooLarge: it is larger than what is read.
        BadInput: the gzip file is damaged.
    """
    if data.startswith(_GZIP):
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            data = unpacking.decompress(data, limits.body + 1)
        except zlib.error:
            raise BadInput([Problem(place, 0, "", "the gzip file is damaged", "copy it again")]) from None
        if not unpacking.eof and len(data) <= limits.body:
            raise BadInput([Problem(place, 0, "", "the gzip file is damaged", "copy it again")])
        if data.startswith(_GZIP):
            raise BadInput([Problem(place, 0, "", "a gzip file within a gzip file", "unpack it once")])
    if len(data) > limits.body:
        raise TooLarge([Problem(place, 0, "", f"larger than {limits.body / 1_000_000:g} MB", "send one patient at a time")])
    if len(data) > limits.written and not _JSON.match(data):
        raise TooLarge([Problem(place, 0, "", f"YAML larger than {limits.written / 1000:g} kB", "send one patient at a time, or write it as JSON")])
    return data


_GZIP = b"\x1f\x8b"
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[|\{\s*[\"}])")
"""How JSON begins; an object whose first key stands without quotation marks is YAML."""

