"""The runner of worked examples: the packaged ones come out, and any other number, word or name in them is noticed with its place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any

import msgspec
import pytest

from ivigil.basis.quantity import Quantity, Span, as_written
from ivigil.evidence.files import EvidenceFile, packaged_folder, read_folder
from ivigil.evidence.library import Evidence
from ivigil.evidence.load import load_evidence
from ivigil.planning.label_examples import LabelExample
from ivigil.planning.worked_examples import DoseExample, Placed, WeightExample, failing, mismatches, placed_examples

AUTUMN = date(2026, 11, 20)
OTHER_WORD = {"refuses": "barred", "labelled": "not-labelled", "not-labelled": "labelled", "discontinued": "selectable", "selectable": "discontinued",
              "barred": "own-rates", "own-rates": "barred"}


@cache
def evidence() -> Evidence:
    """The packaged evidence."""
    return load_evidence()


@cache
def packaged() -> tuple[Placed, ...]:
    """Every packaged example that is worked by hand."""
    problems: list[Any] = []
    found = tuple(placed_examples(read_folder(packaged_folder()), problems))
    assert not problems
    return found


def test_every_packaged_example_comes_out() -> None:
    """Doses, verdicts, weights and label tables: hundreds of hand calculations, none of which may part from the program."""
    assert failing(read_folder(packaged_folder()), [], evidence(), AUTUMN) == []
    counts = [sum(isinstance(one.example, kind) for one in packaged()) for kind in (DoseExample, WeightExample, LabelExample)]
    assert min(counts) >= 40


def _other(value: Any) -> Any:
    """Another value of the same kind; nothing that could be the same by rounding."""
    if isinstance(value, Quantity):
        return Quantity(value.value * 1.5 + 1, value.unit)
    if isinstance(value, Span):
        return Span(value.low + 1, value.high + 1, value.unit)
    if isinstance(value, tuple):
        return (*value[:-1], _other(value[-1])) if value else (Quantity(7, "mL/h"),)
    return f"no-{value}" if isinstance(value, str) else 3 - value if value in {1, 2} else value * 2 + 1


def _changed() -> Iterator[Placed]:
    for placed in packaged():
        expect = placed.example.expect
        if isinstance(expect, str):
            yield msgspec.structs.replace(placed, example=msgspec.structs.replace(placed.example, expect=OTHER_WORD[expect]))
            continue
        for field in expect.__struct_fields__:
            value = getattr(expect, field)
            if value is not None:
                wrong = msgspec.structs.replace(expect, **{field: _other(value)})
                yield msgspec.structs.replace(placed, example=msgspec.structs.replace(placed.example, expect=wrong))


def test_any_other_outcome_is_noticed() -> None:
    """Each expected value of each packaged example, changed alone, no longer comes out: nothing written in an example goes unread."""
    unseen = [(placed.file, placed.example.name, placed.example.expect) for placed in _changed() if not list(mismatches(placed, evidence(), AUTUMN))]
    assert unseen == []


def _overlay(text: str, folder: str = "indications", name: str = "gbs") -> list[str]:
    files = [EvidenceFile(f"cases/{folder}/{name}.yaml", text)]
    return [str(problem) for problem in failing([], files, evidence(), AUTUMN)]


@pytest.mark.parametrize(("folder", "name", "text", "why"), [
    # GBS in England is 2 g/kg in all over 5 days: 140 g at 70 kg.
    ("indications", "gbs", "{name: a, weight: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {course_total: 14 g}}",
     "expected course_total 14 g, came to 140 g"),
    ("indications", "gbs", "{name: a, weight: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {per_interval: 140 g}}", "another form"),
    ("indications", "gbs", "{name: a, weight: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {days: 2}}", "expected days 2, came to 5"),
    ("indications", "gbs", "{name: a, weight: 70 kg, jurisdiction: US, regimen: gbs.nhs-england, expect: {course_total: 140 g}}", "holds in UK-ENG, not in US"),
    ("indications", "gbs", "{name: a, weight: 70 kg, jurisdiction: MARS, regimen: gbs.nhs-england, expect: {course_total: 140 g}}",
     "no jurisdiction is called 'MARS'; known: US"),
    ("indications", "gbs", "{name: a, weight: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs, expect: {course_total: 140 g}}", "no regimen is called 'gbs.nhs'"),
    ("indications", "gbs", "{name: a, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {course_total: 140 g}}", "add 'weight: 70 kg'"),
    ("indications", "gbs", "{name: a, jurisdiction: UK-ENG, expect: {against: [nhs-england-2021]}}", "does not advise against it"),
    ("indications", "gbs", "{name: a, weigth: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {course_total: 140 g}}", "did you mean 'weight'?"),
    ("indications", "gbs", "{name: a, weight: 70, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {course_total: 140 g}}", "has no unit"),
    ("products", "privigen-us", "{name: a, indication: gsb, expect: labelled}", "no indication is called 'gsb'"),
    ("products", "privigen-su", "{name: a, indication: pid, expect: labelled}", "no product is called 'privigen-su'"),
    ("products", "privigen-us", "{name: a, indication: pid, expect: labeled}", "is not one of"),
    # 0.5 mg/kg/min of a 10 % solution at 70 kg: 0.005 mL/kg/min x 70 x 60 = 21 mL/h.
    ("products", "privigen-us", "{name: a, indication: itp-adult, weight: 70 kg, expect: {start: 22 mL/h}}", "expected start 22 mL/h, came to 21 mL/h"),
    ("products", "privigen-us", "{name: a, indication: itp-adult, expect: {start: 21 mL/h}}", "add 'weight: 70 kg'"),
    ("weight-policies", "ideal", "{name: a, facts: {sex: male, height: 175 cm, weight: 100 kg, age: 50 year}, expect: {weight: 71 kg}}",
     "expected 71 kg, came to 70.46 kg"),
    ("products", "privigen-us", "{name: a, indication: pid, expect: {}}", "expects nothing"),
    ("weight-policies", "ideal", "{name: a, facts: {sexx: male}, expect: {weight: 71 kg}}", "'sexx' is not a registered fact"),
])
def test_what_is_wrong_is_said_in_words(folder: str, name: str, text: str, why: str) -> None:
    """A wrong number, form, place, key, word or name of an overlay's example is one row with its file and line."""
    rows = _overlay(text, folder, name)
    assert len(rows) == 1
    assert rows[0].startswith(f"cases/{folder}/{name}.yaml:1: a: ")
    assert why in rows[0]


