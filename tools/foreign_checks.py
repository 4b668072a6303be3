"""Compares our antibody intervals with those of CDC, row by row, and writes ``docs/foreign-checks.md``.

``tests/fixtures/cdc-antibody-products.yaml`` holds CDC's rows in our words and every difference that is meant, with its reason.
``tests/contracts/test_cdc_antibody_products.py`` fails when a difference is not listed there, or a listed one is gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path

import msgspec

from ivigil.basis.quantity import Quantity, Span, parse_quantity
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.care import AntibodyInterval
from ivigil.evidence.interval_tables import INTRAVENOUS
from ivigil.evidence.library import Evidence
from ivigil.planning.antibody_interval import Antibody, Given

FIXTURE = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "cdc-antibody-products.yaml"
PLACES = ("US",)
ANTIGENS = ("measles", "mumps", "rubella", "varicella")


class CdcRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One antibody product of CDC's, the entries of ours to compare, and the differences that are meant."""

    observation: str
    product: str
    months: int
    ours: tuple[str, ...]
    dose: str = ""
    purpose: str = ""
    cvx: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    differs: dict[str, str] = {}


class CdcTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rows of CDC, our entries without one, and the vaccines CDC holds back."""

    source: str
    rows: tuple[CdcRow, ...]
    only_ours: dict[str, str]
    vaccines: tuple[str, ...]


@lru_cache(maxsize=1)
def cdc() -> CdcTable:
    """The fixture, read strictly."""
    document, _ = read_yaml(FIXTURE.read_text(encoding="utf-8"), FIXTURE.name)
    return msgspec.convert(document, CdcTable, strict=False)


def differences(row: CdcRow, evidence: Evidence) -> dict[str, str]:
    """What differs between a row of CDC's and ours, by kind: ``number``, ``dose``, ``codes``, ``wait`` and ``planned``."""
    ours = [evidence.antibody_intervals[name] for name in row.ours]
    found: dict[str, str] = {}
    if any(entry.cdsi != row.observation for entry in ours):
        found["number"] = "ours carries no CDC number" if not any(entry.cdsi for entry in ours) else "ours carries another CDC number"
    if row.dose and any(not _same_dose(parse_quantity(row.dose), entry.dose) for entry in ours):
        found["dose"] = f"ours is for {' or '.join(str(entry.dose) for entry in ours)}"
    missing = {*row.cvx, *row.snomed} - {code for entry in ours for code in (*entry.cvx, *entry.codes.snomed)}
    if missing:
        found["codes"] = f"ours leaves out {', '.join(sorted(missing))}"
    if any(entry.wait is None or entry.wait.unit != "month" or {entry.wait.low, entry.wait.high} != {row.months} for entry in ours):
        found["wait"] = f"ours waits {', '.join(sorted({str(entry.wait) for entry in ours}))}"
    planned = {str(wait) for entry in ours for wait in _planned(entry, evidence)}
    if planned != {str(entry.wait) for entry in ours}:
        found["planned"] = f"a plan waits {', '.join(sorted(planned))}"
    return found


def _same_dose(theirs: Quantity, ours: Span | None) -> bool:
    return ours is not None and ours.low == ours.high and Quantity(ours.low, ours.unit).canonical == theirs.canonical


def _planned(entry: AntibodyInterval, evidence: Evidence) -> Iterator[Quantity | None]:
    """What a plan waits after the product and dose of one of our entries, for each vaccine that waits."""
    dose = Quantity(entry.dose.high, entry.dose.unit).in_unit("g/kg") if entry.product == INTRAVENOUS and entry.dose is not None else None
    given = Antibody(date(2026, 1, 1), entry.product, dose, entry.purpose)
    for vaccine in evidence.vaccines.values():
        if vaccine.antibody_interval == "yes" and set(vaccine.antigens) <= set(ANTIGENS):
            deferral = Given(evidence, (given,)).latest(PLACES, vaccine.antigens)
            yield deferral.wait if deferral is not None else None


def without_cdc_row(evidence: Evidence) -> set[str]:
    """Our entries for the United States that no row of CDC's is compared with."""
    compared = {name for row in cdc().rows for name in row.ours}
    return {entry.id for entry in evidence.antibody_intervals.values() if entry.jurisdiction == "US"} - compared


def foreign_checks_page(evidence: Evidence, made: str) -> str:
    """The page: CDC's rows beside ours, and where and why they differ."""
    table = cdc()
    same = sum(not row.differs for row in table.rows)
    out = ["# Checks against foreign data", "", made, "",
           "What others publish in machine-readable form is compared with our evidence row by row. Nothing is planned from their data; a difference is either",
           "a mistake of ours, and a test fails, or it is listed here with its reason.", "",
           "## Antibody products and live vaccines (CDC)", "",
           f"{table.source}.", f"Of {len(table.rows)} rows {same} are the same and {len(table.rows) - same} differ on purpose.",
           "The wait is before a measles, mumps, rubella or varicella vaccine; CDC and ivigil hold back no other live vaccine by this table.", "",
           "| CDC row | Product | CDC | Ours | Same, or why not |", "|---|---|---|---|---|"]
    for row in table.rows:
        ours = [evidence.antibody_intervals[name] for name in row.ours]
        waits = ", ".join(dict.fromkeys(str(entry.wait) for entry in ours))
        names = ", ".join(f"`{entry.id}`" for entry in ours)
        why = " ".join(f"*{kind}*: {reason}" for kind, reason in row.differs.items()) or "same"
        dose = f" after {row.dose}" if row.dose else ""
        out.append(f"| {row.observation} | {row.product} | {row.months} months{dose} | {waits}: {names} | {why} |")
    out += ["", "Entries of ours for the United States without a row of CDC's:", "", "| Entry | Why |", "|---|---|"]
    out += [f"| `{name}` | {why} |" for name, why in table.only_ours.items()]
    return "\n".join(out) + "\n"
