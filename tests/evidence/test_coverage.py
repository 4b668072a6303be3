"""The account of what was read: on small made evidence by hand, and on the packaged evidence against the files themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import pytest
from tests.planning.care_sample import evidence

from ivigil.basis.quantity import Quantity, parse_span
from ivigil.basis.strict_yaml import read_yaml
from ivigil.evidence.check import examples_of
from ivigil.evidence.coverage import Coverage, Ending, ExpiredPlace, Gap, coverage, marks
from ivigil.evidence.files import EvidenceFile, entries_of, packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.shapes import (
    Criterion,
    Indication,
    Jurisdiction,
    Measured,
    Names,
    Product,
    Regimen,
    RegimenDose,
    Remark,
    Source,
    Standing,
    Statement,
    Valid,
    Verdict,
    Vials,
    WeightPolicy,
)

DAY = date(2026, 11, 20)


@lru_cache(maxsize=1)
def files() -> tuple[EvidenceFile, ...]:
    return tuple(read_folder(packaged_folder()))


@lru_cache(maxsize=1)
def packaged() -> Coverage:
    return coverage(evidence(), DAY, examples_of(files(), evidence()))


@lru_cache(maxsize=1)
def documents() -> dict[str, Any]:
    return {file.name: read_yaml(file.text, file.name)[0] for file in files()}


def raw(folder: str) -> Iterator[Any]:
    """Every entry of a folder as its file writes it."""
    for name, document in documents().items():
        if name.startswith(folder):
            yield from (entry for _, entry in entries_of(document))


def sample(**more: Any) -> Evidence:
    said = {"seen": ("seen", 2), "once": ("seen", 1), "told": ("second-hand", 1), "memory": ("remembered", 1), "policy": ("decided", 1), "lonely": ("seen", 2),
            "disputing": ("seen", 1)}
    statements: dict[str, Any] = {name: Statement(id=name, source="book", says=name, read=read, readings=readings)  # type: ignore[arg-type]
                                  for name, (read, readings) in said.items()}
    statements["seen"] = Statement(id="seen", source="book", says="seen", read="seen", readings=2, disputed_by=("disputing",))
    return Evidence(sources={"book": Source(id="book", kind="guideline", title="Book", jurisdiction="US")}, statements=statements,
                    jurisdictions={name: Jurisdiction(id=name, name=name, markets=()) for name in ("US", "EU")}, **more)


def indication(**more: Any) -> Evidence:
    return sample(indications={"ill": Indication(id="ill", name=Names(clinical="Illness"), purpose="immunomodulation", **more)})


def regimen(place: str = "US", *, cites: tuple[str, ...] = ("seen",), **more: Any) -> Regimen:
    return Regimen(id=f"ill.{place}", authority="board", jurisdiction=place, phase="acute", dose=RegimenDose(per_day=parse_span("1 g/kg")), cites=cites, **more)


# --- made evidence ------------------------------------------------------------------------------------------------------


def test_the_letters_of_a_cell() -> None:
    """Read in a document, only remembered, and not read."""
    assert marks(("standing", "dose"), ("review",)) == "S - D r"
    assert marks(()) == "- - - -"


def test_one_cell_for_each_authority_and_place() -> None:
    """By hand: the board of the United States was read on standing and dose, its review is a memory; the European criterion stands alone."""
    base = indication(
        standing=(Standing(authority="board", jurisdiction="US", verdict="supports", cites=("seen",)),
                  Standing(authority="panel", jurisdiction="EU", verdict="not-read", cites=("memory",))),
        criteria=(Criterion(id="ill.c", authority="panel", jurisdiction="EU", say="if", cites=("told",)),),
        regimens=(regimen(cites=("policy", "once")),),
        review=(Remark(say="look again", authority="board", jurisdiction="US", cites=("memory",)), Remark(say="stop", cites=("once",))))
    made = coverage(base, DAY)
    assert {(cell.authority, cell.jurisdiction): cell.marks for cell in made.cells} == {
        ("board", "US"): "S - D r", ("panel", "EU"): "- C - -", ("book", "US"): "- - - R"}
    assert made.at("ill", "US").marks == "S - D R"
    assert made.at("ill", "EU").marks == "- C - -"
    assert made.at("ill", "international").marks == "- - - -"
    assert made.places == ("US", "EU", "international")


def test_rows_out_of_force_do_not_count_and_are_told() -> None:
    """The last day still counts; the day after, the row is expired, and a place with no other row of that field is named."""
    base = indication(regimens=(regimen(valid=Valid(end="2026-11-20")),), standing=(
        Standing(authority="board", jurisdiction="US", verdict="supports", cites=("seen",), valid=Valid(end="2026-11-19")),
        Standing(authority="board", jurisdiction="US", verdict="against", cites=("seen",), valid=Valid(start="2026-11-20")),))
    made = coverage(base, DAY)
    assert made.at("ill", "US").marks == "S - D -"
    assert made.expired_only == ()
    assert made.endings == (Ending("indications", "ill (board)", "2026-11-19", True), Ending("indications", "ill.US", "2026-11-20", False))
    assert coverage(base, date(2026, 11, 21)).expired_only == (ExpiredPlace("ill", "US", "dose"),)


@pytest.mark.parametrize(("end", "told"), [("2027-11-20", True), ("2027-11-21", False), ("2020-01-01", True), ("", False)])
def test_what_ends_within_a_year_is_told(end: str, told: bool) -> None:
    """A year to the day; any part of the evidence that has dates."""
    base = sample(weight_policies={"p": WeightPolicy(id="p", name="P", cites=("seen",), valid=Valid(end=end))})
    assert [one.id for one in coverage(base, DAY).endings] == (["p"] if told else [])


def test_a_leap_day_has_a_year_too() -> None:
    """29 February looks ahead to 28 February."""
    base = sample(weight_policies={"p": WeightPolicy(id="p", name="P", cites=("seen",), valid=Valid(end="2029-02-28"))})
    assert len(coverage(base, date(2028, 2, 29)).endings) == 1


def test_statements_by_reading_and_review() -> None:
    """Seven statements by hand; one of them under review."""
    base = sample()
    judged = Statement(id="once", source="book", says="once", read="seen", reviews=(Verdict(status="under-review", by="A", date="2026-11-20"),))
    base.statements["once"] = judged
    made = coverage(base, DAY).readings
    assert {reading: sum(states.values()) for reading, states in made.items()} == {
        "seen twice": 2, "seen once": 2, "second-hand": 1, "remembered": 1, "decided": 1}
    assert made["seen once"]["under-review"] == 1
    assert made["seen once"]["submitted"] == 1


def test_orphans_have_no_use_and_dispute_nothing() -> None:
    """Cited, or named as disputing another, is a use; the rest is listed by how it was read."""
    made = coverage(indication(regimens=(regimen(cites=("seen", "once")),)), DAY)
    assert made.orphans == {"seen twice": ("lonely",), "second-hand": ("told",), "remembered": ("memory",), "decided": ("policy",)}


def test_products_by_field() -> None:
    """What the row holds is read, what it lacks is not."""
    product = Product(id="p-us", brand="P", maker="M", market="US", routes=("intravenous",), percent=10.0, contains={"sucrose": "no"},
                      iga=Measured(value=Quantity(25, "ug/mL"), cites=("seen",)), vials=Vials(sizes=(Quantity(10, "g"),), cites=("seen",)),
                      not_read=("Rates", "Sodium"))
    made = coverage(sample(products={"p-us": product}), DAY)
    assert made.products[0].read == ("vials", "iga", "excipients")
    assert made.gaps == (Gap("products", "p-us", ("Rates", "Sodium")),)


@pytest.mark.parametrize(("not_read", "problem"), [
    ((), True), (("Criteria of Ontario",), True), (("Any dose; none is encoded",), False), (("Standing and dosing elsewhere",), False), (("Overdosed",), True),
])
def test_no_dose_and_no_word_of_it_is_a_problem(not_read: tuple[str, ...], problem: bool) -> None:
    """A missing dose is either printed somewhere or named as a gap."""
    assert bool(coverage(indication(not_read=not_read), DAY).no_dose_no_gap) is problem
    assert not coverage(indication(not_read=not_read, regimens=(regimen(),)), DAY).no_dose_no_gap


def test_examples_belong_to_what_they_name() -> None:
    """A regimen shows its indication, a file name its rule, a product by name or file; what nothing shows is listed."""
    base = indication(regimens=(regimen(),))
    cases = [
        EvidenceFile("cases/indications/other.yaml", "- {name: a, regimen: ill.US, expect: {days: 1}}\n- {name: b, indication: ill, expect: {days: 1}}\n"),
        EvidenceFile("cases/safety/age.yaml", "- {name: c, expect: fires}\n- {name: d, rule: old, expect: asks}\n"),
        EvidenceFile("cases/products/p-us.yaml", "- {name: e, indication: ill, expect: labelled}\n"),
        EvidenceFile("cases/products/all.yaml", "- {name: f, check: x, products: [p-us, p-eu], expect: yes}\n"),
        EvidenceFile("safety/age.yaml", "- {id: age}\n"),
    ]
    counts = examples_of(cases, base)
    assert counts == {"ill": 2, "age": 1, "old": 1, "p-us": 2, "p-eu": 1}
    shown = {one.part: one for one in coverage(base, DAY, counts).examples}
    assert shown["indications"].counts == {"ill": 2}
    assert coverage(base, DAY, {}).examples[2].without == ("ill",)
    assert coverage(base, DAY).examples == ()


# --- the packaged evidence ----------------------------------------------------------------------------------------------


def test_every_indication_prints_a_dose_or_says_that_none_was_read() -> None:
    """An entry that is silent about the dose looks finished and is not: add 'Any dose; none is encoded' to its not_read, or a regimen."""
    assert packaged().no_dose_no_gap == ()


def test_every_gap_of_the_files_is_listed() -> None:
    """All texts under not_read, wherever they stand, are counted once."""
    def texts(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from ((str(text) for text in value) if key == "not_read" else texts(value))
        elif isinstance(node, list):
            for item in node:
                yield from texts(item)

    written = sorted(text for name, document in documents().items() if not name.startswith("cases/") for text in texts(document))
    counted = sorted(text for gap in packaged().gaps for text in gap.texts)
    assert counted == written


def test_orphans_are_named_nowhere_else_in_the_files() -> None:
    """No file mentions an orphan beside the entry itself, its own dispute and comments."""
    mentions: dict[str, int] = {}
    for file in files():
        for word in re.findall(r"[\w./-]+", re.sub(r"(?m)^\s*#.*$", "", file.text)):
            name = word.strip(".")
            mentions[name] = mentions.get(name, 0) + 1
    for names in packaged().orphans.values():
        assert [name for name in names if mentions[name] > 1 and not evidence().statements[name].disputed_by] == []


def test_the_matrix_agrees_with_the_files() -> None:
    """Every verdict that was read, every criterion and every regimen in force has its letter, in capitals or small."""
    held: set[tuple[str, str, str, str]] = set()
    for entry in raw("indications/"):
        for key, field in (("standing", "standing"), ("criteria", "criteria"), ("regimens", "dose")):
            for row in entry.get(key, []):
                if row.get("verdict") != "not-read" and str(row.get("valid", {}).get("to", "9999")) >= DAY.isoformat():
                    held.add((entry["id"], row["authority"], row["jurisdiction"], field))
    shown = {(cell.indication, cell.authority, cell.jurisdiction, field) for cell in packaged().cells for field in (*cell.read, *cell.unseen)
             if field != "review"}
    assert shown == held


def test_the_statements_add_up() -> None:
    """Each statement is in one row and one column."""
    assert sum(count for states in packaged().readings.values() for count in states.values()) == len(evidence().statements)
    remembered = sum(1 for entry in raw("statements/") if entry["read"] == "remembered")
    assert sum(packaged().readings["remembered"].values()) == remembered


def test_known_rows_that_ran_out() -> None:
    """Ontario's edition of 2018 ended when that of 2025 came: no dose of Ontario is left for a transplant from a donor."""
    assert ExpiredPlace("allo-hsct", "CA-ON", "dose") in packaged().expired_only
    assert Ending("weight_policies", "australia-to-2026-06", "2026-06-30", True) in packaged().endings


def test_examples_of_the_packaged_evidence() -> None:
    """No rule and no product is without one; the sum is that of the rows in the files."""
    shown = {one.part: one for one in packaged().examples}
    assert shown["rules"].without == shown["interactions"].without == shown["products"].without == ()
    assert sum(shown["indications"].counts.values()) == sum(1 for _ in raw("cases/indications/"))
    assert shown["indications"].counts["mis-c"] == 4