def test_a_packaged_example_of_a_replaced_entry_is_passed_over() -> None:
    """An overlay that doses otherwise must not fail the packaged examples of what it replaced; an example of its own still counts."""
    gbs = evidence().indications["gbs"]
    half = tuple(msgspec.structs.replace(one, dose=msgspec.structs.replace(one.dose, course_total=Span(1, 1, "g/kg"))) if one.id == "gbs.nhs-england" else one
                 for one in gbs.regimens)
    changed = msgspec.structs.replace(evidence(), indications={**evidence().indications, "gbs": msgspec.structs.replace(gbs, regimens=half)})
    text = "{name: a, weight: 70 kg, jurisdiction: UK-ENG, regimen: gbs.nhs-england, expect: {course_total: 140 g}}"
    file = EvidenceFile("cases/indications/gbs.yaml", text)
    assert len(failing([file], [], changed, AUTUMN)) == 1
    replaced = msgspec.structs.replace(changed, local={"indications gbs": "replaced: our own dose"})
    assert failing([file], [], replaced, AUTUMN) == []
    assert len(failing([], [file], replaced, AUTUMN)) == 1


@pytest.mark.parametrize(("value", "written", "same"), [
    (82.277, 82.28, True), (82.274, 82.28, False), (82.2749, 82.27, True), (140.0, 140.0, True), (140.4, 140.0, True), (140.6, 140.0, False),
    (0.0664, 0.066, True),
])
def test_a_number_counts_as_written_up_to_half_its_last_digit(value: float, written: float, same: bool) -> None:
    """82.28 kg stands for 82.275 to 82.285 kg, and no more."""
    assert as_written(value, written) is same
