"""Our antibody intervals against CDC's machine-readable rows: every difference is meant and has its reason, and none is left over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from tools.foreign_checks import ANTIGENS, CdcRow, cdc, differences, without_cdc_row

from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.planning.antibody_interval import Antibody, Given

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE: Evidence = load_evidence(ROOT / "evidence")
_DAY = date(2026, 1, 1)
ROWS = [pytest.param(row, id=f"{row.observation} {row.product}") for row in cdc().rows]


@pytest.mark.parametrize("row", ROWS)
def test_every_difference_is_listed_with_its_reason(row: CdcRow) -> None:
    """A difference that is not listed fails, and so does a listed one that is gone."""
    assert set(differences(row, EVIDENCE)) == set(row.differs), differences(row, EVIDENCE)
    assert all(reason.endswith(".") for reason in row.differs.values())


def test_all_rows_of_cdc_are_here_once() -> None:
    """The observations 125 to 141, without a gap."""
    assert [row.observation for row in cdc().rows] == [str(number) for number in range(125, 142)]


def test_what_only_we_have_is_listed() -> None:
    """An entry of ours for the United States is compared with CDC or named with the reason why CDC has none."""
    assert without_cdc_row(EVIDENCE) == set(cdc().only_ours)


def test_every_cdc_number_in_our_evidence_is_compared() -> None:
    """No entry claims a CDC number under which it is not compared."""
    compared = {(name, row.observation) for row in cdc().rows for name in row.ours}
    assert {(entry.id, entry.cdsi) for entry in EVIDENCE.antibody_intervals.values() if entry.cdsi} <= compared


def test_the_same_antigens_wait() -> None:
    """CDC's rows and ours speak of measles, mumps, rubella and varicella."""
    assert {entry.vaccines for row in cdc().rows for name in row.ours if (entry := EVIDENCE.antibody_intervals[name])} == {ANTIGENS}


def test_the_same_vaccines_wait() -> None:
    """The vaccines that ivigil holds back by the table are those that CDC holds back after an antibody product, by CVX."""
    assert {code for vaccine in EVIDENCE.vaccines.values() if vaccine.antibody_interval == "yes" for code in vaccine.cvx} == set(cdc().vaccines)


@pytest.mark.parametrize("code", sorted({code for row in cdc().rows for code in (*row.cvx, *row.snomed)}))
def test_a_code_of_several_products_never_brings_the_date_forward(code: str) -> None:
    """A recorded code is taken for a product that waits at least as long as every CDC row with that code."""
    longest = max(row.months for row in cdc().rows if code in (*row.cvx, *row.snomed))
    product = next(product for product, codes in EVIDENCE.antibody_product_codes if code in codes)
    waiting = [vaccine for vaccine in EVIDENCE.vaccines.values() if vaccine.antibody_interval == "yes" and set(vaccine.antigens) <= set(ANTIGENS)]
    assert waiting
    for vaccine in waiting:
        deferral = Given(EVIDENCE, (Antibody(_DAY, product, None),)).latest(("US",), vaccine.antigens)
        assert deferral is not None
        assert deferral.wait.in_unit("month") >= longest


def _other(**changes: object) -> CdcRow:
    return msgspec.structs.replace(cdc().rows[0], **changes)


@pytest.mark.parametrize(("row", "kind"), [
    (_other(months=4), "wait"), (_other(observation="126"), "number"), (_other(cvx=("13", "99")), "codes"), (_other(dose="250 mg/kg"), "dose"),
])
def test_a_difference_would_be_seen(row: CdcRow, kind: str) -> None:
    """Each kind of difference is found when one is made."""
    assert kind in differences(row, EVIDENCE)
