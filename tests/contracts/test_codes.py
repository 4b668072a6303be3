"""Every code in the evidence has the form, and where there is one the check digit, of its code system. No code list of others is needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ivigil.basis.facts import Codes
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.patient.facts import facts_of
from ivigil.patient.record import Code, Condition, Record

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE: Evidence = load_evidence(ROOT / "evidence")

_VERHOEFF_TIMES = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043", "8765932104", "9876543210")
_VERHOEFF_TURNS = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")


def loinc(code: str) -> bool:
    """LOINC: up to seven digits, a dash and a check digit (mod 10, every second digit from the right doubled)."""
    if not re.fullmatch(r"[1-9]\d{0,6}-\d", code):
        return False
    body, check = code.split("-")
    total = sum(int(digit) if place % 2 else sum(divmod(2 * int(digit), 10)) for place, digit in enumerate(reversed(body)))
    return (total + int(check)) % 10 == 0


def snomed(code: str) -> bool:
    """SNOMED CT: 6 to 18 digits, of a concept (partition 00 or 10), with a Verhoeff check digit."""
    if not re.fullmatch(r"[1-9]\d{5,17}", code) or code[-3:-1] not in {"00", "10"}:
        return False
    left = 0
    for place, digit in enumerate(reversed(code)):
        left = int(_VERHOEFF_TIMES[left][int(_VERHOEFF_TURNS[place % 8][int(digit)])])
    return left == 0


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda code: compiled.fullmatch(code) is not None


FORMS: dict[str, Callable[[str], bool]] = {
    "loinc": loinc,
    "snomed": snomed,
    "retired": snomed,
    "icd10": _matches(r"[A-Z]\d[0-9AB](\.[0-9A-Z]{1,4})?"),
    "rxnorm": _matches(r"[1-9]\d{0,7}"),
    "ndc": _matches(r"\d{4,5}-\d{3,4}(-\d{1,2})?"),
    "cvx": _matches(r"\d{2,3}"),
    "atc": _matches(r"[A-Z](\d{2}([A-Z]([A-Z](\d{2})?)?)?)?"),
    "hcpcs": _matches(r"[A-Z]\d{4}|\d{5}"),
    "cdsi": _matches(r"\d{3}"),
}
"""The code systems of the evidence and what a code of each looks like."""


def _codes(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Every code below a value: where it stands, its system and the code."""
    if isinstance(value, msgspec.Struct):
        name = f"{place} {value.id}" if hasattr(value, "id") and not isinstance(value, Codes) else place
        for field in value.__struct_fields__:
            item = getattr(value, field)
            if field in FORMS:
                yield from ((name, field, code) for code in ((item,) if isinstance(item, str) else item) if code)
            else:
                yield from _codes(item, name)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _codes(item, place)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _codes(item, place)


def _all_codes() -> list[tuple[str, str, str]]:
    parts = ("facts", "indications", "products", "tests", "vaccines", "antibody_intervals")
    return [code for part in parts for code in _codes(getattr(EVIDENCE, part), part)]


ALL = _all_codes()


@pytest.mark.parametrize("system", FORMS)
def test_every_code_has_the_form_of_its_system(system: str) -> None:
    """A slip of the keyboard in a code is found by its form or its check digit."""
    wrong = [f"{place}: {system} {code}" for place, where, code in ALL if where == system and not FORMS[system](code)]
    assert not wrong


def test_every_kind_of_code_that_evidence_may_hold_has_a_form() -> None:
    """A new code system cannot slip past these checks."""
    assert set(Codes.__struct_fields__) <= set(FORMS)


def test_there_are_codes_to_check() -> None:
    """The walk finds codes in every part that carries them."""
    assert {place.split()[0] for place, _, _ in ALL} == {"facts", "indications", "products", "tests", "vaccines", "antibody_intervals"}
    assert {"loinc", "snomed", "icd10", "cvx", "retired", "cdsi"} <= {system for _, system, _ in ALL}


def test_a_retired_code_is_nowhere_current() -> None:
    """A retired code is an alias on input; it stands nowhere among the codes that are written."""
    retired = {code for _, system, code in ALL if system == "retired"}
    assert not [f"{place}: {code}" for place, system, code in ALL if system == "snomed" and code in retired]


def test_no_entry_repeats_a_code() -> None:
    """A code stands once in an entry."""
    seen: set[tuple[str, str, str]] = set()
    repeated = [code for code in ALL if code in seen or seen.add(code)]  # type: ignore[func-returns-value]
    assert not repeated


@pytest.mark.parametrize(("system", "good", "bad"), [
    ("loinc", ["2465-3", "98979-8", "718-7"], ["2465-4", "2456-3", "24653", "2465-33"]),
    ("snomed", ["40956001", "190979003", "16609791000119102"], ["40956010", "40965001", "4095600", "40956001X"]),
    ("icd10", ["D69.3", "G61.81", "T50.Z15", "Z95.828", "C4A", "N18"], ["D693", "69.3", "D69.", "D6", "D69.12345"]),
    ("cvx", ["03", "87", "333"], ["3", "8787", "A7"]),
    ("rxnorm", ["1809671"], ["0123", "18o9671"]),
    ("atc", ["J06BA02", "J06BA"], ["J6BA02", "J06B02", "j06ba02"]),
    ("ndc", ["0944-2700", "61953-0004"], ["944-2700", "0944/2700"]),
    ("hcpcs", ["J1459", "90283"], ["J145", "J14599"]),
    ("cdsi", ["125"], ["12", "A25"]),
])
def test_the_forms_tell_good_from_bad(system: str, good: list[str], bad: list[str]) -> None:
    """Each form takes real codes and refuses swapped, missing and foreign characters."""
    assert all(FORMS[system](code) for code in good)
    assert not any(FORMS[system](code) for code in bad)


@pytest.mark.parametrize(("system", "code", "fact"), [
    ("icd10", "T50.Z15A", "has.past_ig_reaction"), ("icd10", "T80.51XA", "has.past_ig_hypersensitivity"),
    ("snomed", "190994004", "has.scid"), ("snomed", "255409004", "has.pregnancy"),
])
def test_reactions_and_retired_codes_are_recognised(system: str, code: str, fact: str) -> None:
    """An adverse effect of immunoglobulin is coded as a condition, and old records carry codes that are retired today."""
    record = Record(id="x", conditions=(Condition(codes=(Code(system=system, code=code),), origin="conditions[0] (line 3)"),))
    known = facts_of(record, EVIDENCE.facts, date(2026, 11, 20)).get(fact)
    assert known is not None
    assert known.value is True
